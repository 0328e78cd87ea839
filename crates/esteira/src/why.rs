//! Why a row is what it is: every event of its key, which of them won, and why the others did not.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use datafusion::prelude::{cast, ident, lit};
use esteira_events::{SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION};
use esteira_lake::upsert::EventOrder;
use memchr::memmem;
use serde::Serialize;

use crate::process::{self, Traced, Trail};
use crate::quarantined::quarantine;
use crate::{Error, Lake, Observer, QuarantineEntry, TableKind};

const PROVENANCE: [&str; 3] = [SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION];

/// Everything that is known of a key.
#[derive(Debug, Clone, Serialize)]
pub struct Why {
    /// The table.
    pub table: String,
    /// The columns of its key, and what was asked for.
    pub key: Vec<(String, String)>,
    /// Where the stored row says that it comes from; nothing when there is no such row.
    pub stored: Option<Origin>,
    /// Whether every key has a row; of a child, the event that stands may give none.
    pub has_row_always: bool,
    /// Its events, in the order in which they count: what stands first. Those of which a rule drops
    /// everything count last.
    pub events: Vec<KnownEvent>,
    /// Quarantined entries whose bytes hold every part of the key.
    pub quarantined: Vec<QuarantineEntry>,
}

impl Why {
    /// Whether the stored row comes from the event that has to stand.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let winner = self.events.iter().find(|event| event.fate == Fate::Won);
        let winner = winner.map(|event| &event.origin);
        match &self.stored {
            None => winner.is_none() || !self.has_row_always,
            stored => stored.as_ref() == winner,
        }
    }
}

/// Where an event was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Origin {
    /// The object.
    pub source_file: String,
    /// When that was last written, in microseconds since 1970-01-01T00:00:00Z.
    pub source_modified: i64,
    /// The event's number in it, from 0.
    pub source_position: i64,
}

/// An event of the key.
#[derive(Debug, Clone, Serialize)]
pub struct KnownEvent {
    /// What became of it.
    pub fate: Fate,
    /// Its version, in microseconds since 1970-01-01T00:00:00Z.
    pub version: Option<i64>,
    /// Where it was.
    #[serde(flatten)]
    pub origin: Origin,
    /// The batch that took it.
    pub batch: u64,
    /// Where its original is.
    pub raw_file: String,
    /// The rule that drops its row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped_by: Option<String>,
    /// Of a child: rows that a rule drops, by the rule.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped_rows: BTreeMap<String, u64>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The table shows it.
    Won,
    /// The table showed it until a newer one came.
    Replaced,
    /// A newer one was there already, or came in the same batch.
    Late,
    /// Another one of the same version was there, and goes before it by the rules for ties.
    Tie,
    /// A rule of the table drops its row.
    Dropped,
}

/// Finds everything about a key, given as the texts of its columns in order. Reads all originals.
///
/// # Errors
/// [`Error::UnknownTable`]; [`Error::Key`] when the key has another number of columns;
/// [`Error::Original`]; [`Error`] when the bucket, the ledger or a table cannot be read.
pub async fn why(
    lake: &Lake,
    table: &str,
    key: &[String],
    observer: &dyn Observer,
) -> Result<Why, Error> {
    let pipeline = lake.pipeline();
    let rules = pipeline.table(table).ok_or_else(|| Error::UnknownTable {
        name: table.to_owned(),
        known: pipeline.tables.iter().map(|t| t.name.clone()).collect(),
    })?;
    if rules.key.len() != key.len() {
        return Err(Error::Key {
            table: table.to_owned(),
            columns: rules.key.clone(),
            given: key.len(),
        });
    }
    // The rows of a child stand or fall with the event of its head.
    let deciding = match &rules.kind {
        TableKind::Latest => rules,
        TableKind::Child { head } => pipeline.table(head).unwrap_or(rules),
    };
    let trail = Trail {
        deciding,
        table: rules,
        key,
    };
    let pipeline_shared = Arc::new(pipeline.clone());
    let traced = process::trace(pipeline_shared, lake.bucket().clone(), trail, observer);
    let (dropped, counting): (Vec<Traced>, Vec<Traced>) = Box::pin(traced)
        .await?
        .into_iter()
        .partition(|traced| traced.dropped_by.is_some());
    let mut events = judged(&counting, &pipeline.version)?;
    events.extend(
        judged(&dropped, &pipeline.version)?
            .into_iter()
            .map(|event| KnownEvent {
                fate: Fate::Dropped,
                ..event
            }),
    );
    Ok(Why {
        table: table.to_owned(),
        key: rules.key.iter().cloned().zip(key.iter().cloned()).collect(),
        stored: stored(lake, table, &rules.key, key).await?,
        has_row_always: rules.kind == TableKind::Latest,
        events,
        quarantined: quarantined(lake, key).await?,
    })
}

