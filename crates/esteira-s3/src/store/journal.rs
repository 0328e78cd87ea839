//! The journal of one bucket: what was stored and deleted since it was created, one JSON line each.
//!
//! Comes in: records, in the order they happened. Goes out: the objects they leave behind. Invariant: a
//! line is written in one piece, so that a crash tears the last line at most; a line that cannot be read is
//! passed over, for the files themselves say what there is.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::Path,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Moment, Object};

/// The objects of a bucket, in the byte order of their keys.
pub(crate) type Index = BTreeMap<Box<str>, Arc<Object>>;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record<'a> {
    Bucket {
        created: Moment,
    },
    Put {
        key: Cow<'a, str>,
        object: Cow<'a, Object>,
    },
    Delete {
        key: Cow<'a, str>,
    },
}

/// What a journal says there is.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) created: Option<Moment>,
    pub(crate) objects: Index,
}

/// Reads a journal; a missing one is empty.
///
/// # Errors
/// When the file is there and cannot be read.
pub(crate) fn replay(path: &Path) -> io::Result<Replayed> {
    let text = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Replayed::default()),
        read => read?,
    };
    let mut replayed = Replayed::default();
    for line in text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        match serde_json::from_slice(line) {
            Ok(Record::Bucket { created }) => replayed.created = Some(created),
            Ok(Record::Put { key, object }) => {
                replayed
                    .objects
                    .insert(key.into(), Arc::new(object.into_owned()));
            }
            Ok(Record::Delete { key }) => {
                replayed.objects.remove(&*key);
            }
            Err(error) => {
                tracing::warn!(journal = %path.display(), %error, "passed over a journal line that cannot be read");
            }
        }
    }
    Ok(replayed)
}

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    /// Kept to spare an allocation a line.
    line: Vec<u8>,
    /// Whether the last line may be incomplete, so that the next must not be glued to it.
    torn: bool,
}

impl Journal {
    /// Writes a journal that holds just these objects, in place of what is at `path`, and goes on with it.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then still there.
    pub(crate) fn rewrite(path: &Path, created: Moment, objects: &Index) -> io::Result<Self> {
        let fresh = path.with_extension("new");
        let mut writer = BufWriter::new(File::create(&fresh)?);
        write_line(&mut writer, &Record::Bucket { created })?;
        for (key, object) in objects {
            write_line(&mut writer, &put(key, object))?;
        }
        writer.flush()?;
        drop(writer);
        std::fs::rename(&fresh, path)?;
        Ok(Self {
            file: OpenOptions::new().append(true).open(path)?,
            line: Vec::new(),
            torn: false,
        })
    }

    pub(crate) fn put(&mut self, key: &str, object: &Object) -> io::Result<()> {
        self.append(&put(key, object))
    }

    pub(crate) fn delete(&mut self, key: &str) -> io::Result<()> {
        self.append(&Record::Delete { key: key.into() })
    }

    fn append(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.line.clear();
        if self.torn {
            self.line.push(b'\n');
        }
        write_line(&mut self.line, record)?;
        let written = self.file.write_all(&self.line);
        self.torn = written.is_err();
        written
    }
}

fn put<'a>(key: &'a str, object: &'a Object) -> Record<'a> {
    Record::Put {
        key: key.into(),
        object: Cow::Borrowed(object),
    }
}

fn write_line(to: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *to, record)?;
    to.write_all(b"\n")
}
