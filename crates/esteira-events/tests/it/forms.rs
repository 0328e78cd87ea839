//! The forms an object can have, and what is in none of them.

use crate::fixture::{SMALL, decode_by, decode_small, decoder, gzip, original_of, zstd};
use esteira_events::Reason::{Encoding, MissingRequired, NoEvents, NotAnObject, Syntax};

#[test]
fn object_in_every_form_yields_the_same_events() {
    let forms = [
        "{\"id\":\"a\"}\n{\"id\":\"b\"}\n",
        "{\"id\":\"a\"}\r\n\r\n  {\"id\":\"b\"}",
        r#"{"id":"a"}{"id":"b"}"#,
        r#"{"id":"a"} {"id":"b"} "#,
        "{\n  \"id\": \"a\"\n}\n{\n  \"id\": \"b\"\n}\n",
        r#"[{"id":"a"},{"id":"b"}]"#,
        "\n [ {\"id\":\"a\"}\n,\n{\"id\":\"b\"} ] \n",
        "\u{FEFF}{\"id\":\"a\"}\n{\"id\":\"b\"}\n",
        "\u{FEFF}[{\"id\":\"a\"},{\"id\":\"b\"}]",
    ];
    let mut decoder = decoder(SMALL);
    for form in forms {
        for object in [
            form.as_bytes().to_vec(),
            gzip(form.as_bytes()),
            zstd(form.as_bytes()),
        ] {
            let decoded = decode_by(&mut decoder, &object);
            assert_eq!(decoded.column("id"), ["a", "b"], "{form}");
            assert_eq!(decoded.column("_source_position"), ["0", "1"]);
            assert_eq!(decoded.report.rejected, []);
        }
    }
}

#[test]
fn object_without_anything_is_rejected_whole() {
    for object in [
        "",
        " \n\t\r\n",
        "\u{FEFF}",
        "\u{FEFF} ",
        "[]",
        " [ \n ] ",
        "\u{FEFF}[]",
    ] {
        let rejected = decode_small(object).only_rejected();
        assert_eq!(rejected.reason, NoEvents, "{object:?}");
        assert_eq!(original_of(&rejected), object.as_bytes());
        assert_eq!((rejected.position, rejected.path.as_str()), (0, "$"));
    }
    let packed = gzip(b" ");
    let rejected = decode_small(&packed).only_rejected();
    assert_eq!(
        (rejected.reason, rejected.original),
        (NoEvents, Some(packed))
    );
}

