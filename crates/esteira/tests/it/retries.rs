//! The quarantine retried: afterwards everything is as if the rules had been right from the start.

use std::sync::Arc;

use esteira::{Error, Pipeline, RetrySummary, Silent};
use esteira_events::EventSchema;
use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::{InputObject, expected};
use futures::FutureExt as _;

use crate::world::World;

/// Rules that refuse what the real ones take: orders without a customer, and objects of more than a few
/// hundred bytes.
pub(crate) fn too_strict(pipeline: &mut Pipeline) {
    let ddl = include_str!("../../../../pipelines/marketing_place/schema.sql");
    let customer = "cod_idef_clie          STRING";
    let strict = ddl.replacen(customer, &format!("{customer} NOT NULL"), 1);
    assert_ne!(strict, ddl);
    pipeline.schema = Arc::new(EventSchema::parse(&strict, "schema.sql").unwrap());
    pipeline.limits.decompressed_bytes_per_object = 2_000;
}

pub(crate) async fn retry(world: &World, ids: &[String]) -> Result<RetrySummary, Error> {
    esteira::retry(&world.lake().await, ids, Arc::new(Silent)).await
}

pub(crate) async fn verify(world: &World) {
    let scratch = tempfile::tempdir().unwrap();
    let lake = world.lake().await;
    let checked = esteira::verify(&lake, scratch.path(), Arc::new(Silent)).await;
    let checked = checked.unwrap();
    assert!(checked.holds(), "{checked:#?}");
}

pub(crate) async fn ids(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    let lake = world.lake().await;
    esteira::quarantine(&lake, |entry| ids.push(entry.id))
        .await
        .unwrap();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_with_better_rules_gives_what_a_clean_run_gives_and_once_more_changes_nothing() {
    for (seed, copy_on_write) in [(31, false), (32, true), (33, false)] {
        let mut world = World::new()
            .with_batches_of(6)
            .restless()
            .with_copy_on_write(copy_on_write);
        world.change(too_strict);
        world
            .play(&History::random(seed, &Shape::default()), seed)
            .await;
        world.change(|_| {});
        let before = ids(&world).await.len();
        let clean = expected(&world.arrived).quarantine.len();
        assert!(before > clean, "{before} and {clean}");
        let is_unread = |object: &InputObject| object.bytes.len() > 2_000;
        assert!(world.arrived.iter().any(is_unread));

        let done = retry(&world, &[]).await.unwrap();
        assert_eq!(done.entries, before as u64);
        assert!(done.events > 0 && done.batches > 0, "{done:?}");
        world.check().await;
        verify(&world).await;

        let versions = world.versions().await;
        let last = world.lake().await.ledger().last_recorded();
        let again = retry(&world, &[]).await.unwrap();
        assert_eq!(again.entries, clean as u64);
        assert_eq!((again.retried, again.batches, again.events), (0, 0, 0));
        assert_eq!(world.versions().await, versions);
        assert_eq!(world.lake().await.ledger().last_recorded(), last);
    }
}

/// The object of one entry at a time, with everything that arrives in between.
#[tokio::test(flavor = "multi_thread")]
async fn objects_retried_one_by_one_between_batches_come_out_right() {
    let mut world = World::new().with_batches_of(4);
    let history = History::random(41, &Shape::default());
    for arrival in history.arrivals(41) {
        world.arrive(&arrival).await;
        world.change(too_strict);
        world.run().await.unwrap();
        world.change(|_| {});
        if let Some(id) = ids(&world).await.first() {
            let done = retry(&world, std::slice::from_ref(id)).await.unwrap();
            assert!(done.entries > 0);
        }
    }
    retry(&world, &[]).await.unwrap();
    world.check().await;
    verify(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_that_is_not_there_is_named() {
    let mut world = World::new();
    world.play(&History::random(5, &Shape::default()), 5).await;
    let unknown = ["ffffffffffff0".to_owned()];
    let error = retry(&world, &unknown).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no entry of the quarantine has the id `ffffffffffff0`"
    );
    assert_eq!(
        error.hint().unwrap(),
        "`esteira quarantine list` shows them"
    );
}

/// Killed after each write, the next run finishes the retry that was planned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_after_every_write_of_a_retry_replays_cleanly() {
    let history = History::random(
        13,
        &Shape {
            orders: 4,
            entries: 8,
            bad_percent: 20,
            ..Shape::default()
        },
    );
    let mut kills = 0;
    for writes in 0.. {
        let mut world = World::new().with_batches_of(3).restless();
        world.change(too_strict);
        world.play(&history, 13).await;
        world.change(|_| {});
        world.store.die_after(writes);
        let outcome = retry(&world, &[]).await;
        let died = world.store.is_dead();
        world.store.revive();
        if died {
            kills += 1;
            world.run().await.unwrap();
            retry(&world, &[]).await.unwrap();
        } else {
            assert!(outcome.unwrap().events > 0);
        }
        world.check().await;
        if !died {
            verify(&world).await;
            break;
        }
    }
    assert!(kills > 8, "only {kills} kills");
}

/// A run that is about to plan a batch finds the retry in its place, finishes it and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn run_that_meets_a_retry_lets_it_go_first() {
    let mut world = World::new();
    let history = History::random(17, &Shape::default());
    let mut arrivals = history.arrivals(17).into_iter();
    world.change(too_strict);
    world.arrive(&arrivals.next().unwrap()).await;
    world.arrive(&arrivals.next().unwrap()).await;
    world.run().await.unwrap();
    world.change(|_| {});
    for arrival in arrivals {
        world.arrive(&arrival).await;
    }
    let lake = world.lake().await;
    world.store.before_write_to("plans/", move || {
        let retry = async move { esteira::retry(&lake, &[], Arc::new(Silent)).await };
        Box::pin(retry.map(|done| assert!(done.unwrap().events > 0)))
    });
    let error = world.run().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "batch 2 of process `marketing_place` is a retry of the quarantine"
    );
    assert!(error.is_transient());
    assert_eq!(
        error.hint().unwrap(),
        "it is finished first, then this goes on"
    );
    world.run().await.unwrap();
    assert!(world.store.is_calm());
    world.check().await;
    verify(&world).await;
}
