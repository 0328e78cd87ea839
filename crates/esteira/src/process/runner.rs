//! One runner: batches in order, the next one landing while this one commits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Ledger, Plan};
use esteira_lake::notifications::Queue;
use esteira_lake::raw::Raw;
use uuid::Uuid;

use super::apply::Tables;
use super::clean::{Cleaned, Cleaner};
use super::fetch::Objects;
use super::inbox::Inbox;
use super::lookout::Lookout;
use super::observe::Observer;
use super::rules::Stop;
use super::shutdown::Shutdown;
use super::stages::{self, Context, Finished, Prepared};
use super::{plan, switch};
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
    /// Objects that were too young when the input was listed last, and are left for a later run.
    pub too_young: u64,
    /// Objects that were too old when the input was listed last.
    pub too_old: u64,
    /// What left the input once it was taken.
    pub cleaned: Cleaned,
}

/// What a run needs from outside.
pub(crate) struct Settings {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) bucket: Bucket,
    /// Where the bucket tells of new objects.
    pub(crate) queue: Option<Queue>,
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
    let mut inbox = match settings.queue {
        Some(queue) => Some(Inbox::open(queue, &context.bucket, &context.pipeline).await?),
        None => None,
    };
    let mut summary = RunSummary::default();
    let mut failures: u32 = 0;
    let mut has_worked = false;
    loop {
        let before = summary.batches;
        if let Some(inbox) = &mut inbox {
            inbox.begin_anew();
        }
        let run = Run {
            context: &context,
            once: settings.once,
            shutdown: &settings.shutdown,
        };
        let outcome = session(run, inbox.as_mut(), &mut summary, &mut has_worked).await;
        let error = match outcome {
            Ok(()) => return Ok(summary),
            Err(error) => switch::cause(&context, error).await,
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

#[derive(Clone, Copy)]
struct Run<'a> {
    context: &'a Context,
    once: bool,
    shutdown: &'a Shutdown,
}

async fn session(
    run: Run<'_>,
    inbox: Option<&mut Inbox>,
    summary: &mut RunSummary,
    has_worked: &mut bool,
) -> Result<(), Error> {
    let context = run.context;
    let ledger = switch::open_ledger(context).await?;
    let tables = Tables::open(context).await?;
    *has_worked = true;
    let unfinished = ledger.unfinished().iter().cloned().collect();
    Session {
        context,
        ledger,
        tables,
        unfinished,
        lookout: Lookout::new(inbox),
        cleaner: Cleaner::default(),
        runner: Uuid::new_v4().to_string(),
        expansion: 1,
    }
    .drive(run, summary)
    .await
}

struct Session<'a> {
    context: &'a Context,
    ledger: Ledger,
    tables: Tables,
    /// Plans of an interrupted run.
    unfinished: VecDeque<Plan>,
    /// New objects.
    lookout: Lookout<'a>,
    /// Objects that were taken.
    cleaner: Cleaner,
    runner: String,
    /// See [`Prepared::expansion`].
    expansion: u64,
}

impl Session<'_> {
    async fn drive(mut self, run: Run<'_>, summary: &mut RunSummary) -> Result<(), Error> {
        let Run {
            context,
            once,
            shutdown,
        } = run;
        let mut prepared: Option<Prepared> = None;
        loop {
            let next = if shutdown.is_stopping() {
                None
            } else {
                self.next_plan(once, prepared.is_none(), summary).await?
            };
            let ready = match (prepared.take(), next) {
                (None, None) if shutdown.is_stopping() => return Ok(()),
                (None, None) if !self.cleaner.is_idle() => {
                    self.clean(summary).await;
                    continue;
                }
                (None, None) if once => return Ok(()),
                (None, None) => {
                    self.lookout.idle(context, shutdown).await;
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
        let finished = stages::finish(context, tables, &mut self.ledger, batch);
        let Finished {
            plan,
            record,
            planned_before,
            cut,
            originals,
        } = finished.await?;
        if let Some(cut) = cut {
            self.lookout.put_off(&plan.objects[cut.objects..]);
        }
        summary.batches += 1;
        summary.objects += record.accounts.objects.discovered;
        summary.events += record.accounts.events.discovered;
        summary.quarantined += record.accounts.events.quarantined;
        context.observer.recorded(&record);
        stages::tidy(context, tables, &record, planned_before).await;
        self.cleaner.recorded(context, plan, originals);
        self.clean(summary).await;
        Ok(())
    }

    /// Cleans the input a little.
    async fn clean(&mut self, summary: &mut RunSummary) {
        if self.cleaner.is_idle() {
            return;
        }
        let cleaned = self.cleaner.step(self.context, &self.ledger).await;
        if cleaned != Cleaned::default() {
            summary.cleaned = summary.cleaned.plus(cleaned);
            self.context.observer.cleaned(cleaned);
        }
    }

    /// An interrupted batch, else a new one, else nothing. Behind a switch nothing follows while a batch is
    /// at work.
    async fn next_plan(
        &mut self,
        once: bool,
        is_idle: bool,
        summary: &mut RunSummary,
    ) -> Result<Option<(Plan, Objects<'static>)>, Error> {
        let context = self.context;
        while let Some(plan) = self.unfinished.pop_front() {
            if plan.switch.is_some() {
                if !is_idle {
                    self.unfinished.push_front(plan);
                    return Ok(None);
                }
                let record = switch::pass(context, &mut self.ledger, &plan).await?;
                context.observer.recorded(&record);
                continue;
            }
            self.cleaner.begins(context, &plan);
            let cut = self.ledger.cut(plan.batch).copied();
            return Ok(Some((plan, Objects::Interrupted(cut))));
        }
        if let Some(found) = self.lookout.look(context, &mut self.ledger, once).await? {
            if found.is_of_listing {
                (summary.too_young, summary.too_old) = (found.young, found.old);
            }
            self.cleaner
                .found(context, &self.ledger, found.seen, found.again);
            context.observer.discovered(self.lookout.waiting.len());
        }
        if self.lookout.waiting.is_empty() {
            return Ok(None);
        }
        let plan = plan::next(
            context,
            &mut self.ledger,
            &self.runner,
            &mut self.lookout.waiting,
            self.expansion,
        )
        .await?;
        self.cleaner.begins(context, &plan);
        self.lookout.planned(&plan).await;
        Ok(Some((plan, Objects::New)))
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
