//! One runner: batches in order, the next one landing while this one commits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Ledger, Plan, PlannedObject};
use esteira_lake::raw::Raw;
use uuid::Uuid;

use super::apply::Tables;
use super::fetch::Objects;
use super::observe::Observer;
use super::rules::Stop;
use super::shutdown::Shutdown;
use super::stages::{self, Context, Prepared};
use super::{discover, plan, switch};
use crate::clock::Clock;
use crate::{Error, Pipeline};

/// The longest pause before a run that failed is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// Batches recorded.
    pub batches: u64,
    /// Objects in them.
    pub objects: u64,
    /// Events and quarantined entries in them.
    pub events: u64,
    /// Quarantined entries among these.
    pub quarantined: u64,
}

/// What a run needs from outside.
pub(crate) struct Settings {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) bucket: Bucket,
    pub(crate) once: bool,
    pub(crate) attempts: u32,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) shutdown: Shutdown,
}

/// Runs until everything that is there now is taken (`once`) or until it is stopped.
///
/// A cause that may go away by itself does not end a continuous run: everything in memory is thrown
/// away and the ledger is read again, after a pause that grows.
pub(crate) async fn run(settings: Settings) -> Result<RunSummary, Error> {
    let context = Context {
        raw: Raw::new(settings.bucket.clone(), &settings.pipeline.raw_path),
        pipeline: settings.pipeline,
        bucket: settings.bucket,
        clock: settings.clock,
        observer: settings.observer,
    };
    // What is wrong from the start is the operator's to mend, not to wait for.
    context.bucket.check().await?;
    let mut summary = RunSummary::default();
    let mut failures: u32 = 0;
    let mut has_worked = false;
    loop {
        let before = summary.batches;
        let outcome = session(
            &context,
            settings.once,
            &settings.shutdown,
            &mut summary,
            &mut has_worked,
        )
        .await;
        let error = match outcome {
            Ok(()) => return Ok(summary),
            Err(error) => error,
        };
        failures = if summary.batches > before {
            1
        } else {
            failures + 1
        };
        let patient = if settings.once {
            error.is_transient() && failures < settings.attempts
        } else {
            // What has worked before was not wrong from the start.
            error.is_transient() || (has_worked && error.is_mendable())
        };
        if !patient {
            return Err(error);
        }
        let pause = pause(failures);
        context.observer.retrying(&error, pause.as_secs());
        if settings.shutdown.within(pause).await {
            return Ok(summary);
        }
    }
}

async fn session(
    context: &Context,
    once: bool,
    shutdown: &Shutdown,
    summary: &mut RunSummary,
    has_worked: &mut bool,
) -> Result<(), Error> {
    let ledger = switch::open_ledger(context).await?;
    let tables = Tables::open(context).await?;
    *has_worked = true;
    let unfinished = ledger.unfinished().iter().cloned().collect();
    Session {
        context,
        ledger,
        tables,
        unfinished,
        waiting: VecDeque::new(),
        runner: Uuid::new_v4().to_string(),
        listed: false,
        expansion: 1,
    }
    .drive(once, shutdown, summary)
    .await
}

struct Session<'a> {
    context: &'a Context,
    ledger: Ledger,
    tables: Tables,
    /// Plans of an interrupted run.
    unfinished: VecDeque<Plan>,
    /// New objects.
    waiting: VecDeque<PlannedObject>,
    runner: String,
    listed: bool,
    /// See [`Prepared::expansion`].
    expansion: u64,
}

impl Session<'_> {
    async fn drive(
        mut self,
        once: bool,
        shutdown: &Shutdown,
        summary: &mut RunSummary,
    ) -> Result<(), Error> {
        let context = self.context;
        let mut prepared: Option<Prepared> = None;
        loop {
            let next = if shutdown.is_stopping() {
                None
            } else {
                self.next_plan(once, prepared.is_none()).await?
            };
            let ready = match (prepared.take(), next) {
                (None, None) if once || shutdown.is_stopping() => return Ok(()),
                (None, None) => {
                    shutdown.within(context.pipeline.limits.poll).await;
                    continue;
                }
                (None, Some((plan, objects))) => {
                    Some(stages::prepare(context, plan, objects, Stop::Ends).await)
                }
                (Some(batch), next) => {
                    let is_large = batch.is_large(context);
                    let finish = self.finish(batch, summary);
                    match next {
                        None => {
                            finish.await?;
                            None
                        }
                        // Memory is for two batches, not for one that is large and another.
                        Some((plan, objects)) if is_large || is_large_plan(context, &plan) => {
                            finish.await?;
                            Some(stages::prepare(context, plan, objects, Stop::Ends).await)
                        }
                        Some((plan, objects)) => {
                            let ahead = stages::prepare(context, plan, objects, Stop::Ends);
                            let (finished, ready) = tokio::join!(finish, ahead);
                            finished?;
                            Some(ready)
                        }
                    }
                }
            };
            prepared = ready.transpose()?;
            if let Some(batch) = &prepared {
                self.expansion = batch.expansion();
            }
        }
    }

    /// Takes a batch into the tables, tells of it, and tidies up after it.
    async fn finish(&mut self, batch: Prepared, summary: &mut RunSummary) -> Result<(), Error> {
        let (context, tables) = (self.context, &mut self.tables);
        let is_cut_off = batch.is_cut_off();
        let finished = stages::finish(context, tables, &mut self.ledger, batch);
        let (record, planned_before) = finished.await?;
        // From its record on, what it put off counts as new.
        self.listed &= !is_cut_off;
        summary.batches += 1;
        summary.objects += record.accounts.objects.discovered;
        summary.events += record.accounts.events.discovered;
        summary.quarantined += record.accounts.events.quarantined;
        context.observer.recorded(&record);
        stages::tidy(context, tables, &record, planned_before).await;
        Ok(())
    }

    /// An interrupted batch, else a new one, else nothing. Behind a switch nothing follows while a batch is
    /// at work.
    async fn next_plan(
        &mut self,
        once: bool,
        is_idle: bool,
    ) -> Result<Option<(Plan, Objects<'static>)>, Error> {
        while let Some(plan) = self.unfinished.pop_front() {
            if plan.switch.is_some() {
                if !is_idle {
                    self.unfinished.push_front(plan);
                    return Ok(None);
                }
                let record = switch::pass(self.context, &mut self.ledger, &plan).await?;
                self.context.observer.recorded(&record);
                continue;
            }
            let cut = self.ledger.cut(plan.batch).copied();
            return Ok(Some((plan, Objects::Interrupted(cut))));
        }
        if self.waiting.is_empty() && !(once && self.listed) {
            self.waiting = discover::discover(self.context, &mut self.ledger).await?;
            self.listed = true;
            self.context.observer.discovered(self.waiting.len());
        }
        if self.waiting.is_empty() {
            return Ok(None);
        }
        plan::next(
            self.context,
            &mut self.ledger,
            &self.runner,
            &mut self.waiting,
            self.expansion,
        )
        .await
        .map(|plan| Some((plan, Objects::New)))
    }
}

fn is_large_plan(context: &Context, plan: &Plan) -> bool {
    let bytes: u64 = plan.objects.iter().map(|object| object.size).sum();
    bytes > context.pipeline.limits.bytes_per_batch
}

/// Doubles from a second; the runner's own number spreads runners that failed together.
fn pause(failures: u32) -> Duration {
    let seconds = 1u64 << failures.saturating_sub(1).min(5);
    let spread = Duration::from_millis(u64::from(Uuid::new_v4().as_bytes()[0]));
    Duration::from_secs(seconds).min(LONGEST_PAUSE) + spread
}
