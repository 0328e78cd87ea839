//! A bucket in memory, the oracle beside it, and runs in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use esteira::{Error, Lake, Pipeline, RunSummary, Submit};
use esteira_lake::bucket::Bucket;
use esteira_testkit::oracle::{Expected, InputObject, QuarantineRow, expected};
use esteira_testkit::rows::{canonical_rows, diff};
use esteira_testkit::store::TestStore;

pub(crate) struct World {
    pub(crate) store: Arc<TestStore>,
    pub(crate) arrived: Vec<InputObject>,
    objects_per_batch: usize,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            store: Arc::new(TestStore::default()),
            arrived: Vec::new(),
            objects_per_batch: 10_000,
        }
    }

    pub(crate) fn with_batches_of(mut self, objects: usize) -> Self {
        self.objects_per_batch = objects;
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

    fn bucket(&self) -> Bucket {
        Bucket::of_store(self.store.clone()).unwrap()
    }

    pub(crate) async fn run(&self) -> Result<RunSummary, Error> {
        let objects_per_batch = self.objects_per_batch;
        Submit::new(Pipeline::marketing_place().unwrap())
            .opened_bucket(self.bucket())
            .input("input/**")
            .once(true)
            .attempts(1)
            .adjust(move |pipeline| pipeline.limits.objects_per_batch = objects_per_batch)
            .run()
            .await
    }

    pub(crate) async fn lake(&self) -> Lake {
        let pipeline = Pipeline::marketing_place().unwrap().load().await.unwrap();
        Lake::open(pipeline, self.bucket()).await.unwrap()
    }

    /// Holds everything there is against the oracle.
    pub(crate) async fn check(&self) {
        let expected = expected(&self.arrived);
        let lake = self.lake().await;
        let session = lake.session().await.unwrap();
        for table in ["orders", "products", "sellers", "shipments"] {
            let frame = session.table(table).await.unwrap();
            let rows = canonical_rows(&frame.collect().await.unwrap());
            if let Some(difference) = diff(expected.table(table).unwrap(), &rows) {
                panic!("{table}: {difference}");
            }
        }
        self.check_quarantine(&session, &expected).await;
        self.check_raw().await;
        self.check_accounts(&lake, &expected).await;
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

    async fn check_raw(&self) {
        let mut kept: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for (key, bytes) in self.store.contents().await.unwrap() {
            if key.starts_with("raw/marketing_place/dt_processamento=") {
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

    async fn check_accounts(&self, lake: &Lake, expected: &Expected) {
        let records = lake.ledger().records(0).await.unwrap();
        for record in &records {
            assert!(record.accounts.objects.add_up(), "{record:?}");
            assert!(record.accounts.events.add_up(), "{record:?}");
        }
        let totals = &records.last().unwrap().totals;
        assert!(lake.ledger().unfinished().is_empty());
        assert_eq!(totals.objects.discovered, self.arrived.len() as u64);
        assert_eq!(totals.events.discovered, expected.entries);
        assert_eq!(totals.events.quarantined, expected.quarantine.len() as u64);
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
