//! Listings as a client pages through them.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{ObjectStore as _, ObjectStoreExt as _};

use crate::support::{BUCKET, Running, exact};

#[tokio::test]
async fn list_over_several_pages_holds_every_key_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(BUCKET)).unwrap();
    let running = Running::start_in(dir).await;
    let keys: Vec<String> = (0..2_500)
        .map(|number| format!("input/{number:05}.json"))
        .collect();
    stream::iter(&keys)
        .map(|key| running.put(key, "{}"))
        .buffer_unordered(32)
        .collect::<Vec<_>>()
        .await;
    running.put("other/x.json", "{}").await;

    let listed: Vec<_> = running
        .client
        .list(Some(&exact("input")))
        .try_collect()
        .await
        .unwrap();
    let listed: Vec<String> = listed
        .into_iter()
        .map(|meta| meta.location.to_string())
        .collect();
    assert_eq!(listed, keys);

    let behind: Vec<_> = running
        .client
        .list_with_offset(Some(&exact("input")), &exact("input/01200.json"))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(behind.len(), 1_299);
    assert_eq!(behind[0].location, exact("input/01201.json"));
}

#[tokio::test]
async fn delimiter_shows_one_level() {
    let running = Running::start().await;
    for key in ["top", "a/1", "a/2", "a/b/3", "a-b/4", "c/d/5"] {
        running.put(key, "x").await;
    }
    let top = running.client.list_with_delimiter(None).await.unwrap();
    // Sorted by the client, without the delimiters.
    assert_eq!(top.common_prefixes, [exact("a"), exact("a-b"), exact("c")]);
    assert_eq!(top.objects.len(), 1);

    let below = running
        .client
        .list_with_delimiter(Some(&exact("a")))
        .await
        .unwrap();
    assert_eq!(below.common_prefixes, [exact("a/b")]);
    let objects: Vec<_> = below
        .objects
        .into_iter()
        .map(|meta| meta.location)
        .collect();
    assert_eq!(objects, [exact("a/1"), exact("a/2")]);
}

#[tokio::test]
async fn list_and_head_agree_on_etag_and_time() {
    let running = Running::start().await;
    running.put("a", "1").await;
    let listed: Vec<_> = running.client.list(None).try_collect().await.unwrap();
    let head = running.client.head(&exact("a")).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].e_tag, listed[0].size), (&head.e_tag, head.size));
    // A head tells whole seconds, a list milliseconds.
    assert_eq!(
        listed[0].last_modified.timestamp(),
        head.last_modified.timestamp()
    );
}

#[tokio::test]
async fn deleting_many_at_once_leaves_the_rest() {
    let running = Running::start().await;
    for number in 0..20 {
        running.put(&format!("a/{number}"), "x").await;
    }
    let doomed = stream::iter((0..15).map(|number| Ok(exact(&format!("a/{number}"))))).boxed();
    let deleted: Vec<_> = running
        .client
        .delete_stream(doomed)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(deleted.len(), 15);
    let left: Vec<_> = running.client.list(None).try_collect().await.unwrap();
    assert_eq!(left.len(), 5);
}
