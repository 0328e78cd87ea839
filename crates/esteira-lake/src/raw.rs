//! The originals: every object exactly as it came, before any table changes.
//!
//! Comes in: an object's name under the input path and its bytes. Goes out: the key it is kept
//! under, `raw/<process>/dt_processamento=YYYY-MM-DD/<name>`. The invariant: what was kept is never
//! overwritten; a second content of the same name on the same day gets a name of its own, made from
//! the content, so that keeping it again finds it again. A name that would make a key of more than
//! 1,024 bytes is cut and gets a digest of the whole name.

use std::borrow::Cow;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::bucket::{Bucket, BucketError, Copied, Fetched, Listed, PutNew};
use crate::ledger::PlannedObject;

/// Bytes of a key at most (Amazon S3 User Guide, *Naming Amazon S3 objects*).
const LONGEST_KEY: usize = 1024;
/// Bytes of one name at most, on the usual file systems.
const LONGEST_FILE_NAME: usize = 255;

/// The folder of a process's originals.
#[derive(Debug, Clone)]
pub struct Raw {
    bucket: Bucket,
    prefix: String,
}

impl Raw {
    /// Originals under `prefix` (for instance `raw/marketing_place`).
    #[must_use]
    pub fn new(bucket: Bucket, prefix: &str) -> Self {
        Self {
            bucket,
            prefix: prefix.trim_matches('/').to_owned(),
        }
    }

    /// Keeps the bytes; gives the key they are kept under.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn preserve(
        &self,
        processing_date: &str,
        name: &str,
        bytes: &Bytes,
    ) -> Result<String, BucketError> {
        let key = self.key(processing_date, name);
        if self.bucket.put_new(&key, bytes.clone()).await? == PutNew::Created {
            return Ok(key);
        }
        if let Fetched::Bytes(kept) = self.bucket.get(&key, None).await?
            && kept == bytes
        {
            return Ok(key);
        }
        let own = self.key(processing_date, &name_of_content(name, bytes));
        let (PutNew::Created | PutNew::Exists) = self.bucket.put_new(&own, bytes.clone()).await?;
        Ok(own)
    }

    /// The bytes of an object that was kept on that date and is no longer at its source.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn recall(
        &self,
        processing_date: &str,
        name: &str,
        planned: &PlannedObject,
    ) -> Result<Option<Bytes>, BucketError> {
        let (stem, _) = split_extension(name);
        let others = format!("{}.", self.key(processing_date, stem));
        let first = self.key(processing_date, name);
        let mut candidates = vec![first.clone()];
        for object in self.bucket.list(&others).await? {
            if object.size == planned.size && !candidates.contains(&object.key) {
                candidates.push(object.key);
            }
        }
        for key in candidates {
            if let Fetched::Bytes(bytes) = self.bucket.get(&key, None).await?
                && self.is_content_of(planned, &key, &bytes).await?
                // Another object may be called alike: `x.2.json` is no content of `x.json`.
                && (key == first || key == self.key(processing_date, &name_of_content(name, &bytes)))
            {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Keeps an object that is too large to be held; gives the key it is kept under, or nothing when it is
    /// not what was planned any more. A second content of the name gets its name from the entity tag.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn preserve_unread(
        &self,
        processing_date: &str,
        name: &str,
        planned: &PlannedObject,
    ) -> Result<Option<String>, BucketError> {
        let PlannedObject {
            key, etag, size, ..
        } = planned;
        for own in self.names_unread(processing_date, name, planned) {
            match self.bucket.copy_new(key, etag, *size, &own).await? {
                Copied::Created | Copied::Same => return Ok(Some(own)),
                Copied::Changed | Copied::Missing => return Ok(None),
                Copied::Other => {}
            }
        }
        // Its name is made of it: what is there is the copy, on a service that does not keep what it is of.
        Ok(self.names_unread(processing_date, name, planned).pop())
    }

    /// The key of an object that [`preserve_unread`](Self::preserve_unread) kept and that is no longer at
    /// its source.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn recall_unread(
        &self,
        processing_date: &str,
        name: &str,
        planned: &PlannedObject,
    ) -> Result<Option<String>, BucketError> {
        let PlannedObject { etag, size, .. } = planned;
        for own in self.names_unread(processing_date, name, planned) {
            if self.bucket.is_copy(&own, etag, *size).await? {
                return Ok(Some(own));
            }
        }
        Ok(None)
    }

    fn names_unread(&self, date: &str, name: &str, planned: &PlannedObject) -> Vec<String> {
        let content = format!("{} {}", planned.size, planned.etag);
        let own = name_of_content(name, content.as_bytes());
        vec![self.key(date, name), self.key(date, &own)]
    }

    /// The bytes of the original that is kept under this key.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, BucketError> {
        self.bucket.size_of(key).await
    }

    /// The key that these bytes were kept under by this name, on any date, going by a listing of all
    /// originals.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn holds(
        &self,
        kept: &[Listed],
        name: &str,
        bytes: &Bytes,
    ) -> Result<Option<String>, BucketError> {
        let own = name_of_content(name, bytes);
        for object in kept {
            let date = self.date_of(&object.key);
            let is_candidate = usize::try_from(object.size) == Ok(bytes.len())
                && (object.key == self.key(date, name) || object.key == self.key(date, &own));
            if is_candidate
                && let Fetched::Bytes(kept) = self.bucket.get(&object.key, None).await?
                && kept == bytes
            {
                return Ok(Some(object.key.clone()));
            }
        }
        Ok(None)
    }

    /// All originals.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn list(&self) -> Result<Vec<Listed>, BucketError> {
        self.bucket.list(&format!("{}/", self.prefix)).await
    }

    /// Whether these bytes, which are kept under `key`, are the planned content. Where entity tags say nothing
    /// about the bytes, the size has to do.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn is_content_of(
        &self,
        planned: &PlannedObject,
        key: &str,
        bytes: &Bytes,
    ) -> Result<bool, BucketError> {
        if usize::try_from(planned.size) != Ok(bytes.len()) {
            return Ok(false);
        }
        if !is_md5(&planned.etag) || md5(bytes).eq_ignore_ascii_case(&planned.etag) {
            return Ok(true);
        }
        // Where the tag of the original is not its MD5 either, the bucket has others (SSE-KMS, SSE-C).
        let kept = self.bucket.find(key).await?;
        Ok(kept
            .is_some_and(|kept| is_md5(&kept.etag) && !md5(bytes).eq_ignore_ascii_case(&kept.etag)))
    }

    /// Reads the original that is kept under this key.
    ///
    /// # Errors
    /// [`BucketError`] of the store.
    pub async fn read(&self, key: &str) -> Result<Option<Bytes>, BucketError> {
        Ok(match self.bucket.get(key, None).await? {
            Fetched::Bytes(bytes) => Some(bytes),
            Fetched::Changed | Fetched::Missing => None,
        })
    }

    fn date_of<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(&self.prefix)
            .and_then(|rest| rest.strip_prefix("/dt_processamento="))
            .and_then(|rest| rest.split('/').next())
            .unwrap_or("")
    }

    /// The key the first content of a name is kept under on a date.
    #[must_use]
    pub fn key(&self, processing_date: &str, name: &str) -> String {
        let folder = format!("{}/dt_processamento={processing_date}/", self.prefix);
        key_in(&folder, name)
    }
}

