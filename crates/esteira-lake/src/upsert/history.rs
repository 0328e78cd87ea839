//! A history: every version of a key, each with the interval in which it was valid.
//!
//! An event that comes late is put in the middle: the row before it ends where it begins. What is read and
//! written is proportional to the keys of the batch and their versions; of the stored rows only those are
//! written again whose end is another one now.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray, UInt64Array};
use arrow::compute::{concat_batches, take};
use arrow::error::ArrowError;
use futures::TryStreamExt as _;

use super::change::Change;
use super::commit::{self, ATTEMPTS};
use super::decide::Applied;
use super::deletions::Deletions;
use super::find::{self, Look, RowAt, Stored, exactly, row_numbers};
use super::intervals::{Candidate, Intervals, intervals};
use super::keys::{KeyEncoder, KeySet};
use super::staged::At;
use super::{Batch, Staged};
use crate::files::{self, TableFile};
use crate::tables::{LakeTable, TableError};

/// The column with the instant from which a version is valid: that of its event.
pub const VALID_FROM: &str = "valid_from";
/// The column with the instant from which it is not any more: that of the next event of the key; null
/// when there is none.
pub const VALID_TO: &str = "valid_to";

/// Takes a batch into a history. With `deletions`, events that delete end what was valid before them.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Contended`] when others kept changing it.
pub async fn history(
    table: &mut LakeTable,
    staged: &Staged,
    deletions: Option<&Deletions<'_>>,
    batch: &Batch,
) -> Result<Applied, TableError> {
    let schema = table.spec().schema.clone();
    let encoder = KeyEncoder::new(&table.spec().key, &schema).map_err(|e| table.data(&e))?;
    let versions = Versions::of(staged, &encoder).map_err(|e| table.data(&e))?;
    let deletes = |event| deletions.is_some_and(|deletions| deletions.deletes(event));
    let remembered = match deletions {
        Some(deletions) => deletions.find(&encoder, &versions.keys).await?,
        None => Vec::new(),
    };
    let look = Look::Interval {
        from: VALID_FROM,
        to: VALID_TO,
    };
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            table.refresh().await?;
        }
        let replayed = commit::is_committed(table, batch).await?;
        let files = files::files(table).await?;
        let stored = find::find(table, &files, &encoder, &versions.keys, look).await?;
        let candidates = &versions.candidates;
        let done = intervals(
            candidates,
            &stored,
            &remembered,
            &batch.order,
            deletes,
            replayed,
        );
        let mut rows = vec![added(staged, &versions, &done, table, batch)?];
        rows.extend(moved(table, &files, &stored, &done).await?);
        let rows = concat_batches(&schema, &rows).map_err(|e| table.data(&e))?;
        let moved = done.moved.iter().map(|(place, _)| place);
        let gone = done.gone.iter().chain(moved).map(|place| stored[*place].at);
        let change = Change::new(gone, vec![rows]);
        let events = candidates.iter().map(|(_, event)| *event);
        let mut result = Applied {
            verdicts: events.zip(done.verdicts).collect(),
            rows_added: change.rows_added(),
            rows_removed: change.rows_removed(),
            ..Applied::default()
        };
        if commit::settle(table, &files, &change, batch, replayed).await? {
            result.version = table.version();
            return Ok(result);
        }
    }
    Err(commit::contended(table, batch))
}

/// What a batch brings to a history.
struct Versions {
    keys: KeySet,
    /// Every event of every key, once.
    candidates: Vec<Candidate>,
    /// Where each candidate's row is: of several of one event the last.
    rows: Vec<At>,
}

impl Versions {
    fn of(staged: &Staged, encoder: &KeyEncoder) -> Result<Self, ArrowError> {
        let mut versions = Self {
            keys: KeySet::default(),
            candidates: Vec::new(),
            rows: Vec::new(),
        };
        let mut known: HashMap<Candidate, usize> = HashMap::new();
        for (part, batch) in staged.batches().iter().enumerate() {
            let keys = encoder.encode(batch)?;
            for row in 0..keys.len() {
                let Some(key) = keys.get(row) else {
                    continue;
                };
                let at = (part, row);
                let candidate = (versions.keys.insert(key), staged.event(at));
                let place = *known.entry(candidate).or_insert(versions.rows.len());
                if place == versions.rows.len() {
                    versions.candidates.push(candidate);
                    versions.rows.push(at);
                }
                versions.rows[place] = at;
            }
        }
        Ok(versions)
    }
}

/// The rows of events that are new.
fn added(
    staged: &Staged,
    versions: &Versions,
    done: &Intervals,
    table: &LakeTable,
    batch: &Batch,
) -> Result<RecordBatch, TableError> {
    let places = || done.added.iter().map(|(place, _)| *place);
    let chosen: Vec<At> = places().map(|place| versions.rows[place]).collect();
    let events: UInt64Array = places()
        .map(|place| versions.candidates[place].1 as u64)
        .collect();
    let from = take(batch.order.instants(), &events, None).map_err(|e| table.data(&e))?;
    let to = ends(done.added.iter().map(|(_, end)| *end));
    let own = [(VALID_FROM, from), (VALID_TO, to)];
    let rows = staged.rows(&chosen, &table.spec().schema, batch, &own);
    rows.map_err(|e| table.data(&e))
}

/// The stored rows whose end is another one now, with that end.
async fn moved(
    table: &LakeTable,
    files: &[TableFile],
    stored: &[Stored],
    done: &Intervals,
) -> Result<Vec<RecordBatch>, TableError> {
    let mut by_file: BTreeMap<usize, BTreeMap<u64, Option<i64>>> = BTreeMap::new();
    for (place, end) in &done.moved {
        let RowAt { file, row } = stored[*place].at;
        by_file.entry(file).or_default().insert(row, *end);
    }
    let mut rows = Vec::new();
    for (file, new_ends) in by_file {
        let file = &files[file];
        let footer = files::footer(table, file, table.spec().probe()).await?;
        let selection = exactly(&footer, new_ends.keys().copied());
        let mut batches = files::read(table, file, &footer, None, selection)?;
        while let Some(batch) = batches.try_next().await? {
            let numbers = row_numbers(&batch).map_err(|e| table.data(&e))?;
            let new_ends = ends(numbers.map(|row| new_ends.get(&row).copied().flatten()));
            let batch = files::as_table(table, &batch).and_then(|rows| ended(&rows, new_ends));
            rows.push(batch.map_err(|e| table.data(&e))?);
        }
    }
    Ok(rows)
}

fn ended(rows: &RecordBatch, ends: ArrayRef) -> Result<RecordBatch, ArrowError> {
    let place = rows.schema().index_of(VALID_TO)?;
    let mut columns = rows.columns().to_vec();
    columns[place] = ends;
    RecordBatch::try_new(rows.schema(), columns)
}

fn ends(ends: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(
        ends.collect::<TimestampMicrosecondArray>()
            .with_timezone("UTC"),
    )
}
