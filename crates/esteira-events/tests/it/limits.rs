//! Limits that keep memory bounded, and streams that are broken.

use std::sync::Arc;

use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;

use crate::fixture::{SMALL, SOURCE, decode_by, decode_small, gzip, original_of, zstd};
use esteira_events::{DecodeLimits, EventDecoder, EventSchema, Reason, Source, text_length};

fn decoder(ddl: &str, limits: DecodeLimits) -> EventDecoder {
    EventDecoder::new(
        Arc::new(EventSchema::parse(ddl, "schema.sql").unwrap()),
        limits,
    )
}

#[test]
fn compressed_stream_that_breaks_applies_nothing() {
    let text = "{\"id\":\"a\"}\n".repeat(10_000);
    for packed in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
        let cut = &packed[..packed.len() - 1];
        let rejected = decode_small(cut).only_rejected();
        assert_eq!(
            (rejected.reason, rejected.position),
            (Reason::Compression, 0)
        );
        assert_eq!(original_of(&rejected), cut);
        assert_eq!((rejected.line, rejected.column, rejected.offset), (1, 1, 0));
    }
}

#[test]
fn compressed_in_compressed_is_not_text() {
    for inner in [gzip(b"{\"id\":\"a\"}"), zstd(b"{\"id\":\"a\"}")] {
        let packed = gzip(&inner);
        let rejected = decode_small(&packed).only_rejected();
        assert!(matches!(rejected.reason, Reason::Syntax | Reason::Encoding));
        assert_eq!(original_of(&rejected), packed);
    }
}

#[test]
fn text_beyond_the_limit_is_too_large() {
    let limits = DecodeLimits {
        max_decompressed_bytes: 100,
        ..DecodeLimits::default()
    };
    let mut decoder = decoder(SMALL, limits);
    let bomb = gzip(&vec![b' '; 10_000_000]);
    let rejected = decode_by(&mut decoder, &bomb).only_rejected();
    assert_eq!(
        (rejected.reason, rejected.original),
        (Reason::TooLarge, Some(bomb))
    );
    assert_eq!(decode_by(&mut decoder, b"{\"id\":\"a\"}").report.events, 1);
}

#[test]
fn event_beyond_the_limit_is_too_large_and_the_next_is_not() {
    let limits = DecodeLimits {
        max_event_bytes: 20,
        ..DecodeLimits::default()
    };
    let mut decoder = decoder(SMALL, limits);
    for object in [
        "{\"id\":\"aaaaaaaaaaaaaaaa\"}\n{\"id\":\"b\"}\n",
        "[{\"id\":\"aaaaaaaaaaaaaaaa\"},{\"id\":\"b\"}]",
    ] {
        let decoded = decode_by(&mut decoder, object.as_bytes());
        assert_eq!(decoded.column("id"), ["b"]);
        let rejected = &decoded.report.rejected[0];
        assert_eq!(rejected.reason, Reason::EventTooLarge);
        assert_eq!(
            rejected.message,
            "the event has 25 bytes, more than the 20 that `limits.event_mebibytes` allows; raise it"
        );
        assert_eq!(original_of(rejected), b"{\"id\":\"aaaaaaaaaaaaaaaa\"}");
    }
}

#[test]
fn original_that_is_long_stays_in_the_object() {
    let limits = DecodeLimits {
        max_original_bytes: 10,
        ..DecodeLimits::default()
    };
    let mut decoder = decoder(SMALL, limits);
    let decoded = decode_by(&mut decoder, b"1234567890\n12345678901\n");
    let entries = decoded.report.rejected.into_iter();
    let originals: Vec<_> = entries.map(|entry| entry.original).collect();
    assert_eq!(originals, [Some(b"1234567890".to_vec()), None]);
    let alone = decode_by(&mut decoder, &gzip(b"1")).only_rejected();
    assert_eq!(alone.original, None);
}

#[test]
fn text_is_measured_without_being_kept() {
    let text = vec![b' '; 1_000_000];
    for object in [text.clone(), gzip(&text), zstd(&text)] {
        assert_eq!(text_length(&object, 1_000_000), 1_000_000);
        let least = text_length(&object, 999_999);
        assert!(least >= 1_000_000, "{least}");
        assert!(text_length(&object[..object.len() / 2], 1_000_000) < 1_000_000);
    }
    assert_eq!(text_length(b"", 1), 0);
}

