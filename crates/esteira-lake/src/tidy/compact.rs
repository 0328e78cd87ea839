//! The same rows in fewer files, without the marked ones.

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, concat, interleave_record_batch, lexsort_to_indices};
use arrow::error::ArrowError;
use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;
use futures::TryStreamExt as _;

use super::choose::{Effort, Sized, TidyRules, choose};
use crate::files::{self, DataFiles, Rows, TableFile};
use crate::tables::{Commit, LakeTable, Outcome, TableError};

/// Rows that are sorted together, as bytes in memory; what is more is left for another time.
const IN_MEMORY: usize = 48 * 1024 * 1024;
const PIECE: usize = 16 * 1024;
/// How often in a row a group is chosen anew because somebody else changed the table.
const ATTEMPTS: u32 = 5;

/// What a compaction did to a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compaction {
    /// The table's version afterwards.
    pub version: u64,
    /// Files that are no longer needed.
    pub files_removed: u64,
    /// Files that were written instead.
    pub files_added: u64,
    /// Bytes of the former.
    pub bytes_removed: u64,
    /// Bytes of the latter.
    pub bytes_added: u64,
    /// Marked rows that are gone for good.
    pub rows_purged: u64,
}

/// Rewrites the files that are worth it. Each group is a commit of its own, in which no row changes; a
/// group that loses against another commit is chosen anew.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Contended`] when others kept changing it.
pub async fn compact(
    table: &mut LakeTable,
    rules: &TidyRules,
    effort: Effort,
) -> Result<Compaction, TableError> {
    let mut done = Compaction {
        version: table.version(),
        ..Compaction::default()
    };
    let mut conflicts = 0;
    loop {
        let mut all = files::files(table).await?;
        all.sort_by_cached_key(|file| (file.written(), file.path().to_owned()));
        let sizes: Vec<Sized> = all.iter().map(size).collect();
        let Some(group) = choose(&sizes, rules, effort).into_iter().next() else {
            return Ok(done);
        };
        let group: Vec<&TableFile> = group.into_iter().map(|place| &all[place]).collect();
        if let Some(step) = merge(table, &group).await? {
            conflicts = 0;
            done = plus(done, step);
        } else {
            conflicts += 1;
            if conflicts == ATTEMPTS {
                return Err(TableError::Busy {
                    table: table.name().to_owned(),
                    attempts: ATTEMPTS,
                });
            }
            table.refresh().await?;
        }
        if effort == Effort::Step {
            return Ok(done);
        }
    }
}

fn plus(done: Compaction, step: Compaction) -> Compaction {
    Compaction {
        version: step.version,
        files_removed: done.files_removed + step.files_removed,
        files_added: done.files_added + step.files_added,
        bytes_removed: done.bytes_removed + step.bytes_removed,
        bytes_added: done.bytes_added + step.bytes_added,
        rows_purged: done.rows_purged + step.rows_purged,
    }
}

fn size(file: &TableFile) -> Sized {
    Sized {
        bytes: file.bytes(),
        // Without statistics nothing is known of the rows, and nothing can be marked.
        rows: file.rows().unwrap_or(1),
        deleted: file.deleted(),
    }
}

/// Writes the rows of the group anew and commits; none when another commit came first.
async fn merge(
    table: &mut LakeTable,
    group: &[&TableFile],
) -> Result<Option<Compaction>, TableError> {
    let (taken, mut actions) = match group {
        [file] => (1, stream(table, file).await?),
        _ => sorted(table, group).await?,
    };
    let mut step = Compaction {
        files_removed: taken as u64,
        files_added: actions.len() as u64,
        ..Compaction::default()
    };
    for action in &mut actions {
        if let Action::Add(add) = action {
            add.data_change = false;
            step.bytes_added += u64::try_from(add.size).unwrap_or_default();
        }
    }
    for file in &group[..taken] {
        step.bytes_removed += file.bytes();
        step.rows_purged += file.deleted();
        actions.push(Action::Remove(file.remove(false)));
    }
    let outcome = table
        .commit(Commit {
            actions,
            operation: DeltaOperation::Optimize {
                predicate: None,
                target_size: i64::try_from(step.bytes_added).unwrap_or(i64::MAX),
            },
            transaction: None,
        })
        .await?;
    step.version = table.version();
    Ok((outcome == Outcome::Committed).then_some(step))
}

