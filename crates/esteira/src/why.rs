//! Why a row is what it is: every event of its key, which of them won, and why the others did not.

use std::collections::{BTreeMap, HashMap};
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
use crate::{Error, Lake, Observer, QuarantineEntry, TableKind, TableRules};

const PROVENANCE: [&str; 3] = [SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION];

/// Everything that is known of a key.
#[derive(Debug, Clone, Serialize)]
pub struct Why {
    /// The table.
    pub table: String,
    /// The columns of its key, and what was asked for. Of a table where every event is a row: where the
    /// event was.
    pub key: Vec<(String, String)>,
    /// Where the stored rows say that they come from, each once; empty when there are none.
    pub stored: Vec<Origin>,
    /// Whether every event that stands has a row; of a child it may give none.
    pub has_row_always: bool,
    /// Its events, in the order in which they count: what stands first. Those of which a rule drops
    /// everything count last.
    pub events: Vec<KnownEvent>,
    /// Quarantined entries whose bytes hold every part of the key; of a table where every event is a row,
    /// those that were there.
    pub quarantined: Vec<QuarantineEntry>,
}

impl Why {
    /// Whether the stored rows come from the events that have to stand.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let stand = self.events.iter().filter(|event| event.fate == Fate::Won);
        let mut stand: Vec<&Origin> = stand.map(|event| &event.origin).collect();
        stand.sort_unstable();
        let none_is_fine = !self.has_row_always && self.stored.is_empty();
        none_is_fine || self.stored.iter().eq(stand)
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
    /// It deletes: it stands, and the table shows nothing for it.
    Deleted,
    /// It stood until a newer one came.
    Replaced,
    /// A newer one was there already, or came in the same batch.
    Late,
    /// Another one of the same version was there, and goes before it by the rules for ties.
    Tie,
    /// A rule of the table drops its row.
    Dropped,
}

/// Finds everything about a key, given as the texts of its columns in order. A table where every event is
/// a row has no key: there it is the object's key and the event's number in it. Reads all originals.
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
    let columns = process::asked_by(rules);
    if columns.len() != key.len() {
        return Err(Error::Key {
            table: table.to_owned(),
            columns,
            given: key.len(),
        });
    }
    // The rows of a child stand or fall with the event of its head.
    let deciding = match &rules.kind {
        TableKind::Latest | TableKind::Append | TableKind::History => rules,
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
    let mut events = judged(&counting, &pipeline.version, &deciding.kind)?;
    events.extend(
        judged(&dropped, &pipeline.version, &deciding.kind)?
            .into_iter()
            .map(|event| KnownEvent {
                fate: Fate::Dropped,
                ..event
            }),
    );
    Ok(Why {
        table: table.to_owned(),
        stored: stored(lake, table, &columns, key).await?,
        key: columns.into_iter().zip(key.iter().cloned()).collect(),
        has_row_always: !matches!(rules.kind, TableKind::Child { .. }),
        events,
        quarantined: quarantined(lake, rules, key).await?,
    })
}

/// The events in the order in which they count, each with its fate.
fn judged(traced: &[Traced], version: &str, kind: &TableKind) -> Result<Vec<KnownEvent>, Error> {
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
    // Of the events that compete for one row, the greatest that was known when each one was taken …
    let place = |event: usize| match kind {
        TableKind::Latest | TableKind::Child { .. } => None,
        TableKind::History => version_of(event),
        TableKind::Append => i64::try_from(event).ok(),
    };
    let mut best: HashMap<Option<i64>, usize> = HashMap::new();
    let mut standing: Vec<usize> = Vec::with_capacity(traced.len());
    let of_batch = |one: &Traced, other: &Traced| one.batch == other.batch;
    for batch in traced.chunk_by(of_batch) {
        let events = standing.len()..standing.len() + batch.len();
        for event in events.clone() {
            let best = best.entry(place(event)).or_insert(event);
            if order.rank(event) > order.rank(*best) {
                *best = event;
            }
        }
        standing.extend(events.map(|event| best[&place(event)]));
    }
    // … and the one that stands now.
    let winner = |event: usize| best[&place(event)];
    let mut judged: Vec<usize> = (0..traced.len()).collect();
    judged.sort_unstable_by_key(|event| std::cmp::Reverse(order.rank(*event)));
    Ok(judged
        .into_iter()
        .map(|event| KnownEvent {
            fate: if event == winner(event) {
                if traced[event].deletes {
                    Fate::Deleted
                } else {
                    Fate::Won
                }
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
) -> Result<Vec<Origin>, Error> {
    let session = lake.session().await?;
    let found = async {
        let mut rows = session.table(table).await?;
        for (column, value) in columns.iter().zip(key) {
            rows = rows.filter(cast(ident(column), DataType::Utf8).eq(lit(value.as_str())))?;
        }
        let rows = rows.select(PROVENANCE.map(ident).to_vec())?;
        rows.collect().await
    };
    let rows = found.await.map_err(|error| Error::Query {
        what: format!("reading table `{table}`"),
        reason: error.strip_backtrace(),
    })?;
    let mut stored = Vec::new();
    for rows in rows {
        stored.extend(origins(&rows)?);
    }
    stored.sort_unstable();
    stored.dedup();
    Ok(stored)
}

/// The quarantine's entries that hold the key's texts somewhere, or were in the place that was asked for.
async fn quarantined(
    lake: &Lake,
    rules: &TableRules,
    key: &[String],
) -> Result<Vec<QuarantineEntry>, Error> {
    let is_meant = |entry: &QuarantineEntry| match (&rules.kind, key) {
        (TableKind::Append, [file, position]) => {
            let origin = &entry.origin;
            origin.source_file == *file && origin.source_position.to_string() == *position
        }
        _ => key
            .iter()
            .all(|part| holds(&entry.original, part.as_bytes())),
    };
    let mut found = Vec::new();
    quarantine(lake, |entry| {
        if is_meant(&entry) {
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
