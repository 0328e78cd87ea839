//! Objects that are too large to be held: what can be done with them without reading them.

use bytes::Bytes;
use object_store::{Error as StoreError, ObjectStoreExt as _};

use super::open::Objects;
use super::{Bucket, BucketError, Fetched, PutNew};

/// What a copy that must not overwrite gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Copied {
    /// The copy is there now.
    Created,
    /// A copy of the same content was there already.
    Same,
    /// Something else was there already; nothing changed.
    Other,
    /// There is another content at the source now.
    Changed,
    /// There is nothing at the source.
    Missing,
}

impl Bucket {
    /// Copies an object that has `size` bytes, if it still has the content of `etag`, and only if nothing is
    /// under the other key. On S3 the service copies; a local file goes through a small buffer.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn copy_new(
        &self,
        from: &str,
        etag: &str,
        size: u64,
        to: &str,
    ) -> Result<Copied, BucketError> {
        match &self.objects {
            Objects::S3(api) => api.copy_new(from, etag, size, to).await,
            Objects::Folder(folder) => {
                let folder = folder.clone();
                let (own, etag, to) = (from.to_owned(), etag.to_owned(), to.to_owned());
                let copy = move || folder.copy_new(&own, &etag, &to);
                self.in_folder("copying", from, copy).await
            }
            Objects::Store => {
                let bytes = match self.get(from, Some(etag)).await? {
                    Fetched::Bytes(bytes) => bytes,
                    Fetched::Changed => return Ok(Copied::Changed),
                    Fetched::Missing => return Ok(Copied::Missing),
                };
                self.put_copy(to, bytes).await
            }
        }
    }

    async fn put_copy(&self, to: &str, bytes: Bytes) -> Result<Copied, BucketError> {
        if self.put_new(to, bytes.clone()).await? == PutNew::Created {
            return Ok(Copied::Created);
        }
        let same = self.get(to, None).await? == Fetched::Bytes(bytes);
        Ok(if same { Copied::Same } else { Copied::Other })
    }

    /// Whether an object is a copy of the content that had this entity tag and size. Where nothing tells
    /// of the tag, the size has to do.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn is_copy(&self, key: &str, etag: &str, size: u64) -> Result<bool, BucketError> {
        match &self.objects {
            Objects::S3(api) => api.is_copy(key, etag, size).await,
            _ => Ok(self.size_of(key).await? == Some(size)),
        }
    }

    /// The bytes of an object; none when there is no object.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn size_of(&self, key: &str) -> Result<Option<u64>, BucketError> {
        match &self.objects {
            Objects::S3(api) => Ok(api.head(key).await?.map(|head| head.size)),
            Objects::Folder(folder) => {
                let (folder, own) = (folder.clone(), key.to_owned());
                let look = move || folder.size_of(&own);
                self.in_folder("reading", key, look).await
            }
            Objects::Store => match self.store.head(&self.path("reading", key)?).await {
                Ok(meta) => Ok(Some(meta.size)),
                Err(StoreError::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.store_error("reading", key, &error)),
            },
        }
    }
}
