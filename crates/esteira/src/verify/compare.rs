//! Comparing a table with the same table made once more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch, new_null_array};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use esteira_events::{SOURCE_FILE, SOURCE_POSITION};
use esteira_lake::files::conform;
use esteira_lake::tables::united;
use futures::StreamExt as _;
use serde::Serialize;

use super::digest::{RowDigest, TableDigest, of_rows};
use super::{NAMED, TableCheck};
use crate::Error;
use crate::pipeline::PROCESSED_AT;

/// A row that is not what the originals make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What is wrong with it.
    #[serde(flatten)]
    pub kind: DifferenceKind,
    /// The columns of its key; of a table without a key, all.
    pub key: BTreeMap<String, String>,
    /// The object that the row comes from.
    pub source_file: String,
    /// The place in the object: the event's number, from 0.
    pub source_position: String,
    /// Whether its batch was made by other rules than the pipeline has now.
    pub by_other_rules: bool,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The originals make it, the table does not hold it.
    Missing,
    /// The table holds it, the originals do not make it.
    Unexpected,
    /// Both have a row of this key.
    Different {
        /// The columns that are not the same: what the table holds, and what the originals make.
        columns: BTreeMap<String, (String, String)>,
    },
}

/// The batches that were made by other rules than the pipeline has now, by `_processed_at` of their rows, in
/// microseconds since 1970-01-01T00:00:00Z.
pub(super) type OtherRules = HashMap<i64, BTreeSet<u64>>;

/// A table in both sessions.
pub(super) struct Comparison<'a> {
    pub(super) stored: &'a SessionContext,
    pub(super) made: &'a SessionContext,
    pub(super) table: &'a str,
    pub(super) key: &'a [String],
    pub(super) other_rules: &'a OtherRules,
}

/// What was found where two digests differ.
#[derive(Default)]
struct Found {
    /// Rows of either side that the other has not, and those of them whose batch is of other rules.
    rows: [u64; 2],
    by_other_rules: [u64; 2],
    batches: BTreeSet<u64>,
    differences: Vec<Difference>,
}

impl Comparison<'_> {
    /// Compares. A column that one side has not is null there.
    pub(super) async fn compare(&self) -> Result<TableCheck, Error> {
        let work = async {
            let columns = self.columns().await?;
            let mut digests = [TableDigest::default(), TableDigest::default()];
            for (session, digest) in self.sides().into_iter().zip(&mut digests) {
                self.each(session, &columns, |_, _, row| digest.add(row))
                    .await?;
            }
            let found = if digests[0] == digests[1] {
                Found::default()
            } else {
                self.differences(&columns, &digests).await?
            };
            let [digest, expected] = digests;
            Ok(TableCheck {
                table: self.table.to_owned(),
                rows: digest.rows,
                expected_rows: expected.rows,
                digest: format!("{:032x}", digest.total()),
                expected_digest: format!("{:032x}", expected.total()),
                differing_rows: found.rows[0].max(found.rows[1]),
                by_other_rules: found.by_other_rules[0].max(found.by_other_rules[1]),
                only_by_other_rules: found.rows == found.by_other_rules,
                batches_of_other_rules: found.batches.into_iter().collect(),
                differences: found.differences,
            })
        };
        work.await.map_err(|error: DataFusionError| Error::Query {
            what: format!("comparing table `{}`", self.table),
            reason: error.strip_backtrace(),
        })
    }

    /// What is stored, and what the originals make.
    fn sides(&self) -> [&SessionContext; 2] {
        [self.stored, self.made]
    }

    async fn columns(&self) -> Result<SchemaRef, DataFusionError> {
        let made = self.made.table(self.table).await?;
        let stored = self.stored.table(self.table).await?;
        Ok(united(made.schema().as_arrow(), stored.schema().as_arrow()))
    }

    /// Calls `see` with every row of a side.
    async fn each(
        &self,
        session: &SessionContext,
        columns: &SchemaRef,
        mut see: impl FnMut(&RecordBatch, usize, RowDigest),
    ) -> Result<(), DataFusionError> {
        let mut rows = session.table(self.table).await?.execute_stream().await?;
        while let Some(batch) = rows.next().await {
            let batch = with_columns(&batch?, columns)?;
            let key = places(&batch, self.key)?;
            for (row, digest) in of_rows(&batch, &key)?.into_iter().enumerate() {
                see(&batch, row, digest);
            }
        }
        Ok(())
    }

    /// The first differences by key. Only rows of the parts that differ are remembered.
    async fn differences(
        &self,
        columns: &SchemaRef,
        digests: &[TableDigest; 2],
    ) -> Result<Found, DataFusionError> {
        let differs = |digest: RowDigest| {
            let part = usize::from(digest.part);
            digests[0].parts[part] != digests[1].parts[part]
        };
        let mut balance: HashMap<u128, i64> = HashMap::new();
        for (session, step) in self.sides().into_iter().zip([1, -1]) {
            self.each(session, columns, |_, _, digest| {
                if differs(digest) {
                    *balance.entry(digest.row).or_default() += step;
                }
            })
            .await?;
        }
        balance.retain(|_, count| *count != 0);
        let mut found = Found::default();
        let mut named = Named::default();
        for (side, session) in self.sides().into_iter().enumerate() {
            let sign = if side == 0 { 1 } else { -1 };
            let mut failure = None;
            self.each(session, columns, |batch, row, digest| {
                let Some(count) = balance.get_mut(&digest.row) else {
                    return;
                };
                if *count * sign <= 0 {
                    return;
                }
                *count -= sign;
                found.rows[side] += 1;
                let others = processed_at(batch, row).and_then(|at| self.other_rules.get(&at));
                found.by_other_rules[side] += u64::from(others.is_some());
                found.batches.extend(others.into_iter().flatten());
                match (shown(batch, row), key_of(batch, row, self.key)) {
                    (Ok(shown), Ok(key)) => named.take(side, key, shown, others.is_some()),
                    (Err(error), _) | (_, Err(error)) => failure = Some(error),
                }
            })
            .await?;
            if let Some(error) = failure {
                return Err(error.into());
            }
        }
        found.differences = named.differences();
        Ok(found)
    }
}

