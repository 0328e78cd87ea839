//! Listings of objects and of uploads in progress.

use std::sync::Arc;

use s3s::{
    S3Result,
    dto::{
        CommonPrefix, EncodingType, ListMultipartUploadsInput, ListMultipartUploadsOutput,
        ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
        MultipartUpload, Object as Listed, ObjectStorageClass,
    },
    s3_error,
};

use super::{
    buckets::owner,
    headers::{etag, signed, timestamp},
};
use crate::{
    chaos::OddPage,
    hex,
    store::{Entry, Object, Page, Query, Store, Upload},
};

/// Most entries in one answer, and how many there are unless fewer are asked for.
const MOST: i32 = 1_000;

/// The token of a page that follows an empty first one; no other is spelled so.
const FROM_THE_START: &str = "-";

pub(super) fn version_2(
    store: &Store,
    input: ListObjectsV2Input,
    odd: Option<OddPage>,
) -> S3Result<ListObjectsV2Output> {
    let bucket = store.bucket(&input.bucket)?;
    let spelling = Spelling::of(input.encoding_type.as_ref());
    let after = match &input.continuation_token {
        Some(token) => from_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    let limit = limit(input.max_keys)?;
    let mut page = bucket.list(Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: &after,
        limit: shortened(limit, odd),
    });
    if odd == Some(OddPage { limit: 0 }) && limit > 0 {
        // It goes on where it did not begin.
        page.next = Some(after);
    }
    let next = page.next.as_deref().map(to_token);
    let (contents, common_prefixes) = spelling.page(page, input.fetch_owner.unwrap_or(false));
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(contents.len() + common_prefixes.len()).ok(),
        max_keys: Some(limit),
        is_truncated: Some(next.is_some()),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        continuation_token: input.continuation_token,
        next_continuation_token: next,
        delimiter: spelling.option(input.delimiter),
        prefix: Some(spelling.write(input.prefix.unwrap_or_default())),
        start_after: spelling.option(input.start_after),
        encoding_type: input.encoding_type,
        name: Some(input.bucket),
        ..Default::default()
    })
}

pub(super) fn version_1(
    store: &Store,
    input: ListObjectsInput,
    odd: Option<OddPage>,
) -> S3Result<ListObjectsOutput> {
    let bucket = store.bucket(&input.bucket)?;
    let spelling = Spelling::of(input.encoding_type.as_ref());
    let limit = limit(input.max_keys)?;
    let page = bucket.list(Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: input.marker.as_deref().unwrap_or_default(),
        limit: shortened(limit, odd),
    });
    let next = page.next.clone();
    let (contents, common_prefixes) = spelling.page(page, true);
    Ok(ListObjectsOutput {
        max_keys: Some(limit),
        is_truncated: Some(next.is_some()),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        next_marker: spelling.option(next),
        marker: Some(spelling.write(input.marker.unwrap_or_default())),
        delimiter: spelling.option(input.delimiter),
        prefix: Some(spelling.write(input.prefix.unwrap_or_default())),
        encoding_type: input.encoding_type,
        name: Some(input.bucket),
        ..Default::default()
    })
}

pub(super) fn uploads(
    store: &Store,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    store.bucket(&input.bucket)?;
    let spelling = Spelling::of(input.encoding_type.as_ref());
    let limit = limit(input.max_uploads)?;
    let (entries, more) = uploads_page(store, &input, as_count(limit));
    let mut listed = Vec::new();
    let mut prefixes = Vec::new();
    let (mut next_key, mut next_id) = (None, None);
    for entry in entries {
        match entry {
            Entry::Object(key, upload) => {
                listed.push(listed_upload(&upload, spelling));
                (next_key, next_id) = (Some(key), Some(upload.id.clone()));
            }
            Entry::CommonPrefix(common) => {
                prefixes.push(spelling.common(common.clone()));
                (next_key, next_id) = (Some(common), None);
            }
        }
    }
    Ok(ListMultipartUploadsOutput {
        is_truncated: Some(more),
        max_uploads: Some(limit),
        next_key_marker: spelling.option(next_key.filter(|_| more)),
        next_upload_id_marker: next_id.filter(|_| more),
        uploads: Some(listed),
        common_prefixes: Some(prefixes),
        key_marker: spelling.option(input.key_marker),
        upload_id_marker: input.upload_id_marker,
        prefix: spelling.option(input.prefix),
        delimiter: spelling.option(input.delimiter),
        encoding_type: input.encoding_type,
        bucket: Some(input.bucket),
        ..Default::default()
    })
}

/// One page of uploads, and whether there are more. Unlike objects, uploads may share a key, so that a page
/// is marked by key and id.
fn uploads_page(
    store: &Store,
    input: &ListMultipartUploadsInput,
    limit: usize,
) -> (Vec<Entry<Arc<Upload>>>, bool) {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input
        .delimiter
        .as_deref()
        .filter(|delimiter| !delimiter.is_empty());
    let marker = input.key_marker.as_deref();
    let uploads = store.uploads.of_bucket(&input.bucket);
    let mut entries: Vec<Entry<Arc<Upload>>> = Vec::new();
    for upload in &uploads[resume(&uploads, input)..] {
        let key = &upload.about.key;
        let Some(below) = key.strip_prefix(prefix) else {
            continue;
        };
        let rolled = delimiter.and_then(|delimiter| Some(below.find(delimiter)? + delimiter.len()));
        let entry = match rolled {
            Some(end) => Entry::CommonPrefix(key[..prefix.len() + end].to_owned()),
            None => Entry::Object(key.clone(), Arc::clone(upload)),
        };
        if let Entry::CommonPrefix(common) = &entry
            && (marker == Some(common)
                || matches!(entries.last(), Some(Entry::CommonPrefix(last)) if last == common))
        {
            continue;
        }
        if entries.len() == limit {
            return (entries, limit > 0);
        }
        entries.push(entry);
    }
    (entries, false)
}

