//! Keys that no file system would take as they are.

use futures::TryStreamExt as _;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

use crate::support::{Running, exact};

#[tokio::test]
async fn odd_keys_are_kept_and_listed_as_they_are() {
    let running = Running::start().await;
    let long = "n".repeat(1_000);
    let mut keys = vec![
        "with space.json",
        "literal%2Fslash",
        "100%.json",
        "ação/coração.json",
        "entrega-🚚.json",
        "a+b=c&d?e#f",
        "quote'\"<>&.json",
        "back\\slash",
        ".esteira/journal",
        "a%object",
        "%-",
        &long,
    ];
    for key in &keys {
        running.put(key, (*key).to_owned()).await;
    }
    let running = running.restart(|_, _| {}).await;
    keys.sort_unstable();
    let listed: Vec<_> = running.client.list(None).try_collect().await.unwrap();
    let listed: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    assert_eq!(listed, keys);
    for key in keys {
        assert_eq!(running.get(key).await, key.as_bytes());
    }
}

#[tokio::test]
async fn key_lives_beside_keys_below_it() {
    for order in [
        ["a", "a/b", "a/b/c"],
        ["a/b/c", "a/b", "a"],
        ["a/b", "a/b/c", "a"],
    ] {
        let running = Running::start().await;
        for key in order {
            running.put(key, key.to_owned()).await;
        }
        for _ in 0..2 {
            for key in order {
                running.put(key, key.to_owned()).await;
                assert_eq!(running.get(key).await, key.as_bytes());
            }
        }
        let running = running.restart(|_, _| {}).await;
        for key in order {
            assert_eq!(running.get(key).await, key.as_bytes(), "{order:?}");
        }
        for key in order {
            running.client.delete(&exact(key)).await.unwrap();
        }
        let left: Vec<_> = running.client.list(None).try_collect().await.unwrap();
        assert!(left.is_empty());
        assert_eq!(std::fs::read_dir(running.file("")).unwrap().count(), 0);
    }
}
