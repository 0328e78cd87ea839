//! Rows in the order of their key.
//!
//! Sorted rows give narrow bounds, and those let the next search skip files and pages.

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use arrow::error::ArrowError;

/// How many rows are put together at once: what is written of a large batch is copied in pieces.
const PIECE: usize = 16 * 1024;

/// The rows of `batch` by the columns `by`, in pieces.
pub(super) fn sort<'a>(
    batch: &'a RecordBatch,
    by: &[String],
) -> Result<impl Iterator<Item = Result<RecordBatch, ArrowError>> + 'a, ArrowError> {
    let columns: Vec<SortColumn> = by
        .iter()
        .filter_map(|name| batch.column_by_name(name))
        .map(|values| SortColumn {
            values: values.clone(),
            options: None,
        })
        .collect();
    let places = if columns.is_empty() {
        let rows = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX);
        UInt32Array::from_iter_values(0..rows)
    } else {
        lexsort_to_indices(&columns, None)?
    };
    Ok((0..places.len()).step_by(PIECE).map(move |first| {
        let length = PIECE.min(places.len() - first);
        take_record_batch(batch, &places.slice(first, length))
    }))
}
