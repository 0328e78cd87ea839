//! Multipart uploads that are not completed yet: their parts, and what becomes of them.
//!
//! Comes in: parts as drafts, in any order, each any number of times. Goes out: one draft that holds the
//! parts asked for, one after another. Invariant: an upload is a folder with `upload.json` and one file a
//! part whose name tells its number and MD5, so that uploads survive a restart. Source: "Uploading and
//! copying objects using multipart upload" in the Amazon S3 User Guide.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use s3s::checksum::ChecksumHasher;
use serde::{Deserialize, Serialize};

use super::{
    Attributes, Moment, StoreError,
    digest::{Digests, etag_of_parts, md5_of_etag},
    draft::{Draft, Drafts},
};

/// Smallest part except for the last, in bytes.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;
const ABOUT: &str = "upload.json";

/// All uploads in progress, by upload id.
#[derive(Debug)]
pub(crate) struct Uploads {
    dir: PathBuf,
    open: Mutex<BTreeMap<String, Arc<Upload>>>,
}

/// An upload in progress.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) about: About,
    folder: PathBuf,
    parts: Mutex<BTreeMap<u16, Part>>,
}

/// What the upload will become.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) initiated: Moment,
    pub(crate) attributes: Option<Box<Attributes>>,
}

/// A part that has been uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) size: u64,
    pub(crate) modified: Moment,
    /// The MD5 in hex.
    pub(crate) etag: String,
}

