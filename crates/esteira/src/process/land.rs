//! Fetch, preserve, decode: an object is read once; the same bytes go to `raw` and to the decoder. A
//! batch that lands again reads the originals instead.
//!
//! Comes in: a plan. Goes out: events as Arrow rows, rejected entries, and an account of each object.
//! The invariant: when a batch has landed, the original of every object in it is safe in `raw`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array as _, RecordBatch};
use bytes::Bytes;
use esteira_events::{DecodeLimits, EventDecoder, Source};
use esteira_lake::bucket::Fetched;
use esteira_lake::ledger::{Plan, PlannedObject, Record};
use esteira_lake::quarantine::QuarantineRow;
use esteira_lake::raw::is_content_of;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::observe::Progress;
use super::rules::Broken;
use super::stages::Context;
use crate::{Error, Pipeline};

/// Objects are handed to a decoder together until they hold this many bytes, so that a thousand
/// small ones do not become a thousand tasks.
const GROUP_BYTES: usize = 2 * 1024 * 1024;
const GROUP_OBJECTS: usize = 512;
/// Bytes that may be on their way at once; one larger object travels alone.
const IN_FLIGHT_BYTES: u64 = 32 * 1024 * 1024;

/// Where the bytes of a batch's objects are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Objects<'a> {
    /// In the input: the batch was planned just now, nothing of it is kept yet.
    New,
    /// In the input, or among the originals: the batch was interrupted, and what was kept of it may be in
    /// some tables.
    Interrupted,
    /// Among the originals, where the record says: the batch is finished and is landed once more.
    Recorded(&'a Record),
}

/// A batch whose originals are safe and whose events are in memory.
pub(super) struct Landed {
    /// Decoded rows.
    pub(super) events: Vec<RecordBatch>,
    /// For each event, in the order of the rows, the index of its object in the plan.
    pub(super) object_of: Vec<u32>,
    /// What could not become an event.
    pub(super) rejected: Vec<QuarantineRow>,
    /// For each object of the plan, what happened to it.
    pub(super) objects: Vec<ObjectAccount>,
    /// For each object of the plan, the key its original is kept under; empty when it was gone.
    pub(super) raw_files: Vec<String>,
    /// See [`Record::originals`].
    pub(super) originals: BTreeMap<u32, Option<String>>,
    /// Events that broke a rule, and are among the rejected.
    pub(super) broken: Broken,
}

/// What happened to one object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ObjectAccount {
    /// It was replaced or removed before it could be read.
    pub(super) gone: bool,
    /// Entries that were rejected.
    pub(super) rejected: u64,
}

struct LandedObject {
    index: usize,
    raw_file: String,
    bytes: Option<Bytes>,
}

struct Decoded {
    rows: RecordBatch,
    object_of: Vec<u32>,
    rejected: Vec<(usize, QuarantineRow)>,
}

