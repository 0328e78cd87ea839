//! The ledger of one process in its bucket.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;

use super::labelled::Labelled;
use super::{Cut, LedgerError, Plan, Record, Seen, fence};
use crate::bucket::{Bucket, Fetched, PutNew};

/// A snapshot of what has been seen is written when this many entries came since the last one, or
/// half of all: so a start reads little, and the snapshots' cost stays proportional to the input.
const SNAPSHOT_AFTER: usize = 40_000;
/// And after this many batches, however small: a start reads every plan since the last snapshot.
const SNAPSHOT_AFTER_BATCHES: u64 = 500;
const READS_AT_ONCE: usize = 16;

/// The ledger of one process, opened by one runner.
#[derive(Debug)]
pub struct Ledger {
    bucket: Bucket,
    prefix: String,
    seen: Seen,
    snapshot: u64,
    snapshot_len: usize,
    last_plan: u64,
    unfinished: Vec<Plan>,
    /// Since the snapshot, by batch.
    cuts: BTreeMap<u64, Cut>,
    last_record: Option<Record>,
}

impl Ledger {
    /// Reads the ledger of `process`; an absent one is empty.
    ///
    /// # Errors
    /// [`LedgerError`] when the bucket fails or a file cannot be understood.
    pub async fn open(bucket: Bucket, process: &str) -> Result<Self, LedgerError> {
        let mut ledger = Self::glance(bucket, process).await?;
        if ledger.snapshot > 0 {
            let key = ledger.key("seen", ledger.snapshot);
            let bytes = ledger.bytes(&key).await?;
            ledger.seen = Seen::from_bytes(&bytes).map_err(|reason| unreadable(&key, reason))?;
            ledger.snapshot_len = ledger.seen.len();
        }
        for number in ledger.numbers("cuts", ledger.snapshot).await? {
            let cut = ledger.json(&ledger.key("cuts", number)).await?;
            ledger.cuts.insert(number, cut);
        }
        // In their order: what a batch put off may be in a later plan.
        for plan in ledger.plans(ledger.snapshot + 1).await? {
            ledger.see(&plan);
            if !ledger.unfinished.iter().any(|p| p.batch == plan.batch) {
                ledger.put_back(&plan);
            }
        }
        Ok(ledger)
    }

    /// Reads how far `process` is, without what has been seen: enough to read the tables.
    ///
    /// # Errors
    /// [`LedgerError`] when the bucket fails or a file cannot be understood.
    pub async fn glance(bucket: Bucket, process: &str) -> Result<Self, LedgerError> {
        let mut ledger = Self {
            prefix: format!("_esteira/{process}"),
            bucket,
            seen: Seen::default(),
            snapshot: 0,
            snapshot_len: 0,
            last_plan: 0,
            unfinished: Vec::new(),
            cuts: BTreeMap::new(),
            last_record: None,
        };
        let snapshots = ledger.numbers("seen", 0).await?;
        ledger.snapshot = snapshots.last().copied().unwrap_or(0);
        // A snapshot is written when every plan has its record, so nothing before it is unfinished.
        let plans = ledger.numbers("plans", ledger.snapshot).await?;
        let records = ledger.numbers("records", ledger.snapshot).await?;
        ledger.last_plan = plans.last().copied().unwrap_or(ledger.snapshot);
        for &number in plans.difference(&records) {
            let plan = ledger.file("plans", number).await?;
            ledger.unfinished.push(plan);
        }
        let last = records.last().copied().unwrap_or(ledger.snapshot);
        if last > 0 {
            ledger.last_record = Some(ledger.file("records", last).await?);
        }
        Ok(ledger)
    }

    /// The contents that some plan holds.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Remembers that this content of a key was taken under another entity tag. Not written down: the
    /// next start finds out again.
    pub fn remember(&mut self, key: &str, etag: &str) {
        self.seen.insert(key, etag);
    }

    /// Plans without a record, oldest first: they must be run before anything new.
    #[must_use]
    pub fn unfinished(&self) -> &[Plan] {
        &self.unfinished
    }

    /// The newest record.
    #[must_use]
    pub fn last_record(&self) -> Option<&Record> {
        self.last_record.as_ref()
    }

    /// The number of the newest record; 0 when there is none.
    #[must_use]
    pub fn last_recorded(&self) -> u64 {
        self.last_record.as_ref().map_or(0, |record| record.batch)
    }

    /// The number of the newest plan; 0 when there is none.
    #[must_use]
    pub fn last_plan(&self) -> u64 {
        self.last_plan
    }

