//! Where the rows of some keys are in a table, at the cost of what is found.
//!
//! From coarse to fine: the statistics of the files, their Bloom filters, the bounds of their pages,
//! then the key column of the pages that are left, with row numbers. Rows that a deletion vector marks
//! are no rows. Versions are only read of the rows that were found.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use esteira_events::{EventVersion, SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION};
use futures::{StreamExt as _, TryStreamExt as _};
use parquet::arrow::arrow_reader::RowSelection;

use super::keys::{KeyEncoder, KeySet};
use super::prune;
use crate::files::{self, Footer, ROW_NUMBER, Rows, TableFile};
use crate::tables::{LakeTable, TableError};

const FILES_AT_ONCE: usize = 4;

/// A row of the table: its file's place in the list of files, and its number in the file, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowAt {
    pub(super) file: usize,
    pub(super) row: u64,
}

/// What is wanted of the rows that are found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look<'a> {
    /// Only where they are.
    Place,
    /// Also their version, whose instant is in this column.
    Version(&'a str),
    /// Also their version and an end.
    Interval {
        /// The column with the version's instant.
        from: &'a str,
        /// The column with the end.
        to: &'a str,
    },
}

/// A row that was found.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) key: u32,
    pub(super) at: RowAt,
    pub(super) version: Option<Version>,
    /// In microseconds since 1970-01-01T00:00:00Z, when it was looked for; none when it is open.
    pub(super) end: Option<i64>,
}

/// Instant, object, when that was written, position.
pub(super) type Version = (i64, String, i64, i64);

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

/// Finds every row of the table whose key is in `keys`, with what `look` says.
pub(super) async fn find(
    table: &LakeTable,
    files: &[TableFile],
    encoder: &KeyEncoder,
    keys: &KeySet,
    look: Look<'_>,
) -> Result<Vec<Stored>, TableError> {
    forget_what_left(table, files);
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let search = Search {
        table,
        encoder,
        keys,
        probe: encoder.probe(keys).map_err(|e| table.data(&e))?,
        look,
    };
    let texts = search.texts();
    let searches: Vec<_> = files
        .iter()
        .enumerate()
        .filter_map(|(index, file)| {
            let texts = match (table.spec().probe(), &texts) {
                (Some(column), Some(texts)) => {
                    let statistics = file.statistics();
                    let left = prune::within_bounds(statistics.as_deref(), column, texts);
                    (!left.is_empty()).then_some(left)?
                }
                _ => &[],
            };
            Some(search.in_file(index, file, texts))
        })
        .collect();
    let found: Vec<Vec<Stored>> = futures::stream::iter(searches)
        .buffered(FILES_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

fn forget_what_left(table: &LakeTable, files: &[TableFile]) {
    let paths: HashSet<&str> = files.iter().map(TableFile::path).collect();
    let vectors = files.iter().filter_map(TableFile::vector);
    let ids = vectors.map(files::unique_id).collect();
    table.cache().retain(&table.spec().path, &paths, &ids);
}

struct Search<'a> {
    table: &'a LakeTable,
    encoder: &'a KeyEncoder,
    keys: &'a KeySet,
    /// The values of the column that files are searched by.
    probe: Option<Vec<Box<[u8]>>>,
    look: Look<'a>,
}

impl Search<'_> {
    fn texts(&self) -> Option<Vec<&[u8]>> {
        let probe = self.probe.as_ref()?;
        Some(probe.iter().map(AsRef::as_ref).collect())
    }

    async fn in_file(
        &self,
        index: usize,
        file: &TableFile,
        texts: &prune::Texts<'_>,
    ) -> Result<Vec<Stored>, TableError> {
        let table = self.table;
        let column = table.spec().probe();
        let footer = files::footer(table, file, column).await?;
        let rows = match column {
            Some(column) => prune::candidates(&footer, column, texts),
            None => Some(Rows::All),
        };
        let Some(rows) = rows else {
            return Ok(Vec::new());
        };
        let mut found = self.keys_of(index, file, &footer, rows).await?;
        let (from, to) = match self.look {
            Look::Place => return Ok(found),
            Look::Version(column) => (column, None),
            Look::Interval { from, to } => (from, Some(to)),
        };
        if !found.is_empty() {
            let mut versions = self.versions(file, &footer, &found, from, to).await?;
            for row in &mut found {
                if let Some((version, end)) = versions.remove(&row.at.row) {
                    (row.version, row.end) = (version, end);
                }
            }
        }
        Ok(found)
    }

    async fn keys_of(
        &self,
        index: usize,
        file: &TableFile,
        footer: &Footer,
        rows: Rows,
    ) -> Result<Vec<Stored>, TableError> {
        let table = self.table;
        let dead = files::marks(table, file).await?;
        let columns = self.encoder.names();
        let mut batches = files::read(table, file, footer, Some(columns), rows)?;
        let mut found = Vec::new();
        while let Some(batch) = batches.try_next().await? {
            let keys = self.encoder.encode(&batch).map_err(|e| table.data(&e))?;
            let numbers = row_numbers(&batch).map_err(|e| table.data(&e))?;
            for (at, row) in numbers.enumerate() {
                let known = keys.get(at).and_then(|key| self.keys.number(key));
                let Some(key) = known else {
                    continue;
                };
                if dead.as_ref().is_some_and(|dead| dead.contains(row)) {
                    continue;
                }
                found.push(Stored {
                    key,
                    at: RowAt { file: index, row },
                    version: None,
                    end: None,
                });
            }
        }
        Ok(found)
    }

    /// The versions and ends of the rows found in a file, by the rows' numbers.
    async fn versions(
        &self,
        file: &TableFile,
        footer: &Footer,
        found: &[Stored],
        from: &str,
        to: Option<&str>,
    ) -> Result<HashMap<u64, (Option<Version>, Option<i64>)>, TableError> {
        let table = self.table;
        let columns = [from, SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION];
        let columns: Vec<String> = columns.into_iter().chain(to).map(str::to_owned).collect();
        let rows = exactly(footer, found.iter().map(|row| row.at.row));
        let mut batches = files::read(table, file, footer, Some(&columns), rows)?;
        let mut versions = HashMap::with_capacity(found.len());
        while let Some(batch) = batches.try_next().await? {
            let of_batch = Versions::of(&batch, from, to).map_err(|e| table.data(&e))?;
            let numbers = row_numbers(&batch).map_err(|e| table.data(&e))?;
            let all = numbers.enumerate();
            versions.extend(all.map(|(at, row)| (row, (of_batch.get(at), of_batch.end(at)))));
        }
        Ok(versions)
    }
}

