//! What is known of a stored object besides its bytes.
//!
//! Plain data, written to the journal as it is. How it becomes headers belongs to `protocol`.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// A point in time, in whole milliseconds since 1970 UTC: what lists show and files keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(u64);

impl Moment {
    pub(crate) fn now() -> Self {
        Self::from(SystemTime::now())
    }

    pub(crate) fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// The same moment with its milliseconds cut off, as HTTP dates have none.
    pub(crate) fn whole_second(self) -> Self {
        Self(self.0 - self.0 % 1_000)
    }
}

impl From<SystemTime> for Moment {
    /// Anything finer than a millisecond is cut off; a time before 1970 becomes 1970.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        UNIX_EPOCH + Duration::from_millis(moment.0)
    }
}

/// A stored object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) modified: Moment,
    /// Without quotes: the MD5 in hex, or `<MD5 of the parts' MD5s>-<parts>` after a multipart upload.
    pub(crate) etag: String,
    /// Whether the file had to give way to a folder, see `key_path`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) aside: bool,
    /// Boxed because most objects have none and there may be very many objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Box<Attributes>>,
}

/// What a client said of an object and gets back with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Moment>,
    /// `x-amz-meta-*`, without that prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Checksums of the whole object that were verified when it was stored.
    #[serde(skip_serializing_if = "Checksums::is_empty")]
    pub(crate) checksums: Checksums,
}

impl Attributes {
    /// Boxed, or `None` when there is nothing to keep.
    pub(crate) fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// Checksums in base64, by algorithm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Checksums {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crc32: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crc64nvme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

impl Checksums {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
