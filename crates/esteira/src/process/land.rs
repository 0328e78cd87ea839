//! Landing: what was fetched and preserved is decoded.
//!
//! Comes in: a plan. Goes out: events as Arrow rows, rejected entries, and an account of each object.
//! The invariant: when a batch has landed, the original of every object in it is safe in `raw`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use esteira_events::{
    DecodeLimits, EventDecoder, EventSchema, ObjectReport, RESCUED_DATA, Reason, Rejected,
    SOURCE_POSITION, Source, UnnamedFields,
};
use esteira_lake::ledger::{Cut, Plan, Retry};
use esteira_lake::quarantine::QuarantineRow;
use futures::TryStreamExt as _;
use tokio::task::JoinSet;

use super::fetch::{Arrived, Content, Objects, arrivals};
use super::observe::Progress;
use super::plan;
use super::rules::Broken;
use super::stages::Context;
use crate::{BrokenRule, Error, Pipeline};

/// Objects are handed to a decoder together until they hold this many bytes, so that a thousand
/// small ones do not become a thousand tasks.
const GROUP_BYTES: usize = 2 * 1024 * 1024;
const GROUP_OBJECTS: usize = 512;

/// A batch whose originals are safe and whose events are in memory.
pub(super) struct Landed {
    /// Decoded rows.
    pub(super) events: Vec<RecordBatch>,
    /// For each event, in the order of the rows, the index of its object in the plan.
    pub(super) object_of: Vec<u32>,
    /// What could not become an event.
    pub(super) rejected: Vec<QuarantineRow>,
    /// How many there are, by reason.
    pub(super) reasons: BTreeMap<Reason, u64>,
    /// For each object of the plan, what happened to it.
    pub(super) objects: Vec<ObjectAccount>,
    /// For each object of the plan, the key its original is kept under; empty when it was gone.
    pub(super) raw_files: Vec<String>,
    /// See [`Record::originals`](esteira_lake::ledger::Record::originals).
    pub(super) originals: BTreeMap<u32, Option<String>>,
    /// Where the batch was cut off, if it was.
    pub(super) cut: Option<Cut>,
    /// Whether another runner may have met other objects of the plan.
    pub(super) is_in_doubt: bool,
    /// Bytes of its objects, as they came and unpacked.
    pub(super) bytes: u64,
    pub(super) text_bytes: u64,
    /// Events that broke a rule, and are among the rejected.
    pub(super) broken: Broken,
    /// Events by the path of a field that they have and the schema does not name.
    pub(super) unnamed: BTreeMap<String, u64>,
    /// How often there were others.
    pub(super) unnamed_beyond: u64,
    /// Of each rule that stops, the first event that breaks it, where it is not to end what is done.
    pub(super) stopping: Vec<BrokenRule>,
}

/// What happened to one object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ObjectAccount {
    /// It was replaced or removed before it could be read.
    pub(super) gone: bool,
    /// It is left to a later batch.
    pub(super) put_off: bool,
    /// Some of its events were taken by an earlier batch, and are left out here.
    pub(super) has_older: bool,
}

