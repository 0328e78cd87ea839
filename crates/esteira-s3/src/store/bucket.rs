//! One bucket: its files, its index and its journal, changed together under one lock.
//!
//! Comes in: drafts and conditions. Goes out: objects and open files. Invariants: index and file of a key
//! always belong together for whoever holds the lock, so that an ETag is never told with other bytes; a
//! condition is decided and acted on under one lock, so that of two writers that exclude each other exactly
//! one wins. Calls block for a few file system calls at most.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::{
    Attributes, Clock, Moment, Object, StoreError, WriteCondition,
    draft::Draft,
    journal::{Index, Journal},
    key_path::{ancestors, path_aside, path_of},
    listing::{Page, Query, page},
    recovery::{self, Recovered},
};

/// A bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) created: Moment,
    folder: PathBuf,
    journal_path: PathBuf,
    clock: Clock,
    contents: RwLock<Contents>,
}

#[derive(Debug)]
struct Contents {
    index: Index,
    journal: Journal,
    /// Set once, when the bucket is deleted under somebody who still holds it.
    closed: bool,
}

impl Bucket {
    /// Opens the bucket in `folder`, which is there, and finds out what it holds.
    pub(crate) fn open(folder: PathBuf, journal_path: PathBuf, clock: Clock) -> io::Result<Self> {
        let Recovered {
            created,
            index,
            journal,
        } = recovery::recover(&folder, &journal_path)?;
        Ok(Self {
            created,
            folder,
            journal_path,
            clock,
            contents: RwLock::new(Contents {
                index,
                journal,
                closed: false,
            }),
        })
    }

    /// What is known of an object.
    pub(crate) fn find(&self, key: &str) -> Result<Arc<Object>, StoreError> {
        self.read()
            .index
            .get(key)
            .cloned()
            .ok_or(StoreError::NoSuchKey)
    }

    /// An object and its bytes, if `check` agrees; the bytes stay readable when it is replaced or deleted.
    pub(crate) fn open_object(
        &self,
        key: &str,
        check: impl FnOnce(&Object) -> Result<(), StoreError>,
    ) -> Result<(Arc<Object>, File), StoreError> {
        let contents = self.read();
        let object = contents.index.get(key).ok_or(StoreError::NoSuchKey)?;
        check(object)?;
        match File::open(self.path(key, object.aside)) {
            Ok(file) => Ok((Arc::clone(object), file)),
            // Somebody took it out of the folder by hand.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::NoSuchKey),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn list(&self, query: Query<'_>) -> Page<Arc<Object>> {
        page(&self.read().index, query)
    }

    /// Stores a draft under `key`, if the condition holds.
    pub(crate) fn put(
        &self,
        key: &str,
        mut draft: Draft,
        etag: String,
        attributes: Option<Box<Attributes>>,
        condition: &WriteCondition,
    ) -> Result<Arc<Object>, StoreError> {
        let mut contents = self.write()?;
        let present = contents.index.get(key);
        condition.check(present.map(|object| &**object))?;
        let was_aside = present.is_some_and(|object| object.aside);
        let modified = self.clock.now(key);
        draft.set_modified(modified)?;
        let aside = self.place(&mut contents, key, &mut draft, was_aside)?;
        let object = Arc::new(Object {
            size: draft.digest.size,
            modified,
            etag,
            aside,
            attributes,
        });
        // From here on the object is there, also if the journal cannot be written.
        contents.index.insert(key.into(), Arc::clone(&object));
        contents.journal.put(key, &object)?;
        Ok(object)
    }

    /// Deletes an object, if the condition holds; one that is not there is no error.
    pub(crate) fn delete(&self, key: &str, condition: &WriteCondition) -> Result<(), StoreError> {
        let mut contents = self.write()?;
        let present = contents.index.get(key);
        condition.check(present.map(|object| &**object))?;
        let Some(object) = present else { return Ok(()) };
        let path = self.path(key, object.aside);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        contents.index.remove(key);
        contents.journal.delete(key)?;
        self.remove_empty_folders(&path);
        Ok(())
    }

    /// Deletes the bucket itself; whoever still holds it finds it closed.
    pub(crate) fn close_if_empty(&self) -> Result<(), StoreError> {
        let mut contents = self.write()?;
        if !contents.index.is_empty() {
            return Err(StoreError::BucketNotEmpty);
        }
        // Files that came by hand and are not objects yet are not ours to delete.
        if !remove_if_only_folders(&self.folder)? {
            return Err(StoreError::BucketNotEmpty);
        }
        contents.closed = true;
        fs::remove_file(&self.journal_path)?;
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Result<RwLockWriteGuard<'_, Contents>, StoreError> {
        let contents = self
            .contents
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if contents.closed {
            return Err(StoreError::NoSuchBucket);
        }
        Ok(contents)
    }

    fn path(&self, key: &str, aside: bool) -> PathBuf {
        self.folder
            .join(if aside { path_aside(key) } else { path_of(key) })
    }

    /// Moves the draft to where `key` lives, and tells whether that had to be aside. Folders are made and
    /// files moved out of the way only after the plain attempt failed, which it seldom does.
    fn place(
        &self,
        contents: &mut Contents,
        key: &str,
        draft: &mut Draft,
        was_aside: bool,
    ) -> io::Result<bool> {
        let target = self.path(key, was_aside);
        let Err(refused) = draft.place(&target) else {
            return Ok(was_aside);
        };
        if is_folder_in_the_way(&refused) {
            draft.place(&self.path(key, true))?;
            return Ok(true);
        }
        self.move_ancestors_aside(contents, key)?;
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        draft.place(&target)?;
        Ok(was_aside)
    }

    /// Makes way for folders where objects lie: `a` becomes `a%object` once there is `a/b`.
    fn move_ancestors_aside(&self, contents: &mut Contents, key: &str) -> io::Result<()> {
        for ancestor in ancestors(key) {
            let path = self.path(ancestor, false);
            if !path.is_file() {
                continue;
            }
            fs::rename(&path, self.path(ancestor, true))?;
            if let Some(object) = contents.index.get_mut(ancestor) {
                Arc::make_mut(object).aside = true;
                contents.journal.put(ancestor, object)?;
            }
        }
        Ok(())
    }

    /// S3 has no folders: one that holds nothing any more goes, up to the bucket's own.
    fn remove_empty_folders(&self, path: &Path) {
        for folder in path
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != self.folder)
        {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

fn is_folder_in_the_way(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::IsADirectory
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::AlreadyExists
    )
}

/// Removes a tree of empty folders; as soon as it meets a file it gives up and says so.
fn remove_if_only_folders(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || !remove_if_only_folders(&entry.path())? {
            return Ok(false);
        }
    }
    fs::remove_dir(folder)?;
    Ok(true)
}

#[cfg(test)]
mod tests;
