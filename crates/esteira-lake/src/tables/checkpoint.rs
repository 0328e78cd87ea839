//! When a table's log gets a checkpoint (Delta protocol, *Checkpoints*).
//!
//! A checkpoint holds every live file and, for the retention of a week, every file that was replaced:
//! with a commit a second that is hundreds of thousands of entries, written anew each time. So the
//! table's interval is only how often we look: a checkpoint is due when enough commits came since the
//! last one to pay for its size.

use deltalake::checkpoints::create_checkpoint;
use deltalake::table::config::TablePropertiesExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use serde::Deserialize;

use super::{LakeTable, TableError};

/// So many entries of a checkpoint cost about as much as a commit does.
const ENTRIES_A_COMMIT: u64 = 800;
/// Whatever it costs: every start, ours and every reader's, reads the commits since the last one.
const MOST_COMMITS: u64 = 500;

/// What `_last_checkpoint` says (Delta protocol, *Last Checkpoint File*).
#[derive(Deserialize)]
struct LastCheckpoint {
    version: u64,
    /// Entries.
    size: u64,
}

impl LakeTable {
    /// Writes a checkpoint of the version that is loaded, if it is time. The commit is in the table
    /// whatever comes of it.
    pub(super) async fn checkpoint_if_due(&self) {
        if let Err(error) = self.checkpoint().await {
            let (table, version) = (self.name(), self.version());
            tracing::warn!(
                table,
                version,
                %error,
                "no checkpoint of the log was written; trying again in some commits"
            );
        }
    }

    async fn checkpoint(&self) -> Result<(), TableError> {
        let state = self.inner().snapshot().map_err(|e| self.delta(e))?;
        let interval = state.table_config().checkpoint_interval().get();
        if !(self.version() + 1).is_multiple_of(interval) {
            return Ok(());
        }
        let last = self.last_checkpoint().await?;
        if last.is_some_and(|last| !is_due(self.version(), &last)) {
            return Ok(());
        }
        let written = create_checkpoint(self.inner(), None).await;
        written.map_err(|e| self.delta(e))
    }

    async fn last_checkpoint(&self) -> Result<Option<LastCheckpoint>, TableError> {
        let store = self.inner().log_store().object_store(None);
        let hint = Path::from("_delta_log/_last_checkpoint");
        let read = async { store.get(&hint).await?.bytes().await };
        match read.await {
            // It is a hint: one that cannot be read is none.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.delta(error.into())),
        }
    }
}

fn is_due(version: u64, last: &LastCheckpoint) -> bool {
    let since = version.saturating_sub(last.version);
    since >= (last.size / ENTRIES_A_COMMIT).min(MOST_COMMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_checkpoint_comes_after_more_commits() {
        let due_after = |size| {
            let last = LastCheckpoint { version: 99, size };
            (1..=1000).find(|since| is_due(99 + since, &last)).unwrap()
        };
        assert_eq!(due_after(10), 1);
        assert_eq!(due_after(48_000), 60);
        assert_eq!(due_after(3_000_000), 500);
    }
}
