//! Exact decimals.
//!
//! Comes in: the text of a JSON number. Goes out: the unscaled value of a decimal, rounded
//! half-even at the scale, or nothing when it does not fit the precision. Invariant: no float is
//! involved and no digit is ignored, however many there are and however large the exponent.

/// Digits that any `i128` can hold, and the largest precision there is.
const MOST_DIGITS: i64 = 38;

/// The unscaled value of a JSON number (RFC 8259 §6) as `DECIMAL(precision, scale)`.
///
/// Nothing when the rounded value has more than `precision` digits. The text must be a JSON number.
pub(super) fn parse_decimal(number: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, unsigned) = match number {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, number),
    };
    let parts = Parts::of(unsigned);
    if parts.significant() == 0 {
        return Some(0);
    }
    // the number is 0.DDD × 10^magnitude, D its significant digits: so many are before the point
    // of the unscaled value, and the one behind them decides the rounding
    let kept = parts.magnitude().saturating_add(i64::from(scale));
    if kept > MOST_DIGITS {
        return None;
    }
    let Ok(kept) = usize::try_from(kept) else {
        return Some(0);
    };
    let unscaled = parts.rounded(kept);
    if unscaled >= 10_i128.pow(u32::from(precision)) {
        return None;
    }
    Some(if negative { -unscaled } else { unscaled })
}

/// How many digits a JSON number has before and behind the point when it is written without exponent;
/// of zero, none before it.
pub(super) fn digits(number: &[u8]) -> (i64, i64) {
    let parts = Parts::of(number.strip_prefix(b"-").unwrap_or(number));
    let written = i64::try_from(parts.fraction.len()).unwrap_or(i64::MAX);
    let behind = written.saturating_sub(parts.exponent).max(0);
    if parts.significant() == 0 {
        return (0, behind);
    }
    (parts.magnitude().max(0), behind)
}

/// A number without its sign, cut at the point and the exponent.
struct Parts<'a> {
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
    /// Zeros before the first significant digit, those behind the point included.
    leading_zeros: usize,
}

impl<'a> Parts<'a> {
    fn of(unsigned: &'a [u8]) -> Self {
        let mantissa_end = unsigned
            .iter()
            .position(|byte| matches!(byte, b'e' | b'E'))
            .unwrap_or(unsigned.len());
        let (mantissa, exponent) = unsigned.split_at(mantissa_end);
        let whole_end = mantissa
            .iter()
            .position(|byte| *byte == b'.')
            .unwrap_or(mantissa.len());
        let (whole, fraction) = mantissa.split_at(whole_end);
        let fraction = fraction.get(1..).unwrap_or_default();
        let leading_zeros = whole
            .iter()
            .chain(fraction)
            .take_while(|digit| **digit == b'0')
            .count();
        Self {
            whole,
            fraction,
            exponent: parse_exponent(exponent),
            leading_zeros,
        }
    }

    fn significant(&self) -> usize {
        self.whole.len() + self.fraction.len() - self.leading_zeros
    }

    /// The power of ten above the first significant digit.
    fn magnitude(&self) -> i64 {
        let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        (length(self.whole.len()) - length(self.leading_zeros)).saturating_add(self.exponent)
    }

    /// The first `kept` significant digits (zeros where there are no more), at most 38, as a
    /// number, rounded half-even by all that follow.
    fn rounded(&self, kept: usize) -> i128 {
        let mut digits = self
            .whole
            .iter()
            .chain(self.fraction)
            .skip(self.leading_zeros);
        let value = digits.by_ref().take(kept).fold(0, |value: i128, digit| {
            value * 10 + i128::from(digit - b'0')
        });
        if let Some(missing) = kept.checked_sub(self.significant()) {
            return value * 10_i128.pow(u32::try_from(missing).unwrap_or(u32::MAX));
        }
        let half = digits
            .next()
            .map_or(std::cmp::Ordering::Less, |digit| digit.cmp(&b'5'));
        let up = match half {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => value % 2 == 1 || digits.any(|digit| *digit != b'0'),
        };
        value + i128::from(up)
    }
}

/// The number behind `e`, as far as 64 bits go: beyond them any number is 0 or fits no precision.
fn parse_exponent(exponent: &[u8]) -> i64 {
    let digits = exponent.iter().filter(|byte| byte.is_ascii_digit());
    let size = digits.fold(0_i64, |size, digit| {
        size.saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    if exponent.get(1) == Some(&b'-') {
        -size
    } else {
        size
    }
}

#[cfg(test)]
mod tests;