impl Uploads {
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        let mut open = BTreeMap::new();
        for entry in fs::read_dir(&dir)? {
            let folder = entry?.path();
            match Upload::recover(folder.clone()) {
                Ok(upload) => {
                    open.insert(upload.id.clone(), Arc::new(upload));
                }
                Err(error) => {
                    tracing::warn!(upload = %folder.display(), %error, "passed over an upload that cannot be read");
                }
            }
        }
        Ok(Self {
            dir,
            open: Mutex::new(open),
        })
    }

    pub(crate) fn begin(&self, about: About) -> io::Result<Arc<Upload>> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let folder = self.dir.join(&id);
        fs::create_dir(&folder)?;
        fs::write(folder.join(ABOUT), serde_json::to_vec(&about)?)?;
        let upload = Arc::new(Upload {
            id: id.clone(),
            about,
            folder,
            parts: Mutex::default(),
        });
        self.lock().insert(id, Arc::clone(&upload));
        Ok(upload)
    }

    /// The upload of this id, if it is one to this key.
    pub(crate) fn find(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> Result<Arc<Upload>, StoreError> {
        self.lock()
            .get(id)
            .filter(|upload| upload.about.bucket == bucket && upload.about.key == key)
            .cloned()
            .ok_or(StoreError::NoSuchUpload)
    }

    /// The uploads to a bucket, by key and then by when they began.
    pub(crate) fn of_bucket(&self, bucket: &str) -> Vec<Arc<Upload>> {
        let mut uploads: Vec<_> = self
            .lock()
            .values()
            .filter(|upload| upload.about.bucket == bucket)
            .cloned()
            .collect();
        uploads.sort_by(|a, b| {
            let order = |upload: &Upload| (upload.about.initiated, upload.id.clone());
            a.about
                .key
                .cmp(&b.about.key)
                .then_with(|| order(a).cmp(&order(b)))
        });
        uploads
    }

    /// Forgets an upload and its parts.
    pub(crate) fn end(&self, upload: &Upload) {
        self.lock().remove(&upload.id);
        if let Err(error) = fs::remove_dir_all(&upload.folder) {
            tracing::debug!(upload = %upload.folder.display(), %error, "parts of an ended upload stay behind");
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Upload>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    fn recover(folder: PathBuf) -> io::Result<Self> {
        let id = folder
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let about = serde_json::from_slice(&fs::read(folder.join(ABOUT))?)?;
        let mut parts = BTreeMap::<u16, Part>::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some((number, etag)) = name.to_str().and_then(number_and_etag) else {
                continue;
            };
            let file = entry.metadata()?;
            let part = Part {
                size: file.len(),
                modified: Moment::from(file.modified()?),
                etag: etag.to_owned(),
            };
            // A crash can leave the part that was being replaced beside its replacement.
            if parts
                .get(&number)
                .is_none_or(|other| other.modified <= part.modified)
            {
                parts.insert(number, part);
            }
        }
        Ok(Self {
            id: id.to_owned(),
            about,
            parts: Mutex::new(parts),
            folder,
        })
    }

    /// Keeps a part, in place of an earlier one of that number.
    pub(crate) fn add(&self, number: u16, mut draft: Draft) -> Result<Part, StoreError> {
        let mut parts = self.lock();
        let part = Part {
            size: draft.digest.size,
            modified: Moment::now(),
            etag: draft.digest.etag(),
        };
        draft.set_modified(part.modified)?;
        draft
            .place(&self.part_path(number, &part.etag))
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => StoreError::NoSuchUpload,
                _ => error.into(),
            })?;
        if let Some(earlier) = parts.insert(number, part.clone())
            && earlier.etag != part.etag
        {
            fs::remove_file(self.part_path(number, &earlier.etag))?;
        }
        Ok(part)
    }

    /// The parts behind number `after`, and whether there are more than `limit` of them.
    pub(crate) fn list(&self, after: u16, limit: usize) -> (Vec<(u16, Part)>, bool) {
        let parts = self.lock();
        let mut rest = parts
            .range(after.saturating_add(1)..)
            .map(|(number, part)| (*number, part.clone()));
        let listed = rest.by_ref().take(limit).collect();
        (listed, limit > 0 && rest.next().is_some())
    }

    /// Puts the wanted parts (number and ETag) together; goes out with the ETag of the whole. The parts
    /// stay, so that completing can be tried again.
    pub(crate) fn assemble(
        &self,
        wanted: &[(u16, String)],
        drafts: &Drafts,
    ) -> Result<(Draft, String), StoreError> {
        let mut writer = drafts.begin(Digests::new(ChecksumHasher::default()))?;
        let mut md5s = Vec::with_capacity(wanted.len());
        for path in self.check(wanted)? {
            writer.copy(File::open(&path).map_err(|error| vanished(error, &path))?)?;
        }
        for (_, etag) in wanted {
            md5s.push(md5_of_etag(etag).ok_or(StoreError::InvalidPart)?);
        }
        Ok((writer.finish(), etag_of_parts(&md5s)))
    }

    fn check(&self, wanted: &[(u16, String)]) -> Result<Vec<PathBuf>, StoreError> {
        let parts = self.lock();
        if !wanted.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(StoreError::InvalidPartOrder);
        }
        let mut paths = Vec::with_capacity(wanted.len());
        for (position, (number, etag)) in wanted.iter().enumerate() {
            let part = parts
                .get(number)
                .filter(|part| part.etag == *etag)
                .ok_or(StoreError::InvalidPart)?;
            if part.size < SMALLEST_PART && position + 1 < wanted.len() {
                return Err(StoreError::PartTooSmall);
            }
            paths.push(self.part_path(*number, etag));
        }
        Ok(paths)
    }

    fn part_path(&self, number: u16, etag: &str) -> PathBuf {
        self.folder.join(format!("{number:05}-{etag}"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u16, Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The upload was completed or aborted by somebody else meanwhile.
fn vanished(error: io::Error, part: &Path) -> StoreError {
    tracing::debug!(part = %part.display(), %error, "a part is gone");
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::NoSuchUpload,
        _ => error.into(),
    }
}

fn number_and_etag(name: &str) -> Option<(u16, &str)> {
    let (number, etag) = name.split_once('-')?;
    md5_of_etag(etag)?;
    Some((number.parse().ok()?, etag))
}
