//! Decimals as whole millionths, so that what was typed is what is kept and shown.

/// Digits after the point that are kept.
const PLACES: usize = 6;
const ONE: i64 = 1_000_000;

/// Reads a decimal ("0.5", "13.2", "-1", ".5", "2.") as millionths.
///
/// Digits beyond the sixth place round it, half away from zero. `None` where `text` is no decimal
/// or does not fit.
pub fn parse_decimal(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (kept, beyond) = fraction.split_at(fraction.len().min(PLACES));
    let mut millionths = if whole.is_empty() {
        0
    } else {
        whole.parse::<i64>().ok()?
    };
    for digit in kept.bytes().chain(std::iter::repeat(b'0')).take(PLACES) {
        millionths = millionths
            .checked_mul(10)?
            .checked_add(i64::from(digit - b'0'))?;
    }
    if beyond.bytes().next().is_some_and(|digit| digit >= b'5') {
        millionths = millionths.checked_add(1)?;
    }
    Some(if negative { -millionths } else { millionths })
}

/// Shows millionths as the shortest decimal ("13.2", "-1").
pub fn format_decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let magnitude = millionths.unsigned_abs();
    let (whole, fraction) = (
        magnitude / ONE.unsigned_abs(),
        magnitude % ONE.unsigned_abs(),
    );
    let text = format!("{sign}{whole}.{fraction:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        for (text, millionths) in [
            ("0.5", 500_000),
            ("13.2", 13_200_000),
            ("-1", -1_000_000),
            ("+2", 2_000_000),
            (".5", 500_000),
            ("2.", 2_000_000),
            ("007", 7_000_000),
            ("0.000001", 1),
            ("0.30000000000000004", 300_000),
            ("0.9999995", 1_000_000),
            ("9223372036854.775807", i64::MAX),
        ] {
            assert_eq!(parse_decimal(text), Some(millionths), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in [
            "", ".", "-", "+-1", "1e3", "0x1", "1,5", "1.2.3", " 1", "inf", "nan", "½",
        ] {
            assert_eq!(parse_decimal(text), None, "{text}");
        }
        assert_eq!(parse_decimal("9223372036854.775808"), None);
        assert_eq!(parse_decimal("99999999999999999999"), None);
    }

    #[test]
    fn decimals_are_shown_as_short_as_can_be() {
        for (millionths, text) in [
            (0, "0"),
            (1, "0.000001"),
            (500_000, "0.5"),
            (13_200_000, "13.2"),
            (100_000_000, "100"),
            (-1_000_000, "-1"),
            (-500_000, "-0.5"),
            (i64::MIN, "-9223372036854.775808"),
        ] {
            assert_eq!(format_decimal(millionths), text);
        }
    }
}
