//! Taking entries of the quarantine once more, with the rules of today.
//!
//! Comes in: the entries, each with the batch that brought it. Goes out: a batch for each of those, with
//! the objects whose entries the rules now judge otherwise. The invariant: afterwards tables, quarantine and
//! totals are those of a run that had these rules from the start, and once more changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray as _, PrimitiveArray};
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use esteira_events::{Rejected, SOURCE_POSITION, Source, text_of};
use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{LedgerError, Plan, PlannedObject, RetriedObject, Retry};
use esteira_lake::raw::{Raw, is_content_of};

use serde::Serialize;

use super::by_hand::ByHand;
use super::land;
use super::stages::Context;
use crate::clock::Clock;
use crate::{Error, Observer, Pipeline, QuarantineEntry};

/// What was retried, and what came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RetrySummary {
    /// Entries that were looked at.
    pub entries: u64,
    /// Entries of objects that went into a batch: the rules judge one of them otherwise than before.
    pub retried: u64,
    /// Batches that were made.
    pub batches: u64,
    /// Events that came out of them.
    pub events: u64,
    /// Entries that were rejected again.
    pub quarantined: u64,
}

/// Entries of one object, by its original.
pub(crate) type Entries = BTreeMap<String, Vec<QuarantineEntry>>;

/// Opens the ledger as a runner does, finishes what was interrupted, asks for the entries and retries them.
pub(crate) async fn retry(
    pipeline: Arc<Pipeline>,
    bucket: Bucket,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    entries: impl AsyncFnOnce() -> Result<Vec<QuarantineEntry>, Error>,
) -> Result<RetrySummary, Error> {
    let context = &Context {
        raw: Raw::new(bucket.clone(), &pipeline.raw_path),
        pipeline,
        bucket,
        clock,
        observer,
    };
    let mut hand = ByHand::open(context).await?;
    let mut of_batch: BTreeMap<u64, Entries> = BTreeMap::new();
    let mut summary = RetrySummary::default();
    for entry in entries().await? {
        summary.entries += 1;
        let batch = u64::try_from(entry.batch).unwrap_or_default();
        let of_object = of_batch.entry(batch).or_default();
        of_object
            .entry(entry.raw_file.clone())
            .or_default()
            .push(entry);
    }
    for (batch, entries) in of_batch {
        let mut plan = hand.ledger.plan_of(batch).await?;
        let mut retry = Retry {
            batch,
            planned_at: plan.planned_at,
            objects: Vec::new(),
        };
        let mut objects = Vec::new();
        for (original, entries) in entries {
            let object = planned(&plan, &original, &entries)?;
            let retried = retried(context, object, batch, original, &entries).await?;
            if let Some(retried) = retried {
                objects.push(object.clone());
                retry.objects.push(retried);
                summary.retried += entries.len() as u64;
            }
        }
        if objects.is_empty() {
            continue;
        }
        plan.objects = objects;
        let record = hand.retry(plan, retry).await?;
        let events = &record.accounts.events;
        summary.batches += 1;
        summary.events += events.discovered - events.quarantined;
        summary.quarantined += events.quarantined;
    }
    Ok(summary)
}

/// The object of a plan whose original this is.
fn planned<'a>(
    plan: &'a Plan,
    original: &str,
    entries: &[QuarantineEntry],
) -> Result<&'a PlannedObject, Error> {
    let origin = entries.first().map(|entry| &entry.origin);
    let is_it = |object: &&PlannedObject| {
        origin.is_some_and(|origin| {
            object.key == origin.source_file && object.modified == origin.source_modified
        })
    };
    plan.objects.iter().find(is_it).ok_or_else(|| {
        let reason = format!("it does not name the object that `{original}` is the original of");
        let key = format!("plans/{:020}.json", plan.batch);
        LedgerError::Unreadable { key, reason }.into()
    })
}

/// What is to be taken of an object; nothing when the rules judge every entry as before.
async fn retried(
    context: &Context,
    object: &PlannedObject,
    batch: u64,
    original: String,
    entries: &[QuarantineEntry],
) -> Result<Option<RetriedObject>, Error> {
    let limits = land::limits(&context.pipeline);
    let is_unread = object.size > u64::try_from(limits.max_decompressed_bytes).unwrap_or(u64::MAX);
    let bytes = if is_unread {
        Bytes::new()
    } else {
        match context.raw.read(&original).await? {
            Some(bytes) if is_content_of(object, &bytes) => bytes,
            other => {
                return Err(Error::Original {
                    object: object.key.clone(),
                    raw_file: original,
                    batch,
                    changed: other.is_some(),
                });
            }
        }
    };
    let position = |entry: &QuarantineEntry| unsigned(entry.origin.source_position);
    let last = entries.iter().max_by_key(|entry| position(entry));
    let reaches_the_end = |entry: &QuarantineEntry| {
        let text = text_of(&bytes, limits.max_decompressed_bytes);
        entry.is_apart
            || entry.original == bytes
            || text.is_none_or(|text| text.trim_ascii_end().ends_with(&entry.original))
    };
    let retried = RetriedObject {
        original,
        entries: entries
            .iter()
            .map(|entry| (position(entry), entry.reason.clone()))
            .collect(),
        and_later: last.is_some_and(reaches_the_end),
    };
    let mut decoder = land::decoder(&context.pipeline);
    let source = Source {
        key: &object.key,
        modified_micros: object.modified,
    };
    let rejected = if is_unread {
        vec![Rejected::unread(object.size, &limits)]
    } else {
        decoder.decode_object(&source, &bytes).rejected
    };
    let failed = |reason: String| Error::Query {
        what: "decoding".to_owned(),
        reason,
    };
    let rows = decoder
        .finish()
        .map_err(|error| failed(error.to_string()))?;
    let positions = rows
        .iter()
        .filter_map(|rows| rows.column_by_name(SOURCE_POSITION))
        .filter_map(|column| column.as_primitive_opt::<Int64Type>());
    let mut positions = positions.flat_map(PrimitiveArray::values);
    let has_event = positions.any(|position| retried.takes(unsigned(*position)));
    let mut rejected = rejected
        .iter()
        .filter(|again| retried.takes(again.position));
    let is_known = |again: &Rejected| entries.iter().any(|entry| is_same(entry, again));
    let as_before = !has_event && rejected.all(is_known);
    Ok((!as_before).then_some(retried))
}

fn is_same(entry: &QuarantineEntry, again: &Rejected) -> bool {
    let numbers = [
        entry.origin.source_position,
        entry.line,
        entry.column,
        entry.offset,
    ];
    numbers.map(unsigned) == [again.position, again.line, again.column, again.offset]
        && entry.reason == again.reason.as_str()
        && entry.message == again.message
        && entry.json_path == again.path
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
