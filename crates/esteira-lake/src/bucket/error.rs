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

    /// Whether somebody may mend the cause while a job waits: credentials are renewed, a right is given back.
    /// That is no reason to wait with what never worked.
    #[must_use]
    pub fn is_mendable(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::Credentials { .. }
            | Self::Missing { .. }
            | Self::Unreachable { .. }
            | Self::Service { .. } => true,
            Self::Location { .. } | Self::Exists { .. } => false,
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
            Self::Service { reason, .. } => hint_of_system(reason),
            Self::Exists { .. } | Self::Location { .. } => None,
        }
    }
}

/// What to do about a fault of the machine, told by the number the system gives it (errno(3)).
pub(crate) fn hint_of_system(reason: &str) -> Option<String> {
    let is = |number: u32| reason.contains(&format!("(os error {number})"));
    let hint = if is(28) || is(122) {
        "make room on the disk: nothing is lost, and a job that is running goes on by itself"
    } else if is(24) {
        "raise the limit of open files (`ulimit -n`), or lower `limits.requests_at_once`"
    } else if is(13) || is(30) {
        "make the folder writable for the user who runs the job; a job that is running goes on by itself"
    } else {
        return None;
    };
    Some(hint.to_owned())
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
