//! Syntax errors among values one after another: which part is broken, and what goes on behind it.

use std::collections::BTreeMap;

use crate::fixture::{Decoded, SMALL, decode_small, decoder, gzip, original_of};
use esteira_events::Reason::{NotAnObject, Syntax};

fn ids_and_broken(decoded: &Decoded) -> (Vec<String>, Vec<String>) {
    assert!(
        decoded
            .report
            .rejected
            .iter()
            .all(|entry| entry.reason == Syntax)
    );
    (
        decoded.column("id"),
        decoded
            .rejected()
            .into_iter()
            .map(|entry| entry.2)
            .collect(),
    )
}

#[track_caller]
fn check(object: &str, ids: &[&str], broken: &[&str]) {
    let decoded = decode_small(object);
    let (found_ids, found_broken) = ids_and_broken(&decoded);
    assert_eq!(found_ids, ids, "{object}");
    assert_eq!(found_broken, broken, "{object}");
}

#[test]
fn broken_line_between_good_ones_is_rejected_alone() {
    check(
        "{\"id\":\"a\"}\n{\"id\":}\n{\"id\":\"c\"}\n",
        &["a", "c"],
        &["{\"id\":}"],
    );
    check(
        "{\"id\":\"a\"}\ngarbage here  \n{\"id\":\"c\"}",
        &["a", "c"],
        &["garbage here"],
    );
    check(
        "{\"id\":\"a\"}\r\n{\"id\":x}\r\n{\"id\":\"c\"}",
        &["a", "c"],
        &["{\"id\":x}"],
    );
    check(
        "{\"id\":\"a\"}\n{\"id\":\"b\"},\n{\"id\":\"c\"}",
        &["a", "b", "c"],
        &[","],
    );
    check(
        "{\"id\":\"a\"}\n{\"id\":\"b\"}}\n{\"id\":\"c\"}",
        &["a", "b", "c"],
        &["}"],
    );
}

#[test]
fn broken_first_line_is_told_apart_by_a_complete_later_line() {
    check("{\"id\":}\n{\"id\":\"b\"}\n", &["b"], &["{\"id\":}"]);
    check(
        "{\"id\":}\nx\n{\"id\":}\n{\"id\":\"b\"}\n",
        &["b"],
        &["{\"id\":}", "x", "{\"id\":}"],
    );
}

#[test]
fn broken_line_that_would_swallow_the_next_ones_does_not() {
    check(
        "{\"id\":\"1\",\"x\":\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n",
        &["2", "3"],
        &["{\"id\":\"1\",\"x\":"],
    );
    check(
        "{\"id\":\"1\",\"x\":[\n{\"id\":\"2\"}\n{\"id\":\"3\"}",
        &["2", "3"],
        &["{\"id\":\"1\",\"x\":["],
    );
    check(
        "{\"id\":\"1\n{\"id\":\"2\"}\n{\"id\":\"3\"}",
        &["2", "3"],
        &["{\"id\":\"1"],
    );
    let decoded = decode_small("{\"id\":\"1\",\"x\":\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n");
    let place = &decoded.report.rejected[0];
    assert_eq!((place.line, place.offset), (1, 14));
    assert_eq!(place.message, "the text ends where a value is expected");
}

#[test]
fn broken_part_of_several_lines_reaches_the_next_line_that_opens() {
    check(
        "{\"id\":\"a\"}\n{\"id\":\n  \"b\" oops\n}\n{\"id\":\"c\"}\n",
        &["a", "c"],
        &["{\"id\":\n  \"b\" oops\n}"],
    );
    check(
        "{\"id\":\"a\"}\n{\"id\":\n  \"b\"",
        &["a"],
        &["{\"id\":\n  \"b\""],
    );
}

#[test]
fn broken_pretty_printed_object_ends_at_the_closing_line() {
    let pretty = |id: &str| format!("{{\n  \"id\": \"{id}\",\n  \"x\": {{}}\n}}\n");
    let broken = "{\n  \"id\": \"b\"\n  \"x\": {}\n}";
    check(
        &format!("{}{broken}\n{}", pretty("a"), pretty("c")),
        &["a", "c"],
        &[broken],
    );
    check(
        &format!("{broken}\n\n \n{}", pretty("c")),
        &["c"],
        &[broken],
    );
    let cut = "{\n  \"id\": \"b\",\n";
    // nothing closes before the next one opens: the parts cannot be told apart
    let object = format!("{}{cut}{}", pretty("a"), pretty("c"));
    let decoded = decode_small(&object);
    assert_eq!(decoded.column("id"), ["a"]);
    assert_eq!(decoded.report.rejected.len(), 1);
    let several = format!("{cut}{}{}{}", pretty("x"), pretty("c"), pretty("d"));
    let decoded = decode_small(several);
    assert_eq!(decoded.column("id"), ["c", "d"]);
}

