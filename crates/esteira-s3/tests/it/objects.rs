//! Whole objects: their bytes, ranges, attributes, copies and ends.

use bytes::Bytes;
use object_store::{
    Attribute, Attributes, Error, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _,
    PutOptions,
};

use crate::support::{Running, exact};

#[tokio::test]
async fn put_object_comes_back_with_its_md5_as_etag() {
    let running = Running::start().await;
    let etag = running.put("input/a.json", "hello world").await;
    assert_eq!(etag, "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"");
    assert_eq!(running.get("input/a.json").await, b"hello world");

    let meta = running.client.head(&exact("input/a.json")).await.unwrap();
    assert_eq!((meta.size, meta.e_tag), (11, Some(etag)));
    assert_eq!(
        std::fs::read(running.file("input/a.json")).unwrap(),
        b"hello world"
    );
}

#[tokio::test]
async fn empty_object_is_an_object() {
    let running = Running::start().await;
    let etag = running.put("empty", Bytes::new()).await;
    assert_eq!(etag, "\"d41d8cd98f00b204e9800998ecf8427e\"");
    assert_eq!(running.get("empty").await, b"");
}

#[tokio::test]
async fn large_object_streams_both_ways() {
    let running = Running::start().await;
    let bytes: Vec<u8> = (0..5_000_000_u32)
        .map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect();
    running.put("large.bin", bytes.clone()).await;
    assert_eq!(running.get("large.bin").await, bytes);

    let middle = running
        .client
        .get_range(&exact("large.bin"), 1_000_000..3_500_000)
        .await
        .unwrap();
    assert_eq!(middle, bytes[1_000_000..3_500_000]);
}

#[tokio::test]
async fn range_yields_just_those_bytes() {
    let running = Running::start().await;
    running.put("digits", "0123456789").await;
    let client = &running.client;
    assert_eq!(
        client.get_range(&exact("digits"), 2..5).await.unwrap(),
        "234"
    );
    for (range, expected) in [
        (GetRange::Suffix(3), "789"),
        (GetRange::Offset(7), "789"),
        (GetRange::Bounded(8..99), "89"),
    ] {
        let options = GetOptions {
            range: Some(range),
            ..GetOptions::default()
        };
        let got = client.get_opts(&exact("digits"), options).await.unwrap();
        assert_eq!(got.bytes().await.unwrap(), expected);
    }
    let beyond = GetOptions {
        range: Some(GetRange::Offset(10)),
        ..GetOptions::default()
    };
    assert!(client.get_opts(&exact("digits"), beyond).await.is_err());
}

#[tokio::test]
async fn attributes_come_back_and_are_copied() {
    let running = Running::start().await;
    let given = Attributes::from_iter([
        (Attribute::ContentType, "application/json"),
        (Attribute::ContentEncoding, "gzip"),
        (Attribute::CacheControl, "no-store"),
        (Attribute::Metadata("origem".into()), "loja"),
    ]);
    let options = PutOptions {
        attributes: given.clone(),
        ..PutOptions::default()
    };
    running
        .client
        .put_opts(&exact("a"), "{}".into(), options)
        .await
        .unwrap();
    running.client.copy(&exact("a"), &exact("b")).await.unwrap();
    for key in ["a", "b"] {
        let got = running.client.get(&exact(key)).await.unwrap();
        assert_eq!(got.attributes, given, "{key}");
    }
}

#[tokio::test]
async fn missing_key_and_missing_bucket_are_told_apart() {
    let running = Running::start().await;
    let error = running.client.get(&exact("nothing")).await.unwrap_err();
    assert!(
        matches!(&error, Error::NotFound { source, .. } if source.to_string().contains("NoSuchKey")),
        "{error}"
    );
    assert!(matches!(
        running.client.head(&exact("nothing")).await,
        Err(Error::NotFound { .. })
    ));

    std::fs::remove_dir(running.file("")).unwrap();
    let running = {
        running.simulator.shutdown().await;
        Running::start_in(running.dir).await
    };
    let error = running
        .client
        .put(&exact("a"), "1".into())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::NotFound { source, .. } if source.to_string().contains("NoSuchBucket")),
        "{error}"
    );
}

#[tokio::test]
async fn copy_holds_the_same_bytes_and_outlives_its_source() {
    let running = Running::start().await;
    let etag = running.put("from/ação %2F+.json", "x").await;
    running
        .client
        .copy(&exact("from/ação %2F+.json"), &exact("to/b"))
        .await
        .unwrap();
    running
        .client
        .delete(&exact("from/ação %2F+.json"))
        .await
        .unwrap();
    assert_eq!(running.get("to/b").await, b"x");
    assert_eq!(
        running.client.head(&exact("to/b")).await.unwrap().e_tag,
        Some(etag)
    );
    assert!(matches!(
        running.client.copy(&exact("gone"), &exact("c")).await,
        Err(Error::NotFound { .. })
    ));
}

#[tokio::test]
async fn deleted_object_is_gone_with_its_empty_folders() {
    let running = Running::start().await;
    running.put("a/b/c", "1").await;
    running.put("a/d", "2").await;
    running.client.delete(&exact("a/b/c")).await.unwrap();
    running.client.delete(&exact("a/b/c")).await.unwrap();
    assert!(matches!(
        running.client.head(&exact("a/b/c")).await,
        Err(Error::NotFound { .. })
    ));
    assert!(!running.file("a/b").exists());
    assert!(running.file("a/d").exists());
}
