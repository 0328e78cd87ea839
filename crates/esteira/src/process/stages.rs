//! The stages of a batch, in order; the only file that knows them all.
//!
//! ```text
//! discover → plan → land (fetch, preserve, decode, sift) → transform → apply (upsert, commit) → record → tidy, clean
//! ```
//!
//! Each hands over a type that says how far the batch got: [`Plan`] → [`Landed`] → [`Transformed`] →
//! [`Applied`] → [`Record`]. Only `plan`, `apply` and `record` change what others can see; `tidy` changes
//! files, never rows. Where the pipeline says so, `clean` takes the objects of recorded batches out of the input. A replay takes `land` to `apply` once more, from the originals, into other tables.

use std::sync::Arc;
use std::time::Instant;

use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Accounts, Cut, Ledger, Plan, Record, Rescued, Timings};
use esteira_lake::raw::Raw;

use super::apply::{self, Applied, Tables};
use super::fetch::{self, Objects};
use super::land::{self, Landed};
use super::observe::{Observer, Silent};
use super::record;
use super::rules::{self, Stop};
use super::tidy;
use super::transform::{self, Transformed};
use crate::clock::{Clock, SystemClock};
use crate::pipeline::After;
use crate::{Error, Pipeline};

/// What all stages share.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) bucket: Bucket,
    pub(super) raw: Raw,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn Observer>,
}

impl Context {
    /// For whoever only looks at what is there.
    pub(super) fn to_read(pipeline: Arc<Pipeline>, bucket: Bucket) -> Self {
        Self {
            raw: Raw::new(bucket.clone(), &pipeline.raw_path),
            pipeline,
            bucket,
            clock: Arc::new(SystemClock),
            observer: Arc::new(Silent),
        }
    }

    /// Whether objects leave the input once they were taken.
    pub(super) fn cleans(&self) -> bool {
        self.pipeline.source.after != After::Keep
    }
}

/// A finished batch.
pub(super) struct Finished {
    pub(super) plan: Plan,
    pub(super) record: Record,
    /// When the batch before was planned.
    pub(super) planned_before: Option<i64>,
    /// The objects of the plan from this place on were put off.
    pub(super) cut: Option<Cut>,
    /// Of each object of the plan the key its original is kept under; empty where there is none.
    pub(super) originals: Vec<String>,
}

/// A batch whose events are in memory and whose originals are safe.
pub(super) struct Prepared {
    plan: Plan,
    landed: Landed,
    milliseconds: u64,
}

impl Prepared {
    /// What landed, without what breaks a rule.
    pub(super) fn landed(&self) -> &Landed {
        &self.landed
    }

    /// Whether it takes the memory of more than one batch.
    pub(super) fn is_large(&self, context: &Context) -> bool {
        self.landed.text_bytes > context.pipeline.limits.bytes_per_batch
    }

    /// How many times as many bytes its objects have unpacked, rounded up.
    pub(super) fn expansion(&self) -> u64 {
        let (bytes, text) = (self.landed.bytes.max(1), self.landed.text_bytes);
        text.div_ceil(bytes).max(1)
    }
}

/// Fetches, preserves and decodes, and takes out what breaks a rule. Changes no table, so it may run ahead of
/// the batch before. An event that breaks a rule which stops ends it, or is only told of.
pub(super) async fn prepare(
    context: &Context,
    plan: Plan,
    objects: Objects<'_>,
    stop: Stop,
) -> Result<Prepared, Error> {
    let start = Instant::now();
    let mut landed = Box::pin(land::land(context, &plan, objects)).await?;
    Box::pin(rules::sift(context, &plan, &mut landed, stop)).await?;
    Ok(Prepared {
        plan,
        landed,
        milliseconds: milliseconds(start),
    })
}

