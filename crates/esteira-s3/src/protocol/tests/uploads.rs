//! Multipart uploads: copied parts, listings, conditions on completing.

use s3s::dto::{CompletedMultipartUpload, CompletedPart, ETagCondition};

use super::*;

#[tokio::test]
async fn part_copied_from_a_range_is_listed_and_completes() {
    let shop = Shop::open();
    shop.put("from", "0123456789").await;
    let upload_id = shop.begin("to").await;
    let input = UploadPartCopyInput::builder()
        .bucket("shop".to_owned())
        .key("to".to_owned())
        .upload_id(upload_id.clone())
        .part_number(3)
        .copy_source(source("from"))
        .copy_source_range(Some("bytes=2-4".to_owned()))
        .build()
        .unwrap();
    let copied = shop
        .upload_part_copy(request(input))
        .await
        .unwrap()
        .output
        .copy_part_result
        .unwrap();

    let list = ListPartsInput {
        bucket: "shop".to_owned(),
        key: "to".to_owned(),
        upload_id: upload_id.clone(),
        ..Default::default()
    };
    let parts = shop
        .list_parts(request(list))
        .await
        .unwrap()
        .output
        .parts
        .unwrap();
    assert_eq!(
        (parts.len(), parts[0].part_number, parts[0].size),
        (1, Some(3), Some(3))
    );

    let complete = |e_tag, if_none_match| CompleteMultipartUploadInput {
        bucket: "shop".to_owned(),
        key: "to".to_owned(),
        upload_id: upload_id.clone(),
        if_none_match,
        multipart_upload: Some(CompletedMultipartUpload {
            parts: Some(vec![CompletedPart {
                e_tag,
                part_number: Some(3),
                ..Default::default()
            }]),
        }),
        ..Default::default()
    };
    shop.put("to", "taken").await;
    let refused = complete(copied.e_tag.clone(), Some(ETagCondition::Any));
    assert_eq!(
        code(shop.complete_multipart_upload(request(refused)).await),
        S3ErrorCode::PreconditionFailed
    );
    shop.complete_multipart_upload(request(complete(copied.e_tag.clone(), None)))
        .await
        .unwrap();
    assert_eq!(
        std::fs::read(shop.store.dir().join("shop/to")).unwrap(),
        b"234"
    );
    let again = shop
        .complete_multipart_upload(request(complete(copied.e_tag, None)))
        .await;
    assert_eq!(code(again), S3ErrorCode::NoSuchUpload);
}

#[tokio::test]
async fn uploads_are_listed_in_pages_until_aborted() {
    let shop = Shop::open();
    let mut begun = Vec::new();
    for key in ["a", "a", "b/1", "b/2"] {
        begun.push((key, shop.begin(key).await));
    }
    let mut listed = Vec::new();
    let mut input = ListMultipartUploadsInput {
        bucket: "shop".to_owned(),
        max_uploads: Some(1),
        ..Default::default()
    };
    loop {
        let page = shop
            .list_multipart_uploads(request(input.clone()))
            .await
            .unwrap()
            .output;
        listed.extend(
            page.uploads
                .unwrap()
                .into_iter()
                .map(|upload| (upload.key.unwrap(), upload.upload_id.unwrap())),
        );
        if page.is_truncated != Some(true) {
            break;
        }
        (input.key_marker, input.upload_id_marker) =
            (page.next_key_marker, page.next_upload_id_marker);
    }
    let keys: Vec<_> = listed.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "a", "b/1", "b/2"]);
    assert_ne!(listed[0].1, listed[1].1);

    for (key, upload_id) in begun {
        let abort = AbortMultipartUploadInput {
            bucket: "shop".to_owned(),
            key: key.to_owned(),
            upload_id,
            ..Default::default()
        };
        shop.abort_multipart_upload(request(abort)).await.unwrap();
    }
    assert!(shop.store.uploads.of_bucket("shop").is_empty());
}

#[tokio::test]
async fn uploads_below_a_delimiter_are_rolled_up_over_pages() {
    let shop = Shop::open();
    for key in ["a", "b/1", "b/2", "c/1", "d"] {
        shop.begin(key).await;
    }
    let mut names = Vec::new();
    let mut input = ListMultipartUploadsInput {
        bucket: "shop".to_owned(),
        delimiter: Some("/".to_owned()),
        max_uploads: Some(1),
        ..Default::default()
    };
    for _ in 0..10 {
        let page = shop
            .list_multipart_uploads(request(input.clone()))
            .await
            .unwrap()
            .output;
        names.extend(
            page.uploads
                .unwrap()
                .into_iter()
                .filter_map(|upload| upload.key),
        );
        names.extend(
            page.common_prefixes
                .unwrap()
                .into_iter()
                .filter_map(|common| common.prefix),
        );
        if page.is_truncated != Some(true) {
            break;
        }
        (input.key_marker, input.upload_id_marker) =
            (page.next_key_marker, page.next_upload_id_marker);
    }
    assert_eq!(names, ["a", "b/", "c/", "d"]);
}
