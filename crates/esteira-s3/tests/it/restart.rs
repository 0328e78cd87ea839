//! What a restart keeps, finds and clears away.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
};

use futures::TryStreamExt as _;
use object_store::{
    Attribute, Attributes, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutOptions,
};

use crate::support::{BUCKET, Running, exact};

async fn listed(running: &Running) -> Vec<ObjectMeta> {
    running.client.list(None).try_collect().await.unwrap()
}

fn journal(private: &std::path::Path) -> std::path::PathBuf {
    private.join(format!("buckets/{BUCKET}.jsonl"))
}

#[tokio::test]
async fn restart_keeps_bytes_etags_times_and_attributes() {
    let running = Running::start().await;
    let options = PutOptions {
        attributes: Attributes::from_iter([(Attribute::ContentType, "application/json")]),
        ..PutOptions::default()
    };
    running
        .client
        .put_opts(&exact("typed"), "{}".into(), options)
        .await
        .unwrap();
    for number in 0..50 {
        running
            .put(&format!("a/{number}"), format!("{number}"))
            .await;
        running
            .put(&format!("a/{number}"), format!("again {number}"))
            .await;
    }
    running.client.delete(&exact("a/7")).await.unwrap();
    let before = listed(&running).await;

    let running = running.restart(|_, _| {}).await.restart(|_, _| {}).await;
    assert_eq!(listed(&running).await, before);
    assert_eq!(running.get("a/8").await, b"again 8");
    let typed = running.client.get(&exact("typed")).await.unwrap();
    assert_eq!(
        typed
            .attributes
            .get(&Attribute::ContentType)
            .map(AsRef::as_ref),
        Some("application/json")
    );
}

#[tokio::test]
async fn multipart_etag_survives_a_restart() {
    let running = Running::start().await;
    let mut upload = running.client.put_multipart(&exact("m")).await.unwrap();
    object_store::MultipartUpload::put_part(&mut *upload, "part".into())
        .await
        .unwrap();
    object_store::MultipartUpload::complete(&mut *upload)
        .await
        .unwrap();
    let before = listed(&running).await;
    assert!(before[0].e_tag.clone().unwrap().ends_with("-1\""));
    let running = running.restart(|_, _| {}).await;
    assert_eq!(listed(&running).await, before);
}

#[tokio::test]
async fn restart_without_journal_finds_everything_in_the_files() {
    let running = Running::start().await;
    for key in ["a", "a/b", "x%2Fy", "c//d"] {
        // The client refuses empty segments, the folder does not.
        if !key.contains("//") {
            running.put(key, key.to_owned()).await;
        }
    }
    let before = listed(&running).await;
    let running = running
        .restart(|_, private| fs::remove_file(journal(private)).unwrap())
        .await;
    assert_eq!(listed(&running).await, before);
}

#[tokio::test]
async fn file_dropped_in_by_hand_is_an_object_after_a_restart() {
    let running = Running::start().await;
    running.put("input/a.json", "1").await;
    let running = running
        .restart(|bucket, _| {
            fs::write(bucket.join("input/b c.json"), "hello world").unwrap();
            fs::create_dir(bucket.join("50% off")).unwrap();
            fs::write(bucket.join("50% off/100%.json"), "literal").unwrap();
            fs::create_dir(bucket.parent().unwrap().join("dropped-bucket")).unwrap();
        })
        .await;
    let head = running.client.head(&exact("input/b c.json")).await.unwrap();
    assert_eq!(
        head.e_tag.as_deref(),
        Some("\"5eb63bbbe01eeed093cb22bb8f5acdc3\"")
    );
    assert_eq!(running.get("50% off/100%.json").await, b"literal");
    assert_eq!(listed(&running).await.len(), 3);
}

#[tokio::test]
async fn file_changed_or_removed_by_hand_is_seen_after_a_restart() {
    let running = Running::start().await;
    running.put("changed", "before").await;
    running.put("removed", "before").await;
    let running = running
        .restart(|bucket, _| {
            fs::write(bucket.join("changed"), "hello world").unwrap();
            fs::remove_file(bucket.join("removed")).unwrap();
        })
        .await;
    let left = listed(&running).await;
    assert_eq!(left.len(), 1);
    assert_eq!(
        left[0].e_tag.as_deref(),
        Some("\"5eb63bbbe01eeed093cb22bb8f5acdc3\"")
    );
}

#[tokio::test]
async fn torn_journal_line_costs_nothing() {
    let running = Running::start().await;
    running.put("a", "1").await;
    running.put("b", "2").await;
    let before = listed(&running).await;
    let running = running
        .restart(|_, private| {
            let mut file = OpenOptions::new()
                .append(true)
                .open(journal(private))
                .unwrap();
            file.write_all(br#"{"put":{"key":"c","object":{"si"#)
                .unwrap();
        })
        .await;
    assert_eq!(listed(&running).await, before);
    running.put("d", "4").await;
    let running = running.restart(|_, _| {}).await;
    assert_eq!(listed(&running).await.len(), 3);
}

#[tokio::test]
async fn journal_is_compacted_at_the_start() {
    let lines = |private: &std::path::Path| {
        fs::read_to_string(journal(private))
            .unwrap()
            .lines()
            .count()
    };
    let running = Running::start().await;
    for round in 0..40 {
        running.put("a", format!("{round}")).await;
    }
    let mut counts = Vec::new();
    let running = running
        .restart(|_, private| counts.push(lines(private)))
        .await;
    running
        .restart(|_, private| counts.push(lines(private)))
        .await;
    assert_eq!(counts, [41, 2]);
}

#[tokio::test]
async fn draft_left_by_a_crash_is_cleared_away() {
    let running = Running::start().await;
    let running = running
        .restart(|_, private| fs::write(private.join("drafts/17"), "half").unwrap())
        .await;
    assert_eq!(
        fs::read_dir(running.dir.path().join(".esteira/drafts"))
            .unwrap()
            .count(),
        0
    );
    assert!(listed(&running).await.is_empty());
}
