//! The whole path by the command alone, from an empty simulator to answers.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use crate::objects::Library;
use crate::place::numbers_after;
use crate::simulator::shop;
use crate::tables::{Shop, contents};

const BUCKET: &str = "s3://itau-shop";

#[test]
fn samples_generated_put_and_run_are_in_the_tables() {
    let (_simulator, place) = shop();
    let shop = Shop {
        place: &place,
        pipeline: "marketing_place",
        bucket: BUCKET,
    };
    assert_snapshot!(place.ask(&["status"]), @r"
    marketing_place in s3://itau-shop
    no batch yet
    freshness    everything that is there is in the tables
    ");

    let made = place.ask(&[
        "generate",
        "--orders",
        "40",
        "--seed",
        "7",
        "--out",
        "amostra/input",
    ]);
    let put = place.ask(&[
        "bucket",
        "put",
        "itau-shop",
        "amostra/input",
        "--to",
        "input",
    ]);
    let count = std::fs::read_dir(place.path("amostra/input"))
        .unwrap()
        .count();
    assert!(
        made.starts_with(&format!("wrote {count} objects, ")),
        "{made}"
    );
    assert!(
        put.starts_with(&format!("uploaded {count} objects, ")),
        "{put}"
    );
    let waiting = shop.status();
    assert_eq!(waiting["waiting_objects"], count);
    assert_eq!(waiting["last_batch"], Value::Null);

    let lines = shop.run_once();
    assert_eq!(lines.lines().count(), 1, "one JSON line a batch: {lines}");
    let library = Library::open(&place, BUCKET);
    let expected = shop.check(&library.objects("input/"));
    assert_eq!(expected.orders.len(), 40);

    // More of the same process, in other forms: new orders, and what cannot be an event.
    let more = [
        &[
            "--orders",
            "25",
            "--first-order",
            "41",
            "--form",
            "ndjson",
            "--compression",
            "gzip",
        ][..],
        &["--events-per-object", "10", "--out", "mais"],
    ]
    .concat();
    place.ask(&[&["generate"][..], &more].concat());
    place.write("mais/lixo.json", "{\"txt_detl_idt_pedi_pgto\": \n");
    place.ask(&["bucket", "put", "itau-shop", "mais", "--to", "input"]);
    // Compressed objects have names that the pipeline's own path does not take.
    let input = ["run", "--once", "--input", "input/*"];
    let record: Value = serde_json::from_str(&place.ask(&input)).unwrap();
    assert_eq!(record, shop.records()[1], "the line is the record");
    let expected = shop.check(&library.objects("input/"));
    assert_eq!(expected.orders.len(), 65);
    assert_eq!(expected.quarantine.len(), 1);

    let raw = library.objects("raw/marketing_place/dt_processamento=");
    assert_eq!(contents(&raw), contents(&library.objects("input/")));
    assert_eq!(shop.run_once(), "", "all is taken");
}

#[test]
fn status_and_history_tell_what_happened() {
    let (_simulator, place) = shop();
    place.write("amostra/bom.json", crate::objects::event("pedido-1"));
    place.write("amostra/lixo.json", "[1, {}]");
    place.ask(&["bucket", "put", "itau-shop", "amostra", "--to", "input"]);
    place.ask(&["run", "--once"]);

    let mut status = place.ask(&["status"]);
    numbers_after(&mut status, "1 at 20", "<year>");
    let mut lines: Vec<&str> = status.lines().collect();
    let batch = lines.remove(1);
    assert!(batch.starts_with("last batch   1 at 20<year>-"), "{batch}");
    assert!(batch.contains("Z: 2 objects, 3 events, "), "{batch}");
    assert_snapshot!(lines.join("\n"), @r"
    marketing_place in s3://itau-shop
      orders       version 1
      products     version 1
      quarantine   version 1
      sellers      version 1
      shipments    version 1
    freshness    everything that is there is in the tables
    objects      2 discovered = 1 applied + 0 superseded + 1 quarantined + 0 duplicate
    events       3 discovered = 1 applied + 0 superseded + 2 quarantined + 0 duplicate
    quarantine   missing_required 1, not_an_object 1
    ");

    let history = place.ask(&["history"]);
    let words: Vec<Vec<&str>> = history
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(words.len(), 2, "{history}");
    assert_eq!(words[0][..4], ["batch", "recorded", "objects", "events"]);
    assert_eq!(words[1][0], "1");
    assert_eq!(words[1][2..8], ["2", "3", "1", "0", "2", "0"]);
    let json = place.ask(&["history", "--last", "1", "--format", "json"]);
    let record: Value = serde_json::from_str(json.trim_end()).unwrap();
    assert_eq!(record["totals"]["reasons"]["not_an_object"], 1);

    place.write("tarde/outro.json", crate::objects::event("pedido-2"));
    place.ask(&["bucket", "put", "itau-shop", "tarde", "--to", "input"]);
    let waiting = place.ask(&["status"]);
    assert!(
        waiting.contains("freshness    1 objects wait, the oldest for "),
        "{waiting}"
    );
}

#[test]
fn answers_come_as_table_csv_and_json() {
    let (_simulator, place) = shop();
    place.write("amostra/a.json", crate::objects::event("pedido-1"));
    place.ask(&[
        "bucket",
        "put",
        "itau-shop",
        "amostra/a.json",
        "--to",
        "input",
    ]);
    place.ask(&["run", "--once"]);
    let query = "SELECT txt_detl_idt_pedi_pgto, nom_item, vlr_prod, dat_atui, qtd_item_pedi, \
                 'a,\"b\"' AS texto FROM products";
    let ask = |format: &str| place.ask(&["sql", "--format", format, query]);
    assert_snapshot!(ask("table"), @r#"
    +------------------------+----------+----------+----------------------+---------------+-------+
    | txt_detl_idt_pedi_pgto | nom_item | vlr_prod | dat_atui             | qtd_item_pedi | texto |
    +------------------------+----------+----------+----------------------+---------------+-------+
    | pedido-1               | Café     | 12.50    | 2024-03-10T12:00:00Z | NULL          | a,"b" |
    +------------------------+----------+----------+----------------------+---------------+-------+
    1 rows
    "#);
    assert_snapshot!(ask("csv"), @r#"
    txt_detl_idt_pedi_pgto,nom_item,vlr_prod,dat_atui,qtd_item_pedi,texto
    pedido-1,Café,12.50,2024-03-10T12:00:00Z,,"a,""b"""
    "#);
    assert_snapshot!(ask("json"), @r#"{"txt_detl_idt_pedi_pgto":"pedido-1","nom_item":"Café","vlr_prod":12.50,"dat_atui":"2024-03-10T12:00:00Z","qtd_item_pedi":null,"texto":"a,\"b\""}"#);
    let none = "SELECT idt_venr, nom_venr FROM sellers WHERE false";
    assert_eq!(
        place.ask(&["sql", "--format", "csv", none]),
        "idt_venr,nom_venr\n"
    );
    assert_eq!(place.ask(&["sql", "--format", "json", none]), "");
}

#[test]
fn questions_reach_the_ledger_and_the_quarantine() {
    let (_simulator, place) = shop();
    place.write("amostra/a.json", crate::objects::event("pedido-1"));
    place.write("amostra/b.json", "nada");
    place.ask(&["bucket", "put", "itau-shop", "amostra", "--to", "input"]);
    place.ask(&["run", "--once"]);
    let shop = Shop {
        place: &place,
        pipeline: "marketing_place",
        bucket: BUCKET,
    };
    let rows = shop.rows("SELECT key, size, batch FROM raw_objects ORDER BY key");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["key"], "input/a.json");
    assert_eq!(rows[1]["size"], 4);
    let rows = shop.rows("SELECT objects, events, quarantined FROM batches");
    assert_eq!(
        serde_json::to_string(&rows).unwrap(),
        r#"[{"events":2,"objects":2,"quarantined":1}]"#
    );
    let rows = shop.rows("SELECT reason, raw_file FROM quarantine");
    assert_eq!(rows[0]["reason"], "syntax");
    let raw_file = rows[0]["raw_file"].as_str().unwrap();
    let raw = Library::open(&place, BUCKET).objects(raw_file);
    assert_eq!(raw[0].bytes, b"nada");
}

#[test]
fn folder_put_is_listed_with_its_folders() {
    let (_simulator, place) = shop();
    place.write("pasta/a.json", "{}");
    place.write("pasta/sub/b c.json", "{ }");
    place.ask(&["bucket", "put", "itau-shop", "pasta", "--to", "/input/"]);
    place.ask(&["bucket", "put", "s3a://itau-shop", "pasta/a.json"]);
    let listed = place.ask(&["bucket", "list", "itau-shop", "--format", "json"]);
    let keys: BTreeSet<String> = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["key"].to_string())
        .collect();
    assert_eq!(
        keys.into_iter().collect::<Vec<_>>(),
        [
            r#""a.json""#,
            r#""input/a.json""#,
            r#""input/sub/b c.json""#
        ]
    );
    let text = place.ask(&["bucket", "list", "itau-shop", "input/sub"]);
    assert!(
        text.ends_with("  input/sub/b c.json\n1 objects, 3 B\n"),
        "{text}"
    );
    assert_eq!(place.ask(&["bucket", "list"]), "itau-shop\n");
    assert_eq!(
        place.ask(&["bucket", "list", "--format", "json"]),
        "{\"bucket\":\"itau-shop\"}\n"
    );
}
