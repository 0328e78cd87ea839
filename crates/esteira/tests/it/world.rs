//! A bucket in memory, the oracle beside it, and runs in between.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use deltalake::DeltaTable;
use esteira::{Clock, Error, Lake, Pipeline, Process, RunSummary, Submit, SystemClock};
use esteira_lake::bucket::Bucket;
use esteira_lake::tidy::{Effort, TidyRules};
use esteira_testkit::history::History;
use esteira_testkit::oracle::{Expected, InputObject, QuarantineRow, expected};
use esteira_testkit::reviews;
use esteira_testkit::rows::{canonical_rows, diff};
use esteira_testkit::store::TestStore;

pub(crate) const TABLES: [&str; 4] = ["orders", "products", "sellers", "shipments"];

/// Merges and rewrites at every opportunity, even the few kilobytes of a test.
const RESTLESS: TidyRules = TidyRules {
    target_bytes: 24 * 1024,
    merge_files: 2,
    dead_percent: 30,
};

const AT_REST: TidyRules = TidyRules {
    target_bytes: 24 * 1024,
    merge_files: usize::MAX,
    dead_percent: 100,
};

pub(crate) struct World {
    pub(crate) store: Arc<TestStore>,
    pub(crate) arrived: Vec<InputObject>,
    process: Arc<dyn Process>,
    /// Instead of the pipeline's own paths.
    input: Vec<&'static str>,
    clock: Arc<dyn Clock>,
    objects_per_batch: usize,
    bytes_per_batch: Option<u64>,
    object_bytes: Option<usize>,
    copy_on_write: bool,
    rules: TidyRules,
    change: fn(&mut Pipeline),
}

/// The machine's clock, ahead of what it says.
#[derive(Debug)]
struct Ahead(Duration);

