//! Instants.
//!
//! Comes in: the text of a JSON string. Goes out: microseconds since 1970-01-01T00:00:00Z.
//! Invariant: an instant is never guessed; what RFC 3339 §5.6 `date-time` does not allow is
//! nothing, and neither is a leap second, which no Unix time can hold.

use super::date::{parse_date, two_digits};

/// The length of `YYYY-MM-DDThh:mm:ss`.
const SECONDS_END: usize = 19;
/// Digits of a fraction that are kept.
const MICRO_DIGITS: usize = 6;

/// Microseconds UTC of an RFC 3339 §5.6 `date-time` (`2018-08-28T21:41:36.000Z`), years 0000 to
/// 9999 as written; digits of the fraction beyond microseconds are cut off, not rounded.
pub(super) fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let (local, rest) = text.split_at_checked(SECONDS_END)?;
    let (date, time) = local.split_at_checked(10)?;
    let days = i64::from(parse_date(date)?);
    let [b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2] = time else {
        return None;
    };
    let hour = in_range(two_digits(*h1, *h2)?, 23)?;
    let minute = in_range(two_digits(*m1, *m2)?, 59)?;
    let second = in_range(two_digits(*s1, *s2)?, 59)?;
    let (micros, offset) = fraction(rest)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds(offset)?;
    Some(seconds * 1_000_000 + micros)
}

/// The microseconds of an optional `.digits`, and what is behind it.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else {
        return Some((0, rest));
    };
    let length = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if length == 0 {
        return None;
    }
    let padding = std::iter::repeat(&b'0');
    let micros = digits[..length]
        .iter()
        .chain(padding)
        .take(MICRO_DIGITS)
        .fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    Some((micros, &digits[length..]))
}

/// Seconds east of UTC: `Z`, `z`, `+hh:mm` or `-hh:mm`.
fn offset_seconds(offset: &[u8]) -> Option<i64> {
    match offset {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let hours = in_range(two_digits(*h1, *h2)?, 23)?;
            let minutes = in_range(two_digits(*m1, *m2)?, 59)?;
            let seconds = hours * 3_600 + minutes * 60;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn in_range(number: i32, most: i32) -> Option<i64> {
    (number <= most).then(|| i64::from(number))
}

#[cfg(test)]
mod tests {
    use super::parse_timestamp;
    use proptest::prelude::*;

    fn micros(text: &str) -> Option<i64> {
        parse_timestamp(text.as_bytes())
    }

    #[test]
    fn timestamp_of_known_instants_is_exact() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("1969-12-31T23:59:59.9999999Z", -1),
            ("2018-08-28T21:41:36.000Z", 1_535_492_496_000_000),
            ("2018-08-28t18:41:36-03:00", 1_535_492_496_000_000),
            ("2018-08-28T21:41:36-00:00", 1_535_492_496_000_000),
            ("2018-08-29T21:40:36+23:59", 1_535_492_496_000_000),
            ("1985-04-12T23:20:50.52Z", 482_196_050_520_000),
            ("1996-12-19T16:39:57-08:00", 851_042_397_000_000),
            ("2000-02-29T00:00:00z", 951_782_400_000_000),
            (
                "0000-01-01T00:00:00+23:59",
                -62_167_219_200_000_000 - 86_340_000_000,
            ),
            (
                "9999-12-31T23:59:59.999999-23:59",
                253_402_300_799_999_999 + 86_340_000_000,
            ),
        ] {
            assert_eq!(micros(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn timestamp_fraction_beyond_micros_is_cut_not_rounded() {
        assert_eq!(micros("1970-01-01T00:00:00.0000009999Z"), Some(0));
        assert_eq!(micros("1970-01-01T00:00:00.1234569Z"), Some(123_456));
        let long = format!("1970-01-01T00:00:00.{}Z", "9".repeat(10_000));
        assert_eq!(micros(&long), Some(999_999));
        assert_eq!(micros("1970-01-01T00:00:00.5Z"), Some(500_000));
    }

    #[test]
    fn timestamp_in_any_other_form_is_none() {
        for text in [
            "",
            "Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T23:60:00Z",
            "2016-12-31T23:59:60Z",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00,5Z",
            "2024-01-01T00:00:00+0300",
            "2024-01-01T00:00:00+03",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+03:60",
            "2024-01-01T00:00:00 Z",
            " 2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00Z ",
            "2024-01-01T00:00:00ZZ",
            "2024-01-01T00:00:00Z\0",
            "+2024-01-01T00:00:00Z",
            "12024-01-01T00:00:00Z",
            "2024-1-01T00:00:00Z",
            "20240101T000000Z",
            "1704067200",
            "2024-01-01T0a:00:00Z",
            "2024-01-01T00:00:00.1 Z",
            "2024-01-01T00:00:00−03:00",
            "2024-W01-1T00:00:00Z",
            "2024-001T00:00:00Z",
            "２024-01-01T00:00:00Z",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }

    /// An instant by counting days one at a time through the calendar.
    fn walk(year: i32, day_of_year: i64, second_of_day: i64) -> (String, i64) {
        let leap = |y: i32| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        let before: i64 = (0..year).map(|y| 365 + i64::from(leap(y))).sum();
        let epoch: i64 = (0..1970).map(|y| 365 + i64::from(leap(y))).sum();
        let lengths = [
            31,
            28 + i64::from(leap(year)),
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        let (mut month, mut day) = (1, day_of_year + 1);
        for length in lengths {
            if day <= length {
                break;
            }
            day -= length;
            month += 1;
        }
        let (h, m, s) = (
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60,
        );
        let text = format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}");
        (
            text,
            (before + day_of_year - epoch) * 86_400 + second_of_day,
        )
    }

    proptest! {
        #[test]
        fn timestamp_equals_the_count_of_days(
            year in 0i32..=9999, day in 0i64..365, second in 0i64..86_400,
            fraction in "[0-9]{1,9}", offset in -1439i64..=1439,
        ) {
            let (text, seconds) = walk(year, day, second);
            let sign = if offset < 0 { '-' } else { '+' };
            let away = offset.abs();
            let text = format!("{text}.{fraction}{sign}{:02}:{:02}", away / 60, away % 60);
            let kept: i64 = format!("{fraction:0<6}")[..6].parse().unwrap();
            prop_assert_eq!(micros(&text), Some((seconds - offset * 60) * 1_000_000 + kept));
        }

        #[test]
        fn timestamp_with_one_byte_changed_never_panics(
            at in 0usize..24, byte in any::<u8>(),
        ) {
            let mut text = *b"2018-08-28T21:41:36.000Z";
            text[at] = byte;
            let parsed = parse_timestamp(&text);
            prop_assert!(parsed.is_none_or(|micros| micros.abs() < 300_000_000_000_000_000));
        }
    }
}
