//! Operations called directly, for what the S3 client of `tests/it` does not send.

use s3s::dto::{
    CopySource, Delete, ETag, ETagCondition, EncodingType, MetadataDirective, ObjectIdentifier,
    StreamingBlob,
};
use s3s::{Body, S3ErrorCode};
use tempfile::TempDir;

use super::*;
use crate::store::Clock;

mod uploads;

/// The operations over a folder of their own, with a bucket `shop`.
struct Shop {
    protocol: Protocol,
    _dir: TempDir,
}

impl std::ops::Deref for Shop {
    type Target = Protocol;

    fn deref(&self) -> &Protocol {
        &self.protocol
    }
}

impl Shop {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path(), Clock::default()).unwrap());
        store.create_bucket("shop").unwrap();
        let pulse = Pulse {
            dir: store.dir().to_owned(),
            weather: None,
        };
        Self {
            protocol: Protocol::new(store, pulse),
            _dir: dir,
        }
    }

    async fn put(&self, key: &str, bytes: &str) -> ETag {
        let put = self
            .put_object(request(put_input(key, bytes)))
            .await
            .unwrap();
        put.output.e_tag.unwrap()
    }

    async fn keys(&self) -> Vec<String> {
        let listed = self
            .list_objects_v2(request(list_input()))
            .await
            .unwrap()
            .output;
        listed
            .contents
            .unwrap()
            .into_iter()
            .map(|object| object.key.unwrap())
            .collect()
    }

    async fn begin(&self, key: &str) -> String {
        let input = CreateMultipartUploadInput {
            bucket: "shop".to_owned(),
            key: key.to_owned(),
            ..Default::default()
        };
        self.create_multipart_upload(request(input))
            .await
            .unwrap()
            .output
            .upload_id
            .unwrap()
    }
}

fn request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: <_>::default(),
        uri: <_>::default(),
        headers: <_>::default(),
        extensions: <_>::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

fn put_input(key: &str, bytes: &str) -> PutObjectInput {
    PutObjectInput {
        bucket: "shop".to_owned(),
        key: key.to_owned(),
        body: Some(StreamingBlob::from(Body::from(bytes.to_owned()))),
        ..Default::default()
    }
}

fn list_input() -> ListObjectsV2Input {
    ListObjectsV2Input {
        bucket: "shop".to_owned(),
        ..Default::default()
    }
}

fn source(key: &str) -> CopySource {
    CopySource::Bucket {
        bucket: "shop".into(),
        key: key.into(),
        version_id: None,
    }
}

fn code<T>(answer: Answer<T>) -> S3ErrorCode {
    match answer {
        Ok(_) => panic!("the request was expected to fail"),
        Err(error) => error.code().clone(),
    }
}

#[tokio::test]
async fn bucket_is_created_once_listed_and_deleted_when_empty() {
    let shop = Shop::open();
    let create = |name: &str| CreateBucketInput {
        bucket: name.to_owned(),
        ..Default::default()
    };
    shop.create_bucket(request(create("second"))).await.unwrap();
    assert_eq!(
        code(shop.create_bucket(request(create("second"))).await),
        S3ErrorCode::BucketAlreadyOwnedByYou
    );
    for name in ["_esteira", "UPPER", "a", "with_underscore"] {
        assert_eq!(
            code(shop.create_bucket(request(create(name))).await),
            S3ErrorCode::InvalidBucketName
        );
    }
    let listed = shop
        .list_buckets(request(ListBucketsInput::default()))
        .await
        .unwrap()
        .output;
    let names: Vec<_> = listed
        .buckets
        .unwrap()
        .into_iter()
        .map(|bucket| bucket.name.unwrap())
        .collect();
    assert_eq!(names, ["second", "shop"]);

    shop.put("a/b", "1").await;
    let delete = |name: &str| DeleteBucketInput {
        bucket: name.to_owned(),
        ..Default::default()
    };
    assert_eq!(
        code(shop.delete_bucket(request(delete("shop"))).await),
        S3ErrorCode::BucketNotEmpty
    );
    shop.delete_bucket(request(delete("second"))).await.unwrap();
    assert_eq!(
        code(shop.delete_bucket(request(delete("second"))).await),
        S3ErrorCode::NoSuchBucket
    );
    let head = HeadBucketInput {
        bucket: "second".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        code(shop.head_bucket(request(head)).await),
        S3ErrorCode::NoSuchBucket
    );
}

