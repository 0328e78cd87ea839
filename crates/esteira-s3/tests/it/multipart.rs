//! Uploads in parts.

use object_store::{
    MultipartUpload as _, ObjectStore as _, ObjectStoreExt as _, PutMultipartOptions,
    multipart::MultipartStore as _,
};

use crate::support::{Running, exact};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn parts_in_any_order_become_one_object() {
    let running = Running::start().await;
    let key = exact("big/object.parquet");
    let id = running.client.create_multipart(&key).await.unwrap();
    let last = running
        .client
        .put_part(&key, &id, 1, "end".into())
        .await
        .unwrap();
    let first = running
        .client
        .put_part(&key, &id, 0, vec![b'x'; 6 * MIB].into())
        .await
        .unwrap();
    let done = running
        .client
        .complete_multipart(&key, &id, vec![first, last])
        .await
        .unwrap();
    assert!(done.e_tag.clone().unwrap().ends_with("-2\""), "{done:?}");

    let bytes = running.get("big/object.parquet").await;
    assert_eq!(bytes.len(), 6 * MIB + 3);
    assert!(bytes.ends_with(b"xend"));
    let head = running.client.head(&key).await.unwrap();
    assert_eq!(head.e_tag, done.e_tag);
}

#[tokio::test]
async fn upload_in_progress_survives_a_restart() {
    let running = Running::start().await;
    let key = exact("a");
    let id = running.client.create_multipart(&key).await.unwrap();
    let replaced = running
        .client
        .put_part(&key, &id, 0, "old".into())
        .await
        .unwrap();
    let part = running
        .client
        .put_part(&key, &id, 0, "new".into())
        .await
        .unwrap();
    let running = running.restart(|_, _| {}).await;
    let stale = running
        .client
        .complete_multipart(&key, &id, vec![replaced])
        .await;
    assert!(stale.unwrap_err().to_string().contains("InvalidPart"));
    running
        .client
        .complete_multipart(&key, &id, vec![part])
        .await
        .unwrap();
    assert_eq!(running.get("a").await, b"new");
    assert_eq!(
        std::fs::read_dir(running.dir.path().join(".esteira/uploads"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn small_part_before_the_last_is_refused() {
    let running = Running::start().await;
    let key = exact("a");
    let id = running.client.create_multipart(&key).await.unwrap();
    let mut parts = Vec::new();
    for number in 0..2 {
        parts.push(
            running
                .client
                .put_part(&key, &id, number, "tiny".into())
                .await
                .unwrap(),
        );
    }
    let done = running.client.complete_multipart(&key, &id, parts).await;
    assert!(done.unwrap_err().to_string().contains("EntityTooSmall"));
}

#[tokio::test]
async fn aborted_upload_leaves_nothing() {
    let running = Running::start().await;
    let mut upload = running
        .client
        .put_multipart_opts(&exact("a"), PutMultipartOptions::default())
        .await
        .unwrap();
    upload.put_part("1".into()).await.unwrap();
    upload.abort().await.unwrap();
    assert!(running.client.head(&exact("a")).await.is_err());
    assert_eq!(
        std::fs::read_dir(running.dir.path().join(".esteira/uploads"))
            .unwrap()
            .count(),
        0
    );
}
