//! The store under the Delta tables of a local folder: the `object_store` crate's, with writes that are on
//! the disk when they return, and a cheaper listing of what comes after a name.
//!
//! A commit must not be on the disk before the files it names, nor a record before the commits, and a log
//! entry that is there has to be whole: the crate leaves all of that to the operating system.
//!
//! The kernel lists a table's log behind its known version at every commit, and its folder keeps the
//! commits of weeks. The crate makes a path of every one of them before it looks whether it is wanted; here
//! most of them are not even looked at ([`local_log`]).

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::DateTime;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};

use super::folder::Folder;
use super::local_log;
use super::{Listed, PutNew};

/// See the module.
#[derive(Debug)]
pub(super) struct LocalStore {
    inner: LocalFileSystem,
    folder: Folder,
}

impl LocalStore {
    /// The folder of a bucket.
    pub(super) fn of(bucket: &std::path::Path) -> Result<Self> {
        Ok(Self {
            inner: LocalFileSystem::new_with_prefix(bucket)?,
            folder: Folder::new(bucket.to_owned()),
        })
    }

    /// The whole file system, as the Delta kernel addresses it, to read and write in a bucket.
    pub(super) fn around(bucket: &std::path::Path) -> Self {
        Self {
            inner: LocalFileSystem::new(),
            folder: Folder::around(bucket),
        }
    }
}

impl LocalStore {
    async fn settle(&self, at: &Path) -> Result<()> {
        let (folder, key) = (self.folder.clone(), at.to_string());
        in_background(move || folder.settle(&key)).await
    }
}

/// A file that is written piece by piece: it is nobody's before it is finished.
#[derive(Debug)]
struct Parts {
    inner: Box<dyn MultipartUpload>,
    folder: Folder,
    key: String,
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let done = self.inner.complete().await?;
        let (folder, key) = (self.folder.clone(), self.key.clone());
        in_background(move || folder.settle(&key)).await?;
        Ok(done)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|source| Error::JoinError { source })?
        .map_err(|error| Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(error),
        })
}

impl fmt::Display for LocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for LocalStore {
    async fn put_opts(
        &self,
        at: &Path,
        body: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let is_new = match &options.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return self.inner.put_opts(at, body, options).await,
        };
        let (folder, key) = (self.folder.clone(), at.to_string());
        let written = in_background(move || {
            let bytes = Bytes::from(body);
            if is_new {
                folder.put_new(&key, &bytes)
            } else {
                folder.put(&key, &bytes).map(|()| PutNew::Created)
            }
        });
        match written.await? {
            PutNew::Created => Ok(PutResult {
                e_tag: None,
                version: None,
            }),
            PutNew::Exists => Err(Error::AlreadyExists {
                path: at.to_string(),
                source: "a file of this name is there".into(),
            }),
        }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Parts {
            inner: self.inner.put_multipart_opts(at, options).await?,
            folder: self.folder.clone(),
            key: at.to_string(),
        }))
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, options).await
    }

    async fn get_ranges(&self, at: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(at, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let folder = self.folder.clone();
        let start = prefix.map_or_else(String::new, |prefix| format!("{prefix}/"));
        let after = offset.to_string();
        let found = in_background(move || match local_log::behind(&folder, &start, &after)? {
            Some(commits) => Ok(commits),
            None => folder.list(&start, &after),
        });
        stream::once(found)
            .map_ok(|found| stream::iter(found.into_iter().filter_map(described).map(Ok)))
            .try_flatten()
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await?;
        self.settle(to).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await?;
        self.settle(to).await
    }
}

/// What the crate's own listing would say of a file; nothing for a file it is still writing, which it
/// names `NAME#NUMBER`, and for names it cannot express.
fn described(listed: Listed) -> Option<ObjectMeta> {
    let being_written = listed.key.rsplit_once('#').is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if being_written {
        return None;
    }
    Some(ObjectMeta {
        location: Path::parse(listed.key).ok()?,
        last_modified: DateTime::from_timestamp_micros(listed.modified_micros)?,
        size: listed.size,
        e_tag: None,
        version: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn names(store: &dyn ObjectStore, prefix: &str, after: &str) -> Vec<(String, u64, i64)> {
        let found = store.list_with_offset(Some(&Path::from(prefix)), &Path::from(after));
        let mut found: Vec<_> = found
            .map_ok(|meta| {
                let micros = meta.last_modified.timestamp_micros();
                (meta.location.to_string(), meta.size, micros)
            })
            .try_collect()
            .await
            .unwrap();
        found.sort();
        found
    }

    #[tokio::test]
    async fn lists_what_the_crate_lists() {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("t/_delta_log");
        std::fs::create_dir_all(log.join("_sidecars")).unwrap();
        for (number, name) in [
            "00000000000000000000.json",
            "00000000000000000001.checkpoint.parquet",
            "00000000000000000001.json",
            "00000000000000000002.json",
            "00000000000000000003.json#1",
            "_last_checkpoint",
            "_sidecars/a.parquet",
            ".hidden",
        ]
        .iter()
        .enumerate()
        {
            std::fs::write(log.join(name), vec![0; number]).unwrap();
        }
        let log = format!("{}/t/_delta_log", root.path().display());
        let (crates, ours) = (LocalFileSystem::new(), LocalStore::around(root.path()));
        let mut counts = Vec::new();
        for after in [
            "",
            "/00000000000000000001.",
            "/00000000000000000001.json",
            "/_sidecars",
            "/_sidecars/a.parquet",
            "/a",
        ] {
            let behind = format!("{log}{after}");
            let expected = names(&crates, &log, &behind).await;
            assert_eq!(names(&ours, &log, &behind).await, expected, "{after}");
            counts.push(expected.len());
        }
        assert_eq!(counts, [7, 5, 3, 1, 0, 0]);
        let absent = format!("{log}/absent");
        assert_eq!(names(&ours, &absent, &absent).await, []);
    }
}
