//! The account of one object: what became events, and what could not and why.
//!
//! Comes in: facts from the decoder. Goes out: [`ObjectReport`]. Invariant: `events` plus the
//! rejected entries is at least one, and their positions are 0, 1, 2, … without gaps or repeats.
//! What happens to a rejected entry afterwards belongs to the quarantine.

use std::fmt;

use super::decoder::DecodeLimits;

/// What one object held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct ObjectReport {
    /// Events appended to the decoder's rows.
    pub events: u64,
    /// Entries that could not become events, in the object's order.
    pub rejected: Vec<Rejected>,
}

/// An entry of an object that could not become an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The 0-based ordinal of the entry in its object, good and rejected ones counted alike.
    pub position: u64,
    /// Why, as a code.
    pub reason: Reason,
    /// Why, as a sentence.
    pub message: String,
    /// The 1-based line of the problem in the decompressed text; 1 where there is no such place.
    pub line: u64,
    /// The 1-based column in characters (Unicode scalar values, a leading byte order mark not
    /// counted; in text that is not UTF-8, bytes that do not continue a character).
    pub column: u64,
    /// The 0-based byte offset of the problem in the decompressed text, a byte order mark included.
    pub offset: u64,
    /// The JSON path of the problem inside the entry, like `$.list_item_pedi[2].vlr_prod`; `$` is
    /// the entry itself.
    pub path: String,
    /// The bytes of the entry, without the white space behind it. When the entry is all that the
    /// object yields, the whole object as it was given, still compressed if it was. None when they are
    /// more than [`DecodeLimits::max_original_bytes`](crate::DecodeLimits): only the object has them.
    pub original: Option<Vec<u8>>,
}

impl Rejected {
    /// An object that is not even read, because it is too large: one entry, which is all of it.
    #[must_use]
    pub fn unread(object_bytes: u64, limits: &DecodeLimits) -> Self {
        Self {
            position: 0,
            reason: Reason::TooLarge,
            message: too_long(
                "the object",
                object_bytes,
                limits.max_decompressed_bytes,
                TEXT,
            ),
            line: 1,
            column: 1,
            offset: 0,
            path: "$".to_owned(),
            original: None,
        }
    }
}

/// The settings that a message names, as a pipeline's file has them.
pub(super) const TEXT: &str = "limits.decompressed_mebibytes_per_object";
pub(super) const EVENT: &str = "limits.event_mebibytes";

/// What is too long, how long it is, how long it may be, and what has to be raised.
pub(super) fn too_long(what: &str, bytes: u64, most: usize, setting: &str) -> String {
    format!("{what} has {bytes} bytes, more than the {most} that `{setting}` allows; raise it")
}

/// Why an entry could not become an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Not JSON (RFC 8259).
    Syntax,
    /// Not UTF-8.
    Encoding,
    /// A complete JSON value, but no object.
    NotAnObject,
    /// A value of another JSON type than declared.
    WrongType,
    /// A required field is missing or null.
    MissingRequired,
    /// A field that must not be empty is.
    EmptyValue,
    /// Not an RFC 3339 `date-time` with an offset.
    InvalidTimestamp,
    /// Not a date `YYYY-MM-DD`.
    InvalidDate,
    /// A number that does not fit the declared decimal.
    InvalidDecimal,
    /// A number with a fraction or exponent, or beyond the declared integer's bits.
    InvalidInteger,
    /// A number beyond the range of a double.
    InvalidDouble,
    /// A broken gzip or zstd stream.
    Compression,
    /// An object without any entry.
    NoEvents,
    /// An object, or what is left of one, beyond one of the limits that keep memory bounded.
    TooLarge,
    /// A single event beyond one of them; what follows it is not part of it.
    EventTooLarge,
    /// An event that breaks a rule of the pipeline.
    Rule,
}

impl Reason {
    /// The stable code of the reason, as kept in the quarantine.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Encoding => "encoding",
            Self::NotAnObject => "not_an_object",
            Self::WrongType => "wrong_type",
            Self::MissingRequired => "missing_required",
            Self::EmptyValue => "empty_value",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::InvalidDate => "invalid_date",
            Self::InvalidDecimal => "invalid_decimal",
            Self::InvalidInteger => "invalid_integer",
            Self::InvalidDouble => "invalid_double",
            Self::Compression => "compression",
            Self::NoEvents => "no_events",
            Self::TooLarge => "too_large",
            Self::EventTooLarge => "event_too_large",
            Self::Rule => "rule",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
