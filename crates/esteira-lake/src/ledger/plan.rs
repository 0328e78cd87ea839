//! A plan: the objects of one batch and everything about it that must not change when it runs again.

use std::collections::BTreeMap;

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
    /// The folder its objects are named under, with its closing slash: their originals are kept by these names,
    /// also when the pipeline has other paths by the time the batch is finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Bytes that its objects may unpack to, beyond the first; what follows is put off. None: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_text_bytes: Option<u64>,
    /// The objects.
    pub objects: Vec<PlannedObject>,
    /// What is taken of them, when an earlier batch has taken the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The tables that take the place of the live ones with this batch, which brings no objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Switch>,
}

impl Plan {
    /// Whether objects came with it: it is neither a retry nor a switch.
    #[must_use]
    pub fn brings_objects(&self) -> bool {
        self.retry.is_none() && self.switch.is_none()
    }

    /// `_processed_at` of its rows: a retry gives the rows that its objects would have given at once.
    #[must_use]
    pub fn processed_at(&self) -> i64 {
        let retry = self.retry.as_ref();
        retry.map_or(self.planned_at, |retry| retry.planned_at)
    }

    /// The batch that its objects belong to: its own, or the one that is retried.
    #[must_use]
    pub fn batch_of_objects(&self) -> u64 {
        self.retry.as_ref().map_or(self.batch, |retry| retry.batch)
    }
}

/// Where tables were made anew that take the place of the live ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// The folder that they are in, without slashes at the ends.
    pub folder: String,
    /// Whether the folder stays when all is done.
    pub keep: bool,
}

/// Entries of the quarantine that are taken once more, from the originals of the batch that brought them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// That batch.
    pub batch: u64,
    /// When it was planned, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(with = "instant")]
    pub planned_at: i64,
    /// What is taken of each object of the plan, in their order.
    pub objects: Vec<RetriedObject>,
}

/// What a retry takes of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetriedObject {
    /// The key its original is kept under.
    pub original: String,
    /// The reasons of its quarantined entries that are taken, by position.
    pub entries: BTreeMap<u64, String>,
    /// Whether what lies behind the last of them is taken too: it was part of that entry.
    pub and_later: bool,
}

impl RetriedObject {
    /// Whether the entry at this position of the object is taken.
    #[must_use]
    pub fn takes(&self, position: u64) -> bool {
        let is_later = || {
            let last = self.entries.last_key_value();
            self.and_later && last.is_some_and(|(last, _)| position > *last)
        };
        self.entries.contains_key(&position) || is_later()
    }
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
