//! What one commit does to a table's rows: the narrow interface between deciding and writing.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::find::RowAt;
use crate::files::TableFile;

/// Rows out and rows in, of one table.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Numbers of the rows that go, ascending, by their file's place in the list of files.
    removed: BTreeMap<usize, Vec<u64>>,
    /// Rows that come, with the table's columns.
    pub(super) added: Vec<RecordBatch>,
}

impl Change {
    /// The change that takes out the rows `removed` and puts in the rows `added`.
    pub(super) fn new(removed: impl IntoIterator<Item = RowAt>, added: Vec<RecordBatch>) -> Self {
        let mut by_file: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for at in removed {
            by_file.entry(at.file).or_default().push(at.row);
        }
        for rows in by_file.values_mut() {
            rows.sort_unstable();
            rows.dedup();
        }
        Self {
            removed: by_file,
            added: added.into_iter().filter(|b| b.num_rows() > 0).collect(),
        }
    }

    /// The files that lose rows, and the rows.
    pub(super) fn of_files<'a>(
        &'a self,
        files: &'a [TableFile],
    ) -> impl Iterator<Item = (&'a TableFile, &'a [u64])> {
        let of_file =
            |(index, rows): (&usize, &'a Vec<u64>)| Some((files.get(*index)?, rows.as_slice()));
        self.removed.iter().filter_map(of_file)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    pub(super) fn rows_added(&self) -> u64 {
        self.added.iter().map(|batch| batch.num_rows() as u64).sum()
    }

    pub(super) fn rows_removed(&self) -> u64 {
        self.removed.values().map(|rows| rows.len() as u64).sum()
    }
}
