//! Events as an object's bytes: every form and compression that the contract names.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// How several events stand in one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One compact value after another without anything between them; one event is just itself.
    Compact,
    /// Each value over many lines, each beginning on its own line.
    Pretty,
    /// One array on one line.
    Array,
    /// One array over many lines.
    PrettyArray,
    /// One value a line, a line break after the last one.
    Ndjson,
    /// As `Ndjson`, with CRLF, blank lines and no line break at the end.
    LooseNdjson,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Compact,
        Self::Pretty,
        Self::Array,
        Self::PrettyArray,
        Self::Ndjson,
        Self::LooseNdjson,
    ];
}

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// One gzip member.
    Gzip,
    /// Two gzip members, one after the other.
    GzipMembers,
    /// One zstd frame.
    Zstd,
    /// Two zstd frames, one after the other.
    ZstdFrames,
}

impl Packing {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Gzip,
        Self::GzipMembers,
        Self::Zstd,
        Self::ZstdFrames,
    ];

    /// `text` compressed this way.
    pub fn pack(self, text: &[u8]) -> Vec<u8> {
        let (head, tail) = text.split_at(text.len() / 2);
        match self {
            Self::None => text.to_vec(),
            Self::Gzip => gzip(text),
            Self::GzipMembers => [gzip(head), gzip(tail)].concat(),
            Self::Zstd => zstd_frame(text),
            Self::ZstdFrames => [zstd_frame(head), zstd_frame(tail)].concat(),
        }
    }
}

/// The bytes of an object that holds `events`, each the text of one JSON value.
pub fn render(events: &[String], form: Form, packing: Packing) -> Vec<u8> {
    let text = match form {
        Form::Compact => events.concat(),
        Form::Pretty => events.iter().map(|event| pretty(event) + "\n").collect(),
        Form::Array => format!("[{}]", events.join(",")),
        Form::PrettyArray => pretty(&format!("[{}]", events.join(","))),
        Form::Ndjson => events.iter().flat_map(|event| [event, "\n"]).collect(),
        Form::LooseNdjson => events.join("\r\n\r\n"),
    };
    packing.pack(text.as_bytes())
}

/// A compact JSON text over many lines; every token keeps its own text.
fn pretty(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = 0;
    let (mut in_string, mut escaped) = (false, false);
    for character in compact.chars() {
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                depth += 1;
                out.push(character);
                new_line(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(character);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            other => {
                in_string = other == '"';
                out.push(other);
            }
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory cannot fail; an empty object would fail every test that uses it.
    encoder
        .write_all(text)
        .and_then(|()| encoder.finish())
        .unwrap_or_default()
}

fn zstd_frame(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Form, Packing, pretty, render};
    use crate::oracle::{InputObject, expected};

    #[test]
    fn pretty_text_keeps_every_token() {
        let compact = r#"{"a":1.50,"b":[],"c":"x, {\"y\": [z]}\\"}"#;
        let text = pretty(compact);
        assert_eq!(
            text,
            "{\n  \"a\": 1.50,\n  \"b\": [\n    \n  ],\n  \"c\": \"x, {\\\"y\\\": [z]}\\\\\"\n}"
        );
    }

    #[test]
    fn render_every_form_and_packing_tells_the_same() {
        let event = |id| {
            format!(
                r#"{{"txt_detl_idt_pedi_pgto":"{id}","dat_atui":"2024-01-01T00:00:00Z","x":[1.50,{{}}]}}"#
            )
        };
        let events = [event("a"), event("b"), event("a"), "7".to_owned()];
        let told = |bytes| {
            let told = expected(&[InputObject {
                key: "k".to_owned(),
                modified_micros: 0,
                bytes,
            }]);
            let quarantined: Vec<i64> = told.quarantine.iter().map(|row| row.position).collect();
            (told.events, quarantined, told.orders)
        };
        let plain = told(render(&events, Form::Array, Packing::None));
        assert_eq!((plain.0, &plain.1), (3, &vec![3]));
        // What is unknown keeps its own writing, but for the white space of a pretty one.
        for form in Form::ALL {
            for packing in Packing::ALL {
                assert_eq!(
                    told(render(&events, form, packing)),
                    plain,
                    "{form:?} {packing:?}"
                );
            }
        }
    }
}
