//! Replacing rows of a table that only grows otherwise: what goes is found by looking at every row.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use futures::TryStreamExt as _;

use super::Batch;
use super::change::Change;
use super::commit::{self, ATTEMPTS};
use super::decide::Applied;
use super::find::{RowAt, row_numbers};
use crate::files::{self, Rows};
use crate::tables::{LakeTable, TableError};

/// Which rows go, and what comes in their place.
pub trait Replacement: Clone {
    /// The columns to look at.
    fn columns(&self) -> Vec<String>;

    /// Looks at some rows of the table, every one once: which of them go.
    ///
    /// # Errors
    /// When the rows are not what was expected.
    fn gone(&mut self, rows: &RecordBatch) -> Result<Vec<bool>, ArrowError>;

    /// What comes, once all rows have been looked at; with the table's columns.
    ///
    /// # Errors
    /// When Arrow refuses them.
    fn rows(self) -> Result<Vec<RecordBatch>, ArrowError>;
}

/// Replaces rows once, however often the batch runs.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Contended`] when others kept changing it.
pub async fn replace(
    table: &mut LakeTable,
    replacement: impl Replacement,
    batch: &Batch,
) -> Result<Applied, TableError> {
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            table.refresh().await?;
        }
        let replayed = commit::is_committed(table, batch).await?;
        let files = files::files(table).await?;
        let mut replacement = replacement.clone();
        let mut gone = Vec::new();
        for (index, file) in files.iter().enumerate().filter(|_| !replayed) {
            let footer = files::footer(table, file, table.spec().probe()).await?;
            let dead = files::marks(table, file).await?;
            let columns = replacement.columns();
            let mut batches = files::read(table, file, &footer, Some(&columns), Rows::All)?;
            let mut first = 0;
            while let Some(rows) = batches.try_next().await? {
                let read = rows.num_rows() as u64;
                let rows = match &dead {
                    Some(dead) => files::without(&rows, dead, first).map_err(|e| table.data(&e))?,
                    None => rows,
                };
                first += read;
                let goes = replacement.gone(&rows).map_err(|e| table.data(&e))?;
                let numbers = row_numbers(&rows).map_err(|e| table.data(&e))?;
                let chosen = numbers.zip(goes).filter(|(_, goes)| *goes);
                gone.extend(chosen.map(|(row, _)| RowAt { file: index, row }));
            }
        }
        let rows = replacement.rows().map_err(|e| table.data(&e))?;
        let change = Change::new(gone, rows);
        if commit::settle(table, &files, &change, batch, replayed).await? {
            return Ok(Applied {
                version: table.version(),
                rows_added: change.rows_added(),
                rows_removed: change.rows_removed(),
                ..Applied::default()
            });
        }
    }
    Err(commit::contended(table, batch))
}
