//! Conditions that a request sets on an object's present state, decided where nothing can come between
//! the decision and what follows from it.
//!
//! Sources: "Conditional requests" in the Amazon S3 User Guide, and RFC 9110, section 13.

use super::{Moment, Object, StoreError};

/// Which present object a write condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tag {
    /// `*`: whichever is there.
    Any,
    /// The one with this ETag, without quotes.
    Is(String),
}

impl Tag {
    fn names(&self, object: &Object) -> bool {
        match self {
            Self::Any => true,
            Self::Is(etag) => *etag == object.etag,
        }
    }
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteCondition {
    pub(crate) if_match: Option<Tag>,
    pub(crate) if_none_match: Option<Tag>,
}

impl WriteCondition {
    /// # Errors
    /// `NoSuchKey` for `If-Match` on nothing, as S3 answers; `PreconditionFailed` otherwise.
    pub(crate) fn check(&self, present: Option<&Object>) -> Result<(), StoreError> {
        match (&self.if_match, present) {
            (Some(_), None) => return Err(StoreError::NoSuchKey),
            (Some(tag), Some(object)) if !tag.names(object) => {
                return Err(StoreError::PreconditionFailed("If-Match"));
            }
            _ => {}
        }
        match (&self.if_none_match, present) {
            (Some(tag), Some(object)) if tag.names(object) => {
                Err(StoreError::PreconditionFailed("If-None-Match"))
            }
            _ => Ok(()),
        }
    }
}

/// What must hold for a read to be answered.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_field_names,
    reason = "these are the names of the headers"
)]
pub(crate) struct ReadCondition {
    pub(crate) if_match: Option<Tag>,
    pub(crate) if_none_match: Option<Tag>,
    pub(crate) if_modified_since: Option<Moment>,
    pub(crate) if_unmodified_since: Option<Moment>,
}

impl ReadCondition {
    /// In the order of RFC 9110, section 13.2.2: an ETag condition makes its date condition moot. Dates
    /// are compared in whole seconds, because that is all a client was told.
    ///
    /// # Errors
    /// `PreconditionFailed`, or `NotModified` where the client's copy is still good.
    pub(crate) fn check(&self, object: &Object) -> Result<(), StoreError> {
        let modified = object.modified.whole_second();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tag), _) if !tag.names(object) => {
                return Err(StoreError::PreconditionFailed("If-Match"));
            }
            (None, Some(limit)) if modified > limit => {
                return Err(StoreError::PreconditionFailed("If-Unmodified-Since"));
            }
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tag), _) if tag.names(object) => Err(StoreError::NotModified),
            (None, Some(limit)) if modified <= limit => Err(StoreError::NotModified),
            _ => Ok(()),
        }
    }
}