#[tokio::test]
async fn bucket_with_files_that_came_by_hand_is_not_deleted() {
    let shop = Shop::open();
    let by_hand = shop.store.dir().join("shop/by-hand.json");
    std::fs::write(&by_hand, "{}").unwrap();
    let delete = DeleteBucketInput {
        bucket: "shop".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        code(shop.delete_bucket(request(delete)).await),
        S3ErrorCode::BucketNotEmpty
    );
    assert!(by_hand.exists());
}

#[tokio::test]
async fn wrong_digest_is_refused_and_nothing_is_stored() {
    let shop = Shop::open();
    let right = PutObjectInput {
        content_md5: Some("XrY7u+Ae7tCTyyK7j1rNww==".to_owned()),
        checksum_crc32: Some("DUoRhQ==".to_owned()),
        ..put_input("right", "hello world")
    };
    let put = shop.put_object(request(right)).await.unwrap().output;
    assert_eq!(put.checksum_crc32.as_deref(), Some("DUoRhQ=="));
    for wrong in [
        PutObjectInput {
            content_md5: Some("AAAAAAAAAAAAAAAAAAAAAA==".to_owned()),
            ..put_input("wrong", "hello world")
        },
        PutObjectInput {
            checksum_crc32: Some("AAAAAA==".to_owned()),
            ..put_input("wrong", "hello world")
        },
        PutObjectInput {
            checksum_sha256: Some("AAAAAA==".to_owned()),
            ..put_input("wrong", "hello world")
        },
    ] {
        assert_eq!(
            code(shop.put_object(request(wrong)).await),
            S3ErrorCode::BadDigest
        );
    }
    assert_eq!(shop.keys().await, ["right"]);
    let drafts = std::fs::read_dir(shop.store.dir().join(".esteira/drafts")).unwrap();
    assert_eq!(drafts.count(), 0);
}

#[tokio::test]
async fn old_list_pages_by_marker() {
    let shop = Shop::open();
    for key in ["a", "b/1", "b/2", "c"] {
        shop.put(key, "x").await;
    }
    let mut names = Vec::new();
    let mut marker = None;
    loop {
        let input = ListObjectsInput {
            bucket: "shop".to_owned(),
            delimiter: Some("/".to_owned()),
            max_keys: Some(1),
            marker: marker.clone(),
            ..Default::default()
        };
        let page = shop.list_objects(request(input)).await.unwrap().output;
        names.extend(
            page.contents
                .unwrap()
                .into_iter()
                .filter_map(|object| object.key),
        );
        names.extend(
            page.common_prefixes
                .unwrap()
                .into_iter()
                .filter_map(|common| common.prefix),
        );
        marker = page.next_marker;
        if page.is_truncated != Some(true) {
            break;
        }
    }
    assert_eq!(names, ["a", "b/", "c"]);
}

#[tokio::test]
async fn listed_names_are_url_encoded_on_request() {
    let shop = Shop::open();
    shop.put("a b/\u{1}+ç", "x").await;
    let input = ListObjectsV2Input {
        encoding_type: Some(EncodingType::from_static(EncodingType::URL)),
        prefix: Some("a b/".to_owned()),
        ..list_input()
    };
    let page = shop.list_objects_v2(request(input)).await.unwrap().output;
    assert_eq!(
        page.contents.unwrap()[0].key.as_deref(),
        Some("a%20b/%01%2B%C3%A7")
    );
    assert_eq!(page.prefix.as_deref(), Some("a%20b/"));
}