impl Clock for Ahead {
    fn now_micros(&self) -> i64 {
        let ahead = i64::try_from(self.0.as_micros()).unwrap();
        SystemClock.now_micros() + ahead
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            input: vec!["input/**"],
            ..Self::of("marketing_place")
        }
    }

    /// A folder, or the name of a built-in one.
    pub(crate) fn of(pipeline: &str) -> Self {
        Self::running(Pipeline::files(pipeline).unwrap())
    }

    pub(crate) fn running(process: impl Process + 'static) -> Self {
        Self {
            store: Arc::new(TestStore::default()),
            arrived: Vec::new(),
            process: Arc::new(process),
            input: Vec::new(),
            clock: Arc::new(SystemClock),
            objects_per_batch: 10_000,
            bytes_per_batch: None,
            object_bytes: None,
            copy_on_write: false,
            rules: TidyRules::default(),
            change: |_| {},
        }
    }

    /// From now on runs with another folder.
    pub(crate) fn turn_to(&mut self, folder: &Path) {
        self.process = Arc::new(Pipeline::files(folder.to_str().unwrap()).unwrap());
    }

    /// From now on runs with another pipeline and its own input: a folder, or the name of a built-in one.
    pub(crate) fn follow(&mut self, pipeline: &str) {
        self.turn_to(Path::new(pipeline));
        self.input = Vec::new();
    }

    /// From now on it is so much later.
    pub(crate) fn later(&mut self, ahead: Duration) {
        self.clock = Arc::new(Ahead(ahead));
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// From now on runs with a pipeline that was changed.
    pub(crate) fn change(&mut self, change: fn(&mut Pipeline)) {
        self.change = change;
    }

    /// Takes what these paths match.
    pub(crate) fn with_input(mut self, input: &[&'static str]) -> Self {
        self.input = input.to_vec();
        self
    }

    /// Runs at this instant, in microseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn at(&mut self, micros: i64) {
        self.clock = Arc::new(Still(micros));
    }

    pub(crate) fn with_copy_on_write(mut self, copy_on_write: bool) -> Self {
        self.copy_on_write = copy_on_write;
        self
    }

    pub(crate) fn restless(mut self) -> Self {
        self.rules = RESTLESS;
        self
    }

    /// Never merges nor rewrites.
    pub(crate) fn at_rest(mut self) -> Self {
        self.rules = AT_REST;
        self
    }

    pub(crate) fn with_batches_of(mut self, objects: usize) -> Self {
        self.objects_per_batch = objects;
        self
    }

    /// Batches of so many bytes, and objects of at most so many.
    pub(crate) fn with_bytes(mut self, batch: u64, object: usize) -> Self {
        self.bytes_per_batch = Some(batch);
        self.object_bytes = Some(object);
        self
    }

    pub(crate) async fn arrive(&mut self, objects: &[InputObject]) {
        for object in objects {
            self.store
                .upload(&object.key, object.bytes.clone(), object.modified_micros)
                .await
                .unwrap();
            self.arrived.push(object.clone());
        }
    }

    pub(crate) fn bucket(&self) -> Bucket {
        Bucket::of_store(self.store.clone()).unwrap()
    }

    pub(crate) async fn run(&self) -> Result<RunSummary, Error> {
        self.submit().once(true).run().await
    }

    /// A run that is not started yet.
    pub(crate) fn submit(&self) -> Submit {
        let submit = Submit::new()
            .process(Arc::clone(&self.process))
            .opened_bucket(self.bucket())
            .attempts(1)
            .clock(Arc::clone(&self.clock))
            .adjust(self.adjust());
        self.input
            .iter()
            .fold(submit, |submit, path| submit.input(*path))
    }

    pub(crate) async fn status(&self) -> esteira::Status {
        esteira::status(&self.lake().await, &self.clock)
            .await
            .unwrap()
    }

    /// The keys of all objects that begin so.
    pub(crate) async fn keys(&self, prefix: &str) -> Vec<String> {
        let contents = self.store.contents().await.unwrap();
        let keys = contents.into_iter().map(|(key, _)| key);
        keys.filter(|key| key.starts_with(prefix)).collect()
    }

    /// The same bucket with another pipeline.
    pub(crate) fn beside(&self, pipeline: &str) -> Self {
        Self {
            store: Arc::clone(&self.store),
            ..Self::of(pipeline)
        }
    }

    /// Takes every object below `input/`.
    pub(crate) fn take_everything(&mut self) {
        self.input = vec!["input/**"];
    }

    fn adjust(&self) -> impl FnOnce(&mut Pipeline) + Send + 'static {
        let (objects_per_batch, rules) = (self.objects_per_batch, self.rules);
        let (copy_on_write, change) = (self.copy_on_write, self.change);
        let (bytes_per_batch, object_bytes) = (self.bytes_per_batch, self.object_bytes);
        move |pipeline| {
            change(pipeline);
            let limits = &mut pipeline.limits;
            limits.objects_per_batch = objects_per_batch;
            limits.bytes_per_batch = bytes_per_batch.unwrap_or(limits.bytes_per_batch);
            limits.decompressed_bytes_per_object =
                object_bytes.unwrap_or(limits.decompressed_bytes_per_object);
            pipeline.maintenance.rules = rules;
            for table in &mut pipeline.tables {
                table.copy_on_write = copy_on_write;
            }
        }
    }

    pub(crate) async fn lake(&self) -> Lake {
        self.submit().lake().await.unwrap()
    }

    /// Lets a history arrive, wave by wave.
    pub(crate) async fn play(&mut self, history: &History, seed: u64) {
        for arrival in history.arrivals(seed) {
            self.arrive(&arrival).await;
            self.run().await.unwrap();
        }
    }

    /// Tidies all tables by hand.
    pub(crate) async fn optimize(&self, effort: Effort) {
        let lake = self.lake().await;
        let done = esteira::optimize(&lake, &[], effort).await.unwrap();
        assert!(
            done.len() > lake.pipeline().tables.len(),
            "all, and the quarantine"
        );
    }

    /// Deletes what is not needed, without a retention; gives the keys.
    pub(crate) async fn vacuum(&self) -> Vec<String> {
        let clock = self.clock();
        let lake = self.lake().await;
        let done = esteira::vacuum(&lake, &[], Duration::ZERO, false, &clock).await;
        let litter = done.unwrap().into_iter().flat_map(|(_, done)| done.litter);
        litter.map(|file| file.key).collect()
    }

    /// A table as another program opens it.
    pub(crate) async fn foreign(&self, table: &str) -> DeltaTable {
        foreign(&self.bucket(), table).await
    }

    /// Holds everything there is against the oracle.
    pub(crate) async fn check(&self) {
        let expected = expected(&self.arrived);
        let lake = self.lake().await;
        let session = lake.session().await.unwrap();
        for table in TABLES {
            let frame = session.table(table).await.unwrap();
            let rows = canonical_rows(&frame.collect().await.unwrap());
            if let Some(difference) = diff(expected.table(table).unwrap(), &rows) {
                panic!("{table}: {difference}");
            }
        }
        self.check_quarantine(&session, &expected).await;
        self.check_raw(&lake).await;
        let rejected = expected.quarantine.len() as u64;
        self.check_accounts(&lake, expected.entries, rejected).await;
    }

    /// The same, read with another pipeline than it runs with.
    pub(crate) async fn check_reviews_with(&self, pipeline: &str) {
        let mut reader = self.beside(pipeline);
        reader.arrived.clone_from(&self.arrived);
        reader.check_reviews().await;
    }

    /// Holds everything that the reviews made against their oracle.
    pub(crate) async fn check_reviews(&self) {
        let expected = reviews::expected(&self.arrived);
        let lake = self.lake().await;
        let session = lake.session().await.unwrap();
        for (table, wanted) in expected.tables() {
            let frame = session.table(table).await.unwrap();
            let rows = canonical_rows(&frame.collect().await.unwrap());
            if let Some(difference) = diff(wanted, &rows) {
                panic!("{table}: {difference}");
            }
        }
        self.check_raw(&lake).await;
        self.check_accounts(&lake, expected.entries, expected.broken)
            .await;
    }

    async fn check_quarantine(
        &self,
        session: &datafusion::execution::context::SessionContext,
        expected: &Expected,
    ) {
        let frame = session
            .sql(
                "SELECT _source_file AS source_file, _source_position AS position, reason, original \
                 FROM quarantine",
            )
            .await
            .unwrap();
        let actual = canonical_rows(&frame.collect().await.unwrap());
        let wanted: Vec<_> = expected
            .quarantine
            .iter()
            .map(QuarantineRow::to_row)
            .collect();
        if let Some(difference) = diff(&wanted, &actual) {
            panic!("quarantine: {difference}");
        }
    }

    async fn check_raw(&self, lake: &Lake) {
        let days = format!("{}/dt_processamento=", lake.pipeline().raw_path);
        let mut kept: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for (key, bytes) in self.store.contents().await.unwrap() {
            if key.starts_with(&days) {
                *kept.entry(bytes).or_default() += 1;
            }
        }
        let mut wanted: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for object in &self.arrived {
            *wanted.entry(object.bytes.clone()).or_default() += 1;
        }
        assert!(
            kept == wanted,
            "raw does not hold every original exactly once"
        );
    }

    async fn check_accounts(&self, lake: &Lake, entries: u64, rejected: u64) {
        let records = lake.ledger().records(0).await.unwrap();
        for record in &records {
            assert!(record.accounts.objects.add_up(), "{record:?}");
            assert!(record.accounts.events.add_up(), "{record:?}");
        }
        let totals = &records.last().unwrap().totals;
        assert!(lake.ledger().unfinished().is_empty());
        assert_eq!(totals.objects.discovered, self.arrived.len() as u64);
        assert_eq!(totals.events.discovered, entries);
        assert_eq!(totals.events.quarantined, rejected);
        assert_eq!(totals.events.duplicate, 0);
    }

    /// Every table's version, to see that nothing was committed.
    pub(crate) async fn versions(&self) -> BTreeMap<String, u64> {
        let lake = self.lake().await;
        let tables = &lake.ledger().last_record().unwrap().tables;
        tables
            .iter()
            .map(|(name, table)| (name.clone(), table.version))
            .collect()
    }
}

#[derive(Debug)]
struct Still(i64);

impl Clock for Still {
    fn now_micros(&self) -> i64 {
        self.0
    }
}

/// A table as another program opens it, at its newest version.
pub(crate) async fn foreign(bucket: &Bucket, table: &str) -> DeltaTable {
    let log_store = bucket.log_store(&format!("analytics/{table}")).unwrap();
    let mut table = DeltaTable::new(log_store);
    table.load().await.unwrap();
    table
}
