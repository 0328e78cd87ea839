//! What is kept, on disk and in memory; knows nothing of HTTP.
//!
//! - `storage`: the folder as a whole, its buckets by name
//! - `bucket`: one bucket, the only place where objects change
//! - `key_path`: where the bytes of a key live
//! - `draft`: bodies on their way in; `uploads`: those that come in parts
//! - `clock`: when an object is written
//! - `journal`, `recovery`: what survives a restart, and how it is found again
//! - `listing`, `condition`, `object`, `digest`, `error`: what the others speak in
//!
//! Decided for a simulator: nothing is synced to disk, a power cut may lose the last writes; a process
//! that is killed loses nothing that was answered.

mod bucket;
mod clock;
mod condition;
mod digest;
mod draft;
mod error;
mod journal;
mod key_path;
mod listing;
mod object;
mod recovery;
mod storage;
mod uploads;

pub(crate) use bucket::Bucket;
pub(crate) use clock::Clock;
pub(crate) use condition::{ReadCondition, Tag, WriteCondition};
pub(crate) use digest::{Digest, Digests};
pub(crate) use draft::{Draft, DraftWriter, Drafts};
pub(crate) use error::StoreError;
pub(crate) use listing::{Entry, Page, Query};
pub(crate) use object::{Attributes, Checksums, Moment, Object};
pub(crate) use storage::Store;
pub(crate) use uploads::{About, Upload, Uploads};
