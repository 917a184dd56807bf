//! Durations for people.

use std::fmt;
use std::time::Duration;

const NANOS: u128 = 1_000_000_000;
/// Digits that are shown.
const SIGNIFICANT: usize = 6;
/// Decimal places of a nanosecond.
const PLACES: usize = 9;

/// Shows a duration as seconds with six significant digits, as C's `%g` does but never with an
/// exponent: `0.0084036`, `1.5`, `108.735`.
#[derive(Clone, Copy, Debug)]
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        // Digits of the number of nanoseconds; those before the point are the ones past nine.
        let digits = nanos.checked_ilog10().map_or(1, |log| log as usize + 1);
        let dropped = digits.saturating_sub(SIGNIFICANT).min(PLACES);
        let unit = 10_u128.pow(dropped as u32);
        let rounded = (nanos + unit / 2) / unit * unit;
        let text = format!("{}.{:09}", rounded / NANOS, rounded % NANOS);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_six_significant_digits() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (8_403_600, "0.0084036"),
            (53_674_249, "0.0536742"),
            (163_137_499, "0.163137"),
            (163_137_500, "0.163138"),
            (999_999_600, "1"),
            (1_500_000_000, "1.5"),
            (9_999_994_999, "9.99999"),
            (9_999_995_000, "10"),
            (108_735_000_000, "108.735"),
            (123_456_700_000_000, "123457"),
            (12_345_678_900_000_000, "12345679"),
        ] {
            let shown = Seconds(Duration::from_nanos(nanos)).to_string();
            assert_eq!(shown, text, "{nanos}");
        }
        assert_eq!(Seconds(Duration::MAX).to_string(), "18446744073709551616");
    }
}
