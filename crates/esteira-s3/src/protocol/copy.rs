//! Copies on the server: of an object, and of a piece of one into a part.

use std::{fs::File, sync::Arc};

use s3s::{
    S3Request, S3Result,
    dto::{
        CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource,
        ETagCondition, MetadataDirective, Range, UploadPartCopyInput, UploadPartCopyOutput,
    },
    s3_error,
};

use super::{
    body,
    headers::{attributes, etag, moment, tag, timestamp},
    multipart::part_number,
    objects::refuse_unmodified,
};
use crate::store::{Object, ReadCondition, Store, Tag, WriteCondition};

/// The conditions on the source, from any input that has these fields.
macro_rules! source_condition {
    ($input:ident) => {
        ReadCondition {
            if_match: $input.copy_source_if_match.take().map(tag),
            if_none_match: $input.copy_source_if_none_match.take().map(tag),
            if_modified_since: $input.copy_source_if_modified_since.as_ref().map(moment),
            if_unmodified_since: $input.copy_source_if_unmodified_since.as_ref().map(moment),
        }
    };
}

pub(super) async fn object(
    store: &Arc<Store>,
    request: S3Request<CopyObjectInput>,
) -> S3Result<CopyObjectOutput> {
    let header = |name: &str| {
        request
            .headers
            .get(name)
            .map(|value| value.as_bytes().to_vec())
    };
    let condition = WriteCondition {
        if_match: condition(header("if-match"))?,
        if_none_match: condition(header("if-none-match"))?,
    };
    let mut input = request.input;
    let replace = is_replace(input.metadata_directive.as_ref());
    if !replace && is_same(&input.copy_source, &input.bucket, &input.key) {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata."
        ));
    }
    let target = store.bucket(&input.bucket)?;
    let (source, file) = open_source(store, &input.copy_source, &source_condition!(input))?;
    let draft = body::duplicate(store, file, 0, source.size).await?;
    let attributes = if replace {
        attributes!(input).boxed()
    } else {
        source.attributes.clone()
    };
    let etag_text = draft.digest.etag();
    let object = target.put(&input.key, draft, etag_text, attributes, &condition)?;
    Ok(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            e_tag: Some(etag(&object.etag)),
            last_modified: Some(timestamp(object.modified)),
            ..Default::default()
        }),
        ..Default::default()
    })
}

pub(super) async fn part(
    store: &Arc<Store>,
    mut input: UploadPartCopyInput,
) -> S3Result<UploadPartCopyOutput> {
    let number = part_number(input.part_number)?;
    let upload = store
        .uploads
        .find(&input.bucket, &input.key, &input.upload_id)?;
    let (source, file) = open_source(store, &input.copy_source, &source_condition!(input))?;
    let (start, length) = match &input.copy_source_range {
        None => (0, source.size),
        Some(range) => {
            let bytes = Range::parse(range)
                .map_err(|_| {
                    s3_error!(
                        InvalidArgument,
                        "The x-amz-copy-source-range value must be of the form bytes=first-last"
                    )
                })?
                .check(source.size)?;
            (bytes.start, bytes.end - bytes.start)
        }
    };
    let draft = body::duplicate(store, file, start, length).await?;
    let part = upload.add(number, draft)?;
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(CopyPartResult {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(timestamp(part.modified)),
            ..Default::default()
        }),
        ..Default::default()
    })
}

fn open_source(
    store: &Store,
    source: &CopySource,
    condition: &ReadCondition,
) -> S3Result<(Arc<Object>, File)> {
    let CopySource::Bucket { bucket, key, .. } = source else {
        return Err(s3_error!(NotImplemented, "Only buckets can be copied from"));
    };
    let bucket = store.bucket(bucket)?;
    let opened = bucket.open_object(key, |object| {
        condition.check(object).map_err(refuse_unmodified)
    })?;
    Ok(opened)
}

/// A condition on the target, which the API takes in plain headers.
fn condition(header: Option<Vec<u8>>) -> S3Result<Option<Tag>> {
    let Some(header) = header else {
        return Ok(None);
    };
    let parsed = ETagCondition::parse_http_header(&header)
        .map_err(|error| s3_error!(error, InvalidArgument, "A condition must be an ETag or *"))?;
    Ok(Some(tag(parsed)))
}

fn is_replace(directive: Option<&MetadataDirective>) -> bool {
    directive.is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE)
}

fn is_same(source: &CopySource, bucket: &str, key: &str) -> bool {
    matches!(source, CopySource::Bucket { bucket: b, key: k, .. } if **b == *bucket && **k == *key)
}
