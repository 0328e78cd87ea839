//! A local folder that plays a bucket.
//!
//! The `object_store` crate refuses names that S3 allows (line ends, for instance), and one such file
//! would end a whole listing. Here a key is a relative path, whatever its characters. The entity tag
//! is made of the file's identity, size and time of writing: another content has another one, as long
//! as writers replace files instead of changing them in place within one tick of the file system.
//!
//! Objects are regular files. A link is one where it leads to a file in the folder; what is listed may itself
//! be a link, for it is named by who runs the program.
//!
//! What was written is on the disk, with its name, before the call returns: the file is synchronised
//! before it gets its name, the folder after. So a file is whole or not there, also after a power loss, and
//! what is written later can rely on what was written before.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use uuid::Uuid;

use super::{Copied, Fetched, Listed, PutNew, Removed};

/// The folder of files that are being written: never objects. What a killed process leaves there is
/// nobody's and may be deleted.
const PARTIAL: &str = "_esteira/partial/";
/// Bytes that are compared at once.
const PIECE: usize = 1 << 16;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
    /// The folder of files that are being written, on the same file system.
    partials: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            partials: root.join(PARTIAL),
            root,
        }
    }

    /// The whole file system, of which only what is in `bucket` is written.
    pub(super) fn around(bucket: &Path) -> Self {
        Self {
            root: PathBuf::from("/"),
            partials: bucket.join(PARTIAL),
        }
    }

    /// Every file whose key starts with `prefix` and sorts after `after`. A file that goes while we
    /// look is no file.
    pub(super) fn list(&self, prefix: &str, after: &str) -> std::io::Result<Vec<Listed>> {
        let start = prefix.rfind('/').map_or("", |slash| &prefix[..=slash]);
        let mut found = Vec::new();
        let mut folders = vec![start.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match std::fs::read_dir(self.root.join(&folder)) {
                Err(error) if is_absent(&error) => continue,
                entries => entries?,
            };
            let known = after.strip_prefix(folder.as_str());
            for entry in entries {
                let entry = entry?;
                // A name that is not UTF-8 cannot be a key.
                let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                    tracing::warn!(file = ?entry.path(), "a name that is not UTF-8 is no key");
                    continue;
                };
                // Most of a long log is known: its files are not even looked at.
                let known = known.is_some_and(|known| name.as_str() <= known);
                if known && entry.file_type()?.is_file() {
                    continue;
                }
                let key = format!("{folder}{name}");
                if entry.file_type()?.is_symlink() && !self.may_follow(start, &entry.path()) {
                    tracing::warn!(file = ?entry.path(), "a link to a folder, or out of the bucket, is no object");
                    continue;
                }
                let metadata = match std::fs::metadata(entry.path()) {
                    Err(error) if is_absent(&error) => continue,
                    metadata => metadata?,
                };
                if metadata.is_dir() {
                    let below = format!("{key}/");
                    // Below `start` there may be folders that do not begin with the prefix.
                    if below.starts_with(prefix) || prefix.starts_with(&below) {
                        folders.push(below);
                    }
                // Whoever opens a pipe waits for the other end.
                } else if metadata.is_file()
                    && key.as_str() > after
                    && key.starts_with(prefix)
                    && !key.starts_with(PARTIAL)
                {
                    found.push(listed(key, &metadata));
                }
            }
        }
        Ok(found)
    }

    /// Whether a link may stand for an object: who may only put files into the input shall not have others
    /// read by us. A link to a folder may be a loop.
    fn may_follow(&self, start: &str, link: &Path) -> bool {
        let Ok(target) = link.canonicalize() else {
            return false;
        };
        let places = [self.root.clone(), self.root.join(start)];
        let mut places = places.iter().filter_map(|place| place.canonicalize().ok());
        target.is_file() && places.any(|place| target.starts_with(place))
    }

    pub(super) fn get(&self, key: &str, wanted: Option<&str>) -> std::io::Result<Fetched> {
        let read = || {
            let mut file = std::fs::File::open(self.file(key)?)?;
            let metadata = file.metadata()?;
            let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
            std::io::Read::read_to_end(&mut file, &mut bytes)?;
            // Asked again: a file that is written in place while it is read is another one.
            let after = etag(&file.metadata()?);
            Ok((after == etag(&metadata)).then_some((after, bytes)))
        };
        match read() {
            Err(error) if is_absent(&error) => Ok(Fetched::Missing),
            Err(error) => Err(error),
            Ok(Some((etag, bytes))) if wanted.is_none_or(|wanted| wanted == etag) => {
                Ok(Fetched::Bytes(Bytes::from(bytes)))
            }
            Ok(_) => Ok(Fetched::Changed),
        }
    }

    /// Creates a file whole or not at all, and only if there is none.
    pub(super) fn put_new(&self, key: &str, bytes: &[u8]) -> std::io::Result<PutNew> {
        let partial = self.write(|file| file.write_all(bytes))?;
        partial.link(&self.place(key)?)
    }

    /// Copies a file, if it still has the content of `etag`, whole or not at all, and only if nothing is at
    /// the other key.
    pub(super) fn copy_new(&self, from: &str, etag: &str, to: &str) -> std::io::Result<Copied> {
        let mut source = match std::fs::File::open(self.file(from)?) {
            Err(error) if is_absent(&error) => return Ok(Copied::Missing),
            source => source?,
        };
        let target = self.place(to)?;
        let partial = self.write(|file| std::io::copy(&mut source, file).map(drop))?;
        // Asked afterwards: a file that is written in place while it is read is another one.
        if self::etag(&source.metadata()?) != etag {
            return Ok(Copied::Changed);
        }
        if is_same(&partial.path, &target)? {
            return Ok(Copied::Same);
        }
        Ok(match partial.link(&target)? {
            PutNew::Created => Copied::Created,
            PutNew::Exists => Copied::Other,
        })
    }

    /// The bytes of a file; none when there is no file.
    pub(super) fn size_of(&self, key: &str) -> std::io::Result<Option<u64>> {
        match std::fs::metadata(self.file(key)?) {
            Err(error) if is_absent(&error) => Ok(None),
            metadata => Ok(Some(metadata?.len())),
        }
    }

    /// Writes a file whole or not at all.
    pub(super) fn put(&self, key: &str, bytes: &[u8]) -> std::io::Result<()> {
        let target = self.place(key)?;
        let partial = self.write(|file| file.write_all(bytes))?;
        std::fs::rename(&partial.path, &target)?;
        settle_name(&target)
    }

    /// Puts a file that somebody else wrote onto the disk, with its name.
    pub(super) fn settle(&self, key: &str) -> std::io::Result<()> {
        let path = self.file(key)?;
        std::fs::File::open(&path)?.sync_all()?;
        settle_name(&path)
    }

    /// Removes a file; an absent one is no error.
    pub(super) fn delete(&self, key: &str) -> std::io::Result<()> {
        match std::fs::remove_file(self.file(key)?) {
            Err(error) if is_absent(&error) => Ok(()),
            removed => removed,
        }
    }

    /// What a listing would show of a file; nothing when there is none.
    pub(super) fn find(&self, key: &str) -> std::io::Result<Option<Listed>> {
        match std::fs::metadata(self.file(key)?) {
            Err(error) if is_absent(&error) => Ok(None),
            metadata => Ok(Some(metadata?)
                .filter(std::fs::Metadata::is_file)
                .map(|metadata| listed(key.to_owned(), &metadata))),
        }
    }

    /// Removes a file if it still has the content of `etag`. It is taken aside before it is looked at for the
    /// last time: whoever replaces it meanwhile has written another file.
    pub(super) fn remove(&self, key: &str, etag: &str) -> std::io::Result<Removed> {
        self.remove_after(key, etag, || {})
    }

    /// `meanwhile` happens where somebody else could come in between.
    fn remove_after(
        &self,
        key: &str,
        etag: &str,
        meanwhile: impl FnOnce(),
    ) -> std::io::Result<Removed> {
        let path = self.file(key)?;
        // A link is told by itself, and its content by where it leads to.
        let looked = std::fs::metadata(&path).and_then(|content| {
            let entry = std::fs::symlink_metadata(&path)?;
            Ok((self::etag(&content), self::etag(&entry)))
        });
        let entry = match looked {
            Err(error) if is_absent(&error) => return Ok(Removed::Missing),
            looked => match looked? {
                (content, entry) if content == etag => entry,
                _ => return Ok(Removed::Changed),
            },
        };
        meanwhile();
        create_folders(&self.partials)?;
        let aside = Partial {
            path: self.partials.join(Uuid::new_v4().to_string()),
        };
        match std::fs::rename(&path, &aside.path) {
            Err(error) if is_absent(&error) => return Ok(Removed::Missing),
            renamed => renamed?,
        }
        if self::etag(&std::fs::symlink_metadata(&aside.path)?) != entry {
            // What was written in its place since is newer than this.
            let (PutNew::Created | PutNew::Exists) = aside.link(&path)?;
            return Ok(Removed::Changed);
        }
        drop(aside);
        settle_name(&path)?;
        Ok(Removed::Done)
    }

    /// Writes a file that has no key yet, and puts it onto the disk.
    fn write(
        &self,
        content: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>,
    ) -> std::io::Result<Partial> {
        create_folders(&self.partials)?;
        let path = self.partials.join(Uuid::new_v4().to_string());
        let mut file = std::fs::File::create_new(&path)?;
        let partial = Partial { path };
        content(&mut file)?;
        file.sync_all()?;
        Ok(partial)
    }

    /// The file of a key, and the folders it needs.
    fn place(&self, key: &str) -> std::io::Result<PathBuf> {
        let path = self.file(key)?;
        create_folders(path.parent().unwrap_or(&self.root))?;
        Ok(path)
    }

    /// The file of a key, which never leaves the folder.
    fn file(&self, key: &str) -> std::io::Result<PathBuf> {
        let path = Path::new(key);
        let inside = path
            .components()
            .all(|component| matches!(component, Component::Normal(_)));
        if inside && !key.is_empty() && !key.ends_with('/') && !key.contains("//") {
            Ok(self.root.join(path))
        } else {
            Err(std::io::Error::new(
                ErrorKind::InvalidInput,
                "a folder cannot hold a file of this name",
            ))
        }
    }
}

