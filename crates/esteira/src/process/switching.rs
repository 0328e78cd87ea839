//! Switching to tables that are made anew, from the first batch to the record.
//!
//! Comes in: a pipeline, whose rules the tables shall have from now on. Goes out: the record of a switch.
//! All that takes long is done beside a running job: every recorded batch is replayed. Then the switch is
//! planned as the next batch, which holds everybody back; the last batches are taken, whether they were
//! recorded or not; it is decided, and finished as anybody would (`switch.rs`). What fails before the decision
//! leaves everything as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Decision, Ledger, LedgerError, Made, MadeTable, Plan, Record, Switch};
use esteira_lake::raw::Raw;
use esteira_lake::tables::{LakeTable, TableError, TableSpec};
use serde::Serialize;
use uuid::Uuid;

use super::apply::{quarantine_spec, specs};
use super::replay::Replaying;
use super::rules::Stop;
use super::stages::Context;
use super::{plan, record, switch};
use crate::clock::Clock;
use crate::{Error, Observer, Pipeline};

/// How often it is begun anew where others planned the next batch first.
const ATTEMPTS: u32 = 100;
/// So many batches are left to be taken when everybody waits.
const CLOSE: u64 = 2;
/// How often the replay runs after the job before the switch is planned all the same: each time less is left,
/// unless the job is as fast.
const ROUNDS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(250);
/// What is left of a replay that was killed is deleted when nothing was written there for so long, in
/// microseconds.
const LEFT_BEHIND: i64 = 24 * 3_600_000_000;

/// What shall be switched.
pub(crate) struct Switching {
    /// The pipeline, with the places of the live tables.
    pub(crate) pipeline: Pipeline,
    pub(crate) bucket: Bucket,
    /// Where the tables are made; a place of the ledger's own when it is nothing.
    pub(crate) folder: Option<String>,
    /// Whether that folder stays.
    pub(crate) keep: bool,
    /// How long a running job may take to record a batch that it has planned, before its objects are taken
    /// without it.
    pub(crate) patience: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
}

/// What was switched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SwitchSummary {
    /// The number of the switch among the batches.
    pub batch: u64,
    /// Batches that were made again.
    pub batches: u64,
    /// Objects in them.
    pub objects: u64,
    /// Events and quarantined entries in them.
    pub events: u64,
    /// Every table: its rows now, and before.
    pub tables: BTreeMap<String, SwitchedTable>,
    /// Tables that the pipeline no longer has: they stay as they are, and nothing is written to them.
    pub left_alone: Vec<String>,
    /// The folder of the tables that were made, if it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// What a switch did to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SwitchedTable {
    /// Its Delta version.
    pub version: u64,
    /// Rows it has now.
    pub rows: u64,
    /// Rows it had.
    pub rows_before: u64,
}

/// Makes the tables and switches.
pub(crate) async fn switch_tables(switching: Switching) -> Result<SwitchSummary, Error> {
    let Switching { pipeline, .. } = &switching;
    let replays = format!("{}/{}/replay", crate::pipeline::LEDGER, pipeline.name);
    clear_left_behind(&switching, &replays).await?;
    let own = || format!("{replays}/{}", Uuid::new_v4().simple());
    let folder = switching.folder.clone().unwrap_or_else(own);
    Box::pin(Hand::new(&switching, &folder).await?.run()).await
}

/// One who switches.
struct Hand<'a> {
    switching: &'a Switching,
    /// With the live tables.
    live: Context,
    /// Of the tables that are made.
    pipeline: Arc<Pipeline>,
    folder: String,
}

impl<'a> Hand<'a> {
    /// Looks at the live tables: what cannot be replaced is told of at once.
    async fn new(switching: &'a Switching, folder: &str) -> Result<Self, Error> {
        let mut pipeline = switching.pipeline.clone();
        for spec in live_specs(&switching.pipeline) {
            let (name, wanted) = (spec.name.clone(), Arc::clone(&spec.schema));
            // With a key: rows are taken out of it.
            let spec = TableSpec {
                key: vec![String::new()],
                ..spec
            };
            let there = match LakeTable::open_to_replace(&switching.bucket, spec).await {
                Err(TableError::Missing { .. }) => continue,
                there => there?,
            };
            if there.lacks_local_timestamps(&wanted)? {
                return Err(Error::LocalTimestamp { table: name });
            }
            // Readers that know no deletion vectors stay able to read it.
            if !there.uses_deletion_vectors()?
                && let Some(rules) = pipeline.tables.iter_mut().find(|rules| rules.name == name)
            {
                rules.copy_on_write = true;
            }
        }
        folder.clone_into(&mut pipeline.tables_path);
        pipeline.quarantine_path = format!("{folder}/quarantine");
        let bucket = switching.bucket.clone();
        Ok(Self {
            live: Context {
                raw: Raw::new(bucket.clone(), &switching.pipeline.raw_path),
                pipeline: Arc::new(switching.pipeline.clone()),
                bucket,
                clock: Arc::clone(&switching.clock),
                observer: Arc::clone(&switching.observer),
            },
            switching,
            pipeline: Arc::new(pipeline),
            folder: folder.to_owned(),
        })
    }

