//! What is wrong with an entry that is JSON, or why it is not.
//!
//! Comes in: facts and where they were met. Goes out: an [`Issue`], the first of which rejects its
//! entry. Lines and columns are counted later, by `place`, once for each rejected entry.

use super::report::Reason;
use super::scanner::Broken;

/// One step of a path into an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Into the field with this index.
    Field(usize),
    /// Into the element with this index.
    Element(usize),
}

/// A reason to reject an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    /// The byte it was met at.
    pub(super) offset: usize,
    pub(super) reason: Reason,
    pub(super) message: String,
    /// The JSON path of the value that is wrong.
    pub(super) path: String,
}

/// Characters of a value that a message repeats: the whole of it is in the quarantine anyway.
const EXCERPT: usize = 64;

impl Issue {
    /// An issue with the entry as a whole.
    pub(super) fn whole(offset: usize, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            offset,
            reason,
            message: message.into(),
            path: "$".to_owned(),
        }
    }

    /// The entry is not JSON.
    pub(super) fn syntax(broken: &Broken) -> Self {
        Self::whole(broken.offset, Reason::Syntax, broken.message())
    }

    /// The entry is not UTF-8.
    pub(super) fn encoding(offset: usize) -> Self {
        Self::whole(offset, Reason::Encoding, "the text is not UTF-8")
    }
}

/// A value as a message repeats it.
pub(super) fn excerpt(value: &str) -> String {
    match value.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("`{}…`", value[..end].escape_debug()),
        None => format!("`{}`", value.escape_debug()),
    }
}
