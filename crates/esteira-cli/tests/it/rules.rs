//! Rules on data, as the command tells of them.

use insta::assert_snapshot;

use crate::objects::drop_into;
use crate::place::Place;

const RULES: &str = r#"
[[table.rule]]
name = "known_status"
condition = "stat_pedi IN ('CRIADO', 'ENVIADO')"
action = "drop"

[[table.rule]]
name = "with_customer"
condition = "cod_idef_clie IS NOT NULL"

[[table.rule]]
name = "real_time"
condition = "dat_atui > '2000-01-01T00:00:00Z'"
action = "quarantine"
"#;

/// A place with the built-in pipeline as `loja`, its orders under `rules`, and a bucket.
fn place(rules: &str) -> (Place, String) {
    let place = Place::new();
    place.pipeline("loja", "pipeline.toml", |text| {
        let key = "key = [\"txt_detl_idt_pedi_pgto\"]\n";
        text.replacen(key, &format!("{key}{rules}"), 1)
    });
    let bucket = place.folder_bucket("balde");
    for (key, status, at) in [
        ("a", "CRIADO", "2024-03-10T12:00:00Z"),
        ("b", "CANCELADO", "2024-03-11T12:00:00Z"),
        ("c", "ENVIADO", "1999-03-11T12:00:00Z"),
    ] {
        let event = serde_json::json!({
            "txt_detl_idt_pedi_pgto": "p1", "stat_pedi": status, "dat_atui": at,
        });
        let key = format!("input/{key}.json");
        drop_into(&place.path("balde"), &key, event.to_string().as_bytes());
    }
    (place, bucket)
}

fn without_times(text: &str) -> String {
    let is_time = |word: &&str| word.starts_with("20") && word.ends_with('Z');
    let lines = text.lines().map(|line| {
        let words = line
            .split(' ')
            .map(|word| if is_time(&word) { "<time>" } else { word });
        let line = words.collect::<Vec<_>>().join(" ");
        match line.find("dt_processamento=") {
            Some(at) => {
                let (before, behind) = line.split_at(at + "dt_processamento=".len());
                format!("{before}<date>{}", &behind["2026-01-02".len()..])
            }
            None => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn broken_rules_are_counted_shown_and_explained() {
    let (place, bucket) = place(RULES);
    let check = place.ask(&["check", "loja"]);
    let rules = check.lines().filter(|line| line.contains(" unless "));
    let rules: Vec<&str> = rules.map(str::trim).collect();
    assert_snapshot!(rules.join("\n"), @r"
    drop unless stat_pedi IN ('CRIADO', 'ENVIADO') (known_status)
    warn unless cod_idef_clie IS NOT NULL (with_customer)
    quarantine unless dat_atui > '2000-01-01T00:00:00Z' (real_time)
    ");
    let run = place.ask(&["run", "loja", "--once", "--bucket", &bucket]);
    let record: serde_json::Value = serde_json::from_str(&run).unwrap();
    assert_snapshot!(record["rules"].to_string(), @r#"
    {"orders.known_status":1,"orders.real_time":1,"orders.with_customer":2}
    "#);
    let status = place.ask(&["status", "loja", "--bucket", &bucket]);
    let from = status.find("objects  ").unwrap();
    assert_snapshot!(status[from..], @r"
    objects      3 discovered = 1 applied + 1 superseded + 1 quarantined + 0 duplicate
    events       3 discovered = 1 applied + 1 superseded + 1 quarantined + 0 duplicate
    quarantine   rule 1
    rule         orders.known_status broken 1×, 1 of them in the last batch (drop)
    rule         orders.real_time broken 1×, 1 of them in the last batch (quarantine)
    rule         orders.with_customer broken 2×, 2 of them in the last batch (warn)
    ");
    let history = place.ask(&["history", "loja", "--bucket", &bucket]);
    let lines: Vec<&str> = history.lines().skip(2).collect();
    assert_snapshot!(lines.join("\n"), @r"
    rule orders.known_status broken 1×
    rule orders.real_time broken 1×
    rule orders.with_customer broken 2×
    ");
    let why = [
        "why",
        "orders",
        "p1",
        "--pipeline",
        "loja",
        "--bucket",
        &bucket,
    ];
    let why = without_times(&place.ask(&why));
    let mut why: Vec<&str> = why.lines().collect();
    let quarantined = why.pop().unwrap();
    assert!(
        quarantined.contains("quarantined") && quarantined.contains("real_time"),
        "{quarantined}"
    );
    assert_snapshot!(why.join("\n"), @r"
    orders txt_detl_idt_pedi_pgto=p1
      won          <time>  input/a.json event 0  batch 1  raw/marketing_place/dt_processamento=<date>/a.json
      dropped      <time>  input/b.json event 0  batch 1  raw/marketing_place/dt_processamento=<date>/b.json  by rule known_status
    ");
    let verify = place.ask(&["verify", "loja", "--bucket", &bucket]);
    let verified = verify
        .lines()
        .map(|line| line.split(" (digest").next().unwrap());
    assert_snapshot!(verified.collect::<Vec<_>>().join("\n"), @r"
    orders       1 rows, each what the originals make
    sellers      0 rows, each what the originals make
    products     0 rows, each what the originals make
    shipments    1 rows, each what the originals make
    quarantine   1 rows, each what the originals make
    1 batches, 3 events replayed
    ");
}

#[test]
fn rule_that_stops_the_job_has_an_exit_code_of_its_own() {
    let (place, bucket) = place(&RULES.replace("\"quarantine\"", "\"stop\""));
    let failure = place.failure(&["run", "loja", "--once", "--bucket", &bucket]);
    assert_snapshot!(without_times(&failure), @r"
    exit 9
    error: batch 1: event 0 of `input/c.json` breaks rule `real_time` of table `orders`: dat_atui > '2000-01-01T00:00:00Z'
    hint: its original is `raw/marketing_place/dt_processamento=<date>/c.json`. Change the rule or its action (`quarantine` sets the event aside), then do it again; a batch that was stopped is in no table, and the next run takes it up
    ");
    let rows = [
        "sql",
        "--pipeline",
        "loja",
        "--bucket",
        &bucket,
        "SELECT * FROM orders",
    ];
    assert!(place.ask(&rows).contains("0 rows"));
}
