//! What a limit was held against.

use std::fmt;

use super::{Limit, Snapshot};
use crate::cli::format_decimal;
use crate::ioctl::{Setting, Unit};

/// A number in the unit of what it measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// A plain integer.
    Integer(i64),
    /// Millionths, shown as a decimal.
    Millionths(i64),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Number::Integer(number) => number.fmt(f),
            Number::Millionths(number) => f.write_str(&format_decimal(number)),
        }
    }
}

/// A limit beside what was seen of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Which limit.
    pub limit: Limit,
    /// What was seen.
    pub seen: Number,
    /// What is expected once the jobs that run, and one more, have made themselves felt; `None`
    /// where that is not looked at.
    pub expected: Option<Number>,
    /// What the limit is set to.
    pub bound: Number,
}

impl Limit {
    /// The setting that sets it.
    pub const fn setting(self) -> Setting {
        match self {
            Limit::Load => Setting::LoadAverage,
            Limit::Memory => Setting::MinMemoryAvail,
            Limit::CpuPressure => Setting::MaxCpuPressure,
            Limit::MemoryPressure => Setting::MaxMemoryPressure,
            Limit::IoPressure => Setting::MaxIoPressure,
        }
    }

    /// The limit's name for people.
    pub const fn words(self) -> &'static str {
        match self {
            Limit::Load => "load average",
            Limit::Memory => "memory",
            Limit::CpuPressure => "cpu pressure",
            Limit::MemoryPressure => "memory pressure",
            Limit::IoPressure => "io pressure",
        }
    }
}

impl Snapshot {
    /// `limit` and what it is held against: `None` where it is not set or nothing was read.
    pub fn figure(&self, limit: Limit) -> Option<Figure> {
        let setting = limit.setting();
        let number = |number| match setting.unit() {
            Unit::Integer => Number::Integer(number),
            Unit::Millionths => Number::Millionths(number),
        };
        let readings = &self.readings;
        let (seen, expected) = match limit {
            Limit::Load => (readings.load, readings.load_expected),
            Limit::Memory => (readings.memory, readings.memory_expected),
            Limit::CpuPressure => (readings.pressure[0], None),
            Limit::MemoryPressure => (readings.pressure[1], None),
            Limit::IoPressure => (readings.pressure[2], None),
        };
        let bound = Some(self.effective(setting)).filter(|&bound| bound >= 0)?;
        Some(Figure {
            limit,
            seen: number(seen?),
            expected: expected.map(number),
            bound: number(bound),
        })
    }
}

impl Figure {
    /// Whether what was seen passes the limit by itself, whatever is expected.
    fn is_passed(&self) -> bool {
        match (self.seen, self.bound) {
            (Number::Integer(seen), Number::Integer(floor)) => seen < floor,
            (Number::Millionths(seen), Number::Millionths(most)) => seen > most,
            _ => false,
        }
    }
}

/// `load average 13.2 of 12`; and where only what is expected passes the limit,
/// `load average 3.1, 12.9 expected, of 12`.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.limit.words();
        let unit = match self.limit {
            Limit::Load => "",
            Limit::Memory => " MiB",
            Limit::CpuPressure | Limit::MemoryPressure | Limit::IoPressure => "%",
        };
        let (seen, bound) = (self.seen, self.bound);
        match self.expected {
            Some(expected) if !self.is_passed() => {
                write!(
                    f,
                    "{name} {seen}{unit}, {expected}{unit} expected, of {bound}{unit}"
                )
            }
            _ => write!(f, "{name} {seen}{unit} of {bound}{unit}"),
        }
    }
}
