//! Taking a batch into the tables, heads before their children, then the quarantine.

use std::collections::BTreeMap;
use std::sync::Arc;

use esteira_lake::files::{self, FileCache, TableSize};
use esteira_lake::ledger::{Plan, TableRecord};
use esteira_lake::quarantine;
use esteira_lake::tables::{LakeTable, TableError, TableSpec};
use esteira_lake::upsert::{self, Verdict};

use super::land::Landed;
use super::rules::Broken;
use super::stages::Context;
use super::transform::Transformed;
use crate::{Error, TableKind};

/// The name of the quarantine among the tables.
pub(crate) const QUARANTINE: &str = "quarantine";

/// The tables of a pipeline, open for writing.
pub(super) struct Tables {
    tables: BTreeMap<String, LakeTable>,
    quarantine: LakeTable,
}

/// A batch that is in all its tables.
pub(super) struct Applied {
    /// By table.
    pub(super) tables: BTreeMap<String, TableRecord>,
    /// What became of each event.
    pub(super) verdicts: Vec<Verdict>,
    /// Rules that rows broke.
    pub(super) broken: Broken,
}

impl Tables {
    /// Opens all tables, or creates them empty.
    pub(super) async fn open(context: &Context) -> Result<Self, Error> {
        let cache = Arc::new(FileCache::new(context.pipeline.limits.file_cache_bytes));
        let mut tables = BTreeMap::new();
        for spec in specs(&context.pipeline) {
            let name = spec.name.clone();
            let table = LakeTable::open_or_create(&context.bucket, spec, Arc::clone(&cache));
            tables.insert(name, table.await?);
        }
        let spec = quarantine_spec(&context.pipeline);
        Ok(Self {
            tables,
            quarantine: LakeTable::open_or_create(&context.bucket, spec, cache).await?,
        })
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut LakeTable> {
        self.tables.values_mut().chain([&mut self.quarantine])
    }
}

/// What the pipeline's tables are declared to be.
pub(crate) fn specs(pipeline: &crate::Pipeline) -> impl Iterator<Item = TableSpec> + '_ {
    pipeline.tables.iter().map(|table| TableSpec {
        name: table.name.clone(),
        path: format!("{}/{}", pipeline.tables_path, table.name),
        process: pipeline.name.clone(),
        schema: table.model.table_schema().clone(),
        key: table.key.clone(),
        copy_on_write: table.copy_on_write,
    })
}

/// What the pipeline's quarantine is declared to be.
pub(crate) fn quarantine_spec(pipeline: &crate::Pipeline) -> TableSpec {
    TableSpec {
        name: QUARANTINE.to_owned(),
        path: pipeline.quarantine_path.clone(),
        process: pipeline.name.clone(),
        schema: quarantine::schema(),
        key: Vec::new(),
        copy_on_write: false,
    }
}

/// Commits a batch to every table.
pub(super) async fn apply(
    context: &Context,
    tables: &mut Tables,
    plan: &Plan,
    landed: &Landed,
    transformed: Transformed,
) -> Result<Applied, Error> {
    let Transformed {
        batch,
        mut staged,
        broken,
    } = transformed;
    let mut applied = Applied {
        tables: BTreeMap::new(),
        verdicts: vec![Verdict::Superseded; batch.order.len()],
        broken,
    };
    let mut heads: BTreeMap<&str, upsert::Applied> = BTreeMap::new();
    for rules in &context.pipeline.tables {
        let (Some(table), Some(rows)) = (
            tables.tables.get_mut(&rules.name),
            staged.remove(&rules.name),
        ) else {
            continue;
        };
        let done = match &rules.kind {
            TableKind::Latest => {
                let version = &context.pipeline.version;
                upsert::latest(table, version, &rows, &batch).await?
            }
            TableKind::Child { head } => match heads.get(head.as_str()) {
                Some(head) => upsert::children(table, &rows, head, &batch).await?,
                None => continue,
            },
        };
        for &(event, verdict) in &done.verdicts {
            let known = &mut applied.verdicts[event];
            if weight(verdict) > weight(*known) {
                *known = verdict;
            }
        }
        let entry = table_record(
            files::size(table).await?,
            done.version,
            done.rows_added,
            done.rows_removed,
        );
        applied.tables.insert(rules.name.clone(), entry);
        heads.insert(&rules.name, done);
    }
    let rows =
        quarantine::rows(&landed.rejected, plan.batch, plan.planned_at).map_err(|error| {
            TableError::Data {
                table: QUARANTINE.to_owned(),
                reason: error.to_string(),
                transient: false,
            }
        })?;
    let version = upsert::append(&mut tables.quarantine, rows, &batch).await?;
    let entry = table_record(
        files::size(&tables.quarantine).await?,
        version,
        landed.rejected.len() as u64,
        0,
    );
    applied.tables.insert(QUARANTINE.to_owned(), entry);
    Ok(applied)
}

fn table_record(size: TableSize, version: u64, rows_added: u64, rows_removed: u64) -> TableRecord {
    TableRecord {
        version,
        rows_added,
        rows_removed,
        files: size.files,
        bytes: size.bytes,
        deleted_rows: size.deleted_rows,
    }
}

/// An event counts where it got furthest.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Superseded => 0,
        Verdict::Duplicate => 1,
        Verdict::Applied => 2,
    }
}
