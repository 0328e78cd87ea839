//! Any bytes as an object: nothing fails, every entry is accounted for once, rejected bytes are the object's
//! own, and what `serde_json` takes for an object is one event.
#![no_main]

use std::sync::Arc;
use std::sync::LazyLock;

use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;
use esteira_events::{DecodeLimits, EventDecoder, EventSchema, SOURCE_POSITION, Source, text_of};
use libfuzzer_sys::fuzz_target;

/// Everything a schema can say, under names that a fuzzer finds.
static SCHEMA: LazyLock<Arc<EventSchema>> = LazyLock::new(|| {
    let ddl = "CREATE TABLE e (a STRING, b BIGINT, c DECIMAL(18,2), d TIMESTAMP, e DATE, f DOUBLE, \
               g BOOLEAN, h ARRAY<STRUCT<a: STRING, b: ARRAY<BIGINT>, c: DECIMAL(9,4)>>)";
    Arc::new(EventSchema::parse(ddl, "schema.sql").expect("the schema is one"))
});

fuzz_target!(|object: &[u8]| {
    let limits = DecodeLimits {
        max_decompressed_bytes: 1 << 20,
        ..DecodeLimits::default()
    };
    let mut decoder = EventDecoder::new(Arc::clone(&SCHEMA), limits);
    let source = Source {
        key: "input/a.json",
        modified_micros: 1,
    };
    let report = decoder.decode_object(&source, object);
    let batches = decoder.finish().expect("columns form a batch");
    let mut positions: Vec<u64> = batches
        .iter()
        .flat_map(|rows| {
            let column = rows.column_by_name(SOURCE_POSITION).expect("a position");
            column.as_primitive::<Int64Type>().values().to_vec()
        })
        .map(|position| u64::try_from(position).expect("from 0"))
        .collect();
    assert_eq!(positions.len() as u64, report.events);
    positions.extend(report.rejected.iter().map(|entry| entry.position));
    positions.sort_unstable();
    assert!(!positions.is_empty());
    assert!(positions.iter().copied().eq(0..positions.len() as u64));

    let text = text_of(object, limits.max_decompressed_bytes);
    for entry in &report.rejected {
        let original = entry.original.as_deref().expect("small enough to be kept");
        let is_part = text.as_ref().is_some_and(|text| {
            original.is_empty() || text.windows(original.len()).any(|part| part == original)
        });
        assert!(original == object || is_part, "{entry:?}");
    }
    if let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(object) {
        assert_eq!(positions.len(), 1);
        let is_declared = |name: &str| SCHEMA.fields().iter().any(|field| field.name == name);
        if !fields.keys().any(|name| is_declared(name)) {
            assert_eq!(report.events, 1, "{:?}", report.rejected);
        }
    }
});
