//! Objects that were taken leave the input: none before it is safe, none that was not taken, and all in the
//! end, wherever a run was killed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use esteira::{After, Cleaned, Observer, Pipeline, Silent, Submit};
use esteira_lake::bucket::{Bucket, Environment};
use esteira_testkit::history::{History, Shape};
use futures::FutureExt as _;
use tokio::runtime::Handle;

use crate::account::verify;
use crate::crashes::killed_everywhere;
use crate::tidying::orders;
use crate::world::World;

fn deleting(pipeline: &mut Pipeline) {
    pipeline.source.after = After::Delete;
}

fn archiving(pipeline: &mut Pipeline) {
    pipeline.source.after = After::Archive {
        folder: "archive/shop".to_owned(),
    };
}

fn world(after: fn(&mut Pipeline)) -> World {
    let mut world = World::new().with_batches_of(2);
    world.change(after);
    world
}

/// The tables hold everything, and the input nothing.
async fn is_clean(world: &World) {
    world.check().await;
    assert_eq!(world.keys("input/").await, [""; 0]);
}

async fn archive_holds_everything(world: &World) {
    let mut kept: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for (key, bytes) in world.store.contents().await.unwrap() {
        if key.starts_with("archive/shop/") {
            *kept.entry(bytes).or_default() += 1;
        }
    }
    for object in &world.arrived {
        *kept.entry(object.bytes.clone()).or_default() -= 1;
    }
    kept.retain(|_, count| *count != 0);
    assert_eq!(kept.len(), 0, "every object is in the archive once");
}