#[test]
fn broken_text_without_any_evidence_is_rejected_to_its_end() {
    check(
        "{\"id\":\"a\"} {\"id\":} {\"id\":\"c\"}",
        &["a"],
        &["{\"id\":} {\"id\":\"c\"}"],
    );
    let single = "{\n  \"id\": \"a\",\n  \"n\": oops,\n  \"x\": [\n    {\"y\": 1}\n  ]\n}\n";
    let rejected = decode_small(single).only_rejected();
    assert_eq!(
        (rejected.reason, rejected.line, rejected.column),
        (Syntax, 3, 8)
    );
    assert_eq!(original_of(&rejected), single.as_bytes());
    check("hello\nworld\n", &[], &["hello\nworld\n"]);
}

#[test]
fn cut_off_last_line_is_rejected_alone() {
    check("{\"id\":\"a\"}\n{\"id\":\"b", &["a"], &["{\"id\":\"b"]);
    let decoded = decode_small("{\"id\":\"a\"}\n1\n{\"id\":\"b");
    assert_eq!(decoded.rejected()[0].1, NotAnObject);
    assert_eq!(decoded.rejected()[1].2, "{\"id\":\"b");
}

#[test]
fn strict_json_refuses_what_others_let_pass() {
    let values = [
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "0x10",
        "'x'",
        "tru",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\x\"",
        "\"a\tb\"",
        "\"\\u12g4\"",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "/*x*/1",
        "1//x",
        "undefined",
        "None",
        "True",
        "\u{a0}1",
    ];
    for value in values {
        for field in ["u", "n", "id"] {
            let object = format!("{{\"id\":\"a\",\"{field}\":{value}}}");
            assert_eq!(
                decode_small(&object).only_rejected().reason,
                Syntax,
                "{object}"
            );
        }
    }
}

#[test]
fn very_many_broken_lines_are_each_rejected() {
    for line in [
        "{\"x\":",
        "{\"x\":}",
        "x",
        " {\"x\":x",
        "{\"x\":[",
        "[",
        "{\"id\":\"b",
        "}{",
    ] {
        let lines = 100_000;
        let object = format!(
            "{{\"id\":\"a\"}}\n{}{{\"id\":\"z\"}}\n",
            format!("{line}\n").repeat(lines)
        );
        let decoded = decode_small(object);
        assert_eq!(decoded.column("id"), ["a", "z"], "{line}");
        assert_eq!(decoded.report.rejected.len(), lines, "{line}");
    }
}

#[test]
fn very_many_broken_lines_with_the_evidence_at_the_end_are_each_rejected() {
    for line in ["{\"x\":", "{\"x\":}", "x", "{\n{\n", "{\n}x"] {
        let object = format!("{}{{\"id\":\"z\"}}\n", format!("{line}\n").repeat(50_000));
        let decoded = decode_small(object);
        assert_eq!(decoded.column("id"), ["z"], "{line}");
        assert!(decoded.report.rejected.len() >= 50_000, "{line}");
    }
}

#[test]
fn very_long_broken_document_is_rejected_once() {
    let lines = "  {\"y\": [1, 2, 3]},\n{ \"z\": 1,\n".repeat(200_000);
    let object = format!("{{\"id\": oops, \"x\": [\n{lines}");
    assert_eq!(decode_small(object).only_rejected().reason, Syntax);
}

#[test]
fn very_many_broken_pretty_printed_objects_are_each_rejected() {
    let object = "{\n  \"id\": \"a\"\n  \"n\": 1\n}\n".repeat(50_000);
    let decoded = decode_small(object);
    assert_eq!(decoded.report.rejected.len(), 50_000);
}

#[test]
fn events_that_may_not_be_some_are_rejected_with_their_bytes() {
    let why = |positions: &[u64]| -> BTreeMap<u64, String> {
        positions
            .iter()
            .map(|position| (*position, "no".to_owned()))
            .collect()
    };
    let text = b"{\"id\":\"a\"}\n{\"id\":1}\n {\"id\":\"b\"} \n{\"id\":\"c\"}".as_slice();
    for object in [text.to_vec(), gzip(text)] {
        let rejected = decoder(SMALL).reject_events(&object, &why(&[1, 2, 7]));
        let told: Vec<_> = rejected
            .iter()
            .map(|entry| {
                (
                    entry.position,
                    entry.reason.as_str(),
                    entry.line,
                    entry.column,
                    entry.offset,
                )
            })
            .collect();
        // Position 1 is rejected for another reason, and 7 is nothing.
        assert_eq!(told, [(2, "rule", 3, 2, 21)]);
        assert_eq!(
            rejected[0].original.as_deref(),
            Some(&b"{\"id\":\"b\"}"[..])
        );
        assert_eq!(
            (rejected[0].message.as_str(), rejected[0].path.as_str()),
            ("no", "$")
        );
    }
    // What is all that an object yields is kept as the object came.
    let alone = gzip(b" {\"id\":\"a\"}\n");
    let rejected = decoder(SMALL).reject_events(&alone, &why(&[0]));
    assert_eq!(rejected[0].original, Some(alone));
}
