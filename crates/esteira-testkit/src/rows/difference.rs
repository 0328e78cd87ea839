//! Two sets of canonical rows compared as multisets.

use std::cmp::Ordering;
use std::fmt::Write;

use crate::oracle::Row;

/// How many rows of each kind are shown.
const SHOWN: usize = 5;

/// The canonical order of rows.
pub(crate) fn sort_rows(rows: &mut [Row]) {
    rows.sort_by_cached_key(order);
}

/// What separates `actual` from `expected`, in a few lines; none when they hold the same rows, in
/// whatever order. A missing row is shown beside the unexpected one that is most like it.
pub fn diff(expected: &[Row], actual: &[Row]) -> Option<String> {
    let (missing, mut unexpected) = only_in_one(expected, actual);
    if missing.is_empty() && unexpected.is_empty() {
        return None;
    }
    let mut text = format!(
        "{} rows expected, {} found: {} missing, {} unexpected",
        expected.len(),
        actual.len(),
        missing.len(),
        unexpected.len()
    );
    for row in missing.iter().take(SHOWN) {
        match most_alike(row, &unexpected) {
            Some(at) => {
                let other = unexpected.remove(at);
                line(&mut text, "differs", &label(row));
                for (column, expected, actual) in differing(row, other) {
                    line(
                        &mut text,
                        "    ",
                        &format!("`{column}`: expected {expected}, found {actual}"),
                    );
                }
            }
            None => line(&mut text, "missing", &shown(row)),
        }
    }
    for row in unexpected.iter().take(SHOWN) {
        line(&mut text, "unexpected", &shown(row));
    }
    Some(text)
}

fn only_in_one<'a>(expected: &'a [Row], actual: &'a [Row]) -> (Vec<&'a Row>, Vec<&'a Row>) {
    let keyed = |rows: &'a [Row]| {
        let mut rows: Vec<(String, &Row)> = rows.iter().map(|row| (order(row), row)).collect();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows
    };
    let (expected, actual) = (keyed(expected), keyed(actual));
    let (mut missing, mut unexpected) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (expected.iter().peekable(), actual.iter().peekable());
    loop {
        let ordering = match (left.peek(), right.peek()) {
            (None, None) => return (missing, unexpected),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.0.cmp(&other.0),
        };
        if ordering.is_le() {
            let row = left.next().map(|(_, row)| *row);
            missing.extend(row.filter(|_| ordering.is_lt()));
        }
        if ordering.is_ge() {
            let row = right.next().map(|(_, row)| *row);
            unexpected.extend(row.filter(|_| ordering.is_gt()));
        }
    }
}

/// A text that is the same for equal rows alone.
fn order(row: &Row) -> String {
    serde_json::to_string(row).unwrap_or_default()
}

/// The row of `others` that differs from `row` in the fewest columns, when at least half are equal.
fn most_alike(row: &Row, others: &[&Row]) -> Option<usize> {
    let differences = others.iter().map(|other| differing(row, other).len());
    let (at, fewest) = differences.enumerate().min_by_key(|(_, count)| *count)?;
    (fewest * 2 <= row.len()).then_some(at)
}

/// Columns whose values differ, with both values as JSON.
fn differing<'a>(expected: &'a Row, actual: &'a Row) -> Vec<(&'a str, String, String)> {
    let value = |row: &Row, column: &str| {
        row.get(column).map_or_else(
            || "no such column".to_owned(),
            |value| short(&value.to_string()),
        )
    };
    let mut columns: Vec<&str> = expected
        .keys()
        .chain(actual.keys())
        .map(String::as_str)
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
        .into_iter()
        .filter(|column| expected.get(*column) != actual.get(*column))
        .map(|column| (column, value(expected, column), value(actual, column)))
        .collect()
}

/// What names the row for a reader: its key columns.
fn label(row: &Row) -> String {
    let names = [
        "txt_detl_idt_pedi_pgto",
        "idt_venr",
        "_source_file",
        "_source_position",
        "source_file",
        "position",
    ];
    let parts: Vec<String> = names
        .iter()
        .filter_map(|name| Some(format!("{name}={}", row.get(*name)?)))
        .collect();
    if parts.is_empty() {
        shown(row)
    } else {
        short(&parts.join(" "))
    }
}

fn shown(row: &Row) -> String {
    short(&order(row))
}

fn short(text: &str) -> String {
    const LONGEST: usize = 600;
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], text.len()),
        None => text.to_owned(),
    }
}

fn line(text: &mut String, kind: &str, what: &str) {
    // Writing into a string cannot fail.
    let _ = write!(text, "\n  {kind} {what}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::diff;
    use crate::oracle::Row;

    fn row(id: &str, state: &str) -> Row {
        Row::from([
            ("txt_detl_idt_pedi_pgto".to_owned(), json!(id)),
            ("stat_pedi".to_owned(), json!(state)),
        ])
    }

    #[test]
    fn diff_same_rows_in_other_order_is_none() {
        let (one, other) = (row("1", "x"), row("2", "y"));
        assert_eq!(diff(&[one.clone(), other.clone()], &[other, one]), None);
    }

    #[test]
    fn diff_repeated_row_is_unexpected() {
        let text = diff(&[row("1", "x")], &[row("1", "x"), row("1", "x")]).unwrap();
        assert!(
            text.starts_with("1 rows expected, 2 found: 0 missing, 1 unexpected"),
            "{text}"
        );
    }

    #[test]
    fn diff_changed_column_is_named_with_both_values() {
        let text = diff(
            &[row("1", "x"), row("2", "x")],
            &[row("2", "y"), row("1", "x")],
        )
        .unwrap();
        assert!(
            text.contains(r#"`stat_pedi`: expected "x", found "y""#),
            "{text}"
        );
        assert!(text.contains(r#"txt_detl_idt_pedi_pgto="2""#), "{text}");
    }
}
