//! JSON texts taken apart without being converted, so that a number keeps its digits and any depth
//! is read.
//!
//! `serde_json` judges the grammar (RFC 8259); what it lets pass in a text that it only skips, lone
//! surrogates, is judged here. What the values mean belongs to `event` and `scalar`.

use serde_json::value::RawValue;

/// What a text begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A complete JSON value; something else may follow it.
    Value(&'a str),
    /// No JSON value. `incomplete` when it could become one if the text went on.
    Broken { incomplete: bool },
}

/// Looks at the value that `text` begins with; `text` begins with no white space.
pub(super) fn first_value(text: &str) -> Found<'_> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let problem = match values.next() {
        None => return Found::Broken { incomplete: true },
        Some(Ok(value)) => return sound(value.get()),
        Some(Err(problem)) => problem,
    };
    // An offset that has moved means that a scalar was complete and only what follows it is odd:
    // that is the next value's trouble.
    match values.byte_offset() {
        0 => Found::Broken {
            incomplete: problem.is_eof(),
        },
        end => sound(&text[..end]),
    }
}

/// Whether `text` breaks off inside a value that is right so far.
pub(super) fn breaks_off(text: &str) -> bool {
    // The parser calls a number cut after `-`, `.` or `e` wrong rather than cut; with one more
    // digit it sees what it is.
    let broken = |text: &str| first_value(text) == (Found::Broken { incomplete: true });
    broken(text) || broken(&format!("{text}0"))
}

/// The members of a complete JSON object in their order, keys unescaped, a repeated key repeated.
pub(super) fn members(object: &str) -> Vec<(String, &str)> {
    let mut members = Vec::new();
    let mut rest = object[1..].trim_start_matches(SPACE);
    while rest.starts_with('"') {
        let Found::Value(key) = first_value(rest) else {
            break;
        };
        rest = rest[key.len()..].trim_start_matches(SPACE);
        rest = rest.trim_start_matches(':').trim_start_matches(SPACE);
        let Found::Value(value) = first_value(rest) else {
            break;
        };
        rest = rest[value.len()..].trim_start_matches(SPACE);
        rest = rest.trim_start_matches(',').trim_start_matches(SPACE);
        members.push((string(key).unwrap_or_default(), value));
    }
    members
}

/// The elements of a complete JSON array.
pub(super) fn elements(array: &str) -> Vec<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).unwrap_or_default();
    elements.into_iter().map(RawValue::get).collect()
}

/// The text of a JSON string; none when `value` is something else.
pub(super) fn string(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// White space of JSON (RFC 8259 section 2).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// `bytes` without the white space at their end.
pub(super) fn trim_end(bytes: &[u8]) -> &[u8] {
    let spaces = bytes.iter().rev().take_while(|byte| is_space(**byte));
    &bytes[..bytes.len() - spaces.count()]
}

/// A value of right grammar is broken all the same when one of its strings is no text.
fn sound(value: &str) -> Found<'_> {
    let bytes = value.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        while bytes[at] != b'"' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        at += 1;
        let token = &value[start..at];
        if token.contains("\\u") && string(token).is_none() {
            return Found::Broken { incomplete: false };
        }
    }
    Found::Value(value)
}

#[cfg(test)]
mod tests {
    use super::{Found, breaks_off, elements, first_value, members};

    #[test]
    fn first_value_scalar_without_gap_ends_at_its_token() {
        assert_eq!(first_value("12x"), Found::Value("12"));
        assert_eq!(first_value("null{}"), Found::Value("null"));
        assert_eq!(first_value("{}{}"), Found::Value("{}"));
        assert_eq!(first_value("01"), Found::Broken { incomplete: false });
    }

    #[test]
    fn first_value_lone_surrogate_is_broken() {
        let broken = Found::Broken { incomplete: false };
        assert_eq!(first_value(r#"{"a":["\ud800"]}"#), broken);
        assert_eq!(first_value(r#"{"\udc00":1}"#), broken);
        assert!(matches!(
            first_value(r#"["\ud83d\ude00","\\u"]"#),
            Found::Value(_)
        ));
    }

    #[test]
    fn breaks_off_cut_value_is_true_and_wrong_value_false() {
        for text in [
            "{",
            r#"{"a"#,
            r#"{"a":-"#,
            r#"{"a":1."#,
            r#"{"a":1e+"#,
            r#"{"a":[1,"#,
            "{\"a\":tru",
        ] {
            assert!(breaks_off(text), "{text}");
        }
        for text in ["{}", "{,", r#"{"a":1,}"#, r#"{"a" 1"#, "x"] {
            assert!(!breaks_off(text), "{text}");
        }
    }

    #[test]
    fn members_any_spacing_keeps_order_repetition_and_texts() {
        let text = "{ \"b\" : 1.50 , \"\\u0061\":[ 1 ],\"b\":{}\n}";
        let expected = [("b", "1.50"), ("a", "[ 1 ]"), ("b", "{}")];
        let found = members(text);
        assert_eq!(
            found
                .iter()
                .map(|(key, value)| (key.as_str(), *value))
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(elements("[ 1 , {} ,null]"), ["1", "{}", "null"]);
    }
}
