//! Taking a batch into the tables, heads before their children, then the quarantine.

use std::collections::BTreeMap;
use std::sync::Arc;

use esteira_lake::files::{self, FileCache};
use esteira_lake::ledger::{Plan, TableRecord};
use esteira_lake::quarantine;
use esteira_lake::tables::{LakeTable, TableError, TableSpec};
use esteira_lake::upsert::{self, Batch, Verdict};

use super::land::Landed;
use super::rules::Broken;
use super::stages::Context;
use super::transform::Transformed;
use crate::pipeline::DELETIONS;
use crate::{Error, Pipeline, TableKind, TableRules};

/// The name of the quarantine among the tables.
pub(crate) const QUARANTINE: &str = "quarantine";

/// The tables of a pipeline, open for writing.
pub(super) struct Tables {
    by_name: BTreeMap<String, LakeTable>,
    /// What was deleted from a table, by its name.
    deletions: BTreeMap<String, LakeTable>,
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
    /// Opens all tables, or creates them empty. When all of them can be written, those that lack columns
    /// get them.
    pub(super) async fn open(context: &Context) -> Result<Self, Error> {
        let pipeline = &context.pipeline;
        let cache = Arc::new(FileCache::new(pipeline.limits.file_cache_bytes));
        let open = |spec| LakeTable::open_or_create(&context.bucket, spec, Arc::clone(&cache));
        let (mut by_name, mut deletions) = (BTreeMap::new(), BTreeMap::new());
        for rules in &pipeline.tables {
            let name = &rules.name;
            by_name.insert(name.clone(), open(table_spec(pipeline, rules)).await?);
            if let Some(spec) = deletions_spec(pipeline, rules) {
                deletions.insert(name.clone(), open(spec).await?);
            }
        }
        let mut tables = Self {
            by_name,
            deletions,
            quarantine: open(quarantine_spec(pipeline)).await?,
        };
        for table in tables.iter_mut() {
            let added = table.evolve().await?;
            if !added.is_empty() {
                let (table, columns) = (table.name(), added.join(", "));
                tracing::info!(
                    table,
                    columns,
                    "columns were added; rows that are there have none of them"
                );
            }
        }
        Ok(tables)
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut LakeTable> {
        let tables = self.by_name.values_mut().chain(self.deletions.values_mut());
        tables.chain([&mut self.quarantine])
    }
}

/// What all tables of the pipeline but the quarantine are declared to be, those that remember what was
/// deleted among them.
pub(crate) fn specs(pipeline: &Pipeline) -> impl Iterator<Item = TableSpec> + '_ {
    pipeline.tables.iter().flat_map(|rules| {
        let deletions = deletions_spec(pipeline, rules);
        [table_spec(pipeline, rules)].into_iter().chain(deletions)
    })
}

fn table_spec(pipeline: &Pipeline, rules: &TableRules) -> TableSpec {
    let mut fixed = rules.key.clone();
    if rules.kind == TableKind::History {
        fixed.extend([upsert::VALID_FROM, upsert::VALID_TO].map(str::to_owned));
    }
    TableSpec {
        name: rules.name.clone(),
        path: format!("{}/{}", pipeline.tables_path, rules.name),
        process: pipeline.name.clone(),
        schema: rules.model.table_schema().clone(),
        key: rules.key.clone(),
        fixed,
        copy_on_write: rules.copy_on_write,
    }
}

/// The table that remembers what was deleted from another.
fn deletions_spec(pipeline: &Pipeline, rules: &TableRules) -> Option<TableSpec> {
    rules.delete_when.as_ref()?;
    let mut key = rules.key.clone();
    // A history needs to know every deletion, not only the last of a key.
    if rules.kind == TableKind::History {
        key.push(upsert::DELETED_AT.to_owned());
    }
    Some(TableSpec {
        name: TableRules::deletions_name(&rules.name),
        path: format!("{}/{DELETIONS}/{}", pipeline.tables_path, rules.name),
        process: pipeline.name.clone(),
        schema: upsert::deletions_schema(&rules.key, rules.model.table_schema()),
        fixed: key.clone(),
        key,
        copy_on_write: false,
    })
}

