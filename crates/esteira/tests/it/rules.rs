//! Rules on data, held against a model of their own: any order of arrival and any split into batches
//! gives the same tables, the same quarantine and the same reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::DataType;
use esteira::{Error, Fate, Lake, Pipeline, Silent, Submit};
use esteira_lake::bucket::Bucket;
use esteira_testkit::random::Random;
use esteira_testkit::store::TestStore;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

const PIPELINE: &str = r#"
name = "loja"
[source]
path = "input/**"
[event]
schema = "schema.sql"
version = "at"
[[table]]
name = "orders"
key = ["id"]
[[table.rule]]
name = "known_status"
condition = "status <> 'BAD'"
action = "quarantine"
[[table.rule]]
name = "total_given"
condition = "total >= 0"
action = "drop"
[[table.rule]]
name = "small"
condition = "coalesce(total, 99) < 50"
[[table]]
name = "items"
head = "orders"
[[table.rule]]
name = "positive"
condition = "qty > 0"
action = "drop"
[[table.rule]]
name = "sku_known"
condition = "sku <> 'X'"
action = "quarantine"
"#;

const SCHEMA: &str = "CREATE TABLE loja (
  id STRING NOT NULL, at TIMESTAMP NOT NULL, status STRING, total BIGINT,
  items ARRAY<STRUCT<sku: STRING, qty: BIGINT>>)";

const ITEMS: &str = "SELECT id, item['sku'] AS sku, item['qty'] AS qty
  FROM (SELECT *, unnest(items) AS item FROM events)";

/// An event, as the test knows it.
#[derive(Debug, Clone)]
struct Event {
    id: String,
    second: u64,
    status: Option<&'static str>,
    total: Option<i64>,
    items: Vec<(Option<&'static str>, Option<i64>)>,
}

impl Event {
    fn random(chance: &mut Random) -> Self {
        let pick = |chance: &mut Random, from: &[Option<i64>]| from[chance.below(from.len())];
        Self {
            id: format!("p{}", chance.below(4)),
            second: chance.below(6) as u64,
            status: [
                Some("OK"),
                Some("OK"),
                Some("OK"),
                Some("NEW"),
                Some("BAD"),
                None,
            ][chance.below(6)],
            total: pick(chance, &[Some(10), Some(10), Some(60), Some(-1), None]),
            items: (0..chance.below(4))
                .map(|_| {
                    let skus = [
                        Some("A"),
                        Some("B"),
                        Some("C"),
                        Some("D"),
                        Some("E"),
                        Some("X"),
                        None,
                    ];
                    let sku = skus[chance.below(skus.len())];
                    (
                        sku,
                        pick(chance, &[Some(1), Some(2), Some(0), Some(-3), None]),
                    )
                })
                .collect(),
        }
    }

    fn text(&self) -> String {
        let items = self.items.iter();
        let items: Vec<Value> = items
            .map(|(sku, qty)| json!({"sku": sku, "qty": qty}))
            .collect();
        json!({
            "id": self.id, "at": format!("2024-01-01T00:00:0{}Z", self.second),
            "status": self.status, "total": self.total, "items": items,
        })
        .to_string()
    }

    fn has_bad_status(&self) -> bool {
        self.status.is_none_or(|status| status == "BAD")
    }

    fn has_bad_sku(&self) -> bool {
        self.items
            .iter()
            .any(|(sku, _)| sku.is_none_or(|sku| sku == "X"))
    }

    fn is_dropped(&self) -> bool {
        self.total.is_none_or(|total| total < 0)
    }
}

/// An object and the events in it.
#[derive(Debug, Clone)]
struct Object {
    key: String,
    modified: i64,
    events: Vec<Event>,
    bytes: Vec<u8>,
}

fn objects(chance: &mut Random, count: usize) -> Vec<Object> {
    (0..count)
        .map(|number| {
            let events: Vec<Event> = (0..=chance.below(3))
                .map(|_| Event::random(chance))
                .collect();
            let texts: Vec<String> = events.iter().map(Event::text).collect();
            let text = match chance.below(3) {
                0 => format!("[{}]", texts.join(",\n")),
                1 => texts.concat(),
                _ => texts.join("\n") + "\n",
            };
            Object {
                key: format!("input/{}/{number}.json", chance.below(3)),
                modified: 1_700_000_000_000_000
                    + i64::try_from(chance.below(5)).unwrap() * 1_000_000,
                events,
                bytes: text.into_bytes(),
            }
        })
        .collect()
}

struct Shop {
    store: Arc<TestStore>,
    folder: TempDir,
    objects_per_batch: usize,
}

impl Shop {
    fn new(pipeline: &str, objects_per_batch: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("models")).unwrap();
        for (file, text) in [
            ("pipeline.toml", pipeline),
            ("schema.sql", SCHEMA),
            (
                "models/orders.sql",
                "SELECT id, status, total, at FROM events",
            ),
            ("models/items.sql", ITEMS),
        ] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        Self {
            store: Arc::new(TestStore::default()),
            folder,
            objects_per_batch,
        }
    }

