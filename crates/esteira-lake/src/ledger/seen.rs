//! Which contents have been planned: a set of fingerprints that fits in memory.
//!
//! An entry is the first 16 bytes of SHA-256 over the key, a NUL and the entity tag; each key also has
//! one with an empty tag. A million objects take about 64 MB of memory and 32 MB in a snapshot file: the text `ESTSEEN1`, then the
//! sorted entries.

use std::collections::HashSet;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

const MAGIC: &[u8] = b"ESTSEEN1";
const ENTRY: usize = 16;
/// Stands for all contents of a key; no entity tag is empty.
const ANY: &str = "";

/// The contents that some plan holds.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    entries: HashSet<[u8; ENTRY]>,
}

impl Seen {
    /// Remembers a content; tells whether it was new.
    pub fn insert(&mut self, key: &str, etag: &str) -> bool {
        self.entries.insert(entry(key, ANY));
        self.entries.insert(entry(key, etag))
    }

    /// Forgets a content, and that the key had any.
    pub(super) fn remove(&mut self, key: &str, etag: &str) {
        self.entries.remove(&entry(key, ANY));
        self.entries.remove(&entry(key, etag));
    }

    /// Whether some plan holds any content of the key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.contains(key, ANY)
    }

    /// Whether some plan holds it.
    #[must_use]
    pub fn contains(&self, key: &str, etag: &str) -> bool {
        self.entries.contains(&entry(key, etag))
    }

    /// How many entries there are: one a key and one a content.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing has been seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        let mut sorted: Vec<_> = self.entries.iter().collect();
        sorted.sort_unstable();
        let mut bytes = Vec::with_capacity(MAGIC.len() + sorted.len() * ENTRY);
        bytes.extend_from_slice(MAGIC);
        for entry in sorted {
            bytes.extend_from_slice(entry);
        }
        bytes.into()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let body = bytes
            .strip_prefix(MAGIC)
            .ok_or("it does not start with `ESTSEEN1`")?;
        let (entries, rest) = body.as_chunks::<ENTRY>();
        if !rest.is_empty() {
            return Err("it ends inside an entry");
        }
        Ok(Self {
            entries: entries.iter().copied().collect(),
        })
    }
}

fn entry(key: &str, etag: &str) -> [u8; ENTRY] {
    let mut hasher = Sha256::new();
    hasher.update(key.as_bytes());
    hasher.update([0]);
    hasher.update(etag.as_bytes());
    let digest = hasher.finalize();
    let mut entry = [0; ENTRY];
    entry.copy_from_slice(&digest[..ENTRY]);
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seen_written_and_read_knows_the_same_contents() {
        let mut seen = Seen::default();
        assert!(seen.insert("input/a.json", "1"));
        assert!(!seen.insert("input/a.json", "1"));
        assert!(seen.insert("input/a.json", "2"));
        let read = Seen::from_bytes(&seen.to_bytes()).unwrap();
        assert!(read.contains("input/a.json", "2"));
        assert!(!read.contains("input/a.json", "3"));
        assert!(read.contains_key("input/a.json") && !read.contains_key("input/b.json"));
        assert_eq!(read.len(), 3);
    }

    #[test]
    fn seen_that_was_cut_off_is_refused() {
        let mut seen = Seen::default();
        seen.insert("a", "b");
        let bytes = seen.to_bytes();
        assert!(Seen::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(Seen::from_bytes(b"").is_err());
    }
}
