//! What upserts leave behind, and what becomes of it: marks, small files, files that nothing needs.

use deltalake::kernel::{Action, Add};
use esteira_lake::tidy::Effort;
use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::InputObject;
use esteira_testkit::rows::{canonical_rows, diff};

use crate::world::{TABLES, World};

/// An object of these orders, all updated at second `second`; ten orders share a seller.
pub(crate) fn orders(name: &str, orders: std::ops::Range<u64>, second: u64) -> InputObject {
    let mut bytes = Vec::new();
    for order in orders {
        // Spread over the range of keys, as random ids are.
        let id = order.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let at = 1_700_000_000 + second;
        let at = chrono::DateTime::from_timestamp(i64::try_from(at).unwrap(), 0).unwrap();
        let line = format!(
            "{{\"txt_detl_idt_pedi_pgto\":\"{id:016x}\",\"dat_atui\":\"{}\",\
             \"stat_pedi\":\"{second}\",\"list_item_pedi\":[{{\"idt_venr\":\"s-{}\",\
             \"vlr_prod\":{order}.25,\"qtd_item_pedi\":{order}}}],\"list_envo\":[]}}\n",
            at.format("%Y-%m-%dT%H:%M:%SZ"),
            order / 10,
        );
        bytes.extend_from_slice(line.as_bytes());
    }
    InputObject {
        key: format!("input/{name}.json"),
        modified_micros: 1_700_000_000_000_000 + i64::try_from(second).unwrap() * 1_000_000,
        bytes,
    }
}

async fn take(world: &mut World, object: InputObject) {
    world.arrive(&[object]).await;
    world.run().await.unwrap();
}

/// The `add` actions of the commits of a table's log, by version: their names are 20 digits and `.json`.
async fn adds(world: &World, table: &str) -> Vec<Vec<Add>> {
    let log = format!("analytics/{table}/_delta_log/");
    let mut commits = Vec::new();
    for (key, bytes) in world.store.contents().await.unwrap() {
        if key.strip_prefix(&log).is_some_and(|name| name.len() == 25) {
            let actions = serde_json::Deserializer::from_slice(&bytes).into_iter::<Action>();
            let adds = actions.filter_map(|action| match action.unwrap() {
                Action::Add(add) => Some(add),
                _ => None,
            });
            commits.push(adds.collect());
        }
    }
    commits
}

async fn live_files(world: &World, table: &str) -> usize {
    let table = world.foreign(table).await;
    table.snapshot().unwrap().log_data().num_files()
}

