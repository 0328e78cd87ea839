//! What is known of one object, and removing it only as long as it is the one that is meant.

use http::{Method, StatusCode, header};
use object_store::{Error as StoreError, ObjectStoreExt as _};

use super::open::Objects;
use super::s3_api::{Call, S3Api, has_dot_folder};
use super::{Bucket, BucketError, Listed};

/// What removing a content gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Removed {
    /// It is gone.
    Done,
    /// There is another content under the key now; nothing changed.
    Changed,
    /// There was nothing under the key.
    Missing,
}

impl Bucket {
    /// What a listing would show of one object; nothing when there is none. On S3 the time of writing has
    /// whole seconds.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn find(&self, key: &str) -> Result<Option<Listed>, BucketError> {
        match &self.objects {
            Objects::S3(api) => api.find(key).await,
            Objects::Folder(folder) => {
                let (folder, own) = (folder.clone(), key.to_owned());
                let look = move || folder.find(&own);
                self.in_folder("reading", key, look).await
            }
            Objects::Store => match self.store.head(&self.path("reading", key)?).await {
                Ok(meta) => Ok(Some(Listed {
                    key: key.to_owned(),
                    etag: meta.e_tag.unwrap_or_default(),
                    size: meta.size,
                    modified_micros: meta.last_modified.timestamp_micros(),
                })),
                Err(StoreError::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.store_error("reading", key, &error)),
            },
        }
    }

    /// Removes an object if it still has the content of this entity tag.
    ///
    /// On S3 the service decides (`If-Match`), and a local folder is safe from whoever replaces the file.
    /// Everywhere the tag is compared first, which is all there is with a service that passes over the
    /// condition: there, what is written between the look and the removal is lost.
    ///
    /// # Errors
    /// [`BucketError`] of the store, also of a service that refuses the condition.
    pub async fn remove(&self, key: &str, etag: &str) -> Result<Removed, BucketError> {
        if let Objects::Folder(folder) = &self.objects {
            let (folder, own, etag) = (folder.clone(), key.to_owned(), etag.to_owned());
            let remove = move || folder.remove(&own, &etag);
            return self.in_folder("removal", key, remove).await;
        }
        match self.find(key).await? {
            None => return Ok(Removed::Missing),
            Some(found) if found.etag != etag => return Ok(Removed::Changed),
            Some(_) => {}
        }
        match &self.objects {
            Objects::S3(api) => api.remove(key, etag).await,
            Objects::Folder(_) | Objects::Store => self.delete(key).await.map(|()| Removed::Done),
        }
    }
}

impl S3Api {
    async fn find(&self, key: &str) -> Result<Option<Listed>, BucketError> {
        if has_dot_folder(key) {
            // No URL names it. It sorts before all others that begin with its key.
            let (page, _) = self.list_page(key, "", None, 1).await?;
            return Ok(page.into_iter().find(|found| found.key == key));
        }
        Ok(self.head(key).await?.map(|head| Listed {
            key: key.to_owned(),
            etag: head.etag,
            size: head.size,
            modified_micros: head.modified_micros,
        }))
    }

    /// See *Conditional deletes* in the Amazon S3 User Guide.
    async fn remove(&self, key: &str, etag: &str) -> Result<Removed, BucketError> {
        let mut call = Call::new("removal", Method::DELETE, key);
        if has_dot_folder(key) {
            return Err(self.failed(&call, "no URL can name a folder `.` or `..`", false));
        }
        call.headers.push((header::IF_MATCH, format!("\"{etag}\"")));
        Ok(match self.send(&call).await?.status {
            StatusCode::PRECONDITION_FAILED => Removed::Changed,
            StatusCode::NOT_FOUND => Removed::Missing,
            _ => Removed::Done,
        })
    }
}
