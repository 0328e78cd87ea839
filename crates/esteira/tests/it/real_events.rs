//! Real order events, where the folder with them is at hand.

use std::path::PathBuf;
use std::process::Command;

use esteira_testkit::oracle::InputObject;

use crate::world::World;

/// The archive's events, by name; none where the archive is absent.
fn real_events() -> Option<Vec<(String, Vec<u8>)>> {
    let shared: PathBuf = std::env::var_os("ESTEIRA_REAL_EVENTS").map_or_else(
        || "../../../shared/data/orders-real.tar.gz".into(),
        Into::into,
    );
    if !shared.is_file() {
        eprintln!("skipped: no real events at {}", shared.display());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("tar")
        .arg("xzf")
        .arg(&shared)
        .arg("-C")
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let mut events: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    events.sort();
    Some(events)
}

#[tokio::test(flavor = "multi_thread")]
async fn real_events_one_an_object_equal_the_oracle() {
    let Some(events) = real_events() else {
        return;
    };
    let mut world = World::new().with_batches_of(4_000);
    let objects: Vec<InputObject> = events
        .into_iter()
        .zip(0..)
        .map(|((name, bytes), second)| InputObject {
            key: format!("input/{name}"),
            modified_micros: 1_700_000_000_000_000 + second * 1_000_000,
            bytes,
        })
        .collect();
    world.arrive(&objects).await;
    world.run().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn real_events_as_lines_equal_the_oracle() {
    let Some(events) = real_events() else {
        return;
    };
    let mut world = World::new();
    let objects: Vec<InputObject> = events
        .chunks(1_000)
        .zip(0..)
        .map(|(chunk, number)| InputObject {
            key: format!("input/part-{number:03}.json"),
            modified_micros: 1_700_000_000_000_000 - i64::from(number),
            bytes: chunk
                .iter()
                .flat_map(|(_, event)| [event.as_slice(), b"\n"].concat())
                .collect(),
        })
        .collect();
    world.arrive(&objects[5..]).await;
    world.run().await.unwrap();
    world.arrive(&objects[..5]).await;
    world.run().await.unwrap();
    world.check().await;
}