/// Transforms, applies and records.
pub(super) async fn finish(
    context: &Context,
    tables: &mut Tables,
    ledger: &mut Ledger,
    prepared: Prepared,
) -> Result<Finished, Error> {
    let Prepared {
        plan,
        mut landed,
        milliseconds: prepare,
    } = prepared;
    settle_end(ledger, &plan, &landed).await?;
    let start = Instant::now();
    let transformed: Transformed =
        Box::pin(transform::transform(context, &plan, &mut landed)).await?;
    let transform = milliseconds(start);
    let start = Instant::now();
    let applied: Applied = Box::pin(apply::apply(
        context,
        tables,
        &plan,
        &mut landed,
        transformed,
    ))
    .await?;
    let timings = Timings {
        prepare,
        transform,
        commit: milliseconds(start),
    };
    let record = record::of(
        context,
        ledger.last_record(),
        &plan,
        &landed,
        applied,
        timings,
    );
    let planned_before = ledger.last_record().map(|record| record.planned_at);
    ledger.record(&plan, record.clone()).await?;
    ledger.snapshot_if_due().await?;
    // Another hand may have recorded it first, with other objects: what is in the bucket counts.
    let record = ledger.last_record().cloned().unwrap_or(record);
    let original = |index| fetch::original_of(&context.raw, &plan, &record, index);
    let originals = (0..plan.objects.len()).map(|index| original(index).unwrap_or_default());
    Ok(Finished {
        originals: originals.collect(),
        plan,
        record,
        planned_before,
        cut: landed.cut,
    })
}

/// Transforms and applies, without a record; gives what became of everything, and the fields that the schema
/// does not name.
pub(super) async fn apply_again(
    context: &Context,
    tables: &mut Tables,
    prepared: Prepared,
) -> Result<(Accounts, Rescued), Error> {
    let (plan, landed, applied) = Box::pin(applied(context, tables, prepared)).await?;
    let accounts = record::accounts_of(&plan, &landed, &applied).0;
    Ok((accounts, record::rescued_of(&plan, &landed)))
}

/// Takes a batch that nobody has recorded into tables that are not the live ones. Gives the record that it
/// gets when those take the place of the live tables: with the state of the record before it until then.
pub(super) async fn take_ahead(
    context: &Context,
    tables: &mut Tables,
    ledger: &mut Ledger,
    before: Option<&Record>,
    prepared: Prepared,
) -> Result<Record, Error> {
    settle_end(ledger, &prepared.plan, &prepared.landed).await?;
    let (plan, landed, applied) = Box::pin(applied(context, tables, prepared)).await?;
    let timings = Timings::default();
    Ok(Record {
        tables: before
            .map(|record| record.tables.clone())
            .unwrap_or_default(),
        ..record::of(context, before, &plan, &landed, applied, timings)
    })
}

async fn applied(
    context: &Context,
    tables: &mut Tables,
    prepared: Prepared,
) -> Result<(Plan, Landed, Applied), Error> {
    let Prepared {
        plan, mut landed, ..
    } = prepared;
    let transformed = Box::pin(transform::transform(context, &plan, &mut landed)).await?;
    let applied = Box::pin(apply::apply(
        context,
        tables,
        &plan,
        &mut landed,
        transformed,
    ))
    .await?;
    Ok((plan, landed, applied))
}

/// Where the batch ends is written before any table has it, so that it ends there whoever runs it.
async fn settle_end(ledger: &mut Ledger, plan: &Plan, landed: &Landed) -> Result<(), Error> {
    match landed.cut {
        Some(cut) => ledger.cut_off(plan, cut).await?,
        None if landed.is_in_doubt => ledger.stay_whole(plan).await?,
        None => {}
    }
    Ok(())
}

/// Keeps the tables small, see [`tidy`].
pub(super) async fn tidy(
    context: &Context,
    tables: &mut Tables,
    record: &Record,
    before: Option<i64>,
) {
    Box::pin(tidy::tidy(context, tables, record, before)).await;
}

fn milliseconds(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