/// Lands all objects of a plan.
pub(super) async fn land(
    context: &Context,
    plan: &Plan,
    objects: Objects<'_>,
) -> Result<Landed, Error> {
    let mut landing = Landing {
        context,
        plan: Arc::new(plan.clone()),
        landed: Landed {
            events: Vec::new(),
            object_of: Vec::new(),
            rejected: Vec::new(),
            objects: vec![ObjectAccount::default(); plan.objects.len()],
            raw_files: vec![String::new(); plan.objects.len()],
            originals: BTreeMap::new(),
            broken: Broken::new(),
        },
        decoding: JoinSet::new(),
        progress: Progress {
            batch: plan.batch,
            objects: plan.objects.len() as u64,
            ..Progress::default()
        },
    };
    let budget = Arc::new(Semaphore::new(to_permits(IN_FLIGHT_BYTES)));
    let fetches = plan.objects.iter().enumerate().map(|(index, object)| {
        let budget = Arc::clone(&budget);
        async move {
            let wanted = u32::try_from(to_permits(object.size.min(IN_FLIGHT_BYTES))).unwrap_or(1);
            // The semaphore is never closed.
            let _permit = budget.acquire_many(wanted).await.ok();
            match objects {
                Objects::Recorded(record) => recall(context, plan, record, index, object).await,
                _ => fetch(context, plan, objects, index, object).await,
            }
        }
    });
    let arrivals =
        futures::stream::iter(fetches).buffer_unordered(context.pipeline.limits.requests_at_once);
    let mut arrivals = std::pin::pin!(arrivals);
    let mut group = Vec::new();
    let mut group_bytes = 0;
    while let Some(object) = arrivals.try_next().await? {
        landing.progress.landed += 1;
        group_bytes += object.bytes.as_ref().map_or(0, Bytes::len);
        group.push(object);
        if group_bytes >= GROUP_BYTES || group.len() >= GROUP_OBJECTS {
            landing.decode(std::mem::take(&mut group)).await?;
            group_bytes = 0;
        }
    }
    landing.decode(group).await?;
    landing.finish().await
}

async fn fetch(
    context: &Context,
    plan: &Plan,
    objects: Objects<'_>,
    index: usize,
    object: &PlannedObject,
) -> Result<LandedObject, Error> {
    let name = context.pipeline.input.name(&object.key);
    let bytes = match context.bucket.get(&object.key, Some(&object.etag)).await? {
        Fetched::Bytes(bytes) => Some(bytes),
        Fetched::Changed | Fetched::Missing => match objects {
            Objects::Interrupted => {
                let raw = &context.raw;
                raw.recall(&plan.processing_date, name, object).await?
            }
            _ => None,
        },
    };
    let raw_file = if let Some(bytes) = &bytes {
        let raw = &context.raw;
        raw.preserve(&plan.processing_date, name, bytes).await?
    } else {
        tracing::warn!(object = ?object.key, "was replaced or removed before it could be read");
        String::new()
    };
    Ok(LandedObject {
        index,
        raw_file,
        bytes,
    })
}

async fn recall(
    context: &Context,
    plan: &Plan,
    record: &Record,
    index: usize,
    object: &PlannedObject,
) -> Result<LandedObject, Error> {
    let place = u32::try_from(index).unwrap_or(u32::MAX);
    let raw_file = match record.originals.get(&place) {
        None => {
            let name = object.key.strip_prefix(&record.input);
            let name = name.unwrap_or(&object.key);
            context.raw.key(&plan.processing_date, name)
        }
        Some(Some(key)) => key.clone(),
        // It was gone then, and is now.
        Some(None) => {
            return Ok(LandedObject {
                index,
                raw_file: String::new(),
                bytes: None,
            });
        }
    };
    match context.raw.read(&raw_file).await? {
        Some(bytes) if is_content_of(object, &bytes) => Ok(LandedObject {
            index,
            raw_file,
            bytes: Some(bytes),
        }),
        other => Err(Error::Original {
            object: object.key.clone(),
            raw_file,
            batch: plan.batch,
            changed: other.is_some(),
        }),
    }
}

struct Landing<'a> {
    context: &'a Context,
    plan: Arc<Plan>,
    landed: Landed,
    decoding: JoinSet<Result<Decoded, Error>>,
    progress: Progress,
}

