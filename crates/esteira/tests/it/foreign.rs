//! Other programs at work on the tables between our reads and our commits.

use std::sync::Arc;

use datafusion::prelude::{col, lit};
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties};
use esteira_testkit::oracle::expected;
use esteira_testkit::rows::{canonical_rows, diff};
use futures::FutureExt as _;

use crate::tidying::orders;
use crate::world::{TABLES, World, foreign};

/// Three files a table, and a batch waiting that changes rows in each of them.
async fn half_way(world: &mut World) {
    for (part, second) in [("a", 1), ("b", 2), ("c", 3)] {
        let first = second * 20;
        world
            .arrive(&[orders(part, first..first + 20, second)])
            .await;
        world.run().await.unwrap();
    }
    world.arrive(&[orders("news", 35..75, 4)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_compaction_between_read_and_commit_is_noticed() {
    for copy_on_write in [false, true] {
        for table in TABLES {
            let mut world = World::new().with_copy_on_write(copy_on_write);
            half_way(&mut world).await;
            let bucket = world.bucket();
            let log = format!("analytics/{table}/_delta_log/");
            world.store.before_write_to(&log, move || {
                async move {
                    let opened = foreign(&bucket, table).await;
                    let (_, metrics) = opened.optimize().await.unwrap();
                    assert!(metrics.num_files_removed > 1, "{table}: {metrics:?}");
                }
                .boxed()
            });
            world.run().await.unwrap();
            assert!(world.store.is_calm(), "{table}: nobody came in between");
            world.check().await;
        }
    }
}

/// What another program wrote has other row groups, no Bloom filters, maybe no page bounds.
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_found_in_files_of_another_program() {
    for statistics in [EnabledStatistics::Page, EnabledStatistics::None] {
        let mut world = World::new();
        for part in 0..3 {
            let first = part * 1_000;
            let object = orders(&format!("part-{part}"), first..first + 1_000, 1 + part);
            world.arrive(&[object]).await;
            world.run().await.unwrap();
        }
        for table in TABLES {
            let properties = WriterProperties::builder()
                .set_max_row_group_row_count(Some(700))
                .set_statistics_enabled(statistics)
                .build();
            let optimize = world.foreign(table).await.optimize();
            optimize.with_writer_properties(properties).await.unwrap();
        }
        world.arrive(&[orders("news", 650..2_050, 9)]).await;
        world.run().await.unwrap();
        world.check().await;
        world.arrive(&[orders("more", 600..700, 10)]).await;
        world.run().await.unwrap();
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_delete_between_read_and_commit_is_noticed() {
    let mut world = World::new();
    let [first, second] = ["a", "b"].map(|stage| event("deleted", stage));
    world.arrive(&[first, event("other", "a")]).await;
    world.run().await.unwrap();
    world.arrive(&[event("third", "a")]).await;
    let bucket = world.bucket();
    world
        .store
        .before_write_to("analytics/orders/_delta_log/", move || {
            async move {
                let opened = foreign(&bucket, "orders").await;
                let gone = col("txt_detl_idt_pedi_pgto").eq(lit("deleted"));
                let (_, metrics) = opened.delete().with_predicate(gone).await.unwrap();
                assert_eq!(metrics.num_deleted_rows, Some(1));
            }
            .boxed()
        });
    world.run().await.unwrap();
    assert!(world.store.is_calm());
    // The row that was deleted stays deleted, nothing else is lost or doubled.
    let left = order_ids(&world).await;
    assert_eq!(left, ["other", "third"]);
    // Until its order has news.
    world.arrive(&[second]).await;
    world.run().await.unwrap();
    world.check().await;
}

fn event(order: &str, stage: &str) -> esteira_testkit::oracle::InputObject {
    let second = i64::from(stage.as_bytes()[0]);
    esteira_testkit::oracle::InputObject {
        key: format!("input/{order}-{stage}.json"),
        modified_micros: second * 1_000_000,
        bytes: format!(
            r#"{{"txt_detl_idt_pedi_pgto":"{order}","dat_atui":"2024-01-01T00:00:{second}.5Z"}}"#,
            second = second - 60
        )
        .into_bytes(),
    }
}

async fn order_ids(world: &World) -> Vec<String> {
    let session = world.lake().await.session().await.unwrap();
    let sql = "SELECT txt_detl_idt_pedi_pgto FROM orders ORDER BY 1";
    let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
    rows.iter()
        .flat_map(|batch| {
            let column = datafusion::arrow::compute::cast(
                batch.column(0),
                &datafusion::arrow::datatypes::DataType::Utf8,
            )
            .unwrap();
            let texts = datafusion::arrow::array::AsArray::as_string::<i32>(&column);
            texts
                .iter()
                .flatten()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commit_whose_answer_was_lost_counts_once() {
    for table in TABLES {
        let mut world = World::new();
        half_way(&mut world).await;
        world
            .store
            .lose_answer_of(&format!("analytics/{table}/_delta_log/"));
        world.run().await.unwrap();
        assert!(world.store.is_calm());
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compaction_whose_answer_was_lost_loses_no_file() {
    let mut world = World::new();
    half_way(&mut world).await;
    world.run().await.unwrap();
    for table in TABLES {
        world
            .store
            .lose_answer_of(&format!("analytics/{table}/_delta_log/"));
        let lake = world.lake().await;
        let purge = esteira_lake::tidy::Effort::Purge;
        let done = esteira::optimize(&lake, &[table.to_owned()], purge).await;
        assert!(done.unwrap()[0].1.files_removed > 1, "{table}");
        assert!(world.store.is_calm(), "{table}");
        let opened = world.foreign(table).await;
        let session = datafusion::prelude::SessionContext::new();
        opened.update_datafusion_session(&session.state()).unwrap();
        let provider = opened.table_provider().await.unwrap();
        let frame = session.read_table(provider).unwrap();
        let found = canonical_rows(&frame.collect().await.unwrap());
        let wanted = expected(&world.arrived);
        let difference = diff(wanted.table(table).unwrap(), &found);
        assert!(difference.is_none(), "{table}: {difference:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rival_that_keeps_committing_is_told_of() {
    let mut world = World::new();
    world.arrive(&[event("one", "a")]).await;
    world.run().await.unwrap();
    world.arrive(&[event("one", "b")]).await;
    rival(&world.store, world.bucket(), 5);
    let error = world.run().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "table `orders` was changed by somebody else 5 times while batch 2 was being committed"
    );
    assert!(error.is_transient());
    world.run().await.unwrap();
    world.check().await;
}

/// Commits right before each of the next `times` writes to the log of `orders`.
fn rival(
    store: &Arc<esteira_testkit::store::TestStore>,
    bucket: esteira_lake::bucket::Bucket,
    times: u32,
) {
    let again = Arc::clone(store);
    store.before_write_to("analytics/orders/_delta_log/", move || {
        async move {
            let opened = foreign(&bucket, "orders").await;
            let properties = [("esteira.rival".to_owned(), times.to_string())];
            opened
                .set_tbl_properties()
                .with_properties(properties.into())
                .with_raise_if_not_exists(false)
                .await
                .unwrap();
            if times > 1 {
                rival(&again, bucket, times - 1);
            }
        }
        .boxed()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn feature_that_we_would_break_is_refused() {
    for (property, told) in [
        (
            "delta.enableChangeDataFeed",
            "table `orders` uses a change data feed (`delta.enableChangeDataFeed`)",
        ),
        (
            "delta.appendOnly",
            "table `orders` uses `delta.appendOnly`, which forbids updates",
        ),
    ] {
        let mut world = World::new();
        world.arrive(&[event("one", "a")]).await;
        world.run().await.unwrap();
        let opened = world.foreign("orders").await;
        let properties = [(property.to_owned(), "true".to_owned())];
        opened
            .set_tbl_properties()
            .with_properties(properties.into())
            .await
            .unwrap();
        world.arrive(&[event("one", "b")]).await;
        let error = world.run().await.unwrap_err();
        assert_eq!(error.to_string(), told);
        assert_eq!(
            error.hint().unwrap(),
            "another program turned this on; turn it off there, or move the table's folder away and `esteira replay --switch`"
        );
        assert_eq!(order_ids(&world).await, ["one"]);
    }
}
