//! Rules of an event: required and empty fields, keys given twice, which error is reported.

use crate::fixture::{MARKETPLACE, decode, decode_small};
use esteira_events::Reason;

#[test]
fn required_field_missing_or_null_rejects_the_event() {
    let missing = decode_small(r#"{"n":1}"#).only_rejected();
    assert_eq!(missing.reason, Reason::MissingRequired);
    assert_eq!((missing.path.as_str(), missing.offset), ("$.id", 6));
    assert_eq!(missing.message, "`id` is required, but missing");
    let null = decode_small(r#"{"id":null}"#).only_rejected();
    assert_eq!((null.reason, null.offset), (Reason::MissingRequired, 6));
    assert_eq!(null.message, "`id` is required, but null");
    assert_eq!(
        decode_small("{}").only_rejected().reason,
        Reason::MissingRequired
    );
}

#[test]
fn empty_string_is_only_refused_where_declared() {
    let ddl = "CREATE TABLE event (a STRING CHECK (a <> ''), b STRING)";
    let empty = decode(ddl, r#"{"a":"","b":""}"#).only_rejected();
    assert_eq!(
        (empty.reason, empty.path.as_str()),
        (Reason::EmptyValue, "$.a")
    );
    assert_eq!(decode(ddl, r#"{"a":" ","b":""}"#).report.events, 1);
    assert_eq!(decode(ddl, r#"{"a":null}"#).report.events, 1);
}

#[test]
fn key_given_twice_counts_last_for_values_and_for_errors() {
    let value = |object: &str| decode_small(object).column("n").remove(0);
    assert_eq!(value(r#"{"id":"a","n":1,"n":2}"#), "2");
    assert_eq!(value(r#"{"id":"a","n":1,"n":null}"#), "null");
    assert_eq!(value(r#"{"id":"a","n":"wrong","n":2}"#), "2");
    assert_eq!(value(r#"{"id":null,"n":3,"id":"a"}"#), "3");
    assert_eq!(
        value(r#"{"id":1,"n":[],"id":2,"n":{},"id":"a","n":4}"#),
        "4"
    );
    let later = decode_small(r#"{"id":"a","n":2,"n":"wrong"}"#).only_rejected();
    assert_eq!((later.reason, later.offset), (Reason::WrongType, 20));
    let both = decode_small(r#"{"id":"a","n":[],"n":1.5}"#).only_rejected();
    assert_eq!((both.reason, both.offset), (Reason::InvalidInteger, 21));
}

#[test]
fn key_given_twice_counts_last_at_every_depth() {
    let ddl = "CREATE TABLE event (l ARRAY<STRUCT<n: BIGINT, s: STRUCT<m: BIGINT NOT NULL>>>)";
    let good = decode(
        ddl,
        r#"{"l":[{"n":"x","n":1},{"s":{"m":null,"m":5}},{"s":{},"s":null}]}"#,
    );
    assert_eq!(
        good.column("l"),
        ["[{n: 1, s: null}, {n: null, s: {m: 5}}, {n: null, s: null}]"]
    );
    let overridden = decode(ddl, r#"{"l":[{"n":"x"},1],"l":[{"n":7}]}"#);
    assert_eq!(overridden.column("l"), ["[{n: 7, s: null}]"]);
    let wrong = decode(ddl, r#"{"l":[{"n":1}],"l":[{"n":1},{"n":1,"n":"x"}]}"#).only_rejected();
    assert_eq!(
        (wrong.reason, wrong.path.as_str()),
        (Reason::WrongType, "$.l[1].n")
    );
}

#[test]
fn first_error_in_document_order_is_reported() {
    let ddl = "CREATE TABLE event (id STRING NOT NULL, a BIGINT, b ARRAY<STRUCT<c: BIGINT>>)";
    let path = |object: &str| {
        let rejected = decode(ddl, object).only_rejected();
        (rejected.path, rejected.reason)
    };
    assert_eq!(
        path(r#"{"b":[{"c":1},{"c":"x"}],"a":"y"}"#),
        ("$.b[1].c".to_owned(), Reason::WrongType)
    );
    assert_eq!(
        path(r#"{"a":1.5,"b":[null]}"#),
        ("$.a".to_owned(), Reason::InvalidInteger)
    );
    // the first one is overridden by another wrong value further back
    assert_eq!(
        path(r#"{"a":"x","b":[1],"a":"y"}"#),
        ("$.b[0]".to_owned(), Reason::WrongType)
    );
    // what is missing is known at the end only
    assert_eq!(path(r#"{"a":[]}"#), ("$.a".to_owned(), Reason::WrongType));
    assert_eq!(
        path(r#"{"a":1}"#),
        ("$.id".to_owned(), Reason::MissingRequired)
    );
}

#[test]
fn field_names_match_case_sensitively_and_unescaped() {
    let decoded = decode_small(r#"{"\u0069d":"a","N":"kept","\u006e":5}"#);
    assert_eq!(decoded.column("id"), ["a"]);
    assert_eq!(decoded.column("n"), ["5"]);
    assert_eq!(decoded.column("_rescued_data"), [r#"{"N":"kept"}"#]);
}

#[test]
fn keys_in_any_order_find_their_fields() {
    let object = r#"
        {"id":"a","n":1} {"n":2,"id":"b"} {"x":0,"id":"c","y":0,"n":3,"z":0} {"id":"d"}
        {"n":5,"id":"e"}"#;
    let decoded = decode_small(object);
    assert_eq!(decoded.column("id"), ["a", "b", "c", "d", "e"]);
    assert_eq!(decoded.column("n"), ["1", "2", "3", "null", "5"]);
}

#[test]
fn schema_of_many_fields_finds_each_by_name() {
    let columns: Vec<String> = (0..60).map(|i| format!("c{i} BIGINT")).collect();
    let ddl = format!("CREATE TABLE event ({})", columns.join(", "));
    let keys: Vec<String> = (0..60).rev().map(|i| format!("\"c{i}\":{i}")).collect();
    let decoded = decode(&ddl, format!("{{{}}}", keys.join(",")));
    for i in 0..60 {
        assert_eq!(decoded.column(&format!("c{i}")), [i.to_string()]);
    }
}

#[test]
fn rejected_place_is_line_character_and_path_of_the_value() {
    let object = "{\"txt_detl_idt_pedi_pgto\":\"é\",\"dat_atui\":\"2024-01-01T00:00:00Z\",\n\
        \"list_item_pedi\":[{},{},{\"nom_item\":\"ção\",\"vlr_prod\":\"1\"}]}";
    let rejected = decode(MARKETPLACE, object).only_rejected();
    assert_eq!(rejected.path, "$.list_item_pedi[2].vlr_prod");
    assert_eq!((rejected.line, rejected.column), (2, 54));
    assert_eq!(
        object.as_bytes()[usize::try_from(rejected.offset).unwrap()..][..3],
        *b"\"1\""
    );
    assert_eq!(rejected.message, "expected a number, found a string");
}

#[test]
fn path_of_a_name_that_is_no_word_is_quoted() {
    let ddl = "CREATE TABLE event (`a b` BIGINT, `it's` ARRAY<BIGINT>)";
    assert_eq!(
        decode(ddl, r#"{"a b":""}"#).only_rejected().path,
        "$['a b']"
    );
    assert_eq!(
        decode(ddl, r#"{"it's":[""]}"#).only_rejected().path,
        r"$['it\'s'][0]"
    );
}