#[tokio::test]
async fn one_is_deleted_only_as_long_as_it_is_the_one_that_is_meant() {
    let shop = Shop::open();
    let etag = shop.put("a", "x").await;
    let delete = |e_tag: &ETag| {
        let input = DeleteObjectInput {
            bucket: "shop".to_owned(),
            key: "a".to_owned(),
            if_match: Some(ETagCondition::ETag(e_tag.clone())),
            ..Default::default()
        };
        shop.delete_object(request(input))
    };
    let other = ETag::Strong("other".to_owned());
    assert_eq!(code(delete(&other).await), S3ErrorCode::PreconditionFailed);
    assert_eq!(shop.keys().await, ["a"]);
    delete(&etag).await.unwrap();
    assert_eq!(shop.keys().await, [""; 0]);
    assert_eq!(code(delete(&etag).await), S3ErrorCode::NoSuchKey);
}

#[tokio::test]
async fn many_are_deleted_at_once_and_only_failures_are_told_when_quiet() {
    let shop = Shop::open();
    for key in ["a", "b", "c"] {
        shop.put(key, "x").await;
    }
    let named = |key: &str, e_tag| ObjectIdentifier {
        key: key.to_owned(),
        e_tag,
        ..Default::default()
    };
    let delete = Delete {
        objects: vec![
            named("a", None),
            named("missing", None),
            named("b", Some(ETag::Strong("other".to_owned()))),
        ],
        quiet: Some(true),
    };
    let input = DeleteObjectsInput {
        bucket: "shop".to_owned(),
        bypass_governance_retention: None,
        checksum_algorithm: None,
        delete,
        expected_bucket_owner: None,
        mfa: None,
        request_payer: None,
    };
    let output = shop.delete_objects(request(input)).await.unwrap().output;
    assert_eq!(output.deleted.unwrap().len(), 0);
    let errors = output.errors.unwrap();
    assert_eq!(
        (errors.len(), errors[0].code.as_deref()),
        (1, Some("PreconditionFailed"))
    );
    assert_eq!(shop.keys().await, ["b", "c"]);
}

#[tokio::test]
async fn copy_keeps_or_replaces_metadata_and_obeys_conditions() {
    let shop = Shop::open();
    let typed = PutObjectInput {
        content_type: Some("application/json".to_owned()),
        ..put_input("from", "{}")
    };
    let etag = shop
        .put_object(request(typed))
        .await
        .unwrap()
        .output
        .e_tag
        .unwrap();
    let copy = |key: &str| {
        CopyObjectInput::builder()
            .bucket("shop".to_owned())
            .key(key.to_owned())
            .copy_source(source("from"))
            .build()
            .unwrap()
    };
    assert_eq!(
        code(shop.copy_object(request(copy("from"))).await),
        S3ErrorCode::InvalidRequest
    );
    let refused = CopyObjectInput {
        copy_source_if_none_match: Some(ETagCondition::ETag(etag.clone())),
        ..copy("to")
    };
    assert_eq!(
        code(shop.copy_object(request(refused)).await),
        S3ErrorCode::PreconditionFailed
    );

    shop.copy_object(request(copy("kept"))).await.unwrap();
    let replace = CopyObjectInput {
        metadata_directive: Some(MetadataDirective::from_static(MetadataDirective::REPLACE)),
        content_type: Some("text/plain".to_owned()),
        copy_source_if_match: Some(ETagCondition::ETag(etag)),
        ..copy("from")
    };
    shop.copy_object(request(replace)).await.unwrap();
    for (key, expected) in [("kept", "application/json"), ("from", "text/plain")] {
        let input = HeadObjectInput {
            bucket: "shop".to_owned(),
            key: key.to_owned(),
            ..Default::default()
        };
        let head = shop.head_object(request(input)).await.unwrap().output;
        assert_eq!(head.content_type.as_deref(), Some(expected));
    }
}