/// One file: its rows keep their order, and only a few are in memory at a time.
pub(super) async fn stream(table: &LakeTable, file: &TableFile) -> Result<Vec<Action>, TableError> {
    let live = file
        .rows()
        .unwrap_or_default()
        .saturating_sub(file.deleted());
    let mut written = DataFiles::new(table, live);
    let mut batches = live_rows(table, file).await?;
    while let Some(batch) = batches.try_next().await? {
        written.write(&batch).await?;
    }
    written.close().await
}

/// Several files, as many as fit into memory: their rows by key. Gives how many files it were.
async fn sorted(
    table: &LakeTable,
    group: &[&TableFile],
) -> Result<(usize, Vec<Action>), TableError> {
    let mut rows: Vec<RecordBatch> = Vec::new();
    let mut bytes = 0;
    let mut taken = 0;
    for file in group {
        let mut batches = live_rows(table, file).await?;
        while let Some(batch) = batches.try_next().await? {
            bytes += batch.get_array_memory_size();
            rows.push(batch);
        }
        taken += 1;
        // Two at least: one alone would be chosen again.
        if taken > 1 && bytes >= IN_MEMORY {
            break;
        }
    }
    let count = rows.iter().map(|batch| batch.num_rows() as u64).sum();
    let mut written = DataFiles::new(table, count);
    let places = places(&rows, &table.spec().sorted_by()).map_err(|e| table.data(&e))?;
    let parts: Vec<&RecordBatch> = rows.iter().collect();
    for piece in places.chunks(PIECE) {
        let piece = interleave_record_batch(&parts, piece).map_err(|e| table.data(&e))?;
        written.write(&piece).await?;
    }
    Ok((taken, written.close().await?))
}

async fn live_rows(
    table: &LakeTable,
    file: &TableFile,
) -> Result<impl futures::Stream<Item = Result<RecordBatch, TableError>> + Unpin + use<>, TableError>
{
    let footer = files::footer(table, file, table.spec().probe()).await?;
    let marks = files::marks(table, file).await?;
    let batches = files::read(table, file, &footer, None, Rows::All)?;
    let table = table.clone();
    let mut first = 0;
    Ok(batches.and_then(move |batch| {
        let kept = match &marks {
            Some(marks) => files::without(&batch, marks, first),
            None => Ok(batch.clone()),
        };
        first += batch.num_rows() as u64;
        let rows = kept
            .and_then(|kept| files::as_table(&table, &kept))
            .map_err(|e| table.data(&e));
        std::future::ready(rows)
    }))
}

/// Batch and row of every row, in the order of the key.
fn places(rows: &[RecordBatch], key: &[String]) -> Result<Vec<(usize, usize)>, ArrowError> {
    let mut all = Vec::with_capacity(rows.iter().map(RecordBatch::num_rows).sum());
    for (batch, rows) in rows.iter().enumerate() {
        all.extend((0..rows.num_rows()).map(|row| (batch, row)));
    }
    if key.is_empty() || all.is_empty() {
        return Ok(all);
    }
    let columns = key
        .iter()
        .map(|name| {
            let parts: Vec<_> = rows
                .iter()
                .filter_map(|batch| batch.column_by_name(name))
                .map(AsRef::as_ref)
                .collect();
            Ok(SortColumn {
                values: concat(&parts)?,
                options: None,
            })
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    let order = lexsort_to_indices(&columns, None)?;
    Ok(order.values().iter().map(|&at| all[at as usize]).collect())
}
