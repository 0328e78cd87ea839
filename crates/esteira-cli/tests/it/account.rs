//! What `verify`, `why`, `replay` and `quarantine` say.

use insta::assert_snapshot;
use serde_json::Value;

use crate::objects::event;
use crate::place::Place;

/// A bucket with an order in two versions, another one, and an entry without a version.
fn shop(place: &Place) -> String {
    let bucket = place.folder_bucket("balde");
    let later = event("pedido-1").replace("2024", "2025");
    for (name, content) in [
        ("a", event("pedido-1")),
        ("b", later),
        ("c", event("pedido-2")),
        ("d", "{\"txt_detl_idt_pedi_pgto\":\"pedido-1\"}".to_owned()),
    ] {
        place.write(&format!("balde/input/{name}.json"), content);
        place.ask(&["run", "--once", "--bucket", &bucket]);
    }
    bucket
}

/// The text with every instant, digest, id and date of a folder as `#`.
pub(crate) fn without_times(text: &str) -> String {
    let line = |line: &str| {
        let words = line.split(' ').map(|word| {
            let bare = word.trim_end_matches(')');
            let is_digest =
                matches!(bare.len(), 12 | 32) && bare.bytes().all(|b| b.is_ascii_hexdigit());
            if is_digest || (word.len() > 20 && word.ends_with('Z')) {
                word.replace(bare, "#")
            } else if let Some((before, rest)) = word.split_once("dt_processamento=") {
                format!("{before}dt_processamento=#{}", &rest[10..])
            } else {
                word.to_owned()
            }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn verify_tells_of_every_table_and_of_an_original_that_is_gone() {
    let place = Place::new();
    let bucket = shop(&place);
    assert_snapshot!(without_times(&place.ask(&["verify", "--bucket", &bucket])), @r#"
    orders       2 rows, each what the originals make (digest #)
    sellers      1 rows, each what the originals make (digest #)
    products     2 rows, each what the originals make (digest #)
    shipments    2 rows, each what the originals make (digest #)
    quarantine   1 rows, each what the originals make (digest #)
    4 batches, 4 events replayed
    "#);
    let line = place.ask(&["verify", "--bucket", &bucket, "--format", "json"]);
    let checked: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(checked["batches"], 4);
    assert_eq!(checked["tables"].as_array().unwrap().len(), 5);

    // An original is lost.
    let raw = place.path("balde/raw/marketing_place");
    let day = std::fs::read_dir(raw).unwrap().next().unwrap().unwrap();
    std::fs::remove_file(day.path().join("b.json")).unwrap();
    let failed = place.failure(&["verify", "--bucket", &bucket]);
    assert_snapshot!(without_times(&failed), @r#"
    exit 1
    error: batch 2: the original of `input/b.json` is not there under `raw/marketing_place/dt_processamento=#/b.json`
    hint: originals are never changed or removed by this program: bring it back, for instance from a version of the bucket
    "#);
}

#[test]
fn damage_has_an_exit_code_of_its_own_and_is_named() {
    let place = Place::new();
    let bucket = shop(&place);
    // The newest record names the version of `orders` from before the third batch.
    let record = |batch: u32| {
        place.path(&format!(
            "balde/_esteira/marketing_place/records/{batch:020}.json"
        ))
    };
    let read = |batch| -> Value {
        serde_json::from_slice(&std::fs::read(record(batch)).unwrap()).unwrap()
    };
    let mut newest = read(4);
    newest["tables"]["orders"] = read(2)["tables"]["orders"].clone();
    std::fs::write(record(4), newest.to_string()).unwrap();

    let answer = place.run(&["verify", "--bucket", &bucket]);
    assert_snapshot!(without_times(&place.shown(&answer)), @r#"
    exit 8
    orders       1 rows, 2 expected
      1 rows differ
      missing     txt_detl_idt_pedi_pgto=pedido-2, from input/c.json event 0
    sellers      1 rows, each what the originals make (digest #)
    products     2 rows, each what the originals make (digest #)
    shipments    2 rows, each what the originals make (digest #)
    quarantine   1 rows, each what the originals make (digest #)
    4 batches, 4 events replayed
    error: not what the originals make: orders
    hint: `esteira why TABLE KEY` shows the events of a key; `esteira replay --switch` makes the tables what the originals make
    "#);
    let answer = place.run(&["why", "--bucket", &bucket, "orders", "pedido-2"]);
    assert_snapshot!(without_times(&place.shown(&answer)), @r#"
    exit 8
    orders txt_detl_idt_pedi_pgto=pedido-2
      won          #  input/c.json event 0  batch 3  raw/marketing_place/dt_processamento=#/c.json
      the table has no row of this key
    error: the event that has to stand is in no row
    hint: `esteira verify` compares every row with the originals
    "#);
}

#[test]
fn verify_tells_of_batches_of_other_rules() {
    let place = Place::new();
    let bucket = shop(&place);
    place.pipeline_with_batches_of("loja", 7);
    let said = place.ask(&["verify", "loja", "--bucket", &bucket]);
    assert_eq!(
        said.lines().last(),
        Some("4 batches were made by other rules than the pipeline has now")
    );
}

#[test]
fn verify_without_room_for_scratch_names_the_folder() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    let said = place.failure(&["verify", "--bucket", &bucket, "--scratch", "nowhere"]);
    // The cause ends in a name that is made up.
    let lines: Vec<&str> = said.lines().take(2).collect();
    assert_eq!(
        lines,
        ["exit 1", "error: cannot create a folder in `nowhere`"]
    );
}

#[test]
fn why_lists_the_events_of_a_key() {
    let place = Place::new();
    let bucket = shop(&place);
    let why = |arguments: &[&str]| {
        let all = [&["why", "--bucket", &bucket], arguments].concat();
        place.ask(&all)
    };
    assert_snapshot!(without_times(&why(&["orders", "pedido-1"])), @r#"
    orders txt_detl_idt_pedi_pgto=pedido-1
      won          #  input/b.json event 0  batch 2  raw/marketing_place/dt_processamento=#/b.json
      replaced     #  input/a.json event 0  batch 1  raw/marketing_place/dt_processamento=#/a.json
      quarantined  #  input/d.json event 0  batch 4  `dat_atui` is required, but missing
    "#);
    assert_snapshot!(why(&["orders", "pedido-9"]), @r#"
    orders txt_detl_idt_pedi_pgto=pedido-9
      no event and no quarantined entry has this key
    "#);
    let known: Value =
        serde_json::from_str(&why(&["products", "pedido-1", "--format", "json"])).unwrap();
    assert_eq!(known["events"][0]["fate"], "won");
    assert_eq!(known["events"][1]["fate"], "replaced");
    let failed = place.failure(&["why", "--bucket", &bucket, "orders", "a", "b"]);
    assert_snapshot!(failed, @r#"
    exit 2
    error: the key of table `orders` has 1 columns, 2 were given
    hint: give a value for txt_detl_idt_pedi_pgto
    "#);
}

#[test]
fn replay_says_where_the_tables_are_and_refuses_a_place_that_is_taken() {
    let place = Place::new();
    let bucket = shop(&place);
    let said = place.ask(&["replay", "--bucket", &bucket, "--into", "anew"]);
    assert_eq!(
        said,
        format!("4 batches, 4 objects, 4 events are in the tables under {bucket}/anew/\n")
    );
    assert!(place.path("balde/anew/orders/_delta_log").is_dir());
    let taken = [
        "replay",
        "--bucket",
        &bucket,
        "--into",
        "analytics/orders/x",
    ];
    assert_snapshot!(place.failure(&taken), @r#"
    exit 2
    error: tables cannot be built under `analytics/orders/x/`: table `orders` is there
    hint: name a folder of its own
    "#);
    let failed = place.failure(&["replay", "--bucket", &bucket, "--into", "anew"]);
    assert_snapshot!(failed, @r#"
    exit 1
    error: there is something under `anew/` already
    hint: name a place of its own, or delete what is left of an earlier replay
    "#);
}

#[test]
fn quarantine_shows_the_reason_the_place_and_the_bytes() {
    let place = Place::new();
    let bucket = shop(&place);
    let list = place.ask(&["quarantine", "list", "--bucket", &bucket]);
    let id = list.split(' ').next().unwrap().to_owned();
    assert_eq!(id.len(), 12);
    assert_snapshot!(list.replace(&id, "ID"), @"ID  batch 4  input/d.json event 0  missing_required: `dat_atui` is required, but missing");
    let line = place.ask(&[
        "quarantine",
        "list",
        "--bucket",
        &bucket,
        "--format",
        "json",
    ]);
    let entry: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(entry["id"], id);
    let shown = place.ask(&["quarantine", "show", &id[..4], "--bucket", &bucket]);
    assert_snapshot!(without_times(&shown), @r#"
    reason    missing_required
    message   `dat_atui` is required, but missing
    path      $.dat_atui
    place     line 1, column 37, byte 36
    object    input/d.json
    written   #
    event     0
    batch     4
    original  raw/marketing_place/dt_processamento=#/d.json
    bytes     37

    {"txt_detl_idt_pedi_pgto":"pedido-1"}
    "#);
    let bytes = place.ask(&["quarantine", "show", &id, "--original", "--bucket", &bucket]);
    assert_eq!(bytes, "{\"txt_detl_idt_pedi_pgto\":\"pedido-1\"}");
    let failed = place.failure(&["quarantine", "show", "zz", "--bucket", &bucket]);
    assert_snapshot!(failed, @r#"
    exit 1
    error: no entry of the quarantine has the id `zz`
    hint: `esteira quarantine list` shows them
    "#);
}

#[test]
fn quarantine_retry_takes_what_better_rules_allow_and_says_so() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.pipeline_with_batches_of("loja", 9);
    let good = std::fs::read_to_string(place.path("loja/schema.sql")).unwrap();
    let customer = "cod_idef_clie          STRING";
    place.write(
        "loja/schema.sql",
        good.replace(customer, &format!("{customer} NOT NULL")),
    );
    for (name, content) in [
        ("a", event("pedido-1")),
        (
            "b",
            event("pedido-2").replacen('{', "{\"cod_idef_clie\":\"c\",", 1),
        ),
        ("c", "[]".to_owned()),
    ] {
        place.write(&format!("balde/input/{name}.json"), content);
    }
    place.ask(&["run", "loja", "--once", "--bucket", &bucket]);
    let retry = |more: &[&str]| {
        let all = [
            &[
                "quarantine",
                "retry",
                "--pipeline",
                "loja",
                "--bucket",
                &bucket,
            ],
            more,
        ]
        .concat();
        place.run(&all)
    };
    assert_snapshot!(place.shown(&retry(&[])), @r#"
    exit 0
    2 entries are rejected as before; nothing was changed
    "#);
    place.write("loja/schema.sql", good);
    assert_snapshot!(place.shown(&retry(&[])), @r#"
    exit 0
    1 of 2 entries retried in 1 batches: 1 events are in the tables, 0 entries stay in the quarantine
    "#);
    assert_snapshot!(place.shown(&retry(&[])), @r#"
    exit 0
    1 entries are rejected as before; nothing was changed
    "#);
    assert_snapshot!(place.shown(&retry(&["--format", "json"])), @r#"
    exit 0
    {"entries":1,"retried":0,"batches":0,"events":0,"quarantined":0}
    "#);
    assert_snapshot!(place.shown(&retry(&["zz"])), @r#"
    exit 2
    error: no entry of the quarantine has the id `zz`
    hint: `esteira quarantine list` shows them
    "#);
    let orders = "SELECT count(*) AS orders FROM orders";
    let asked = [
        "sql",
        orders,
        "--pipeline",
        "loja",
        "--bucket",
        &bucket,
        "--format",
        "csv",
    ];
    assert_eq!(place.ask(&asked), "orders\n2\n");
    let history = place.ask(&["history", "loja", "--bucket", &bucket, "--format", "json"]);
    let record: Value = serde_json::from_str(history.lines().last().unwrap()).unwrap();
    assert_eq!(record["retry_of"], 1);
    assert_eq!(record["withdrawn"]["reasons"]["missing_required"], 1);
    assert_eq!(record["totals"]["events"]["discovered"], 3);
    assert_eq!(record["totals"]["events"]["quarantined"], 1);
    let list = place.ask(&["quarantine", "list", "loja", "--bucket", &bucket]);
    assert_eq!(list.lines().count(), 1);
}

/// An entry whose bytes stand at the end of its object, too, is not the end of it.
#[test]
fn quarantine_retry_takes_no_event_twice_into_a_table_that_only_grows() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    let review = |product: u32| {
        format!(
            "{{\"product_id\":{product},\"customer_id\":\"ana\",\"updated_at\":\"2024-05-01T12:00:00Z\"}}"
        )
    };
    let object = format!("{}\n}}\n{}\n", review(1), review(2));
    place.write("balde/reviews/a.json", object);
    place.ask(&["run", "product_reviews", "--once", "--bucket", &bucket]);
    let retry = [
        "quarantine",
        "retry",
        "--pipeline",
        "product_reviews",
        "--bucket",
        &bucket,
    ];
    for _ in 0..2 {
        assert_eq!(
            place.ask(&retry),
            "1 entries are rejected as before; nothing was changed\n"
        );
    }
    let count = "SELECT count(*) AS reviews FROM review_log";
    let asked = [
        "sql",
        count,
        "--pipeline",
        "product_reviews",
        "--bucket",
        &bucket,
        "--format",
        "csv",
    ];
    assert_eq!(place.ask(&asked), "reviews\n2\n");
}

#[test]
fn quarantine_retry_of_what_breaks_a_rule_waits_for_the_rule_to_change() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.pipeline("loja", "pipeline.toml", |text| {
        text + "\n[[table.rule]]\nname = \"known\"\naction = \"quarantine\"\n\
                condition = \"txt_detl_idt_pedi_pgto <> 'pedido-1'\"\n"
    });
    for (name, order) in [("a", "pedido-1"), ("b", "pedido-2")] {
        place.write(&format!("balde/input/{name}.json"), event(order));
    }
    place.ask(&["run", "loja", "--once", "--bucket", &bucket]);
    let retry = [
        "quarantine",
        "retry",
        "--pipeline",
        "loja",
        "--bucket",
        &bucket,
    ];
    assert_eq!(
        place.ask(&retry),
        "1 entries are rejected as before; nothing was changed\n"
    );
    place.pipeline("loja", "pipeline.toml", |text| text + "\n");
    assert_eq!(
        place.ask(&retry),
        "1 of 1 entries retried in 1 batches: 1 events are in the tables, 0 entries stay in the quarantine\n"
    );
    let said = place.ask(&["verify", "loja", "--bucket", &bucket]);
    assert!(
        said.contains("orders       2 rows, each what the originals make"),
        "{said}"
    );
}
