//! Whole objects: put, get, head. And the health answer, which is asked for like an object.

use s3s::{
    Body, S3Error, S3Request, S3Result,
    dto::{
        ChecksumMode, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
        PutObjectInput, PutObjectOutput, Range, StreamingBlob,
    },
    s3_error,
};

use super::{
    body,
    checksums::{checksum_fields, expected},
    headers::{attributes, etag, moment, signed, tag, timestamp},
};
use crate::{
    gate::Health,
    store::{Attributes, Object, ReadCondition, Store, StoreError, WriteCondition},
};

/// What S3 says of an object nobody gave a type.
const DEFAULT_TYPE: &str = "binary/octet-stream";

pub(super) async fn put(
    store: &Store,
    mut request: S3Request<PutObjectInput>,
) -> S3Result<PutObjectOutput> {
    let expected = expected!(request);
    let mut input = request.input;
    if input.write_offset_bytes.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "Appending to objects is not simulated"
        ));
    }
    let bucket = store.bucket(&input.bucket)?;
    let draft = body::receive(store, input.body.take(), expected).await?;
    let condition = WriteCondition {
        if_match: input.if_match.take().map(tag),
        if_none_match: input.if_none_match.take().map(tag),
    };
    let mut attributes = attributes!(input);
    attributes.checksums.clone_from(&draft.digest.checksums);
    let checksums = draft.digest.checksums.clone();
    let etag_text = draft.digest.etag();
    let object = bucket.put(&input.key, draft, etag_text, attributes.boxed(), &condition)?;
    let mut output = PutObjectOutput {
        e_tag: Some(etag(&object.etag)),
        ..Default::default()
    };
    checksum_fields!(output, checksums);
    Ok(output)
}

pub(super) async fn get(store: &Store, mut input: GetObjectInput) -> S3Result<GetObjectOutput> {
    let condition = ReadCondition {
        if_match: input.if_match.take().map(tag),
        if_none_match: input.if_none_match.take().map(tag),
        if_modified_since: input.if_modified_since.as_ref().map(moment),
        if_unmodified_since: input.if_unmodified_since.as_ref().map(moment),
    };
    let bucket = store.bucket(&input.bucket)?;
    let (object, file) = bucket.open_object(&input.key, |object| condition.check(object))?;
    let span = Span::of(input.range, object.size)?;
    let body = body::send(file, span.start, span.length).await?;
    let attributes = object.attributes.as_deref().cloned().unwrap_or_default();
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(body),
        content_length: Some(signed(span.length)),
        content_range: span.header,
        e_tag: Some(etag(&object.etag)),
        last_modified: Some(timestamp(object.modified)),
        content_type: Some(content_type(&attributes)),
        content_encoding: attributes.content_encoding,
        content_disposition: attributes.content_disposition,
        content_language: attributes.content_language,
        cache_control: attributes.cache_control,
        expires: attributes.expires.map(timestamp),
        metadata: Some(attributes.metadata.into_iter().collect()),
        ..Default::default()
    };
    if wants_checksums(input.checksum_mode.as_ref()) && span.whole {
        checksum_fields!(output, attributes.checksums);
    }
    Ok(output)
}

pub(super) fn head(store: &Store, mut input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    let condition = ReadCondition {
        if_match: input.if_match.take().map(tag),
        if_none_match: input.if_none_match.take().map(tag),
        if_modified_since: input.if_modified_since.as_ref().map(moment),
        if_unmodified_since: input.if_unmodified_since.as_ref().map(moment),
    };
    let object: std::sync::Arc<Object> = store.bucket(&input.bucket)?.find(&input.key)?;
    condition.check(&object)?;
    let span = Span::of(input.range, object.size)?;
    let attributes = object.attributes.as_deref().cloned().unwrap_or_default();
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(signed(span.length)),
        content_range: span.header,
        e_tag: Some(etag(&object.etag)),
        last_modified: Some(timestamp(object.modified)),
        content_type: Some(content_type(&attributes)),
        content_encoding: attributes.content_encoding,
        content_disposition: attributes.content_disposition,
        content_language: attributes.content_language,
        cache_control: attributes.cache_control,
        expires: attributes.expires.map(timestamp),
        metadata: Some(attributes.metadata.into_iter().collect()),
        ..Default::default()
    };
    if wants_checksums(input.checksum_mode.as_ref()) {
        checksum_fields!(output, attributes.checksums);
    }
    Ok(output)
}

pub(super) fn health(health: &Health) -> S3Result<GetObjectOutput> {
    let text = serde_json::to_vec(health).map_err(S3Error::internal_error)?;
    Ok(GetObjectOutput {
        content_length: Some(signed(text.len() as u64)),
        content_type: Some("application/json".to_owned()),
        body: Some(StreamingBlob::from(Body::from(text))),
        ..Default::default()
    })
}

/// Which bytes of an object are asked for.
struct Span {
    start: u64,
    length: u64,
    whole: bool,
    /// `Content-Range`, where a range was asked for (RFC 9110, section 14.4).
    header: Option<String>,
}

impl Span {
    fn of(range: Option<Range>, size: u64) -> S3Result<Self> {
        let Some(range) = range else {
            return Ok(Self {
                start: 0,
                length: size,
                whole: true,
                header: None,
            });
        };
        let unsatisfiable = |_| s3_error!(InvalidRange, "The requested range is not satisfiable");
        let bytes = range.check(size).map_err(unsatisfiable)?;
        // The last bytes of nothing: there is no first byte to name.
        if bytes.is_empty() {
            return Err(s3_error!(
                InvalidRange,
                "The requested range is not satisfiable"
            ));
        }
        Ok(Self {
            start: bytes.start,
            length: bytes.end - bytes.start,
            whole: false,
            header: Some(format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1)),
        })
    }
}

fn content_type(attributes: &Attributes) -> String {
    attributes
        .content_type
        .clone()
        .unwrap_or_else(|| DEFAULT_TYPE.to_owned())
}

fn wants_checksums(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

/// For a copy there is no copy at the client's that could still be good: it is refused instead.
pub(super) fn refuse_unmodified(error: StoreError) -> StoreError {
    match error {
        StoreError::NotModified => StoreError::PreconditionFailed(
            "x-amz-copy-source-If-None-Match or x-amz-copy-source-If-Modified-Since",
        ),
        other => other,
    }
}