fn arrivals() -> Vec<Vec<esteira_testkit::oracle::InputObject>> {
    let shape = Shape {
        orders: 5,
        entries: 14,
        ..Shape::default()
    };
    History::random(17, &shape).arrivals(17)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_run_killed_after_every_write_ends_with_a_clean_input() {
    let kills = killed_everywhere(|| world(deleting), &arrivals(), is_clean).await;
    assert!(kills > 25, "only {kills} kills");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archiving_run_killed_after_every_write_archives_everything_once() {
    let check = async |world: &World| {
        is_clean(world).await;
        archive_holds_everything(world).await;
    };
    let kills = killed_everywhere(|| world(archiving), &arrivals(), check).await;
    assert!(kills > 25, "only {kills} kills");
}

/// Whenever an object goes, its batch is recorded and its original is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn object_is_there_until_its_batch_is_recorded() {
    let mut world = world(deleting);
    world
        .arrive(&[orders("a", 0..3, 1), orders("b", 3..6, 2)])
        .await;
    let store = Arc::clone(&world.store);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    world.store.before_write_to("records/", move || {
        async move {
            let contents = store.contents().await.unwrap();
            let keys = contents.into_iter().map(|(key, _)| key);
            let inputs: Vec<String> = keys.filter(|key| key.starts_with("input/")).collect();
            *note.lock().unwrap() = inputs;
        }
        .boxed()
    });
    let summary = world.run().await.unwrap();
    assert_eq!(summary.cleaned.deleted, 2);
    assert_eq!(*seen.lock().unwrap(), ["input/a.json", "input/b.json"]);
    is_clean(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_reads_originals_works_without_the_input() {
    let mut world = world(deleting);
    world
        .play(&History::random(23, &Shape::default()), 23)
        .await;
    is_clean(&world).await;
    let checked = verify(&world).await.unwrap();
    assert!(checked.holds(), "{checked:#?}");
    let lake = world.lake().await;
    let made = esteira::replay(&lake, "rebuilt", None, Arc::new(Silent))
        .await
        .unwrap();
    assert_eq!(made.objects, world.arrived.len() as u64);
    esteira::retry(&lake, &[], Arc::new(Silent)).await.unwrap();
    let status = world.status().await;
    assert_eq!((status.waiting_objects, status.uncleaned_objects), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_that_is_written_again_is_new_with_another_content_and_none_with_the_same() {
    for after in [deleting, archiving] {
        let mut world = world(after);
        let (first, second) = (orders("a", 0..3, 1), orders("a", 0..4, 2));
        world.arrive(std::slice::from_ref(&first)).await;
        assert_eq!(world.run().await.unwrap().objects, 1);
        is_clean(&world).await;
        // The same bytes, written again: known, and taken away again.
        world
            .store
            .upload(&first.key, first.bytes, first.modified_micros + 5)
            .await
            .unwrap();
        let again = world.run().await.unwrap();
        assert_eq!(again.objects, 0);
        assert_eq!(again.cleaned.deleted + again.cleaned.archived, 1);
        is_clean(&world).await;
        world.arrive(&[second]).await;
        assert_eq!(world.run().await.unwrap().objects, 1);
        is_clean(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn object_that_is_replaced_before_it_is_cleaned_stays_and_is_taken() {
    let mut world = world(archiving);
    world.arrive(&[orders("a", 0..3, 1)]).await;
    let replaced = orders("a", 0..5, 3);
    let (store, again) = (Arc::clone(&world.store), replaced.clone());
    world.store.before_write_to("archive/", move || {
        async move {
            let written = again.modified_micros;
            store
                .upload(&again.key, again.bytes, written)
                .await
                .unwrap();
        }
        .boxed()
    });
    let summary = world.run().await.unwrap();
    assert!(world.store.is_calm());
    assert_eq!(summary.cleaned.left_alone, 1);
    assert_eq!(world.keys("input/").await, ["input/a.json"]);
    world.arrived.push(replaced);
    assert_eq!(world.run().await.unwrap().objects, 1);
    is_clean(&world).await;
    archive_holds_everything(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn object_whose_original_is_gone_stays() {
    let mut world = world(deleting);
    world.arrive(&[orders("a", 0..3, 1)]).await;
    let store = Arc::clone(&world.store);
    world.store.before_write_to("records/", move || {
        async move {
            use object_store::ObjectStoreExt as _;
            let contents = store.contents().await.unwrap();
            let kept = contents.iter().find(|(key, _)| key.starts_with("raw/"));
            let kept = object_store::path::Path::parse(&kept.unwrap().0).unwrap();
            store.delete(&kept).await.unwrap();
        }
        .boxed()
    });
    for _ in 0..2 {
        assert_eq!(world.run().await.unwrap().cleaned, Cleaned::default());
        assert_eq!(world.keys("input/").await, ["input/a.json"]);
    }
    assert_eq!(world.status().await.uncleaned_objects, 1);
}

/// What was taken before anybody wanted it gone, over many batches.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_were_taken_long_ago_go_when_the_rule_comes() {
    let mut world = World::new().with_batches_of(2);
    world
        .play(&History::random(29, &Shape::default()), 29)
        .await;
    let there = world.keys("input/").await.len() as u64;
    assert!(there > 10);
    world.change(deleting);
    assert_eq!(world.status().await.uncleaned_objects, there);
    // A content that was replaced before is no more; what stands under its key goes.
    let summary = world.run().await.unwrap();
    assert_eq!((summary.batches, summary.cleaned.deleted), (0, there));
    is_clean(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runners_lose_nothing_when_one_finishes_the_batch_of_the_other() {
    for part in ["raw/", "_delta_log/", "records/"] {
        let mut world = world(deleting);
        world
            .arrive(&[
                orders("a", 0..3, 1),
                orders("b", 3..6, 2),
                orders("c", 6..9, 3),
            ])
            .await;
        let other = world.submit().once(true);
        world.store.before_write_to(part, move || {
            let runtime = Handle::current();
            let ended = tokio::task::spawn_blocking(move || runtime.block_on(other.run()));
            async move { assert!(ended.await.unwrap().is_ok()) }.boxed()
        });
        // The slower one may find that the other planned the next batch.
        if let Err(error) = world.run().await {
            assert!(
                error.to_string().starts_with("another runner works on"),
                "{error}"
            );
        }
        assert!(world.store.is_calm());
        world.run().await.unwrap();
        is_clean(&world).await;
    }
}

/// Counts what it is told.
#[derive(Default)]
struct Told(Mutex<Cleaned>);

impl Observer for Told {
    fn cleaned(&self, cleaned: Cleaned) {
        let mut sum = self.0.lock().unwrap();
        *sum = sum.plus(cleaned);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_folder_is_cleaned_and_an_input_that_cannot_be_changed_is_left() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let location = format!("file://{}", folder.path().display());
    let input = folder.path().join("input");
    std::fs::create_dir(&input).unwrap();
    let bucket = Bucket::open(&location, &Environment::default()).unwrap();
    let run = |after: fn(&mut Pipeline), told: &Arc<Told>| {
        let observer: Arc<dyn Observer> = Arc::clone(told) as _;
        Submit::new()
            .process(Pipeline::files("marketing_place").unwrap())
            .opened_bucket(bucket.clone())
            .once(true)
            .observer(observer)
            .adjust(after)
            .run()
    };
    for (number, after) in [deleting as fn(&mut Pipeline), archiving]
        .into_iter()
        .enumerate()
    {
        let number = number as u64;
        for part in 0..3 {
            let object = orders("x", number * 9 + part * 3..number * 9 + part * 3 + 3, 1);
            let name = format!("{number}-{part}.json");
            std::fs::write(input.join(name), object.bytes).unwrap();
        }
        let told = Arc::new(Told::default());
        let summary = run(after, &told).await.unwrap();
        assert_eq!(summary.objects, 3);
        assert_eq!(*told.0.lock().unwrap(), summary.cleaned);
        assert_eq!(summary.cleaned.deleted + summary.cleaned.archived, 3);
        assert_eq!(std::fs::read_dir(&input).unwrap().count(), 0);
    }
    assert_eq!(
        std::fs::read_dir(folder.path().join("archive/shop"))
            .unwrap()
            .count(),
        3
    );

    std::fs::write(input.join("y.json"), orders("y", 30..31, 1).bytes).unwrap();
    let writable = std::fs::metadata(&input).unwrap().permissions();
    std::fs::set_permissions(&input, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Who may do anything is not kept out.
    let is_kept_out = std::fs::write(input.join("probe"), "").is_err();
    let told = Arc::new(Told::default());
    let summary = run(deleting, &told).await.unwrap();
    std::fs::set_permissions(&input, writable).unwrap();
    assert_eq!(summary.batches, 1);
    if is_kept_out {
        assert_eq!(summary.cleaned, Cleaned::default());
        assert!(input.join("y.json").exists());
        let mended = run(deleting, &told).await.unwrap();
        assert_eq!((mended.batches, mended.cleaned.deleted), (0, 1));
    }
    assert!(!input.join("y.json").exists());
}

/// A file's number, time and length are all that tells it from the one before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_that_only_looks_like_the_one_that_was_taken_stays() {
    let folder = tempfile::tempdir().unwrap();
    let location = format!("file://{}", folder.path().display());
    let file = folder.path().join("input/x.json");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let bucket = Bucket::open(&location, &Environment::default()).unwrap();
    let run = |after: fn(&mut Pipeline)| {
        Submit::new()
            .process(Pipeline::files("marketing_place").unwrap())
            .opened_bucket(bucket.clone())
            .once(true)
            .adjust(after)
            .run()
    };
    let mut bytes = orders("x", 0..3, 1).bytes;
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(run(|_| {}).await.unwrap().objects, 1);
    let written = std::fs::metadata(&file).unwrap().modified().unwrap();
    bytes[30] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let opened = std::fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(written).unwrap();
    assert_eq!(run(deleting).await.unwrap().cleaned, Cleaned::default());
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}