impl Landing<'_> {
    /// Hands a group to a decoder of its own; waits while as many are busy as there are cores.
    async fn decode(&mut self, group: Vec<LandedObject>) -> Result<(), Error> {
        if group.is_empty() {
            return Ok(());
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        while self.decoding.len() >= cores {
            self.take_one().await?;
        }
        for object in &group {
            self.account(object);
        }
        let decoder = decoder(&self.context.pipeline);
        let plan = Arc::clone(&self.plan);
        self.decoding
            .spawn_blocking(move || decode(decoder, &plan, group));
        self.context.observer.progress(self.progress);
        Ok(())
    }

    fn account(&mut self, object: &LandedObject) {
        let place = u32::try_from(object.index).unwrap_or(u32::MAX);
        self.landed.raw_files[object.index].clone_from(&object.raw_file);
        if object.bytes.is_none() {
            self.landed.objects[object.index].gone = true;
            self.landed.originals.insert(place, None);
            return;
        }
        let planned = &self.plan.objects[object.index];
        let name = self.context.pipeline.input.name(&planned.key);
        if object.raw_file != self.context.raw.key(&self.plan.processing_date, name) {
            let kept = Some(object.raw_file.clone());
            self.landed.originals.insert(place, kept);
        }
    }

    async fn take_one(&mut self) -> Result<(), Error> {
        let Some(decoded) = self.decoding.join_next().await else {
            return Ok(());
        };
        let decoded = decoded.map_err(|_| Error::Stopped("a decoder"))??;
        self.progress.events += decoded.rows.num_rows() as u64;
        if decoded.rows.num_rows() > 0 {
            self.landed.events.push(decoded.rows);
        }
        self.landed.object_of.extend(decoded.object_of);
        for (index, row) in decoded.rejected {
            self.landed.objects[index].rejected += 1;
            self.landed.rejected.push(row);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Landed, Error> {
        while !self.decoding.is_empty() {
            self.take_one().await?;
        }
        in_order(&mut self.landed.rejected);
        self.context.observer.progress(self.progress);
        Ok(self.landed)
    }
}

/// A decoder by the pipeline's schema and limits.
pub(super) fn decoder(pipeline: &Pipeline) -> EventDecoder {
    let limits = DecodeLimits {
        max_decompressed_bytes: pipeline.limits.decompressed_bytes_per_object,
        ..DecodeLimits::default()
    };
    EventDecoder::new(Arc::clone(&pipeline.schema), limits)
}

/// Puts entries in the order of where they were.
pub(super) fn in_order(rejected: &mut [QuarantineRow]) {
    rejected.sort_by(|a, b| {
        let place = |row: &QuarantineRow| (row.source_modified, row.rejected.position);
        (&a.source_file, place(a)).cmp(&(&b.source_file, place(b)))
    });
}

fn decode(
    mut decoder: EventDecoder,
    plan: &Plan,
    group: Vec<LandedObject>,
) -> Result<Decoded, Error> {
    let mut object_of = Vec::new();
    let mut rejected = Vec::new();
    for object in group {
        let Some(bytes) = object.bytes else {
            continue;
        };
        let planned = &plan.objects[object.index];
        let source = Source {
            key: &planned.key,
            modified_micros: planned.modified,
        };
        let report = decoder.decode_object(&source, &bytes);
        let index = u32::try_from(object.index).unwrap_or(u32::MAX);
        object_of.extend((0..report.events).map(|_| index));
        rejected.extend(report.rejected.into_iter().map(|entry| {
            let row = QuarantineRow {
                source_file: planned.key.clone(),
                source_modified: planned.modified,
                raw_file: object.raw_file.clone(),
                rejected: entry,
            };
            (object.index, row)
        }));
    }
    let rows = decoder.finish().map_err(|error| Error::Query {
        what: "decoding".to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Decoded {
        rows: without_slack(rows)?,
        object_of,
        rejected,
    })
}

/// Builders grow by doubling; a batch waits in memory with many of them.
fn without_slack(rows: RecordBatch) -> Result<RecordBatch, Error> {
    let (schema, mut columns, _) = rows.into_parts();
    for column in &mut columns {
        column.shrink_to_fit();
    }
    RecordBatch::try_new(schema, columns).map_err(|error| Error::Query {
        what: "decoding".to_owned(),
        reason: error.to_string(),
    })
}

fn to_permits(bytes: u64) -> usize {
    usize::try_from(bytes / 1024).unwrap_or(usize::MAX).max(1)
}
