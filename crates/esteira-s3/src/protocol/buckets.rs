//! Operations on buckets as such.

use s3s::{
    S3Result,
    dto::{
        Bucket, CreateBucketInput, CreateBucketOutput, HeadBucketInput, HeadBucketOutput,
        ListBucketsInput, ListBucketsOutput, Owner,
    },
    path::check_bucket_name,
    s3_error,
};

use super::headers::timestamp;
use crate::store::Store;

/// The region that is told to whoever asks; requests may be signed for any.
const REGION: &str = "us-east-1";

pub(super) fn create(store: &Store, input: &CreateBucketInput) -> S3Result<CreateBucketOutput> {
    if !check_bucket_name(&input.bucket) {
        return Err(s3_error!(
            InvalidBucketName,
            "The specified bucket is not valid."
        ));
    }
    store.create_bucket(&input.bucket)?;
    Ok(CreateBucketOutput {
        location: Some(format!("/{}", input.bucket)),
    })
}

pub(super) fn head(store: &Store, input: &HeadBucketInput) -> S3Result<HeadBucketOutput> {
    store.bucket(&input.bucket)?;
    Ok(HeadBucketOutput {
        bucket_region: Some(REGION.to_owned()),
        ..Default::default()
    })
}

/// In pages when `max-buckets` is given; the token is the last name listed.
pub(super) fn list(store: &Store, input: ListBucketsInput) -> S3Result<ListBucketsOutput> {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let after = input.continuation_token.as_deref().unwrap_or_default();
    let limit = match input.max_buckets {
        None => usize::MAX,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(|| s3_error!(InvalidArgument, "max-buckets must be a positive number"))?,
    };
    let mut buckets = store.buckets();
    buckets.retain(|(name, _)| name.starts_with(prefix) && name.as_str() > after);
    let more = buckets.len() > limit;
    buckets.truncate(limit);
    Ok(ListBucketsOutput {
        continuation_token: buckets
            .last()
            .filter(|_| more)
            .map(|(name, _)| name.clone()),
        buckets: Some(
            buckets
                .into_iter()
                .map(|(name, bucket)| Bucket {
                    name: Some(name),
                    creation_date: Some(timestamp(bucket.created)),
                    ..Default::default()
                })
                .collect(),
        ),
        owner: Some(owner()),
        prefix: input.prefix,
    })
}

/// Everything belongs to the one user there is.
pub(super) fn owner() -> Owner {
    Owner {
        display_name: Some("esteira".to_owned()),
        id: Some("esteira".to_owned()),
    }
}
