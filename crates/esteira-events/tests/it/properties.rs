//! Properties that hold for any object.

use std::collections::BTreeMap;

use esteira_events::{EventSchema, UnnamedFields};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixture::{MARKETPLACE, SMALL, decode_by, decoder, gzip, original_of, zstd};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c\"\\\\\n\u{e9}\u{1F600}{}\\[\\]]{0,6}".prop_map(Value::from),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-d\n\"]{0,2}", inner), 0..4)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Good events with some unknown fields.
fn event() -> impl Strategy<Value = Value> {
    let item = (
        "[a-z\u{e7} ]{0,8}",
        0u32..100_000,
        prop::option::of(any_value()),
    )
        .prop_map(|(name, cents, unknown)| {
            let mut item = json!({"nom_item": name, "vlr_prod": f64::from(cents) / 100.0});
            if let Some(unknown) = unknown {
                item["vlr_fret"] = unknown;
            }
            item
        });
    (
        "[a-z\"{}\n]{1,8}",
        0u32..60,
        prop::option::of(prop::collection::vec(item, 0..3)),
        prop::option::of(any_value()),
    )
        .prop_map(|(id, second, items, unknown)| {
            let mut event = json!({
                "txt_detl_idt_pedi_pgto": id,
                "dat_atui": format!("2024-01-01T00:00:{second:02}-03:00"),
                "list_item_pedi": items,
            });
            if let Some(unknown) = unknown {
                event["extra"] = unknown;
            }
            event
        })
}

fn render(events: &[Value], form: usize) -> Vec<u8> {
    let compact: Vec<String> = events.iter().map(Value::to_string).collect();
    let pretty: Vec<String> = events
        .iter()
        .map(|event| serde_json::to_string_pretty(event).unwrap())
        .collect();
    match form {
        0 => compact.join("\n").into_bytes(),
        1 => format!("{}\r\n", compact.join("\r\n\r\n")).into_bytes(),
        2 => compact.concat().into_bytes(),
        3 => format!("[{}]", compact.join(",")).into_bytes(),
        4 => format!(" [\n{}\n]\n", compact.join("\n,\n")).into_bytes(),
        5 => format!("\u{FEFF}{}", compact.join(" ")).into_bytes(),
        6 => gzip(compact.join("\n").as_bytes()),
        7 => zstd(format!("[{}]", compact.join(", ")).as_bytes()),
        // white space inside rescued values is kept, so what is pretty is compared with itself
        8 => pretty.join("\n").into_bytes(),
        9 => format!("[{}]", pretty.join(",\n")).into_bytes(),
        _ => pretty.concat().into_bytes(),
    }
}