    fn bucket(&self) -> Bucket {
        Bucket::of_store(self.store.clone()).unwrap()
    }

    async fn put(&self, object: &Object) {
        let upload = self
            .store
            .upload(&object.key, object.bytes.clone(), object.modified);
        upload.await.unwrap();
    }

    async fn run(&self) -> Result<(), Error> {
        let objects = self.objects_per_batch;
        let files = Pipeline::files(self.folder.path().to_str().unwrap()).unwrap();
        let submit = Submit::new()
            .process(files)
            .opened_bucket(self.bucket())
            .once(true)
            .attempts(1);
        let submit = submit.adjust(move |pipeline| pipeline.limits.objects_per_batch = objects);
        submit.run().await.map(drop)
    }

    async fn lake(&self) -> Lake {
        let files = Pipeline::files(self.folder.path().to_str().unwrap()).unwrap();
        Lake::open(files.load().await.unwrap(), self.bucket())
            .await
            .unwrap()
    }

    /// The answer's rows as texts, sorted.
    async fn ask(&self, query: &str) -> Vec<Vec<String>> {
        let session = self.lake().await.session().await.unwrap();
        let frame = session.sql(query).await.unwrap();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for batch in frame.collect().await.unwrap() {
            rows.extend((0..batch.num_rows()).map(|row| texts(&batch, row)));
        }
        rows.sort();
        rows
    }
}

fn texts(batch: &RecordBatch, row: usize) -> Vec<String> {
    batch
        .columns()
        .iter()
        .map(|column| {
            let text = arrow::compute::cast(column, &DataType::Utf8).unwrap();
            let is_null = arrow::array::Array::is_null(&text, row);
            if is_null {
                "null".to_owned()
            } else {
                text.as_string::<i32>().value(row).to_owned()
            }
        })
        .collect()
}

fn shown(value: &impl ToString) -> String {
    value.to_string()
}

/// What has to come out.
#[derive(Debug, Default)]
struct Expected {
    orders: Vec<Vec<String>>,
    items: Vec<Vec<String>>,
    quarantine: Vec<Vec<String>>,
    rules: BTreeMap<String, u64>,
    events: u64,
    dropped: BTreeMap<String, usize>,
}

/// Instant, object, its time, position: the greatest stands.
type Version<'a> = (u64, &'a str, i64, usize);