/// The key of a name in a folder; a name that would make it too long is cut, and told apart by a digest.
pub(crate) fn key_in(folder: &str, name: &str) -> String {
    let name = reachable(name);
    let key = format!("{folder}{name}");
    if key.len() <= LONGEST_KEY {
        return key;
    }
    let digest = hex(&Sha256::digest(name.as_bytes())[..8]);
    let (_, extension) = split_extension(&name);
    let extension = if extension.len() > 16 { "" } else { extension };
    let taken = folder.len() + digest.len() + extension.len() + 1;
    let room = LONGEST_KEY.saturating_sub(taken);
    format!("{folder}{}.{digest}{extension}", prefix_of(&name, room))
}

/// Whether an entity tag can be the content's MD5 (Amazon S3 API Reference, *Object*): then another tag is
/// another content. Multipart uploads and local folders have other tags; with SSE-KMS and SSE-C a tag looks
/// like one and is none.
#[must_use]
pub fn is_md5(etag: &str) -> bool {
    etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn md5(bytes: &Bytes) -> String {
    hex(&Md5::digest(bytes))
}

/// The name of a content where another one has its name.
pub(crate) fn name_of_content(name: &str, bytes: &[u8]) -> String {
    let (stem, extension) = split_extension(name);
    let digest = hex(&Sha256::digest(bytes)[..8]);
    let folder = stem.rfind('/').map_or(0, |slash| slash + 1);
    let room = LONGEST_FILE_NAME.saturating_sub(digest.len() + extension.len() + 1);
    let stem = &stem[..folder + prefix_of(&stem[folder..], room).len()];
    format!("{stem}.{digest}{extension}")
}

/// Folders called `.` and `..` are ordinary names in S3 and cannot be asked for by URL (RFC 3986
/// §5.2.4): their originals are kept with the dots escaped.
fn reachable(name: &str) -> Cow<'_, str> {
    if !name.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Cow::Borrowed(name);
    }
    let escaped: Vec<String> = name
        .split('/')
        .map(|segment| match segment {
            "." | ".." => segment.replace('.', "%2E"),
            other => other.to_owned(),
        })
        .collect();
    Cow::Owned(escaped.join("/"))
}

