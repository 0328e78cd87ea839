//! Events that delete a key, remembered in a table of their own.
//!
//! A row that is gone cannot tell how new the event was that took it away. Therefore the version of every
//! deleting event is kept, the greatest of each key (of a history: of each key and instant), in a table
//! beside the one that loses rows. It depends on nothing but the deleting events, is committed first, and
//! an event stands only when it beats it. See decision 0016.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::{filter, filter_record_batch, take};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use esteira_events::{SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION};

use super::decide::Applied;
use super::find::{self, Look, Stored};
use super::keys::{KeyEncoder, KeySet};
use super::latest::latest;
use super::staged::PROCESSED_AT;
use super::{Batch, Staged};
use crate::files;
use crate::tables::{LakeTable, TableError};

/// The column with the instant of the deleting event's version.
pub const DELETED_AT: &str = "deleted_at";
/// The column with the events' indexes, on the way into the table.
const EVENT: &str = "_event";

/// The columns of the table that remembers the deletions of a table with this key and these columns.
#[must_use]
pub fn deletions_schema(key: &[String], table: &Schema) -> SchemaRef {
    let instant = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let key = key
        .iter()
        .filter_map(|name| table.field_with_name(name).ok());
    let mut fields: Vec<Field> = key.cloned().collect();
    let own = [
        (DELETED_AT, instant()),
        (SOURCE_FILE, DataType::Utf8),
        (SOURCE_MODIFIED, instant()),
        (SOURCE_POSITION, DataType::Int64),
        (PROCESSED_AT, instant()),
    ];
    fields.extend(own.map(|(name, data_type)| Field::new(name, data_type, true)));
    Arc::new(Schema::new(fields))
}

/// What deletes in a batch, and all that was deleted up to it.
#[derive(Debug)]
pub struct Deletions<'a> {
    table: &'a LakeTable,
    deletes: &'a [bool],
    /// What the batch did to the table that remembers them.
    pub applied: Applied,
}

/// Remembers the deleting events of a batch (`deletes`, by their index) in `table`, for the rows that
/// the model gave in `staged`; `key` names the columns of the key in them.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Contended`] when others kept changing it.
pub async fn deletions<'a>(
    table: &'a mut LakeTable,
    key: &[String],
    staged: &Staged,
    deletes: &'a [bool],
    batch: &Batch,
) -> Result<Deletions<'a>, TableError> {
    let deleting = of_staged(staged, key, deletes, batch).map_err(|e| table.data(&e))?;
    let applied = Box::pin(latest(table, DELETED_AT, &deleting, None, batch)).await?;
    Ok(Deletions {
        table,
        deletes,
        applied,
    })
}

impl Deletions<'_> {
    /// The table that remembers them.
    #[must_use]
    pub fn table(&self) -> &LakeTable {
        self.table
    }

    /// Whether the event deletes its keys.
    pub(super) fn deletes(&self, event: usize) -> bool {
        self.deletes.get(event).is_some_and(|deletes| *deletes)
    }

    /// The deleting events of some keys, with their versions.
    pub(super) async fn find(
        &self,
        encoder: &KeyEncoder,
        keys: &KeySet,
    ) -> Result<Vec<Stored>, TableError> {
        let files = files::files(self.table).await?;
        let look = Look::Version(DELETED_AT);
        find::find(self.table, &files, encoder, keys, look).await
    }
}

/// Key and instant of the rows that come from deleting events.
fn of_staged(
    staged: &Staged,
    key: &[String],
    deletes: &[bool],
    batch: &Batch,
) -> Result<Staged, ArrowError> {
    let parts = staged.batches().iter().zip(staged.events());
    let rows = parts.map(|(rows, events)| {
        let chosen: BooleanArray = events
            .values()
            .iter()
            .map(|event| {
                usize::try_from(*event)
                    .ok()
                    .and_then(|event| deletes.get(event).copied())
            })
            .collect();
        let rows = filter_record_batch(rows, &chosen)?;
        let events = filter(events, &chosen)?;
        let places: UInt64Array = events
            .as_primitive::<Int64Type>()
            .values()
            .iter()
            .map(|event| u64::try_from(*event).ok())
            .collect();
        let instants = take(batch.order.instants(), &places, None)?;
        let mut columns: Vec<(&str, ArrayRef)> = Vec::with_capacity(key.len() + 2);
        for name in key {
            let column = rows.column_by_name(name).ok_or_else(|| {
                ArrowError::SchemaError(format!("key column `{name}` is missing"))
            })?;
            columns.push((name, Arc::clone(column)));
        }
        columns.push((DELETED_AT, instants));
        columns.push((EVENT, events));
        RecordBatch::try_from_iter_with_nullable(
            columns
                .into_iter()
                .map(|(name, column)| (name, column, true)),
        )
    });
    Staged::new(rows.collect::<Result<_, _>>()?, EVENT)
}