fn expected(objects: &[Object]) -> Expected {
    let mut expected = Expected::default();
    let mut standing: BTreeMap<&str, (Version<'_>, &Event)> = BTreeMap::new();
    let mut count = |rule: &str, is_broken: bool| {
        if is_broken {
            *expected.rules.entry(rule.to_owned()).or_default() += 1;
        }
    };
    for object in objects {
        for (position, event) in object.events.iter().enumerate() {
            expected.events += 1;
            count("orders.known_status", event.has_bad_status());
            count("items.sku_known", event.has_bad_sku());
            if event.has_bad_status() || event.has_bad_sku() {
                let alone = object.events.len() == 1;
                let text = String::from_utf8(object.bytes.clone()).unwrap();
                expected.quarantine.push(vec![
                    object.key.clone(),
                    shown(&position),
                    "rule".to_owned(),
                    if alone { text } else { event.text() },
                ]);
                continue;
            }
            count("orders.total_given", event.is_dropped());
            count("orders.small", event.total.is_none_or(|total| total >= 50));
            if event.is_dropped() {
                *expected.dropped.entry(event.id.clone()).or_default() += 1;
                continue;
            }
            let version = (event.second, object.key.as_str(), object.modified, position);
            let known = standing.entry(&event.id).or_insert((version, event));
            if version > known.0 {
                *known = (version, event);
            }
        }
    }
    for (id, ((_, key, _, position), event)) in standing {
        let total = event.total.map_or("null".to_owned(), |total| shown(&total));
        expected
            .orders
            .push(vec![id.to_owned(), total, key.to_owned(), shown(&position)]);
        for (sku, qty) in &event.items {
            if let (Some(sku), Some(qty @ 1..)) = (sku, qty) {
                expected
                    .items
                    .push(vec![id.to_owned(), shown(sku), shown(qty)]);
            }
        }
    }
    expected.items.sort();
    expected.quarantine.sort();
    expected
}

async fn check(shop: &Shop, objects: &[Object]) {
    let expected = expected(objects);
    let orders = "SELECT id, total, _source_file, _source_position FROM orders";
    assert_eq!(shop.ask(orders).await, expected.orders);
    assert_eq!(
        shop.ask("SELECT id, sku, qty FROM items").await,
        expected.items
    );
    let quarantine =
        "SELECT _source_file, _source_position, reason, CAST(original AS STRING) FROM quarantine";
    assert_eq!(shop.ask(quarantine).await, expected.quarantine);

    let lake = shop.lake().await;
    let records = lake.ledger().records(0).await.unwrap();
    for record in &records {
        assert!(record.accounts.events.add_up() && record.accounts.objects.add_up());
    }
    let mut totals = records.last().unwrap().totals.clone();
    assert_eq!(totals.events.discovered, expected.events);
    assert_eq!(totals.events.quarantined, expected.quarantine.len() as u64);
    // Of a child only the rows of events that can stand in their batch are looked at.
    totals.rules.remove("items.positive");
    assert_eq!(totals.rules, expected.rules);

    let scratch = tempfile::tempdir().unwrap();
    let verified = esteira::verify(&lake, scratch.path(), Arc::new(Silent))
        .await
        .unwrap();
    assert!(verified.holds(), "{verified:#?}");

    let ids: BTreeSet<&String> = objects
        .iter()
        .flat_map(|o| &o.events)
        .map(|e| &e.id)
        .collect();
    for id in ids.into_iter().take(2) {
        let why = esteira::why(&lake, "orders", std::slice::from_ref(id), &Silent)
            .await
            .unwrap();
        assert!(why.agrees(), "{why:#?}");
        let dropped: Vec<_> = why
            .events
            .iter()
            .filter(|e| e.fate == Fate::Dropped)
            .collect();
        assert_eq!(
            dropped.len(),
            expected.dropped.get(id).copied().unwrap_or_default()
        );
        assert!(
            dropped
                .iter()
                .all(|e| e.dropped_by.as_deref() == Some("total_given"))
        );
        assert!(
            esteira::why(&lake, "items", std::slice::from_ref(id), &Silent)
                .await
                .unwrap()
                .agrees()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn rules_give_the_same_in_any_order_and_any_batches(seed in any::<u64>(), batch in 1usize..6) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut chance = Random::new(seed);
            let shop = Shop::new(PIPELINE, batch);
            let objects = objects(&mut chance, 10);
            let mut rest: Vec<&Object> = objects.iter().collect();
            while !rest.is_empty() {
                for _ in 0..=chance.below(5) {
                    if !rest.is_empty() {
                        shop.put(rest.swap_remove(chance.below(rest.len()))).await;
                    }
                }
                shop.run().await.unwrap();
            }
            check(&shop, &objects).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_that_stops_names_the_event_and_lets_nothing_of_the_batch_through() {
    let stopping = PIPELINE.replace("action = \"quarantine\"", "action = \"stop\"");
    let shop = Shop::new(&stopping, 10);
    let event = |id: &str, status: &str| {
        format!(r#"{{"id":"{id}","at":"2024-01-01T00:00:00Z","status":"{status}","total":1}}"#)
    };
    let object = |key: &str, text: String| Object {
        key: key.to_owned(),
        modified: 1,
        events: Vec::new(),
        bytes: text.into_bytes(),
    };
    shop.put(&object("input/a.json", event("p1", "OK"))).await;
    shop.run().await.unwrap();
    shop.put(&object(
        "input/b.json",
        event("p2", "OK") + &event("p3", "BAD"),
    ))
    .await;
    shop.put(&object("input/c.json", event("p4", "BAD"))).await;
    let error = shop.run().await.unwrap_err();
    assert!(!error.is_transient());
    assert_eq!(
        error.to_string(),
        "batch 2: event 1 of `input/b.json` breaks rule `known_status` of table `orders`: status <> 'BAD'"
    );
    assert!(error.hint().unwrap().contains("raw/loja/dt_processamento="));
    assert_eq!(shop.ask("SELECT id FROM orders").await, [["p1"]]);
    // Again: the interrupted batch is taken up, and stops as before.
    assert!(matches!(shop.run().await, Err(Error::Rule(_))));
    std::fs::write(shop.folder.path().join("pipeline.toml"), PIPELINE).unwrap();
    shop.run().await.unwrap();
    assert_eq!(shop.ask("SELECT id FROM orders").await, [["p1"], ["p2"]]);
    assert_eq!(
        shop.ask("SELECT _source_file, message FROM quarantine")
            .await,
        [
            [
                "input/b.json",
                "rule `known_status` of table `orders` is broken: status <> 'BAD'"
            ],
            [
                "input/c.json",
                "rule `known_status` of table `orders` is broken: status <> 'BAD'"
            ],
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_child_that_a_rule_drops_are_explained_at_their_event() {
    let shop = Shop::new(PIPELINE, 10);
    let text = r#"{"id":"p1","at":"2024-01-01T00:00:00Z","status":"OK","total":1,
        "items":[{"sku":"A","qty":0},{"sku":"B","qty":2},{"sku":"C"}]}"#;
    shop.put(&Object {
        key: "input/a.json".to_owned(),
        modified: 1,
        events: Vec::new(),
        bytes: text.as_bytes().to_vec(),
    })
    .await;
    shop.run().await.unwrap();
    let lake = shop.lake().await;
    let why = esteira::why(&lake, "items", &["p1".to_owned()], &Silent)
        .await
        .unwrap();
    assert_eq!(
        why.events[0].dropped_rows,
        BTreeMap::from([("positive".to_owned(), 2)])
    );
    assert_eq!(
        lake.ledger().last_record().unwrap().accounts.rules["items.positive"],
        2
    );
    let positions = shop.ask("SELECT _source_position FROM items").await;
    assert_eq!(positions.len(), 1);
}
