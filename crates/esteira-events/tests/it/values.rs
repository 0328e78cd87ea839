//! Values of each type: what is taken and what is not.

use crate::fixture::decode;
use esteira_events::Reason::{
    InvalidDate, InvalidDecimal, InvalidDouble, InvalidInteger, InvalidTimestamp, WrongType,
};
use esteira_events::{Reason, Rejected};

fn value(data_type: &str, json: &str) -> Result<String, Box<Rejected>> {
    let ddl = format!("CREATE TABLE event (v {data_type})");
    let decoded = decode(&ddl, format!(r#"{{"v": {json} }}"#));
    if decoded.report.events == 1 {
        Ok(decoded.column("v").remove(0))
    } else {
        let rejected = decoded.only_rejected();
        assert_eq!(rejected.offset, 6, "the place of {json}");
        Err(Box::new(rejected))
    }
}

#[track_caller]
fn taken(data_type: &str, cases: &[(&str, &str)]) {
    for (json, expected) in cases {
        let taken = value(data_type, json).map_err(|rejected| rejected.message);
        assert_eq!(taken, Ok((*expected).to_owned()), "{json} as {data_type}");
    }
}

#[track_caller]
fn refused(data_type: &str, reason: Reason, cases: &[&str]) {
    for json in cases {
        let rejected = value(data_type, json).expect_err(json);
        assert_eq!(rejected.reason, reason, "{json} as {data_type}");
        assert!(!rejected.message.is_empty());
    }
}

#[test]
fn string_field_takes_json_strings_only() {
    taken(
        "STRING",
        &[
            (r#""a""#, "a"),
            (r#""""#, ""),
            (r#""ção \u00e7 \ud83d\ude00 \" \\ \/""#, "ção ç 😀 \" \\ /"),
            (r#""\u0000""#, "\0"),
            (r#""null""#, "null"),
            ("null", "null"),
        ],
    );
    refused(
        "STRING",
        WrongType,
        &["1", "-1.5e3", "true", "false", "[]", "{}", r#"["a"]"#],
    );
}

#[test]
fn boolean_field_takes_true_and_false_only() {
    taken(
        "BOOLEAN",
        &[("true", "true"), ("false", "false"), ("null", "null")],
    );
    refused("BOOLEAN", WrongType, &["0", "1", r#""true""#, "[]", "{}"]);
}

#[test]
fn integer_fields_take_plain_integers_within_their_bits() {
    taken(
        "BIGINT",
        &[
            ("0", "0"),
            ("-0", "0"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
        ],
    );
    taken(
        "INT",
        &[("2147483647", "2147483647"), ("-2147483648", "-2147483648")],
    );
    refused("INT", InvalidInteger, &["2147483648", "-2147483649", "1.0"]);
    refused(
        "BIGINT",
        InvalidInteger,
        &["9223372036854775808", "1.0", "1e2", "1E2", "0.5"],
    );
    refused("BIGINT", InvalidInteger, &[&"9".repeat(20_000)]);
    refused("BIGINT", WrongType, &[r#""1""#, "true", "[]", "{}"]);
}

#[test]
fn decimal_field_takes_the_numbers_own_text() {
    taken(
        "DECIMAL(18,2)",
        &[
            ("110.32", "110.32"),
            ("0.1", "0.10"),
            ("1e2", "100.00"),
            ("2.675", "2.68"),
            ("0.125", "0.12"),
            ("0e999999999", "0.00"),
            ("1e-999999999", "0.00"),
            ("9999999999999999.99", "9999999999999999.99"),
        ],
    );
    let long = format!("1{}.5{}e-9999", "0".repeat(10_000), "1".repeat(10_000));
    taken("DECIMAL(18,2)", &[(&long, "10.00")]);
    refused(
        "DECIMAL(18,2)",
        InvalidDecimal,
        &["1e999999999", "9999999999999999.995", "1e16"],
    );
    refused("DECIMAL(18,2)", InvalidDecimal, &[&"1".repeat(20_000)]);
    refused(
        "DECIMAL(18,2)",
        WrongType,
        &[r#""1.5""#, "false", "[1]", "{}"],
    );
}

#[test]
fn double_field_takes_finite_numbers() {
    taken(
        "DOUBLE",
        &[
            ("1.5", "1.5"),
            ("-0", "-0.0"),
            ("1e308", "1e308"),
            ("1e-999", "0.0"),
        ],
    );
    refused("DOUBLE", InvalidDouble, &["1e309", "-1e999999"]);
    refused("DOUBLE", InvalidDouble, &[&"9".repeat(5_000)]);
    refused("DOUBLE", WrongType, &[r#""1.5""#]);
}

#[test]
fn time_fields_take_exact_forms_only() {
    taken(
        "DATE",
        &[
            (r#""2024-02-29""#, "2024-02-29"),
            (r#""\u0032024-02-29""#, "2024-02-29"),
        ],
    );
    refused(
        "DATE",
        InvalidDate,
        &[r#""2023-02-29""#, r#""""#, r#""2024-02-29T00:00:00Z""#],
    );
    taken(
        "TIMESTAMP",
        &[
            (r#""2018-08-28T21:41:36.000Z""#, "2018-08-28T21:41:36Z"),
            (
                r#""2018-08-28T18:41:36.1234569-03:00""#,
                "2018-08-28T21:41:36.123456Z",
            ),
        ],
    );
    refused(
        "TIMESTAMP",
        InvalidTimestamp,
        &[
            r#""2018-08-28T21:41:36""#,
            r#""2018-08-28""#,
            r#""2018-08-28 21:41:36Z""#,
            r#""2018-02-30T21:41:36Z""#,
            r#""""#,
        ],
    );
    refused("TIMESTAMP", WrongType, &["1535492496", "true", "{}"]);
    refused("DATE", WrongType, &["20240229"]);
}

#[test]
fn array_field_takes_arrays_whose_scalars_may_be_null() {
    taken(
        "ARRAY<BIGINT>",
        &[
            ("[]", "[]"),
            ("[1, null,2]", "[1, null, 2]"),
            ("null", "null"),
        ],
    );
    taken(
        "ARRAY<ARRAY<STRING>>",
        &[(r#"[["a"],null,[]]"#, "[[a], null, []]")],
    );
    refused("ARRAY<BIGINT>", WrongType, &["1", "{}", r#""[]""#]);
    let rejected = value_at("ARRAY<BIGINT>", "[1,2.5]");
    assert_eq!(
        (rejected.reason, &*rejected.path),
        (InvalidInteger, "$.v[1]")
    );
}

#[test]
fn array_of_structs_takes_objects_only() {
    let data_type = "ARRAY<STRUCT<a: BIGINT>>";
    taken(
        data_type,
        &[(r#"[{"a":1},{}]"#, "[{a: 1}, {a: null}]"), ("[]", "[]")],
    );
    for element in ["null", "1", r#""x""#, "[]", "true"] {
        let rejected = value_at(data_type, &format!("[{{}},{element}]"));
        assert_eq!(
            (rejected.reason, &*rejected.path),
            (WrongType, "$.v[1]"),
            "{element}"
        );
    }
}

#[test]
fn struct_field_takes_objects_or_null() {
    let data_type = "STRUCT<a: BIGINT NOT NULL, b STRING>";
    taken(
        data_type,
        &[(r#"{"b":"x","a":1}"#, "{a: 1, b: x}"), ("null", "null")],
    );
    refused(data_type, WrongType, &["[]", "1", r#""x""#]);
    let rejected = value_at(data_type, r#"{"b":"x"}"#);
    assert_eq!(
        (rejected.reason, &*rejected.path),
        (Reason::MissingRequired, "$.v.a")
    );
}

#[track_caller]
fn value_at(data_type: &str, json: &str) -> Rejected {
    let ddl = format!("CREATE TABLE event (v {data_type})");
    decode(&ddl, format!(r#"{{"v":{json}}}"#)).only_rejected()
}

#[test]
fn value_of_a_wrong_type_nested_deeply_rejects_its_event_only() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let object = format!("{{\"v\":{deep}}}\n{{\"v\":\"good\"}}");
    let decoded = decode("CREATE TABLE event (v STRING)", object);
    assert_eq!(decoded.column("v"), ["good"]);
    assert_eq!(decoded.report.rejected[0].reason, WrongType);
}
