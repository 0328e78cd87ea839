//! Numbers, times and texts as people read them.

use arrow::temporal_conversions::timestamp_us_to_datetime;

/// Bytes with a binary unit.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut whole = count;
    let mut rest = 0;
    while whole >= 1024 && unit + 1 < UNITS.len() {
        rest = whole % 1024;
        whole /= 1024;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} B")
    } else {
        format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit])
    }
}

/// Milliseconds in the largest unit that fits.
pub(crate) fn duration(milliseconds: i64) -> String {
    let ms = milliseconds.max(0);
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        3_600_000..86_400_000 => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
        _ => format!("{} d {} h", ms / 86_400_000, ms % 86_400_000 / 3_600_000),
    }
}

/// Numbers of batches, ascending, with what lies between taken together.
pub(crate) fn batches(numbers: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let ranges: Vec<String> = ranges
        .iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first} to {last}")
            }
        })
        .collect();
    let what = if numbers.len() == 1 {
        "batch"
    } else {
        "batches"
    };
    format!("{what} {}", ranges.join(", "))
}

/// An instant in UTC, RFC 3339.
pub(crate) fn instant(micros: i64) -> String {
    timestamp_us_to_datetime(micros).map_or_else(
        || micros.to_string(),
        |instant| instant.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
    )
}

/// Whether a character does something to a terminal instead of being shown: control characters, except
/// line ends, and those that turn the direction of what follows (Unicode Standard Annex #9, §2).
fn steers(c: char) -> bool {
    let turns = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    turns || (c.is_control() && c != '\n')
}

/// The text with every character escaped that steers a terminal.
pub(crate) fn safe(text: &str) -> String {
    if !text.chars().any(steers) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if steers(c) {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// The text on one line, with every control character escaped.
pub(crate) fn inline(text: &str) -> String {
    safe(text).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_in_a_row_are_told_together() {
        assert_eq!(batches(&[4]), "batch 4");
        assert_eq!(batches(&[1, 2, 3, 7, 9, 10]), "batches 1 to 3, 7, 9 to 10");
    }

    #[test]
    fn numbers_are_shown_in_the_unit_that_fits() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(500 * 1024 * 1024), "500.0 MiB");
        assert_eq!(duration(-5), "0 ms");
        assert_eq!(duration(1_250), "1.2 s");
        assert_eq!(duration(61_000), "1 min 1 s");
        assert_eq!(duration(90_000_000), "1 d 1 h");
        assert_eq!(
            instant(1_533_615_026_000_001),
            "2018-08-07T04:10:26.000001Z"
        );
    }

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(safe("a\x1b[31mb\u{9b}c\nd"), "a\\u{1b}[31mb\\u{9b}c\nd");
        assert_eq!(safe("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(inline("a\nb"), "a\\nb");
    }
}
