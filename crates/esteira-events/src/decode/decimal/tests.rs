//! Decimals against an oracle that does schoolbook arithmetic on digit strings.

use super::parse_decimal;
use proptest::prelude::*;

/// Shifts the point by text, cuts the text, and rounds by comparing strings.
fn oracle(number: &str, precision: u8, scale: u8) -> Option<i128> {
    let (sign, unsigned) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, number),
    };
    let lower = unsigned.to_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let exponent: i64 = exponent.parse().unwrap();
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let mut point = i64::try_from(whole.len()).unwrap() + exponent + i64::from(scale);
    let mut padded = digits;
    if point < 0 {
        padded = format!("{}{padded}", "0".repeat(usize::try_from(-point).unwrap()));
        point = 0;
    }
    let point = usize::try_from(point).unwrap();
    let padded = format!("{padded:0<point$}");
    let (kept, dropped) = padded.split_at(point);
    let kept = kept.trim_start_matches('0');
    let mut result: Vec<u8> = kept.bytes().map(|digit| digit - b'0').collect();
    let half = format!("5{}", "0".repeat(dropped.len().saturating_sub(1)));
    let odd = result.last().is_some_and(|digit| digit % 2 == 1);
    let up = !dropped.is_empty() && (*dropped > *half || (dropped == half && odd));
    if up {
        let mut at = result.len();
        loop {
            if at == 0 {
                result.insert(0, 1);
                break;
            }
            at -= 1;
            if result[at] < 9 {
                result[at] += 1;
                break;
            }
            result[at] = 0;
        }
    }
    if result.len() > usize::from(precision) {
        return None;
    }
    let text: String = result
        .iter()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    Some(
        sign * if text.is_empty() {
            0
        } else {
            text.parse::<i128>().unwrap()
        },
    )
}

#[track_caller]
fn check(number: &str, precision: u8, scale: u8, expected: Option<i128>) {
    assert_eq!(
        parse_decimal(number.as_bytes(), precision, scale),
        expected,
        "{number}"
    );
}

#[test]
fn decimal_of_usual_money_is_exact() {
    check("110.32", 18, 2, Some(11_032));
    check("0.0", 18, 2, Some(0));
    check("0", 18, 2, Some(0));
    check("-0", 18, 2, Some(0));
    check("-0.00", 18, 2, Some(0));
    check("-8.3", 18, 2, Some(-830));
    check("7", 18, 2, Some(700));
    check("0.1", 18, 2, Some(10));
    check("1.1e1", 18, 2, Some(1_100));
    check("110320E-3", 18, 2, Some(11_032));
}

#[test]
fn decimal_at_half_rounds_to_even_and_past_half_rounds_up() {
    check("0.005", 18, 2, Some(0));
    check("0.015", 18, 2, Some(2));
    check("0.025", 18, 2, Some(2));
    check("-0.015", 18, 2, Some(-2));
    check("2.675", 18, 2, Some(268));
    check("0.0050000000000000000000000000000000000001", 18, 2, Some(1));
    check(&format!("0.005{}1", "0".repeat(100_000)), 18, 2, Some(1));
    check(&format!("0.005{}", "0".repeat(100_000)), 18, 2, Some(0));
    check("0.0049999999999999999999999999", 18, 2, Some(0));
    check("0.5", 1, 0, Some(0));
    check("1.5", 1, 0, Some(2));
    check("0.05e-1", 18, 2, Some(0));
    check("0.00051e1", 18, 2, Some(1));
}

#[test]
fn decimal_rounded_out_of_its_precision_is_none() {
    check("9999999999999999.99", 18, 2, Some(999_999_999_999_999_999));
    check(
        "-9999999999999999.99",
        18,
        2,
        Some(-999_999_999_999_999_999),
    );
    check("9999999999999999.994", 18, 2, Some(999_999_999_999_999_999));
    check("9999999999999999.995", 18, 2, None);
    check("10000000000000000", 18, 2, None);
    let nines = "9".repeat(38);
    check(&nines, 38, 0, Some(10_i128.pow(38) - 1));
    check(&format!("{nines}.5"), 38, 0, None);
    check(&format!("0.{nines}"), 38, 38, Some(10_i128.pow(38) - 1));
    check(&format!("0.{nines}9"), 38, 38, None);
}

#[test]
fn decimal_with_any_exponent_is_decided_at_once() {
    check("1e999999999", 18, 2, None);
    check("-1e999999999", 18, 2, None);
    check("1e-999999999", 18, 2, Some(0));
    check("0e999999999", 18, 2, Some(0));
    check("0.000e99999999999999999999999", 18, 2, Some(0));
    check("1e99999999999999999999999", 18, 2, None);
    check("1e-99999999999999999999999", 18, 2, Some(0));
    check("1e+15", 18, 2, Some(10_i128.pow(17)));
    check("1e16", 18, 2, None);
    check(
        &format!("0.{}1e100001", "0".repeat(100_000)),
        18,
        2,
        Some(100),
    );
    check(
        &format!("1{}e-100000", "0".repeat(100_000)),
        18,
        2,
        Some(100),
    );
}

proptest! {
    #[test]
    fn decimal_equals_schoolbook_arithmetic(
        number in r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?",
        precision in 1u8..=38, cut in 0u8..=38,
    ) {
        let scale = cut.min(precision);
        prop_assert_eq!(
            parse_decimal(number.as_bytes(), precision, scale),
            oracle(&number, precision, scale)
        );
    }

    #[test]
    fn decimal_near_half_equals_schoolbook_arithmetic(
        number in r"-?[0-9]\.[0-9][0-9](5|50{0,40}|50{0,40}[01]|49{0,40}|[0-9]{0,3})",
    ) {
        prop_assert_eq!(parse_decimal(number.as_bytes(), 18, 2), oracle(&number, 18, 2));
    }
}
