//! Kinds of table beside latest-wins: what was deleted stays deleted, a history is right whatever comes
//! late, and a table that only grows has every event once.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::AsArray as _;
use datafusion::arrow::datatypes::DataType;
use esteira::{Fate, Silent};
use esteira_lake::tidy::Effort;
use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::{InputObject, expected};
use esteira_testkit::random::Random;
use esteira_testkit::reviews;
use esteira_testkit::rows::{canonical_rows, diff};
use futures::FutureExt as _;
use proptest::prelude::*;

use crate::crashes::killed_everywhere;
use crate::orders::runtime;
use crate::world::World;

fn world() -> World {
    World::of("product_reviews")
}

/// An object of one review by Ana of product 1.
fn review(name: &str, day: u32, status: &str) -> InputObject {
    review_by("Ana", name, day, status)
}

fn review_by(customer: &str, name: &str, day: u32, status: &str) -> InputObject {
    InputObject {
        key: format!("reviews/{name}.ndjson"),
        modified_micros: 1_700_000_000_000_000,
        bytes: format!(
            "{{\"product_id\":1,\"customer_id\":\"{customer}\",\"rating\":5,\"status\":\"{status}\",\
             \"updated_at\":\"2024-05-{day:02}T00:00:00Z\"}}\n"
        )
        .into_bytes(),
    }
}

async fn take(world: &mut World, object: InputObject) {
    world.arrive(&[object]).await;
    world.run().await.unwrap();
    world.check_reviews().await;
}

/// The rows of a question, each as its values.
async fn ask(world: &World, sql: &str) -> Vec<String> {
    let session = world.lake().await.session().await.unwrap();
    let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
    let mut told = Vec::new();
    for rows in rows {
        for row in 0..rows.num_rows() {
            let values = rows.columns().iter().map(|column| {
                let text = datafusion::arrow::compute::cast(column, &DataType::Utf8).unwrap();
                let text = text.as_string::<i32>();
                let value = text.iter().nth(row).flatten().unwrap_or("-");
                value
                    .trim_start_matches("2024-05-")
                    .trim_end_matches("T00:00:00Z")
                    .to_owned()
            });
            told.push(values.collect::<Vec<_>>().join(" "));
        }
    }
    told
}

const HISTORY: &str = "SELECT valid_from, valid_to, status FROM review_history ORDER BY 1";

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn reviews_equal_the_oracle_for_any_order_and_split_with_tidying_in_between(
        seed in any::<u64>(),
        batch in 1usize..8,
        copy_on_write in any::<bool>(),
    ) {
        runtime().block_on(async {
            let mut world = world()
                .with_batches_of(batch)
                .with_copy_on_write(copy_on_write)
                .restless();
            let mut chance = Random::new(seed ^ 2);
            for arrival in reviews::random(seed, 40).arrivals(seed ^ 1) {
                world.arrive(&arrival).await;
                world.run().await.unwrap();
                match chance.below(6) {
                    0 => world.optimize(Effort::Full).await,
                    1 => world.optimize(Effort::Purge).await,
                    2 => drop(world.vacuum().await),
                    3 => world.check_reviews().await,
                    _ => {}
                }
            }
            world.check_reviews().await;
            world.optimize(Effort::Purge).await;
            world.vacuum().await;
            world.check_reviews().await;
        });
    }

    /// A head that deletes takes its children with it, and sellers, which have no such rule, stay.
    #[test]
    fn children_of_a_deleted_head_equal_the_oracle(
        seed in any::<u64>(),
        batch in 1usize..8,
        copy_on_write in any::<bool>(),
    ) {
        let folder = marketing_place_that_deletes();
        runtime().block_on(async {
            let history = History::random(seed, &Shape::default());
            let mut world = World::of(&folder.path().display().to_string())
                .with_batches_of(batch)
                .with_copy_on_write(copy_on_write)
                .restless();
            for arrival in history.arrivals(seed ^ 1) {
                world.arrive(&arrival).await;
                world.run().await.unwrap();
            }
            world.vacuum().await;
            let mut expected = expected(&world.arrived);
            let cancelled = |row: &esteira_testkit::oracle::Row| row["stat_pedi"] == "Cancelado";
            let (gone, orders): (Vec<_>, Vec<_>) =
                expected.orders.drain(..).partition(cancelled);
            expected.orders = orders;
            let stays = |row: &esteira_testkit::oracle::Row| {
                let order = "txt_detl_idt_pedi_pgto";
                gone.iter().all(|gone| gone[order] != row[order])
            };
            expected.products.retain(stays);
            expected.shipments.retain(stays);
            let session = world.lake().await.session().await.unwrap();
            for table in crate::world::TABLES {
                let frame = session.table(table).await.unwrap();
                let rows = canonical_rows(&frame.collect().await.unwrap());
                if let Some(difference) = diff(expected.table(table).unwrap(), &rows) {
                    panic!("{table}: {difference}");
                }
            }
            for order in gone.iter().take(2) {
                let key = [order["txt_detl_idt_pedi_pgto"].as_str().unwrap().to_owned()];
                for table in ["orders", "products"] {
                    let lake = world.lake().await;
                    let known = esteira::why(&lake, table, &key, &Silent).await.unwrap();
                    assert_eq!(known.events[0].fate, Fate::Deleted);
                    assert!(known.agrees() && known.stored.is_empty(), "{known:#?}");
                }
            }
        });
    }
}