/// Exactly these rows, whose numbers are ascending.
pub(super) fn exactly(footer: &Footer, rows: impl Iterator<Item = u64>) -> Rows {
    let total = usize::try_from(footer.rows()).unwrap_or(usize::MAX);
    let rows = rows
        .filter_map(|row| usize::try_from(row).ok())
        .map(|row| row..row + 1);
    Rows::Some {
        groups: (0..footer.metadata().num_row_groups()).collect(),
        selection: RowSelection::from_consecutive_ranges(rows, total),
    }
}

/// The numbers of the rows that were read.
pub(super) fn row_numbers(
    batch: &RecordBatch,
) -> Result<impl Iterator<Item = u64> + '_, ArrowError> {
    let numbers = batch
        .column_by_name(ROW_NUMBER)
        .and_then(|column| column.as_primitive_opt::<Int64Type>())
        .ok_or_else(|| ArrowError::SchemaError(format!("column `{ROW_NUMBER}` is missing")))?;
    Ok(numbers
        .values()
        .iter()
        .map(|number| u64::try_from(*number).unwrap_or_default()))
}

struct Versions {
    instant: ArrayRef,
    file: ArrayRef,
    modified: ArrayRef,
    position: ArrayRef,
    end: Option<ArrayRef>,
}

impl Versions {
    fn of(batch: &RecordBatch, from: &str, to: Option<&str>) -> Result<Self, ArrowError> {
        let column = |name: &str, wanted: &DataType| match batch.column_by_name(name) {
            Some(column) => cast(column, wanted),
            // The file is older than the column.
            None => Ok(new_null_array(wanted, batch.num_rows())),
        };
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Ok(Self {
            instant: column(from, &instant)?,
            file: column(SOURCE_FILE, &DataType::Utf8)?,
            modified: column(SOURCE_MODIFIED, &instant)?,
            position: column(SOURCE_POSITION, &DataType::Int64)?,
            end: to.map(|to| column(to, &instant)).transpose()?,
        })
    }

    fn end(&self, row: usize) -> Option<i64> {
        let ends = self.end.as_ref()?;
        let ends = ends.as_primitive::<TimestampMicrosecondType>();
        ends.is_valid(row).then(|| ends.value(row))
    }

    fn get(&self, row: usize) -> Option<Version> {
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