    /// Writes the next plan; from then on its objects count as seen.
    ///
    /// # Errors
    /// [`LedgerError::AnotherRunner`] when another runner planned this number; the bucket's errors.
    pub async fn plan(&mut self, plan: &Plan) -> Result<(), LedgerError> {
        fence::acquire(&self.bucket, &self.key("plans", plan.batch), plan).await?;
        self.last_plan = plan.batch;
        self.see(plan);
        Ok(())
    }

    /// Where the batch was cut off, if it was.
    #[must_use]
    pub fn cut(&self, batch: u64) -> Option<&Cut> {
        self.cuts.get(&batch)
    }

    /// Writes that a batch ends before its plan does, before any table has it. Who runs it again ends it
    /// there, too; from its record on the other objects count as not seen.
    ///
    /// # Errors
    /// [`LedgerError::AnotherRunner`] when another runner cut it off elsewhere; the bucket's errors.
    pub async fn cut_off(&mut self, plan: &Plan, cut: Cut) -> Result<(), LedgerError> {
        let key = self.key("cuts", plan.batch);
        let body =
            serde_json::to_vec(&cut).map_err(|error| unreadable(&key, &error.to_string()))?;
        if self.bucket.put_new(&key, Bytes::from(body)).await? == PutNew::Exists
            && self.json::<Cut>(&key).await? != cut
        {
            return Err(LedgerError::AnotherRunner {
                process: plan.process.clone(),
                batch: plan.batch,
            });
        }
        self.cuts.insert(plan.batch, cut);
        Ok(())
    }

    /// Writes that a batch is all of its plan, where another runner may have met other objects: before they
    /// were replaced, or after.
    ///
    /// # Errors
    /// [`LedgerError::AnotherRunner`] when another runner cut it off; the bucket's errors.
    pub async fn stay_whole(&mut self, plan: &Plan) -> Result<(), LedgerError> {
        let objects = plan.objects.len();
        self.cut_off(plan, Cut { objects }).await
    }

    fn see(&mut self, plan: &Plan) {
        for object in &plan.objects {
            self.seen.insert(&object.key, &object.etag);
        }
    }

    fn put_back(&mut self, plan: &Plan) {
        if let Some(cut) = self.cuts.get(&plan.batch) {
            for object in plan.objects.iter().skip(cut.objects) {
                self.seen.remove(&object.key, &object.etag);
            }
        }
    }

    /// Writes the record of a finished batch.
    ///
    /// # Errors
    /// The bucket's errors.
    pub async fn record(&mut self, plan: &Plan, record: Record) -> Result<(), LedgerError> {
        let key = self.key("records", record.batch);
        let body = serde_json::to_vec_pretty(&record)
            .map_err(|error| unreadable(&key, &error.to_string()))?;
        let record = match self.bucket.put_new(&key, Bytes::from(body)).await? {
            PutNew::Created => record,
            // Somebody ran the same batch. What became of each event was seen by who came first.
            PutNew::Exists => self.json(&key).await?,
        };
        self.unfinished.retain(|plan| plan.batch != record.batch);
        self.put_back(plan);
        self.last_record = Some(record);
        Ok(())
    }

    /// Writes a snapshot of what has been seen when enough came since the last one.
    ///
    /// Only when every plan has its record: a snapshot may not hide an unfinished batch.
    ///
    /// # Errors
    /// The bucket's errors.
    pub async fn snapshot_if_due(&mut self) -> Result<(), LedgerError> {
        let recorded = self.last_recorded();
        let fresh = self.seen.len().saturating_sub(self.snapshot_len);
        let is_due = fresh >= SNAPSHOT_AFTER.max(self.snapshot_len / 2)
            || recorded >= self.snapshot + SNAPSHOT_AFTER_BATCHES;
        if recorded != self.last_plan || !is_due {
            return Ok(());
        }
        let key = self.key("seen", recorded);
        self.bucket.put(&key, self.seen.to_bytes()).await?;
        // The one before stays: somebody may be reading it.
        let mut older = self.numbers("seen", 0).await?;
        older.retain(|number| *number < self.snapshot);
        for number in older {
            self.bucket.delete(&self.key("seen", number)).await?;
        }
        self.snapshot = recorded;
        self.snapshot_len = self.seen.len();
        Ok(())
    }

    /// Where the batch was cut off, if it was, whether or not that was since the snapshot.
    ///
    /// # Errors
    /// The bucket's errors, or a file that cannot be understood.
    pub async fn cut_of(&self, batch: u64) -> Result<Option<Cut>, LedgerError> {
        self.json_if_any(&self.key("cuts", batch)).await
    }

