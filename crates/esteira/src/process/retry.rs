//! Taking entries of the quarantine once more, with the rules of today.
//!
//! Comes in: the entries, each with the batch that brought it. Goes out: a batch for each of those, with
//! the objects whose entries the rules now judge otherwise. The invariant: afterwards tables, quarantine and
//! totals are those of a run that had these rules from the start, and once more changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use esteira_events::{Reason, text_of};
use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{LedgerError, Plan, PlannedObject, RetriedObject, Retry};
use esteira_lake::quarantine::QuarantineRow;
use esteira_lake::raw::Raw;
use futures::future::BoxFuture;
use serde::Serialize;

use super::by_hand::ByHand;
use super::fetch::Objects;
use super::land;
use super::rules::Stop;
use super::stages::{self, Context, Prepared};
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

/// How often it is begun anew where a running job planned the next batch first.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Reads what is to be taken, once nothing is unfinished any more.
pub(crate) type Entries = BoxFuture<'static, Result<Vec<QuarantineEntry>, Error>>;

/// Opens the ledger as a runner does, finishes what was interrupted, asks for the entries and retries them.
pub(crate) async fn retry(
    pipeline: Arc<Pipeline>,
    bucket: Bucket,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    entries: impl Fn() -> Entries,
) -> Result<RetrySummary, Error> {
    let context = Context {
        raw: Raw::new(bucket.clone(), &pipeline.raw_path),
        pipeline,
        bucket,
        clock,
        observer,
    };
    let mut summary = RetrySummary::default();
    let mut attempt = 1;
    loop {
        match session(&context, entries(), &mut summary).await {
            Err(Error::Ledger(
                LedgerError::AnotherRunner { .. } | LedgerError::Switching { .. },
            )) if attempt < ATTEMPTS => {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            ended => return ended.map(|()| summary),
        }
    }
}

async fn session(
    context: &Context,
    entries: Entries,
    summary: &mut RetrySummary,
) -> Result<(), Error> {
    let mut hand = ByHand::open(context).await?;
    let entries = entries.await?;
    summary.entries = summary.entries.max(entries.len() as u64);
    let mut of_batch: BTreeMap<u64, BTreeMap<String, Vec<QuarantineEntry>>> = BTreeMap::new();
    for entry in entries {
        let of_object = of_batch.entry(unsigned(entry.batch)).or_default();
        let of_object = of_object.entry(entry.raw_file.clone());
        of_object.or_default().push(entry);
    }
    for (batch, entries) in of_batch {
        let brought = hand.ledger.plan_of(batch).await?;
        let mut candidates = Vec::new();
        let mut text_bytes: u64 = 0;
        for (original, entries) in entries {
            let candidate = candidate(context, &brought, original, entries).await?;
            text_bytes = text_bytes.saturating_add(candidate.text_bytes);
            candidates.push(candidate);
            if text_bytes > context.pipeline.limits.bytes_per_batch {
                let some = std::mem::take(&mut candidates);
                take(&mut hand, &brought, some, summary).await?;
                text_bytes = 0;
            }
        }
        take(&mut hand, &brought, candidates, summary).await?;
    }
    Ok(())
}

/// An object with entries in the quarantine.
struct Candidate {
    object: PlannedObject,
    entries: Vec<QuarantineEntry>,
    retried: RetriedObject,
    /// What it unpacks to; nothing when it is too large to be read.
    text_bytes: u64,
}

async fn candidate(
    context: &Context,
    brought: &Plan,
    original: String,
    entries: Vec<QuarantineEntry>,
) -> Result<Candidate, Error> {
    let object = planned(brought, &original, &entries)?.clone();
    let most = land::limits(&context.pipeline).max_decompressed_bytes;
    let is_read = usize::try_from(object.size).is_ok_and(|size| size <= most);
    // One that is not there is told of by who reads it to decode it.
    let bytes = if is_read {
        context.raw.read(&original).await?.unwrap_or_default()
    } else {
        Bytes::new()
    };
    let text = text_of(&bytes, most).unwrap_or_default();
    let last = entries.iter().max_by_key(|entry| position(entry));
    // Behind an entry that reaches the end there was nothing of its own. Its bytes may stand elsewhere too, so
    // it also has to be the place of what is wrong; one whose bytes are too many to be kept is all that was
    // left, unless it is a single event.
    let end = text.trim_ascii_end();
    let reaches_the_end = |entry: &QuarantineEntry| {
        let start = end.len().checked_sub(entry.original.len());
        let is_tail = end.ends_with(&entry.original)
            && start.is_some_and(|start| unsigned(entry.offset) >= start as u64);
        let is_rest = entry.is_apart && entry.reason != Reason::EventTooLarge.as_str();
        is_rest || !entry.is_apart && (entry.original == bytes || is_tail)
    };
    let taken = entries
        .iter()
        .map(|entry| (position(entry), entry.reason.clone()));
    Ok(Candidate {
        retried: RetriedObject {
            original,
            entries: taken.collect(),
            and_later: last.is_some_and(reaches_the_end),
        },
        text_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
        object,
        entries,
    })
}

/// Makes a batch of those of which the rules judge an entry otherwise than before.
async fn take(
    hand: &mut ByHand<'_>,
    brought: &Plan,
    candidates: Vec<Candidate>,
    summary: &mut RetrySummary,
) -> Result<(), Error> {
    if candidates.is_empty() {
        return Ok(());
    }
    let plan = plan_of(hand, brought, &candidates);
    let prepared = stages::prepare(hand.context, plan, Objects::New, Stop::Ends).await?;
    let changed = changed(&prepared, candidates);
    drop(prepared);
    if changed.is_empty() {
        return Ok(());
    }
    let plan = plan_of(hand, brought, &changed);
    let record = hand.run(plan).await?;
    let events = &record.accounts.events;
    summary.batches += 1;
    summary.retried += changed.iter().map(|c| c.entries.len() as u64).sum::<u64>();
    summary.events += events.discovered - events.quarantined;
    summary.quarantined += events.quarantined;
    Ok(())
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

fn plan_of(hand: &ByHand<'_>, brought: &Plan, candidates: &[Candidate]) -> Plan {
    let retried = candidates.iter().map(|candidate| candidate.retried.clone());
    Plan {
        objects: candidates.iter().map(|c| c.object.clone()).collect(),
        retry: Some(Retry {
            batch: brought.batch,
            planned_at: brought.planned_at,
            objects: retried.collect(),
        }),
        processing_date: brought.processing_date.clone(),
        ..hand.next_plan()
    }
}

/// Those of the plan's objects that gave an event, or other entries than they had.
fn changed(prepared: &Prepared, candidates: Vec<Candidate>) -> Vec<Candidate> {
    let landed = prepared.landed();
    let with_events: HashSet<u32> = landed.object_of.iter().copied().collect();
    let mut rejected: HashMap<&str, Vec<&QuarantineRow>> = HashMap::new();
    for row in &landed.rejected {
        rejected.entry(&row.raw_file).or_default().push(row);
    }
    let is_as_before = |place: u32, candidate: &Candidate| {
        let again = rejected.get(candidate.retried.original.as_str());
        let again = again.map_or(&[][..], Vec::as_slice);
        let entries = candidate.entries.iter();
        let known: HashMap<u64, _> = entries.map(|entry| (position(entry), entry)).collect();
        let is_known = |row: &&QuarantineRow| {
            let entry = known.get(&row.rejected.position);
            entry.is_some_and(|entry| is_same(entry, row))
        };
        !with_events.contains(&place) && again.len() == known.len() && again.iter().all(is_known)
    };
    let numbered = (0..).zip(candidates);
    numbered
        .filter(|(place, candidate)| !is_as_before(*place, candidate))
        .map(|(_, candidate)| candidate)
        .collect()
}

fn is_same(entry: &QuarantineEntry, again: &QuarantineRow) -> bool {
    let again = &again.rejected;
    [entry.line, entry.column, entry.offset].map(unsigned)
        == [again.line, again.column, again.offset]
        && entry.reason == again.reason.as_str()
        && entry.message == again.message
        && entry.json_path == again.path
}

fn position(entry: &QuarantineEntry) -> u64 {
    unsigned(entry.origin.source_position)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
