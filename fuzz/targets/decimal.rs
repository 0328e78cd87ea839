//! Any number as a decimal, held against arbitrary precision.
#![no_main]

use std::str::FromStr as _;
use std::sync::{Arc, LazyLock};

use arrow::array::AsArray as _;
use arrow::datatypes::Decimal128Type;
use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode};
use esteira_events::{DecodeLimits, EventDecoder, EventSchema, Source};
use libfuzzer_sys::fuzz_target;

static SCHEMA: LazyLock<Arc<EventSchema>> = LazyLock::new(|| {
    let schema = EventSchema::parse("CREATE TABLE e (d DECIMAL(18,2))", "schema.sql");
    Arc::new(schema.expect("the schema is one"))
});

fuzz_target!(|text: &str| {
    let is_number = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
        && text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    // Arbitrary precision takes arbitrary memory.
    let exponent = text.split(['e', 'E']).nth(1).map(i64::from_str);
    if !is_number || exponent.is_some_and(|power| power.map_or(true, |p| p.abs() > 400)) {
        return;
    }
    let event = format!("{{\"d\":{text}}}");
    let mut decoder = EventDecoder::new(Arc::clone(&SCHEMA), DecodeLimits::default());
    let source = Source {
        key: "a",
        modified_micros: 1,
    };
    let report = decoder.decode_object(&source, event.as_bytes());
    let rows = decoder.finish().expect("columns form a batch");
    let ours = (report.events == 1).then(|| {
        let column = rows[0].column_by_name("d").expect("the column");
        BigInt::from(column.as_primitive::<Decimal128Type>().value(0))
    });
    let exact = BigDecimal::from_str(text.trim()).expect("a JSON number is one");
    let rounded = exact.with_scale_round(2, RoundingMode::HalfEven);
    let (unscaled, _) = rounded.into_bigint_and_scale();
    let fits = unscaled.magnitude() < &BigInt::from(10u64.pow(18)).magnitude().clone();
    assert_eq!(ours, fits.then_some(unscaled), "{text:?}");
});
