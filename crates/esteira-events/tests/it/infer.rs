//! Schemas suggested from samples: what they say, and that they take every sample.

use std::sync::Arc;

use esteira_events::{DecodeLimits, EventDecoder, EventSchema, Samples, Suggestion};
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixture::{SOURCE, gzip};

fn suggested(objects: &[&[u8]]) -> Suggestion {
    let mut samples = Samples::default();
    for object in objects {
        let report = samples.look_at(object);
        assert_eq!(report.rejected, []);
    }
    samples.suggestion()
}

fn shown(objects: &[&[u8]]) -> String {
    let suggestion = suggested(objects);
    let mut lines = vec![format!("{} events", suggestion.events)];
    lines.extend(suggestion.fields.iter().map(|field| {
        format!(
            "{} {} in {} distinct {}{}",
            field.field.name,
            field.field.data_type,
            field.present,
            field.distinct,
            if field.has_empty { " has empty" } else { "" },
        )
    }));
    let left_out = suggestion.left_out.iter();
    lines.extend(left_out.map(|left_out| format!("not {}: {}", left_out.path, left_out.reason)));
    lines.join("\n")
}

#[test]
fn types_are_the_narrowest_that_take_every_value() {
    let events = br#"
      {"id": "a", "n": 1, "price": 1.5, "big": 9223372036854775808, "tiny": 1e-300, "flag": true,
       "at": "2024-01-01T10:00:00Z", "day": "2024-01-01", "local": "2024-01-01T10:00:00", "e": 12.5e1}
      {"id": "", "n": -2, "price": 1234.567, "big": 1, "tiny": 2, "flag": null,
       "at": "2024-01-01T10:00:00.123456789-03:00", "day": "2024-02-30", "local": "x", "e": 100e-4}
    "#;
    assert_snapshot!(shown(&[events]), @r"
    2 events
    id STRING in 2 distinct 2 has empty
    n BIGINT in 2 distinct 2
    price DECIMAL(18,3) in 2 distinct 2
    big DECIMAL(19,0) in 2 distinct 2
    tiny DOUBLE in 2 distinct 2
    flag BOOLEAN in 1 distinct 0
    at TIMESTAMP in 2 distinct 2
    day STRING in 2 distinct 2
    local STRING in 2 distinct 2
    e DECIMAL(18,4) in 2 distinct 2
    ");
}

#[test]
fn lists_and_structs_are_looked_into() {
    let events = br#"[
      {"id": 1, "items": [{"name": "x", "price": 1.25, "tags": ["a", null]}, {"price": 2}], "none": []},
      {"id": 2, "items": [], "to": {"street": "s", "geo": {"lat": -23.5505199, "lon": 1}}}
    ]"#;
    assert_snapshot!(shown(&[&gzip(events)]), @r"
    2 events
    id BIGINT in 2 distinct 2
    items ARRAY<STRUCT<name: STRING, price: DECIMAL(18,2), tags: ARRAY<STRING>>> in 2 distinct 0
    to STRUCT<street: STRING, geo: STRUCT<lat: DECIMAL(18,7), lon: BIGINT>> in 1 distinct 0
    not $.none: no list of it had an element with a value
    ");
}

#[test]
fn what_no_type_takes_is_left_out_with_the_reason() {
    let events = br#"
      {"mixed": 1, "null": null, "_own": 1, "a b": 1, "A": 1, "a": 2, "huge": 1e400, "maybe": [{}, null],
       "deep": {"mixed": [1, "x"], "empty": {}}, "": 1, "q\"": 1}
      {"mixed": "x", "huge": 1, "twice": 1, "twice": null}
    "#;
    assert_snapshot!(shown(&[events]), @r#"
    2 events
    A BIGINT in 1 distinct 1
    twice BIGINT in 0 distinct 1
    not $.mixed: it is of several kinds: numbers like `1`, strings like `x`
    not $.null: it is always null
    not $._own: `_own` is reserved: columns whose name starts with `_` are made by the relation
    not $.a b: no column can have such a name
    not $.a: another key differs from it only in upper and lower case
    not $.huge: no type holds numbers as large as `1e400`
    not $.maybe: a null stands among its objects
    not $.deep.mixed: it is of several kinds: numbers like `1`, strings like `x`
    not $.deep.empty: none of its keys can be a field
    not $.deep: none of its keys can be a field
    not $.: "" cannot be a name
    not $.q": "q\"" cannot be a name
    "#);
}

#[test]
fn entry_that_is_no_object_is_told_and_not_counted() {
    let mut samples = Samples::default();
    let report = samples.look_at(b"{\"a\":1}\n2\n{\"a\":\"x\" {\n{\"b\":\"\xff\"}\n{\"a\":3}");
    let reasons: Vec<_> = report
        .rejected
        .iter()
        .map(|entry| entry.reason.as_str())
        .collect();
    assert_eq!(reasons, ["not_an_object", "syntax", "encoding"]);
    let suggestion = samples.suggestion();
    assert_eq!(suggestion.events, 2);
    assert_eq!(suggestion.fields.len(), 1);
    assert_eq!(suggestion.fields[0].field.data_type.to_string(), "BIGINT");
    assert_eq!(suggestion.fields[0].example, "`1`");
}

/// Texts of which some are numbers as JSON writes them: a value cannot hold all of these.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        r"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?",
        r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c\"\\\\\n\u{e9}]{0,3}".prop_map(String::from),
        "2024-0[1-9]-[0-3][0-9]",
        "2024-0[1-9]-[0-2][0-9]T[0-2][0-9]:00:00(\\.[0-9]{1,9})?(Z|-03:00)?",
    ]
}

