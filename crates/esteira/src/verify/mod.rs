//! Holding the tables against the originals: they are made once more, somewhere else, and compared.
//!
//! Comes in: a pipeline's lake and a folder for scratch. Goes out: for each table, whether every row is
//! what the originals make, by digest, and the first rows that are not. Nothing in the bucket changes.

mod compare;
mod digest;

use std::path::Path;
use std::sync::Arc;

use esteira_lake::bucket::{Bucket, Environment};
use esteira_lake::ledger::Record;
use serde::Serialize;

use compare::{Comparison, OtherRules};
pub use compare::{Difference, DifferenceKind};

use crate::process::{self, Observer, Replay, Stop};
use crate::{BrokenRule, Error, Lake};

/// How many different rows of a table are named.
const NAMED: usize = 10;

/// What holding all tables against their originals gave.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// Batches that were made once more.
    pub batches: u64,
    /// Events and quarantined entries in them.
    pub events: u64,
    /// Batches that were made by other rules than the pipeline has now: their rows may differ for that.
    pub batches_of_other_rules: u64,
    /// Of each batch and rule whose action is `stop`, the first event that breaks it: with the rules of
    /// today a run would have ended there. The comparison passes over it.
    pub stopping: Vec<BrokenRule>,
    /// Every table, and the quarantine.
    pub tables: Vec<TableCheck>,
}

impl Verification {
    /// Whether every row is what the originals make.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.tables.iter().all(TableCheck::holds)
    }

    /// Whether only such rows differ whose batches were made by other rules than the pipeline has now.
    #[must_use]
    pub fn holds_but_for_rules(&self) -> bool {
        let mut tables = self.tables.iter();
        tables.all(|table| table.holds() || table.only_by_other_rules)
    }
}

/// One table and what the originals make of it.
#[derive(Debug, Clone, Serialize)]
pub struct TableCheck {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// The rows that the originals make.
    pub expected_rows: u64,
    /// Digest of its rows, whatever their order: 32 hexadecimal digits.
    pub digest: String,
    /// Digest of the rows that the originals make.
    pub expected_digest: String,
    /// Rows that are not the same.
    pub differing_rows: u64,
    /// Those of them whose batch was made by other rules than the pipeline has now.
    pub by_other_rules: u64,
    /// Whether that is so of all rows that are not the same, as they are stored and as they are made.
    pub only_by_other_rules: bool,
    /// Their batches.
    pub batches_of_other_rules: Vec<u64>,
    /// The first rows that are not the same, by key; those that other rules do not explain before the others.
    pub differences: Vec<Difference>,
}

impl TableCheck {
    /// Whether every row is what the originals make.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.rows == self.expected_rows && self.digest == self.expected_digest
    }
}

/// Makes the tables of the newest record once more in `scratch`, an existing folder, and compares.
///
/// # Errors
/// [`Error::Original`] when an original is missing or another one; [`Error`] when the bucket, the ledger
/// or a table cannot be read, or the scratch folder not be written.
pub async fn verify(
    lake: &Lake,
    scratch: &Path,
    observer: Arc<dyn Observer>,
) -> Result<Verification, Error> {
    let location = format!("file://{}", scratch.display());
    let target = Bucket::open(&location, &Environment::default())?;
    let mut pipeline = lake.pipeline().clone();
    "tables".clone_into(&mut pipeline.tables_path);
    "quarantine".clone_into(&mut pipeline.quarantine_path);
    let replayed = Box::pin(process::replay(Replay {
        pipeline: Arc::new(pipeline.clone()),
        source: lake.bucket().clone(),
        target: target.clone(),
        until: lake.ledger().last_recorded(),
        stop: Stop::IsPassedOver,
        observer,
    }))
    .await?;
    let stored = lake.session().await?;
    // There is no ledger in the scratch folder: its tables are read at their newest versions.
    let made = Lake::open(pipeline, target).await?.session().await?;
    let mut records = lake.ledger().records(0).await?;
    // What others recorded meanwhile is not what was held against the originals.
    let last = lake.ledger().last_recorded();
    records.retain(|record| record.batch <= last);
    let now = &lake.pipeline().fingerprint;
    let others: Vec<&Record> = of_other_rules(&records, now).collect();
    let mut other_rules = OtherRules::new();
    for record in &others {
        // The rows of a retry carry the instant of the batch that brought its objects.
        let of_objects = record.retry_of.unwrap_or(record.batch);
        let brought = records.iter().find(|record| record.batch == of_objects);
        let instant = brought.unwrap_or(record).planned_at;
        other_rules.entry(instant).or_default().insert(record.batch);
    }
    let mut tables = Vec::new();
    for (name, key) in lake.keys() {
        let comparison = Comparison {
            stored: &stored,
            made: &made,
            table: &name,
            key: &key,
            other_rules: &other_rules,
        };
        tables.push(comparison.compare().await?);
    }
    Ok(Verification {
        batches: replayed.summary.batches,
        events: replayed.summary.events,
        stopping: replayed.stopping,
        batches_of_other_rules: others.len() as u64,
        tables,
    })
}

/// The batches whose rows were made by other rules than those of today. What came before a switch was made by
/// its rules.
fn of_other_rules<'a>(records: &'a [Record], now: &'a str) -> impl Iterator<Item = &'a Record> {
    let switched_in = records.last().and_then(|record| record.switched_in);
    let switch = records
        .iter()
        .find(|record| Some(record.batch) == switched_in);
    let rules = move |record: &'a Record| match switch {
        Some(switch) if record.batch < switch.batch => &switch.pipeline,
        _ => &record.pipeline,
    };
    records
        .iter()
        .filter(move |record| record.switch.is_none() && rules(record) != now)
}
