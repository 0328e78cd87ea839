//! What can go wrong with what is stored. How it is told to a client belongs to `protocol`.

use std::io;

/// A store operation that did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the bucket does not exist")]
    NoSuchBucket,
    #[error("the bucket exists already")]
    BucketExists,
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    #[error("the key does not exist")]
    NoSuchKey,
    #[error("the multipart upload does not exist")]
    NoSuchUpload,
    #[error("a part is missing or its ETag differs")]
    InvalidPart,
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    #[error("a part other than the last is smaller than 5 MiB")]
    PartTooSmall,
    /// Names the header whose condition does not hold.
    #[error("the condition `{0}` does not hold")]
    PreconditionFailed(&'static str),
    #[error("the object is unchanged")]
    NotModified,
    #[error(transparent)]
    Io(#[from] io::Error),
}
