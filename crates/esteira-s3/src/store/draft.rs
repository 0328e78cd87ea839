//! Bodies on their way in: written to a file of their own first, so that an object appears all at once or
//! not at all.
//!
//! Comes in: bytes. Goes out: a [`Draft`], a finished file that waits to be put in its place. Invariant: a
//! draft that is not placed leaves nothing behind. All calls block; who must not block calls them elsewhere.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use super::{
    Moment,
    digest::{Digest, Digests},
};

/// The folder of the drafts.
#[derive(Debug)]
pub(crate) struct Drafts {
    dir: PathBuf,
    next: AtomicU64,
}

impl Drafts {
    /// Makes the folder, and empties it of what a crash left there.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&dir)?,
        }
        Ok(Self {
            dir,
            next: AtomicU64::new(0),
        })
    }

    /// Begins a draft.
    pub(crate) fn begin(&self, digests: Digests) -> io::Result<DraftWriter> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(number.to_string());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(DraftWriter {
            file: DraftFile {
                file,
                path,
                placed: false,
            },
            digests,
        })
    }
}

/// A draft that is being written.
pub(crate) struct DraftWriter {
    file: DraftFile,
    digests: Digests,
}

impl DraftWriter {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digests.update(bytes);
        self.file.file.write_all(bytes)
    }

    /// Writes what `reader` has left.
    pub(crate) fn copy(&mut self, mut reader: impl Read) -> io::Result<()> {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(()),
                read => self.write(&buffer[..read])?,
            }
        }
    }

    pub(crate) fn finish(self) -> Draft {
        Draft {
            file: self.file,
            digest: self.digests.finish(),
        }
    }
}

/// A finished file that waits to be put in its place.
pub(crate) struct Draft {
    file: DraftFile,
    pub(crate) digest: Digest,
}

impl Draft {
    /// Gives the file its time; lists and the folder then show the same.
    pub(crate) fn set_modified(&self, modified: Moment) -> io::Result<()> {
        self.file.file.set_modified(SystemTime::from(modified))
    }

    /// Moves the file to `target`, over what is there. On an error the draft can be tried again.
    pub(crate) fn place(&mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.file.path, target)?;
        self.file.placed = true;
        Ok(())
    }
}

/// A file that removes itself unless it was placed.
struct DraftFile {
    file: File,
    path: PathBuf,
    placed: bool,
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        if !self.placed
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!(path = %self.path.display(), %error, "a draft stays behind until the next start");
        }
    }
}
