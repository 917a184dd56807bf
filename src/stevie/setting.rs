//! Settings as people write them.

use std::ffi::OsStr;

use crate::cli::{format_decimal, parse_decimal};
use crate::ioctl::{Setting, Unit};

const MILLION: i64 = 1_000_000;
/// Most MiB that are taken: as many as the service's own options take.
const MAX_MEBIBYTES: i64 = u32::MAX as i64;

/// Reads the new value of a setting as it goes to the service.
///
/// # Errors
///
/// What would be accepted. What depends on the other settings (`min-jobs`) is the service's to say.
pub(super) fn parse(setting: Setting, value: &OsStr) -> Result<i64, &'static str> {
    let (least, most, expected) = range(setting);
    let number = value.to_str().and_then(|text| match setting.unit() {
        Unit::Integer => text.parse().ok(),
        Unit::Millionths => parse_decimal(text),
    });
    let number = number
        .filter(|number| (least..=most).contains(number))
        .ok_or(expected)?;
    Ok(if least == i64::MIN && number <= 0 {
        -1
    } else {
        number
    })
}

/// Shows the value that the service gave: "-1" is none.
pub(super) fn show(setting: Setting, value: i64) -> String {
    match setting.unit() {
        Unit::Millionths if value >= 0 => format_decimal(value),
        Unit::Integer if value >= 0 => value.to_string(),
        Unit::Integer | Unit::Millionths => "-1".to_string(),
    }
}

/// The values that a setting takes, and how that is said. Where there is no least, 0 or less is no
/// limit.
fn range(setting: Setting) -> (i64, i64, &'static str) {
    match setting {
        Setting::Jobs => (1, 4096, "a whole number from 1 to 4096"),
        Setting::MinJobs => (
            0,
            4096,
            "a whole number from 0 to 4096, at most the number of jobs",
        ),
        Setting::PerProcessLimit => (0, 4096, "a whole number from 0 to 4096, 0 for no limit"),
        Setting::LoadAverage => (i64::MIN, i64::MAX, "a decimal, 0 for no limit"),
        Setting::LoadRecheckTimeout => (1, i64::MAX, "a number of seconds above 0"),
        Setting::MinMemoryAvail => (
            i64::MIN,
            MAX_MEBIBYTES,
            "a whole number of MiB, 0 for no limit",
        ),
        Setting::JobMemory => (0, MAX_MEBIBYTES, "a whole number of MiB"),
        Setting::MaxCpuPressure | Setting::MaxMemoryPressure | Setting::MaxIoPressure => (
            i64::MIN,
            100 * MILLION,
            "a percentage up to 100, 0 for no limit",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_in_the_unit_of_its_setting() {
        for (setting, text, value) in [
            (Setting::Jobs, "6", 6),
            (Setting::MinJobs, "0", 0),
            (Setting::LoadAverage, "13.2", 13_200_000),
            (Setting::LoadAverage, "0", -1),
            (Setting::LoadAverage, "-3.5", -1),
            (Setting::LoadRecheckTimeout, "0.1", 100_000),
            (Setting::MinMemoryAvail, "2048", 2048),
            (Setting::MinMemoryAvail, "-1", -1),
            (Setting::JobMemory, "0", 0),
            (Setting::MaxIoPressure, "99.5", 99_500_000),
            (Setting::MaxIoPressure, "0", -1),
        ] {
            assert_eq!(
                parse(setting, OsStr::new(text)),
                Ok(value),
                "{setting:?} {text}"
            );
        }
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_the_range() {
        for (setting, text) in [
            (Setting::Jobs, "0"),
            (Setting::Jobs, "4097"),
            (Setting::Jobs, "1.5"),
            (Setting::MinJobs, "-1"),
            (Setting::PerProcessLimit, "x"),
            (Setting::LoadAverage, "much"),
            (Setting::LoadRecheckTimeout, "0"),
            (Setting::MinMemoryAvail, "1.5"),
            (Setting::JobMemory, "-1"),
            (Setting::MaxCpuPressure, "100.1"),
        ] {
            assert_eq!(
                parse(setting, OsStr::new(text)),
                Err(range(setting).2),
                "{text}"
            );
        }
    }

    #[test]
    fn a_value_is_shown_as_short_as_can_be() {
        assert_eq!(show(Setting::Jobs, 12), "12");
        assert_eq!(show(Setting::LoadAverage, 13_200_000), "13.2");
        assert_eq!(show(Setting::LoadAverage, -1), "-1");
        assert_eq!(show(Setting::MinMemoryAvail, i64::MIN), "-1");
    }
}