    /// The record of a batch.
    ///
    /// # Errors
    /// The bucket's errors, or a record that is gone or cannot be understood.
    pub async fn record_of(&self, batch: u64) -> Result<Record, LedgerError> {
        self.file("records", batch).await
    }

    /// Whether there is a record of the batch by now.
    ///
    /// # Errors
    /// The bucket's errors.
    pub async fn is_recorded(&self, batch: u64) -> Result<bool, LedgerError> {
        let size = self.bucket.size_of(&self.key("records", batch)).await?;
        Ok(size.is_some())
    }

    /// Every record from batch `from` on, oldest first.
    ///
    /// # Errors
    /// The bucket's errors, or a record that cannot be understood.
    pub async fn records(&self, from: u64) -> Result<Vec<Record>, LedgerError> {
        self.all("records", from).await
    }

    /// Every plan from batch `from` on, oldest first.
    ///
    /// # Errors
    /// The bucket's errors, or a plan that cannot be understood.
    pub async fn plans(&self, from: u64) -> Result<Vec<Plan>, LedgerError> {
        self.all("plans", from).await
    }

    /// The batch's plan.
    ///
    /// # Errors
    /// The bucket's errors, or a plan that is gone or cannot be understood.
    pub async fn plan_of(&self, batch: u64) -> Result<Plan, LedgerError> {
        self.file("plans", batch).await
    }

    /// Every plan from batch `from` on, each with the objects that its batch took: without those that were put
    /// off.
    ///
    /// # Errors
    /// The bucket's errors, or a file that cannot be understood.
    pub async fn taken(&self, from: u64) -> Result<Vec<Plan>, LedgerError> {
        let mut plans = self.plans(from).await?;
        for number in self.numbers("cuts", from.saturating_sub(1)).await? {
            let cut: Cut = self.json(&self.key("cuts", number)).await?;
            if let Some(plan) = plans.iter_mut().find(|plan| plan.batch == number) {
                plan.objects.truncate(cut.objects);
            }
        }
        Ok(plans)
    }

    /// A batch's plan and record.
    ///
    /// # Errors
    /// The bucket's errors, or a file that is gone or cannot be understood.
    pub async fn batch(&self, number: u64) -> Result<(Plan, Record), LedgerError> {
        tokio::try_join!(self.file("plans", number), self.file("records", number))
    }

    async fn all<T: Labelled>(&self, kind: &str, from: u64) -> Result<Vec<T>, LedgerError> {
        let numbers = self.numbers(kind, from.saturating_sub(1)).await?;
        let reads: Vec<_> = numbers
            .into_iter()
            .map(|number| self.file(kind, number))
            .collect();
        futures::stream::iter(reads)
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await
    }

    pub(super) fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    pub(super) fn key(&self, kind: &str, number: u64) -> String {
        let extension = if kind == "seen" { "bin" } else { "json" };
        format!("{}/{kind}/{number:020}.{extension}", self.prefix)
    }

    /// The numbers of the files of a kind that are greater than `after`.
    async fn numbers(&self, kind: &str, after: u64) -> Result<BTreeSet<u64>, LedgerError> {
        let folder = format!("{}/{kind}/", self.prefix);
        let last = self.key(kind, after);
        let mut numbers = BTreeSet::new();
        for object in self.bucket.list_after(&folder, &last).await? {
            let name = object.key.strip_prefix(&folder).unwrap_or(&object.key);
            if let Some(number) = name.split('.').next().and_then(|n| n.parse().ok()) {
                numbers.insert(number);
            }
        }
        Ok(numbers)
    }

    /// A file that says which batch it is of.
    async fn file<T: Labelled>(&self, kind: &str, number: u64) -> Result<T, LedgerError> {
        let key = self.key(kind, number);
        let file: T = self.json(&key).await?;
        let process = self.prefix.trim_start_matches("_esteira/");
        match file.contradicts(process, number) {
            Some(reason) => Err(unreadable(&key, &reason)),
            None => Ok(file),
        }
    }

    async fn bytes(&self, key: &str) -> Result<Bytes, LedgerError> {
        match self.bucket.get(key, None).await? {
            Fetched::Bytes(bytes) => Ok(bytes),
            Fetched::Changed | Fetched::Missing => Err(unreadable(key, "it is gone")),
        }
    }

    pub(super) async fn json_if_any<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<T>, LedgerError> {
        match self.bucket.get(key, None).await? {
            Fetched::Bytes(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| unreadable(key, &error.to_string())),
            Fetched::Changed | Fetched::Missing => Ok(None),
        }
    }

    async fn json<T: DeserializeOwned>(&self, key: &str) -> Result<T, LedgerError> {
        let bytes = self.bytes(key).await?;
        serde_json::from_slice(&bytes).map_err(|error| unreadable(key, &error.to_string()))
    }
}

