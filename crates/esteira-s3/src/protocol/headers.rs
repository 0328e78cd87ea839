//! Small translations between what stands in headers and what the store speaks in.

use std::time::SystemTime;

use s3s::dto::{ETag, ETagCondition, Timestamp, TimestampFormat};

use crate::store::{Moment, Tag};

pub(super) fn etag(text: &str) -> ETag {
    ETag::Strong(text.to_owned())
}

pub(super) fn tag(condition: ETagCondition) -> Tag {
    match condition {
        ETagCondition::Any => Tag::Any,
        ETagCondition::ETag(etag) => Tag::Is(etag.into_value()),
    }
}

pub(super) fn timestamp(moment: Moment) -> Timestamp {
    Timestamp::from(SystemTime::from(moment))
}

/// In whole seconds, all that a date in a header has. A date before 1970 becomes 1970.
pub(super) fn moment(timestamp: &Timestamp) -> Moment {
    let mut text = Vec::new();
    let written = timestamp.format(TimestampFormat::EpochSeconds, &mut text);
    let text = String::from_utf8_lossy(&text);
    let seconds = text
        .split('.')
        .next()
        .and_then(|seconds| seconds.parse().ok());
    Moment::from_seconds(written.ok().and(seconds).unwrap_or(0))
}

/// A size as S3's answers have it; files are far smaller than the limit.
pub(super) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// The encoding of the object, without the one that was only for the way here.
pub(super) fn content_encoding(header: Option<String>) -> Option<String> {
    let header = header?;
    let kept: Vec<_> = header
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && *coding != "aws-chunked")
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// What the client says of an object, from any input that has these fields.
macro_rules! attributes {
    ($input:ident) => {
        $crate::store::Attributes {
            content_type: $input.content_type.take(),
            content_encoding: $crate::protocol::headers::content_encoding(
                $input.content_encoding.take(),
            ),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            expires: $input
                .expires
                .as_ref()
                .map($crate::protocol::headers::moment),
            metadata: $input
                .metadata
                .take()
                .unwrap_or_default()
                .into_iter()
                .collect(),
            checksums: $crate::store::Checksums::default(),
        }
    };
}
pub(super) use attributes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_date_becomes_its_moment_and_back() {
        let text = "Wed, 21 Oct 2015 07:28:00 GMT";
        let parsed = Timestamp::parse(TimestampFormat::HttpDate, text).unwrap();
        assert_eq!(timestamp(moment(&parsed)), parsed);
    }

    #[test]
    fn transport_encoding_is_not_kept() {
        assert_eq!(content_encoding(Some("aws-chunked".to_owned())), None);
        assert_eq!(
            content_encoding(Some("gzip, aws-chunked".to_owned())),
            Some("gzip".to_owned())
        );
        assert_eq!(
            content_encoding(Some("gzip".to_owned())),
            Some("gzip".to_owned())
        );
    }
}
