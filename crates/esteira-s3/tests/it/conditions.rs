//! Conditional requests, alone and in crowds. Races with the narrowest windows are run on the bucket itself, in
//! its own tests; here the same rules are seen to hold through the protocol.

use std::sync::Arc;

use futures::future::join_all;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, ObjectStore as _, ObjectStoreExt as _, PutMode,
    PutOptions, UpdateVersion,
};

use crate::support::{Running, exact};

fn create() -> PutOptions {
    PutOptions::from(PutMode::Create)
}

fn update(etag: &str) -> PutOptions {
    PutOptions::from(PutMode::Update(UpdateVersion {
        e_tag: Some(etag.to_owned()),
        version: None,
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creators_exactly_one_wins() {
    let running = Arc::new(Running::start().await);
    for round in 0..10 {
        let key = exact(&format!("plans/{round}"));
        let attempts = (0..32).map(|number| {
            let (running, key) = (Arc::clone(&running), key.clone());
            tokio::spawn(async move {
                let put = running
                    .client
                    .put_opts(&key, format!("{number}").into(), create())
                    .await;
                (number, put)
            })
        });
        let mut winners = Vec::new();
        for attempt in join_all(attempts).await {
            match attempt.unwrap() {
                (number, Ok(_)) => winners.push(number),
                (_, Err(error)) => assert!(matches!(error, Error::AlreadyExists { .. }), "{error}"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(
            running.get(key.as_ref()).await,
            winners[0].to_string().into_bytes()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_updaters_each_round_exactly_one_wins() {
    let running = Arc::new(Running::start().await);
    let mut etag = running.put("counter", "0").await;
    for round in 1..=10 {
        let attempts = (0..32).map(|number| {
            let (running, etag) = (Arc::clone(&running), etag.clone());
            tokio::spawn(async move {
                let text = format!("{round}-{number}");
                running
                    .client
                    .put_opts(&exact("counter"), text.into(), update(&etag))
                    .await
            })
        });
        let mut winners = Vec::new();
        for attempt in join_all(attempts).await {
            match attempt.unwrap() {
                Ok(put) => winners.push(put.e_tag.unwrap()),
                Err(error) => assert!(matches!(error, Error::Precondition { .. }), "{error}"),
            }
        }
        assert_eq!(winners.len(), 1);
        etag = winners.remove(0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reader_never_sees_an_etag_with_other_bytes() {
    let running = Arc::new(Running::start().await);
    let bodies = ["a".repeat(2_000), "b".repeat(2_000)];
    let mut etags = Vec::new();
    for body in &bodies {
        etags.push(running.put("hot", body.clone()).await);
    }
    let writer = {
        let (running, bodies) = (Arc::clone(&running), bodies.clone());
        tokio::spawn(async move {
            for round in 0..300 {
                running.put("hot", bodies[round % 2].clone()).await;
            }
        })
    };
    let mut reads = 0;
    while !writer.is_finished() || reads < 50 {
        let got = running.client.get(&exact("hot")).await.unwrap();
        let etag = got.meta.e_tag.clone().unwrap();
        let text = String::from_utf8(got.bytes().await.unwrap().to_vec()).unwrap();
        assert_eq!(
            etags.iter().position(|known| *known == etag),
            bodies.iter().position(|known| *known == text)
        );
        reads += 1;
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn update_of_what_is_not_there_fails() {
    let running = Running::start().await;
    let put = running
        .client
        .put_opts(&exact("a"), "1".into(), update("\"x\""))
        .await;
    assert!(matches!(put, Err(Error::Precondition { .. })));
}

#[tokio::test]
async fn copy_onto_what_is_there_fails_when_told_so() {
    let running = Running::start().await;
    running.put("a", "1").await;
    let create = || CopyOptions::new().with_mode(CopyMode::Create);
    running
        .client
        .copy_opts(&exact("a"), &exact("b"), create())
        .await
        .unwrap();
    let again = running
        .client
        .copy_opts(&exact("a"), &exact("b"), create())
        .await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })));
}

#[tokio::test]
async fn conditional_get_is_refused_or_spared() {
    let running = Running::start().await;
    let etag = running.put("a", "1").await;
    let key = exact("a");
    let get = |options| running.client.get_opts(&key, options);
    let options = GetOptions {
        if_none_match: Some(etag.clone()),
        ..GetOptions::default()
    };
    assert!(matches!(get(options).await, Err(Error::NotModified { .. })));
    let options = GetOptions {
        if_match: Some("\"other\"".to_owned()),
        ..GetOptions::default()
    };
    assert!(matches!(
        get(options).await,
        Err(Error::Precondition { .. })
    ));
    let options = GetOptions {
        if_match: Some(etag),
        ..GetOptions::default()
    };
    assert_eq!(get(options).await.unwrap().bytes().await.unwrap(), "1");

    let modified = running
        .client
        .head(&exact("a"))
        .await
        .unwrap()
        .last_modified;
    let options = GetOptions {
        if_modified_since: Some(modified),
        ..GetOptions::default()
    };
    assert!(matches!(get(options).await, Err(Error::NotModified { .. })));
    let options = GetOptions {
        if_unmodified_since: Some(modified),
        ..GetOptions::default()
    };
    assert_eq!(get(options).await.unwrap().bytes().await.unwrap(), "1");
}
