//! Opening a bucket and the operations on its objects.

use std::sync::Arc;

use bytes::Bytes;
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    Error as StoreError, GetOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
};
use url::Url;

use super::connect::open_s3;
pub use super::credentials::Environment;
use super::error::shown;
use super::folder::Folder;
use super::local_store::LocalStore;
use super::s3_api::{S3Api, innermost};
use super::table_log::TableLog;
use super::{BucketError, BucketLocation};

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The full key in the bucket.
    pub key: String,
    /// The entity tag without quotes: another content has another one.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written, in microseconds since 1970-01-01T00:00:00Z.
    pub modified_micros: i64,
}

/// What reading an object gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The object's bytes.
    Bytes(Bytes),
    /// There is another content under this key now.
    Changed,
    /// There is nothing under this key.
    Missing,
}

/// What a write that must not overwrite gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum PutNew {
    /// The object is there now.
    Created,
    /// There was one already; nothing changed. After a repeated request it may be our own.
    Exists,
}

/// An opened bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    location: BucketLocation,
    root: Url,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) objects: Objects,
}

/// How objects are reached one by one; Delta tables go through the store.
#[derive(Debug, Clone)]
pub(super) enum Objects {
    S3(S3Api),
    Folder(Folder),
    Store,
}

impl Bucket {
    /// Opens a bucket with the settings of `environment`; does not contact it yet.
    ///
    /// # Errors
    /// [`BucketError`] when the location or a setting cannot be used, or a local folder is missing.
    pub fn open(location: &str, environment: &Environment) -> Result<Self, BucketError> {
        let location = BucketLocation::parse(location)?;
        let root = location.root_url()?;
        let (store, objects): (Arc<dyn ObjectStore>, _) = match &location {
            BucketLocation::S3 { name } => {
                let (store, api) = open_s3(name, environment)?;
                (store, Objects::S3(api))
            }
            BucketLocation::File { folder } => {
                let store = LocalStore::of(folder).map_err(|_| BucketError::Missing {
                    bucket: location.to_string(),
                })?;
                (
                    Arc::new(store),
                    Objects::Folder(Folder::new(folder.clone())),
                )
            }
            BucketLocation::Store { name } => {
                return Err(BucketError::Missing {
                    bucket: name.clone(),
                });
            }
        };
        Ok(Self {
            location,
            root,
            store,
            objects,
        })
    }

    /// A bucket in any store, for instance one in memory.
    ///
    /// # Errors
    /// None that a store can cause.
    pub fn of_store(store: Arc<dyn ObjectStore>) -> Result<Self, BucketError> {
        let location = BucketLocation::Store {
            name: store.to_string(),
        };
        Ok(Self {
            root: location.root_url()?,
            location,
            store,
            objects: Objects::Store,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &BucketLocation {
        &self.location
    }

    /// The endpoint requests go to, for a bucket on S3.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        match &self.objects {
            Objects::S3(api) => Some(api.endpoint.as_str()),
            Objects::Folder(_) | Objects::Store => None,
        }
    }

    /// The store under the Delta tables, rooted at the bucket.
    #[must_use]
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// Asks the bucket whether it is there and lets us list it.
    ///
    /// # Errors
    /// [`BucketError`] naming what is wrong: missing, unreachable, refused.
    pub async fn check(&self) -> Result<(), BucketError> {
        match &self.objects {
            Objects::S3(api) => api.list_page("", "", None, 1).await.map(drop),
            Objects::Folder(_) | Objects::Store => Ok(()),
        }
    }

    /// All objects whose key starts with `prefix`, in no particular order.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Listed>, BucketError> {
        self.list_after(prefix, "").await
    }

