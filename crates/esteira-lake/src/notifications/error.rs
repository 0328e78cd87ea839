//! What can go wrong between Esteira and a queue, in the words of the person who must mend it.

use thiserror::Error;

/// A failed access to a queue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The queue does not exist.
    #[error("queue `{queue}` does not exist")]
    Missing {
        /// The queue.
        queue: String,
    },
    /// The service answers, but not to these credentials.
    #[error("access to queue `{queue}` was refused ({code})")]
    Refused {
        /// The queue.
        queue: String,
        /// The service's error code.
        code: String,
    },
    /// No credentials were found where they are looked for.
    #[error("no usable credentials for queue `{queue}`: {reason}")]
    Credentials {
        /// The queue.
        queue: String,
        /// What was looked for.
        reason: String,
    },
    /// Nothing answers at the endpoint.
    #[error("cannot reach `{endpoint}` for queue `{queue}`: {reason}")]
    Unreachable {
        /// The endpoint.
        endpoint: String,
        /// The queue.
        queue: String,
        /// The transport's words.
        reason: String,
    },
    /// The service answered a request with an error.
    #[error("{operation} of queue `{queue}` failed: {reason}")]
    Service {
        /// What was tried, as a noun.
        operation: &'static str,
        /// The queue.
        queue: String,
        /// The service's words.
        reason: String,
        /// Whether trying again can help.
        transient: bool,
    },
    /// The bucket is no bucket that could tell a queue of anything.
    #[error("`{bucket}` cannot tell a queue of new objects: it is not on S3")]
    NotOnS3 {
        /// The bucket.
        bucket: String,
    },
}

impl QueueError {
    /// Whether the service is there and only fails for now.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Service {
                transient: true,
                ..
            }
        )
    }

    /// The way out, for the person in front of the terminal.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => {
                "create it, or correct `source.notifications.queue`: the queue's URL as SQS shows it, or its \
                 name in the account and region of the credentials"
            }
            Self::Refused { .. } => {
                "the job needs `sqs:ReceiveMessage` and `sqs:DeleteMessage` on the queue, and \
                 `sqs:GetQueueUrl` where only its name is given; check also that AWS_REGION is the queue's"
            }
            Self::Credentials { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            }
            Self::Unreachable { .. } => {
                "set AWS_ENDPOINT_URL_SQS to where SQS answers; AWS_ENDPOINT_URL is taken for it otherwise. \
                 Without `[source.notifications]` the job lists the input instead"
            }
            Self::NotOnS3 { .. } => {
                "leave `[source.notifications]` out: a folder is listed at every look"
            }
            Self::Service { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
