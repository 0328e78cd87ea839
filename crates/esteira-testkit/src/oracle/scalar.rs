//! Single values: the text of a timestamp, a decimal or an integer in, its canonical form out.
//!
//! Decimals are rounded digit by digit on their text, timestamps rest on `chrono` behind a check
//! of their form; neither passes through a float.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};

/// Microseconds UTC of an RFC 3339 `date-time` (section 5.6), further digits cut off; none for any
/// other text, for a day or a time that does not exist and for a leap second.
pub(super) fn instant(text: &str) -> Option<i64> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let bytes = text.as_bytes();
    if bytes.len() < FORM.len()
        || !bytes
            .iter()
            .zip(FORM)
            .all(|(byte, form)| fits(*byte, *form))
    {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().ok();
    let year = text[..4].parse::<i32>().ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
    let time = NaiveTime::from_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;

    let mut rest = &text[FORM.len()..];
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        micros = format!("{:0<6}", &fraction[..digits])[..6]
            .parse::<i64>()
            .ok()?;
        rest = &fraction[digits..];
    }
    let local = date.and_time(time).and_utc().timestamp_micros() + micros;
    Some(local - offset_seconds(rest)? * 1_000_000)
}

/// An instant in canonical form: `2024-01-31T09:05:00.000000Z`. Years of more than four digits and
/// before 0 carry a sign.
pub fn instant_text(micros: i64) -> String {
    let instant = DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::microseconds(micros));
    instant.map_or_else(
        || format!("{micros} µs"),
        |instant| instant.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
    )
}

/// A JSON number as DECIMAL(18,2), rounded half-even, in canonical form; none when it does not fit.
pub(super) fn money(number: &str) -> Option<String> {
    const SCALE: i64 = 2;
    let (negative, unsigned) = match number.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, number),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let digits = digits.trim_matches('0');
    if digits.is_empty() {
        return Some("0.00".to_owned());
    }
    // The value is 0.DIGITS × 10^point.
    let point = saturated(exponent)
        .saturating_add(i64::try_from(whole.len()).ok()?)
        .saturating_sub(i64::try_from(leading).ok()?);
    if point > 16 {
        return None;
    }
    if point < -SCALE {
        return Some("0.00".to_owned());
    }
    let kept = usize::try_from(point + SCALE).ok()?;
    let padded = format!("{digits:0<kept$}");
    let (cents, dropped) = padded.split_at(kept);
    let mut cents = format!("0{cents}").parse::<i128>().ok()?;
    // Without its trailing zeros the dropped part is a half exactly when it is the digit 5.
    cents += match dropped {
        "5" => cents % 2,
        more if more >= "5" => 1,
        _ => 0,
    };
    if cents > 999_999_999_999_999_999 {
        return None;
    }
    let sign = if negative && cents != 0 { "-" } else { "" };
    Some(format!("{sign}{}.{:02}", cents / 100, cents % 100))
}

/// A JSON number written without fraction and exponent that fits 64 bits.
pub(super) fn integer(number: &str) -> Option<i64> {
    number.parse().ok()
}

fn fits(byte: u8, form: u8) -> bool {
    match form {
        b'd' => byte.is_ascii_digit(),
        b'T' => byte == b'T' || byte == b't',
        literal => byte == literal,
    }
}

fn offset_seconds(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes == b"Z" || bytes == b"z" {
        return Some(0);
    }
    let sign = match bytes.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if bytes.len() != 6
        || !bytes[1..]
            .iter()
            .zip(b"dd:dd")
            .all(|(byte, form)| fits(*byte, *form))
    {
        return None;
    }
    let (hours, minutes) = (
        text[1..3].parse::<i64>().ok()?,
        text[4..].parse::<i64>().ok()?,
    );
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// An exponent of any length, cut to a range that no text in memory can make up for.
fn saturated(exponent: &str) -> i64 {
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, exponent.trim_start_matches('+')),
    };
    sign * digits.parse::<i64>().unwrap_or(i64::MAX).min(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::{instant, instant_text, integer, money};

    #[test]
    fn instant_valid_text_is_utc_cut_to_micros() {
        for (text, expected) in [
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"),
            ("2024-01-01t00:30:00.5z", "2024-01-01T00:30:00.500000Z"),
            (
                "2023-12-31T21:30:00.1234569-03:00",
                "2024-01-01T00:30:00.123456Z",
            ),
            (
                "1969-12-31T23:59:59.9999999Z",
                "1969-12-31T23:59:59.999999Z",
            ),
            ("2024-01-01T00:00:00+23:59", "2023-12-31T00:01:00.000000Z"),
            ("2024-01-01T00:00:00-00:00", "2024-01-01T00:00:00.000000Z"),
            ("0000-02-29T00:00:00Z", "0000-02-29T00:00:00.000000Z"),
        ] {
            assert_eq!(
                instant(text).map(instant_text).as_deref(),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn instant_anything_else_is_none() {
        for text in [
            "",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01 00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-12-31T23:59:60Z",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+03:60",
            "2024-01-01T00:00:00+0300",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00,5Z",
            "2024-01-01T00:00Z",
            " 2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00Z ",
            "+2024-01-01T00:00:00Z",
            "2024-1-01T00:00:00Z",
            "２024-01-01T00:00:00Z",
            "2024-01-01T00:00:00é",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn money_rounds_half_even_whatever_the_writing() {
        for (number, expected) in [
            ("25", "25.00"),
            ("-0.0", "0.00"),
            ("0.005", "0.00"),
            ("0.015", "0.02"),
            ("0.0050000000000000000000000001", "0.01"),
            ("-2.675", "-2.68"),
            ("-2.665", "-2.66"),
            ("1e2", "100.00"),
            ("1E-2", "0.01"),
            ("5e-3", "0.00"),
            ("51e-4", "0.01"),
            ("1e-999999999999999999999", "0.00"),
            ("0e999999999999999999999", "0.00"),
            ("0.00000000000000000001e20", "1.00"),
            ("9999999999999999.99", "9999999999999999.99"),
            ("9999999999999999.985", "9999999999999999.98"),
            ("120.10", "120.10"),
            ("0.1", "0.10"),
            ("-0.001", "0.00"),
            ("100000000000000000000e-5", "1000000000000000.00"),
        ] {
            assert_eq!(money(number).as_deref(), Some(expected), "{number}");
        }
    }

    #[test]
    fn money_beyond_precision_is_none() {
        for number in [
            "1e16",
            "9999999999999999.995",
            "-10000000000000000",
            "1e999999999999999999",
        ] {
            assert_eq!(money(number), None, "{number}");
        }
    }

    #[test]
    fn integer_fraction_exponent_and_overflow_are_none() {
        assert_eq!(integer("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer("-0"), Some(0));
        for number in ["9223372036854775808", "1.0", "1e2", "1E2"] {
            assert_eq!(integer(number), None, "{number}");
        }
    }
}
