//! Tidying by hand: what `optimize`, `vacuum` and `upgrade` say and leave behind.

use insta::assert_snapshot;
use serde_json::Value;

use crate::objects::event;
use crate::place::Place;
use crate::tables::Shop;

/// A bucket whose tables took three orders in three batches, then news of two of them.
fn three_batches(place: &Place, pipeline: &str) -> String {
    let bucket = place.folder_bucket("balde");
    for order in ["pedido-1", "pedido-2", "pedido-3"] {
        place.write(&format!("balde/input/{order}.json"), event(order));
        place.ask(&["run", pipeline, "--once", "--bucket", &bucket]);
    }
    for order in ["pedido-1", "pedido-2"] {
        let later = event(order).replace("2024", "2025");
        assert_ne!(later, event(order));
        place.write(&format!("balde/input/{order}-de-novo.json"), later);
    }
    place.ask(&["run", pipeline, "--once", "--bucket", &bucket]);
    bucket
}

/// The text with every size in bytes as `#`.
fn without_sizes(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        let unit = word.trim_end_matches([',', '\n']);
        if ["B", "KiB", "MiB"].contains(&unit) {
            words.pop();
            words.push(if unit == word { "#" } else { "#," });
        } else {
            words.push(word);
        }
    }
    words.join(" ")
}

#[test]
fn optimize_merges_files_and_says_what_it_did() {
    let place = Place::new();
    let bucket = three_batches(&place, "marketing_place");
    let shop = Shop {
        place: &place,
        pipeline: "marketing_place",
        bucket: &bucket,
    };
    let orders = "SELECT * FROM orders ORDER BY 1";
    let before = shop.rows(orders);
    let one = |arguments: &[&str]| {
        let all = [
            &["optimize", "--bucket", &bucket, "--table", "orders"],
            arguments,
        ]
        .concat();
        place.ask(&all)
    };
    assert_snapshot!(without_sizes(&one(&[])), @"orders       2 files of # became 1 of #, 0 deleted rows are gone; version 5");
    assert_snapshot!(one(&[]), @"orders       is tidy at version 5");
    let line: Value = serde_json::from_str(&one(&["--purge", "--format", "json"])).unwrap();
    assert_snapshot!(line, @r#"{"bytes_added":0,"bytes_removed":0,"files_added":0,"files_removed":0,"rows_purged":0,"table":"orders","version":5}"#);
    assert_eq!(shop.rows(orders), before);
    // All tables, the quarantine too.
    let all = place.ask(&["optimize", "--bucket", &bucket]);
    assert_eq!(all.lines().count(), 5, "{all}");
}

#[test]
fn vacuum_deletes_only_what_nothing_needs() {
    let place = Place::new();
    let bucket = three_batches(&place, "marketing_place");
    let vacuum = |arguments: &[&str]| {
        let all = [
            &["vacuum", "--bucket", &bucket, "--table", "orders"],
            arguments,
        ]
        .concat();
        place.ask(&all)
    };
    assert_snapshot!(vacuum(&[]), @"orders       0 files of 0 B deleted");
    place.ask(&["optimize", "--purge", "--bucket", &bucket]);
    place.write("balde/input/mais.json", event("pedido-4"));
    place.ask(&["run", "--once", "--bucket", &bucket]);
    let would = vacuum(&["--dry-run", "--retain-hours", "0"]);
    let files: Vec<&str> = would.lines().collect();
    let (told, files) = files.split_last().unwrap();
    assert_snapshot!(without_sizes(told), @"orders       4 files of # would be deleted");
    for file in files {
        assert!(place.path("balde").join(file).exists(), "{file}");
        assert!(file.starts_with("analytics/orders/"), "{file}");
    }
    let line = vacuum(&["--retain-hours", "0", "--format", "json"]);
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["dry_run"], false);
    let gone: Vec<&str> = line["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["key"].as_str().unwrap())
        .collect();
    assert_eq!(gone, files);
    for file in files {
        assert!(!place.path("balde").join(file).exists(), "{file}");
    }
    let shop = Shop {
        place: &place,
        pipeline: "marketing_place",
        bucket: &bucket,
    };
    assert_eq!(shop.rows("SELECT * FROM orders").len(), 4);
}

#[test]
fn upgrade_says_which_tables_it_changed() {
    let place = Place::new();
    place.pipeline("classica", "pipeline.toml", |text| {
        text.replace("[[table]]", "[[table]]\ncopy_on_write = true")
    });
    let bucket = three_batches(&place, "classica");
    let upgrade = |pipeline: &str| place.ask(&["upgrade", pipeline, "--bucket", &bucket]);
    assert_snapshot!(upgrade("classica"), @r"
    orders       stays as it is
    sellers      stays as it is
    products     stays as it is
    shipments    stays as it is
    quarantine   stays as it is
    ");
    assert_snapshot!(upgrade("marketing_place"), @r"
    orders       uses deletion vectors from now on
    sellers      uses deletion vectors from now on
    products     uses deletion vectors from now on
    shipments    uses deletion vectors from now on
    quarantine   stays as it is
    ");
    assert_snapshot!(upgrade("marketing_place"), @r"
    orders       stays as it is
    sellers      stays as it is
    products     stays as it is
    shipments    stays as it is
    quarantine   stays as it is
    ");
    let json = [
        "upgrade", "--table", "orders", "--format", "json", "--bucket", &bucket,
    ];
    assert_snapshot!(place.ask(&json), @r#"{"deletion_vectors":false,"files_written_again":0,"table":"orders","upgraded":false,"wider_columns":[]}"#);
}

#[test]
fn table_that_is_not_there_is_named() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    for verb in ["optimize", "vacuum", "upgrade"] {
        let ask = |table: &str| place.failure(&[verb, "--bucket", &bucket, "--table", table]);
        insta::allow_duplicates! {
            assert_snapshot!(ask("ordens"), @r"
            exit 2
            error: there is no table `ordens`
            hint: the pipeline has orders, sellers, products, shipments, quarantine
            ");
            assert_snapshot!(ask("orders"), @r"
            exit 1
            error: table `orders` does not exist yet
            hint: run the job first: `esteira run --once`
            ");
        }
    }
}

#[test]
fn feature_of_another_program_is_refused_with_a_way_out() {
    let place = Place::new();
    let bucket = three_batches(&place, "marketing_place");
    let log = "balde/analytics/orders/_delta_log";
    let first = std::fs::read_to_string(place.path(&format!("{log}/00000000000000000000.json")));
    let metadata = first
        .unwrap()
        .lines()
        .find(|line| line.contains("\"metaData\""))
        .unwrap()
        .replace(
            "\"configuration\":{",
            "\"configuration\":{\"delta.enableRowTracking\":\"true\",",
        );
    let next = std::fs::read_dir(place.path(log)).unwrap().count();
    place.write(&format!("{log}/{next:020}.json"), metadata + "\n");
    place.write("balde/input/mais.json", event("pedido-4"));
    assert_snapshot!(place.failure(&["run", "--once", "--bucket", &bucket]), @r"
    exit 6
    error: table `orders` uses row tracking (`delta.enableRowTracking`)
    hint: another program turned this on; turn it off there, or move the table's folder away and `esteira replay --switch`
    ");
}
