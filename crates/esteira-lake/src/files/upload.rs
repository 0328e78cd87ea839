//! The store that data files are written to: it keeps what failed, instead of saying so to the writer.
//!
//! The Delta library's writer, told that a file could not be finished, panics, catches itself and wraps
//! the cause so that it cannot be told apart from a mistake. So the writer is told that all is well, and
//! whoever writes a file asks [`Upload::outcome`] before anything is made of it. Of an upload in parts that
//! failed nothing is left in the bucket: a vacuum would not see it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    store: Arc<dyn ObjectStore>,
    failure: Failure,
}

/// The first thing that failed.
#[derive(Debug, Clone, Default)]
struct Failure(Arc<Mutex<Option<Error>>>);

impl Failure {
    fn keep(&self, error: Error) {
        self.lock().get_or_insert(error);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    pub(super) fn to(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            failure: Failure::default(),
        }
    }

    /// Whether everything was written.
    pub(super) fn outcome(&self) -> Result<()> {
        self.failure.lock().take().map_or(Ok(()), Err)
    }
}

impl fmt::Display for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Upload {
    async fn put_opts(
        &self,
        at: &Path,
        body: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = self.store.put_opts(at, body, options).await;
        Ok(put.unwrap_or_else(|error| {
            self.failure.keep(error);
            nothing()
        }))
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Parts {
            inner: self.store.put_multipart_opts(at, options).await?,
            failure: self.failure.clone(),
        }))
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(at, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct Parts {
    inner: Box<dyn MultipartUpload>,
    failure: Failure,
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let failure = self.failure.clone();
        let put = self.inner.put_part(data);
        let kept = put.map(move |put| {
            if let Err(error) = put {
                failure.keep(error);
            }
            Ok(())
        });
        kept.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        if self.failure.lock().is_none() {
            match self.inner.complete().await {
                Ok(done) => return Ok(done),
                Err(error) => self.failure.keep(error),
            }
        }
        if let Err(error) = self.inner.abort().await {
            tracing::debug!(%error, "parts of a file that failed stay until the bucket drops them");
        }
        Ok(nothing())
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

/// What is said of a file that was not written.
fn nothing() -> PutResult {
    PutResult {
        e_tag: None,
        version: None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt as _, PutMode};

    use super::*;

    /// An upload whose last step fails.
    #[derive(Debug, Default)]
    struct Doomed {
        aborted: Arc<AtomicBool>,
    }

    #[async_trait]
    impl MultipartUpload for Doomed {
        fn put_part(&mut self, _: PutPayload) -> UploadPart {
            async { Ok(()) }.boxed()
        }

        async fn complete(&mut self) -> Result<PutResult> {
            Err(Error::Generic {
                store: "S3",
                source: "503".into(),
            })
        }

        async fn abort(&mut self) -> Result<()> {
            self.aborted.store(true, Ordering::Relaxed);
            Ok(())
        }
    }

    #[tokio::test]
    async fn file_that_cannot_be_written_is_told_of_when_asked() {
        let upload = Upload::to(Arc::new(InMemory::new()));
        let at = Path::from("a");
        let put = || upload.put_opts(&at, "x".into(), PutMode::Create.into());
        put().await.unwrap();
        upload.outcome().unwrap();
        put().await.unwrap();
        let error = upload.outcome().unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    }

    #[tokio::test]
    async fn file_in_parts_that_cannot_be_finished_leaves_none_of_them() {
        let doomed = Doomed::default();
        let aborted = Arc::clone(&doomed.aborted);
        let failure = Failure::default();
        let mut parts = Parts {
            inner: Box::new(doomed),
            failure: failure.clone(),
        };
        parts.put_part("x".into()).await.unwrap();
        parts.complete().await.unwrap();
        assert!(failure.lock().is_some());
        assert!(aborted.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn file_in_parts_is_written() {
        let upload = Upload::to(Arc::new(InMemory::new()));
        let mut parts = upload.put_multipart(&Path::from("a")).await.unwrap();
        parts.put_part("x".into()).await.unwrap();
        parts.complete().await.unwrap();
        upload.outcome().unwrap();
        let read = upload.get(&Path::from("a")).await.unwrap();
        assert_eq!(read.bytes().await.unwrap(), "x");
    }
}