    async fn ledger(&self) -> Result<Ledger, Error> {
        let process = &self.live.pipeline.name;
        Ok(Ledger::glance(self.live.bucket.clone(), process).await?)
    }

    async fn run(self) -> Result<SwitchSummary, Error> {
        let context = Context {
            pipeline: Arc::clone(&self.pipeline),
            ..self.live.clone()
        };
        switch::settle(&self.live, &mut self.ledger().await?).await?;
        let (mut replaying, plan) = match self.planned(context).await {
            Ok(planned) => planned,
            Err(error) => {
                self.clear().await;
                return Err(error);
            }
        };
        let made = match self.made(&mut replaying, &plan).await {
            Ok(made) => made,
            Err(error) => {
                self.give_up(&plan, &error).await;
                return Err(error);
            }
        };
        // From here on the tables that were made may be needed by whoever finishes it.
        let mut ledger = self.ledger().await?;
        let made = Decision::Made(Box::new(made));
        match ledger.decide(plan.batch, made).await? {
            Decision::Made(made) => {
                let before = ledger.last_record().cloned();
                let record = switch::finish(&self.live, &mut ledger, &plan, *made).await?;
                Ok(self.summary(&replaying, before.as_ref(), &record))
            }
            Decision::GivenUp { .. } => {
                self.clear().await;
                Err(Error::GivenUp { batch: plan.batch })
            }
        }
    }

    async fn planned(&self, context: Context) -> Result<(Replaying, Plan), Error> {
        let mut replaying = Replaying::open(context, Stop::Ends).await?;
        let plan = self.plan(&mut replaying).await?;
        Ok((replaying, plan))
    }

    async fn clear(&self) {
        if !self.switching.keep {
            switch::clear_folder(&self.switching.bucket, &self.folder).await;
        }
    }

    /// Replays what is recorded and plans the switch behind it.
    async fn plan(&self, replaying: &mut Replaying) -> Result<Plan, Error> {
        let runner = Uuid::new_v4().to_string();
        let mut rounds = 0;
        for _ in 0..ATTEMPTS {
            let mut ledger = self.ledger().await?;
            let newest = ledger.last_recorded();
            let behind = (newest + 1).saturating_sub(replaying.next());
            // Once in any case: what cannot be replayed is found out before anybody is held up.
            if behind > 0 && (rounds == 0 || behind > CLOSE) && rounds < ROUNDS {
                replaying.through(&ledger, newest).await?;
                rounds += 1;
                continue;
            }
            let plan = Plan {
                switch: Some(Switch {
                    folder: self.folder.clone(),
                    keep: self.switching.keep,
                }),
                ..plan::empty(&self.live, &ledger, &runner)
            };
            match ledger.plan(&plan).await {
                Err(
                    LedgerError::AnotherRunner { .. }
                    | LedgerError::Retried { .. }
                    | LedgerError::Switching { .. },
                ) => {}
                planned => return planned.map(|()| plan).map_err(Error::from),
            }
        }
        Err(Error::Overtaken { attempts: ATTEMPTS })
    }

