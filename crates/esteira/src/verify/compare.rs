//! Comparing a table with the same table made once more.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use esteira_events::{SOURCE_FILE, SOURCE_POSITION};
use futures::StreamExt as _;
use serde::Serialize;

use super::digest::{RowDigest, TableDigest, of_rows};
use super::{NAMED, TableCheck};
use crate::Error;

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

/// Compares a table in both sessions.
pub(super) async fn compare(
    stored: &SessionContext,
    made: &SessionContext,
    table: &str,
    key: &[String],
) -> Result<TableCheck, Error> {
    let work = async {
        let mut digests = [TableDigest::default(), TableDigest::default()];
        for (session, digest) in [stored, made].into_iter().zip(&mut digests) {
            each(session, table, key, |_, _, row| digest.add(row)).await?;
        }
        let differences = if digests[0] == digests[1] {
            Vec::new()
        } else {
            differences(stored, made, table, key, &digests).await?
        };
        let [digest, expected] = digests;
        Ok(TableCheck {
            table: table.to_owned(),
            rows: digest.rows,
            expected_rows: expected.rows,
            digest: format!("{:032x}", digest.total()),
            expected_digest: format!("{:032x}", expected.total()),
            differences,
        })
    };
    work.await.map_err(|error: DataFusionError| Error::Query {
        what: format!("comparing table `{table}`"),
        reason: error.strip_backtrace(),
    })
}

/// Calls `see` with every row of a table.
async fn each(
    session: &SessionContext,
    table: &str,
    key: &[String],
    mut see: impl FnMut(&RecordBatch, usize, RowDigest),
) -> Result<(), DataFusionError> {
    let mut rows = session.table(table).await?.execute_stream().await?;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let key = places(&batch, key)?;
        for (row, digest) in of_rows(&batch, &key)?.into_iter().enumerate() {
            see(&batch, row, digest);
        }
    }
    Ok(())
}

fn places(batch: &RecordBatch, names: &[String]) -> Result<Vec<usize>, ArrowError> {
    let schema = batch.schema();
    names.iter().map(|name| schema.index_of(name)).collect()
}

/// The first differences by key. Only rows of the parts that differ are remembered.
async fn differences(
    stored: &SessionContext,
    made: &SessionContext,
    table: &str,
    key: &[String],
    digests: &[TableDigest; 2],
) -> Result<Vec<Difference>, DataFusionError> {
    let differs = |digest: RowDigest| {
        let part = usize::from(digest.part);
        digests[0].parts[part] != digests[1].parts[part]
    };
    let mut balance: HashMap<u128, i64> = HashMap::new();
    for (session, step) in [(stored, 1), (made, -1)] {
        each(session, table, key, |_, _, digest| {
            if differs(digest) {
                *balance.entry(digest.row).or_default() += step;
            }
        })
        .await?;
    }
    balance.retain(|_, count| *count != 0);
    let mut rows: BTreeMap<Vec<(String, String)>, [Vec<Row>; 2]> = BTreeMap::new();
    for (side, session) in [stored, made].into_iter().enumerate() {
        let sign = if side == 0 { 1 } else { -1 };
        let mut failure = None;
        each(session, table, key, |batch, row, digest| {
            let Some(count) = balance.get_mut(&digest.row) else {
                return;
            };
            if *count * sign <= 0 {
                return;
            }
            *count -= sign;
            match (shown(batch, row), key_of(batch, row, key)) {
                (Ok(shown), Ok(key)) => {
                    rows.entry(key).or_default()[side].push(shown);
                    // The first by key are kept, so that a table that is all wrong needs no memory.
                    if rows.len() > 4 * NAMED {
                        rows.pop_last();
                    }
                }
                (Err(error), _) | (_, Err(error)) => failure = Some(error),
            }
        })
        .await?;
        if let Some(error) = failure {
            return Err(error.into());
        }
    }
    let named = rows.into_iter().flat_map(|(key, [stored, made])| {
        let longer = stored.len().max(made.len());
        let (mut stored, mut made) = (stored.into_iter(), made.into_iter());
        (0..longer)
            .filter_map(move |_| difference(key.clone(), stored.next(), made.next()))
            .collect::<Vec<_>>()
    });
    Ok(named.take(NAMED).collect())
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

fn key_of(
    batch: &RecordBatch,
    row: usize,
    key: &[String],
) -> Result<Vec<(String, String)>, ArrowError> {
    let mut shown = shown(batch, row)?;
    if key.is_empty() {
        return Ok(shown.into_iter().collect());
    }
    let columns = key.iter().filter_map(|name| shown.remove_entry(name));
    Ok(columns.collect())
}

fn difference(
    key: Vec<(String, String)>,
    stored: Option<Row>,
    made: Option<Row>,
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
    })
}
