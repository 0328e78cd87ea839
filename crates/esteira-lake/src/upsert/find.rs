//! Where the rows of some keys are in a table.
//!
//! First the statistics of the files, then the key columns of the files that are left, with row
//! numbers.

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use deltalake::kernel::LogicalFileView;
use esteira_events::{EventVersion, SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::keys::{KeyEncoder, KeySet};
use super::reader;
use crate::tables::{LakeTable, TableError};

const FILES_AT_ONCE: usize = 4;

/// A row of the table: its file's place in the list of files, and its number in the file, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowAt {
    pub(super) file: usize,
    pub(super) row: u64,
}

/// A row that was found.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) key: u32,
    pub(super) at: RowAt,
    version: Option<(i64, String, i64, i64)>,
}

impl Stored {
    /// The version it was written with. A row without one is older than any event.
    pub(super) fn version(&self) -> EventVersion<'_> {
        let (instant, file, modified, position) = match &self.version {
            Some((instant, file, modified, position)) => {
                (*instant, file.as_str(), *modified, *position)
            }
            None => (i64::MIN, "", i64::MIN, i64::MIN),
        };
        EventVersion {
            instant_micros: instant,
            source_file: file,
            modified_micros: modified,
            position,
        }
    }
}

/// The table's files as they are now, newest first.
pub(super) async fn files(table: &LakeTable) -> Result<Vec<LogicalFileView>, TableError> {
    let log_store = table.inner().log_store();
    let state = table.inner().snapshot().map_err(|e| table.delta(e))?;
    let files: Vec<LogicalFileView> = state
        .snapshot()
        .file_views(log_store.as_ref(), None)
        .try_collect()
        .await
        .map_err(|e| table.delta(e))?;
    if files
        .iter()
        .any(|file| file.deletion_vector_descriptor().is_some())
    {
        return Err(TableError::Unsupported {
            table: table.name().to_owned(),
            feature: "deletion vectors, written by another engine".to_owned(),
        });
    }
    Ok(files)
}

/// Finds every row of the table whose key is in `keys`; with `version_column` also its version.
pub(super) async fn find(
    table: &LakeTable,
    files: &[LogicalFileView],
    encoder: &KeyEncoder,
    keys: &KeySet,
    version_column: Option<&str>,
) -> Result<Vec<Stored>, TableError> {
    let sorted = keys.sorted();
    let candidates = files
        .iter()
        .enumerate()
        .filter(|(_, file)| !encoder.is_text() || may_hold(file, &encoder.names()[0], &sorted));
    let searches: Vec<_> = candidates
        .map(|(index, file)| find_in_file(table, index, file, encoder, keys, version_column))
        .collect();
    let found: Vec<Vec<Stored>> = futures::stream::iter(searches)
        .buffered(FILES_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

async fn find_in_file(
    table: &LakeTable,
    index: usize,
    file: &LogicalFileView,
    encoder: &KeyEncoder,
    keys: &KeySet,
    version_column: Option<&str>,
) -> Result<Vec<Stored>, TableError> {
    let mut columns = encoder.names().to_vec();
    if let Some(version) = version_column {
        for name in [version, SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION] {
            columns.push(name.to_owned());
        }
    }
    let mut found = Vec::new();
    let mut first_row = 0;
    let mut batches = reader::read(table, file, Some(&columns)).await?;
    while let Some(batch) = batches.try_next().await? {
        let matches = matches(&batch, encoder, keys).map_err(|e| table.data(&e))?;
        let versions = match version_column {
            Some(name) if !matches.is_empty() => {
                Some(Versions::of(&batch, name).map_err(|e| table.data(&e))?)
            }
            _ => None,
        };
        found.extend(matches.into_iter().map(|(row, key)| Stored {
            key,
            at: RowAt {
                file: index,
                row: first_row + row as u64,
            },
            version: versions.as_ref().and_then(|versions| versions.get(row)),
        }));
        first_row += batch.num_rows() as u64;
    }
    Ok(found)
}

fn matches(
    batch: &RecordBatch,
    encoder: &KeyEncoder,
    keys: &KeySet,
) -> Result<Vec<(usize, u32)>, ArrowError> {
    let rows = encoder.encode(batch)?;
    Ok((0..rows.len())
        .filter_map(|row| Some((row, keys.number(rows.get(row)?)?)))
        .collect())
}

/// Whether the file's statistics leave room for one of the keys (Delta protocol, *Per-file
/// Statistics*; texts may be cut off there, which only widens the range).
fn may_hold(file: &LogicalFileView, column: &str, sorted: &[&[u8]]) -> bool {
    let statistics: Option<Value> = file
        .stats()
        .and_then(|statistics| serde_json::from_str(&statistics).ok());
    let bound = |name: &str| {
        statistics
            .as_ref()
            .and_then(|statistics| statistics.get(name)?.get(column)?.as_str())
            .map(str::as_bytes)
    };
    let (Some(low), Some(high)) = (bound("minValues"), bound("maxValues")) else {
        return true;
    };
    let first = sorted.partition_point(|key| *key < low);
    sorted.get(first).is_some_and(|key| *key <= high)
}

struct Versions {
    instant: ArrayRef,
    file: ArrayRef,
    modified: ArrayRef,
    position: ArrayRef,
}

impl Versions {
    fn of(batch: &RecordBatch, version_column: &str) -> Result<Self, ArrowError> {
        let column = |name: &str, wanted: &DataType| {
            let column = batch
                .column_by_name(name)
                .ok_or_else(|| ArrowError::SchemaError(format!("column `{name}` is missing")))?;
            cast(column, wanted)
        };
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Ok(Self {
            instant: column(version_column, &instant)?,
            file: column(SOURCE_FILE, &DataType::Utf8)?,
            modified: column(SOURCE_MODIFIED, &instant)?,
            position: column(SOURCE_POSITION, &DataType::Int64)?,
        })
    }

    fn get(&self, row: usize) -> Option<(i64, String, i64, i64)> {
        let all = [&self.instant, &self.file, &self.modified, &self.position];
        all.iter().all(|column| column.is_valid(row)).then(|| {
            (
                self.instant
                    .as_primitive::<TimestampMicrosecondType>()
                    .value(row),
                self.file.as_string::<i32>().value(row).to_owned(),
                self.modified
                    .as_primitive::<TimestampMicrosecondType>()
                    .value(row),
                self.position.as_primitive::<Int64Type>().value(row),
            )
        })
    }
}
