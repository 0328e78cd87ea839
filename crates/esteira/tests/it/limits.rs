//! Batches whose objects unpack to more than they may, and objects that are too large to be held.

use esteira_testkit::history::Packing;
use esteira_testkit::oracle::InputObject;
use esteira_testkit::rows::canonical_rows;

use crate::account::verify;
use crate::tidying::orders;
use crate::world::World;

/// Orders that unpack to many times their size.
fn packed(name: &str, numbers: std::ops::Range<u64>, second: u64) -> InputObject {
    let plain = orders(name, numbers, second);
    InputObject {
        bytes: Packing::Zstd.pack(&plain.bytes),
        ..plain
    }
}

/// What is under a prefix: how many files.
async fn files(world: &World, prefix: &str) -> usize {
    let contents = world.store.contents().await.unwrap();
    let files = contents.iter().filter(|(key, _)| key.starts_with(prefix));
    files.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batch_that_unpacks_to_too_much_is_cut_off_and_killed_anywhere_cut_off_there_again() {
    let objects: Vec<InputObject> = (0..4)
        .map(|number| packed(&number.to_string(), number * 10..number * 10 + 30, number))
        .collect();
    let mut kills = 0;
    for writes in 0.. {
        // One object unpacked, and not two; packed all of them.
        let mut world = World::new().with_bytes(7_000, 1_000_000);
        world.arrive(&objects).await;
        world.store.die_after(writes);
        let outcome = world.run().await;
        let died = world.store.is_dead();
        if died {
            kills += 1;
            world.store.revive();
            world.run().await.unwrap();
        } else {
            outcome.unwrap();
        }
        world.check().await;
        let session = world.lake().await.session().await.unwrap();
        let objects = session.table("raw_objects").await.unwrap();
        assert_eq!(
            objects.count().await.unwrap(),
            4,
            "each object is in one batch"
        );
        assert!(files(&world, "_esteira/marketing_place/cuts/").await > 0);
        if !died {
            let checked = verify(&world).await.unwrap();
            assert!(checked.holds(), "{checked:#?}");
            break;
        }
    }
    assert!(kills > 20, "only {kills} kills");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn object_that_is_too_large_is_kept_and_refused_and_the_others_go_on() {
    let objects = [
        orders("a", 0..5, 1),
        orders("large", 0..100, 2),
        packed("packed", 0..100, 3),
        orders("z", 10..15, 4),
    ];
    let mut kills = 0;
    for writes in 0.. {
        let mut world = World::new().with_bytes(20_000, 4_000);
        world.arrive(&objects).await;
        world.store.die_after(writes);
        let outcome = world.run().await;
        let died = world.store.is_dead();
        if died {
            kills += 1;
            world.store.revive();
            world.run().await.unwrap();
        } else {
            outcome.unwrap();
        }
        check_refused(&world, &objects).await;
        if !died {
            break;
        }
    }
    assert!(kills > 10, "only {kills} kills");
}

/// One that is too large arrives while those before it are still measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_object_behind_a_cut_is_in_one_batch_only() {
    let mut objects: Vec<InputObject> = (0..4)
        .map(|number| packed(&number.to_string(), number * 10..number * 10 + 30, number))
        .collect();
    objects.push(orders("large", 100..200, 5));
    assert!(objects[4].bytes.len() > 8_000);
    let mut world = World::new().with_bytes(objects[4].bytes.len() as u64 + 2_400, 8_000);
    world.arrive(&objects).await;
    world.run().await.unwrap();
    assert!(files(&world, "_esteira/marketing_place/cuts/").await > 0);
    let lake = world.lake().await;
    let session = lake.session().await.unwrap();
    for table in ["raw_objects", "quarantine"] {
        let count = session.table(table).await.unwrap().count().await.unwrap();
        assert_eq!(count, if table == "quarantine" { 1 } else { 5 }, "{table}");
    }
    let plans = lake.ledger().plans(0).await.unwrap();
    assert_eq!(plans[0].objects.len(), 5, "it was planned with the others");
    let totals = &lake.ledger().last_record().unwrap().totals;
    assert_eq!(
        (totals.objects.discovered, totals.objects.quarantined),
        (5, 1)
    );
    let checked = verify(&world).await.unwrap();
    assert!(checked.holds(), "{checked:#?}");
}

async fn check_refused(world: &World, objects: &[InputObject]) {
    let lake = world.lake().await;
    let session = lake.session().await.unwrap();
    let query = "SELECT _source_file, original IS NULL AS apart, raw_file, message FROM quarantine";
    let frame = session.sql(query).await.unwrap();
    let rows = canonical_rows(&frame.collect().await.unwrap());
    let mut refused: Vec<_> = rows
        .iter()
        .map(|row| (row["_source_file"].as_str().unwrap(), row["apart"] == true))
        .collect();
    refused.sort_unstable();
    assert_eq!(
        refused,
        [("input/large.json", true), ("input/packed.json", false)]
    );
    for row in &rows {
        let message = row["message"].as_str().unwrap();
        assert!(
            message.contains("`limits.decompressed_mebibytes_per_object`"),
            "{message}"
        );
    }
    let contents = world.store.contents().await.unwrap();
    for object in objects {
        let name = object.key.strip_prefix("input/").unwrap();
        let kept: Vec<_> = contents
            .iter()
            .filter(|(key, _)| key.starts_with("raw/") && key.ends_with(&format!("/{name}")))
            .collect();
        assert_eq!(kept.len(), 1, "{name}");
        assert!(kept[0].1 == object.bytes, "{name}");
    }
    let totals = &lake.ledger().last_record().unwrap().totals;
    assert!(totals.objects.add_up() && totals.events.add_up());
    assert_eq!(
        (totals.objects.discovered, totals.objects.quarantined),
        (4, 2)
    );
    assert_eq!((totals.events.applied, totals.events.quarantined), (10, 2));
    let checked = verify(world).await.unwrap();
    assert!(checked.holds(), "{checked:#?}");
}
