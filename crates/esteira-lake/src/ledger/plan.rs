//! A plan: the objects of one batch and everything about it that must not change when it runs again.

use serde::{Deserialize, Serialize};

use super::instant;

/// One numbered batch, as it is written before it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this format: 1.
    pub format: u32,
    /// The batch's number, from 1.
    pub batch: u64,
    /// The process it belongs to.
    pub process: String,
    /// Identifies the runner that planned it.
    pub runner: String,
    /// Fingerprint of the pipeline's rules when it was planned.
    pub pipeline: String,
    /// When it was planned, in microseconds since 1970-01-01T00:00:00Z; `_processed_at` of its rows.
    #[serde(with = "instant")]
    pub planned_at: i64,
    /// `YYYY-MM-DD` in UTC: the folder of its originals.
    pub processing_date: String,
    /// Bytes that its objects may unpack to, beyond the first; what follows is put off. None: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_text_bytes: Option<u64>,
    /// The objects.
    pub objects: Vec<PlannedObject>,
}

/// An object as it was when it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedObject {
    /// The full key.
    pub key: String,
    /// The entity tag of the content meant.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(with = "instant")]
    pub modified: i64,
}

/// Where a batch ends before its plan does: what its objects unpack to is only known once they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// So many of the plan's objects are in the batch; the others are put off to a later one.
    pub objects: usize,
}
