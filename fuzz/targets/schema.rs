//! Any text as a schema: read, or refused with a place in it.
#![no_main]

use esteira_events::EventSchema;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match EventSchema::parse(text, "schema.sql") {
        Ok(schema) => assert!(!schema.arrow_schema().fields().is_empty()),
        Err(error) => {
            assert!(error.to_string().starts_with("schema.sql:"), "{error}");
            let _ = error.hint();
        }
    }
});
