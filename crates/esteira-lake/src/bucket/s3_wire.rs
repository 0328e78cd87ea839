//! What S3 says and how keys are written in it: answers as XML, keys percent-encoded.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPage {
    #[serde(default)]
    pub(super) contents: Vec<Entry>,
    pub(super) encoding_type: Option<String>,
    pub(super) next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) last_modified: String,
    pub(super) e_tag: String,
    pub(super) size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketList {
    pub(super) buckets: Buckets,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Buckets {
    #[serde(default)]
    pub(super) bucket: Vec<NamedBucket>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedBucket {
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartedUpload {
    pub(super) upload_id: String,
}

#[derive(Deserialize)]
pub(super) struct CopiedPart {
    #[serde(rename = "ETag")]
    pub(super) e_tag: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ServiceError {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

/// RFC 3986 §2.1 percent-encoding as Signature Version 4 wants it: only unreserved characters stay,
/// and the slash where it separates folders.
pub(super) fn encode(text: &str, keep_slash: bool) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b'/' if keep_slash => encoded.push('/'),
            // Writing to a String cannot fail.
            _ => {
                let _: Result<(), std::fmt::Error> = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// The inverse of S3's `encoding-type=url`, where `+` stands for a space.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = after;
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn key_encoded_and_decoded_is_the_same(key in "\\PC{0,40}|[ -~]{0,40}") {
            prop_assert_eq!(decode(&encode(&key, true)), Some(key));
        }
    }

    #[test]
    fn key_with_a_plus_for_a_space_is_decoded() {
        assert_eq!(decode("a+b%2Bc%0A").as_deref(), Some("a b+c\n"));
        assert_eq!(decode("%F"), None);
    }
}
