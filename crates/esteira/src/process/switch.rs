//! A switch to tables that were made anew, as everybody meets it who works on the ledger.
//!
//! Comes in: a plan of a switch without a record. Goes out: its record. What was decided is finished by
//! whoever finds it, with nothing but what the decision holds; what is not decided is waited for, and given
//! up when it takes too long. The invariant: a live table is touched only after the decision, and the
//! records are written in the order of the batches. Making the tables belongs to `replay.rs`, deciding to
//! `switching.rs`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{
    Decision, Ledger, LedgerError, Made, Plan, Record, Switched, TableRecord, Timings,
};
use esteira_lake::switch::Switch;
use esteira_lake::tables::TableError;
use futures::{StreamExt as _, TryStreamExt as _};

use super::record;
use super::stages::Context;
use crate::Error;

/// How long an undecided switch keeps others from going on: what is done between its plan and the decision
/// is to take the last one or two batches.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);
const DELETES_AT_ONCE: usize = 16;

/// Opens the ledger to write to it: finishes the switch that is decided, and makes sure that the rules are not
/// those from before a switch.
pub(super) async fn open_ledger(context: &Context) -> Result<Ledger, Error> {
    let open = || Ledger::open(context.bucket.clone(), &context.pipeline.name);
    let mut ledger = open().await?;
    if settle(context, &mut ledger).await? {
        // What the batches before it put off is new again.
        ledger = open().await?;
    }
    rules_are_of_today(context, &ledger).await?;
    Ok(ledger)
}

/// Finishes every switch that is decided; whether there was one.
pub(super) async fn settle(context: &Context, ledger: &mut Ledger) -> Result<bool, Error> {
    let mut settled = false;
    for plan in ledger.unfinished().to_vec() {
        if plan.switch.is_some()
            && let Some(Decision::Made(made)) = ledger.decision(plan.batch).await?
        {
            let record = finish(context, ledger, &plan, *made).await?;
            context.observer.recorded(&record);
            settled = true;
        }
    }
    Ok(settled)
}

/// A job that was started with the rules from before a switch would mix its rows with those of the new
/// rules.
async fn rules_are_of_today(context: &Context, ledger: &Ledger) -> Result<(), Error> {
    let last = ledger.last_record().and_then(|record| record.switched_in);
    let Some(batch) = last else {
        return Ok(());
    };
    let switched = ledger.record_of(batch).await?;
    let own = &context.pipeline.fingerprint;
    let replaced = switched.switch.map(|switch| switch.replaced);
    if switched.pipeline != *own && replaced.unwrap_or_default().contains(own) {
        return Err(Error::OldRules {
            process: switched.process,
            batch,
            rules: own.clone(),
            new: switched.pipeline,
        });
    }
    Ok(())
}

/// Why a run really failed: to one that holds a batch while the tables are switched to others, their columns
/// look wrong, and its rules are.
pub(super) async fn cause(context: &Context, error: Error) -> Error {
    if !matches!(error, Error::Table(TableError::Columns { .. })) {
        return error;
    }
    let process = &context.pipeline.name;
    let Ok(ledger) = Ledger::glance(context.bucket.clone(), process).await else {
        return error;
    };
    match rules_are_of_today(context, &ledger).await {
        Err(old @ Error::OldRules { .. }) => old,
        _ => error,
    }
}

/// Passes over a switch that is the oldest batch without a record, if it was given up or is to be.
pub(super) async fn pass(
    context: &Context,
    ledger: &mut Ledger,
    plan: &Plan,
) -> Result<Record, Error> {
    let unfinished = || LedgerError::Switching {
        process: plan.process.clone(),
        batch: plan.batch,
    };
    let decided = match ledger.decision(plan.batch).await? {
        None if !is_overdue(context, plan) => return Err(unfinished().into()),
        None => give_up(ledger, plan, "it was not decided in time").await?,
        Some(decision) => decision,
    };
    match decided {
        Decision::GivenUp { reason } => {
            let record = given_up(context, ledger.last_record(), plan, reason);
            ledger.record(plan, record.clone()).await?;
            clear(&context.bucket, plan).await;
            Ok(record)
        }
        // The tables that are open are not those any more.
        Decision::Made(_) => Err(unfinished().into()),
    }
}

