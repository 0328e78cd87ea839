//! The values of an object.
//!
//! Comes in: an object's text. Goes out: every value in it, handed to the worker, and every part
//! that is none, handed to the account. The forms of an object: one array whose elements are the
//! events, or values one after another, with or without white space between them. Invariant: every
//! byte that is not white space, a byte order mark or the array's own punctuation belongs to
//! exactly one entry.

use std::ops::Range;

use jiter::JsonErrorType;

use super::account::Account;
use super::issue::Issue;
use super::report::Reason;
use super::resync::Resync;
use super::scanner::{Broken, value_end};

/// The text of an object.
#[derive(Clone, Copy)]
pub(super) struct Body<'t> {
    pub(super) bytes: &'t [u8],
    /// The same when all of it is UTF-8; otherwise each value is looked at by itself.
    pub(super) text: Option<&'t str>,
    /// Where the text begins: behind a byte order mark.
    pub(super) begin: usize,
}

impl<'t> Body<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> Self {
        let begin = if bytes.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        Self {
            bytes,
            text: simdutf8::basic::from_utf8(bytes).ok(),
            begin,
        }
    }

    /// The text from `start` to `limit`; where it is no text, up to the end of the value there: then
    /// what is said of that value.
    pub(super) fn text_at(
        &self,
        start: usize,
        limit: usize,
    ) -> Result<Result<&'t str, Value>, Broken> {
        if let Some(text) = self.text {
            return Ok(Ok(&text[start..limit]));
        }
        // its quotes and braces are found without it being text
        let bytes = &self.bytes[start..limit];
        let length = value_end(bytes).map_err(|broken| broken.shifted(start))?;
        Ok(
            std::str::from_utf8(&bytes[..length]).map_err(|error| Value {
                end: start + length,
                issue: Some(Issue::encoding(start + error.valid_up_to())),
            }),
        )
    }

    /// The first byte at or behind `from` that is not white space (RFC 8259 §2).
    fn skip_space(&self, from: usize) -> usize {
        let rest = self.bytes[from..].iter();
        from + rest
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .count()
    }
}

/// What a complete value turned out to be.
pub(super) struct Value {
    /// The offset behind it.
    pub(super) end: usize,
    /// Why it is no event; nothing when it became one.
    pub(super) issue: Option<Issue>,
}

/// Takes the values of an object.
pub(super) trait TakeValue {
    /// Takes the value that begins at `start` and reaches `limit` at most.
    fn take(
        &mut self,
        body: Body<'_>,
        start: usize,
        limit: usize,
        position: u64,
    ) -> Result<Value, Broken>;
}

/// Splits one object.
pub(super) struct Splitter<'s, 't, T> {
    pub(super) body: Body<'t>,
    pub(super) values: &'s mut T,
    pub(super) account: &'s mut Account<'t>,
    /// The most entries that are rejected one by one.
    pub(super) max_rejected: usize,
}

impl<T: TakeValue> Splitter<'_, '_, T> {
    /// Reads the whole object.
    pub(super) fn split(&mut self) {
        let start = self.body.skip_space(self.body.begin);
        if self.body.bytes.get(start) == Some(&b'[') {
            self.array(start);
        } else {
            self.sequence(start);
        }
    }

    /// One array: a syntax error condemns all that follows it.
    fn array(&mut self, open: usize) {
        let mut at = self.body.skip_space(open + 1);
        if self.body.bytes.get(at) == Some(&b']') {
            return self.behind_array(at + 1);
        }
        loop {
            if self.is_full(at) {
                return;
            }
            match self.value(at, self.body.bytes.len()) {
                Ok(end) => at = self.body.skip_space(end),
                Err(broken) => return self.reject_rest(at, &broken),
            }
            let wrong = match self.body.bytes.get(at) {
                Some(b',') => {
                    at = self.body.skip_space(at + 1);
                    match self.body.bytes.get(at) {
                        Some(b']') => JsonErrorType::TrailingComma,
                        _ => continue,
                    }
                }
                Some(b']') => return self.behind_array(at + 1),
                Some(_) => JsonErrorType::ExpectedListCommaOrEnd,
                None => JsonErrorType::EofWhileParsingList,
            };
            return self.reject_rest(at, &Broken::new(wrong, at));
        }
    }

    fn behind_array(&mut self, close: usize) {
        let at = self.body.skip_space(close);
        if at < self.body.bytes.len() {
            self.reject_rest(at, &Broken::new(JsonErrorType::TrailingCharacters, at));
        }
    }

    /// Values one after another: behind a broken one decoding goes on where that is possible.
    fn sequence(&mut self, start: usize) {
        let mut resync = Resync::new(self.body.bytes, self.body.begin);
        let mut at = start;
        while at < self.body.bytes.len() && !self.is_full(at) {
            let limit = resync.limit(at);
            let end = match self.value(at, limit) {
                Ok(end) => {
                    resync.complete(at, end);
                    end
                }
                Err(broken) => {
                    let end = resync.broken_part(at, broken.offset);
                    let broken = self.inside(at..end, broken);
                    self.reject_broken(at..end, &broken);
                    end
                }
            };
            at = self.body.skip_space(end);
        }
    }

    fn value(&mut self, start: usize, limit: usize) -> Result<usize, Broken> {
        let position = self.account.position();
        let value = self.values.take(self.body, start, limit, position)?;
        match value.issue {
            None => self.account.event(),
            Some(issue) => self.account.reject(start..value.end, issue),
        }
        Ok(value.end)
    }

    /// Whether no more entries are rejected one by one; what is left is then rejected as one.
    fn is_full(&mut self, at: usize) -> bool {
        let full = self.account.rejected() >= self.max_rejected;
        if full {
            let message = format!(
                "the object has more than {} entries that are rejected",
                self.max_rejected
            );
            let issue = Issue::whole(at, Reason::TooLarge, message);
            self.account.reject(at..self.body.bytes.len(), issue);
        }
        full
    }

    fn reject_rest(&mut self, start: usize, broken: &Broken) {
        self.reject_broken(start..self.body.bytes.len(), broken);
    }

    fn reject_broken(&mut self, part: Range<usize>, broken: &Broken) {
        let not_text = match self.body.text {
            Some(_) => None,
            None => std::str::from_utf8(&self.body.bytes[part.clone()]).err(),
        };
        let issue = match not_text.map(|error| part.start + error.valid_up_to()) {
            Some(offset) if offset <= broken.offset => Issue::encoding(offset),
            _ => Issue::syntax(broken),
        };
        self.account.reject(part, issue);
    }

    /// What is broken in the part itself: an error behind it was met in another part that this one
    /// had swallowed.
    fn inside(&self, part: Range<usize>, broken: Broken) -> Broken {
        let bytes = self.body.bytes[part.clone()].trim_ascii_end();
        if broken.offset < part.start + bytes.len() {
            return broken;
        }
        value_end(bytes)
            .err()
            .map_or(broken, |inside| inside.shifted(part.start))
    }
}