    /// Takes the batches up to the switch, with records or without.
    async fn made(&self, replaying: &mut Replaying, plan: &Plan) -> Result<Made, Error> {
        let mut records: Vec<Record> = Vec::new();
        let (mut waited, mut waited_for) = (Duration::ZERO, 0);
        while replaying.next() < plan.batch {
            let number = replaying.next();
            if waited_for != number {
                (waited, waited_for) = (Duration::ZERO, number);
            }
            let mut ledger = self.ledger().await?;
            let interrupted = ledger.unfinished().iter().find(|p| p.batch == number);
            let Some(interrupted) = interrupted.cloned() else {
                replaying.through(&ledger, number).await?;
                continue;
            };
            let is_switch = interrupted.switch.is_some();
            if is_switch {
                switch::settle(&self.live, &mut ledger).await?;
                if ledger.unfinished().iter().all(|p| p.batch != number) {
                    continue;
                }
            }
            let is_patient = if is_switch {
                !switch::is_overdue(&self.live, &interrupted)
                    && ledger.decision(number).await?.is_none()
            } else {
                waited < self.switching.patience
            };
            if is_patient {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
                continue;
            }
            let before = match records.last() {
                Some(record) => Some(record.clone()),
                None => ledger.last_record().cloned(),
            };
            let before = before.as_ref();
            if is_switch {
                let decided = switch::give_up(&ledger, &interrupted, "another switch followed");
                if let Decision::GivenUp { reason } = decided.await? {
                    records.push(switch::given_up(&self.live, before, &interrupted, reason));
                    replaying.pass(number);
                }
            } else if interrupted.retry.is_some() {
                // What it takes is taken with the objects it belongs to.
                records.push(record::of_nothing(&self.live, before, &interrupted));
                replaying.pass(number);
            } else {
                match replaying.take_ahead(&mut ledger, interrupted, before).await {
                    // Somebody is at it, and met other objects.
                    Err(Error::Ledger(LedgerError::AnotherRunner { .. })) => {
                        waited = Duration::ZERO;
                    }
                    taken => records.push(taken?),
                }
            }
        }
        let mut replaced = replaying.rules.clone();
        replaced.extend(records.iter().map(|record| record.pipeline.clone()));
        replaced.remove(&plan.pipeline);
        let mut live: BTreeMap<String, String> = live_specs(&self.live.pipeline)
            .map(|spec| (spec.name, spec.path))
            .collect();
        let tables = replaying.tables().filter_map(|table| {
            let made = MadeTable {
                live: live.remove(table.name())?,
                folder: table.spec().path.clone(),
                version: table.version(),
            };
            Some((table.name().to_owned(), made))
        });
        Ok(Made {
            tables: tables.collect(),
            records,
            accounts: replaying.accounts.clone(),
            rescued: replaying.rescued.clone(),
            replaced: replaced.into_iter().collect(),
        })
    }

    /// Lets everybody go on after something failed.
    async fn give_up(&self, plan: &Plan, error: &Error) {
        let give_up = async {
            let mut ledger = self.ledger().await?;
            switch::give_up(&ledger, plan, &error.to_string()).await?;
            self.clear().await;
            let oldest = ledger.unfinished().first().map(|plan| plan.batch);
            // What comes before is recorded first, by whoever finishes it.
            if oldest == Some(plan.batch) {
                switch::pass(&self.live, &mut ledger, plan).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = give_up.await {
            tracing::warn!(batch = plan.batch, %error, "the switch could not be given up; whoever meets it does so");
        }
    }

    fn summary(
        &self,
        replaying: &Replaying,
        before: Option<&Record>,
        record: &Record,
    ) -> SwitchSummary {
        let tables = record.tables.iter().map(|(name, table)| {
            let switched = SwitchedTable {
                version: table.version,
                rows: table.rows_added,
                rows_before: table.rows_removed,
            };
            (name.clone(), switched)
        });
        let known = before.into_iter().flat_map(|record| record.tables.keys());
        let left_alone = known.filter(|name| !record.tables.contains_key(*name));
        SwitchSummary {
            batch: record.batch,
            batches: replaying.summary.batches,
            objects: replaying.summary.objects,
            events: replaying.summary.events,
            tables: tables.collect(),
            left_alone: left_alone.cloned().collect(),
            kept: self.switching.keep.then(|| self.folder.clone()),
        }
    }
}

fn live_specs(pipeline: &Pipeline) -> impl Iterator<Item = TableSpec> + '_ {
    specs(pipeline).chain([quarantine_spec(pipeline)])
}

/// Deletes what replays left behind that were killed before they planned anything.
async fn clear_left_behind(switching: &Switching, replays: &str) -> Result<(), Error> {
    let mut newest: BTreeMap<String, i64> = BTreeMap::new();
    let above = format!("{replays}/");
    for file in switching.bucket.list(&above).await? {
        let Some((folder, _)) = file.key[above.len()..].split_once('/') else {
            continue;
        };
        let newest = newest.entry(folder.to_owned()).or_default();
        *newest = file.modified_micros.max(*newest);
    }
    let ledger = Ledger::glance(switching.bucket.clone(), &switching.pipeline.name).await?;
    // A switch that is decided is finished from its folder, however old that is.
    let needed: BTreeSet<&str> = (ledger.unfinished().iter())
        .filter_map(|plan| plan.switch.as_ref())
        .map(|switch| switch.folder.as_str())
        .collect();
    let now = switching.clock.now_micros();
    for (folder, newest) in newest {
        let folder = format!("{replays}/{folder}");
        if newest < now - LEFT_BEHIND && !needed.contains(folder.as_str()) {
            switch::clear_folder(&switching.bucket, &folder).await;
        }
    }
    Ok(())
}
