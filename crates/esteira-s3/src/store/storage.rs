//! The folder as a whole: the buckets by name, and `.esteira` with everything that is not an object.
//!
//! ```text
//! DIR/<bucket>/<key>                  the objects' bytes, see `key_path`
//! DIR/.esteira/buckets/<bucket>.jsonl a bucket's journal
//! DIR/.esteira/drafts/                bodies on their way in
//! DIR/.esteira/uploads/<id>/          multipart uploads in progress
//! DIR/.esteira/lock                   held while a simulator runs
//! ```
//!
//! Invariant: one simulator at a time uses a folder. A bucket is a folder: what is gone from the file system
//! is gone from S3 after a restart, what appeared there has appeared.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use super::{Bucket, Clock, Drafts, StoreError, Uploads, recovery};
use crate::SimulatorError;

type Buckets = BTreeMap<String, Arc<Bucket>>;

/// Everything a simulator keeps.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    journals: PathBuf,
    clock: Clock,
    buckets: RwLock<Buckets>,
    pub(crate) drafts: Drafts,
    pub(crate) uploads: Uploads,
    /// Unlocked by the operating system when this is dropped or the process ends.
    _lock: File,
}

impl Store {
    /// Opens a folder, which is created when it is missing, and finds out what it holds.
    ///
    /// # Errors
    /// When the folder cannot be used, or is in use.
    pub(crate) fn open(dir: &Path, clock: Clock) -> Result<Self, SimulatorError> {
        let journals = dir.join(".esteira/buckets");
        fs::create_dir_all(&journals).map_err(SimulatorError::folder(dir))?;
        let lock = lock(dir)?;
        let dir = dir.canonicalize().map_err(SimulatorError::folder(dir))?;
        let private = dir.join(".esteira");
        let journals = private.join("buckets");
        let buckets = open_buckets(&dir, &journals, clock)?;
        drop_stray_journals(&journals, &buckets).map_err(SimulatorError::folder(&journals))?;
        Ok(Self {
            drafts: Drafts::open(private.join("drafts"))
                .map_err(SimulatorError::folder(&private))?,
            uploads: Uploads::open(private.join("uploads"))
                .map_err(SimulatorError::folder(&private))?,
            buckets: RwLock::new(buckets),
            journals,
            clock,
            dir,
            _lock: lock,
        })
    }

    /// Absolute path.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn bucket(&self, name: &str) -> Result<Arc<Bucket>, StoreError> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.get(name).cloned().ok_or(StoreError::NoSuchBucket)
    }

    /// All buckets, by name.
    pub(crate) fn buckets(&self) -> Vec<(String, Arc<Bucket>)> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets
            .iter()
            .map(|(name, bucket)| (name.clone(), Arc::clone(bucket)))
            .collect()
    }

    /// Creates a bucket. A folder of that name that came by hand meanwhile becomes the bucket.
    pub(crate) fn create_bucket(&self, name: &str) -> Result<(), StoreError> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return Err(StoreError::BucketExists);
        }
        let folder = self.dir.join(name);
        fs::create_dir_all(&folder)?;
        let bucket = Bucket::open(folder, journal_of(&self.journals, name), self.clock)?;
        buckets.insert(name.to_owned(), Arc::new(bucket));
        Ok(())
    }

    /// Deletes an empty bucket, and with it its uploads in progress.
    pub(crate) fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        buckets
            .get(name)
            .ok_or(StoreError::NoSuchBucket)?
            .close_if_empty()?;
        buckets.remove(name);
        for upload in self.uploads.of_bucket(name) {
            self.uploads.end(&upload);
        }
        Ok(())
    }
}

fn lock(dir: &Path) -> Result<File, SimulatorError> {
    let path = dir.join(".esteira/lock");
    let file = File::create(&path).map_err(SimulatorError::folder(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SimulatorError::FolderInUse {
            path: dir.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(SimulatorError::Folder { path, source }),
    }
}

fn open_buckets(dir: &Path, journals: &Path, clock: Clock) -> Result<Buckets, SimulatorError> {
    let folders = recovery::bucket_folders(dir).map_err(SimulatorError::folder(dir))?;
    let mut buckets = Buckets::new();
    for (name, folder) in folders {
        let opened = Bucket::open(folder.clone(), journal_of(journals, &name), clock);
        let bucket = opened.map_err(SimulatorError::folder(&folder))?;
        buckets.insert(name, Arc::new(bucket));
    }
    Ok(buckets)
}

fn journal_of(journals: &Path, bucket: &str) -> PathBuf {
    journals.join(format!("{bucket}.jsonl"))
}

/// A bucket whose folder is gone is gone; its journal would bring back its time of creation with the next
/// bucket of that name.
fn drop_stray_journals(journals: &Path, buckets: &Buckets) -> io::Result<()> {
    for entry in fs::read_dir(journals)? {
        let path = entry?.path();
        let bucket = path.file_stem().and_then(|name| name.to_str());
        if bucket.is_none_or(|name| !buckets.contains_key(name)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
