//! The kinds of faults, and which requests they can happen to.

use std::time::Duration;

use super::name::Asked;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// 503 `SlowDown`; nothing happened.
    SlowDown,
    /// 500 `InternalError`; nothing happened.
    InternalError,
    /// The connection is reset; nothing happened.
    ResetBefore,
    /// A write takes effect, then the connection is reset.
    ResetAfter,
    /// A write takes effect, and the answer is 500 `InternalError`.
    ErrorAfter,
    /// The request hangs, then the connection is closed; nothing happened.
    Timeout,
    /// An answer announces its length and ends early.
    Truncated,
    /// An answer comes in pieces with pauses.
    SlowBody,
    /// 409 `ConditionalRequestConflict` for a conditional write; nothing happened.
    Conflict,
    /// A page of a listing holds one to three entries.
    ShortPage,
    /// A page of a listing holds nothing, and says that there is more.
    EmptyPage,
}

impl Kind {
    /// All of them, in the order in which rates are written down.
    pub const ALL: [Self; 11] = [
        Self::SlowDown,
        Self::InternalError,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::ErrorAfter,
        Self::Timeout,
        Self::Truncated,
        Self::SlowBody,
        Self::Conflict,
        Self::ShortPage,
        Self::EmptyPage,
    ];

    /// Its name in counts and in the documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::SlowDown => "slow_down",
            Self::InternalError => "internal_error",
            Self::ResetBefore => "reset_before",
            Self::ResetAfter => "reset_after",
            Self::ErrorAfter => "error_after",
            Self::Timeout => "timeout",
            Self::Truncated => "truncated",
            Self::SlowBody => "slow_body",
            Self::Conflict => "conflict",
            Self::ShortPage => "short_page",
            Self::EmptyPage => "empty_page",
        }
    }

    pub(super) fn can_happen_to(self, asked: Asked) -> bool {
        match self {
            Self::SlowDown | Self::InternalError | Self::ResetBefore | Self::Timeout => true,
            Self::ResetAfter | Self::ErrorAfter => asked.is_write,
            Self::Truncated | Self::SlowBody => asked.is_read,
            Self::Conflict => asked.is_write && asked.is_conditional,
            Self::ShortPage => asked.list_version.is_some(),
            // The old listing goes on by key: it cannot say that there is more without naming one.
            Self::EmptyPage => asked.list_version == Some(2),
        }
    }
}

/// A fault with its particulars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    SlowDown,
    InternalError,
    ResetBefore,
    ResetAfter,
    ErrorAfter,
    Timeout(Duration),
    /// Of a thousand bytes, how many are sent.
    Truncated(u64),
    SlowBody {
        pieces: u64,
        pause: Duration,
    },
    Conflict,
    Page(OddPage),
}

/// A page of a listing that is not as long as was asked for. Travels with the request to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OddPage {
    /// At most so many entries; with 0 the page is empty and says that there is more.
    pub(crate) limit: usize,
}

impl Fault {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::SlowDown => Kind::SlowDown,
            Self::InternalError => Kind::InternalError,
            Self::ResetBefore => Kind::ResetBefore,
            Self::ResetAfter => Kind::ResetAfter,
            Self::ErrorAfter => Kind::ErrorAfter,
            Self::Timeout(_) => Kind::Timeout,
            Self::Truncated(_) => Kind::Truncated,
            Self::SlowBody { .. } => Kind::SlowBody,
            Self::Conflict => Kind::Conflict,
            Self::Page(OddPage { limit: 0 }) => Kind::EmptyPage,
            Self::Page(_) => Kind::ShortPage,
        }
    }
}