/// The marketplace with a rule of its own: an order that was cancelled is gone.
fn marketing_place_that_deletes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new("../../pipelines/marketing_place");
    std::fs::create_dir(folder.path().join("models")).unwrap();
    for file in ["pipeline.toml", "schema.sql"] {
        std::fs::copy(source.join(file), folder.path().join(file)).unwrap();
    }
    for model in crate::world::TABLES {
        let file = format!("models/{model}.sql");
        std::fs::copy(source.join(&file), folder.path().join(&file)).unwrap();
    }
    let config = folder.path().join("pipeline.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let changed = text.replace("input/*.json", "input/**").replacen(
        "key = [\"txt_detl_idt_pedi_pgto\"]",
        "key = [\"txt_detl_idt_pedi_pgto\"]\ndelete_when = \"stat_pedi = 'Cancelado'\"",
        1,
    );
    std::fs::write(config, changed).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_key_comes_back_with_a_newer_event_only() {
    let mut world = world();
    let shown = "SELECT updated_at, status FROM reviews";
    take(&mut world, review("removed", 5, "REMOVED")).await;
    assert!(
        ask(&world, shown).await.is_empty(),
        "deleted before it was there"
    );
    take(&mut world, review("late", 3, "PUBLISHED")).await;
    assert!(
        ask(&world, shown).await.is_empty(),
        "an older one comes late"
    );
    world.optimize(Effort::Purge).await;
    world.vacuum().await;
    take(&mut world, review("later", 4, "HIDDEN")).await;
    assert!(ask(&world, shown).await.is_empty(), "whatever was tidied");
    take(&mut world, review("back", 6, "PUBLISHED")).await;
    assert_eq!(ask(&world, shown).await, ["06 PUBLISHED"]);
    take(&mut world, review("too-late", 5, "HIDDEN")).await;
    assert_eq!(ask(&world, shown).await, ["06 PUBLISHED"]);
    take(&mut world, review("gone", 7, "REMOVED")).await;
    assert!(ask(&world, shown).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn late_event_is_put_into_the_middle_of_a_history() {
    let mut world = world();
    take(&mut world, review("a", 10, "PUBLISHED")).await;
    take(&mut world, review("b", 20, "HIDDEN")).await;
    assert_eq!(
        ask(&world, HISTORY).await,
        ["10 20 PUBLISHED", "20 - HIDDEN"]
    );
    take(&mut world, review("late", 15, "PUBLISHED")).await;
    let rows = ["10 15 PUBLISHED", "15 20 PUBLISHED", "20 - HIDDEN"];
    assert_eq!(ask(&world, HISTORY).await, rows);
    let record = world.lake().await.ledger().last_record().unwrap().clone();
    let history = &record.tables["review_history"];
    // The new row, and the one before it; not the one behind it.
    assert_eq!((history.rows_added, history.rows_removed), (2, 1));
    take(&mut world, review("before", 1, "HIDDEN")).await;
    take(&mut world, review("removed", 17, "REMOVED")).await;
    let rows = [
        "01 10 HIDDEN",
        "10 15 PUBLISHED",
        "15 17 PUBLISHED",
        "20 - HIDDEN",
    ];
    assert_eq!(ask(&world, HISTORY).await, rows);
    // A deletion ends what comes between it and the version before, too.
    take(&mut world, review("between", 16, "HIDDEN")).await;
    let rows = ask(&world, HISTORY).await;
    assert_eq!(rows[2..4], ["15 16 PUBLISHED", "16 17 HIDDEN"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn greatest_event_of_an_instant_is_its_version() {
    let mut world = world();
    take(&mut world, review("b", 10, "HIDDEN")).await;
    take(&mut world, review("a", 10, "PUBLISHED")).await;
    assert_eq!(ask(&world, HISTORY).await, ["10 - HIDDEN"]);
    take(&mut world, review("c", 10, "PUBLISHED")).await;
    assert_eq!(ask(&world, HISTORY).await, ["10 - PUBLISHED"]);
    take(&mut world, review("d", 10, "REMOVED")).await;
    assert!(ask(&world, HISTORY).await.is_empty());
    take(&mut world, review("bb", 10, "PUBLISHED")).await;
    assert!(ask(&world, HISTORY).await.is_empty());
    take(&mut world, review("e", 10, "HIDDEN")).await;
    assert_eq!(ask(&world, HISTORY).await, ["10 - HIDDEN"]);
    assert_eq!(ask(&world, "SELECT count(*) FROM review_log").await, ["6"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_after_every_write_of_reviews_replays_cleanly() {
    let arrivals = [
        vec![review("a", 3, "PUBLISHED"), review("b", 6, "HIDDEN")],
        vec![review("gone", 8, "REMOVED"), review("late", 5, "PUBLISHED")],
        vec![
            review("back", 9, "PUBLISHED"),
            review("removed-late", 4, "REMOVED"),
        ],
    ];
    let new = || world().with_batches_of(2).restless();
    let kills = killed_everywhere(new, &arrivals, World::check_reviews).await;
    assert!(kills > 45, "only {kills} kills");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_while_a_head_and_its_children_are_deleted_replays_cleanly() {
    let folder = marketing_place_that_deletes();
    let order = |name: &str, day: u32, status: &str| {
        vec![InputObject {
            key: format!("input/{name}.json"),
            modified_micros: 1_700_000_000_000_000,
            bytes: format!(
                "{{\"txt_detl_idt_pedi_pgto\":\"p\",\"dat_atui\":\"2024-05-{day:02}T00:00:00Z\",\
                 \"stat_pedi\":\"{status}\",\"list_item_pedi\":[{{\"idt_venr\":\"s\"}}]}}"
            )
            .into_bytes(),
        }]
    };
    let arrivals = [
        order("a", 1, "Criado"),
        order("gone", 3, "Cancelado"),
        order("late", 2, "Enviado"),
    ];
    let new = || World::of(&folder.path().display().to_string()).restless();
    let kills = killed_everywhere(new, &arrivals, async |world| {
        for (table, rows) in [
            ("orders", "0"),
            ("products", "0"),
            ("shipments", "0"),
            ("sellers", "1"),
            ("orders_deleted", "1"),
        ] {
            let count = format!("SELECT count(*) FROM {table}");
            assert_eq!(ask(world, &count).await, [rows], "{table}");
        }
    });
    let kills = kills.await;
    assert!(kills > 25, "only {kills} kills");
}

/// Somebody compacts a table between our look at it and our commit.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_compaction_of_any_kind_of_table_is_noticed() {
    for table in [
        "reviews",
        "review_history",
        "review_log",
        "_deleted/reviews",
        "_deleted/review_history",
    ] {
        let mut world = world();
        for customer in ["a", "b", "c"] {
            let news = [
                review_by(customer, &format!("{customer}-1"), 2, "REMOVED"),
                review_by(customer, &format!("{customer}-2"), 4, "PUBLISHED"),
            ];
            world.arrive(&news).await;
            world.run().await.unwrap();
        }
        let news = [
            review_by("a", "late", 3, "HIDDEN"),
            review_by("b", "gone", 5, "REMOVED"),
            review_by("c", "newer", 6, "HIDDEN"),
        ];
        world.arrive(&news).await;
        let bucket = world.bucket();
        let log = format!("analytics/{table}/_delta_log/");
        world.store.before_write_to(&log, move || {
            async move {
                let opened = crate::world::foreign(&bucket, table).await;
                let (_, metrics) = opened.optimize().await.unwrap();
                assert!(metrics.num_files_removed > 1, "{table}: {metrics:?}");
            }
            .boxed()
        });
        world.run().await.unwrap();
        assert!(world.store.is_calm(), "{table}: nobody came in between");
        world.check_reviews().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn run_again_changes_no_table_of_any_kind() {
    let mut world = world().with_batches_of(3);
    world.play(&reviews::random(7, 60), 7).await;
    let versions = world.versions().await;
    assert_eq!(
        versions.len(),
        6,
        "three, what two of them deleted, and the quarantine"
    );
    assert_eq!(world.run().await.unwrap().batches, 0);
    assert_eq!(world.versions().await, versions);
    world.check_reviews().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reviews_are_verified_replayed_and_explained() {
    let mut world = world().with_batches_of(3).restless();
    world.play(&reviews::random(9, 60), 9).await;
    let lake = world.lake().await;
    let scratch = tempfile::tempdir().unwrap();
    let checked = esteira::verify(&lake, scratch.path(), Arc::new(Silent))
        .await
        .unwrap();
    assert!(checked.holds(), "{checked:#?}");
    assert_eq!(checked.tables.len(), 6);
    esteira::replay(&lake, "anew", None, Arc::new(Silent))
        .await
        .unwrap();
    let keys = world.store.contents().await.unwrap();
    for log in [
        "anew/review_log/_delta_log/",
        "anew/_deleted/reviews/_delta_log/",
    ] {
        assert!(keys.iter().any(|(key, _)| key.starts_with(log)), "{log}");
    }
    world.check_reviews().await;

    let reviews = ask(
        &world,
        "SELECT DISTINCT product_id, customer_id FROM review_log ORDER BY 1, 2",
    )
    .await;
    let mut fates = Vec::new();
    for key in &reviews {
        let key: Vec<String> = key.split(' ').map(str::to_owned).collect();
        for table in ["reviews", "review_history"] {
            let known = esteira::why(&lake, table, &key, &Silent).await.unwrap();
            assert!(known.agrees(), "{known:#?}");
            fates.extend(known.events.iter().map(|event| event.fate));
        }
    }
    for fate in [
        Fate::Won,
        Fate::Deleted,
        Fate::Replaced,
        Fate::Late,
        Fate::Tie,
    ] {
        assert!(fates.contains(&fate), "{fate:?}");
    }
    let events = ask(
        &world,
        "SELECT _source_file, _source_position FROM review_log LIMIT 5",
    )
    .await;
    for event in events {
        let key: Vec<String> = event.split(' ').map(str::to_owned).collect();
        let known = esteira::why(&lake, "review_log", &key, &Silent)
            .await
            .unwrap();
        assert!(known.agrees() && !known.stored.is_empty(), "{known:#?}");
        assert!(known.events.iter().all(|event| event.fate == Fate::Won));
    }
    let nobody = ["reviews/none.ndjson".to_owned(), "0".to_owned()];
    let known = esteira::why(&lake, "review_log", &nobody, &Silent)
        .await
        .unwrap();
    assert!(known.events.is_empty() && known.agrees());
    let error = esteira::why(&lake, "review_log", &nobody[..1], &Silent)
        .await
        .unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "give a value for _source_file, _source_position"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pipelines_in_one_bucket_leave_each_other_alone() {
    let mut orders = World::new().with_batches_of(5);
    let mut reviews = orders.beside("product_reviews").with_batches_of(5);
    let orders_of = History::random(31, &Shape::default()).arrivals(31);
    let reviews_of = reviews::random(31, 40).arrivals(31);
    for wave in 0..orders_of.len().max(reviews_of.len()) {
        for (world, arrivals) in [(&mut orders, &orders_of), (&mut reviews, &reviews_of)] {
            if let Some(arrival) = arrivals.get(wave) {
                world.arrive(arrival).await;
            }
            world.run().await.unwrap();
        }
    }
    orders.check().await;
    reviews.check_reviews().await;
    orders.vacuum().await;
    reviews.vacuum().await;
    orders.check().await;
    reviews.check_reviews().await;
}

/// The cost of a late event goes with its key, not with the table.
#[tokio::test(flavor = "multi_thread")]
async fn late_event_in_a_large_history_reads_and_writes_little() {
    let mut world = world().at_rest();
    // Long and random, so that keys are most of what there is.
    let line = |customer: u64, day: u32| {
        let mut random = Random::new(customer);
        let id = [(); 6].map(|()| format!("{:016x}", random.bits())).concat();
        format!(
            "{{\"product_id\":{customer},\"customer_id\":\"{id}\",\
             \"updated_at\":\"2024-05-{day:02}T00:00:00Z\"}}\n"
        )
    };
    for day in 1..=6 {
        let lines: Vec<String> = (0..10_000)
            .map(|customer| line(customer, day * 2))
            .collect();
        let object = InputObject {
            key: format!("reviews/{day}.ndjson"),
            modified_micros: 1_700_000_000_000_000,
            bytes: lines.concat().into_bytes(),
        };
        world.arrive(&[object]).await;
        world.run().await.unwrap();
    }
    let size = |record: &esteira_lake::ledger::Record| -> u64 {
        record.tables.values().map(|table| table.bytes).sum()
    };
    let all = size(world.lake().await.ledger().last_record().unwrap());
    let before = world.store.data_bytes_read();
    world
        .arrive(&[InputObject {
            key: "reviews/late.ndjson".to_owned(),
            modified_micros: 1_700_000_000_000_000,
            bytes: line(42, 5).into_bytes(),
        }])
        .await;
    world.run().await.unwrap();
    let read = world.store.data_bytes_read() - before;
    assert!(read < all / 4, "{read} of {all} bytes");
    let record = world.lake().await.ledger().last_record().unwrap().clone();
    let history = &record.tables["review_history"];
    assert_eq!((history.rows_added, history.rows_removed), (2, 1));
    let of_key = "SELECT valid_from, valid_to FROM review_history WHERE product_id = 42 ORDER BY 1";
    let rows = ["02 04", "04 05", "05 06", "06 08", "08 10", "10 12", "12 -"];
    assert_eq!(ask(&world, of_key).await, rows);
}
