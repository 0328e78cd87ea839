//! Tidying the tables of a pipeline by hand, also while the job runs.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use esteira_lake::files::FileCache;
use esteira_lake::tables::LakeTable;
use esteira_lake::tidy::{self, Compaction, Effort, Vacuum, VacuumRules, Widening};

use crate::clock::Clock;
use crate::process::{quarantine_spec, readable_since, specs};
use crate::{Error, Lake};

/// Merges small files and drops deleted rows for good, in the tables named or in all; what was done, by
/// table.
///
/// # Errors
/// [`Error::UnknownTable`]; [`Error`] when a table cannot be read or written.
pub async fn optimize(
    lake: &Lake,
    names: &[String],
    effort: Effort,
) -> Result<Vec<(String, Compaction)>, Error> {
    let rules = lake.pipeline().maintenance.rules;
    let mut done = Vec::new();
    for mut table in tables(lake, names).await? {
        let compaction = tidy::compact(&mut table, &rules, effort).await?;
        done.push((table.name().to_owned(), compaction));
    }
    Ok(done)
}

/// Deletes the files that no version younger than `retention` needs, nor the newest record; what was
/// deleted, by table.
///
/// # Errors
/// [`Error::UnknownTable`]; [`Error`] when a table cannot be read, or a file not be deleted.
pub async fn vacuum(
    lake: &Lake,
    names: &[String],
    retention: Duration,
    dry_run: bool,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<(String, Vacuum)>, Error> {
    let newest = lake.ledger().last_record();
    let now = clock.now_micros();
    let mut done = Vec::new();
    for mut table in tables(lake, names).await? {
        let recorded = newest.and_then(|record| record.tables.get(table.name()));
        let rules = VacuumRules {
            readable_since: readable_since(now, retention, newest),
            now,
            kept_version: recorded.map(|table| table.version),
            dry_run,
        };
        let vacuum = tidy::vacuum(&mut table, lake.bucket(), &rules).await?;
        done.push((table.name().to_owned(), vacuum));
    }
    Ok(done)
}

/// What was done to a table to bring it up to what it is declared to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    /// Whether deletion vectors were turned on.
    pub deletion_vectors: bool,
    /// The columns that hold more now, if there are some.
    pub widening: Option<Widening>,
}

/// Writes tables again whose columns are wider in the pipeline, and turns deletion vectors on in those that
/// were created without; what was done, by table. No deletion vectors get tables that are declared
/// `copy_on_write`, and the quarantine.
///
/// # Errors
/// [`Error::UnknownTable`]; [`Error`] when a table cannot be read or written.
pub async fn upgrade(lake: &Lake, names: &[String]) -> Result<Vec<(String, Upgraded)>, Error> {
    let mut done = Vec::new();
    for (mut table, columns) in opened(lake, names).await? {
        let upgraded = Upgraded {
            widening: tidy::widen(&mut table, &columns).await?,
            deletion_vectors: table.upgrade().await?,
        };
        done.push((table.name().to_owned(), upgraded));
    }
    Ok(done)
}

async fn tables(lake: &Lake, names: &[String]) -> Result<Vec<LakeTable>, Error> {
    let opened = opened(lake, names).await?.into_iter();
    Ok(opened.map(|(table, _)| table).collect())
}

/// Tables with the columns they have, and those they are declared to have.
async fn opened(lake: &Lake, names: &[String]) -> Result<Vec<(LakeTable, SchemaRef)>, Error> {
    let mut all: Vec<_> = specs(lake.pipeline()).collect();
    all.push(quarantine_spec(lake.pipeline()));
    if let Some(unknown) = names
        .iter()
        .find(|name| all.iter().all(|spec| spec.name != **name))
    {
        return Err(Error::UnknownTable {
            name: unknown.clone(),
            known: all.into_iter().map(|spec| spec.name).collect(),
        });
    }
    let cache = Arc::new(FileCache::new(lake.pipeline().limits.file_cache_bytes));
    let mut tables = Vec::new();
    for spec in all {
        if names.is_empty() || names.contains(&spec.name) {
            let columns = Arc::clone(&spec.schema);
            let table = LakeTable::open(lake.bucket(), spec, Arc::clone(&cache)).await?;
            tables.push((table, columns));
        }
    }
    Ok(tables)
}
