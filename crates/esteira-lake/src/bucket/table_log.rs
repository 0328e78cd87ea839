//! The Delta log of a table, where the newest version is asked for instead of listed.
//!
//! Versions have no gaps (Delta protocol, *Delta Log Entries*): behind a known one, the next either
//! exists or there is none. Asking for it costs one request of the cheap kind on S3, and in a local
//! folder no look at the commits of weeks.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use deltalake::kernel::Version;
use deltalake::kernel::transaction::TransactionError;
use deltalake::logstore::{CommitOrBytes, LogStore, LogStoreConfig, LogStoreRef};
use deltalake::{DeltaResult, ObjectStoreError};
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use uuid::Uuid;

/// See the module.
pub(super) struct TableLog {
    inner: LogStoreRef,
}

impl TableLog {
    pub(super) fn new(inner: LogStoreRef) -> Self {
        Self { inner }
    }
}

impl TableLog {
    /// The newest version that a listing shows; nothing when there is none. The library's own search makes
    /// of a listing that failed a text that does not tell why.
    async fn newest_listed(&self, store: &Arc<dyn ObjectStore>) -> DeltaResult<Option<Version>> {
        let log = self.log_path();
        // A hint of where to start (Delta protocol, *Last Checkpoint File*); without it, at the beginning.
        let hint = match store
            .get(&Path::from(format!("{log}/_last_checkpoint")))
            .await
        {
            Ok(hint) => serde_json::from_slice(&hint.bytes().await?).ok(),
            Err(ObjectStoreError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let start = hint.and_then(|hint: serde_json::Value| hint["version"].as_u64());
        let after = Path::from(format!("{log}/{:020}", start.unwrap_or(0)));
        let mut found = store.list_with_offset(Some(log), &after);
        let mut newest = None;
        while let Some(entry) = found.try_next().await? {
            let name = entry
                .location
                .filename()
                .and_then(|n| n.strip_suffix(".json"));
            let version = name.filter(|n| n.len() == 20).and_then(|n| n.parse().ok());
            newest = newest.max(version);
        }
        Ok(newest)
    }
}

#[async_trait]
impl LogStore for TableLog {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn read_commit_entry(&self, version: Version) -> DeltaResult<Option<Bytes>> {
        self.inner.read_commit_entry(version).await
    }

    async fn write_commit_entry(
        &self,
        version: Version,
        commit: CommitOrBytes,
        operation: Uuid,
    ) -> Result<(), TransactionError> {
        self.inner
            .write_commit_entry(version, commit, operation)
            .await
    }

    async fn abort_commit_entry(
        &self,
        version: Version,
        commit: CommitOrBytes,
        operation: Uuid,
    ) -> Result<(), TransactionError> {
        self.inner
            .abort_commit_entry(version, commit, operation)
            .await
    }

    async fn get_latest_version(&self, known: Version) -> DeltaResult<Version> {
        let store = self.object_store(None);
        // Version 0 is what a caller says that knows of none.
        let mut latest = match known {
            0 => match self.newest_listed(&store).await? {
                Some(listed) => listed,
                // The library says what is missing.
                None => return self.inner.get_latest_version(known).await,
            },
            known => known,
        };
        loop {
            let next = format!("{}/{:020}.json", self.log_path(), latest + 1);
            match store.head(&Path::from(next)).await {
                Ok(_) => latest += 1,
                Err(ObjectStoreError::NotFound { .. }) => return Ok(latest),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn object_store(&self, operation: Option<Uuid>) -> Arc<dyn ObjectStore> {
        self.inner.object_store(operation)
    }

    fn root_object_store(&self, operation: Option<Uuid>) -> Arc<dyn ObjectStore> {
        self.inner.root_object_store(operation)
    }

    fn config(&self) -> &LogStoreConfig {
        self.inner.config()
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use crate::bucket::Bucket;

    #[tokio::test]
    async fn newest_version_is_the_last_without_a_gap() {
        let store = std::sync::Arc::new(InMemory::new());
        let bucket = Bucket::of_store(store).unwrap();
        let write = |version: u64| {
            let key = format!("t/_delta_log/{version:020}.json");
            let bucket = bucket.clone();
            async move { bucket.put(&key, "{}".into()).await.unwrap() }
        };
        for version in 0..=3 {
            write(version).await;
        }
        let log = bucket.log_store("t").unwrap();
        for known in 0..=3 {
            assert_eq!(log.get_latest_version(known).await.unwrap(), 3);
        }
        write(4).await;
        assert_eq!(log.get_latest_version(3).await.unwrap(), 4);
    }
}
