//! A change becomes one Delta transaction with the batch's number.
//!
//! The batch's number is a transaction identifier (Delta protocol, *Transaction Identifiers*) under an
//! application id per table. The library does not look at it by itself, so it is asked before every
//! attempt: a batch that has committed changes nothing when it runs again.

use deltalake::protocol::{DeltaOperation, MergePredicate, SaveMode};

use super::Batch;
use super::change::Change;
use super::{mark, rewrite};
use crate::files::TableFile;
use crate::tables::{Commit, LakeTable, Outcome, TableError};

/// How often a commit is tried when somebody else changes the table in between.
pub(crate) const ATTEMPTS: u32 = 5;

/// Whether this batch, or a later one, has committed to the table as it is loaded.
pub(super) async fn is_committed(table: &mut LakeTable, batch: &Batch) -> Result<bool, TableError> {
    let app_id = batch.app_id(table.name());
    let number = table.transaction(&app_id).await?;
    Ok(number.is_some_and(|number| number >= batch.number))
}

/// Commits the change on the table exactly as it is loaded, whose files are `files`. It need not be the
/// newest version: then the outcome is a conflict, and the table has to be looked at again.
async fn commit(
    table: &mut LakeTable,
    files: &[TableFile],
    change: &Change,
    batch: &Batch,
) -> Result<Outcome, TableError> {
    let actions = if table.uses_deletion_vectors()? {
        mark::mark(table, files, change).await?
    } else {
        rewrite::rewrite(table, files, change).await?
    };
    let operation = if table.spec().key.is_empty() && change.rows_removed() == 0 {
        append_operation()
    } else {
        merge_operation()
    };
    let transaction = Some((batch.app_id(table.name()), batch.number));
    let outcome = table
        .commit(Commit {
            actions,
            operation,
            transaction,
        })
        .await?;
    // Another runner may have committed this very batch.
    if outcome == Outcome::Conflict && is_committed(table, batch).await? {
        return Ok(Outcome::Committed);
    }
    Ok(outcome)
}

/// Commits the change if there is one that the batch has not committed; whether the table now is as it should
/// be. If not, somebody else was faster, and it has to be looked at again.
pub(super) async fn settle(
    table: &mut LakeTable,
    files: &[TableFile],
    change: &Change,
    batch: &Batch,
    replayed: bool,
) -> Result<bool, TableError> {
    if replayed || change.is_empty() {
        // Nothing to commit: what is recorded is the version that others left.
        table.refresh().await?;
        return Ok(true);
    }
    Ok(commit(table, files, change, batch).await? == Outcome::Committed)
}

fn append_operation() -> DeltaOperation {
    DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: None,
        predicate: None,
    }
}

/// Never a `Write`: what the conflict checks of other writers make of its removed files is wrong.
pub(crate) fn merge_operation() -> DeltaOperation {
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

pub(super) fn contended(table: &LakeTable, batch: &Batch) -> TableError {
    TableError::Contended {
        table: table.name().to_owned(),
        batch: batch.number,
        attempts: ATTEMPTS,
    }
}