/// The batch with exactly these columns.
fn with_columns(batch: &RecordBatch, columns: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let rows = columns
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) => conform(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        });
    RecordBatch::try_new(Arc::clone(columns), rows.collect::<Result<_, _>>()?)
}

fn places(batch: &RecordBatch, names: &[String]) -> Result<Vec<usize>, ArrowError> {
    let schema = batch.schema();
    names.iter().map(|name| schema.index_of(name)).collect()
}

/// When the batch of a row was planned, in microseconds since 1970-01-01T00:00:00Z.
fn processed_at(batch: &RecordBatch, row: usize) -> Option<i64> {
    let column = batch.column_by_name(PROCESSED_AT)?;
    let instants = column.as_primitive_opt::<TimestampMicrosecondType>()?;
    instants.is_valid(row).then(|| instants.value(row))
}

type Key = Vec<(String, String)>;

/// The first rows that differ, by key: stored and made. Those that other rules do not explain come first.
#[derive(Default)]
struct Named {
    unexplained: BTreeMap<Key, [Vec<Row>; 2]>,
    explained: BTreeMap<Key, [Vec<Row>; 2]>,
}

impl Named {
    fn take(&mut self, side: usize, key: Key, row: Row, is_explained: bool) {
        let is_explained = is_explained && !self.unexplained.contains_key(&key);
        if !is_explained && let Some(rows) = self.explained.remove(&key) {
            self.unexplained.insert(key.clone(), rows);
        }
        let rows = if is_explained {
            &mut self.explained
        } else {
            &mut self.unexplained
        };
        rows.entry(key).or_default()[side].push(row);
        // The first by key are kept, so that a table that is all wrong needs no memory.
        if rows.len() > 4 * NAMED {
            rows.pop_last();
        }
    }

    fn differences(self) -> Vec<Difference> {
        let all = [(self.unexplained, false), (self.explained, true)];
        let all = all.into_iter().flat_map(|(rows, is_explained)| {
            let rows = rows.into_iter();
            rows.map(move |(key, rows)| (key, rows, is_explained))
        });
        let named = all.flat_map(|(key, [stored, made], is_explained)| {
            let longer = stored.len().max(made.len());
            let (mut stored, mut made) = (stored.into_iter(), made.into_iter());
            (0..longer)
                .filter_map(move |_| {
                    difference(key.clone(), stored.next(), made.next(), is_explained)
                })
                .collect::<Vec<_>>()
        });
        named.take(NAMED).collect()
    }
}

/// A row as a person reads it.
type Row = BTreeMap<String, String>;

fn shown(batch: &RecordBatch, row: usize) -> Result<Row, ArrowError> {
    let options = FormatOptions::default().with_null("null");
    let schema = batch.schema();
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let value = ArrayFormatter::try_new(column.as_ref(), &options)?;
            Ok((field.name().clone(), value.value(row).to_string()))
        })
        .collect()
}

fn key_of(batch: &RecordBatch, row: usize, key: &[String]) -> Result<Key, ArrowError> {
    let mut shown = shown(batch, row)?;
    if key.is_empty() {
        return Ok(shown.into_iter().collect());
    }
    let columns = key.iter().filter_map(|name| shown.remove_entry(name));
    Ok(columns.collect())
}

fn difference(
    key: Key,
    stored: Option<Row>,
    made: Option<Row>,
    by_other_rules: bool,
) -> Option<Difference> {
    let of = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_default();
    let (kind, row) = match (stored, made) {
        (Some(stored), Some(made)) => {
            let columns = made
                .iter()
                .filter(|(name, value)| stored.get(*name) != Some(*value))
                .map(|(name, value)| (name.clone(), (of(&stored, name), value.clone())))
                .collect();
            (DifferenceKind::Different { columns }, made)
        }
        (None, Some(made)) => (DifferenceKind::Missing, made),
        (Some(stored), None) => (DifferenceKind::Unexpected, stored),
        (None, None) => return None,
    };
    Some(Difference {
        kind,
        key: key.into_iter().collect(),
        source_file: of(&row, SOURCE_FILE),
        source_position: of(&row, SOURCE_POSITION),
        by_other_rules,
    })
}
