//! Which objects are taken: several paths, and objects that are too young or too old.

use std::time::Duration;

use esteira::Silent;
use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::InputObject;
use std::sync::Arc;

use crate::account::verify;
use crate::tidying::orders;
use crate::world::World;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

fn at(key: &str, object: InputObject) -> InputObject {
    InputObject {
        key: key.to_owned(),
        ..object
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_several_paths_are_taken_once_each_under_names_of_their_own() {
    let mut world = World::new().with_input(&["input/a/*.json", "late/**", "late/b/*.json"]);
    world
        .arrive(&[
            at("input/a/x.json", orders("x", 0..3, 1)),
            at("late/b/x.json", orders("x", 3..6, 2)),
            // The same bytes as another object of the same name, in another folder.
            at("late/c/x.json", orders("x", 0..3, 1)),
        ])
        .await;
    let all = world.run().await.unwrap();
    assert_eq!(all.objects, 3);
    assert_eq!(world.run().await.unwrap().objects, 0);
    world.check().await;
    let kept = world.keys("raw/").await;
    for name in ["input/a/x.json", "late/b/x.json", "late/c/x.json"] {
        assert_eq!(
            kept.iter().filter(|key| key.ends_with(name)).count(),
            1,
            "{kept:?}"
        );
    }
    // What was taken stays what it is when the paths change.
    world = world.with_input(&["late/**"]);
    world
        .arrive(&[at("late/d.json", orders("d", 6..8, 3))])
        .await;
    assert_eq!(world.run().await.unwrap().objects, 1);
    world.check().await;
    let checked = verify(&world).await.unwrap();
    assert!(checked.holds(), "{checked:#?}");
    let made = esteira::replay(&world.lake().await, "rebuilt", None, Arc::new(Silent)).await;
    assert_eq!(made.unwrap().objects, 4);
}

/// An interrupted batch goes by the names of its plan, whatever the paths are by the time it is finished.
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_batch_finds_its_originals_when_the_paths_have_changed() {
    let mut recalled = 0;
    for writes in 0.. {
        let mut world = World::new().with_input(&["input/**"]);
        world
            .arrive(&[orders("a", 0..5, 1), orders("b", 5..9, 1)])
            .await;
        world.store.die_after(writes);
        let outcome = world.run().await;
        let died = world.store.is_dead();
        world.store.revive();
        assert_eq!(died, outcome.is_err());
        if world.keys("raw/").await.len() == world.arrived.len() {
            for object in &world.arrived {
                world.bucket().delete(&object.key).await.unwrap();
            }
            recalled += 1;
        }
        world = world.with_input(&["input/**", "other/*.json"]);
        world.run().await.unwrap();
        world.check().await;
        assert!(verify(&world).await.unwrap().holds());
        if !died {
            break;
        }
    }
    assert!(recalled > 5, "only {recalled} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_paths_are_listed_no_more_often_than_needed() {
    let mut world = World::new().with_input(&["input/a/*", "input/**", "input/b/*"]);
    world.arrive(&[orders("x", 0..3, 1)]).await;
    world.run().await.unwrap();
    assert_eq!(world.store.input_listings(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn young_object_is_left_until_it_is_old_enough() {
    let mut world = World::new();
    world.change(|pipeline| pipeline.source.min_age = Duration::from_mins(1));
    let (old, young) = (orders("old", 0..3, 1), orders("young", 3..6, 2));
    let written = old.modified_micros.max(young.modified_micros);
    world.arrive(&[old, young.clone()]).await;
    // Written in place, and again: its age begins anew.
    world
        .store
        .upload(
            "input/young.json",
            young.bytes.clone(),
            written + 90 * SECOND,
        )
        .await
        .unwrap();
    world.arrived[1].modified_micros = written + 90 * SECOND;

    world.at(written + 100 * SECOND);
    let status = world.status().await;
    assert_eq!((status.waiting_objects, status.too_young_objects), (1, 1));
    let first = world.run().await.unwrap();
    assert_eq!((first.objects, first.too_young), (1, 1));
    let again = world.run().await.unwrap();
    assert_eq!((again.objects, again.too_young), (0, 1));
    world.at(written + 150 * SECOND);
    let last = world.run().await.unwrap();
    assert_eq!((last.objects, last.too_young), (1, 0));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_object_is_not_taken_and_told_of() {
    let mut world = World::new();
    world.change(|pipeline| pipeline.source.max_age = Some(Duration::from_hours(2)));
    let object = orders("a", 0..3, 1);
    let written = object.modified_micros;
    world.arrive(&[object]).await;
    world.at(written + 2 * HOUR + 1);
    let left = world.run().await.unwrap();
    assert_eq!((left.objects, left.too_old), (0, 1));
    let status = world.status().await;
    assert_eq!((status.waiting_objects, status.too_old_objects), (0, 1));
    assert_eq!(status.oldest_waiting_ms, 0);
    world.at(written + 2 * HOUR);
    let taken = world.run().await.unwrap();
    assert_eq!((taken.objects, taken.too_old), (1, 0));
    world.check().await;
    // What was taken does not count as left out when it gets old.
    world.at(written + 20 * HOUR);
    assert_eq!(world.run().await.unwrap().too_old, 0);
    assert_eq!(world.status().await.too_old_objects, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn path_that_holds_what_is_written_is_refused() {
    for (paths, wrong) in [
        (
            &["input/**", "raw/marketing_place/**"][..],
            "the input is in `raw/marketing_place`, where the originals are written: nothing of it is taken",
        ),
        (&["input/[a"], "path `input/[a`: a `[` is not closed"),
    ] {
        let error = World::new().with_input(paths).run().await.unwrap_err();
        assert_eq!(error.to_string(), wrong);
    }
}

/// With paths that share a folder, a history leads to what it leads to with one path.
#[tokio::test(flavor = "multi_thread")]
async fn history_over_several_paths_leads_to_the_same_tables() {
    let mut world = World::new()
        .with_input(&["input/*[02468].json*", "input/*[13579].json*", "input/**"])
        .with_batches_of(3);
    world.play(&History::random(5, &Shape::default()), 5).await;
    world.check().await;
}
