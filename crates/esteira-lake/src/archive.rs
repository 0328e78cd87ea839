//! Copies of objects that were taken, for whoever wants the input folder empty and the objects elsewhere.
//!
//! Comes in: an object's name under the input path, and which content of it is meant. Goes out: a copy under
//! the archive's folder that the service makes itself. The invariant: nothing in the archive is ever
//! overwritten; another content of the same name gets a name of its own, made from the content's entity tag,
//! so that archiving it again finds it again.

use crate::bucket::{Bucket, BucketError, Copied};
use crate::ledger::PlannedObject;
use crate::raw::{key_in, name_of_content};

/// The folder of a pipeline's archive.
#[derive(Debug, Clone)]
pub struct Archive {
    bucket: Bucket,
    folder: String,
}

/// What archiving a content gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Archived {
    /// The archive has it.
    Kept,
    /// There is another content under the object's key now, or none.
    Gone,
}

impl Archive {
    /// Copies go under `folder` (for instance `archive/marketing_place`).
    #[must_use]
    pub fn new(bucket: Bucket, folder: &str) -> Self {
        Self {
            bucket,
            folder: format!("{}/", folder.trim_matches('/')),
        }
    }

    /// Copies an object that still has its content.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn keep(&self, name: &str, object: &PlannedObject) -> Result<Archived, BucketError> {
        let PlannedObject {
            key, etag, size, ..
        } = object;
        let own = name_of_content(name, format!("{size} {etag}").as_bytes());
        for name in [name, own.as_str()] {
            let to = key_in(&self.folder, name);
            match self.bucket.copy_new(key, etag, *size, &to).await? {
                Copied::Created | Copied::Same => return Ok(Archived::Kept),
                Copied::Changed | Copied::Missing => return Ok(Archived::Gone),
                Copied::Other => {}
            }
        }
        // Its name is made of it: what is there is the copy, on a service that does not keep what it is of.
        Ok(Archived::Kept)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::bucket::Environment;

    #[tokio::test]
    async fn every_content_of_a_name_is_kept_and_none_twice() {
        let folder = tempfile::tempdir().unwrap();
        let location = format!("file://{}", folder.path().display());
        let bucket = Bucket::open(&location, &Environment::default()).unwrap();
        let archive = Archive::new(bucket.clone(), "/archive/p/");
        for content in ["one", "two", ""] {
            bucket.put("in/a.json", Bytes::from(content)).await.unwrap();
            let found = bucket.find("in/a.json").await.unwrap().unwrap();
            let object = PlannedObject {
                key: found.key,
                etag: found.etag,
                size: found.size,
                modified: found.modified_micros,
            };
            for _ in 0..2 {
                let kept = archive.keep("a.json", &object).await.unwrap();
                assert_eq!(kept, Archived::Kept);
            }
            bucket
                .put("in/a.json", Bytes::from("another"))
                .await
                .unwrap();
            let kept = archive.keep("a.json", &object).await.unwrap();
            assert_eq!(kept, Archived::Gone);
        }
        let mut kept = Vec::new();
        for copy in bucket.list("archive/p/").await.unwrap() {
            assert!(copy.key.starts_with("archive/p/a."), "{}", copy.key);
            kept.push(bucket.get(&copy.key, None).await.unwrap());
        }
        assert_eq!(kept.len(), 3, "{kept:?}");
    }
}
