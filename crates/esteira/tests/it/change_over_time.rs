//! A pipeline that changes while its tables are there: columns are added, types become wider, and the
//! rest is refused before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use esteira::{Error, Silent};
use esteira_lake::tables::TableError;
use esteira_lake::tidy::Effort;
use esteira_testkit::history::History;
use esteira_testkit::oracle::{InputObject, instant_text};
use esteira_testkit::random::Random;
use esteira_testkit::reviews;
use esteira_testkit::rows::{canonical_rows, diff};
use futures::FutureExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::orders::runtime;
use crate::world::{World, foreign};

/// A file, a text in it, and what is there instead.
type Change = (&'static str, &'static str, &'static str);

/// A column more in every table of the reviews, in the middle of the others.
const LANG: &[Change] = &[
    ("schema.sql", "  title ", "  lang STRING,\n  title "),
    ("models/reviews.sql", "  title,", "  lang,\n  title,"),
    (
        "models/review_history.sql",
        "  rating,",
        "  lang,\n  rating,",
    ),
    ("models/review_log.sql", "  rating,", "  lang,\n  rating,"),
];

/// A type that holds more.
const WIDE: &[Change] = &[("schema.sql", "rating            INT", "rating BIGINT")];

/// A copy of a built-in pipeline with these changes.
fn changed(pipeline: &str, changes: &[&[Change]]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new("../../pipelines").join(pipeline);
    std::fs::create_dir(folder.path().join("models")).unwrap();
    let models = std::fs::read_dir(source.join("models")).unwrap();
    let models = models.map(|file| format!("models/{}", file.unwrap().file_name().display()));
    let files = ["pipeline.toml", "schema.sql"].map(str::to_owned);
    for file in files.into_iter().chain(models) {
        let mut text = std::fs::read_to_string(source.join(&file)).unwrap();
        for (of, from, to) in changes.iter().copied().flatten() {
            if *of == file {
                assert!(text.contains(from), "{from} in {file}");
                text = text.replacen(from, to, 1);
            }
        }
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

/// What an object had, by its key and when it was written.
type Arrived = BTreeSet<(String, i64)>;

fn arrived(objects: &[InputObject]) -> Arrived {
    let place = |object: &InputObject| (object.key.clone(), object.modified_micros);
    objects.iter().map(place).collect()
}

/// Holds the reviews against their oracle, where `lang` is a column of the events in `later`, and is rescued
/// data of all others.
async fn check(world: &World, later: &Arrived) {
    let expected = reviews::expected(&world.arrived);
    // What each event has, if it is one of those, by where it was.
    let mut langs: BTreeMap<(String, String, usize), Value> = BTreeMap::new();
    for object in &world.arrived {
        let place = (object.key.clone(), object.modified_micros);
        if !later.contains(&place) {
            continue;
        }
        let written = instant_text(object.modified_micros);
        let lines = std::str::from_utf8(&object.bytes).unwrap().lines();
        for (position, line) in lines.enumerate() {
            let event: Value = serde_json::from_str(line).unwrap();
            let place = (object.key.clone(), written.clone(), position);
            langs.insert(place, event["lang"].clone());
        }
    }
    let session = world.lake().await.session().await.unwrap();
    for (table, wanted) in expected.tables() {
        let mut wanted = wanted.to_vec();
        for row in wanted.iter_mut().filter(|_| !table.ends_with("_deleted")) {
            let text = |column: &str| row[column].as_str().unwrap().to_owned();
            let position = row["_source_position"].as_u64().unwrap();
            let position = usize::try_from(position).unwrap();
            let place = (text("_source_file"), text("_source_modified"), position);
            let lang = langs.get(&place);
            if lang.is_some() && row.contains_key("_rescued_data") {
                row.insert("_rescued_data".to_owned(), Value::Null);
            }
            row.insert("lang".to_owned(), lang.cloned().unwrap_or_default());
        }
        let frame = session.table(table).await.unwrap();
        let rows = canonical_rows(&frame.collect().await.unwrap());
        if let Some(difference) = diff(&wanted, &rows) {
            panic!("{table}: {difference}");
        }
    }
}

/// A history in two halves, both as waves of arrivals.
fn halves(seed: u64, events: usize) -> [Vec<Vec<InputObject>>; 2] {
    let History { mut objects } = reviews::random(seed, events);
    let later = objects.split_off(objects.len() / 2);
    let arrivals = |objects, seed| History { objects }.arrivals(seed);
    [arrivals(objects, seed ^ 1), arrivals(later, seed ^ 2)]
}

async fn take(world: &mut World, arrival: &[InputObject]) {
    world.arrive(arrival).await;
    world.run().await.unwrap();
}

async fn tidy(world: &World, chance: &mut Random) {
    match chance.below(5) {
        0 => world.optimize(Effort::Full).await,
        1 => world.optimize(Effort::Purge).await,
        2 => drop(world.vacuum().await),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn tables_equal_the_oracle_when_columns_come_in_the_middle_of_a_history(
        seed in any::<u64>(),
        batch in 1usize..8,
        copy_on_write in any::<bool>(),
        wide in any::<bool>(),
    ) {
        runtime().block_on(async {
            let mut world = World::of("product_reviews")
                .with_batches_of(batch)
                .with_copy_on_write(copy_on_write)
                .restless();
            let mut chance = Random::new(seed ^ 3);
            let [first, second] = halves(seed, 40);
            for arrival in &first {
                take(&mut world, arrival).await;
                tidy(&world, &mut chance).await;
            }
            world.check_reviews().await;
            let folder = changed("product_reviews", &[LANG]);
            world.turn_to(folder.path());
            let later = arrived(&second.concat());
            let middle = second.len() / 2;
            let folder = changed("product_reviews", &[LANG, WIDE]);
            for (wave, arrival) in second.iter().enumerate() {
                if wide && wave == middle {
                    world.turn_to(folder.path());
                    esteira::upgrade(&world.lake().await, &[]).await.unwrap();
                }
                take(&mut world, arrival).await;
                tidy(&world, &mut chance).await;
            }
            check(&world, &later).await;
            world.optimize(Effort::Purge).await;
            world.vacuum().await;
            check(&world, &later).await;
        });
    }
}

/// Worlds that got a column, killed after each write in turn from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_after_every_write_while_columns_are_added_replays_cleanly() {
    let [first, second] = halves(5, 12);
    let folder = changed("product_reviews", &[LANG]);
    let later = arrived(&second.concat());
    for writes in 0.. {
        let mut world = World::of("product_reviews").with_batches_of(3).restless();
        for arrival in &first {
            take(&mut world, arrival).await;
        }
        world.turn_to(folder.path());
        world.store.die_after(writes);
        let mut died = false;
        for arrival in &second {
            world.arrive(arrival).await;
            let outcome = world.run().await;
            if world.store.is_dead() {
                died = true;
                world.store.revive();
                world.run().await.unwrap();
            } else {
                outcome.unwrap();
            }
        }
        check(&world, &later).await;
        world.store.revive();
        world.vacuum().await;
        check(&world, &later).await;
        if !died {
            assert!(writes > 20, "only {writes} kills");
            break;
        }
    }
}

/// The rewriting, killed after each of its writes in turn: the table is the old one until it is the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_after_every_write_while_types_become_wider_leaves_the_table_as_it_was() {
    let [first, second] = halves(6, 14);
    let folder = changed("product_reviews", &[LANG, WIDE]);
    let later = arrived(&second.concat());
    for writes in 0.. {
        let mut world = World::of("product_reviews").with_batches_of(3).at_rest();
        for arrival in &first {
            take(&mut world, arrival).await;
        }
        world.check_reviews().await;
        world.turn_to(folder.path());
        world.store.die_after(writes);
        let outcome = esteira::upgrade(&world.lake().await, &[]).await;
        let died = world.store.is_dead();
        world.store.revive();
        if died {
            outcome.unwrap_err();
            // What is recorded is read as before.
            world.check_reviews_with("product_reviews").await;
            esteira::upgrade(&world.lake().await, &[]).await.unwrap();
        } else {
            let done = outcome.unwrap();
            let wider = done.iter().filter(|(_, done)| done.widening.is_some());
            let wider: Vec<&str> = wider.map(|(table, _)| table.as_str()).collect();
            assert_eq!(wider, ["reviews", "review_history", "review_log"]);
        }
        for arrival in &second {
            take(&mut world, arrival).await;
        }
        check(&world, &later).await;
        if !died {
            assert!(writes > 10, "only {writes} kills");
            break;
        }
    }
}

fn review(name: &str, day: u32, lang: Option<&str>) -> InputObject {
    let lang = lang.map_or_else(String::new, |lang| format!(",\"lang\":\"{lang}\""));
    InputObject {
        key: format!("reviews/{name}.ndjson"),
        modified_micros: 1_700_000_000_000_000,
        bytes: format!(
            "{{\"product_id\":1,\"customer_id\":\"{name}\",\"rating\":5,\"status\":\"PUBLISHED\",\
             \"updated_at\":\"2024-05-{day:02}T00:00:00Z\"{lang}}}\n"
        )
        .into_bytes(),
    }
}

/// How many commits of a table changed its metadata.
async fn metadata_commits(world: &World, table: &str) -> usize {
    let log = format!("analytics/{table}/_delta_log/");
    let contents = world.store.contents().await.unwrap();
    let commits = contents.iter().filter(|(key, _)| key.starts_with(&log));
    commits
        .filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains("\"metaData\""))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runners_that_add_a_column_one_does() {
    let folder = changed("product_reviews", &[LANG]);
    let mut world = World::of("product_reviews");
    take(&mut world, &[review("ana", 1, Some("pt"))]).await;
    world.turn_to(folder.path());
    let rival = world.beside(folder.path().to_str().unwrap());
    world
        .store
        .before_write_to("analytics/reviews/_delta_log/", move || {
            async move {
                rival.run().await.unwrap();
            }
            .boxed()
        });
    let second = review("bia", 2, Some("en"));
    world.arrive(std::slice::from_ref(&second)).await;
    // The other one takes the batch, too: the fence is for both.
    match world.run().await {
        Ok(_) | Err(Error::Ledger(_)) => {}
        Err(error) => panic!("{error}"),
    }
    assert!(world.store.is_calm(), "nobody came in between");
    world.run().await.unwrap();
    check(&world, &arrived(&[second])).await;
    for table in ["reviews", "review_history", "review_log"] {
        assert_eq!(metadata_commits(&world, table).await, 2, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_that_commits_while_a_column_is_added_is_no_harm() {
    let folder = changed("product_reviews", &[LANG]);
    let mut world = World::of("product_reviews").at_rest();
    for (name, day) in [("ana", 1), ("bia", 2), ("caio", 3)] {
        take(&mut world, &[review(name, day, None)]).await;
    }
    world.turn_to(folder.path());
    let bucket = world.bucket();
    world
        .store
        .before_write_to("analytics/reviews/_delta_log/", move || {
            async move {
                let opened = foreign(&bucket, "reviews").await;
                let (_, metrics) = opened.optimize().await.unwrap();
                assert!(metrics.num_files_removed > 1, "{metrics:?}");
            }
            .boxed()
        });
    let news = [review("ana-2", 4, Some("pt"))];
    take(&mut world, &news).await;
    assert!(world.store.is_calm(), "nobody came in between");
    check(&world, &arrived(&news)).await;
}

/// A batch commits between the rewriting and its commit: all is written once more, from what is there then.
#[tokio::test(flavor = "multi_thread")]
async fn batch_that_commits_while_types_become_wider_is_not_lost() {
    let folder = changed("product_reviews", &[WIDE]);
    let mut world = World::of("product_reviews").at_rest();
    take(&mut world, &[review("ana", 1, None)]).await;
    let mut old = world.beside("product_reviews");
    let late = review("bia", 2, None);
    world.arrived.push(late.clone());
    world.turn_to(folder.path());
    world
        .store
        .before_write_to("analytics/reviews/_delta_log/", move || {
            async move {
                old.arrive(&[late]).await;
                old.run().await.unwrap();
            }
            .boxed()
        });
    let done = esteira::upgrade(&world.lake().await, &["reviews".to_owned()]).await;
    let widening = done.unwrap()[0].1.widening.clone().unwrap();
    assert_eq!(widening.files, 2);
    assert!(world.store.is_calm(), "nobody came in between");
    esteira::upgrade(&world.lake().await, &[]).await.unwrap();
    take(&mut world, &[review("caio", 3, None)]).await;
    world.check_reviews().await;
}

/// The rows of a question as JSON.
async fn ask(world: &World, sql: &str) -> Vec<Value> {
    let session = world.lake().await.session().await.unwrap();
    let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
    let mut rows: Vec<Value> = canonical_rows(&rows)
        .into_iter()
        .map(|row| json!(row))
        .collect();
    rows.sort_by_key(|row| row["id"].to_string());
    rows
}

fn order(id: &str, second: u32, more: &str) -> InputObject {
    InputObject {
        key: format!("input/{id}-{second}.json"),
        modified_micros: 1_700_000_000_000_000 + i64::from(second),
        bytes: format!(
            r#"{{"txt_detl_idt_pedi_pgto":"{id}","dat_atui":"2024-01-01T00:00:{second:02}Z",
                "list_item_pedi":[{{"nom_item":"i","idt_venr":"v-{id}","vlr_prod":1.5{more}}}],
                "list_envo":[{{"cod_venr":"v","list_item_envo":[{{"cod_prod":"p","qtd_prod":2{more}}}]}}]}}"#
        )
        .into_bytes(),
    }
}

/// Fields inside of lists: the shipments have the whole list as a column, the products a column of it.
#[tokio::test(flavor = "multi_thread")]
async fn field_inside_of_a_list_is_added_to_what_is_there() {
    const COR: &[Change] = &[
        (
            "schema.sql",
            "    nom_item: STRING,",
            "    cor: STRING,\n    nom_item: STRING,",
        ),
        (
            "schema.sql",
            "      cod_prod: STRING,",
            "      cor: STRING,\n      cod_prod: STRING,",
        ),
        (
            "models/products.sql",
            "FROM (",
            ", item['cor'] AS cor\nFROM (",
        ),
        (
            "models/products.sql",
            "  dat_atui\n, item",
            "  dat_atui, item",
        ),
    ];
    for copy_on_write in [false, true] {
        let mut world = World::new().with_copy_on_write(copy_on_write).at_rest();
        let azul = r#","cor":"azul""#;
        take(&mut world, &[order("a", 1, azul), order("b", 1, azul)]).await;
        take(&mut world, &[order("c", 1, azul)]).await;
        let folder = changed("marketing_place", &[COR]);
        world.turn_to(folder.path());
        take(&mut world, &[order("b", 2, azul), order("d", 2, "")]).await;
        let products =
            "SELECT txt_detl_idt_pedi_pgto AS id, cor, vlr_prod FROM products ORDER BY 1";
        let row = |id: &str, cor: Value| json!({"id": id, "cor": cor, "vlr_prod": "1.50"});
        let shipments = "SELECT txt_detl_idt_pedi_pgto AS id, list_envo FROM shipments ORDER BY 1";
        let list = |id: &str, cor: Value| {
            let item = json!({"cod_prod": "p", "cod_prod_venr": null, "stat_entg": null,
                "qtd_prod": 2, "cor": cor});
            let envo = json!({"cod_tipo_entg": null, "cod_venr": "v", "nom_stat_entg": null,
                "dat_emis_cpvt": null, "list_item_envo": [item]});
            json!({"id": id, "list_envo": [envo]})
        };
        for tidied in [false, true] {
            if tidied {
                world.optimize(Effort::Purge).await;
                take(&mut world, &[order("e", 3, "")]).await;
            }
            let of = |row: &dyn Fn(&str, Value) -> Value| {
                let mut rows = vec![
                    row("a", Value::Null),
                    row("b", json!("azul")),
                    row("c", Value::Null),
                    row("d", Value::Null),
                ];
                rows.extend(tidied.then(|| row("e", Value::Null)));
                rows
            };
            assert_eq!(ask(&world, products).await, of(&row), "{copy_on_write}");
            assert_eq!(ask(&world, shipments).await, of(&list), "{copy_on_write}");
        }
    }
}

fn columns_error(error: Error) -> String {
    let hint = error.hint().unwrap();
    match error {
        Error::Table(error @ TableError::Columns { .. }) => format!("{error}\n{hint}"),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_so_is_told_at_once_and_no_table_is_touched() {
    let mut world = World::of("product_reviews");
    take(&mut world, &[review("ana", 1, None)]).await;
    let before = world.store.contents().await.unwrap();
    let folder = changed(
        "product_reviews",
        &[
            LANG,
            WIDE,
            &[
                ("models/reviews.sql", "  body,\n", "  body AS texto,\n"),
                ("models/reviews.sql", "  verified_purchase,\n", ""),
                (
                    "models/reviews.sql",
                    "  title,",
                    "  CAST(title AS BIGINT) AS title,",
                ),
            ],
        ],
    );
    world.turn_to(folder.path());
    world.arrive(&[review("bia", 2, None)]).await;
    let told = columns_error(world.run().await.unwrap_err());
    insta::assert_snapshot!(told, @r"
    table `reviews` has other columns than the pipeline: `title` is STRING in the table, BIGINT in the pipeline: these are values of another kind; `body` STRING is in the table, not in the pipeline; `verified_purchase` BOOLEAN is in the table, not in the pipeline; `rating` is INT in the table, BIGINT in the pipeline
    undo the change in the pipeline, or build the tables anew from the originals: `esteira replay --switch`
    ");
    let folder = changed(
        "product_reviews",
        &[&[
            ("models/reviews.sql", "  body,\n", "  body AS texto,\n"),
            ("models/reviews.sql", "  verified_purchase,\n", ""),
            (
                "models/reviews.sql",
                "  title,",
                "  CAST(title AS BIGINT) AS title,",
            ),
        ]],
    );
    world.turn_to(folder.path());
    let told = columns_error(world.run().await.unwrap_err());
    insta::assert_snapshot!(told, @r"
    table `reviews` has other columns than the pipeline: `title` is STRING in the table, BIGINT in the pipeline: these are values of another kind; `body` STRING is in the table, not in the pipeline; `verified_purchase` BOOLEAN is in the table, not in the pipeline
    undo the change in the pipeline, or build the tables anew from the originals: `esteira replay --switch`
    ");
    // A history has columns that no row can be without.
    let folder = changed(
        "product_reviews",
        &[&[(
            "pipeline.toml",
            "name = \"reviews\"\n",
            "name = \"reviews\"\nkind = \"history\"\n",
        )]],
    );
    world.turn_to(folder.path());
    let told = columns_error(world.run().await.unwrap_err());
    insta::assert_snapshot!(told, @r"
    table `reviews` has other columns than the pipeline: `valid_from` TIMESTAMP is new, and no row can be without it: rows are told apart by it; `valid_to` TIMESTAMP is new, and no row can be without it: rows are told apart by it
    undo the change in the pipeline, or build the tables anew from the originals: `esteira replay --switch`
    ");
    let mut after = world.store.contents().await.unwrap();
    after.retain(|(key, _)| !key.starts_with("reviews/"));
    let mut before = before;
    before.retain(|(key, _)| !key.starts_with("reviews/"));
    assert!(before == after, "something was written");
}

/// Verifying with rules that came later: rows of the batches before are told apart from damage.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_other_rules_are_told_apart_from_damage() {
    let mut world = World::of("product_reviews");
    take(
        &mut world,
        &[review("ana", 1, Some("pt")), review("bia", 1, None)],
    )
    .await;
    take(&mut world, &[review("caio", 2, Some("en"))]).await;
    let folder = changed("product_reviews", &[LANG]);
    world.turn_to(folder.path());
    // The column is there in the pipeline alone.
    let scratch = tempfile::tempdir().unwrap();
    let verify = async |world: &World| {
        let lake = world.lake().await;
        let into = tempfile::tempdir_in(scratch.path()).unwrap();
        let observer = std::sync::Arc::new(Silent);
        esteira::verify(&lake, into.path(), observer).await.unwrap()
    };
    let checked = verify(&world).await;
    assert!(!checked.holds() && checked.holds_but_for_rules());
    take(&mut world, &[review("dora", 3, Some("fr"))]).await;
    let checked = verify(&world).await;
    assert!(!checked.holds() && checked.holds_but_for_rules());
    let of = |checked: &esteira::Verification, table: &str| {
        let mut tables = checked.tables.iter();
        tables.find(|check| check.table == table).unwrap().clone()
    };
    let reviews = of(&checked, "reviews");
    assert_eq!(
        (reviews.rows, reviews.differing_rows, reviews.by_other_rules),
        (4, 2, 2)
    );
    assert_eq!(reviews.batches_of_other_rules, [1, 2]);
    assert!(reviews.differences.iter().all(|row| row.by_other_rules));
    assert!(of(&checked, "reviews_deleted").holds());
    // Damage to a row of today's rules is damage.
    let opened = world.foreign("reviews").await;
    let gone = datafusion::prelude::col("customer_id").eq(datafusion::prelude::lit("dora"));
    opened.delete().with_predicate(gone).await.unwrap();
    take(&mut world, &[review("eva", 4, None)]).await;
    let checked = verify(&world).await;
    assert!(!checked.holds_but_for_rules());
    let reviews = of(&checked, "reviews");
    assert_eq!((reviews.differing_rows, reviews.by_other_rules), (3, 2));
    assert!(
        !reviews.differences[0].by_other_rules,
        "what is unexplained comes first"
    );
    assert_eq!(reviews.differences[0].key["customer_id"], "dora");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_the_schema_does_not_name_are_counted_until_it_does() {
    let mut world = World::of("product_reviews");
    take(&mut world, &[review("ana", 1, None)]).await;
    let rescued = async |world: &World| {
        let lake = world.lake().await;
        let record = lake.ledger().last_record().unwrap();
        let fields = |of: &esteira_lake::ledger::Rescued| {
            let fields = of.fields.iter();
            fields
                .map(|(path, field)| format!("{path} {} since {}", field.events, field.since))
                .collect::<Vec<_>>()
        };
        (fields(&record.rescued), fields(&record.rescued_totals))
    };
    assert_eq!(rescued(&world).await, (vec![], vec![]));
    let languages = [review("bia", 2, Some("pt")), review("caio", 2, Some("en"))];
    take(&mut world, &languages).await;
    let both = vec!["$.lang 2 since 2".to_owned()];
    assert_eq!(rescued(&world).await, (both.clone(), both));
    take(&mut world, &[review("dora", 3, Some("pt"))]).await;
    let one = vec!["$.lang 1 since 3".to_owned()];
    assert_eq!(
        rescued(&world).await,
        (one, vec!["$.lang 3 since 2".to_owned()])
    );
    let rules = async |world: &World| {
        let lake = world.lake().await;
        lake.ledger().last_record().unwrap().rules_since
    };
    assert_eq!(rules(&world).await, Some(1));
    let folder = changed("product_reviews", &[LANG]);
    world.turn_to(folder.path());
    let clock: std::sync::Arc<dyn esteira::Clock> = std::sync::Arc::new(esteira::SystemClock);
    let status = esteira::status(&world.lake().await, &clock).await.unwrap();
    assert!(
        status.unnamed_fields.is_empty(),
        "the schema names it by now"
    );
    take(&mut world, &[review("eva", 4, Some("pt"))]).await;
    assert_eq!(rescued(&world).await, (vec![], vec![]));
    assert_eq!(rules(&world).await, Some(4));
}

/// The columns are where the pipeline has them, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn columns_have_the_order_of_the_pipeline() {
    let mut world = World::of("product_reviews");
    take(&mut world, &[review("ana", 1, None)]).await;
    let folder = changed("product_reviews", &[LANG]);
    world.turn_to(folder.path());
    take(&mut world, &[review("bia", 2, None)]).await;
    let sql = "SELECT ordinal_position AS place, column_name FROM information_schema.columns \
               WHERE table_name = 'reviews'";
    let mut columns = ask(&world, sql).await;
    columns.sort_by_key(|column| column["place"].as_u64());
    let columns: Vec<&str> = columns
        .iter()
        .map(|column| column["column_name"].as_str().unwrap())
        .collect();
    assert_eq!(
        columns[..5],
        ["product_id", "customer_id", "rating", "lang", "title"]
    );
}
