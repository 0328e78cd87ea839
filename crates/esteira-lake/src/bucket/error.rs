//! What can go wrong between Esteira and a bucket, in the words of the person who must mend it.

use thiserror::Error;

/// A failed access to a bucket.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BucketError {
    /// The location is not one of a bucket.
    #[error("`{text}` is not a bucket: {reason}")]
    Location {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The bucket or folder does not exist.
    #[error("bucket `{bucket}` does not exist")]
    Missing {
        /// The bucket.
        bucket: String,
    },
    /// Nothing answers at the endpoint.
    #[error("cannot reach `{endpoint}`: {reason}")]
    Unreachable {
        /// The endpoint.
        endpoint: String,
        /// The transport's words.
        reason: String,
    },
    /// The endpoint answers, but not to these credentials.
    #[error("access to bucket `{bucket}` was refused ({code})")]
    Refused {
        /// The bucket.
        bucket: String,
        /// The service's error code.
        code: String,
    },
    /// No credentials were found where they are looked for.
    #[error("no usable credentials for bucket `{bucket}`: {reason}")]
    Credentials {
        /// The bucket.
        bucket: String,
        /// What was looked for.
        reason: String,
    },
    /// A bucket of this name exists already.
    #[error("bucket `{bucket}` exists already")]
    Exists {
        /// The bucket.
        bucket: String,
    },
    /// The service answered a request with an error.
    #[error("{operation} of {} failed: {reason}", place(bucket, key))]
    Service {
        /// What was tried, as a noun.
        operation: &'static str,
        /// The bucket.
        bucket: String,
        /// The key, escaped for a terminal.
        key: String,
        /// The service's words.
        reason: String,
        /// Whether trying again can help.
        transient: bool,
    },
}

impl BucketError {
    /// Whether the cause may go away by itself: trying again later makes sense.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Service { transient, .. } => *transient,
            _ => false,
        }
    }

    /// The way out, for the person in front of the terminal.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { bucket } if bucket.starts_with("file:") => {
                Some("create the folder, or name another one with `--bucket`".to_owned())
            }
            Self::Missing { bucket } => Some(format!(
                "create it with `esteira bucket create {}`, or name another one with `--bucket`",
                bucket.trim_start_matches("s3://")
            )),
            Self::Unreachable { .. } => Some(
                "start the simulator with `esteira up`, or set AWS_ENDPOINT_URL to where S3 answers"
                    .to_owned(),
            ),
            Self::Refused { .. } => Some(
                "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_PROFILE, and that they may read and write this bucket"
                    .to_owned(),
            ),
            Self::Credentials { .. } => Some(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (the simulator takes `dummy` and `dummy`), or AWS_PROFILE"
                    .to_owned(),
            ),
            Self::Service { reason, .. } if reason.starts_with("InvalidBucketName") => Some(
                "a bucket's name has 3 to 63 characters: lower-case letters, digits, dots and hyphens"
                    .to_owned(),
            ),
            Self::Exists { .. } | Self::Location { .. } | Self::Service { .. } => None,
        }
    }
}

fn place(bucket: &str, key: &str) -> String {
    if key.is_empty() {
        format!("bucket `{bucket}`")
    } else {
        format!("`{key}` in bucket `{bucket}`")
    }
}

/// A key as it may be shown on a terminal: control characters are escaped.
pub(super) fn shown(key: &str) -> String {
    key.chars()
        .flat_map(|c| {
            let escaped: Box<dyn Iterator<Item = char>> = if c.is_control() {
                Box::new(c.escape_default())
            } else {
                Box::new(std::iter::once(c))
            };
            escaped
        })
        .collect()
}
