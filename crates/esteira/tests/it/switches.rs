//! A switch to replayed tables: afterwards everything is as if the rules had been these from the start,
//! and on the way everybody sees the tables from before or those from after.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use esteira::{Error, Lake, Pipeline, Silent, SwitchOptions, SwitchSummary};
use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::{Row, expected};
use esteira_testkit::reviews;
use esteira_testkit::rows::{canonical_rows, diff};
use futures::FutureExt as _;
use insta::assert_snapshot;

use crate::retries::{ids, retry, too_strict, verify};
use crate::tidying::orders;
use crate::world::{TABLES, World, foreign};

/// Longer than an undecided switch is waited for.
const LONG: Duration = Duration::from_mins(6);
/// Longer than what a killed replay left behind is left alone.
const LONGER: Duration = Duration::from_hours(48);

fn options(world: &World) -> SwitchOptions {
    SwitchOptions {
        patience: Duration::ZERO,
        clock: world.clock(),
        ..SwitchOptions::default()
    }
}

async fn switch(world: &World) -> Result<SwitchSummary, Error> {
    esteira::switch(&world.lake().await, options(world), Arc::new(Silent)).await
}

/// The rows of the tables as a question sees them.
async fn rows(lake: &Lake, tables: &[&str]) -> Vec<Vec<Row>> {
    let session = lake.session().await.unwrap();
    let mut all = Vec::new();
    for table in tables {
        let frame = session.table(*table).await.unwrap();
        all.push(canonical_rows(&frame.collect().await.unwrap()));
    }
    all
}

async fn all_rows(world: &World) -> Vec<Vec<Row>> {
    let tables = [&TABLES[..], &["quarantine"]].concat();
    rows(&world.lake().await, &tables).await
}

/// What is said of a failure, and the way out.
fn told(error: &Error) -> String {
    format!("{error}\nhint: {}", error.hint().unwrap_or_default())
}

/// The text without dates of folders.
fn without_days(text: &str) -> String {
    let folder = "dt_processamento=";
    let mut parts = text.split(folder);
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        said = format!("{said}{folder}<day>{}", &part[10..]);
    }
    said
}