/// Whether it has had the time to be decided.
pub(super) fn is_overdue(context: &Context, plan: &Plan) -> bool {
    let age = context.clock.now_micros().saturating_sub(plan.planned_at);
    u128::try_from(age).is_ok_and(|age| age > PATIENCE.as_micros())
}

/// Decides that the live tables stay, unless it was decided otherwise.
pub(super) async fn give_up(
    ledger: &Ledger,
    plan: &Plan,
    reason: &str,
) -> Result<Decision, LedgerError> {
    let reason = reason.to_owned();
    ledger
        .decide(plan.batch, Decision::GivenUp { reason })
        .await
}

/// The record of a switch that changed nothing.
pub(super) fn given_up(
    context: &Context,
    before: Option<&Record>,
    plan: &Plan,
    reason: String,
) -> Record {
    let nothing = record::of_nothing(context, before, plan);
    Record {
        switch: Some(Switched {
            given_up: Some(reason),
            replaced: Vec::new(),
        }),
        // The rules stay those of before, too.
        pipeline: before.map_or_else(|| plan.pipeline.clone(), |before| before.pipeline.clone()),
        rules_since: before.map_or(nothing.rules_since, |before| before.rules_since),
        ..nothing
    }
}

/// Puts the tables that were made in the place of the live ones, and records everything. Another hand may
/// do the same at the same time.
pub(super) async fn finish(
    context: &Context,
    ledger: &mut Ledger,
    plan: &Plan,
    made: Made,
) -> Result<Record, Error> {
    match Box::pin(replace(context, ledger, plan, made)).await {
        // One that is done deletes what the others still copy, once all is recorded.
        Err(error) => ledger.record_of(plan.batch).await.map_err(|_| error),
        done => done,
    }
}

async fn replace(
    context: &Context,
    ledger: &mut Ledger,
    plan: &Plan,
    made: Made,
) -> Result<Record, Error> {
    let start = Instant::now();
    for record in made.records {
        let mut interrupted = ledger.unfinished().iter();
        let plan = interrupted.find(|p| p.batch == record.batch).cloned();
        if let Some(plan) = plan {
            ledger.record(&plan, record).await?;
        }
    }
    let mut tables = BTreeMap::new();
    for (name, table) in made.tables {
        let switch = Switch {
            table: name.clone(),
            process: plan.process.clone(),
            live: table.live,
            made: table.folder,
            version: table.version,
            batch: plan.batch,
        };
        let done = Box::pin(switch.apply(&context.bucket)).await?;
        let entry = TableRecord {
            version: done.version,
            rows_added: done.rows_added,
            rows_removed: done.rows_removed,
            files: done.size.files,
            bytes: done.size.bytes,
            deleted_rows: done.size.deleted_rows,
        };
        tables.insert(name, entry);
    }
    let commit = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let nothing = record::of_nothing(context, ledger.last_record(), plan);
    let record = Record {
        tables,
        accounts: made.accounts.clone(),
        withdrawn: nothing.totals,
        totals: made.accounts,
        rescued_totals: made.rescued,
        switch: Some(Switched {
            given_up: None,
            replaced: made.replaced,
        }),
        switched_in: Some(plan.batch),
        timings_ms: Timings {
            commit,
            ..Timings::default()
        },
        ..nothing
    };
    ledger.record(plan, record.clone()).await?;
    clear(&context.bucket, plan).await;
    Ok(ledger.last_record().cloned().unwrap_or(record))
}

/// Deletes the tables that were made, once nobody needs them.
pub(super) async fn clear(bucket: &Bucket, plan: &Plan) {
    if let Some(switch) = plan.switch.as_ref().filter(|switch| !switch.keep) {
        clear_folder(bucket, &switch.folder).await;
    }
}

/// Deletes everything under a folder. What stays is told of, and is in nobody's way.
pub(super) async fn clear_folder(bucket: &Bucket, folder: &str) {
    let clear = async {
        let listed = bucket.list(&format!("{folder}/")).await?;
        let deletes: Vec<_> = listed.iter().map(|file| bucket.delete(&file.key)).collect();
        futures::stream::iter(deletes)
            .buffer_unordered(DELETES_AT_ONCE)
            .try_collect::<()>()
            .await
    };
    if let Err(error) = clear.await {
        tracing::warn!(folder, %error, "what was replayed could not be deleted and may be deleted by hand");
    }
}
