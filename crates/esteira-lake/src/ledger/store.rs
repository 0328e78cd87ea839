//! The ledger of one process in its bucket.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{LedgerError, Plan, Record, Seen, fence};
use crate::bucket::{Bucket, Fetched, PutNew};

/// A snapshot of what has been seen is written when this many contents came since the last one, or
/// half of all: so a start reads little, and the snapshots' cost stays proportional to the input.
const SNAPSHOT_AFTER: usize = 20_000;

/// The ledger of one process, opened by one runner.
#[derive(Debug)]
pub struct Ledger {
    bucket: Bucket,
    prefix: String,
    seen: Seen,
    snapshot_len: usize,
    last_plan: u64,
    unfinished: Vec<Plan>,
    last_record: Option<Record>,
}

impl Ledger {
    /// Reads the ledger of `process`; an absent one is empty.
    ///
    /// # Errors
    /// [`LedgerError`] when the bucket fails or a file cannot be understood.
    pub async fn open(bucket: Bucket, process: &str) -> Result<Self, LedgerError> {
        let mut ledger = Self {
            prefix: format!("_esteira/{process}"),
            bucket,
            seen: Seen::default(),
            snapshot_len: 0,
            last_plan: 0,
            unfinished: Vec::new(),
            last_record: None,
        };
        let plans = ledger.numbers("plans").await?;
        let records = ledger.numbers("records").await?;
        let snapshot = ledger.numbers("seen").await?.last().copied().unwrap_or(0);
        if snapshot > 0 {
            let key = ledger.key("seen", snapshot);
            let bytes = ledger.bytes(&key).await?;
            ledger.seen = Seen::from_bytes(&bytes).map_err(|reason| unreadable(&key, reason))?;
            ledger.snapshot_len = ledger.seen.len();
        }
        for &number in &plans {
            let finished = records.contains(&number);
            if finished && number <= snapshot {
                continue;
            }
            let plan: Plan = ledger.json(&ledger.key("plans", number)).await?;
            for object in &plan.objects {
                ledger.seen.insert(&object.key, &object.etag);
            }
            if !finished {
                ledger.unfinished.push(plan);
            }
        }
        ledger.last_plan = plans.last().copied().unwrap_or(0);
        if let Some(&number) = records.last() {
            ledger.last_record = Some(ledger.json(&ledger.key("records", number)).await?);
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
        for object in &plan.objects {
            self.seen.insert(&object.key, &object.etag);
        }
        Ok(())
    }

    /// Writes the record of a finished batch.
    ///
    /// # Errors
    /// The bucket's errors.
    pub async fn record(&mut self, record: Record) -> Result<(), LedgerError> {
        let key = self.key("records", record.batch);
        let body = serde_json::to_vec_pretty(&record)
            .map_err(|error| unreadable(&key, &error.to_string()))?;
        // Somebody who ran the same batch again wrote the same: the tables decide, not the record.
        let (PutNew::Created | PutNew::Exists) =
            self.bucket.put_new(&key, Bytes::from(body)).await?;
        self.unfinished.retain(|plan| plan.batch != record.batch);
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
        let recorded = self.last_record.as_ref().map_or(0, |record| record.batch);
        let fresh = self.seen.len() - self.snapshot_len;
        if recorded == self.last_plan && fresh >= SNAPSHOT_AFTER.max(self.snapshot_len / 2) {
            let key = self.key("seen", recorded);
            self.bucket.put(&key, self.seen.to_bytes()).await?;
            self.snapshot_len = self.seen.len();
        }
        Ok(())
    }

    /// Every record from batch `from` on, oldest first.
    ///
    /// # Errors
    /// The bucket's errors, or a record that cannot be understood.
    pub async fn records(&self, from: u64) -> Result<Vec<Record>, LedgerError> {
        let mut records = Vec::new();
        for number in self.numbers("records").await?.range(from..) {
            records.push(self.json(&self.key("records", *number)).await?);
        }
        Ok(records)
    }

    /// Every plan from batch `from` on, oldest first.
    ///
    /// # Errors
    /// The bucket's errors, or a plan that cannot be understood.
    pub async fn plans(&self, from: u64) -> Result<Vec<Plan>, LedgerError> {
        let mut plans = Vec::new();
        for number in self.numbers("plans").await?.range(from..) {
            plans.push(self.json(&self.key("plans", *number)).await?);
        }
        Ok(plans)
    }

    fn key(&self, kind: &str, number: u64) -> String {
        let extension = if kind == "seen" { "bin" } else { "json" };
        format!("{}/{kind}/{number:020}.{extension}", self.prefix)
    }

    async fn numbers(&self, kind: &str) -> Result<BTreeSet<u64>, LedgerError> {
        let folder = format!("{}/{kind}/", self.prefix);
        let mut numbers = BTreeSet::new();
        for object in self.bucket.list(&folder).await? {
            let name = object.key.strip_prefix(&folder).unwrap_or(&object.key);
            if let Some(number) = name.split('.').next().and_then(|n| n.parse().ok()) {
                numbers.insert(number);
            }
        }
        Ok(numbers)
    }

    async fn bytes(&self, key: &str) -> Result<Bytes, LedgerError> {
        match self.bucket.get(key, None).await? {
            Fetched::Bytes(bytes) => Ok(bytes),
            Fetched::Changed | Fetched::Missing => Err(unreadable(key, "it is gone")),
        }
    }

    async fn json<T: DeserializeOwned>(&self, key: &str) -> Result<T, LedgerError> {
        let bytes = self.bytes(key).await?;
        serde_json::from_slice(&bytes).map_err(|error| unreadable(key, &error.to_string()))
    }
}

fn unreadable(key: &str, reason: &str) -> LedgerError {
    LedgerError::Unreadable {
        key: key.to_owned(),
        reason: reason.to_owned(),
    }
}