/// The events in the order in which they count, each with its fate.
fn judged(traced: &[Traced], version: &str) -> Result<Vec<KnownEvent>, Error> {
    let failed = |error: arrow::error::ArrowError| Error::Query {
        what: "ordering the events".to_owned(),
        reason: error.to_string(),
    };
    let rows: Vec<RecordBatch> = traced.iter().map(|traced| traced.event.clone()).collect();
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let order = EventOrder::of(&rows, version).map_err(failed)?;
    let all = concat_batches(&first.schema(), &rows).map_err(failed)?;
    let instants = column(&all, version, "the version")?;
    let versions = instants.as_primitive::<TimestampMicrosecondType>();
    let version_of = |event: usize| (!versions.is_null(event)).then(|| versions.value(event));
    let origins = origins(&all)?;
    let mut standing: Vec<usize> = Vec::new();
    let mut batch_end = 0;
    for event in 0..traced.len() {
        if event >= batch_end {
            batch_end = (event..traced.len())
                .find(|other| traced[*other].batch != traced[event].batch)
                .unwrap_or(traced.len());
            let best = (0..batch_end).max_by_key(|event| order.rank(*event));
            standing.resize(batch_end, best.unwrap_or_default());
        }
    }
    let winner = standing.last().copied();
    let mut judged: Vec<usize> = (0..traced.len()).collect();
    judged.sort_unstable_by_key(|event| std::cmp::Reverse(order.rank(*event)));
    Ok(judged
        .into_iter()
        .map(|event| KnownEvent {
            fate: if Some(event) == winner {
                Fate::Won
            } else if standing[event] == event {
                Fate::Replaced
            } else if version_of(standing[event]) == version_of(event) {
                Fate::Tie
            } else {
                Fate::Late
            },
            version: version_of(event),
            origin: origins[event].clone(),
            batch: traced[event].batch,
            raw_file: traced[event].raw_file.clone(),
            dropped_by: traced[event].dropped_by.clone(),
            dropped_rows: traced[event].dropped_rows.clone(),
        })
        .collect())
}

fn column<'a>(
    rows: &'a RecordBatch,
    name: &str,
    what: &str,
) -> Result<&'a arrow::array::ArrayRef, Error> {
    rows.column_by_name(name).ok_or_else(|| Error::Query {
        what: format!("reading {what}"),
        reason: format!("there is no column `{name}`"),
    })
}

pub(crate) fn origins(rows: &RecordBatch) -> Result<Vec<Origin>, Error> {
    let what = "where rows come from";
    let text = arrow::compute::cast(column(rows, PROVENANCE[0], what)?, &DataType::Utf8);
    let text = text.map_err(|error| Error::Query {
        what: what.to_owned(),
        reason: error.to_string(),
    })?;
    let files = text.as_string::<i32>();
    let modified = column(rows, PROVENANCE[1], what)?.as_primitive::<TimestampMicrosecondType>();
    let positions = column(rows, PROVENANCE[2], what)?.as_primitive::<Int64Type>();
    Ok((0..rows.num_rows())
        .map(|row| Origin {
            source_file: files.value(row).to_owned(),
            source_modified: modified.value(row),
            source_position: positions.value(row),
        })
        .collect())
}

async fn stored(
    lake: &Lake,
    table: &str,
    columns: &[String],
    key: &[String],
) -> Result<Option<Origin>, Error> {
    let session = lake.session().await?;
    let found = async {
        let mut rows = session.table(table).await?;
        for (column, value) in columns.iter().zip(key) {
            rows = rows.filter(cast(ident(column), DataType::Utf8).eq(lit(value.as_str())))?;
        }
        let rows = rows.select(PROVENANCE.map(ident).to_vec())?;
        rows.limit(0, Some(1))?.collect().await
    };
    let rows = found.await.map_err(|error| Error::Query {
        what: format!("reading table `{table}`"),
        reason: error.strip_backtrace(),
    })?;
    for rows in rows {
        if let Some(origin) = origins(&rows)?.pop() {
            return Ok(Some(origin));
        }
    }
    Ok(None)
}

/// The quarantine's entries that hold the key's texts somewhere.
async fn quarantined(lake: &Lake, key: &[String]) -> Result<Vec<QuarantineEntry>, Error> {
    let mut found = Vec::new();
    quarantine(lake, |entry| {
        if key
            .iter()
            .all(|part| holds(&entry.original, part.as_bytes()))
        {
            found.push(entry);
        }
    })
    .await?;
    found.sort_by(|one, other| one.origin.cmp(&other.origin));
    Ok(found)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && memmem::find(bytes, part).is_some()
}
