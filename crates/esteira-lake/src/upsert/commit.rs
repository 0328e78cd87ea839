//! One Delta transaction: the new files, the removed files and the batch's number.
//!
//! The batch's number is a transaction identifier (Delta protocol, *Transaction Identifiers*) under an
//! application id per table. The library does not look at it by itself, so it is asked before every
//! attempt: a batch that has committed changes nothing when it runs again.

use arrow::array::RecordBatch;
use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{Action, Transaction};
use deltalake::protocol::{DeltaOperation, MergePredicate, SaveMode};
use object_store::ObjectStoreExt as _;
use object_store::path::Path;

use super::Batch;
use super::change::Change;
use super::rewrite;
use crate::tables::{LakeTable, TableError};

/// How often a commit is tried when somebody else changes the table in between.
pub(super) const ATTEMPTS: u32 = 5;

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Outcome {
    /// The batch is in the table.
    Committed,
    /// The table is another one than we looked at: look again.
    Conflict,
}

/// Whether this batch, or a later one, has committed to the table as it is loaded.
pub(super) async fn is_committed(table: &LakeTable, batch: &Batch) -> Result<bool, TableError> {
    let log_store = table.inner().log_store();
    let state = table.inner().snapshot().map_err(|e| table.delta(e))?;
    let version = state
        .transaction_version(log_store.as_ref(), batch.app_id(table.name()))
        .await
        .map_err(|e| table.delta(e))?;
    Ok(version.is_some_and(|version| u64::try_from(version).is_ok_and(|v| v >= batch.number)))
}

/// Commits the actions on the table exactly as it is loaded.
pub(super) async fn commit(
    table: &mut LakeTable,
    actions: Vec<Action>,
    batch: &Batch,
    appends: bool,
) -> Result<Outcome, TableError> {
    let number = i64::try_from(batch.number).unwrap_or(i64::MAX);
    let written: Vec<Path> = actions
        .iter()
        .filter_map(|action| match action {
            Action::Add(add) => Path::parse(&add.path).ok(),
            _ => None,
        })
        .collect();
    let properties = CommitProperties::default()
        .with_metadata([("esteiraBatch".to_owned(), batch.number.into())])
        .with_application_transaction(Transaction::new(batch.app_id(table.name()), number))
        // The library's own retry would accept our removes beside somebody's compaction and double
        // rows; we look at the table again instead.
        .with_max_retries(0);
    let log_store = table.inner().log_store();
    let state = table
        .inner()
        .snapshot()
        .map_err(|e| table.delta(e))?
        .clone();
    let committed = CommitBuilder::from(properties)
        .with_actions(actions)
        .build(Some(&state), log_store, operation(appends))
        .await;
    match committed {
        Ok(finalized) => {
            table.inner_mut().state = Some(finalized.snapshot());
            Ok(Outcome::Committed)
        }
        Err(error) => after_failure(table, error, batch, &written).await,
    }
}

/// A failed commit may have taken effect when its answer was lost: the table tells.
async fn after_failure(
    table: &mut LakeTable,
    error: DeltaTableError,
    batch: &Batch,
    written: &[Path],
) -> Result<Outcome, TableError> {
    table.refresh().await?;
    if is_committed(table, batch).await? {
        return Ok(Outcome::Committed);
    }
    if !is_conflict(&error) {
        return Err(table.delta(error));
    }
    let store = table.inner().log_store().object_store(None);
    for path in written {
        if let Err(error) = store.delete(path).await {
            tracing::debug!(%path, %error, "a file of a lost attempt stays until the next vacuum");
        }
    }
    Ok(Outcome::Conflict)
}

fn is_conflict(error: &DeltaTableError) -> bool {
    matches!(
        error,
        DeltaTableError::VersionAlreadyExists(_)
            | DeltaTableError::Transaction {
                source: TransactionError::MaxCommitAttempts(_)
                    | TransactionError::CommitConflict(_)
                    | TransactionError::VersionAlreadyExists(_),
            }
    )
}

fn operation(appends: bool) -> DeltaOperation {
    if appends {
        return DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        };
    }
    let predicate = |action: &str| MergePredicate {
        action_type: action.to_owned(),
        predicate: None,
    };
    DeltaOperation::Merge {
        predicate: None,
        merge_predicate: None,
        matched_predicates: vec![predicate("update")],
        not_matched_predicates: vec![predicate("insert")],
        not_matched_by_source_predicates: Vec::new(),
    }
}

/// Appends rows once, however often the batch runs; gives the version that holds them.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Contended`] when others kept changing it.
pub async fn append(
    table: &mut LakeTable,
    rows: RecordBatch,
    batch: &Batch,
) -> Result<u64, TableError> {
    let change = Change::new([], vec![rows]);
    for _ in 0..ATTEMPTS {
        table.refresh().await?;
        if change.is_empty() || is_committed(table, batch).await? {
            return Ok(table.version());
        }
        let actions = rewrite::rewrite(table, &[], &change, &[]).await?;
        if commit(table, actions, batch, true).await? == Outcome::Committed {
            return Ok(table.version());
        }
    }
    Err(contended(table, batch))
}

pub(super) fn contended(table: &LakeTable, batch: &Batch) -> TableError {
    TableError::Contended {
        table: table.name().to_owned(),
        batch: batch.number,
        attempts: ATTEMPTS,
    }
}
