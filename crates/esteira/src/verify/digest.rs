//! A digest of a table that does not depend on the order of its rows.
//!
//! Each row's bytes (the row format of the `arrow-row` crate, which tells null, empty and every value
//! apart) give a SHA-256; the first half of it is added up, modulo 2^128. The sums are kept for 256 parts
//! of the keys, so that a difference can be looked for in a part of the table.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use sha2::{Digest as _, Sha256};

pub(super) const PARTS: usize = 256;

/// The digest of one row, and the part its key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RowDigest {
    pub(super) row: u128,
    pub(super) part: u8,
}

/// The rows of a table, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableDigest {
    pub(super) rows: u64,
    pub(super) parts: [u128; PARTS],
}

impl Default for TableDigest {
    fn default() -> Self {
        Self {
            rows: 0,
            parts: [0; PARTS],
        }
    }
}

impl TableDigest {
    pub(super) fn add(&mut self, digest: RowDigest) {
        self.rows += 1;
        let part = &mut self.parts[usize::from(digest.part)];
        *part = part.wrapping_add(digest.row);
    }

    pub(super) fn total(&self) -> u128 {
        self.parts
            .iter()
            .fold(0, |sum, part| sum.wrapping_add(*part))
    }
}

/// The digests of the rows of a batch; without key columns the whole row is the key.
pub(super) fn of_rows(batch: &RecordBatch, key: &[usize]) -> Result<Vec<RowDigest>, ArrowError> {
    let keys: Vec<usize> = if key.is_empty() {
        (0..batch.num_columns()).collect()
    } else {
        key.to_vec()
    };
    let keys = digests(&batch.project(&keys)?)?;
    let rows = digests(batch)?;
    let pairs = rows.into_iter().zip(keys);
    Ok(pairs
        .map(|(row, key)| RowDigest {
            row,
            part: key.to_be_bytes()[0],
        })
        .collect())
}

/// A digest for each row.
pub(super) fn digests(batch: &RecordBatch) -> Result<Vec<u128>, ArrowError> {
    let columns: Vec<ArrayRef> = batch.columns().to_vec();
    let fields = columns
        .iter()
        .map(|column| SortField::new(column.data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    let rows = converter.convert_columns(&columns)?;
    Ok(rows
        .iter()
        .map(|row| {
            let digest = Sha256::digest(row.as_ref());
            let mut half = [0; 16];
            half.copy_from_slice(&digest[..16]);
            u128::from_be_bytes(half)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn batch(names: &[Option<&str>], numbers: &[i64]) -> RecordBatch {
        RecordBatch::try_from_iter([
            (
                "name",
                Arc::new(StringArray::from(names.to_vec())) as ArrayRef,
            ),
            ("n", Arc::new(Int64Array::from(numbers.to_vec()))),
        ])
        .unwrap()
    }

    fn digest(batch: &RecordBatch) -> TableDigest {
        let mut digest = TableDigest::default();
        for row in of_rows(batch, &[0]).unwrap() {
            digest.add(row);
        }
        digest
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        let rows = digest(&batch(&[Some("a"), Some("b")], &[1, 2]));
        assert_eq!(rows, digest(&batch(&[Some("b"), Some("a")], &[2, 1])));
        for other in [
            batch(&[Some("a"), Some("b")], &[2, 1]),
            batch(&[Some("a"), None], &[1, 2]),
            batch(&[Some("a"), Some("")], &[1, 2]),
            batch(&[Some("a"), Some("b"), Some("b")], &[1, 2, 2]),
        ] {
            assert_ne!(rows, digest(&other));
        }
        let null = digest(&batch(&[None], &[1]));
        assert_ne!(null.total(), digest(&batch(&[Some("")], &[1])).total());
    }

    #[test]
    fn part_goes_by_the_key_alone() {
        let one = of_rows(&batch(&[Some("a")], &[1]), &[0]).unwrap();
        let two = of_rows(&batch(&[Some("a")], &[2]), &[0]).unwrap();
        assert_eq!(one[0].part, two[0].part);
        assert_ne!(one[0].row, two[0].row);
    }
}