    /// All objects whose key starts with `prefix` and sorts after `after`, in no particular order.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn list_after(&self, prefix: &str, after: &str) -> Result<Vec<Listed>, BucketError> {
        let mut found = self.list_from(prefix, after).await?;
        found.retain(|object| object.key.as_str() > after);
        Ok(found)
    }

    async fn list_from(&self, prefix: &str, after: &str) -> Result<Vec<Listed>, BucketError> {
        let api = match &self.objects {
            Objects::S3(api) => api,
            Objects::Folder(folder) => {
                let (folder, own, after) = (folder.clone(), prefix.to_owned(), after.to_owned());
                let list = move || folder.list(&own, &after);
                return self.in_folder("listing", prefix, list).await;
            }
            Objects::Store => return self.list_store(prefix).await,
        };
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let (page, next) = api.list_page(prefix, after, token.as_deref(), 1000).await?;
            all.extend(page);
            match next {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    async fn list_store(&self, prefix: &str) -> Result<Vec<Listed>, BucketError> {
        // A store lists folders, a prefix may end inside a name.
        let folder = prefix.rsplit_once('/').map(|(folder, _)| folder);
        let folder = folder.map(|f| self.path("listing", f)).transpose()?;
        let found: Vec<_> = self
            .store
            .list(folder.as_ref())
            .try_collect()
            .await
            .map_err(|error| self.store_error("listing", prefix, &error))?;
        Ok(found
            .into_iter()
            .filter(|meta| meta.location.as_ref().starts_with(prefix))
            .map(|meta| Listed {
                key: meta.location.to_string(),
                etag: meta.e_tag.unwrap_or_default(),
                size: meta.size,
                modified_micros: meta.last_modified.timestamp_micros(),
            })
            .collect())
    }

    /// Reads an object; with `etag` only if it still has that content.
    ///
    /// # Errors
    /// [`BucketError`] of the store; a missing or changed object is no error.
    pub async fn get(&self, key: &str, etag: Option<&str>) -> Result<Fetched, BucketError> {
        match &self.objects {
            Objects::S3(api) => return api.get(key, etag).await,
            Objects::Folder(folder) => {
                let (folder, own, etag) = (folder.clone(), key.to_owned(), etag.map(str::to_owned));
                let read = move || folder.get(&own, etag.as_deref());
                return self.in_folder("reading", key, read).await;
            }
            Objects::Store => {}
        }
        let options = GetOptions {
            if_match: etag.map(str::to_owned),
            ..GetOptions::default()
        };
        let path = self.path("reading", key)?;
        let read = async { self.store.get_opts(&path, options).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Fetched::Bytes(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(Fetched::Missing),
            Err(StoreError::Precondition { .. }) => Ok(Fetched::Changed),
            Err(error) => Err(self.store_error("reading", key, &error)),
        }
    }

    /// Writes an object only if there is none under its key.
    ///
    /// # Errors
    /// [`BucketError`] of the store; an existing object is no error.
    pub async fn put_new(&self, key: &str, body: Bytes) -> Result<PutNew, BucketError> {
        match &self.objects {
            Objects::S3(api) => return api.put_new(key, body).await,
            Objects::Folder(folder) => {
                let (folder, own) = (folder.clone(), key.to_owned());
                let write = move || folder.put_new(&own, &body);
                return self.in_folder("writing", key, write).await;
            }
            Objects::Store => {}
        }
        let options = PutOptions::from(PutMode::Create);
        match self
            .store
            .put_opts(&self.path("writing", key)?, body.into(), options)
            .await
        {
            Ok(_) => Ok(PutNew::Created),
            Err(StoreError::AlreadyExists { .. }) => Ok(PutNew::Exists),
            Err(error) => Err(self.store_error("writing", key, &error)),
        }
    }

    /// Writes an object, whatever was under its key.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn put(&self, key: &str, body: Bytes) -> Result<(), BucketError> {
        match &self.objects {
            Objects::S3(api) => return api.put(key, body).await,
            Objects::Folder(folder) => {
                let (folder, own) = (folder.clone(), key.to_owned());
                let write = move || folder.put(&own, &body);
                return self.in_folder("writing", key, write).await;
            }
            Objects::Store => {}
        }
        self.store
            .put(&self.path("writing", key)?, body.into())
            .await
            .map(drop)
            .map_err(|error| self.store_error("writing", key, &error))
    }

    /// Removes an object; an absent one is no error.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        match &self.objects {
            Objects::S3(api) => return api.delete(key).await,
            Objects::Folder(folder) => {
                let (folder, own) = (folder.clone(), key.to_owned());
                let remove = move || folder.delete(&own);
                return self.in_folder("removal", key, remove).await;
            }
            Objects::Store => {}
        }
        match self.store.delete(&self.path("removal", key)?).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.store_error("removal", key, &error)),
        }
    }

    /// Creates the bucket, or the folder that plays it.
    ///
    /// # Errors
    /// [`BucketError::Exists`] when there is one already, or what the service says.
    pub async fn create(location: &str, environment: &Environment) -> Result<(), BucketError> {
        match BucketLocation::parse(location)? {
            BucketLocation::S3 { name } => open_s3(&name, environment)?.1.create_bucket().await,
            BucketLocation::File { folder } => {
                let bucket = format!("file://{}", folder.display());
                if folder.exists() {
                    return Err(BucketError::Exists { bucket });
                }
                std::fs::create_dir_all(&folder).map_err(|error| BucketError::Service {
                    operation: "creation",
                    bucket,
                    key: String::new(),
                    reason: error.to_string(),
                    transient: false,
                })
            }
            BucketLocation::Store { name } => Err(BucketError::Exists { bucket: name }),
        }
    }

    /// The names of all buckets of the S3 service that `environment` points to.
    ///
    /// # Errors
    /// [`BucketError`] of the service.
    pub async fn names(environment: &Environment) -> Result<Vec<String>, BucketError> {
        open_s3("none", environment)?.1.list_buckets().await
    }

    /// The Delta log store of the table at `prefix`.
    #[must_use]
    pub fn log_store(&self, prefix: &str) -> Option<LogStoreRef> {
        let url = self
            .root
            .join(&format!("{}/", prefix.trim_matches('/')))
            .ok()?;
        let path = Path::parse(prefix).ok()?;
        let at_table = Arc::new(PrefixStore::new(Arc::clone(&self.store), path));
        let at_root: Arc<dyn ObjectStore> = match &self.location {
            BucketLocation::S3 { .. } | BucketLocation::Store { .. } => Arc::clone(&self.store),
            // The kernel addresses local files from the root of the file system.
            BucketLocation::File { folder } => Arc::new(LocalStore::around(folder)),
        };
        let log = default_logstore(at_table, at_root, &url, &StorageConfig::default());
        Some(Arc::new(TableLog::new(log)))
    }

    pub(super) async fn in_folder<T: Send + 'static>(
        &self,
        operation: &'static str,
        key: &str,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, BucketError> {
        let failed = |reason: String, transient: bool| BucketError::Service {
            operation,
            bucket: self.location.to_string(),
            key: shown(key),
            reason,
            transient,
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| failed(error.to_string(), false))?
            .map_err(|error| {
                // A full disk or too many open files may be mended while we wait.
                let transient = !matches!(
                    error.kind(),
                    std::io::ErrorKind::PermissionDenied
                        | std::io::ErrorKind::InvalidInput
                        | std::io::ErrorKind::ReadOnlyFilesystem
                );
                failed(error.to_string(), transient)
            })
    }

    pub(super) fn path(&self, operation: &'static str, key: &str) -> Result<Path, BucketError> {
        Path::parse(key).map_err(|error| BucketError::Service {
            operation,
            bucket: self.location.to_string(),
            key: shown(key),
            reason: error.to_string(),
            transient: false,
        })
    }

    pub(super) fn store_error(
        &self,
        operation: &'static str,
        key: &str,
        error: &StoreError,
    ) -> BucketError {
        BucketError::Service {
            operation,
            bucket: self.location.to_string(),
            key: shown(key),
            reason: innermost(error),
            transient: matches!(error, StoreError::Generic { .. }),
        }
    }
}