struct Decoded {
    rows: Vec<RecordBatch>,
    object_of: Vec<u32>,
    rejected: Vec<(usize, QuarantineRow)>,
    /// Objects of which an earlier batch took other events.
    with_older: Vec<usize>,
    /// None where the schema names every field.
    unnamed: Option<UnnamedFields>,
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
            reasons: BTreeMap::new(),
            objects: vec![ObjectAccount::default(); plan.objects.len()],
            raw_files: vec![String::new(); plan.objects.len()],
            originals: BTreeMap::new(),
            cut: None,
            is_in_doubt: matches!(objects, Objects::Interrupted(_)),
            bytes: 0,
            text_bytes: 0,
            broken: Broken::new(),
            unnamed: BTreeMap::new(),
            unnamed_beyond: 0,
            stopping: Vec::new(),
        },
        decoding: JoinSet::new(),
        progress: Progress {
            batch: plan.batch,
            objects: plan.objects.len() as u64,
            ..Progress::default()
        },
    };
    let mut arrivals = std::pin::pin!(arrivals(context, plan, objects));
    let mut group = Vec::new();
    let mut group_bytes = 0;
    while let Some(object) = arrivals.try_next().await? {
        landing.progress.landed += 1;
        if let Content::Bytes(_, length) = object.content {
            group_bytes += length;
        }
        group.push(object);
        if group_bytes >= GROUP_BYTES || group.len() >= GROUP_OBJECTS {
            landing.decode(std::mem::take(&mut group)).await?;
            group_bytes = 0;
        }
    }
    landing.decode(group).await?;
    landing.finish().await
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
    async fn decode(&mut self, group: Vec<Arrived>) -> Result<(), Error> {
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
        let limits = limits(&self.context.pipeline);
        let plan = Arc::clone(&self.plan);
        self.decoding
            .spawn_blocking(move || decode(decoder, &limits, &plan, group));
        self.context.observer.progress(self.progress);
        Ok(())
    }

    fn account(&mut self, object: &Arrived) {
        let place = u32::try_from(object.index).unwrap_or(u32::MAX);
        self.landed.raw_files[object.index].clone_from(&object.raw_file);
        match &object.content {
            Content::Bytes(bytes, length) => {
                self.landed.bytes += bytes.len() as u64;
                self.landed.text_bytes += *length as u64;
            }
            Content::Unread => {}
            Content::Gone => {
                self.landed.objects[object.index].gone = true;
                self.landed.is_in_doubt = true;
            }
            Content::PutOff => {
                self.landed.objects[object.index].put_off = true;
                let cut = self.landed.cut.get_or_insert(Cut {
                    objects: object.index,
                });
                cut.objects = cut.objects.min(object.index);
            }
        }
        if let Content::Gone | Content::PutOff = object.content {
            self.landed.originals.insert(place, None);
            return;
        }
        let planned = &self.plan.objects[object.index];
        let name = plan::name(self.context, &self.plan, &planned.key);
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
        self.progress.events += decoded.object_of.len() as u64;
        let rows = decoded.rows.into_iter();
        let rows = rows.filter(|rows| rows.num_rows() > 0);
        self.landed.events.extend(rows);
        self.landed.object_of.extend(decoded.object_of);
        if let Some(unnamed) = decoded.unnamed {
            self.landed.unnamed_beyond += unnamed.beyond();
            for (path, events) in unnamed.by_path() {
                *self.landed.unnamed.entry(path).or_default() += events;
            }
        }
        for index in decoded.with_older {
            self.landed.objects[index].has_older = true;
        }
        for (_, row) in decoded.rejected {
            *self.landed.reasons.entry(row.rejected.reason).or_default() += 1;
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

/// What a decoder takes of one object.
pub(super) fn limits(pipeline: &Pipeline) -> DecodeLimits {
    let limits = &pipeline.limits;
    DecodeLimits {
        max_decompressed_bytes: limits.decompressed_bytes_per_object,
        max_event_bytes: limits.event_bytes,
        ..DecodeLimits::default()
    }
}

/// A decoder by the pipeline's schema and limits.
pub(super) fn decoder(pipeline: &Pipeline) -> EventDecoder {
    EventDecoder::new(Arc::clone(&pipeline.schema), limits(pipeline))
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
    limits: &DecodeLimits,
    plan: &Plan,
    group: Vec<Arrived>,
) -> Result<Decoded, Error> {
    let mut object_of = Vec::new();
    let mut rejected = Vec::new();
    for object in group {
        let planned = &plan.objects[object.index];
        let source = Source {
            key: &planned.key,
            modified_micros: planned.modified,
        };
        let report = match &object.content {
            Content::Bytes(bytes, _) => decoder.decode_object(&source, bytes),
            Content::Unread => ObjectReport {
                events: 0,
                rejected: vec![Rejected::unread(planned.size, limits)],
            },
            Content::Gone | Content::PutOff => continue,
        };
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
    let mut all = Decoded {
        rows: rows
            .into_iter()
            .map(without_slack)
            .collect::<Result<_, _>>()?,
        object_of,
        rejected,
        with_older: Vec::new(),
        unnamed: None,
    };
    if let Some(retry) = &plan.retry {
        all = only_retried(all, retry)?;
    }
    all.unnamed = unnamed(decoder.schema(), &all.rows);
    Ok(all)
}

/// The fields of events that the schema does not name.
fn unnamed(schema: &EventSchema, rows: &[RecordBatch]) -> Option<UnnamedFields> {
    let columns = rows
        .iter()
        .filter_map(|rows| rows.column_by_name(RESCUED_DATA)?.as_string_opt::<i32>());
    let mut fields = None;
    for rescued in columns.filter(|column| column.null_count() < column.len()) {
        let fields = fields.get_or_insert_with(|| UnnamedFields::new(schema));
        for rescued in rescued.iter().flatten() {
            fields.count(rescued);
        }
    }
    fields
}

/// Leaves out what an earlier batch took.
fn only_retried(decoded: Decoded, retry: &Retry) -> Result<Decoded, Error> {
    let failed = |reason: String| Error::Query {
        what: "choosing the entries that are retried".to_owned(),
        reason,
    };
    let mut left = Decoded {
        rows: Vec::new(),
        object_of: Vec::new(),
        rejected: decoded.rejected,
        with_older: Vec::new(),
        unnamed: None,
    };
    let is_meant = |index: usize, position: u64| retry.objects[index].takes(position);
    left.rejected
        .retain(|(index, row)| is_meant(*index, row.rejected.position));
    let mut object_of = decoded.object_of.into_iter();
    for rows in decoded.rows {
        let positions = rows
            .column_by_name(SOURCE_POSITION)
            .and_then(|column| column.as_primitive_opt::<Int64Type>())
            .ok_or_else(|| failed(format!("column `{SOURCE_POSITION}` is missing")))?;
        let mut taken = Vec::with_capacity(rows.num_rows());
        for (object, position) in object_of
            .by_ref()
            .take(rows.num_rows())
            .zip(positions.values())
        {
            let index = object as usize;
            let is_taken = u64::try_from(*position).is_ok_and(|at| is_meant(index, at));
            if is_taken {
                left.object_of.push(object);
            } else {
                left.with_older.push(index);
            }
            taken.push(is_taken);
        }
        let rows = filter_record_batch(&rows, &BooleanArray::from(taken));
        left.rows
            .push(rows.map_err(|error| failed(error.to_string()))?);
    }
    Ok(left)
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
