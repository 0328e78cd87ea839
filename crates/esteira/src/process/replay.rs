//! Making tables once more from the originals: every recorded batch in order, with its own plan, into
//! tables that are somewhere else.
//!
//! Comes in: a ledger and its originals. Goes out: tables that hold what a run with the rules of today
//! would have made, to the byte, and what became of everything in them. Nothing of the live tables or the
//! ledger is changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Accounts, Ledger, LedgerError, Plan, Record, Rescued};
use esteira_lake::raw::Raw;
use esteira_lake::tables::LakeTable;

use super::apply::Tables;
use super::fetch::Objects;
use super::observe::Observer;
use super::rules::Stop;
use super::runner::RunSummary;
use super::stages::{self, Context, Prepared};
use crate::clock::{Clock, SystemClock};
use crate::{BrokenRule, Error, Pipeline};

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
    /// Whether an event that breaks a rule which stops ends it.
    pub(crate) stop: Stop,
    /// Who is told how far it is.
    pub(crate) observer: Arc<dyn Observer>,
}

/// What was made again.
pub(crate) struct Replayed {
    pub(crate) summary: RunSummary,
    /// Of each batch and rule that stops, the first event that breaks it.
    pub(crate) stopping: Vec<BrokenRule>,
}

/// Replays.
pub(crate) async fn replay(replay: Replay) -> Result<Replayed, Error> {
    let ledger = Ledger::glance(replay.source.clone(), &replay.pipeline.name).await?;
    let (until, stop) = (replay.until, replay.stop);
    let context = Context {
        raw: Raw::new(replay.source, &replay.pipeline.raw_path),
        pipeline: replay.pipeline,
        bucket: replay.target,
        clock: Arc::new(SystemClock) as Arc<dyn Clock>,
        observer: replay.observer,
    };
    let mut replaying = Replaying::open(context, stop).await?;
    replaying.through(&ledger, until).await?;
    Ok(Replayed {
        summary: replaying.summary,
        stopping: replaying.stopping,
    })
}

/// Tables that are being made again.
pub(super) struct Replaying {
    context: Context,
    tables: Tables,
    /// The batch that comes next.
    next: u64,
    stop: Stop,
    /// What became of everything so far.
    pub(super) accounts: Accounts,
    /// Fields that the schema does not name.
    pub(super) rescued: Rescued,
    /// Fingerprints of the rules that the recorded batches were made by.
    pub(super) rules: BTreeSet<String>,
    pub(super) summary: RunSummary,
    stopping: Vec<BrokenRule>,
}

impl Replaying {
    /// Begins with the first batch, with tables that are empty or not there.
    pub(super) async fn open(context: Context, stop: Stop) -> Result<Self, Error> {
        Ok(Self {
            tables: Tables::open(&context).await?,
            context,
            next: 1,
            stop,
            accounts: Accounts::default(),
            rescued: Rescued::default(),
            rules: BTreeSet::new(),
            summary: RunSummary::default(),
            stopping: Vec::new(),
        })
    }

    /// Takes every batch up to `until`; all of them have records.
    pub(super) async fn through(&mut self, ledger: &Ledger, until: u64) -> Result<(), Error> {
        let mut ready = self.prepare(ledger, self.next, until).await?;
        while let Some((record, prepared)) = ready.take() {
            let next = record.batch + 1;
            let context = self.context.clone();
            let ahead = prepare(&context, ledger, next, until, self.stop);
            let (applied, following) = tokio::join!(self.apply(&record, prepared), ahead);
            applied?;
            ready = following?;
        }
        self.next = self.next.max(until + 1);
        Ok(())
    }

    async fn prepare(
        &self,
        ledger: &Ledger,
        number: u64,
        until: u64,
    ) -> Result<Option<(Record, Prepared)>, Error> {
        prepare(&self.context, ledger, number, until, self.stop).await
    }

    async fn apply(&mut self, record: &Record, prepared: Prepared) -> Result<(), Error> {
        let context = &self.context;
        let stopping = prepared.landed().stopping.iter();
        self.stopping.extend(stopping.cloned());
        let (accounts, rescued) = stages::apply_again(context, &mut self.tables, prepared).await?;
        self.count(&accounts, &rescued);
        self.rules.insert(record.pipeline.clone());
        self.context.observer.recorded(record);
        stages::tidy(&self.context, &mut self.tables, record, None).await;
        Ok(())
    }

    /// Takes the next batch, which nobody has recorded: it was interrupted. Gives the record that it gets
    /// once these tables take the place of the live ones; `before` is that of the batch before it.
    pub(super) async fn take_ahead(
        &mut self,
        ledger: &mut Ledger,
        plan: Plan,
        before: Option<&Record>,
    ) -> Result<Record, Error> {
        let objects = Objects::Interrupted(ledger.cut_of(plan.batch).await?);
        let (process, batch) = (plan.process.clone(), plan.batch);
        let prepared = stages::prepare(&self.context, plan, objects, self.stop).await?;
        // From its record on, its objects may be taken out of the input: what landed may lack some.
        if ledger.is_recorded(batch).await? {
            return Err(LedgerError::AnotherRunner { process, batch }.into());
        }
        let (context, tables) = (&self.context, &mut self.tables);
        let record = stages::take_ahead(context, tables, ledger, before, prepared).await?;
        self.count(&record.accounts, &record.rescued);
        self.pass(record.batch);
        Ok(record)
    }

    /// Passes over a batch that brought no objects.
    pub(super) fn pass(&mut self, batch: u64) {
        self.next = batch + 1;
    }

    /// The batch that comes next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The tables as they are now.
    pub(super) fn tables(&mut self) -> impl Iterator<Item = &LakeTable> {
        self.tables.iter_mut().map(|table| &*table)
    }

    fn count(&mut self, accounts: &Accounts, rescued: &Rescued) {
        self.rescued = self.rescued.plus(rescued);
        self.summary.batches += 1;
        self.summary.objects += accounts.objects.discovered;
        self.summary.events += accounts.events.discovered;
        self.summary.quarantined += accounts.events.quarantined;
        self.accounts = self.accounts.plus(accounts);
    }
}

/// Lands the first batch from `number` to `until` that brought objects. What a retry of the quarantine took
/// is taken with the objects it belongs to.
async fn prepare(
    context: &Context,
    ledger: &Ledger,
    number: u64,
    until: u64,
    stop: Stop,
) -> Result<Option<(Record, Prepared)>, Error> {
    for number in number..=until {
        let (mut plan, record) = ledger.batch(number).await?;
        if !plan.brings_objects() {
            context.observer.recorded(&record);
            continue;
        }
        // What was put off has no original here; it is in a later plan.
        if record.originals.values().any(Option::is_none)
            && let Some(cut) = ledger.cut_of(number).await?
        {
            plan.objects.truncate(cut.objects);
        }
        let prepared = stages::prepare(context, plan, Objects::Recorded(&record), stop).await?;
        return Ok(Some((record, prepared)));
    }
    Ok(None)
}