/// JSON text of any value, with keys from few, so that events have them in common.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        number(),
        text().prop_map(|text| Value::from(text).to_string()),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[{}]", all.join(","))),
            object(inner),
        ]
    })
}

fn object(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof!["[a-dA]{1,2}", "_[ab]", "[a \"]{0,2}"];
    prop::collection::vec((key, inner), 0..6).prop_map(|members| {
        let members = members
            .into_iter()
            .map(|(key, value)| format!("{}:{value}", Value::from(key)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn suggested_schema_takes_every_sample(
        events in prop::collection::vec(object(value()), 1..6),
        required in any::<bool>(),
    ) {
        let object = events.join("\n");
        let suggestion = suggested(&[object.as_bytes()]);
        prop_assert_eq!(suggestion.events, events.len() as u64);
        let fields = suggestion.fields.iter().map(|suggested| {
            let always = suggested.present == suggestion.events;
            let mut field = suggested.field.clone();
            field.required = required && always;
            field.not_empty = field.data_type.to_string() == "STRING" && !suggested.has_empty;
            field
        });
        // An event may have no field that can be one.
        let Ok(schema) = EventSchema::new("event", fields.collect()) else {
            prop_assert!(suggestion.fields.is_empty());
            return Ok(());
        };
        let mut decoder = EventDecoder::new(Arc::new(schema), DecodeLimits::default());
        let report = decoder.decode_object(&SOURCE, object.as_bytes());
        prop_assert_eq!(report.rejected, []);
        prop_assert_eq!(report.events, suggestion.events);
    }
}

#[test]
fn object_with_many_keys_is_a_map() {
    let keys = (0..500).map(|number| (format!("k{number}"), json!(number)));
    let map: Map<String, Value> = keys.collect();
    let event = json!({"id": 1, "map": map});
    assert_snapshot!(shown(&[event.to_string().as_bytes()]), @r"
    1 events
    id BIGINT in 1 distinct 1
    not $.map: it has more than 400 keys, like a map
    ");
}

/// Only what a schema does not name is offered, wherever it is.
#[test]
fn additions_are_what_the_schema_does_not_name() {
    let schema =
        "CREATE TABLE event (id STRING, Total INT, items ARRAY<STRUCT<a: INT, o: STRUCT<b: INT>>>)";
    let schema = EventSchema::parse(schema, "schema.sql").unwrap();
    let mut samples = Samples::default();
    for rescued in [
        r#"{"canal":"app","items":[{"cor":"azul"},{},{"o":{"c":[1,2]}}],"_event":1}"#,
        r#"{"canal":null,"mixed":1,"items":[{"A":1,"o":{"c":[]}}],"total":5}"#,
        r#"{"mixed":"x","place":{"zip":"1","at":"2024-01-01T00:00:00Z"},"maybe":null}"#,
    ] {
        let report = samples.look_at(rescued.as_bytes());
        assert_eq!(report.rejected, []);
    }
    let (additions, left_out) = samples.additions(&schema);
    let mut lines: Vec<String> = additions
        .iter()
        .map(|addition| {
            let place = addition.within.join("/");
            format!(
                "{} in [{place}]: {} {} in {} like {}",
                addition.path,
                addition.field.name,
                addition.field.data_type,
                addition.present,
                addition.example
            )
        })
        .collect();
    let left_out = left_out.iter();
    lines.extend(left_out.map(|left_out| format!("not {}: {}", left_out.path, left_out.reason)));
    assert_snapshot!(lines.join("\n"), @r"
    $.canal in []: canal STRING in 1 like `app`
    $.place in []: place STRUCT<zip: STRING, at: TIMESTAMP> in 1 like 
    $.items[].cor in [items]: cor STRING in 1 like `azul`
    $.items[].o.c in [items/o]: c ARRAY<BIGINT> in 2 like 
    not $._event: `_event` is reserved: columns whose name starts with `_` are made by the relation
    not $.mixed: it is of several kinds: numbers like `1`, strings like `x`
    not $.total: another key differs from it only in upper and lower case
    not $.maybe: it is always null
    not $.items[].A: another key differs from it only in upper and lower case
    ");
}
