//! Making tables once more from the originals: every recorded batch in order, with its own plan, into
//! tables that are somewhere else.
//!
//! Comes in: a ledger and its originals. Goes out: tables that hold what a run with the rules of today
//! would have made, to the byte. Nothing of the live tables or the ledger is changed.

use std::sync::Arc;

use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Ledger, Record};
use esteira_lake::raw::Raw;

use super::apply::Tables;
use super::fetch::Objects;
use super::observe::Observer;
use super::runner::RunSummary;
use super::stages::{self, Context, Prepared};
use crate::clock::SystemClock;
use crate::{Error, Pipeline};

/// What is made again, and where.
pub(crate) struct Replay {
    /// The pipeline, with the places of the new tables.
    pub(crate) pipeline: Arc<Pipeline>,
    /// Where the ledger and the originals are.
    pub(crate) source: Bucket,
    /// Where the new tables will be.
    pub(crate) target: Bucket,
    /// The last batch that is taken.
    pub(crate) until: u64,
    /// Who is told how far it is.
    pub(crate) observer: Arc<dyn Observer>,
}

/// Replays.
pub(crate) async fn replay(replay: Replay) -> Result<RunSummary, Error> {
    let ledger = Ledger::glance(replay.source.clone(), &replay.pipeline.name).await?;
    let context = Context {
        raw: Raw::new(replay.source, &replay.pipeline.raw_path),
        pipeline: replay.pipeline,
        bucket: replay.target,
        clock: Arc::new(SystemClock),
        observer: replay.observer,
    };
    let mut tables = Tables::open(&context).await?;
    let mut summary = RunSummary::default();
    let mut ready = prepare(&context, &ledger, 1, replay.until).await?;
    while let Some((record, prepared)) = ready.take() {
        let next = record.batch + 1;
        let (applied, following) = tokio::join!(
            apply(&context, &mut tables, &record, prepared, &mut summary),
            prepare(&context, &ledger, next, replay.until),
        );
        applied?;
        ready = following?;
    }
    Ok(summary)
}

/// Lands the first batch from `number` to `until` that brought objects. What a retry of the quarantine took
/// is taken with the objects it belongs to.
async fn prepare(
    context: &Context,
    ledger: &Ledger,
    number: u64,
    until: u64,
) -> Result<Option<(Record, Prepared)>, Error> {
    for number in number..=until {
        let (plan, record) = ledger.batch(number).await?;
        if plan.retry.is_some() {
            context.observer.recorded(&record);
            continue;
        }
        let prepared = stages::prepare(context, plan, Objects::Recorded(&record)).await?;
        return Ok(Some((record, prepared)));
    }
    Ok(None)
}

async fn apply(
    context: &Context,
    tables: &mut Tables,
    record: &Record,
    prepared: Prepared,
    summary: &mut RunSummary,
) -> Result<(), Error> {
    stages::apply_again(context, tables, prepared).await?;
    summary.batches += 1;
    summary.objects += record.accounts.objects.discovered;
    summary.events += record.accounts.events.discovered;
    summary.quarantined += record.accounts.events.quarantined;
    context.observer.recorded(record);
    stages::tidy(context, tables, record, None).await;
    Ok(())
}
