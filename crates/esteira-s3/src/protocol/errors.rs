//! The store's errors as S3 tells them, see "Error responses" in the Amazon S3 API Reference.

use s3s::{S3Error, S3ErrorCode, s3_error};

use crate::store::StoreError;

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchBucket => {
                s3_error!(NoSuchBucket, "The specified bucket does not exist")
            }
            StoreError::BucketExists => s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ),
            StoreError::BucketNotEmpty => s3_error!(
                BucketNotEmpty,
                "The bucket you tried to delete is not empty"
            ),
            StoreError::NoSuchKey => s3_error!(NoSuchKey, "The specified key does not exist."),
            StoreError::NoSuchUpload => s3_error!(
                NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
            ),
            StoreError::InvalidPart => s3_error!(
                InvalidPart,
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
            ),
            StoreError::InvalidPartOrder => s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number."
            ),
            StoreError::PartTooSmall => s3_error!(
                EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size"
            ),
            StoreError::PreconditionFailed(header) => s3_error!(
                PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold: {header}"
            ),
            StoreError::NotModified => S3ErrorCode::NotModified.into(),
            StoreError::Io(source) => {
                tracing::error!(error = %source, "a file of the simulator cannot be used");
                let message = format!("We encountered an internal error: {source}");
                let mut error = S3Error::with_message(S3ErrorCode::InternalError, message);
                error.set_source(Box::new(source));
                error
            }
        }
    }
}
