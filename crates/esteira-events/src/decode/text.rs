//! Pieces of text, without copying them.
//!
//! Comes in: ranges. Goes out: the text they stand for. Invariant: a piece is either part of the
//! input, or of the tape where the decoder writes strings whose escapes it had to undo.

use std::ops::Range;

/// A piece of text in the input or on the tape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Text {
    start: usize,
    end: usize,
    /// On the tape, not in the input.
    unescaped: bool,
}

impl Text {
    /// A piece of the input.
    pub(super) fn plain(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
            unescaped: false,
        }
    }

    /// A piece of the tape.
    pub(super) fn unescaped(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
            unescaped: true,
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the input writes it with escapes.
    pub(super) fn is_unescaped(self) -> bool {
        self.unescaped
    }

    /// The text itself.
    pub(super) fn of<'t>(self, input: &'t str, tape: &'t str) -> &'t str {
        let whole = if self.unescaped { tape } else { input };
        &whole[self.start..self.end]
    }
}
