//! Events as the bytes of one object, in the form and compression asked for.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::options::{SampleCompression, SampleForm, SampleOptions};

/// A file of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleObject {
    /// Its name, without a folder. It ends in `.json` also when compressed: input paths ask for
    /// that, and compression is told by the content.
    pub(crate) name: String,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

impl SampleObject {
    /// The sample's object at `index`, from 0. Names sort in the order of emission.
    pub(super) fn new(options: &SampleOptions, index: u64, events: &[String]) -> Self {
        Self {
            name: format!(
                "pedidos-{}-{:010}-{index:08}.json",
                options.seed, options.first_order
            ),
            bytes: packed(options.compression, text(options.form, events)),
        }
    }
}

fn text(form: SampleForm, events: &[String]) -> Vec<u8> {
    let text = match form {
        SampleForm::Json => events.concat(),
        SampleForm::Pretty => events.iter().map(|event| pretty(event)).collect(),
        SampleForm::Array => format!("[{}]\n", events.join(",\n")),
        SampleForm::Ndjson => {
            let mut text = events.join("\n");
            text.push('\n');
            text
        }
    };
    text.into_bytes()
}

fn packed(compression: Option<SampleCompression>, text: Vec<u8>) -> Vec<u8> {
    let packed = match compression {
        None => return text,
        Some(SampleCompression::Gzip) => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&text).and_then(|()| encoder.finish())
        }
        Some(SampleCompression::Zstd) => zstd::bulk::compress(&text, 3),
    };
    // Compressing into memory does not fail; were it to, the text itself is right as well.
    packed.unwrap_or(text)
}

/// A compact text over many lines, two spaces a level, a line break behind it.
fn pretty(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = 0;
    let mut in_string = false;
    let mut characters = compact.chars().peekable();
    while let Some(character) = characters.next() {
        in_string ^= character == '"';
        match character {
            _ if in_string => out.push(character),
            '{' | '[' => {
                out.push(character);
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
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
            _ => out.push(character),
        }
    }
    out.push('\n');
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}
