//! `esteira init` and `esteira infer`: from nothing, and from samples, to tables.

use insta::assert_snapshot;

use crate::place::Place;

#[test]
fn new_pipeline_runs_by_the_steps_it_names() {
    let place = Place::new();
    let said = place.ask(&["init", "pipelines/refunds"]);
    assert_snapshot!(said, @r#"
    pipelines/refunds/pipeline.toml
    pipelines/refunds/schema.sql
    pipelines/refunds/models/refunds.sql
    pipelines/refunds/models/refunds_items.sql
    pipelines/refunds/sample/refunds.json

    next, with the sample in a local folder as the bucket:
      esteira check pipelines/refunds
      export ESTEIRA_BUCKET=file://$PWD/bucket
      esteira bucket create $ESTEIRA_BUCKET
      esteira bucket put $ESTEIRA_BUCKET pipelines/refunds/sample --to input/refunds
      esteira run pipelines/refunds --once
      esteira sql --pipeline pipelines/refunds "SELECT * FROM refunds"
    "#);
    let steps: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .collect();
    let esteira = env!("CARGO_BIN_EXE_esteira");
    let script = steps.join("\n").replace("esteira ", &format!("{esteira} "));
    let answer = std::process::Command::new("bash")
        .args(["-ec", &script])
        .current_dir(place.path("."))
        .output()
        .unwrap();
    assert!(answer.status.success(), "{answer:?}");
    let bucket = format!("file://{}", place.path("bucket").display());
    let ask = |query: &str| {
        let arguments = [
            "sql",
            "--pipeline",
            "pipelines/refunds",
            "--bucket",
            &bucket,
        ];
        place.ask(&[&arguments[..], &["--format", "csv", query]].concat())
    };
    assert_snapshot!(ask("SELECT id, status, amount, _rescued_data FROM refunds ORDER BY id"), @r#"
    id,status,amount,_rescued_data
    A-1,SHIPPED,30.50,"{""carrier"":""post""}"
    A-2,NEW,7.00,
    "#);
    assert_snapshot!(ask("SELECT * EXCLUDE (_source_file, _source_modified, _processed_at) FROM refunds_items"), @r"
    id,name,quantity,price,_source_position
    A-1,coffee,2,12.75,2
    ");
}

#[test]
fn init_refuses_what_is_there_and_what_is_no_name() {
    let place = Place::new();
    place.write("refunds/notes.txt", "mine");
    assert_snapshot!(place.failure(&["init", "refunds"]), @r"
    exit 1
    error: `refunds` is there already
    hint: nothing is written over: choose another folder
    ");
    assert_snapshot!(place.failure(&["init", "meu pipeline"]), @r"
    exit 2
    error: `meu pipeline` cannot be the name of a pipeline
    hint: letters, digits, `_`, `-` and `.`, beginning with a letter or digit
    ");
    assert_eq!(std::fs::read_dir(place.path("refunds")).unwrap().count(), 1);
}

#[test]
fn pipeline_of_samples_takes_them_all() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.ask(&["generate", "--orders", "40", "--out", "amostra"]);
    let answer = place.run(&["infer", "amostra", "--out", "loja"]);
    assert_snapshot!(place.shown(&answer), @r"
    exit 0
    loja/pipeline.toml
    loja/schema.sql
    loja/models/loja.sql
    loja/models/loja_list_item_pedi.sql
    loja/models/loja_list_envo.sql
    next: esteira check loja
    150 objects, 150 events; 0 entries are no events
    ");
    let put = ["bucket", "put", &bucket, "amostra", "--to", "input/loja"];
    place.ask(&put);
    let run = place.ask(&["run", "loja", "--once", "--bucket", &bucket]);
    let record: serde_json::Value = serde_json::from_str(&run).unwrap();
    assert_eq!(record["events"]["quarantined"], 0);
    assert!(record["tables"]["loja"]["rows_added"] == 40, "{record}");
    assert!(record["tables"]["loja_list_item_pedi"]["rows_added"].as_u64() > Some(40));
    // The same from the bucket, where the samples are by now.
    let there = format!("{bucket}//input/loja/*.json");
    place.ask(&["infer", &there, "--out", "daqui/loja"]);
    for file in ["schema.sql", "models/loja.sql"] {
        let read = |folder: &str| std::fs::read_to_string(place.path(folder).join(file)).unwrap();
        assert_eq!(read("loja"), read("daqui/loja"));
    }
}

#[test]
fn draft_that_is_only_shown_explains_itself() {
    let place = Place::new();
    place.write(
        "a.json",
        r#"{"orderId": 7, "updatedAt": "2024-01-01T10:00:00Z", "total": 10.5, "note": "x",
            "lines": [{"sku": "a", "qty": 1}], "odd": 1}
           {"orderId": 8, "updatedAt": "2024-01-01T11:00:00Z", "total": 3, "note": null, "lines": [],
            "odd": "one"} 42"#,
    );
    let answer = place.run(&["infer", "a.json", "--name", "orders"]);
    let shown = place.shown(&answer);
    let config = shown.find("-- pipeline.toml").unwrap()..shown.find("-- schema.sql").unwrap();
    assert_snapshot!(shown.replace(&shown[config], ""), @r#"
    exit 0
    -- schema.sql
    -- Drafted from 2 events. Fields that were in every one of them say so: NOT NULL would send an
    -- event without them to the quarantine.
    CREATE TABLE orders (
      orderId BIGINT NOT NULL,  -- in every event, 2 different, like `7`
      updatedAt TIMESTAMP NOT NULL,  -- in every event, 2 different, like `2024-01-01T10:00:00Z`
      total DECIMAL(18,2),  -- in every event, 2 different, like `10.5`
      note STRING,  -- in 1 events, 1 different, like `x`
      lines ARRAY<STRUCT<
        sku: STRING,
        qty: BIGINT
      >>  -- in every event
    )
    -- Left out, and kept in `_rescued_data`:
    --   $.odd: it is of several kinds: numbers like `1`, strings like `one`

    -- models/orders.sql
    SELECT
      "orderId",
      "updatedAt",
      total,
      note,
      _rescued_data
    FROM events

    -- models/orders_lines.sql
    SELECT
      "orderId",
      _item['sku'] AS sku,
      _item['qty'] AS qty
    FROM (SELECT *, unnest("lines") AS _item FROM events)

    a.json:4:27: expected an object, found a number
    1 objects, 2 events; 1 entries are no events
    "#);
}

#[test]
fn samples_that_make_no_pipeline_say_why() {
    let place = Place::new();
    place.write("a.json", r#"{"id": 1, "updated": "2024-01-01 10:00"}"#);
    let answer = place.run(&["infer", "a.json"]);
    assert_snapshot!(place.shown(&answer), @r"
    exit 1
    -- Drafted from 1 events. Fields that were in every one of them say so: NOT NULL would send an
    -- event without them to the quarantine.
    CREATE TABLE events (
      id BIGINT NOT NULL,  -- in every event, 1 different, like `1`
      updated STRING  -- in every event, 1 different, like `2024-01-01 10:00`
    )
    -- Could be the key: id, updated
    1 objects, 1 events; 0 entries are no events
    error: no field is a timestamp in every event: nothing can be the version
    hint: the version is an RFC 3339 timestamp with an offset, in every event; these are not: `updated` (STRING, in every event, 1 different, like `2024-01-01 10:00`)
    ");
    place.write("b.json", "[]");
    assert_snapshot!(place.failure(&["infer", "b.json"]), @r"
    exit 1
    b.json:1:1: the object holds no events
    1 objects, 0 events; 1 entries are no events
    error: there is no event in the samples
    hint: name files or folders with JSON objects
    ");
    assert_snapshot!(place.failure(&["infer", "nada.json"]), @r"
    exit 1
    error: `nada.json` cannot be read
    caused by: No such file or directory (os error <n>)
    ");
    assert_snapshot!(place.failure(&["infer", "s3://balde"]), @r"
    exit 2
    error: `s3://balde` names no objects
    hint: a bucket and a glob in it, as in `s3://itau-shop/input/*.json`
    ");
}