/// A file that is being written; what has no key when this goes is removed.
struct Partial {
    path: PathBuf,
}

impl Partial {
    /// Gives the file its name. Unlike a rename, a link never replaces what is there.
    fn link(self, target: &Path) -> std::io::Result<PutNew> {
        match std::fs::hard_link(&self.path, target) {
            Ok(()) => settle_name(target).map(|()| PutNew::Created),
            // Whoever gave it may have been killed before it was safe.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                settle_name(target).map(|()| PutNew::Exists)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        match std::fs::remove_file(&self.path) {
            Err(error) if !is_absent(&error) => {
                tracing::debug!(%error, file = ?self.path, "stays behind, and may be deleted");
            }
            _ => {}
        }
    }
}

/// Puts the name of a file onto the disk.
fn settle_name(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Creates a folder and those above it, each with its name on the disk.
fn create_folders(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        create_folders(above)?;
    }
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => settle_name(folder),
    }
}

/// Whether there is a second file, with the content of the first.
fn is_same(one: &Path, other: &Path) -> std::io::Result<bool> {
    let mut other = match std::fs::File::open(other) {
        Err(error) if is_absent(&error) => return Ok(false),
        file => BufReader::with_capacity(PIECE, file?),
    };
    let mut one = BufReader::with_capacity(PIECE, std::fs::File::open(one)?);
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let length = left.len().min(right.len());
        if left[..length] != right[..length] || left.is_empty() != right.is_empty() {
            return Ok(false);
        }
        if length == 0 {
            return Ok(true);
        }
        one.consume(length);
        other.consume(length);
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn listed(key: String, metadata: &std::fs::Metadata) -> Listed {
    Listed {
        key,
        etag: etag(metadata),
        size: metadata.len(),
        modified_micros: modified(metadata),
    }
}

fn etag(metadata: &std::fs::Metadata) -> String {
    format!(
        "{:x}-{:x}{:08x}-{:x}",
        metadata.ino(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.len()
    )
}

fn modified(metadata: &std::fs::Metadata) -> i64 {
    metadata.mtime() * 1_000_000 + metadata.mtime_nsec() / 1000
}

#[cfg(test)]
mod tests;
