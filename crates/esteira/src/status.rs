//! How a pipeline is doing: what was taken, what waits, how far behind the tables are.

use std::sync::Arc;

use esteira_events::named_paths;
use esteira_lake::ledger::{Ledger, Record};
use serde::Serialize;

use crate::clock::Clock;
use crate::process::Standing;
use crate::{After, Error, Lake, Pipeline};

/// The state of a pipeline, for a person or a script.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The process.
    pub process: String,
    /// The bucket.
    pub bucket: String,
    /// The newest record.
    pub last_batch: Option<Record>,
    /// Batches that were planned and not recorded: being run, or interrupted.
    pub unfinished_batches: Vec<u64>,
    /// Objects that no plan holds yet, and that are neither too young nor too old.
    pub waiting_objects: u64,
    /// Objects that no plan holds and that are younger than `source.min_age_seconds`.
    pub too_young_objects: u64,
    /// Objects that no plan holds and that are older than `source.max_age_hours`: they are not taken.
    pub too_old_objects: u64,
    /// Objects that were taken and are still in the input, though they shall not stay there.
    pub uncleaned_objects: u64,
    /// How far the newest row is behind the newest object, in milliseconds; 0 when nothing waits.
    pub behind_ms: i64,
    /// Age of the oldest waiting object, in milliseconds; 0 when nothing waits.
    pub oldest_waiting_ms: i64,
    /// Fingerprint of the rules as they are now: they count from the next batch on.
    pub rules: String,
    /// Fields that events had and the schema does not name, those of most events first.
    pub unnamed_fields: Vec<UnnamedField>,
}

/// A field that is only in the rescued data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnnamedField {
    /// Where it is in the event, like `$.items[].colour`.
    pub path: String,
    /// Events that had it.
    pub events: u64,
    /// The first batch with such an event.
    pub since_batch: u64,
    /// Events of the last batch that had it.
    pub in_last_batch: u64,
}

/// Asks the bucket and the ledger.
///
/// # Errors
/// [`Error`] when the bucket cannot be listed.
pub async fn status(lake: &Lake, clock: &Arc<dyn Clock>) -> Result<Status, Error> {
    let pipeline = lake.pipeline();
    let ledger = Ledger::open(lake.bucket().clone(), &pipeline.name).await?;
    let now = clock.now_micros();
    let mut waiting: Vec<i64> = Vec::new();
    let (mut too_young, mut too_old, mut seen) = (0, 0, 0);
    for prefix in pipeline.input.prefixes() {
        for object in lake.bucket().list(prefix).await? {
            match Standing::of(pipeline, ledger.seen(), now, &object) {
                Standing::New => waiting.push(object.modified_micros),
                Standing::Seen => seen += 1,
                Standing::Young(_) => too_young += 1,
                Standing::Old => too_old += 1,
                Standing::Foreign => {}
            }
        }
    }
    let stays = pipeline.source.after == After::Keep;
    let last = ledger.last_record();
    let newest_row = last.map(|record| record.newest_object);
    let newest_waiting = waiting.iter().max();
    let oldest_waiting = waiting.iter().min();
    let behind = match (newest_waiting, newest_row) {
        (Some(newest), Some(row)) => (newest - row).max(0),
        (Some(_), None) => oldest_waiting.map_or(0, |oldest| now - oldest),
        (None, _) => 0,
    };
    Ok(Status {
        process: pipeline.name.clone(),
        bucket: lake.bucket().location().to_string(),
        unfinished_batches: ledger.unfinished().iter().map(|plan| plan.batch).collect(),
        waiting_objects: waiting.len() as u64,
        too_young_objects: too_young,
        too_old_objects: too_old,
        uncleaned_objects: if stays { 0 } else { seen },
        behind_ms: behind / 1000,
        oldest_waiting_ms: oldest_waiting.map_or(0, |oldest| now - oldest) / 1000,
        rules: pipeline.fingerprint.clone(),
        unnamed_fields: last.map_or_else(Vec::new, |record| unnamed(pipeline, record)),
        last_batch: last.cloned(),
    })
}

fn unnamed(pipeline: &Pipeline, record: &Record) -> Vec<UnnamedField> {
    let named = named_paths(&pipeline.schema);
    let fields = record.rescued_totals.fields.iter();
    let mut unnamed: Vec<UnnamedField> = fields
        .filter(|(path, _)| !named.contains(*path))
        .map(|(path, field)| UnnamedField {
            path: path.clone(),
            events: field.events,
            since_batch: field.since,
            in_last_batch: record
                .rescued
                .fields
                .get(path)
                .map_or(0, |last| last.events),
        })
        .collect();
    unnamed.sort_by_key(|field| std::cmp::Reverse(field.events));
    unnamed
}
