//! Why a client gets no token, with what the limit was held against.

use std::fmt;

use super::{Client, Limit, Refusal, Snapshot};
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

/// What was seen, and what it was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What was seen.
    pub seen: Number,
    /// What is expected once the jobs that run, and one more, have made themselves felt; `None`
    /// where that is not looked at.
    pub expected: Option<Number>,
    /// What the limit is set to.
    pub bound: Number,
}

/// A refusal with its figure, which is missing where no limit is to blame, or nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Why.
    pub refusal: Refusal,
    /// What was held against what.
    pub figure: Option<Figure>,
}

impl Snapshot {
    /// Why the client that was refused is refused; `None` where it is not.
    pub fn reason_of(&self, client: &Client) -> Option<Reason> {
        let refusal = client.refusal?;
        let tokens = |held: usize, limit: i64| Figure {
            seen: Number::Integer(held.try_into().unwrap_or(i64::MAX)),
            expected: None,
            bound: Number::Integer(limit),
        };
        let figure = match refusal {
            Refusal::NoneLeft => None,
            Refusal::PerProcessLimit => Some(tokens(
                client.in_use(),
                self.effective(Setting::PerProcessLimit),
            )),
            Refusal::BuildLimit => {
                let build = self.builds.get(usize::from(client.build));
                build.and_then(|build| Some(tokens(build.tokens.into(), build.limit?.into())))
            }
            Refusal::Limit(limit) => self.figure(limit),
        };
        Some(Reason { refusal, figure })
    }

    /// The limits on the whole pool that say stop.
    pub fn reasons(&self) -> impl Iterator<Item = Reason> {
        self.stops.iter().map(|&limit| Reason {
            refusal: Refusal::Limit(limit),
            figure: self.figure(limit),
        })
    }

    /// What `limit` is held against: `None` where it is not set or nothing was read.
    pub fn figure(&self, limit: Limit) -> Option<Figure> {
        let readings = &self.readings;
        let (setting, seen, expected) = match limit {
            Limit::Load => (Setting::LoadAverage, readings.load, readings.load_expected),
            Limit::Memory => (
                Setting::MinMemoryAvail,
                readings.memory,
                readings.memory_expected,
            ),
            Limit::CpuPressure => (Setting::MaxCpuPressure, readings.pressure[0], None),
            Limit::MemoryPressure => (Setting::MaxMemoryPressure, readings.pressure[1], None),
            Limit::IoPressure => (Setting::MaxIoPressure, readings.pressure[2], None),
        };
        let number = |number| match setting.unit() {
            Unit::Integer => Number::Integer(number),
            Unit::Millionths => Number::Millionths(number),
        };
        let bound = self.effective(setting);
        Some(Figure {
            seen: number(seen?),
            expected: expected.map(number),
            bound: number((bound >= 0).then_some(bound)?),
        })
    }
}

impl Figure {
    /// Whether what was seen passes the limit by itself, where something else is expected as well:
    /// integers are memory, which has a floor; the load has a cap.
    fn is_passed(&self) -> bool {
        match (self.seen, self.bound) {
            (Number::Integer(seen), Number::Integer(floor)) => seen < floor,
            (Number::Millionths(seen), Number::Millionths(most)) => seen > most,
            _ => false,
        }
    }
}

impl Refusal {
    /// The reason in words and the unit of its figures.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Refusal::NoneLeft => ("no tokens left", ""),
            Refusal::PerProcessLimit => ("per-process limit", ""),
            Refusal::BuildLimit => ("build limit", ""),
            Refusal::Limit(Limit::Load) => ("load average", ""),
            Refusal::Limit(Limit::Memory) => ("memory", " MiB"),
            Refusal::Limit(Limit::CpuPressure) => ("cpu pressure", "%"),
            Refusal::Limit(Limit::MemoryPressure) => ("memory pressure", "%"),
            Refusal::Limit(Limit::IoPressure) => ("io pressure", "%"),
        }
    }
}

/// `load average 13.2 of 12`; and where only what is expected passes the limit,
/// `load average 3.1, 12.9 expected, of 12`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, unit) = self.refusal.words();
        f.write_str(words)?;
        let Some(figure) = self.figure else {
            return Ok(());
        };
        let Figure {
            seen,
            expected,
            bound,
        } = figure;
        match expected {
            Some(expected) if !figure.is_passed() => {
                write!(
                    f,
                    " {seen}{unit}, {expected}{unit} expected, of {bound}{unit}"
                )
            }
            _ => write!(f, " {seen}{unit} of {bound}{unit}"),
        }
    }
}
