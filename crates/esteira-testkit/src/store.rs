//! A bucket in memory whose clock stands still and which dies on command.
//!
//! Everything that outlives a process goes through the store's writes. A store that stops answering
//! after its n-th write therefore stands for a process that was killed right there, at every n: what
//! was written is there, what was not is not. It can also let somebody else act right before a write,
//! and lose the answer of one.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::DateTime;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

type Deed = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// See the module.
#[derive(Default)]
pub struct TestStore {
    inner: InMemory,
    modified: Mutex<HashMap<Path, i64>>,
    writes_left: AtomicI64,
    limited: AtomicBool,
    dead: AtomicBool,
    writes: AtomicI64,
    read: AtomicU64,
    listings: AtomicU64,
    before: Mutex<Option<(String, Deed)>>,
    losing: Mutex<Option<String>>,
    opaque: AtomicBool,
}

impl TestStore {
    /// Puts an object as if it had been written at that time.
    ///
    /// # Errors
    /// When `key` cannot be a key of the memory store.
    pub async fn upload(&self, key: &str, bytes: Vec<u8>, modified_micros: i64) -> Result<()> {
        let path = Path::parse(key)?;
        self.inner.put(&path, bytes.into()).await?;
        self.times().insert(path, modified_micros);
        Ok(())
    }

    /// From now on entity tags look like an MD5 and are none, as with SSE-KMS.
    pub fn encrypt(&self) {
        self.opaque.store(true, Ordering::SeqCst);
    }

    /// Lets `writes` more writes happen; then nothing answers any more.
    pub fn die_after(&self, writes: i64) {
        self.writes_left.store(writes, Ordering::SeqCst);
        self.limited.store(true, Ordering::SeqCst);
    }

    /// Answers again, without a limit: the next process starts.
    pub fn revive(&self) {
        self.limited.store(false, Ordering::SeqCst);
        self.dead.store(false, Ordering::SeqCst);
    }

    /// Whether it has died since it was last revived.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// How many writes have happened so far.
    pub fn writes(&self) -> i64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// Does `deed` once, right before the next write to a key that contains `part`: somebody else was
    /// faster.
    pub fn before_write_to(
        &self,
        part: &str,
        deed: impl FnOnce() -> BoxFuture<'static, ()> + Send + 'static,
    ) {
        *lock(&self.before) = Some((part.to_owned(), Box::new(deed)));
    }

    /// The next write to a key that contains `part` takes effect, but nobody hears of it.
    pub fn lose_answer_of(&self, part: &str) {
        *lock(&self.losing) = Some(part.to_owned());
    }

    /// Whether everything that was asked for by [`Self::before_write_to`] and
    /// [`Self::lose_answer_of`] has happened.
    pub fn is_calm(&self) -> bool {
        lock(&self.before).is_none() && lock(&self.losing).is_none()
    }

    /// Bytes read so far of keys that end with `.parquet` or `.bin`.
    pub fn data_bytes_read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }

    /// How often the folder `input`, or one in it, was listed.
    pub fn input_listings(&self) -> u64 {
        self.listings.load(Ordering::SeqCst)
    }

    /// All keys and their bytes.
    ///
    /// # Errors
    /// None of the memory store.
    pub async fn contents(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut all = Vec::new();
        let found: Vec<ObjectMeta> = self.inner.list(None).try_collect().await?;
        for meta in found {
            let bytes = self.inner.get(&meta.location).await?.bytes().await?;
            all.push((meta.location.to_string(), bytes.to_vec()));
        }
        all.sort();
        Ok(all)
    }

    fn times(&self) -> MutexGuard<'_, HashMap<Path, i64>> {
        lock(&self.modified)
    }

    fn deed_before(&self, at: &Path) -> Option<Deed> {
        let mut before = lock(&self.before);
        let is_meant = before
            .as_ref()
            .is_some_and(|(part, _)| at.as_ref().contains(part.as_str()));
        before.take_if(|_| is_meant).map(|(_, deed)| deed)
    }

    fn loses_answer_of(&self, at: &Path) -> bool {
        let mut losing = lock(&self.losing);
        losing
            .take_if(|part| at.as_ref().contains(part.as_str()))
            .is_some()
    }

    fn alive(&self) -> Result<()> {
        if self.is_dead() {
            return Err(Error::PermissionDenied {
                path: String::new(),
                source: "the process was killed".into(),
            });
        }
        Ok(())
    }

    fn write(&self) -> Result<()> {
        self.alive()?;
        if self.limited.load(Ordering::SeqCst)
            && self.writes_left.fetch_sub(1, Ordering::SeqCst) <= 0
        {
            self.dead.store(true, Ordering::SeqCst);
            return self.alive();
        }
        self.writes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn dated(&self, meta: ObjectMeta) -> ObjectMeta {
        let written = self.times().get(&meta.location).copied();
        described(meta, written, self.opaque.load(Ordering::SeqCst))
    }
}

fn described(mut meta: ObjectMeta, written: Option<i64>, opaque: bool) -> ObjectMeta {
    if let Some(instant) = written.and_then(DateTime::from_timestamp_micros) {
        meta.last_modified = instant;
    }
    if opaque {
        meta.e_tag = meta.e_tag.map(|tag| format!("{tag:0>32}"));
    }
    meta
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for TestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestStore")
    }
}

impl fmt::Display for TestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestStore")
    }
}

#[async_trait]
impl ObjectStore for TestStore {
    async fn put_opts(
        &self,
        at: &Path,
        body: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if let Some(deed) = self.deed_before(at) {
            deed().await;
        }
        self.write()?;
        let put = self.inner.put_opts(at, body, options).await?;
        if self.loses_answer_of(at) {
            return Err(Error::Generic {
                store: "test",
                source: "the answer was lost".into(),
            });
        }
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.write()?;
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.alive()?;
        let mut options = options;
        if self.opaque.load(Ordering::SeqCst) {
            let own = |tag: String| tag.parse().map_or(tag, |number: u64| number.to_string());
            options.if_match = options.if_match.map(own);
        }
        let mut result = self.inner.get_opts(at, options).await?;
        if matches!(at.extension(), Some("parquet" | "bin")) {
            let bytes = result.range.end - result.range.start;
            self.read.fetch_add(bytes, Ordering::SeqCst);
        }
        result.meta = self.dated(result.meta);
        Ok(result)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.write() {
            Ok(()) => self.inner.delete_stream(locations),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Err(error) = self.alive() {
            return futures::stream::once(async { Err(error) }).boxed();
        }
        if prefix.is_some_and(|prefix| prefix.as_ref().starts_with("input")) {
            self.listings.fetch_add(1, Ordering::SeqCst);
        }
        let times = self.times().clone();
        let opaque = self.opaque.load(Ordering::SeqCst);
        self.inner
            .list(prefix)
            .map_ok(move |meta| {
                let written = times.get(&meta.location).copied();
                described(meta, written, opaque)
            })
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.alive()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.write()?;
        self.inner.copy_opts(from, to, options).await
    }
}
