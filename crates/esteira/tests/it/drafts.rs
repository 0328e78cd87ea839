//! New pipelines: what is written passes the check, says what the defaults are, and takes its samples.

use esteira::{Draft, DraftError, Limits, Maintenance, Pipeline, SourceRules};
use esteira_events::{DecodeLimits, EventDecoder, Samples, Source};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Writes the draft and checks it; nothing may be wrong or doubtful.
async fn checked(draft: &Draft) -> Pipeline {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rascunho");
    draft.write(&path).unwrap();
    let files = Pipeline::files(path.to_str().unwrap()).unwrap();
    let checked = files.check().await;
    let problems: Vec<String> = checked
        .problems
        .iter()
        .map(|problem| problem.error.to_string())
        .collect();
    assert_eq!(problems, Vec::<String>::new(), "{:#?}", draft.files());
    checked.pipeline.unwrap()
}

fn drafted(events: &[Value]) -> Result<Draft, DraftError> {
    drafted_as("rascunho", events)
}

fn drafted_as(name: &str, events: &[Value]) -> Result<Draft, DraftError> {
    let mut samples = Samples::default();
    for event in events {
        let report = samples.look_at(event.to_string().as_bytes());
        assert_eq!(report.rejected, []);
    }
    Draft::of_samples(name, &samples.suggestion())
}

#[tokio::test]
async fn example_passes_the_check_whatever_its_name() {
    for name in [
        "refunds",
        "Devolucoes",
        "a-b.c",
        "quarantine",
        "7",
        &"a".repeat(128),
    ] {
        checked(&Draft::example(name).unwrap()).await;
    }
    for name in ["", "a b", "ação", "../x", "a/b", ".x", "-x"] {
        assert!(
            matches!(Draft::example(name), Err(DraftError::Name(_))),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_the_example_calls_defaults_is_what_holds_without_it() {
    let draft = Draft::example("refunds").unwrap();
    let plain = checked(&draft).await;
    assert_eq!(plain.source, SourceRules::default());
    assert_eq!(plain.limits, Limits::default());
    assert_eq!(plain.maintenance, Maintenance::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refunds");
    draft.write(&path).unwrap();
    let config = std::fs::read_to_string(path.join("pipeline.toml")).unwrap();
    let spelt_out: Vec<&str> = config
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase()) => setting,
            _ => line,
        })
        .collect();
    assert!(spelt_out.contains(&"copy_on_write = false"));
    std::fs::write(path.join("pipeline.toml"), spelt_out.join("\n")).unwrap();
    let spelt_out = Pipeline::files(path.to_str().unwrap())
        .unwrap()
        .load()
        .await
        .unwrap();
    assert_eq!(spelt_out.source, plain.source);
    assert_eq!(spelt_out.limits, plain.limits);
    assert_eq!(spelt_out.maintenance, plain.maintenance);
    assert_eq!(
        (
            &spelt_out.tables_path,
            &spelt_out.raw_path,
            &spelt_out.quarantine_path
        ),
        (&plain.tables_path, &plain.raw_path, &plain.quarantine_path)
    );
    assert_eq!(
        spelt_out.tables[0].copy_on_write,
        plain.tables[0].copy_on_write
    );
    assert_eq!(spelt_out.tables[0].model.sql(), plain.tables[0].model.sql());
}

#[test]
fn draft_without_key_or_version_says_what_is_near() {
    let events = [json!({"id": 1, "created": "2024-01-01 10:00:00", "updatedAt": 1_700_000_000})];
    let error = drafted(&events).unwrap_err();
    assert!(matches!(error, DraftError::NoVersion { .. }));
    assert_eq!(
        error.hint().unwrap(),
        "the version is an RFC 3339 timestamp with an offset, in every event; these are not: \
         `updatedAt` (BIGINT, in every event, 1 different, like `1700000000`)"
    );
    let events = [json!({"at": "2024-01-01T10:00:00Z", "name": ""})];
    assert!(matches!(drafted(&events), Err(DraftError::NoKey)));
}

#[test]
fn draft_writes_over_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let draft = Draft::example("x").unwrap();
    assert!(matches!(
        draft.write(folder.path()),
        Err(DraftError::Exists(_))
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,2}",
        prop::sample::select(vec![
            "order", "select", "Id", "ID", "é", "a-b", "a.b", "it's", "`", "item", "_x", "a b",
            "1", "date", "STATUS", "events", "objects",
        ])
        .prop_map(String::from),
        // Longer than the name of a table can be.
        "[ab]".prop_map(|letter| letter.repeat(130)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9][a-z0-9._-]{0,5}",
        Just("raw".to_owned()),
        (120usize..=128).prop_map(|letters| "x".repeat(letters)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (0u32..10_000).prop_map(|cents| json!(f64::from(cents) / 100.0)),
        "[a-c'\n]{0,3}".prop_map(Value::from),
        Just(json!("2024-01-01T10:00:00-03:00")),
        Just(json!("2024-01-01")),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key(), inner.clone(), 0..4).prop_map(|map| json!(map)),
            prop::collection::vec(prop::collection::btree_map(key(), inner, 1..4), 1..3)
                .prop_map(|list| json!(list)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn draft_passes_the_check_and_takes_every_sample(
        name in name(),
        extras in prop::collection::vec(prop::collection::btree_map(key(), value(), 0..6), 1..4),
    ) {
        let events: Vec<Value> = extras
            .iter()
            .enumerate()
            .map(|(number, extra)| {
                let mut event = json!(extra);
                event["pedido_id"] = json!(format!("p{number}"));
                event["updated_at"] = json!("2024-01-01T10:00:00Z");
                event
            })
            .collect();
        let draft = drafted_as(&name, &events).unwrap();
        let pipeline = tokio::runtime::Runtime::new().unwrap().block_on(checked(&draft));
        let mut decoder = EventDecoder::new(pipeline.schema, DecodeLimits::default());
        let source = Source { key: "a.json", modified_micros: 0 };
        for event in &events {
            let report = decoder.decode_object(&source, event.to_string().as_bytes());
            prop_assert_eq!(report.rejected, []);
        }
    }
}
