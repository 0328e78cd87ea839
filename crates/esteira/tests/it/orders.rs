//! Any order of arrival, any split into batches, any repetition gives the same tables.

use esteira_lake::tidy::Effort;
use esteira_testkit::history::{History, Shape};
use esteira_testkit::random::Random;
use proptest::prelude::*;

use crate::world::World;

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn tables_equal_the_oracle_for_any_order_and_split(seed in any::<u64>(), batch in 1usize..8) {
        runtime().block_on(async {
            let history = History::random(seed, &Shape::default());
            let mut world = World::new().with_batches_of(batch);
            for arrival in history.arrivals(seed ^ 1) {
                world.arrive(&arrival).await;
                world.run().await.unwrap();
            }
            world.check().await;
        });
    }

    #[test]
    fn tables_equal_the_oracle_with_tidying_in_between(
        seed in any::<u64>(),
        batch in 1usize..8,
        copy_on_write in any::<bool>(),
    ) {
        runtime().block_on(async {
            let history = History::random(seed, &Shape::default());
            let mut world = World::new()
                .with_batches_of(batch)
                .with_copy_on_write(copy_on_write)
                .restless();
            let mut chance = Random::new(seed ^ 2);
            for arrival in history.arrivals(seed ^ 1) {
                world.arrive(&arrival).await;
                world.run().await.unwrap();
                match chance.below(6) {
                    0 => world.optimize(Effort::Full).await,
                    1 => world.optimize(Effort::Purge).await,
                    2 => drop(world.vacuum().await),
                    _ => {}
                }
            }
            world.check().await;
            world.optimize(Effort::Purge).await;
            world.check().await;
            world.vacuum().await;
            world.check().await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn run_again_changes_no_table() {
    let history = History::random(7, &Shape::default());
    let mut world = World::new();
    for arrival in history.arrivals(7) {
        world.arrive(&arrival).await;
        world.run().await.unwrap();
    }
    let versions = world.versions().await;
    let summary = world.run().await.unwrap();
    assert_eq!(summary.batches, 0);
    assert_eq!(world.versions().await, versions);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_without_objects_makes_empty_tables() {
    let world = World::new();
    let summary = world.run().await.unwrap();
    assert_eq!(summary.batches, 0);
    let session = world.lake().await.session().await.unwrap();
    for table in ["orders", "products", "sellers", "shipments", "quarantine"] {
        let rows = session.table(table).await.unwrap().count().await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn same_content_again_is_no_new_object() {
    let history = History::random(3, &Shape::default());
    let mut world = World::new();
    for arrival in history.arrivals(3) {
        world.arrive(&arrival).await;
        world.run().await.unwrap();
    }
    let versions = world.versions().await;
    let newest = world.arrived.last().unwrap().clone();
    let later = newest.modified_micros + 1_000_000;
    world
        .store
        .upload(&newest.key, newest.bytes, later)
        .await
        .unwrap();
    assert_eq!(world.run().await.unwrap().batches, 0);
    assert_eq!(world.versions().await, versions);
    world.check().await;
}
