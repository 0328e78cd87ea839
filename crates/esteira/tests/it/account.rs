//! The tables held against their originals, made anew, and the reasons of a row.

use std::sync::Arc;

use datafusion::prelude::{col, lit};
use esteira::{DifferenceKind, Error, Fate, Silent, Verification, Why};
use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::expected;
use esteira_testkit::rows::{canonical_rows, diff};
use futures::FutureExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;

use crate::tidying::orders;
use crate::world::{TABLES, World, foreign};

/// The key of the `number`-th order, as `orders` makes it.
fn id(number: u64) -> String {
    format!("{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

pub(crate) async fn verify(world: &World) -> Result<Verification, Error> {
    let scratch = tempfile::tempdir().unwrap();
    esteira::verify(&world.lake().await, scratch.path(), Arc::new(Silent)).await
}

async fn why(world: &World, table: &str, key: &str) -> Why {
    let lake = world.lake().await;
    esteira::why(&lake, table, &[key.to_owned()], &Silent)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_what_the_originals_make_whatever_happened_to_the_files() {
    for copy_on_write in [false, true] {
        let mut world = World::new()
            .with_copy_on_write(copy_on_write)
            .restless()
            .with_batches_of(7);
        let history = History::random(11, &Shape::default());
        world.play(&history, 11).await;
        world.vacuum().await;
        let checked = verify(&world).await.unwrap();
        assert!(checked.holds(), "{checked:#?}");
        assert_eq!(checked.tables.len(), TABLES.len() + 1);
        assert!(checked.batches > 3);
        assert_eq!(checked.batches_of_other_rules, 0);
        let totals = expected(&world.arrived).entries;
        assert_eq!(checked.events, totals);
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entity_tags_of_an_encrypted_bucket_are_no_digests() {
    let mut world = World::new();
    world.store.encrypt();
    world.arrive(&[orders("a", 0..40, 1)]).await;
    world.run().await.unwrap();
    world.check().await;
    assert!(verify(&world).await.unwrap().holds());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_others_removed_or_changed_are_named() {
    let mut world = World::new();
    world.arrive(&[orders("a", 0..40, 1)]).await;
    world.run().await.unwrap();
    let opened = foreign(&world.bucket(), "orders").await;
    let gone = col("txt_detl_idt_pedi_pgto").eq(lit(id(3)));
    opened.delete().with_predicate(gone).await.unwrap();
    let opened = foreign(&world.bucket(), "orders").await;
    let changed = col("txt_detl_idt_pedi_pgto").eq(lit(id(5)));
    let update = opened.update().with_predicate(changed);
    update.with_update("stat_pedi", lit("X")).await.unwrap();
    // A record that names the versions with the damage.
    world.arrive(&[orders("b", 40..41, 1)]).await;
    world.run().await.unwrap();

    let checked = verify(&world).await.unwrap();
    let wrong: Vec<_> = checked.tables.iter().filter(|t| !t.holds()).collect();
    assert_eq!(wrong.len(), 1, "{wrong:#?}");
    let orders = wrong[0];
    assert_eq!((orders.rows, orders.expected_rows), (40, 41));
    let named: Vec<_> = orders
        .differences
        .iter()
        .map(|difference| {
            assert_eq!(difference.source_file, "input/a.json");
            let kind = match &difference.kind {
                DifferenceKind::Missing => "missing".to_owned(),
                DifferenceKind::Unexpected => "unexpected".to_owned(),
                DifferenceKind::Different { columns } => format!("{columns:?}"),
            };
            let key = difference.key["txt_detl_idt_pedi_pgto"].clone();
            (key, difference.source_position.clone(), kind)
        })
        .collect();
    let mut expected = [
        (id(3), "3".to_owned(), "missing".to_owned()),
        (
            id(5),
            "5".to_owned(),
            r#"{"stat_pedi": ("X", "1")}"#.to_owned(),
        ),
    ];
    expected.sort();
    assert_eq!(named, expected);

    // The row is gone, its event is not.
    let known = why(&world, "orders", &id(3)).await;
    assert_eq!((known.events.len(), known.stored.len()), (1, 0));
    assert!(!known.agrees());
    assert!(why(&world, "orders", &id(4)).await.agrees());
    assert!(why(&world, "products", &id(3)).await.agrees());
}

#[tokio::test(flavor = "multi_thread")]
async fn original_that_is_gone_or_changed_is_named() {
    let mut world = World::new();
    world.arrive(&[orders("a", 0..4, 1)]).await;
    world.run().await.unwrap();
    let contents = world.store.contents().await.unwrap();
    let (key, bytes) = contents
        .into_iter()
        .find(|(key, _)| key.starts_with("raw/"))
        .unwrap();
    let path = Path::parse(&key).unwrap();
    world.store.put(&path, b"{}".to_vec().into()).await.unwrap();
    let error = verify(&world).await.unwrap_err();
    let said = format!("batch 1: the original of `input/a.json` is not what it was under `{key}`");
    assert_eq!(error.to_string(), said);
    world.store.delete(&path).await.unwrap();
    let error = verify(&world).await.unwrap_err();
    let said = format!("batch 1: the original of `input/a.json` is not there under `{key}`");
    assert_eq!(error.to_string(), said);
    assert!(error.hint().unwrap().contains("bring it back"));
    world.store.put(&path, bytes.into()).await.unwrap();
    assert!(verify(&world).await.unwrap().holds());
}

/// Three contents of one name and size on one day, the second gone before it could be read.
#[tokio::test(flavor = "multi_thread")]
async fn contents_of_one_name_are_told_apart() {
    let mut world = World::new();
    world.arrive(&[orders("a", 0..4, 1)]).await;
    world.run().await.unwrap();
    let [second, third] = [2, 3].map(|at| orders("a", 0..4, at));
    world.arrive(std::slice::from_ref(&second)).await;
    let store = Arc::clone(&world.store);
    let (key, bytes, modified) = (
        third.key.clone(),
        third.bytes.clone(),
        third.modified_micros,
    );
    world.store.before_write_to("/plans/", move || {
        async move { store.upload(&key, bytes, modified).await.unwrap() }.boxed()
    });
    world.run().await.unwrap();
    world.run().await.unwrap();
    assert!(world.store.is_calm());
    let records = world.lake().await.ledger().records(0).await.unwrap();
    let originals: Vec<_> = records.iter().map(|r| r.originals.get(&0)).collect();
    assert_eq!(originals[0], None);
    assert_eq!(originals[1], Some(&None));
    assert!(matches!(originals[2], Some(Some(key)) if key.starts_with("raw/")));
    assert!(verify(&world).await.unwrap().holds());
    let known = why(&world, "orders", &id(2)).await;
    let fates: Vec<_> = known.events.iter().map(|e| (e.fate, e.batch)).collect();
    assert_eq!(fates, [(Fate::Won, 3), (Fate::Replaced, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_builds_the_tables_beside_the_live_ones() {
    let mut world = World::new().with_batches_of(5);
    let history = History::random(4, &Shape::default());
    world.play(&history, 4).await;
    let before = world.versions().await;
    let lake = world.lake().await;
    let replay = |into: &'static str, until| {
        let lake = &lake;
        async move { esteira::replay(lake, into, until, Arc::new(Silent)).await }
    };
    let done = replay("anew", None).await.unwrap();
    assert_eq!(done.objects, world.arrived.len() as u64);
    assert_eq!(world.versions().await, before);
    world.check().await;
    let expected = expected(&world.arrived);
    for table in TABLES {
        let log_store = world.bucket().log_store(&format!("anew/{table}")).unwrap();
        let mut opened = deltalake::DeltaTable::new(log_store);
        opened.load().await.unwrap();
        let session = datafusion::prelude::SessionContext::new();
        opened.update_datafusion_session(&session.state()).unwrap();
        let provider = opened.table_provider().await.unwrap();
        let rows = session.read_table(provider).unwrap();
        let rows = canonical_rows(&rows.collect().await.unwrap());
        if let Some(difference) = diff(expected.table(table).unwrap(), &rows) {
            panic!("{table}: {difference}");
        }
    }
    let error = replay("anew", None).await.unwrap_err();
    assert!(matches!(error, Error::Occupied { .. }), "{error}");
    for (into, owner) in [
        ("", "table `orders`"),
        ("/", "table `orders`"),
        ("analytics", "table `orders`"),
        ("analytics/sellers/anew", "table `sellers`"),
        ("quarantine/marketing_place", "the quarantine"),
        ("raw/marketing_place/x", "the originals"),
        ("_esteira/x", "the ledger"),
        ("input/x", "the input"),
    ] {
        let error = replay(into, None).await.unwrap_err();
        let place = into.trim_matches('/');
        let said = format!("tables cannot be built under `{place}/`: {owner} is there");
        assert_eq!(error.to_string(), said);
    }
    world.check().await;
    // Up to a batch: fewer objects.
    let done = replay("earlier", Some(1)).await.unwrap();
    assert_eq!((done.batches, done.objects), (1, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_a_key_has_its_fate() {
    let mut world = World::new();
    for object in [
        orders("c-first", 0..3, 5),
        orders("d-newer", 0..3, 9),
        orders("e-older", 0..3, 7),
        orders("a-same", 0..3, 9),
    ] {
        world.arrive(&[object]).await;
        world.run().await.unwrap();
    }
    let broken = format!(
        r#"{{"txt_detl_idt_pedi_pgto":"{}","dat_atui":"never"}}"#,
        id(1)
    );
    world
        .arrive(&[esteira_testkit::oracle::InputObject {
            key: "input/broken.json".to_owned(),
            modified_micros: 1,
            bytes: broken.into_bytes(),
        }])
        .await;
    world.run().await.unwrap();
    for table in ["orders", "products", "shipments"] {
        let known = why(&world, table, &id(1)).await;
        let fates: Vec<_> = known
            .events
            .iter()
            .map(|event| (event.origin.source_file.as_str(), event.fate))
            .collect();
        assert_eq!(
            fates,
            [
                ("input/d-newer.json", Fate::Won),
                ("input/a-same.json", Fate::Tie),
                ("input/e-older.json", Fate::Late),
                ("input/c-first.json", Fate::Replaced),
            ],
            "{table}"
        );
        assert!(known.agrees());
        assert_eq!(known.stored, std::slice::from_ref(&known.events[0].origin));
        assert_eq!(known.quarantined.len(), 1);
        assert_eq!(known.quarantined[0].origin.source_file, "input/broken.json");
    }
    let nothing = why(&world, "orders", "nobody").await;
    assert!(nothing.events.is_empty() && nothing.stored.is_empty());
}

/// The oracle knows which event stands; what `why` says of it has to agree with the stored rows.
#[tokio::test(flavor = "multi_thread")]
async fn winner_of_every_key_is_the_event_that_the_row_names() {
    let mut world = World::new().with_batches_of(9);
    let history = History::random(23, &Shape::default());
    world.play(&history, 23).await;
    world.check().await;
    let session = world.lake().await.session().await.unwrap();
    for (table, key) in [
        ("orders", "txt_detl_idt_pedi_pgto"),
        ("sellers", "idt_venr"),
    ] {
        let sql = format!("SELECT CAST({key} AS STRING) AS k FROM {table} ORDER BY 1 LIMIT 12");
        let rows = session.sql(&sql).await.unwrap().collect().await.unwrap();
        let mut seen = 0;
        for rows in rows {
            let keys = datafusion::arrow::compute::cast(
                rows.column(0),
                &datafusion::arrow::datatypes::DataType::Utf8,
            )
            .unwrap();
            let keys = datafusion::arrow::array::AsArray::as_string::<i32>(&keys);
            for key in keys.iter().flatten() {
                let known = why(&world, table, key).await;
                assert!(known.agrees(), "{known:#?}");
                assert_eq!(known.stored.len(), 1, "{known:#?}");
                assert_eq!(known.events[0].fate, Fate::Won);
                seen += 1;
            }
        }
        assert!(seen > 3, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_another_shape_is_refused() {
    let mut world = World::new();
    world.arrive(&[orders("a", 0..2, 1)]).await;
    world.run().await.unwrap();
    let lake = world.lake().await;
    let two = ["a".to_owned(), "b".to_owned()];
    let error = esteira::why(&lake, "orders", &two, &Silent)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the key of table `orders` has 1 columns, 2 were given"
    );
    assert_eq!(
        error.hint().unwrap(),
        "give a value for txt_detl_idt_pedi_pgto"
    );
    let error = esteira::why(&lake, "order", &two, &Silent)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "there is no table `order`");
}
