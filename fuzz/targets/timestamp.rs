//! Any text as a timestamp, held against chrono's reading of RFC 3339.
#![no_main]

use std::sync::{Arc, LazyLock};

use arrow::array::AsArray as _;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::DateTime;
use esteira_events::{DecodeLimits, EventDecoder, EventSchema, Source};
use libfuzzer_sys::fuzz_target;

static SCHEMA: LazyLock<Arc<EventSchema>> = LazyLock::new(|| {
    let schema = EventSchema::parse("CREATE TABLE e (t TIMESTAMP)", "schema.sql");
    Arc::new(schema.expect("the schema is one"))
});

fuzz_target!(|text: &str| {
    let event = serde_json::json!({ "t": text }).to_string();
    let mut decoder = EventDecoder::new(Arc::clone(&SCHEMA), DecodeLimits::default());
    let source = Source {
        key: "a",
        modified_micros: 1,
    };
    let report = decoder.decode_object(&source, event.as_bytes());
    let rows = decoder.finish().expect("columns form a batch");
    let ours = (report.events == 1).then(|| {
        let column = rows[0].column_by_name("t").expect("the column");
        column.as_primitive::<TimestampMicrosecondType>().value(0)
    });
    let theirs = DateTime::parse_from_rfc3339(text).ok();
    // chrono takes a small `t` and a space for `T`, and leap seconds; the contract does not.
    let is_ours_to_take = text.as_bytes().get(10) == Some(&b'T')
        && text.as_bytes().get(17..19) != Some(b"60")
        && !text.ends_with('z');
    match (ours, theirs) {
        (Some(micros), Some(theirs)) => assert_eq!(micros, theirs.timestamp_micros(), "{text:?}"),
        (Some(micros), None) => panic!("{text:?} is {micros} here, and nothing to chrono"),
        (None, Some(theirs)) => assert!(!is_ours_to_take, "{text:?} is {theirs} to chrono"),
        (None, None) => {}
    }
});