/// The longest beginning of `text` that has at most `bytes` bytes.
fn prefix_of(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn split_extension(name: &str) -> (&str, &str) {
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[start..].rfind('.') {
        Some(dot) if dot > 0 => name.split_at(start + dot),
        _ => (name, ""),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _: Result<(), std::fmt::Error> = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Environment;

    fn raw() -> (tempfile::TempDir, Raw) {
        let folder = tempfile::tempdir().unwrap();
        let bucket = Bucket::open(
            &format!("file://{}", folder.path().display()),
            &Environment::default(),
        )
        .unwrap();
        (folder, Raw::new(bucket, "raw/p"))
    }

    #[tokio::test]
    async fn second_content_of_a_name_is_kept_beside_the_first() {
        let (_folder, raw) = raw();
        let first = Bytes::from_static(b"{}");
        let second = Bytes::from_static(b"[]");
        let kept = raw
            .preserve("2026-01-02", "a/x.json", &first)
            .await
            .unwrap();
        assert_eq!(kept, "raw/p/dt_processamento=2026-01-02/a/x.json");
        let other = raw
            .preserve("2026-01-02", "a/x.json", &second)
            .await
            .unwrap();
        assert_ne!(kept, other);
        assert!(other.starts_with("raw/p/dt_processamento=2026-01-02/a/x."));
        for (bytes, key) in [(&first, &kept), (&second, &other)] {
            let again = raw.preserve("2026-01-02", "a/x.json", bytes).await.unwrap();
            assert_eq!(&again, key);
            assert_eq!(
                raw.bucket.get(key, None).await.unwrap(),
                Fetched::Bytes(bytes.clone())
            );
        }
    }

    #[tokio::test]
    async fn recall_finds_the_content_that_was_planned() {
        let (_folder, raw) = raw();
        for bytes in [b"one" as &[u8], b"two"] {
            raw.preserve("2026-01-02", "x.json", &Bytes::copy_from_slice(bytes))
                .await
                .unwrap();
        }
        let planned = PlannedObject {
            key: "input/x.json".into(),
            etag: hex(&Md5::digest(b"two")),
            size: 3,
            modified: 0,
        };
        let found = raw.recall("2026-01-02", "x.json", &planned).await.unwrap();
        assert_eq!(found.as_deref(), Some(b"two" as &[u8]));
        let absent = PlannedObject {
            etag: hex(&Md5::digest(b"six")),
            ..planned
        };
        assert_eq!(
            raw.recall("2026-01-02", "x.json", &absent).await.unwrap(),
            None
        );
    }

    /// Where the entity tag says nothing, an object of the same size that is called alike is no content of it.
    #[tokio::test]
    async fn recall_takes_no_other_object_for_it() {
        let (_folder, raw) = raw();
        for (name, bytes) in [("x.2.json", b"two" as &[u8]), ("y.json", b"one")] {
            let bytes = Bytes::copy_from_slice(bytes);
            raw.preserve("2026-01-02", name, &bytes).await.unwrap();
        }
        let planned = PlannedObject {
            key: "input/x.json".into(),
            etag: "3-1722470400000000000".into(),
            size: 3,
            modified: 0,
        };
        let found = raw.recall("2026-01-02", "x.json", &planned).await.unwrap();
        assert_eq!(found, None);
        // Its own second content is found by the name that is made of it.
        for bytes in [b"four" as &[u8], b"six"] {
            let bytes = Bytes::copy_from_slice(bytes);
            raw.preserve("2026-01-02", "x.json", &bytes).await.unwrap();
        }
        let found = raw.recall("2026-01-02", "x.json", &planned).await.unwrap();
        assert_eq!(found.as_deref(), Some(b"six" as &[u8]));
    }

    #[test]
    fn name_that_is_too_long_is_cut_and_told_apart() {
        let (_folder, raw) = raw();
        let long = |end: &str| format!("{}é{end}.json", "x".repeat(990));
        let keys = [
            raw.key("2026-01-02", &long("a")),
            raw.key("2026-01-02", &long("b")),
        ];
        assert_ne!(keys[0], keys[1]);
        for key in &keys {
            assert!(key.len() <= LONGEST_KEY, "{}", key.len());
            assert_eq!(split_extension(key).1, ".json");
        }
        let name = format!("d/{}.json", "é".repeat(124));
        let own = name_of_content(&name, &Bytes::from_static(b"x"));
        assert!(own.len() <= "d/".len() + LONGEST_FILE_NAME);
    }

    #[test]
    fn folders_of_dots_are_escaped_and_nothing_else() {
        assert_eq!(reachable("a/../b.json"), "a/%2E%2E/b.json");
        assert_eq!(reachable("./b"), "%2E/b");
        assert_eq!(reachable("a..b/.c/%2E"), "a..b/.c/%2E");
    }

    #[tokio::test]
    async fn holds_finds_a_content_of_any_date_under_its_name() {
        let (_folder, raw) = raw();
        let bytes = Bytes::from_static(b"one");
        let key = raw.preserve("2026-01-02", "a.json", &bytes).await.unwrap();
        let kept = raw.list().await.unwrap();
        let held = raw.holds(&kept, "a.json", &bytes).await.unwrap();
        assert_eq!(held, Some(key));
        assert_eq!(raw.holds(&kept, "b.json", &bytes).await.unwrap(), None);
        let other = Bytes::from_static(b"two");
        assert_eq!(raw.holds(&kept, "a.json", &other).await.unwrap(), None);
    }

    #[test]
    fn name_without_extension_gets_the_digest_at_its_end() {
        assert_eq!(split_extension("a.b/c"), ("a.b/c", ""));
        assert_eq!(split_extension("a/.hidden"), ("a/.hidden", ""));
        assert_eq!(split_extension("a/x.tar.gz"), ("a/x.tar", ".gz"));
    }
}
