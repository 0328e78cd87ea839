//! What a bucket holds when it is opened: its journal and its files, brought together.
//!
//! Comes in: a folder, and a journal that may be missing, torn or out of date. Goes out: the index, and a
//! journal that says the same and nothing more. Invariant: the files decide what there is; the journal is
//! believed only for a file of the size and time it names. So files may be dropped in, changed and taken
//! away by hand while no simulator runs.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use s3s::checksum::ChecksumHasher;

use super::{
    Moment, Object,
    digest::Digests,
    journal::{self, Index, Journal},
    key_path::{LONGEST_KEY, key_of, path_of},
};

/// An opened bucket's contents.
pub(crate) struct Recovered {
    pub(crate) created: Moment,
    pub(crate) index: Index,
    pub(crate) journal: Journal,
}

pub(crate) fn recover(folder: &Path, journal_path: &Path) -> io::Result<Recovered> {
    let known = journal::replay(journal_path)?;
    let created = match known.created {
        Some(created) => created,
        None => Moment::from(fs::metadata(folder)?.modified()?),
    };
    let mut search = Search {
        folder,
        known: known.objects,
        found: Index::new(),
        strangers: Vec::new(),
    };
    search.walk(folder, "")?;
    let strangers = std::mem::take(&mut search.strangers);
    for path in strangers {
        search.adopt(&path)?;
    }
    let journal = Journal::rewrite(journal_path, created, &search.found)?;
    Ok(Recovered {
        created,
        index: search.found,
        journal,
    })
}

struct Search<'a> {
    folder: &'a Path,
    known: Index,
    found: Index,
    /// Files whose names no key has, as relative paths.
    strangers: Vec<String>,
}

impl Search<'_> {
    fn walk(&mut self, folder: &Path, relative: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                tracing::warn!(path = %path.display(), "passed over a file whose name is not UTF-8");
                continue;
            };
            let relative = if relative.is_empty() {
                name
            } else {
                format!("{relative}/{name}")
            };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.walk(&path, &relative)?;
            } else if kind.is_file() || fs::metadata(&path).is_ok_and(|target| target.is_file()) {
                self.meet(&path, relative)?;
            } else {
                tracing::warn!(path = %path.display(), "passed over what is neither a file nor a folder");
            }
        }
        Ok(())
    }

    fn meet(&mut self, path: &Path, relative: String) -> io::Result<()> {
        if let Some((key, aside)) = key_of(&relative) {
            return self.take(path, &key, aside);
        }
        self.strangers.push(relative);
        Ok(())
    }

    /// Enters a file into the index; reads it only if the journal does not know it.
    fn take(&mut self, path: &Path, key: &str, aside: bool) -> io::Result<()> {
        let file = fs::metadata(path)?;
        let modified = Moment::from(file.modified()?);
        let known = self
            .known
            .remove(key)
            .filter(|known| known.size == file.len() && known.modified == modified);
        let object = match known {
            Some(known) if known.aside == aside => known,
            Some(known) => Arc::new(Object {
                aside,
                ..Object::clone(&known)
            }),
            None => Arc::new(read_object(path, modified, aside)?),
        };
        if self.found.insert(key.into(), object).is_some() {
            tracing::warn!(key, path = %path.display(), "two files claim one key");
        }
        Ok(())
    }

    /// Takes a file whose name would be escaped, such as `100%.json`, to mean just what it says, and moves
    /// it to where that key lives.
    fn adopt(&mut self, relative: &str) -> io::Result<()> {
        let from = self.folder.join(relative);
        let to = self.folder.join(path_of(relative));
        if relative.len() > LONGEST_KEY || to.exists() || !move_into_folders(&from, &to) {
            tracing::warn!(path = %from.display(), "passed over a file whose name cannot be a key");
            return Ok(());
        }
        self.take(&to, relative, false)
    }
}

fn move_into_folders(from: &Path, to: &Path) -> bool {
    let folders = to.parent().map_or(Ok(()), fs::create_dir_all);
    folders.and_then(|()| fs::rename(from, to)).is_ok()
}

fn read_object(path: &Path, modified: Moment, aside: bool) -> io::Result<Object> {
    let mut digests = Digests::new(ChecksumHasher::default());
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => break,
            read => digests.update(&buffer[..read]),
        }
    }
    let digest = digests.finish();
    Ok(Object {
        size: digest.size,
        modified,
        etag: digest.etag(),
        aside,
        attributes: None,
    })
}

/// The folders in `dir` that can be buckets, by name.
pub(crate) fn bucket_folders(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| s3s::path::check_bucket_name(name))
            && path.is_dir()
        {
            folders.push((name.to_owned(), path));
        }
    }
    Ok(folders)
}
