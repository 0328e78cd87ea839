//! Multipart uploads: begun, filled with parts, completed or aborted.

use std::sync::Arc;

use s3s::{
    S3Request, S3Result,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
        CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
        CreateMultipartUploadOutput, ListPartsInput, ListPartsOutput, Part as ListedPart,
        UploadPartInput, UploadPartOutput,
    },
    s3_error,
};

use super::{
    body,
    checksums::{checksum_fields, expected},
    headers::{attributes, etag, signed, tag, timestamp},
};
use crate::store::{About, Moment, Store, WriteCondition};

/// Most parts of one upload, see "Amazon S3 multipart upload limits" in the Amazon S3 User Guide.
const MOST_PARTS: i32 = 10_000;
/// Most parts in one answer.
const MOST_LISTED: i32 = 1_000;

pub(super) fn create(
    store: &Store,
    mut input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    store.bucket(&input.bucket)?;
    let about = About {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        initiated: Moment::now(),
        attributes: attributes!(input).boxed(),
    };
    let upload = store
        .uploads
        .begin(about)
        .map_err(crate::store::StoreError::from)?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload.id.clone()),
        ..Default::default()
    })
}

pub(super) async fn upload_part(
    store: &Store,
    mut request: S3Request<UploadPartInput>,
) -> S3Result<UploadPartOutput> {
    let expected = expected!(request);
    let input = request.input;
    let number = part_number(input.part_number)?;
    store.bucket(&input.bucket)?;
    let upload = store
        .uploads
        .find(&input.bucket, &input.key, &input.upload_id)?;
    let draft = body::receive(store, input.body, expected).await?;
    let checksums = draft.digest.checksums.clone();
    let part = upload.add(number, draft)?;
    let mut output = UploadPartOutput {
        e_tag: Some(etag(&part.etag)),
        ..Default::default()
    };
    checksum_fields!(output, checksums);
    Ok(output)
}

pub(super) async fn complete(
    store: &Arc<Store>,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let bucket = store.bucket(&input.bucket)?;
    let upload = store
        .uploads
        .find(&input.bucket, &input.key, &input.upload_id)?;
    let wanted = wanted_parts(
        input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default(),
    )?;
    let condition = WriteCondition {
        if_match: input.if_match.map(tag),
        if_none_match: input.if_none_match.map(tag),
    };
    let (draft, whole) = {
        let (store, upload) = (Arc::clone(store), Arc::clone(&upload));
        body::blocking(move || upload.assemble(&wanted, &store.drafts)).await?
    };
    let object = bucket.put(
        &input.key,
        draft,
        whole,
        upload.about.attributes.clone(),
        &condition,
    )?;
    store.uploads.end(&upload);
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag(&object.etag)),
        ..Default::default()
    })
}

pub(super) fn abort(
    store: &Store,
    input: &AbortMultipartUploadInput,
) -> S3Result<AbortMultipartUploadOutput> {
    store.bucket(&input.bucket)?;
    let upload = store
        .uploads
        .find(&input.bucket, &input.key, &input.upload_id)?;
    store.uploads.end(&upload);
    Ok(AbortMultipartUploadOutput::default())
}

pub(super) fn list_parts(store: &Store, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    store.bucket(&input.bucket)?;
    let upload = store
        .uploads
        .find(&input.bucket, &input.key, &input.upload_id)?;
    let limit = input.max_parts.unwrap_or(MOST_LISTED).clamp(0, MOST_LISTED);
    let after = u16::try_from(input.part_number_marker.unwrap_or(0)).map_err(|_| {
        s3_error!(
            InvalidArgument,
            "The part number marker is not a part number"
        )
    })?;
    let (parts, more) = upload.list(after, usize::try_from(limit).unwrap_or(0));
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(limit),
        part_number_marker: Some(i32::from(after)),
        next_part_number_marker: parts.last().map(|(number, _)| i32::from(*number)),
        is_truncated: Some(more),
        parts: Some(
            parts
                .into_iter()
                .map(|(number, part)| ListedPart {
                    part_number: Some(i32::from(number)),
                    e_tag: Some(etag(&part.etag)),
                    last_modified: Some(timestamp(part.modified)),
                    size: Some(signed(part.size)),
                    ..Default::default()
                })
                .collect(),
        ),
        ..Default::default()
    })
}

pub(super) fn part_number(number: i32) -> S3Result<u16> {
    u16::try_from(number)
        .ok()
        .filter(|_| (1..=MOST_PARTS).contains(&number))
        .ok_or_else(|| {
            s3_error!(
                InvalidArgument,
                "Part number must be an integer between 1 and 10000, inclusive"
            )
        })
}

fn wanted_parts(parts: Vec<CompletedPart>) -> S3Result<Vec<(u16, String)>> {
    if parts.is_empty() {
        return Err(s3_error!(
            MalformedXML,
            "You must specify at least one part"
        ));
    }
    parts
        .into_iter()
        .map(|part| {
            let number = part_number(part.part_number.unwrap_or(0))?;
            let etag = part
                .e_tag
                .map(s3s::dto::ETag::into_value)
                .unwrap_or_default();
            Ok((number, etag))
        })
        .collect()
}
