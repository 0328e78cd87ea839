//! One commit on exactly the version that is loaded.
//!
//! The library's own retries would judge our files against a rival's commit, not our decision, and can
//! leave rows twice; so there are none. A commit that failed may have taken effect all the same, when
//! its answer was lost: every commit carries an id of its own, and the log is asked for it.

use std::collections::HashSet;

use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{Action, Transaction};
use deltalake::protocol::DeltaOperation;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use serde_json::Value;
use uuid::Uuid;

use super::{LakeTable, TableError};
use crate::files::path_in_table;

/// The key of a commit's own id in its information (Delta protocol, *Commit Provenance Information*).
const ID: &str = "esteiraCommit";

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// It is in the table.
    Committed,
    /// The table is another one than we looked at: look again.
    Conflict,
}

/// The properties of a commit that is made by one of the library's operations.
pub(super) fn own_properties() -> CommitProperties {
    CommitProperties::default()
        .with_metadata(metadata(&Uuid::new_v4().to_string(), None))
        .with_max_retries(0)
}

/// Actions that belong together.
#[derive(Debug)]
pub(crate) struct Commit {
    /// What changes.
    pub(crate) actions: Vec<Action>,
    /// What it is called in the table's history.
    pub(crate) operation: DeltaOperation,
    /// The application id and number that the table shall remember (*Transaction Identifiers*).
    pub(crate) transaction: Option<(String, u64)>,
}

/// The newest version of a table that we know to be ours.
#[derive(Debug, Clone)]
pub(super) struct LastCommit {
    version: u64,
    transaction: Option<(String, u64)>,
}

impl LakeTable {
    /// Commits on the table exactly as it is loaded.
    pub(crate) async fn commit(&mut self, commit: Commit) -> Result<Outcome, TableError> {
        let written = written(&commit.actions);
        let id = Uuid::new_v4().to_string();
        let base = self.version();
        let mut properties = CommitProperties::default()
            .with_metadata(metadata(&id, commit.transaction.as_ref()))
            .with_max_retries(0)
            // It would list the whole log at every commit; `tidy` cleans up once a day.
            .with_cleanup_expired_logs(Some(false))
            .with_create_checkpoint(false);
        if let Some((app_id, number)) = &commit.transaction {
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            properties =
                properties.with_application_transaction(Transaction::new(app_id.clone(), number));
        }
        let log_store = self.inner().log_store();
        let state = self.inner().snapshot().map_err(|e| self.delta(e))?.clone();
        let committed = CommitBuilder::from(properties)
            .with_actions(commit.actions)
            .build(Some(&state), log_store, commit.operation)
            .await;
        match committed {
            Ok(finalized) => self.inner_mut().state = Some(finalized.snapshot()),
            Err(error) => {
                self.refresh().await?;
                if !self.holds(base + 1, &id).await? {
                    return self.lost(error, &written).await;
                }
            }
        }
        // A commit that is not for a batch leaves the table with the batch it had.
        let transaction = commit.transaction.or_else(|| {
            let last = self.last.take()?;
            (last.version == base).then_some(last.transaction)?
        });
        self.last = Some(LastCommit {
            version: base + 1,
            transaction,
        });
        self.checkpoint_if_due().await;
        Ok(Outcome::Committed)
    }

    /// The number that the table holds under an application id, at the version that is loaded.
    pub(crate) async fn transaction(&mut self, app_id: &str) -> Result<Option<u64>, TableError> {
        if let Some(LastCommit {
            version,
            transaction: Some((id, number)),
        }) = &self.last
            && *version == self.version()
            && id == app_id
        {
            return Ok(Some(*number));
        }
        let log_store = self.inner().log_store();
        let state = self.inner().snapshot().map_err(|e| self.delta(e))?;
        let number = state
            .transaction_version(log_store.as_ref(), app_id)
            .await
            .map_err(|e| self.delta(e))?
            .and_then(|number| u64::try_from(number).ok());
        self.last = Some(LastCommit {
            version: self.version(),
            transaction: number.map(|number| (app_id.to_owned(), number)),
        });
        Ok(number)
    }

    /// Warns of every commit after version `before` that is not this program's.
    pub(super) async fn tell_of_others(&self, before: u64) -> Result<(), TableError> {
        let log_store = self.inner().log_store();
        for version in before + 1..=self.version() {
            let entry = log_store.read_commit_entry(version).await;
            let Some(entry) = entry.map_err(|e| self.delta(e))? else {
                continue;
            };
            let information = commit_information(&entry);
            if information.get(ID).is_some() {
                continue;
            }
            let operation = information["operation"].as_str().unwrap_or("unknown");
            tracing::warn!(
                table = self.name(),
                version,
                operation,
                "another program changed the table; going on from its state"
            );
        }
        Ok(())
    }

    async fn holds(&self, version: u64, id: &str) -> Result<bool, TableError> {
        let log_store = self.inner().log_store();
        let entry = log_store.read_commit_entry(version).await;
        let entry = entry.map_err(|e| self.delta(e))?;
        Ok(entry.is_some_and(|entry| commit_information(&entry)[ID] == id))
    }

    async fn lost(
        &mut self,
        error: DeltaTableError,
        written: &[Path],
    ) -> Result<Outcome, TableError> {
        if !is_conflict(&error) {
            return Err(self.delta(error));
        }
        let store = self.inner().log_store().object_store(None);
        for path in written {
            if let Err(error) = store.delete(path).await {
                tracing::debug!(%path, %error, "a file of a lost attempt stays until the next vacuum");
            }
        }
        Ok(Outcome::Conflict)
    }
}

fn metadata(id: &str, transaction: Option<&(String, u64)>) -> Vec<(String, Value)> {
    let mut metadata = vec![(ID.to_owned(), id.into())];
    if let Some((_, number)) = transaction {
        metadata.push(("esteiraBatch".to_owned(), (*number).into()));
    }
    metadata
}

/// The files that only these actions name: new data files and new deletion vectors.
fn written(actions: &[Action]) -> Vec<Path> {
    let adds = || {
        actions.iter().filter_map(|action| match action {
            Action::Add(add) => Some(add),
            _ => None,
        })
    };
    let old: HashSet<&str> = actions
        .iter()
        .filter_map(|action| match action {
            Action::Remove(remove) => Some(remove.path.as_str()),
            _ => None,
        })
        .collect();
    let files = adds()
        .filter(|add| !old.contains(add.path.as_str()))
        .filter_map(|add| Path::parse(&add.path).ok());
    let vectors = adds()
        .filter_map(|add| add.deletion_vector.as_ref())
        .filter_map(|vector| path_in_table(vector.storage_type.as_ref(), &vector.path_or_inline_dv))
        .map(Path::from);
    let mut written: Vec<Path> = files.chain(vectors).collect();
    written.sort_unstable();
    written.dedup();
    written
}

fn commit_information(entry: &[u8]) -> Value {
    serde_json::Deserializer::from_slice(entry)
        .into_iter::<Value>()
        .filter_map(Result::ok)
        .find_map(|action| action.get("commitInfo").cloned())
        .unwrap_or_default()
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
