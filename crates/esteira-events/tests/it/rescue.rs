//! Fields that the schema does not name.

use crate::fixture::{MARKETPLACE, decode, decode_small};

fn rescued(ddl: &str, object: &str) -> String {
    let decoded = decode(ddl, object);
    assert_eq!(decoded.report.rejected, []);
    decoded.column("_rescued_data").remove(0)
}

#[test]
fn rescue_of_nothing_is_null() {
    assert_eq!(
        rescued(crate::fixture::SMALL, r#"{"id":"a","n":null}"#),
        "null"
    );
    let ddl = "CREATE TABLE event (l ARRAY<STRUCT<a: BIGINT>>, s STRUCT<b: BIGINT>)";
    assert_eq!(rescued(ddl, r#"{"l":[{"a":1},{}],"s":{"b":1}}"#), "null");
    assert_eq!(rescued(ddl, r#"{"l":[],"s":{}}"#), "null");
    assert_eq!(rescued(ddl, "{}"), "null");
}

#[test]
fn rescue_mirrors_the_structure_and_keeps_the_text_of_values() {
    let object = r#"{"extra": 1.50 , "txt_detl_idt_pedi_pgto":"a","dat_atui":"2024-01-01T00:00:00Z",
        "list_item_pedi":[{"vlr_fret": 8.340,"vlr_prod":1},{"vlr_prod":2}],
        "list_envo":[{"x":[ 1, {"y" :null} ],"list_item_envo":[{},{"deep":"\u00e7"}]}]}"#;
    assert_eq!(
        rescued(MARKETPLACE, object),
        r#"{"extra":1.50,"list_item_pedi":[{"vlr_fret":8.340},{}],"list_envo":[{"x":[ 1, {"y" :null} ],"list_item_envo":[{},{"deep":"\u00e7"}]}]}"#
    );
}

#[test]
fn rescue_of_a_key_given_twice_is_its_first_place_and_last_value() {
    let small = |object| rescued(crate::fixture::SMALL, object);
    assert_eq!(small(r#"{"b":1,"id":"x","a":2,"b":3}"#), r#"{"b":3,"a":2}"#);
    assert_eq!(small(r#"{"a":1,"id":"x","\u0061":[2]}"#), r#"{"a":[2]}"#);
    let ddl = "CREATE TABLE event (l ARRAY<STRUCT<a: BIGINT>>)";
    assert_eq!(
        rescued(ddl, r#"{"l":[],"u":1,"l":[{"b":2}]}"#),
        r#"{"l":[{"b":2}],"u":1}"#
    );
    assert_eq!(
        rescued(ddl, r#"{"l":[{"b":2}],"u":1,"l":[{}]}"#),
        r#"{"u":1}"#
    );
    assert_eq!(rescued(ddl, r#"{"l":[{"b":2}],"l":null}"#), "null");
}

#[test]
fn rescue_of_very_many_keys_keeps_them_in_order() {
    let keys: Vec<String> = (0..20_000).map(|i| format!(r#""k{i}":{i}"#)).collect();
    let all = keys.join(",");
    let object = format!(r#"{{{all},"id":"x",{all}}}"#);
    assert_eq!(
        rescued(crate::fixture::SMALL, &object),
        format!("{{{all}}}")
    );
}

#[test]
fn rescue_escapes_keys_anew() {
    let decoded = decode_small(r#"{"id":"x","a\"\\\n\u0001é\u00e9\/":1}"#);
    let text = decoded.column("_rescued_data").remove(0);
    assert_eq!(text, r#"{"a\"\\\n\u0001éé/":1}"#);
}

#[test]
fn rescue_of_lists_in_lists_and_of_structs_mirrors_them() {
    let ddl =
        "CREATE TABLE event (l ARRAY<ARRAY<STRUCT<a: BIGINT>>>, s STRUCT<t: STRUCT<a: BIGINT>>)";
    assert_eq!(
        rescued(
            ddl,
            r#"{"s":{"t":{"a":1,"z":true}},"l":[[],null,[{"a":1},{"b":{}}]]}"#
        ),
        r#"{"s":{"t":{"z":true}},"l":[[],null,[{},{"b":{}}]]}"#
    );
}

#[test]
fn unknown_field_is_never_an_error_however_deep_or_long() {
    let deep = format!("{}1{}", "{\"a\":[".repeat(50_000), "]}".repeat(50_000));
    let long = "9".repeat(50_000);
    for value in [
        deep,
        format!("[{long}]"),
        format!("{long}.5"),
        format!("-{long}e{long}"),
    ] {
        let object = format!(r#"{{"id":"x","u":{value},"n":7}}"#);
        assert_eq!(
            rescued(crate::fixture::SMALL, &object),
            format!(r#"{{"u":{value}}}"#)
        );
    }
}
