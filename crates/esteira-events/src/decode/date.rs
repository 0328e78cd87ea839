//! Calendar dates.
//!
//! Comes in: the text `YYYY-MM-DD`. Goes out: days since 1970-01-01 in the proleptic Gregorian
//! calendar. Invariant: only dates that exist; a date is never guessed or normalised.

/// Days since 1970-01-01 of `YYYY-MM-DD` (RFC 3339 §5.6 `full-date`), years 0000 to 9999.
pub(super) fn parse_date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = two_digits(*y1, *y2)? * 100 + two_digits(*y3, *y4)?;
    let month = two_digits(*m1, *m2)?;
    let day = two_digits(*d1, *d2)?;
    if month == 0 || month > 12 || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    Some(days_since_epoch(year, month, day))
}

/// The number that two ASCII digits stand for.
pub(super) fn two_digits(tens: u8, ones: u8) -> Option<i32> {
    if tens.is_ascii_digit() && ones.is_ascii_digit() {
        Some(i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    } else {
        None
    }
}

fn days_in_month(year: i32, month: i32) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// Counts in years that begin in March, so that the leap day is the last of its year: then the
/// days before a month follow the line `(153 m + 2) / 5`.
fn days_since_epoch(year: i32, month: i32, day: i32) -> i32 {
    let (march_year, march_month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days =
        march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    // 719468 days lie between 0000-03-01 and 1970-01-01
    march_year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse_date;
    use proptest::prelude::*;

    /// Counts day by day from the epoch's year, knowing nothing of eras.
    fn slow_days(year: i32, month: usize, day: i32) -> i32 {
        let leap = |y: i32| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        let years: i32 = if year >= 1970 {
            (1970..year).map(|y| 365 + i32::from(leap(y))).sum()
        } else {
            -(year..1970).map(|y| 365 + i32::from(leap(y))).sum::<i32>()
        };
        let lengths = [
            31,
            28 + i32::from(leap(year)),
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
        years + lengths[..month - 1].iter().sum::<i32>() + day - 1
    }

    #[test]
    fn date_every_day_of_four_centuries_and_the_ends_equals_the_slow_count() {
        for year in (0..=4).chain(1800..=2200).chain(9996..=9999) {
            for month in 1..=12 {
                for day in 1..=31 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let next = if month == 12 {
                        slow_days(year + 1, 1, 1)
                    } else {
                        slow_days(year, month + 1, 1)
                    };
                    let days = slow_days(year, month, day);
                    let expected = (days < next).then_some(days);
                    assert_eq!(parse_date(text.as_bytes()), expected, "{text}");
                }
            }
        }
    }

    #[test]
    fn date_in_any_other_form_is_none() {
        for text in [
            "",
            "2024",
            "2024-1-01",
            "2024-01-1",
            "2024-01-01 ",
            " 2024-01-01",
            "2024/01/01",
            "20240101",
            "2024-00-10",
            "2024-13-10",
            "2024-01-00",
            "2024-01-32",
            "2023-02-29",
            "1900-02-29",
            "+024-01-01",
            "-024-01-01",
            "2024-01-0a",
            "12024-01-01",
            "2024-01-01T00:00:00Z",
            "２024-01-01",
        ] {
            assert_eq!(parse_date(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_date(b"2000-02-29"), Some(11_016));
    }

    proptest! {
        #[test]
        fn date_from_arbitrary_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..16)) {
            if let Some(days) = parse_date(&bytes) {
                prop_assert!((-719_528..=2_932_896).contains(&days));
            }
        }
    }
}