/// How many uploads, sorted by key and beginning, lie up to the markers.
fn resume(uploads: &[Arc<Upload>], input: &ListMultipartUploadsInput) -> usize {
    let Some(key) = input.key_marker.as_deref().filter(|key| !key.is_empty()) else {
        return 0;
    };
    let marked = input.upload_id_marker.as_deref().and_then(|id| {
        let at = uploads
            .iter()
            .position(|upload| upload.about.key == key && upload.id == id)?;
        Some(at + 1)
    });
    marked.unwrap_or_else(|| uploads.partition_point(|upload| upload.about.key.as_str() <= key))
}

fn listed_upload(upload: &Upload, spelling: Spelling) -> MultipartUpload {
    MultipartUpload {
        key: Some(spelling.write(upload.about.key.clone())),
        upload_id: Some(upload.id.clone()),
        initiated: Some(timestamp(upload.about.initiated)),
        owner: Some(owner()),
        ..Default::default()
    }
}

/// How names are written into an answer: as they are, or percent-encoded, for XML cannot hold every
/// character a key can have (`encoding-type=url`).
#[derive(Clone, Copy)]
struct Spelling {
    url: bool,
}

impl Spelling {
    fn of(encoding: Option<&EncodingType>) -> Self {
        Self {
            url: encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL),
        }
    }

    fn write(self, name: String) -> String {
        if !self.url {
            return name;
        }
        let mut text = String::with_capacity(name.len());
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                    text.push(byte.into());
                }
                _ => {
                    text.push('%');
                    text.push_str(&hex::encode(&[byte]).to_ascii_uppercase());
                }
            }
        }
        text
    }

    fn option(self, name: Option<String>) -> Option<String> {
        name.map(|name| self.write(name))
    }

    fn common(self, prefix: String) -> CommonPrefix {
        CommonPrefix {
            prefix: Some(self.write(prefix)),
        }
    }

    fn page(self, page: Page<Arc<Object>>, with_owner: bool) -> (Vec<Listed>, Vec<CommonPrefix>) {
        let mut contents = Vec::with_capacity(page.entries.len());
        let mut prefixes = Vec::new();
        for entry in page.entries {
            match entry {
                Entry::CommonPrefix(prefix) => prefixes.push(self.common(prefix)),
                Entry::Object(key, object) => contents.push(Listed {
                    key: Some(self.write(key)),
                    e_tag: Some(etag(&object.etag)),
                    last_modified: Some(timestamp(object.modified)),
                    size: Some(signed(object.size)),
                    owner: with_owner.then(owner),
                    storage_class: Some(ObjectStorageClass::from_static(
                        ObjectStorageClass::STANDARD,
                    )),
                    ..Default::default()
                }),
            }
        }
        (contents, prefixes)
    }
}

fn limit(asked: Option<i32>) -> S3Result<i32> {
    match asked {
        None => Ok(MOST),
        Some(asked) if asked < 0 => Err(s3_error!(
            InvalidArgument,
            "The number of entries asked for is negative"
        )),
        Some(asked) => Ok(asked.min(MOST)),
    }
}

fn as_count(limit: i32) -> usize {
    usize::try_from(limit).unwrap_or(0)
}

/// As many as were asked for, unless the page is to be an odd one.
fn shortened(limit: i32, odd: Option<OddPage>) -> usize {
    let asked = as_count(limit);
    odd.map_or(asked, |odd| asked.min(odd.limit))
}

/// Tokens are hex, so that no client has to escape them and none is tempted to read them.
fn to_token(name: &str) -> String {
    if name.is_empty() {
        return FROM_THE_START.to_owned();
    }
    hex::encode(name.as_bytes())
}

fn from_token(token: &str) -> S3Result<String> {
    if token == FROM_THE_START {
        return Ok(String::new());
    }
    hex::decode(token)
        .and_then(|name| String::from_utf8(name).ok())
        .ok_or_else(|| {
            s3_error!(
                InvalidArgument,
                "The continuation token provided is incorrect"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_comes_back_as_the_name_it_was_made_of() {
        for name in ["", "a", "pedidos/ação 🚚%2F", "\u{1}"] {
            assert_eq!(from_token(&to_token(name)).unwrap(), name);
        }
    }

    #[test]
    fn foreign_token_is_refused() {
        for token in ["x", "zz", "é", "FF", "+1"] {
            assert!(from_token(token).is_err(), "{token}");
        }
    }

    #[test]
    fn url_spelling_escapes_all_but_what_is_safe() {
        let spelling = Spelling { url: true };
        assert_eq!(
            spelling.write("a b/ç+%\u{1}.json".to_owned()),
            "a%20b/%C3%A7%2B%25%01.json"
        );
    }
}
