//! Copies that S3 makes itself, of objects of any size, without overwriting anything.
//!
//! A plain copy ends at 5 GB and takes as long as it takes; a copy in parts has no such end, and each part
//! is a request of its own. Only the last step makes the object, and it takes the condition that there is
//! none (Amazon S3 API Reference, *UploadPartCopy*, *CompleteMultipartUpload*). The entity tag of what was
//! made says nothing about the source's, so the copy carries that as metadata.

use bytes::Bytes;
use http::{Method, StatusCode, header};

use super::s3_api::{COPY_SOURCE, COPY_SOURCE_IF_MATCH, Call, S3Api};
use super::s3_wire::{CopiedPart, StartedUpload, encode};
use super::{BucketError, Copied};

/// Bytes of a part: what a service copies well within the time of a request.
const PART_BYTES: u64 = 256 * 1024 * 1024;
const MOST_PARTS: u64 = 10_000;

const COPY_SOURCE_RANGE: header::HeaderName =
    header::HeaderName::from_static("x-amz-copy-source-range");
const SOURCE_ETAG: header::HeaderName =
    header::HeaderName::from_static("x-amz-meta-esteira-source-etag");

/// What is known of an object that was not read.
pub(super) struct Head {
    pub(super) size: u64,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) modified_micros: i64,
    /// The entity tag of what it is a copy of.
    source_etag: Option<String>,
}

impl S3Api {
    /// See [`Bucket::copy_new`](super::Bucket::copy_new).
    pub(super) async fn copy_new(
        &self,
        from: &str,
        etag: &str,
        size: u64,
        to: &str,
    ) -> Result<Copied, BucketError> {
        if size == 0 {
            return self.copy_nothing(from, etag, to).await;
        }
        let mut call = Call::new("copying", Method::POST, to);
        "uploads=".clone_into(&mut call.query);
        call.headers.push((SOURCE_ETAG, etag.to_owned()));
        let answer = self.send(&call).await?;
        let StartedUpload { upload_id } = self.parse(&call, &answer.body)?;
        let upload = format!("uploadId={}", encode(&upload_id, false));
        let copied = self.copy_parts(from, etag, size, to, &upload).await;
        if !matches!(copied, Ok(Copied::Created)) {
            let mut call = Call::new("copying", Method::DELETE, to);
            call.query = upload;
            if let Err(error) = self.send(&call).await {
                tracing::debug!(%error, "parts of a copy stay until the bucket drops them");
            }
        }
        match copied? {
            Copied::Other if self.is_copy(to, etag, size).await? => Ok(Copied::Same),
            copied => Ok(copied),
        }
    }

    /// Nothing has no parts.
    async fn copy_nothing(&self, from: &str, etag: &str, to: &str) -> Result<Copied, BucketError> {
        match self.head(from).await? {
            None => return Ok(Copied::Missing),
            Some(head) if head.etag != etag => return Ok(Copied::Changed),
            Some(_) => {}
        }
        let mut call = Call::new("copying", Method::PUT, to);
        call.headers.push((header::IF_NONE_MATCH, "*".to_owned()));
        call.headers.push((SOURCE_ETAG, etag.to_owned()));
        let status = self.send(&call).await?.status;
        if status != StatusCode::PRECONDITION_FAILED {
            return Ok(Copied::Created);
        }
        Ok(if self.is_copy(to, etag, 0).await? {
            Copied::Same
        } else {
            Copied::Other
        })
    }

    /// Never tells that there is the same already, only that there is something.
    async fn copy_parts(
        &self,
        from: &str,
        etag: &str,
        size: u64,
        to: &str,
        upload: &str,
    ) -> Result<Copied, BucketError> {
        let part_bytes = PART_BYTES.max(size.div_ceil(MOST_PARTS));
        let mut parts = Vec::new();
        for number in 0..size.div_ceil(part_bytes).max(1) {
            let mut call = Call::new("copying", Method::PUT, to);
            call.query = format!("partNumber={}&{upload}", number + 1);
            let source = format!("/{}/{}", self.bucket, encode(from, true));
            call.headers.push((COPY_SOURCE, source));
            call.headers
                .push((COPY_SOURCE_IF_MATCH, format!("\"{etag}\"")));
            // A small object has to be copied whole.
            if size > part_bytes {
                let first = number * part_bytes;
                let last = size.min(first + part_bytes) - 1;
                call.headers
                    .push((COPY_SOURCE_RANGE, format!("bytes={first}-{last}")));
            }
            let answer = self.send(&call).await?;
            match answer.status {
                StatusCode::PRECONDITION_FAILED => return Ok(Copied::Changed),
                StatusCode::NOT_FOUND => return Ok(Copied::Missing),
                _ => {}
            }
            let CopiedPart { e_tag } = self.parse(&call, &answer.body)?;
            parts.push(format!(
                "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>",
                number + 1,
                quick_xml::escape::escape(&e_tag)
            ));
        }
        let mut call = Call::new("copying", Method::POST, to);
        upload.clone_into(&mut call.query);
        call.headers.push((header::IF_NONE_MATCH, "*".to_owned()));
        call.body = Bytes::from(format!(
            "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
            parts.concat()
        ));
        match self.send(&call).await {
            Ok(answer) if answer.status == StatusCode::PRECONDITION_FAILED => Ok(Copied::Other),
            Ok(_) => Ok(Copied::Created),
            // It is there already: the answer to an earlier attempt was lost.
            Err(BucketError::Service { reason, .. }) if reason.starts_with("NoSuchUpload") => {
                Ok(Copied::Other)
            }
            Err(error) => Err(error),
        }
    }

    /// See [`Bucket::is_copy`](super::Bucket::is_copy).
    pub(super) async fn is_copy(
        &self,
        key: &str,
        etag: &str,
        size: u64,
    ) -> Result<bool, BucketError> {
        let head = self.head(key).await?;
        Ok(head.is_some_and(|head| head.size == size && head.source_etag.as_deref() == Some(etag)))
    }

    /// What is known of an object; nothing when there is none.
    pub(super) async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
        let answer = self.send(&Call::new("reading", Method::HEAD, key)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let text = |name: header::HeaderName| {
            let value = answer.headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let modified = text(header::LAST_MODIFIED)
            .and_then(|date| chrono::DateTime::parse_from_rfc2822(&date).ok());
        Ok(Some(Head {
            etag: text(header::ETAG)
                .map(|etag| etag.trim_matches('"').to_owned())
                .unwrap_or_default(),
            modified_micros: modified.map_or(0, |date| date.timestamp_micros()),
            size: text(header::CONTENT_LENGTH)
                .and_then(|length| length.parse().ok())
                .unwrap_or_default(),
            source_etag: text(SOURCE_ETAG),
        }))
    }
}
