//! One runner: batches in order, the next one landing while this one commits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Ledger, Plan, PlannedObject};
use esteira_lake::raw::Raw;
use uuid::Uuid;

use super::apply::Tables;
use super::land::Objects;
use super::observe::Observer;
use super::shutdown::Shutdown;
use super::stages::{self, Context, Prepared};
use super::{discover, plan};
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
    loop {
        let before = summary.batches;
        let outcome = session(&context, settings.once, &settings.shutdown, &mut summary).await;
        let error = match outcome {
            Ok(()) => return Ok(summary),
            Err(error) => error,
        };
        failures = if summary.batches > before {
            1
        } else {
            failures + 1
        };
        let patient = !settings.once || failures < settings.attempts;
        if !error.is_transient() || !patient {
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
) -> Result<(), Error> {
    let ledger = Ledger::open(context.bucket.clone(), &context.pipeline.name).await?;
    let tables = Tables::open(context).await?;
    let unfinished = ledger.unfinished().iter().cloned().collect();
    Session {
        context,
        ledger,
        tables,
        unfinished,
        waiting: VecDeque::new(),
        runner: Uuid::new_v4().to_string(),
        listed: false,
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
                self.next_plan(once).await?
            };
            let ready = match (prepared.take(), next) {
                (None, None) if once || shutdown.is_stopping() => return Ok(()),
                (None, None) => {
                    shutdown.within(context.pipeline.limits.poll).await;
                    continue;
                }
                (None, Some((plan, objects))) => {
                    Some(stages::prepare(context, plan, objects).await)
                }
                (Some(batch), next) => {
                    let finish = self.finish(batch, summary);
                    match next {
                        None => {
                            finish.await?;
                            None
                        }
                        Some((plan, objects)) => {
                            let ahead = stages::prepare(context, plan, objects);
                            let (finished, ready) = tokio::join!(finish, ahead);
                            finished?;
                            Some(ready)
                        }
                    }
                }
            };
            prepared = ready.transpose()?;
        }
    }

    /// Takes a batch into the tables, tells of it, and tidies up after it.
    async fn finish(&mut self, batch: Prepared, summary: &mut RunSummary) -> Result<(), Error> {
        let (context, tables) = (self.context, &mut self.tables);
        let finished = stages::finish(context, tables, &mut self.ledger, batch);
        let (record, planned_before) = finished.await?;
        summary.batches += 1;
        summary.objects += record.accounts.objects.discovered;
        summary.events += record.accounts.events.discovered;
        summary.quarantined += record.accounts.events.quarantined;
        context.observer.recorded(&record);
        stages::tidy(context, tables, &record, planned_before).await;
        Ok(())
    }

    /// An interrupted batch, else a new one, else nothing.
    async fn next_plan(&mut self, once: bool) -> Result<Option<(Plan, Objects<'static>)>, Error> {
        if let Some(plan) = self.unfinished.pop_front() {
            return Ok(Some((plan, Objects::Interrupted)));
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
        )
        .await
        .map(|plan| Some((plan, Objects::New)))
    }
}

/// Doubles from a second; the runner's own number spreads runners that failed together.
fn pause(failures: u32) -> Duration {
    let seconds = 1u64 << failures.saturating_sub(1).min(5);
    let spread = Duration::from_millis(u64::from(Uuid::new_v4().as_bytes()[0]));
    Duration::from_secs(seconds).min(LONGEST_PAUSE) + spread
}