proptest! {
    #[test]
    fn events_in_any_form_give_the_same_rows(events in prop::collection::vec(event(), 1..6)) {
        let mut decoder = decoder(MARKETPLACE);
        for forms in [0..8, 8..11] {
            let mut batches = Vec::new();
            for form in forms {
                let decoded = decode_by(&mut decoder, &render(&events, form));
                prop_assert_eq!(&decoded.report.rejected, &[]);
                batches.push(decoded.batch);
            }
            prop_assert_eq!(batches[0].num_rows(), events.len());
            for batch in &batches[1..] {
                prop_assert_eq!(batch, &batches[0]);
            }
        }
    }

    #[test]
    fn rescued_data_holds_exactly_what_the_schema_does_not_name(event in event()) {
        let decoded = decode_by(&mut decoder(MARKETPLACE), event.to_string().as_bytes());
        let text = decoded.column("_rescued_data").remove(0);
        let rescued: Value = serde_json::from_str(&text).unwrap();
        let mut expected = Map::new();
        if let Some(extra) = event.get("extra") {
            expected.insert("extra".to_owned(), extra.clone());
        }
        let items: Vec<Value> = event["list_item_pedi"].as_array().into_iter().flatten()
            .map(|item| item.get("vlr_fret").map_or(json!({}), |fret| json!({"vlr_fret": fret})))
            .collect();
        if items.iter().any(|item| *item != json!({})) {
            expected.insert("list_item_pedi".to_owned(), Value::from(items));
        }
        let expected = if expected.is_empty() { Value::Null } else { Value::Object(expected) };
        prop_assert_eq!(rescued, expected);
    }

    #[test]
    fn arbitrary_bytes_are_accounted_for(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        decode_by(&mut decoder(SMALL), &bytes);
    }

    #[test]
    fn arbitrary_json_like_text_is_accounted_for(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", "\"", ":", ",", "\n", " ", "\n{", "\n}\n", "\"id\"", "\"n\"",
            "\"a\"", "1", "-", "e5", ".", "null", "tru", "\\", "\\u00", "\u{e9}", "\u{FEFF}",
            "{\"id\":\"a\"}", "\n{\"id\":\"b\",\"n\":1}\n", "{\"id\":", "\r",
        ]), 0..24),
    ) {
        let mut decoder = decoder(SMALL);
        let text = parts.concat();
        let whole = decode_by(&mut decoder, text.as_bytes());
        // the same text is decoded the same when it is not known to be UTF-8 beforehand
        let bytes = [text.as_bytes(), b"\n\xff"].concat();
        let again = decode_by(&mut decoder, &bytes);
        if whole.report.rejected.is_empty() {
            prop_assert_eq!(&again.batch, &whole.batch);
        }
    }

    #[test]
    fn array_cut_anywhere_keeps_the_events_before_the_cut(
        events in prop::collection::vec(event(), 1..4), form in 3usize..5,
    ) {
        let mut decoder = decoder(MARKETPLACE);
        let object = render(&events, form);
        let whole = decode_by(&mut decoder, &object).batch;
        for end in 0..object.trim_ascii_end().len() {
            let cut = decode_by(&mut decoder, &object[..end]);
            prop_assert_eq!(cut.report.rejected.len(), 1);
            let rows = cut.batch.num_rows();
            prop_assert_eq!(&cut.batch, &whole.slice(0, rows));
        }
    }

    #[test]
    fn lines_cut_anywhere_keep_the_events_before_the_cut(
        events in prop::collection::vec(event(), 2..4),
    ) {
        let mut decoder = decoder(MARKETPLACE);
        let object = render(&events, 0);
        let whole = decode_by(&mut decoder, &object).batch;
        for end in 1..object.len() {
            let cut = decode_by(&mut decoder, &object[..end]);
            let lines = object[..end].split(|byte| *byte == b'\n').count() - 1;
            prop_assert!(cut.batch.num_rows() >= lines);
            prop_assert!(cut.report.rejected.len() <= 1);
            let rows = cut.batch.num_rows();
            prop_assert_eq!(&cut.batch, &whole.slice(0, rows));
        }
    }

    #[test]
    fn broken_lines_among_good_ones_are_told_apart(
        lines in prop::collection::vec(prop::option::weighted(0.7, "[a-z]{1,4}"), 1..8),
        broken in prop::sample::select(vec![
            "{\"id\":", "{\"id\":\"x", "{\"id\":}", "oops", "{\"id\":\"x\",\"u\":[", "}", "]",
        ]),
    ) {
        prop_assume!(lines.iter().any(Option::is_some));
        let good = |id: &String| format!("{{\"id\":\"{id}\"}}");
        let text: Vec<String> =
            lines.iter().map(|line| line.as_ref().map_or(broken.to_owned(), good)).collect();
        // a `]` or `[` in front would make the object another form
        let decoded = decode_by(&mut decoder(SMALL), text.join("\n").as_bytes());
        let ids: Vec<String> = lines.iter().flatten().cloned().collect();
        prop_assert_eq!(decoded.column("id"), ids);
        for entry in &decoded.report.rejected {
            prop_assert_eq!(original_of(entry), broken.as_bytes());
        }
    }
}

proptest! {
    /// Counting what the schema does not name gives what looking at the events themselves does.
    #[test]
    fn unnamed_fields_are_those_of_the_events(events in prop::collection::vec(event(), 1..6)) {
        let text = serde_json::to_string(&events).unwrap();
        let decoded = decode_by(&mut decoder(MARKETPLACE), text.as_bytes());
        let schema = EventSchema::parse(MARKETPLACE, "schema.sql").unwrap();
        let mut fields = UnnamedFields::new(&schema);
        for rescued in decoded.column("_rescued_data") {
            if rescued != "null" {
                fields.count(&rescued);
            }
        }
        let has = |event: &Value, path: &str| match path {
            "$.extra" => event.get("extra").is_some(),
            _ => event["list_item_pedi"]
                .as_array()
                .is_some_and(|items| items.iter().any(|item| item.get("vlr_fret").is_some())),
        };
        let paths = ["$.extra", "$.list_item_pedi[].vlr_fret"];
        let wanted = paths.map(|path| {
            let count = events.iter().filter(|event| has(event, path)).count();
            (path.to_owned(), count as u64)
        });
        let wanted: BTreeMap<String, u64> = wanted.into_iter().filter(|(_, n)| *n > 0).collect();
        prop_assert_eq!(fields.by_path(), wanted);
    }
}