/// What the pipeline's quarantine is declared to be.
pub(crate) fn quarantine_spec(pipeline: &Pipeline) -> TableSpec {
    TableSpec {
        name: QUARANTINE.to_owned(),
        path: pipeline.quarantine_path.clone(),
        process: pipeline.name.clone(),
        schema: quarantine::schema(),
        key: Vec::new(),
        fixed: Vec::new(),
        copy_on_write: false,
    }
}

/// Commits a batch to every table. Takes the rejected entries out of `landed`.
pub(super) async fn apply(
    context: &Context,
    tables: &mut Tables,
    plan: &Plan,
    landed: &mut Landed,
    transformed: Transformed,
) -> Result<Applied, Error> {
    let Transformed {
        batch,
        mut staged,
        deletes,
        broken,
    } = transformed;
    let mut applied = Applied {
        tables: BTreeMap::new(),
        verdicts: vec![Verdict::Superseded; batch.order.len()],
        broken,
    };
    let mut heads: BTreeMap<&str, upsert::Applied> = BTreeMap::new();
    for rules in &context.pipeline.tables {
        let name = &rules.name;
        let (Some(table), Some(rows)) = (tables.by_name.get_mut(name), staged.remove(name)) else {
            continue;
        };
        // First: with the row gone and nothing remembered, a late event would bring it back.
        let deletions = match (tables.deletions.get_mut(name), deletes.get(name)) {
            (Some(remembers), Some(deletes)) => {
                let done = upsert::deletions(remembers, &rules.key, &rows, deletes, &batch).await?;
                let entry = table_record(done.table(), &done.applied).await?;
                let name = TableRules::deletions_name(name);
                applied.tables.insert(name, entry);
                Some(done)
            }
            _ => None,
        };
        let deletions = deletions.as_ref();
        let done = match &rules.kind {
            TableKind::Latest => {
                let version = &context.pipeline.version;
                upsert::latest(table, version, &rows, deletions, &batch).await?
            }
            TableKind::History => upsert::history(table, &rows, deletions, &batch).await?,
            TableKind::Append => upsert::append_events(table, &rows, &batch).await?,
            TableKind::Child { head } => match heads.get(head.as_str()) {
                Some(head) => upsert::children(table, rows, head, &batch).await?,
                None => continue,
            },
        };
        for &(event, verdict) in &done.verdicts {
            let known = &mut applied.verdicts[event];
            if weight(verdict) > weight(*known) {
                *known = verdict;
            }
        }
        applied
            .tables
            .insert(name.clone(), table_record(table, &done).await?);
        heads.insert(name, done);
    }
    let entry = quarantine(tables, plan, landed, &batch).await?;
    applied.tables.insert(QUARANTINE.to_owned(), entry);
    Ok(applied)
}

/// What was rejected is appended; what a retry rejected takes the place of what was retried.
async fn quarantine(
    tables: &mut Tables,
    plan: &Plan,
    landed: &mut Landed,
    batch: &Batch,
) -> Result<TableRecord, Error> {
    let table = &mut tables.quarantine;
    let rejected = std::mem::take(&mut landed.rejected);
    let done = if let Some(retry) = &plan.retry {
        let retried = quarantine::Retried::new(retry, &rejected);
        upsert::replace(table, retried, batch).await?
    } else {
        let rows_added = rejected.len() as u64;
        let rows = quarantine::rows(rejected, plan.batch, plan.planned_at);
        let rows = rows.map_err(|error| TableError::Data {
            table: QUARANTINE.to_owned(),
            reason: error.to_string(),
            transient: false,
        })?;
        let mut done = upsert::Applied::default();
        done.version = upsert::append(table, rows, batch).await?;
        done.rows_added = rows_added;
        done
    };
    Ok(table_record(table, &done).await?)
}

async fn table_record(
    table: &LakeTable,
    done: &upsert::Applied,
) -> Result<TableRecord, TableError> {
    let size = files::size(table).await?;
    Ok(TableRecord {
        version: done.version,
        rows_added: done.rows_added,
        rows_removed: done.rows_removed,
        files: size.files,
        bytes: size.bytes,
        deleted_rows: size.deleted_rows,
    })
}

/// An event counts where it got furthest.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Superseded => 0,
        Verdict::Duplicate => 1,
        Verdict::Applied => 2,
    }
}