#[tokio::test(flavor = "multi_thread")]
async fn update_marks_rows_and_writes_only_what_changed() {
    let mut world = World::new();
    take(&mut world, orders("all", 0..5_000, 1)).await;
    take(&mut world, orders("some", 100..110, 2)).await;
    for table in ["orders", "products", "shipments"] {
        let commits = adds(&world, table).await;
        let [marked, fresh] = commits.last().unwrap().as_slice() else {
            panic!("{table}: one file marked, one new: {:?}", commits.last());
        };
        let vector = marked.deletion_vector.as_ref().unwrap();
        assert_eq!(vector.cardinality, 10, "{table}");
        let statistics = marked.stats.as_ref().unwrap();
        assert!(
            statistics.contains(r#""tightBounds":false"#),
            "{statistics}"
        );
        assert!(statistics.contains(r#""numRecords":5000"#), "{statistics}");
        assert!(fresh.deletion_vector.is_none());
        assert!(fresh.stats.as_ref().unwrap().contains(r#""numRecords":10"#));
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_whose_rows_are_all_replaced_leaves_the_table() {
    let mut world = World::new();
    take(&mut world, orders("all", 0..50, 1)).await;
    take(&mut world, orders("again", 0..50, 2)).await;
    for table in TABLES {
        assert_eq!(live_files(&world, table).await, 1, "{table}");
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_on_write_writes_no_deletion_vector() {
    let history = History::random(5, &Shape::default());
    let mut world = World::new().with_copy_on_write(true).restless();
    world.play(&history, 5).await;
    world.optimize(Effort::Purge).await;
    world.check().await;
    for table in TABLES {
        let features = world.foreign(table).await;
        let protocol = features.snapshot().unwrap().protocol();
        assert_eq!(protocol.min_reader_version(), 1, "{table}");
        let vectors = adds(&world, table).await.into_iter().flatten();
        assert_eq!(
            vectors.filter(|add| add.deletion_vector.is_some()).count(),
            0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn table_without_deletion_vectors_gets_them_only_on_purpose() {
    let mut world = World::new().with_copy_on_write(true);
    take(&mut world, orders("all", 0..500, 1)).await;
    let mut world = world.with_copy_on_write(false);
    take(&mut world, orders("some", 100..110, 2)).await;
    let vectors = |adds: Vec<Vec<Add>>| {
        adds.iter()
            .flatten()
            .filter(|add| add.deletion_vector.is_some())
            .count()
    };
    assert_eq!(vectors(adds(&world, "orders").await), 0);
    let upgraded = |done: Vec<(String, esteira::Upgraded)>| -> Vec<String> {
        assert!(done.iter().all(|(_, upgraded)| upgraded.widening.is_none()));
        let done = done
            .into_iter()
            .filter(|(_, upgraded)| upgraded.deletion_vectors);
        let mut names: Vec<String> = done.map(|(table, _)| table).collect();
        names.sort();
        names
    };
    let done = esteira::upgrade(&world.lake().await, &[]).await.unwrap();
    assert_eq!(upgraded(done), TABLES);
    let done = esteira::upgrade(&world.lake().await, &[]).await.unwrap();
    assert!(upgraded(done).is_empty(), "done once is done");
    take(&mut world, orders("more", 200..210, 3)).await;
    assert_eq!(vectors(adds(&world, "orders").await), 1);
    world.check().await;
    // And back: no new vectors, those that are there count.
    let mut world = world.with_copy_on_write(true);
    take(&mut world, orders("back", 205..215, 4)).await;
    assert_eq!(vectors(adds(&world, "orders").await), 1);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_batches_leave_few_files_and_a_log_with_checkpoints() {
    let mut world = World::new();
    take(&mut world, orders("all", 0..2_000, 1)).await;
    for batch in 0..130 {
        let first = batch * 13 % 1_900;
        take(
            &mut world,
            orders(&format!("batch-{batch}"), first..first + 15, 2 + batch),
        )
        .await;
    }
    world.check().await;
    for table in TABLES {
        let files = live_files(&world, table).await;
        assert!(files <= 9, "{table}: {files} files");
        let checkpoint = format!("analytics/{table}/_delta_log/00000000000000000099.checkpoint");
        let contents = world.store.contents().await.unwrap();
        assert!(contents.iter().any(|(key, _)| key.starts_with(&checkpoint)));
    }
    let bound = world.lake().await.ledger().last_record().unwrap().clone();
    assert!(bound.tables["orders"].files <= 9);
    assert!(bound.tables["orders"].bytes > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn vacuum_keeps_what_recent_versions_need_and_deletes_the_rest() {
    let mut world = World::new();
    take(&mut world, orders("all", 0..500, 1)).await;
    for batch in 0..5 {
        take(
            &mut world,
            orders(&format!("b{batch}"), batch * 10..batch * 10 + 20, 2 + batch),
        )
        .await;
    }
    let before = world.versions().await;
    let count = async |world: &World| {
        let contents = world.store.contents().await.unwrap();
        let data = contents
            .iter()
            .filter(|(key, _)| key.starts_with("analytics/orders/"));
        let keys = data.map(|(key, _)| key.clone());
        let vectors = keys.clone().filter(|key| key.contains("deletion_vector_"));
        (
            vectors.count(),
            keys.filter(|key| key.ends_with(".parquet")).count(),
        )
    };
    let (vectors, files) = count(&world).await;
    assert_eq!((vectors, files), (5, 6), "one of each a batch");
    // Everything is younger than the usual retention: nothing goes.
    let clock: std::sync::Arc<dyn esteira::Clock> = std::sync::Arc::new(esteira::SystemClock);
    let week = std::time::Duration::from_hours(168);
    let lake = world.lake().await;
    let kept = esteira::vacuum(&lake, &[], week, false, &clock)
        .await
        .unwrap();
    assert!(
        kept.iter().all(|(_, done)| done.litter.is_empty()),
        "{kept:?}"
    );
    // Older versions can still be read, with the vectors they had.
    for version in 1..=before["orders"] {
        let mut table = world.foreign("orders").await;
        table.load_version(version).await.unwrap();
        let rows = rows(&table).await;
        assert_eq!(rows, 500, "version {version}");
    }
    // Without a retention only what the newest record names stays, and what is live.
    world.optimize(Effort::Purge).await;
    let lake = world.lake().await;
    let dry = esteira::vacuum(&lake, &[], std::time::Duration::ZERO, true, &clock).await;
    let promised: Vec<String> = dry
        .unwrap()
        .into_iter()
        .flat_map(|(_, done)| done.litter)
        .map(|file| file.key)
        .collect();
    assert_eq!(
        world.vacuum().await,
        promised,
        "a dry run tells what would go"
    );
    assert!(!promised.is_empty());
    world.check().await;
    assert_eq!(world.versions().await, before);
    let (fewer, _) = count(&world).await;
    assert!(fewer < vectors, "{fewer} of {vectors}");
    // A batch later the compacted version is what the record names.
    take(&mut world, orders("last", 0..1, 100)).await;
    world.vacuum().await;
    world.check().await;
    assert!(world.vacuum().await.is_empty(), "again is nothing");
}

async fn rows(table: &deltalake::DeltaTable) -> usize {
    let session = datafusion::prelude::SessionContext::new();
    table.update_datafusion_session(&session.state()).unwrap();
    let provider = table.table_provider().await.unwrap();
    let frame = session.read_table(provider).unwrap();
    frame.count().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn start_on_a_large_table_reads_little_of_it() {
    let mut world = World::new();
    for part in 0..8 {
        let first = part * 10_000;
        take(
            &mut world,
            orders(&format!("part-{part}"), first..first + 10_000, 1 + part),
        )
        .await;
    }
    let all: u64 = {
        let lake = world.lake().await;
        let tables = &lake.ledger().last_record().unwrap().tables;
        tables.values().map(|table| table.bytes).sum()
    };
    let before = world.store.data_bytes_read();
    take(&mut world, orders("one", 42..43, 100)).await;
    let read = world.store.data_bytes_read() - before;
    assert!(read < all / 2, "{read} of {all} bytes");
    world.check().await;
}

/// Small on disk, large in memory: merged a few at a time, and to an end.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_unpack_to_much_are_merged_too() {
    let mut world = World::new();
    for part in ["a", "b", "c"] {
        let long = part.repeat(1024 * 1024);
        let lines: Vec<String> = (0..30)
            .map(|order| {
                format!(
                    "{{\"txt_detl_idt_pedi_pgto\":\"{part}-{order}\",\"cod_idef_clie\":\"{long}\",\
                     \"dat_atui\":\"2024-01-01T00:00:00Z\"}}\n"
                )
            })
            .collect();
        let object = InputObject {
            key: format!("input/{part}.json"),
            modified_micros: 1_700_000_000_000_000,
            bytes: lines.concat().into_bytes(),
        };
        take(&mut world, object).await;
    }
    assert_eq!(live_files(&world, "orders").await, 3);
    let lake = world.lake().await;
    let orders = ["orders".to_owned()];
    let done = esteira::optimize(&lake, &orders, Effort::Full)
        .await
        .unwrap();
    assert_eq!(
        done[0].1.files_removed, 4,
        "two, then the third with what came of them"
    );
    assert_eq!(live_files(&world, "orders").await, 1);
    assert_eq!(rows(&world.foreign("orders").await).await, 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_shows_its_rows_whatever_was_tidied() {
    let history = History::random(21, &Shape::default());
    let mut world = World::new().with_batches_of(2).restless();
    let mut told = Vec::new();
    for arrival in history.arrivals(21) {
        world.arrive(&arrival).await;
        world.run().await.unwrap();
        world.optimize(Effort::Full).await;
        let expected = esteira_testkit::oracle::expected(&world.arrived);
        told.push((world.versions().await, expected));
    }
    for (versions, expected) in told {
        for table in TABLES {
            let mut opened = world.foreign(table).await;
            opened.load_version(versions[table]).await.unwrap();
            let session = datafusion::prelude::SessionContext::new();
            opened.update_datafusion_session(&session.state()).unwrap();
            let provider = opened.table_provider().await.unwrap();
            let frame = session.read_table(provider).unwrap();
            let found = canonical_rows(&frame.collect().await.unwrap());
            if let Some(difference) = diff(expected.table(table).unwrap(), &found) {
                panic!("{table} at {}: {difference}", versions[table]);
            }
        }
    }
}
