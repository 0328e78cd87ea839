//! Which pages of a file may hold one of some texts: pure, out of what the file says of itself.
//!
//! First the bounds of the whole file (Delta protocol, *Per-file Statistics*; texts may be cut off
//! there, which only widens the range), then the Bloom filter, then the bounds of the pages (Apache
//! Parquet, *Bloom Filter*, *Page Index*).

use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use serde_json::Value;

use crate::files::{Footer, Rows};

/// Some texts in byte order, each once.
pub(super) type Texts<'a> = [&'a [u8]];

/// Those of the texts that a file with these statistics may hold in `column`.
pub(super) fn within_bounds<'a, 'b>(
    statistics: Option<&str>,
    column: &str,
    texts: &'b Texts<'a>,
) -> &'b Texts<'a> {
    let statistics: Option<Value> =
        statistics.and_then(|statistics| serde_json::from_str(statistics).ok());
    let bound = |name: &str| {
        statistics
            .as_ref()
            .and_then(|statistics| statistics.get(name)?.get(column)?.as_str())
            .map(str::as_bytes)
    };
    let first = bound("minValues").map_or(0, |low| texts.partition_point(|text| *text < low));
    let last = bound("maxValues").map_or(texts.len(), |high| {
        texts.partition_point(|text| *text <= high)
    });
    texts.get(first..last).unwrap_or_default()
}

/// The rows of the file where one of `texts` may be in `column`; none when it holds none of them.
pub(super) fn candidates(footer: &Footer, column: &str, texts: &Texts<'_>) -> Option<Rows> {
    let Some(leaf) = footer.leaf(column) else {
        return Some(Rows::All);
    };
    let mut groups = Vec::new();
    let mut selectors = Vec::new();
    for (number, group) in footer.metadata().row_groups().iter().enumerate() {
        let left: Vec<&[u8]> = match footer.bloom(number) {
            Some(bloom) => texts.iter().copied().filter(|t| bloom.check(*t)).collect(),
            None => texts.to_vec(),
        };
        if left.is_empty() {
            continue;
        }
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        let pages = pages(footer, number, leaf, rows, &left);
        if pages.iter().all(|page| page.skip) {
            continue;
        }
        groups.push(number);
        selectors.extend(pages);
    }
    (!groups.is_empty()).then(|| Rows::Some {
        groups,
        selection: RowSelection::from(selectors),
    })
}

/// One selector a page of the column; the whole group where the file has no page index.
fn pages(
    footer: &Footer,
    group: usize,
    leaf: usize,
    rows: usize,
    texts: &Texts<'_>,
) -> Vec<RowSelector> {
    let whole = vec![RowSelector::select(rows)];
    let metadata = footer.metadata();
    let (Some(bounds), Some(offsets)) = (metadata.column_index(), metadata.offset_index()) else {
        return whole;
    };
    let ColumnIndexMetaData::BYTE_ARRAY(bounds) = &bounds[group][leaf] else {
        return whole;
    };
    let locations = offsets[group][leaf].page_locations();
    let firsts: Option<Vec<usize>> = locations
        .iter()
        .map(|page| usize::try_from(page.first_row_index).ok())
        .chain([Some(rows)])
        .collect();
    let Some(firsts) = firsts else {
        return whole;
    };
    firsts
        .windows(2)
        .enumerate()
        .map(|(page, ends)| {
            let length = ends[1].saturating_sub(ends[0]);
            let may_hold = !bounds.is_null_page(page)
                && match (bounds.min_value(page), bounds.max_value(page)) {
                    (Some(low), Some(high)) => {
                        let first = texts.partition_point(|text| *text < low);
                        texts.get(first).is_some_and(|text| *text <= high)
                    }
                    _ => true,
                };
            if may_hold {
                RowSelector::select(length)
            } else {
                RowSelector::skip(length)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_leave_only_what_is_between_them() {
        let texts: Vec<&[u8]> = vec![b"a", b"c", b"e", b"g"];
        let within = |statistics: &str| within_bounds(Some(statistics), "id", &texts).to_vec();
        assert_eq!(
            within(r#"{"minValues":{"id":"b"},"maxValues":{"id":"e"}}"#),
            [b"c", b"e"]
        );
        assert_eq!(within(r#"{"minValues":{"id":"c"}}"#), texts[1..]);
        assert!(within(r#"{"minValues":{"id":"h"},"maxValues":{"id":"z"}}"#).is_empty());
        assert!(within(r#"{"minValues":{"id":"d"},"maxValues":{"id":"d"}}"#).is_empty());
        assert_eq!(within(r#"{"minValues":{"other":"z"}}"#), texts);
        assert_eq!(within("not JSON"), texts);
        assert_eq!(within_bounds(None, "id", &texts), texts);
    }
}
