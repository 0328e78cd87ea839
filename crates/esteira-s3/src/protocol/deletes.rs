//! Deleting objects. As in S3, deleting what is not there succeeds.

use s3s::{
    S3Error, S3Result,
    dto::{
        Delete, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
        DeletedObject, Error,
    },
    s3_error,
};

use super::{body::blocking, headers::tag};
use crate::store::{Bucket, Store, Tag, WriteCondition};

/// Most keys in one request, see DeleteObjects in the Amazon S3 API Reference.
const MOST_KEYS: usize = 1_000;

pub(super) fn one(store: &Store, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    let condition = WriteCondition {
        if_match: input.if_match.map(tag),
        if_none_match: None,
    };
    store
        .bucket(&input.bucket)?
        .delete(&input.key, &condition)?;
    Ok(DeleteObjectOutput::default())
}

pub(super) async fn many(
    store: &Store,
    input: DeleteObjectsInput,
) -> S3Result<DeleteObjectsOutput> {
    let bucket = store.bucket(&input.bucket)?;
    if input.delete.objects.len() > MOST_KEYS {
        return Err(s3_error!(
            MalformedXML,
            "At most 1000 keys can be deleted at once"
        ));
    }
    // One is quick, a thousand are not.
    blocking(move || Ok(delete_all(&bucket, input.delete))).await
}

fn delete_all(bucket: &Bucket, delete: Delete) -> DeleteObjectsOutput {
    let quiet = delete.quiet.unwrap_or(false);
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for object in delete.objects {
        let condition = WriteCondition {
            if_match: object.e_tag.map(|etag| Tag::Is(etag.into_value())),
            if_none_match: None,
        };
        match bucket.delete(&object.key, &condition) {
            Ok(()) if quiet => {}
            Ok(()) => deleted.push(DeletedObject {
                key: Some(object.key),
                ..Default::default()
            }),
            Err(error) => errors.push(told(object.key, &error.into())),
        }
    }
    DeleteObjectsOutput {
        deleted: Some(deleted),
        errors: Some(errors),
        ..Default::default()
    }
}

fn told(key: String, error: &S3Error) -> Error {
    Error {
        key: Some(key),
        code: Some(error.code().as_str().to_owned()),
        message: error.message().map(str::to_owned),
        version_id: None,
    }
}
