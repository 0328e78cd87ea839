//! A table that only grows: every event is in it once, and no row ever changes.

use arrow::array::RecordBatch;

use super::change::Change;
use super::commit::{self, ATTEMPTS};
use super::decide::{Applied, Verdict};
use super::staged::At;
use super::{Batch, Staged};
use crate::tables::{LakeTable, TableError};

/// Takes all rows of a batch into a table that only grows.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Contended`] when others kept changing it.
pub async fn append_events(
    table: &mut LakeTable,
    staged: &Staged,
    batch: &Batch,
) -> Result<Applied, TableError> {
    let all: Vec<At> = staged.places().collect();
    let schema = table.spec().schema.clone();
    let rows = staged.rows(&all, &schema, batch, &[]);
    let rows = rows.map_err(|e| table.data(&e))?;
    let rows_added = rows.num_rows() as u64;
    let version = append(table, vec![rows], batch).await?;
    let mut events: Vec<usize> = all.into_iter().map(|at| staged.event(at)).collect();
    events.dedup();
    let verdicts = events.into_iter().map(|event| (event, Verdict::Applied));
    Ok(Applied {
        version,
        verdicts: verdicts.collect(),
        rows_added,
        ..Applied::default()
    })
}

/// Appends rows once, however often the batch runs; gives the version that holds them.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Contended`] when others kept changing it.
pub async fn append(
    table: &mut LakeTable,
    rows: Vec<RecordBatch>,
    batch: &Batch,
) -> Result<u64, TableError> {
    let change = Change::new([], rows);
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            table.refresh().await?;
        }
        let replayed = change.is_empty() || commit::is_committed(table, batch).await?;
        if commit::settle(table, &[], &change, batch, replayed).await? {
            return Ok(table.version());
        }
    }
    Err(commit::contended(table, batch))
}