/// Everything that a replay has written beside the tables.
async fn replays(world: &World) -> Vec<String> {
    let contents = world.store.contents().await.unwrap();
    let keys = contents.into_iter().map(|(key, _)| key);
    keys.filter(|key| key.contains("/replay/")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_to_better_rules_gives_what_a_clean_run_gives_and_once_more_changes_no_row() {
    for (seed, copy_on_write) in [(51, false), (52, true), (53, false)] {
        let mut world = World::new()
            .with_batches_of(5)
            .restless()
            .with_copy_on_write(copy_on_write);
        world.change(too_strict);
        let mut arrivals = History::random(seed, &Shape::default()).arrivals(seed);
        let later = arrivals.split_off(arrivals.len() / 2);
        for arrival in arrivals {
            world.arrive(&arrival).await;
            world.run().await.unwrap();
        }
        world.change(|_| {});
        if let Some(id) = ids(&world).await.first() {
            retry(&world, std::slice::from_ref(id)).await.unwrap();
        }
        let before = world.lake().await.ledger().last_recorded();
        let done = switch(&world).await.unwrap();
        assert_eq!(done.batch, before + 1);
        assert!(done.left_alone.is_empty() && done.kept.is_none());
        world.check().await;
        verify(&world).await;
        let after = all_rows(&world).await;
        for (name, table) in TABLES.iter().zip(&after) {
            assert_eq!(done.tables[*name].rows, table.len() as u64, "{name}");
        }

        let again = switch(&world).await.unwrap();
        for table in again.tables.values() {
            assert_eq!(table.rows, table.rows_before);
        }
        assert!(all_rows(&world).await == after);
        world.check().await;
        assert!(replays(&world).await.is_empty());

        for arrival in later {
            world.arrive(&arrival).await;
            world.run().await.unwrap();
            world.check().await;
        }
        retry(&world, &[]).await.unwrap();
        world.vacuum().await;
        world.check().await;
        verify(&world).await;
    }
}

/// A folder with the marketplace's pipeline, in which these texts of these files are others.
fn changed(changes: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new("../../pipelines/marketing_place");
    std::fs::create_dir(folder.path().join("models")).unwrap();
    let models = TABLES.map(|table| format!("models/{table}.sql"));
    let files = ["pipeline.toml", "schema.sql"].map(str::to_owned);
    for file in files.iter().chain(&models) {
        let mut text = std::fs::read_to_string(source.join(file)).unwrap();
        text = text.replace("input/*.json", "input/**");
        for (_, from, to) in changes.iter().filter(|change| change.0 == file) {
            assert!(text.contains(from), "`{file}` has no `{from}`");
            text = text.replacen(from, to, 1);
        }
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().display().to_string()
}

/// Other columns of orders, another type in products, and sellers under another name.
fn with_other_columns() -> tempfile::TempDir {
    let folder = changed(&[
        ("models/orders.sql", "  cod_idef_clie,\n", ""),
        (
            "models/orders.sql",
            "  stat_pgto,",
            "  stat_pgto AS situacao,",
        ),
        (
            "models/products.sql",
            "item['qtd_item_pedi']",
            "CAST(item['qtd_item_pedi'] AS STRING)",
        ),
        ("pipeline.toml", "name = \"sellers\"", "name = \"vendors\""),
    ]);
    let models = folder.path().join("models");
    std::fs::rename(models.join("sellers.sql"), models.join("vendors.sql")).unwrap();
    folder
}

/// Holds the tables with other columns against the oracle.
async fn check_other_columns(world: &World) {
    let mut wanted = expected(&world.arrived);
    for row in &mut wanted.orders {
        row.remove("cod_idef_clie");
        let state = row.remove("stat_pgto").unwrap();
        row.insert("situacao".to_owned(), state);
    }
    for row in &mut wanted.products {
        let quantity = row.get_mut("qtd_item_pedi").unwrap();
        if let Some(number) = quantity.as_i64() {
            *quantity = number.to_string().into();
        }
    }
    let names = ["orders", "products", "vendors", "shipments"];
    let found = rows(&world.lake().await, &names).await;
    let wanted = [
        &wanted.orders,
        &wanted.products,
        &wanted.sellers,
        &wanted.shipments,
    ];
    for ((name, found), wanted) in names.iter().zip(&found).zip(wanted) {
        if let Some(difference) = diff(wanted, found) {
            panic!("{name}: {difference}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_changed_come_with_a_switch_and_the_job_from_before_stops() {
    let (old, new) = (changed(&[]), with_other_columns());
    let mut world = World::of(&path(&old)).with_batches_of(6);
    let mut arrivals = History::random(61, &Shape::default()).arrivals(61);
    let later = arrivals.split_off(arrivals.len() / 2);
    for arrival in arrivals {
        world.arrive(&arrival).await;
        world.run().await.unwrap();
    }
    let before = all_rows(&world).await;
    let versions = world.versions().await;

    world.follow(&path(&new));
    assert_snapshot!(told(&world.run().await.unwrap_err()), @r#"
    table `orders` has other columns than the pipeline: `cod_idef_clie` STRING is in the table, not in the pipeline; `stat_pgto` STRING is in the table, not in the pipeline
    hint: undo the change in the pipeline, or build the tables anew from the originals: `esteira replay --switch`
    "#);
    let done = switch(&world).await.unwrap();
    assert_eq!(done.left_alone, ["sellers"]);
    assert_eq!(done.tables["vendors"].rows_before, 0);
    check_other_columns(&world).await;
    verify(&world).await;
    for arrival in later {
        world.arrive(&arrival).await;
        world.run().await.unwrap();
    }
    check_other_columns(&world).await;

    // What was there before stays readable, by number.
    let mut orders = foreign(&world.bucket(), "orders").await;
    orders.load_version(versions["orders"]).await.unwrap();
    let session = datafusion::prelude::SessionContext::new();
    orders.update_datafusion_session(&session.state()).unwrap();
    let provider = orders.table_provider().await.unwrap();
    let frame = session.read_table(provider).unwrap();
    let read = canonical_rows(&frame.collect().await.unwrap());
    assert!(read == before[0], "the version from before");

    world.follow(&path(&old));
    world
        .arrive(&[crate::tidying::orders("late", 900..903, 9)])
        .await;
    let mut stopped = told(&world.run().await.unwrap_err());
    for folder in [&old, &new] {
        let fingerprint = fingerprint(&path(folder)).await;
        stopped = stopped.replace(&fingerprint, "<rules>");
    }
    assert_snapshot!(stopped, @r#"
    the tables of process `marketing_place` were switched to other rules in batch 2: this pipeline (`<rules>`) is from before, the tables are made by `<rules>`
    hint: start the job with the pipeline that the tables were switched to, or switch to this one: `esteira replay --switch`
    "#);
    assert_snapshot!(
        told(&retry(&world, &[]).await.unwrap_err()).replace(&fingerprint(&path(&old)).await, "<old>")
            .replace(&fingerprint(&path(&new)).await, "<new>"),
        @r#"
    the tables of process `marketing_place` were switched to other rules in batch 2: this pipeline (`<old>`) is from before, the tables are made by `<new>`
    hint: start the job with the pipeline that the tables were switched to, or switch to this one: `esteira replay --switch`
    "#
    );

    // And back.
    let done = switch(&world).await.unwrap();
    assert_eq!(done.left_alone, ["vendors"]);
    world.run().await.unwrap();
    world.check().await;
    verify(&world).await;
}

async fn fingerprint(folder: &str) -> String {
    let files = Pipeline::files(folder).unwrap();
    files.load().await.unwrap().fingerprint
}

/// Whatever the job did of a batch before it was killed, and whatever columns the tables get.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batch_that_was_interrupted_anywhere_is_in_the_tables_after_a_switch() {
    let (old, new) = (changed(&[]), with_other_columns());
    let shape = Shape {
        orders: 4,
        entries: 8,
        ..Shape::default()
    };
    let history = History::random(71, &shape).arrivals(71);
    let mut interrupted = 0;
    for writes in 0.. {
        let mut world = World::of(&path(&old)).with_batches_of(3).at_rest();
        let (first, others) = history.split_first().unwrap();
        world.arrive(first).await;
        world.run().await.unwrap();
        for other in others {
            world.arrive(other).await;
        }
        world.store.die_after(writes);
        let outcome = world.run().await;
        let died = world.store.is_dead();
        world.store.revive();
        assert_eq!(died, outcome.is_err());
        interrupted += world.lake().await.ledger().unfinished().len();
        world.follow(&path(&new));
        switch(&world).await.unwrap();
        world.run().await.unwrap();
        check_other_columns(&world).await;
        verify(&world).await;
        let lake = world.lake().await;
        let totals = &lake.ledger().last_record().unwrap().totals;
        assert_eq!(totals.objects.discovered, world.arrived.len() as u64);
        assert_eq!(totals.events.discovered, expected(&world.arrived).entries);
        if !died {
            break;
        }
    }
    assert!(interrupted > 10, "only {interrupted} interrupted batches");
}

/// A type that the table's readers need not know would make it unreadable for them, and for us.
#[tokio::test(flavor = "multi_thread")]
async fn switch_does_not_bring_a_table_its_first_local_timestamp() {
    let local = changed(&[(
        "models/orders.sql",
        "  stat_pgto,",
        "  CAST(dat_hor_tran AS TIMESTAMP) AS local,",
    )]);
    let mut world = World::new();
    world.arrive(&[orders("a", 0..5, 1)]).await;
    world.run().await.unwrap();
    world.follow(&path(&local));
    assert_snapshot!(told(&switch(&world).await.unwrap_err()), @r"
    table `orders` has no TIMESTAMP_NTZ so far, and the pipeline gives it one: its readers need not know that type
    hint: make it a TIMESTAMP in the model, for instance with `AT TIME ZONE 'UTC'`, or give the table another name
    ");
    assert!(replays(&world).await.is_empty());
    world.follow("marketing_place");
    world.arrive(&[orders("b", 5..9, 1)]).await;
    world.run().await.unwrap();
}

/// Killed after each write, it is as it was or as it shall be, for every reader, and ends right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_after_every_write_of_a_switch_leaves_the_old_tables_or_the_new() {
    let shape = Shape {
        orders: 4,
        entries: 8,
        bad_percent: 20,
        ..Shape::default()
    };
    let history = History::random(81, &shape);
    let (mut kills, mut finished) = (0, 0);
    for writes in 0.. {
        let mut world = World::new().with_batches_of(4).restless();
        world.change(too_strict);
        world.play(&history, 81).await;
        let before = all_rows(&world).await;
        world.change(|_| {});
        world.store.die_after(writes);
        let outcome = switch(&world).await;
        let died = world.store.is_dead();
        world.store.revive();
        let is_new = {
            let seen = all_rows(&world).await;
            let wanted = expected(&world.arrived);
            let is_new = seen[0] == wanted.orders;
            assert!(is_new || seen == before, "after {writes} writes");
            is_new
        };
        if died {
            kills += 1;
            // By turns the job comes next, or the switch again.
            // What a decided switch is finished from is kept, however old it is.
            world.later(if writes % 4 == 1 { LONGER } else { LONG });
            if writes % 2 == 0 {
                world.run().await.unwrap();
                let seen = all_rows(&world).await;
                let switched = seen[0] == expected(&world.arrived).orders;
                finished += usize::from(switched && !is_new);
                assert!(
                    switched || seen == before,
                    "after {writes} writes and a run"
                );
            }
            switch(&world).await.unwrap();
        } else {
            outcome.unwrap();
        }
        world.check().await;
        world.run().await.unwrap();
        world.vacuum().await;
        world.check().await;
        if !died {
            assert!(replays(&world).await.is_empty());
            verify(&world).await;
            break;
        }
    }
    assert!(kills > 40, "only {kills} kills");
    assert!(finished > 3, "only {finished} finished by the job");
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_in_the_middle_of_a_switch_sees_what_was_there_before() {
    let mut world = World::new().with_batches_of(6);
    world.change(too_strict);
    world
        .play(&History::random(91, &Shape::default()), 91)
        .await;
    let before = all_rows(&world).await;
    world.change(|_| {});
    let tables = [&TABLES[..], &["quarantine"]].concat();
    for part in ["orders/_delta_log", "shipments/_delta_log", "/records/"] {
        let lake = world.lake().await;
        let (pipeline, bucket) = (lake.pipeline().clone(), world.bucket());
        let (wanted, tables) = (before.clone(), tables.clone());
        let part_of_live = match part {
            "/records/" => part.to_owned(),
            part => format!("analytics/{part}"),
        };
        world.store.before_write_to(&part_of_live, move || {
            async move {
                let lake = Lake::open(pipeline, bucket).await.unwrap();
                assert!(rows(&lake, &tables).await == wanted, "before {part}");
            }
            .boxed()
        });
        switch(&world).await.unwrap();
        assert!(world.store.is_calm());
        world.check().await;
        // Back to the tables from before, for the next round.
        world.change(too_strict);
        switch(&world).await.unwrap();
        assert!(all_rows(&world).await == before, "back");
        world.change(|_| {});
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_switches_at_a_time_come_one_after_the_other() {
    for seed in 101..105 {
        let mut world = World::new().with_batches_of(6);
        world.change(too_strict);
        world
            .play(&History::random(seed, &Shape::default()), seed)
            .await;
        world.change(|_| {});
        let (one, other) = tokio::join!(switch(&world), switch(&world));
        let mut batches = [one.unwrap().batch, other.unwrap().batch];
        batches.sort_unstable();
        assert_eq!(batches[0] + 1, batches[1]);
        world.check().await;
        verify(&world).await;
        assert!(replays(&world).await.is_empty());
    }
}

/// What another program does to a table until the last moment is replaced like everything else.
#[tokio::test(flavor = "multi_thread")]
async fn commit_of_another_program_in_between_makes_no_difference() {
    let mut world = World::new();
    world.arrive(&[orders("a", 0..40, 1)]).await;
    world.run().await.unwrap();
    let bucket = world.bucket();
    world
        .store
        .before_write_to("analytics/orders/_delta_log", move || {
            async move {
                let table = foreign(&bucket, "orders").await;
                table.delete().await.unwrap();
            }
            .boxed()
        });
    switch(&world).await.unwrap();
    assert!(world.store.is_calm());
    world.check().await;
    verify(&world).await;
}

/// Batches that the job records while the switch replays are in it.
#[tokio::test(flavor = "multi_thread")]
async fn batches_of_a_job_beside_are_in_the_switch() {
    let mut world = World::new().with_batches_of(4);
    let mut arrivals = History::random(111, &Shape::default())
        .arrivals(111)
        .into_iter();
    world.change(too_strict);
    world.arrive(&arrivals.next().unwrap()).await;
    world.run().await.unwrap();
    for arrival in arrivals {
        world.arrive(&arrival).await;
    }
    let mut job = world.beside("marketing_place").with_batches_of(4);
    job.change(too_strict);
    job.take_everything();
    let recorded = world.lake().await.ledger().last_recorded();
    world.change(|_| {});
    // Right before the switch is planned: its number is taken.
    world.store.before_write_to("/plans/", move || {
        async move {
            job.run().await.unwrap();
        }
        .boxed()
    });
    let done = switch(&world).await.unwrap();
    assert!(world.store.is_calm());
    assert!(done.batch > recorded + 2, "{done:?}");
    world.check().await;
    verify(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_that_is_not_decided_is_waited_for_and_given_up_after_a_while() {
    let mut world = World::new();
    world.change(too_strict);
    world
        .play(&History::random(121, &Shape::default()), 121)
        .await;
    let before = all_rows(&world).await;
    let mut job = world.beside("marketing_place");
    job.change(too_strict);
    job.take_everything();
    world.change(|_| {});
    world.store.before_write_to("/switches/", move || {
        async move {
            let error = job.run().await.unwrap_err();
            assert!(error.is_transient());
            assert_snapshot!(told(&error), @r#"
    batch 5 of process `marketing_place` is a switch to replayed tables that is not finished
    hint: this goes on when it is; a switch that nobody finishes is given up 5 minutes after it was planned, and nothing is lost
    "#);
            job.later(LONG);
            job.run().await.unwrap();
        }
        .boxed()
    });
    let error = switch(&world).await.unwrap_err();
    assert!(world.store.is_calm());
    assert_snapshot!(told(&error), @r#"
    the switch, batch 5, took too long to prepare and was given up by somebody who waited
    hint: the tables are as they were; do it again when less is going on
    "#);
    assert!(all_rows(&world).await == before);
    let lake = world.lake().await;
    let record = lake.ledger().last_record().unwrap();
    let given_up = record.switch.as_ref().unwrap().given_up.as_deref();
    assert_eq!(given_up, Some("it was not decided in time"));
    assert!(lake.ledger().unfinished().is_empty());
    assert!(replays(&world).await.is_empty());
    switch(&world).await.unwrap();
    world.check().await;
    verify(&world).await;
}

/// What cannot be replayed leaves no trace.
#[tokio::test(flavor = "multi_thread")]
async fn switch_that_fails_leaves_everything_as_it_was() {
    let mut world = World::new();
    world.arrive(&[orders("a", 0..4, 1)]).await;
    world.run().await.unwrap();
    let before = all_rows(&world).await;
    let strict = changed(&[(
        "pipeline.toml",
        "key = [\"txt_detl_idt_pedi_pgto\"]",
        "key = [\"txt_detl_idt_pedi_pgto\"]\n[[table.rule]]\nname = \"moved\"\n\
         condition = \"stat_pedi <> '1'\"\naction = \"stop\"",
    )]);
    let stopped = world.beside(&path(&strict));
    assert_snapshot!(without_days(&told(&switch(&stopped).await.unwrap_err())), @r#"
    batch 1: event 0 of `input/a.json` breaks rule `moved` of table `orders`: stat_pedi <> '1'
    hint: its original is `raw/marketing_place/dt_processamento=<day>/a.json`. Change the rule or its action (`quarantine` sets the event aside), then do it again; a batch that was stopped is in no table, and the next run takes it up
    "#);
    // Looking on is not ended by it.
    let checked = crate::account::verify(&stopped).await.unwrap();
    assert!(checked.holds());
    let stopping: Vec<String> = checked.stopping.iter().map(ToString::to_string).collect();
    assert_snapshot!(stopping.join("\n"), @r#"
    batch 1: event 0 of `input/a.json` breaks rule `moved` of table `orders`: stat_pedi <> '1'
    "#);
    let why = esteira::why(&stopped.lake().await, "orders", &[ID.to_owned()], &Silent).await;
    assert!(why.unwrap().agrees());
    assert!(all_rows(&world).await == before);
    assert_eq!(world.lake().await.ledger().last_plan(), 1);
    assert!(replays(&world).await.is_empty());

    // A batch that cannot be taken any more when everybody waits.
    let mut job = world.beside("marketing_place");
    job.take_everything();
    world.arrive(&[orders("b", 4..6, 1)]).await;
    let store = Arc::clone(&world.store);
    world.store.before_write_to("/plans/", move || {
        async move {
            job.run().await.unwrap();
            let contents = store.contents().await.unwrap();
            let kept = contents
                .iter()
                .find(|(key, _)| key.starts_with("raw/") && key.contains("/b"));
            let path = object_store::path::Path::parse(&kept.unwrap().0).unwrap();
            object_store::ObjectStoreExt::delete(&*store, &path)
                .await
                .unwrap();
        }
        .boxed()
    });
    let error = switch(&world).await.unwrap_err();
    assert!(matches!(error, Error::Original { .. }), "{error}");
    assert!(world.store.is_calm());
    let lake = world.lake().await;
    assert!(lake.ledger().unfinished().is_empty());
    assert!(replays(&world).await.is_empty());
    world.arrive(&[orders("c", 6..9, 1)]).await;
    world.run().await.unwrap();
}

/// The first of the orders.
const ID: &str = "0000000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_every_kind_switch() {
    for (seed, copy_on_write) in [(131, false), (132, true)] {
        let mut world = World::of("product_reviews")
            .with_batches_of(3)
            .with_copy_on_write(copy_on_write)
            .restless();
        let mut arrivals = reviews::random(seed, 40).arrivals(seed);
        let later = arrivals.split_off(arrivals.len() / 2);
        for arrival in arrivals {
            world.arrive(&arrival).await;
            world.run().await.unwrap();
        }
        // Tables made without deletion vectors stay without.
        let mut world = world.with_copy_on_write(false);
        switch(&world).await.unwrap();
        world.check_reviews().await;
        verify(&world).await;
        for arrival in later {
            world.arrive(&arrival).await;
            world.run().await.unwrap();
        }
        world.check_reviews().await;
        switch(&world).await.unwrap();
        world.check_reviews().await;
        world.vacuum().await;
        verify(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_where_they_are_asked_for_and_kept_there() {
    let mut world = World::new();
    world.arrive(&[orders("a", 0..4, 1)]).await;
    world.run().await.unwrap();
    let of = |into: &str, keep| SwitchOptions {
        into: Some(into.to_owned()),
        keep,
        ..options(&world)
    };
    let lake = world.lake().await;
    let taken = esteira::switch(&lake, of("analytics/orders/x", true), Arc::new(Silent)).await;
    assert!(matches!(taken.unwrap_err(), Error::Taken { .. }));
    let done = esteira::switch(&lake, of("/anew/", true), Arc::new(Silent)).await;
    assert_eq!(done.unwrap().kept.as_deref(), Some("anew"));
    let kept = foreign_at(&world, "anew/orders").await;
    assert_eq!(kept, 4);
    let lake = world.lake().await;
    let occupied = esteira::switch(&lake, of("anew", true), Arc::new(Silent)).await;
    assert!(matches!(occupied.unwrap_err(), Error::Occupied { .. }));
    let done = esteira::switch(&lake, of("other", false), Arc::new(Silent)).await;
    assert_eq!(done.unwrap().kept, None);
    let contents = world.store.contents().await.unwrap();
    assert!(contents.iter().all(|(key, _)| !key.starts_with("other/")));
    world.check().await;
}

async fn foreign_at(world: &World, path: &str) -> usize {
    let bucket = world.bucket();
    let log_store = bucket.log_store(path).unwrap();
    let mut table = deltalake::DeltaTable::new(log_store);
    table.load().await.unwrap();
    let session = datafusion::prelude::SessionContext::new();
    table.update_datafusion_session(&session.state()).unwrap();
    let provider = table.table_provider().await.unwrap();
    session.read_table(provider).unwrap().count().await.unwrap()
}