pub(super) fn unreadable(key: &str, reason: &str) -> LedgerError {
    LedgerError::Unreadable {
        key: key.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Environment;
    use crate::ledger::{Accounts, Freshness, PlannedObject, Rescued, Timings};

    fn bucket() -> (tempfile::TempDir, Bucket) {
        let folder = tempfile::tempdir().unwrap();
        let location = format!("file://{}", folder.path().display());
        let bucket = Bucket::open(&location, &Environment::default()).unwrap();
        (folder, bucket)
    }

    fn plan(batch: u64) -> Plan {
        Plan {
            format: 1,
            batch,
            process: "p".into(),
            runner: "r".into(),
            pipeline: String::new(),
            planned_at: 1,
            processing_date: "2026-01-02".into(),
            input: None,
            most_text_bytes: None,
            objects: vec![PlannedObject {
                key: format!("input/{batch}.json"),
                etag: "e".into(),
                size: 1,
                modified: 1,
            }],
            retry: None,
            switch: None,
        }
    }

    fn record(batch: u64) -> Record {
        Record {
            format: 1,
            batch,
            process: "p".into(),
            pipeline: String::new(),
            rules_since: None,
            planned_at: 1,
            recorded_at: 2,
            newest_object: 1,
            bytes: 1,
            tables: std::collections::BTreeMap::new(),
            input: String::new(),
            originals: std::collections::BTreeMap::new(),
            accounts: Accounts::default(),
            rescued: Rescued::default(),
            retry_of: None,
            withdrawn: Accounts::default(),
            switch: None,
            switched_in: None,
            totals: Accounts::default(),
            rescued_totals: Rescued::default(),
            freshness_ms: Freshness::default(),
            timings_ms: Timings::default(),
        }
    }

    #[tokio::test]
    async fn ledger_opened_after_a_snapshot_knows_everything_before_it() {
        let (folder, bucket) = bucket();
        let mut ledger = Ledger::open(bucket.clone(), "p").await.unwrap();
        for batch in 1..=2 * SNAPSHOT_AFTER_BATCHES + 3 {
            ledger.plan(&plan(batch)).await.unwrap();
            ledger.record(&plan(batch), record(batch)).await.unwrap();
            ledger.snapshot_if_due().await.unwrap();
        }
        let last = 2 * SNAPSHOT_AFTER_BATCHES + 4;
        ledger.plan(&plan(last)).await.unwrap();
        let snapshots = folder.path().join("_esteira/p/seen");
        assert_eq!(std::fs::read_dir(snapshots).unwrap().count(), 2);
        // What is before the snapshot is not needed any more to go on.
        std::fs::remove_file(folder.path().join(ledger.key("plans", 7))).unwrap();
        let opened = Ledger::open(bucket, "p").await.unwrap();
        for batch in 1..=last {
            assert!(opened.seen().contains(&format!("input/{batch}.json"), "e"));
        }
        assert_eq!(opened.last_plan(), last);
        assert_eq!(opened.last_record().unwrap().batch, last - 1);
        let unfinished: Vec<u64> = opened.unfinished().iter().map(|plan| plan.batch).collect();
        assert_eq!(unfinished, [last]);
        assert_eq!(opened.records(last - 2).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn ledger_refuses_a_file_that_is_not_what_its_name_says() {
        let (_folder, bucket) = bucket();
        let mut later = plan(1);
        later.format = 2;
        let mut other = plan(1);
        other.process = "q".into();
        let mut retry = plan(1);
        retry.retry = Some(crate::ledger::Retry {
            batch: 1,
            planned_at: 1,
            objects: Vec::new(),
        });
        let cases = [
            (
                later,
                "it has format 2, and this version of the program knows format 1",
            ),
            (
                other,
                "it is of batch 1 of process `q`, not of batch 1 of `p`",
            ),
            (
                plan(7),
                "it is of batch 7 of process `p`, not of batch 1 of `p`",
            ),
            (
                retry,
                "it has 1 objects, and says of 0 what is taken of them",
            ),
        ];
        for (plan, reason) in cases {
            let key = "_esteira/p/plans/00000000000000000001.json";
            let bytes = serde_json::to_vec(&plan).unwrap();
            bucket.delete(key).await.unwrap();
            let put = bucket.put_new(key, bytes.into()).await.unwrap();
            assert_eq!(put, PutNew::Created);
            let error = Ledger::open(bucket.clone(), "p").await.unwrap_err();
            let told = format!("`{key}` in the ledger cannot be read: {reason}");
            assert_eq!(error.to_string(), told);
        }
    }
}
