//! The store under the Delta tables of a bucket on S3: the `object_store` crate's, which takes one answer
//! of S3 for another.
//!
//! S3 answers 409 `ConditionalRequestConflict` when it cannot decide a conditional write just now, and
//! nothing was written; the client shall try again (Amazon S3 User Guide, *Add preconditions to S3
//! operations with conditional requests*). The crate says of it what it says of 412: that the object
//! exists. A commit would be looked for that nobody made.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};

const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug)]
pub(super) struct S3Store<S> {
    inner: S,
}

impl<S> S3Store<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: fmt::Display> fmt::Display for S3Store<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl<S: ObjectStore> ObjectStore for S3Store<S> {
    async fn put_opts(
        &self,
        at: &Path,
        body: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if !matches!(options.mode, PutMode::Create) {
            return self.inner.put_opts(at, body, options).await;
        }
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.inner.put_opts(at, body.clone(), options.clone()).await {
                Err(error) if is_undecided(&error) => {
                    tracing::debug!(path = %at, "the service could not decide a conditional write");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
        match self.inner.put_opts(at, body, options).await {
            Err(error) if is_undecided(&error) => Err(Error::Generic {
                store: "S3",
                source: Box::new(error),
            }),
            outcome => outcome,
        }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, options).await
    }

    async fn get_ranges(
        &self,
        at: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<bytes::Bytes>> {
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
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// Whether "it exists" was made of a 409: what was made of a 412 tells of a precondition.
fn is_undecided(error: &Error) -> bool {
    let Error::AlreadyExists { source, .. } = error else {
        return false;
    };
    !matches!(
        source.downcast_ref::<Error>(),
        Some(Error::Precondition { .. } | Error::NotModified { .. })
    )
}
