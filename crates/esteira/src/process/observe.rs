//! Telling whoever watches how far a run is.

use esteira_lake::ledger::Record;

use super::Cleaned;

/// How far the batch that is being read has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The batch's number.
    pub batch: u64,
    /// Objects of the batch.
    pub objects: u64,
    /// Objects read and preserved so far.
    pub landed: u64,
    /// Events decoded so far.
    pub events: u64,
    /// Objects found that are not planned yet.
    pub waiting: u64,
}

/// Somebody who watches a run. Called from the run itself: an observer returns quickly.
pub trait Observer: Send + Sync {
    /// New objects were found.
    fn discovered(&self, objects: usize) {
        let _ = objects;
    }

    /// Objects were read.
    fn progress(&self, progress: Progress) {
        let _ = progress;
    }

    /// A batch is in all its tables.
    fn recorded(&self, record: &Record) {
        let _ = record;
    }

    /// Objects that were taken left the input.
    fn cleaned(&self, cleaned: Cleaned) {
        let _ = cleaned;
    }

    /// The run failed for a cause that may go away, and will go on in `seconds`.
    fn retrying(&self, error: &crate::Error, seconds: u64) {
        let _ = (error, seconds);
    }
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
