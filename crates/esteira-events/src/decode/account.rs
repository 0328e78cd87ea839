//! The account of one object, while it is read.
//!
//! Comes in: its entries one after another, good and rejected. Goes out: the [`ObjectReport`].
//! Invariants: every entry has the next position, and there is at least one. Which bytes belong to
//! an entry is decided by `split`.

use std::ops::Range;

use super::issue::Issue;
use super::place::PlaceCounter;
use super::report::{ObjectReport, Reason, Rejected};

/// Counts and keeps the entries of one object.
pub(super) struct Account<'t> {
    text: &'t [u8],
    places: PlaceCounter<'t>,
    /// Longer originals are left to the object.
    max_original: usize,
    events: u64,
    rejected: Vec<Rejected>,
    /// The bytes of each rejected entry: they are only copied once it is known whether the entry
    /// is alone.
    parts: Vec<Range<usize>>,
}

impl<'t> Account<'t> {
    /// An account of nothing yet; lines are counted from `begin`.
    pub(super) fn new(text: &'t [u8], begin: usize, max_original: usize) -> Self {
        Self {
            text,
            max_original,
            places: PlaceCounter::new(text, begin),
            events: 0,
            rejected: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The position of the next entry.
    pub(super) fn position(&self) -> u64 {
        self.events + length(self.rejected.len())
    }

    /// Entries rejected so far.
    pub(super) fn rejected(&self) -> usize {
        self.rejected.len()
    }

    /// The next entry is an event.
    pub(super) fn event(&mut self) {
        self.events += 1;
    }

    /// The next entry is rejected; it is the bytes `part`.
    pub(super) fn reject(&mut self, part: Range<usize>, issue: Issue) {
        let (line, column) = self.places.place(issue.offset);
        self.rejected.push(Rejected {
            position: self.position(),
            reason: issue.reason,
            message: issue.message,
            line: length(line),
            column: length(column),
            offset: length(issue.offset),
            path: issue.path,
            original: None,
        });
        self.parts.push(part);
    }

    /// The report on the whole of `object`.
    pub(super) fn report(mut self, object: &[u8]) -> ObjectReport {
        if self.position() == 0 {
            let nothing = Issue::whole(0, Reason::NoEvents, "the object holds no events");
            self.reject(0..self.text.len(), nothing);
        }
        let alone = self.position() == 1;
        for (rejected, part) in self.rejected.iter_mut().zip(self.parts) {
            let original = self.text[part].trim_ascii_end();
            let original = if alone || original.is_empty() {
                object
            } else {
                original
            };
            rejected.original = (original.len() <= self.max_original).then(|| original.to_vec());
        }
        ObjectReport {
            events: self.events,
            rejected: self.rejected,
        }
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