#[test]
fn values_that_are_no_objects_are_rejected_one_by_one() {
    let decoded = decode_small("1 \"x\"[2]{\"id\":\"a\"}null\ntrue{\"id\":\"b\"} -1.5e3");
    assert_eq!(decoded.column("_source_position"), ["3", "6"]);
    let expected = [
        (0, "1"),
        (1, "\"x\""),
        (2, "[2]"),
        (4, "null"),
        (5, "true"),
        (7, "-1.5e3"),
    ];
    let expected = expected.map(|(position, text)| (position, NotAnObject, text.to_owned()));
    assert_eq!(decoded.rejected(), expected);
    let decoded = decode_small(r#"[{"id":"a"}, null, [ ], {"id":"b"}]"#);
    assert_eq!(decoded.column("_source_position"), ["0", "3"]);
    assert_eq!(
        decoded.rejected(),
        [
            (1, NotAnObject, "null".to_owned()),
            (2, NotAnObject, "[ ]".to_owned())
        ]
    );
}

#[test]
fn array_broken_inside_condemns_what_follows_and_never_what_came_before() {
    let cases = [
        (
            r#"[{"id":"a"},{"id":,},{"id":"c"}]"#,
            r#"{"id":,},{"id":"c"}]"#,
        ),
        (r#"[{"id":"a"} {"id":"b"}]"#, r#"{"id":"b"}]"#),
        (r#"[{"id":"a"},]"#, "]"),
        (r#"[{"id":"a"},,{"id":"b"}]"#, r#",{"id":"b"}]"#),
        (r#"[{"id":"a"}] {"id":"b"}"#, r#"{"id":"b"}"#),
        (r#"[{"id":"a"}]]"#, "]"),
        (r#"[{"id":"a"},tru]"#, "tru]"),
        (r#"[{"id":"a"}}"#, "}"),
        (
            "[{\"id\":\"a\"},\n{\"id\":\n{\"id\":\"c\"}\n]\n",
            "{\"id\":\n{\"id\":\"c\"}\n]",
        ),
    ];
    for (object, rest) in cases {
        let decoded = decode_small(object);
        assert_eq!(decoded.column("id"), ["a"], "{object}");
        assert_eq!(
            decoded.rejected(),
            [(1, Syntax, rest.to_owned())],
            "{object}"
        );
    }
}

#[test]
fn array_cut_off_between_elements_is_still_rejected() {
    for object in [r#"[{"id":"a"}"#, r#"[{"id":"a"},"#, "[{\"id\":\"a\"} , \n"] {
        let decoded = decode_small(object);
        assert_eq!(decoded.column("id"), ["a"], "{object}");
        assert_eq!(
            decoded.rejected(),
            [(1, Syntax, object.to_owned())],
            "{object}"
        );
        assert_eq!(decoded.report.rejected[0].offset, object.len() as u64);
    }
    let open = decode_small("[").only_rejected();
    assert_eq!((open.reason, open.original), (Syntax, Some(b"[".to_vec())));
}

#[test]
fn event_that_is_wrong_lets_the_others_pass() {
    let decoded = decode_small(r#"[{"id":"a"},{"id":1},{},{"id":"b"}]"#);
    assert_eq!(decoded.column("_source_position"), ["0", "3"]);
    let texts: Vec<String> = decoded
        .rejected()
        .into_iter()
        .map(|entry| entry.2)
        .collect();
    assert_eq!(texts, [r#"{"id":1}"#, "{}"]);
    assert_eq!(decoded.report.rejected[1].reason, MissingRequired);
}

#[test]
fn entry_alone_in_its_object_keeps_the_whole_object() {
    let object = " [ {\"id\":1} ]\n";
    assert_eq!(
        original_of(&decode_small(object).only_rejected()),
        object.as_bytes()
    );
    let packed = zstd(object.as_bytes());
    assert_eq!(original_of(&decode_small(&packed).only_rejected()), packed);
    let two = gzip(b"{\"id\":1}  \n{\"id\":2}");
    assert_eq!(decode_small(two).rejected()[0].2, "{\"id\":1}");
}

#[test]
fn text_that_is_not_utf8_rejects_only_the_value_it_is_in() {
    let decoded = decode_small(b"{\"id\":\"a\"}\n{\"id\":\"\xe9\"}\n{\"id\":\"c\"}");
    assert_eq!(decoded.column("id"), ["a", "c"]);
    let rejected = &decoded.report.rejected[0];
    assert_eq!(
        (rejected.reason, rejected.position, rejected.offset),
        (Encoding, 1, 18)
    );
    assert_eq!((rejected.line, rejected.column), (2, 8));
    assert_eq!(original_of(rejected), b"{\"id\":\"\xe9\"}");
    let decoded = decode_small(b"[{\"id\":\"a\"},{\"u\xff\":[\"\"]},{\"id\":\"c\"}]");
    assert_eq!(decoded.column("id"), ["a", "c"]);
    assert_eq!(decoded.report.rejected[0].reason, Encoding);
    // overlong forms and encoded surrogates are not UTF-8 either
    for bytes in [
        &b"\xc0\x80"[..],
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
    ] {
        let object = [&b"{\"id\":\""[..], bytes, b"\"}"].concat();
        assert_eq!(decode_small(object).only_rejected().reason, Encoding);
    }
    let outside = decode_small(b"{\"id\":\"a\"}\n\xff\xfe\n{\"id\":\"c\"}");
    assert_eq!(outside.column("id"), ["a", "c"]);
    assert_eq!(outside.report.rejected[0].reason, Encoding);
}

#[test]
fn text_in_utf16_is_rejected_whole() {
    let text = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [&b"\xff\xfe"[..], &little].concat();
    let marked_big = [&b"\xfe\xff"[..], &big].concat();
    for object in [&little, &big, &marked, &marked_big] {
        let decoded = decode_small(object);
        assert_eq!(decoded.report.events, 0);
        for entry in &decoded.report.rejected {
            assert!(
                matches!(entry.reason, Encoding | Syntax),
                "{:?}",
                entry.reason
            );
        }
    }
    assert_eq!(decode_small(&marked).report.rejected[0].reason, Encoding);
}

#[test]
fn byte_order_mark_counts_for_offsets_only_and_only_once() {
    let rejected = decode_small("\u{FEFF}{\"id\":1}").only_rejected();
    assert_eq!((rejected.offset, rejected.line, rejected.column), (9, 1, 7));
    let twice = decode_small("\u{FEFF}\u{FEFF}{\"id\":\"a\"}").only_rejected();
    assert_eq!((twice.reason, twice.offset), (Syntax, 3));
}