#[test]
fn event_of_too_many_values_is_rejected_and_the_next_is_not() {
    let limits = DecodeLimits {
        max_event_values: 100,
        ..DecodeLimits::default()
    };
    let ddl = "CREATE TABLE event (l ARRAY<STRUCT<a: BIGINT>>, n ARRAY<BIGINT>)";
    let mut decoder = decoder(ddl, limits);
    for field in [
        format!("\"l\":[{}{{}}]", "{},".repeat(100)),
        format!("\"n\":[{}1]", "1,".repeat(100)),
    ] {
        let object = format!("{{{field}}}\n{{\"n\":[1]}}");
        let decoded = decode_by(&mut decoder, object.as_bytes());
        assert_eq!(decoded.column("n"), ["[1]"]);
        assert_eq!(decoded.report.rejected[0].reason, Reason::EventTooLarge);
    }
}

#[test]
fn object_of_too_many_rejected_entries_has_its_rest_rejected_as_one() {
    let limits = DecodeLimits {
        max_rejected: 2,
        ..DecodeLimits::default()
    };
    let mut decoder = decoder(SMALL, limits);
    for (object, rest) in [
        ("1\n2\n3\n{\"id\":\"a\"}\n", "3\n{\"id\":\"a\"}"),
        ("[1,2,3]", "3]"),
    ] {
        let decoded = decode_by(&mut decoder, object.as_bytes());
        assert_eq!(decoded.report.rejected.len(), 3);
        assert_eq!(
            decoded.rejected()[2],
            (2, Reason::TooLarge, rest.to_owned())
        );
    }
    assert_eq!(decode_by(&mut decoder, b"1\n2\n").report.rejected.len(), 2);
}

#[test]
fn events_that_may_not_be_some_are_all_rejected_however_many_they_are() {
    let limits = DecodeLimits {
        max_rejected: 2,
        ..DecodeLimits::default()
    };
    let object = b"{\"id\":\"a\"}\n1\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n2\n3\n{\"id\":\"d\"}\n";
    let events = decode_by(&mut decoder(SMALL, limits), object).report.events;
    assert_eq!(
        events, 3,
        "what follows the second rejected entry is rejected with it"
    );
    let broken = [0, 2, 3].map(|position| (position, "no".to_owned())).into();
    let rejected = decoder(SMALL, limits).reject_events(object, &broken);
    let positions: Vec<u64> = rejected.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [0, 2, 3]);
}

#[test]
fn string_of_thirty_megabytes_is_a_value() {
    let long = "é".repeat(15_000_000);
    let decoded = decode_small(format!("{{\"id\":\"{long}\",\"u\":\"{long}\"}}"));
    assert_eq!(decoded.column("id"), [long]);
}

#[test]
fn object_of_many_bytes_becomes_batches_in_its_order() {
    let line = |number: usize| format!("{{\"id\":\"{number:01000}\"}}\n");
    let object: String = (0..40_000).map(line).collect();
    let mut decoder = decoder(SMALL, DecodeLimits::default());
    assert_eq!(
        decoder.decode_object(&SOURCE, object.as_bytes()).events,
        40_000
    );
    assert_eq!(decoder.rows(), 40_000);
    let batches = decoder.finish().unwrap();
    assert_eq!(batches.len(), 3);
    let positions = batches.iter().flat_map(|batch| {
        let column = batch.column_by_name("_source_position").unwrap();
        column.as_primitive::<Int64Type>().values().to_vec()
    });
    assert!(positions.eq(0..40_000));
    assert_eq!(decoder.rows(), 0);
}

#[test]
fn decoder_counts_rows_and_memory_until_it_is_asked() {
    let mut decoder = decoder(SMALL, DecodeLimits::default());
    assert_eq!(decoder.rows(), 0);
    let first = Source {
        key: "a",
        modified_micros: 1,
    };
    assert_eq!(decoder.decode_object(&first, b"{\"id\":\"a\"}").events, 1);
    let small = decoder.memory_bytes();
    let object = format!("{{\"id\":\"{}\"}}", "x".repeat(10_000));
    assert_eq!(decoder.decode_object(&SOURCE, object.as_bytes()).events, 1);
    assert_eq!(decoder.rows(), 2);
    assert!(decoder.memory_bytes() > small + 10_000);
    assert_eq!(decoder.finish().unwrap()[0].num_rows(), 2);
    assert_eq!(decoder.rows(), 0);
    assert!(decoder.memory_bytes() <= small);
    assert_eq!(decoder.finish().unwrap()[0].num_rows(), 0);
}
