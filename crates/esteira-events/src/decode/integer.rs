//! Integers.
//!
//! Comes in: the text of a JSON number. Goes out: the integer, or nothing. Invariant: only what is
//! written as an integer is one; `1.0` and `1e2` are not.

use std::str::FromStr;

/// The integer that a JSON number (RFC 8259 §6) is written as, if it is and fits `T`.
pub(super) fn parse_integer<T: FromStr>(number: &str) -> Option<T> {
    // JSON has no leading `+` or zeros and the standard library no fraction or exponent, so what
    // both take is `-?digits`
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse_integer;

    #[test]
    fn integer_at_the_limits_of_its_bits_is_exact() {
        assert_eq!(parse_integer::<i64>("9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_integer::<i64>("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_integer::<i64>("9223372036854775808"), None);
        assert_eq!(parse_integer::<i64>("-9223372036854775809"), None);
        assert_eq!(parse_integer::<i32>("2147483647"), Some(i32::MAX));
        assert_eq!(parse_integer::<i32>("-2147483648"), Some(i32::MIN));
        assert_eq!(parse_integer::<i32>("2147483648"), None);
        assert_eq!(parse_integer::<i64>(&"9".repeat(10_000)), None);
    }

    #[test]
    fn integer_negative_zero_is_zero() {
        assert_eq!(parse_integer::<i64>("-0"), Some(0));
    }

    #[test]
    fn integer_written_with_fraction_or_exponent_is_none() {
        for number in ["1.0", "0.0", "1e2", "1E2", "10e-1", "-1.5"] {
            assert_eq!(parse_integer::<i64>(number), None, "{number}");
        }
    }
}
