//! The store under the Delta tables of a bucket on S3: the `object_store` crate's, with more patience.
//!
//! A page of a listing that breaks off is not asked for again by the crate, and the Delta library makes
//! of it a text that does not tell what failed.
//!
//! S3 answers 409 `ConditionalRequestConflict` when it cannot decide a conditional write just now, and
//! nothing was written; the client shall try again (Amazon S3 User Guide, *Add preconditions to S3
//! operations with conditional requests*). The crate says of it what it says of 412: that the object
//! exists. A commit would be looked for that nobody made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};

use super::s3_api::spread;

const ATTEMPTS: u32 = 6;
/// The crate has tried most of what can fail before.
const LIST_ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug)]
pub(super) struct S3Store<S> {
    inner: Arc<S>,
}

impl<S> S3Store<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner: Arc::new(inner),
        }
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
                    tokio::time::sleep(spread(pause)).await;
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
        Listing::new(Arc::clone(&self.inner), prefix, None).stream()
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        Listing::new(Arc::clone(&self.inner), prefix, Some(offset)).stream()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..LIST_ATTEMPTS {
            match self.inner.list_with_delimiter(prefix).await {
                Err(Error::Generic { .. }) => {
                    tokio::time::sleep(spread(pause)).await;
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// A listing that goes on behind the last entry it gave when it breaks off.
struct Listing<S> {
    store: Arc<S>,
    prefix: Option<Path>,
    after: Option<Path>,
    current: BoxStream<'static, Result<ObjectMeta>>,
    /// Since the last entry.
    failures: u32,
}

impl<S: ObjectStore> Listing<S> {
    fn new(store: Arc<S>, prefix: Option<&Path>, after: Option<&Path>) -> Self {
        let (prefix, after) = (prefix.cloned(), after.cloned());
        Self {
            current: open(&store, prefix.as_ref(), after.as_ref()),
            store,
            prefix,
            after,
            failures: 0,
        }
    }

    fn stream(self) -> BoxStream<'static, Result<ObjectMeta>> {
        let entries = stream::unfold(Some(self), |listing| async move {
            let mut listing = listing?;
            loop {
                match listing.current.next().await? {
                    Ok(entry) => {
                        listing.after = Some(entry.location.clone());
                        listing.failures = 0;
                        return Some((Ok(entry), Some(listing)));
                    }
                    Err(Error::Generic { .. }) if listing.failures + 1 < LIST_ATTEMPTS => {
                        tokio::time::sleep(spread(FIRST_PAUSE * 2u32.pow(listing.failures))).await;
                        listing.failures += 1;
                        let Listing {
                            store,
                            prefix,
                            after,
                            ..
                        } = &listing;
                        listing.current = open(store, prefix.as_ref(), after.as_ref());
                    }
                    Err(error) => return Some((Err(error), None)),
                }
            }
        });
        entries.boxed()
    }
}

fn open<S: ObjectStore>(
    store: &Arc<S>,
    prefix: Option<&Path>,
    after: Option<&Path>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    match after {
        Some(after) => store.list_with_offset(prefix, after),
        None => store.list(prefix),
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::TryStreamExt as _;
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;

    use super::*;

    /// Fails as it is told to before it does anything.
    #[derive(Debug, Default)]
    struct Failing {
        inner: InMemory,
        puts: Mutex<Vec<Error>>,
        /// Listings that break off after one entry.
        lists: Mutex<u32>,
    }

    impl fmt::Display for Failing {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Failing")
        }
    }

    fn broken() -> Error {
        Error::Generic {
            store: "S3",
            source: "broke off".into(),
        }
    }

    fn exists(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
        Error::AlreadyExists {
            path: "a".to_owned(),
            source,
        }
    }

    #[async_trait]
    impl ObjectStore for Failing {
        async fn put_opts(
            &self,
            at: &Path,
            body: PutPayload,
            options: PutOptions,
        ) -> Result<PutResult> {
            let failure = self.puts.lock().unwrap().pop();
            match failure {
                Some(error) => Err(error),
                None => self.inner.put_opts(at, body, options).await,
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

        fn delete_stream(
            &self,
            locations: BoxStream<'static, Result<Path>>,
        ) -> BoxStream<'static, Result<Path>> {
            self.inner.delete_stream(locations)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            self.list_with_offset(prefix, &Path::default())
        }

        fn list_with_offset(
            &self,
            prefix: Option<&Path>,
            offset: &Path,
        ) -> BoxStream<'static, Result<ObjectMeta>> {
            let whole = self.inner.list_with_offset(prefix, offset);
            let mut left = self.lists.lock().unwrap();
            if *left == 0 {
                return whole;
            }
            *left -= 1;
            let end = stream::once(async { Err(broken()) });
            whole.take(1).chain(end).boxed()
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.inner.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
            self.inner.copy_opts(from, to, options).await
        }
    }

    async fn create(failures: Vec<Error>) -> Result<PutResult> {
        let store = S3Store::new(Failing {
            puts: Mutex::new(failures),
            ..Failing::default()
        });
        let options = PutOptions::from(PutMode::Create);
        store.put_opts(&Path::from("a"), "x".into(), options).await
    }

    #[tokio::test]
    async fn undecided_write_is_tried_again_and_a_decided_one_is_not() {
        let conflict = || exists("409 Conflict".into());
        create(vec![conflict(), conflict()]).await.unwrap();
        let refused = exists(Box::new(Error::Precondition {
            path: "a".to_owned(),
            source: "412".into(),
        }));
        let answer = create(vec![refused]).await.unwrap_err();
        assert!(matches!(answer, Error::AlreadyExists { .. }), "{answer}");
    }

    #[tokio::test]
    async fn write_that_stays_undecided_does_not_say_that_the_object_exists() {
        let many = (0..ATTEMPTS).map(|_| exists("409 Conflict".into()));
        let answer = create(many.collect()).await.unwrap_err();
        assert!(matches!(answer, Error::Generic { .. }), "{answer}");
    }

    #[tokio::test]
    async fn listing_that_breaks_off_goes_on_where_it_was() {
        let failing = Failing {
            lists: Mutex::new(3),
            ..Failing::default()
        };
        for key in ["a", "b", "c", "d", "e"] {
            failing.put(&Path::from(key), "x".into()).await.unwrap();
        }
        let store = S3Store::new(failing);
        let found: Vec<ObjectMeta> = store.list(None).try_collect().await.unwrap();
        let names: Vec<&str> = found.iter().map(|meta| meta.location.as_ref()).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
    }
}
