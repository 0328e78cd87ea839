//! The content of an object as a recipe, so that 30 MB of text or 100,000 levels of nesting need a
//! line in a file.

use serde_json::Value;

use crate::history::Packing;

/// How an object's bytes are made. In a file of cases:
/// - `"text"`: the text in UTF-8
/// - `["…", …]`: contents one after another
/// - `{"hex": "00ff"}`: bytes; spaces between them are left out
/// - `{"event": "id", "with": "…", "item": "…"}`: the smallest good event of that order on one
///   line; `with` adds members as they are written, `item` one item line with these members
/// - `{"repeat": CONTENT, "times": 3}`
/// - `{"gzip": CONTENT}`, `{"zstd": CONTENT}`
/// - `{"cut": CONTENT, "bytes": 3}`: without its last bytes
/// - `{"utf16le": "…"}`, `{"utf16be": "…"}`, `{"latin1": "…"}`: the text in this encoding
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// One after another.
    Parts(Vec<Content>),
    /// The same several times.
    Repeat(Box<Content>, usize),
    /// Compressed.
    Packed(Packing, Box<Content>),
    /// Without its last bytes.
    Cut(Box<Content>, usize),
}

impl Content {
    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Parts(parts) => parts.iter().flat_map(Self::bytes).collect(),
            Self::Repeat(content, times) => content.bytes().repeat(*times),
            Self::Packed(packing, content) => packing.pack(&content.bytes()),
            Self::Cut(content, cut) => {
                let mut bytes = content.bytes();
                bytes.truncate(bytes.len().saturating_sub(*cut));
                bytes
            }
        }
    }

    /// The recipe that `value` is; none when it is none.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let members = match value {
            Value::String(text) => return Some(Self::Bytes(text.as_bytes().to_vec())),
            Value::Array(parts) => {
                return parts
                    .iter()
                    .map(Self::read)
                    .collect::<Option<_>>()
                    .map(Self::Parts);
            }
            other => other.as_object()?,
        };
        let boxed = |name: &str| Self::read(members.get(name)?).map(Box::new);
        let text = |name: &str| members.get(name)?.as_str();
        let count = |name: &str| usize::try_from(members.get(name)?.as_u64()?).ok();
        if let Some(order) = text("event") {
            return Some(Self::Bytes(
                event(order, text("with"), text("item")).into_bytes(),
            ));
        }
        if let Some(digits) = text("hex") {
            return hexadecimal(digits).map(Self::Bytes);
        }
        if let Some(text) = text("utf16le") {
            return Some(Self::Bytes(
                text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            ));
        }
        if let Some(text) = text("utf16be") {
            return Some(Self::Bytes(
                text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            ));
        }
        if let Some(text) = text("latin1") {
            return text
                .chars()
                .map(|letter| u8::try_from(letter).ok())
                .collect::<Option<_>>()
                .map(Self::Bytes);
        }
        if let Some(content) = boxed("repeat") {
            return Some(Self::Repeat(content, count("times")?));
        }
        if let Some(content) = boxed("gzip") {
            return Some(Self::Packed(Packing::Gzip, content));
        }
        if let Some(content) = boxed("zstd") {
            return Some(Self::Packed(Packing::Zstd, content));
        }
        Some(Self::Cut(boxed("cut")?, count("bytes")?))
    }
}

fn event(order: &str, with: Option<&str>, item: Option<&str>) -> String {
    let with = with
        .map(|members| format!(",{members}"))
        .unwrap_or_default();
    let item = item
        .map(|members| format!(r#","list_item_pedi":[{{{members}}}]"#))
        .unwrap_or_default();
    format!(
        r#"{{"txt_detl_idt_pedi_pgto":"{order}","dat_atui":"2024-05-01T12:00:00Z"{with}{item}}}"#
    )
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digits: String = digits.split_whitespace().collect();
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Content;

    #[test]
    fn content_every_recipe_makes_its_bytes() {
        for (recipe, expected) in [
            (json!("é"), "é".as_bytes().to_vec()),
            (json!(["a", {"hex": "00 ff"}]), b"a\x00\xff".to_vec()),
            (json!({"repeat": "ab", "times": 2}), b"abab".to_vec()),
            (json!({"cut": "abc", "bytes": 2}), b"a".to_vec()),
            (json!({"utf16be": "a"}), b"\0a".to_vec()),
            (json!({"utf16le": "a"}), b"a\0".to_vec()),
            (json!({"latin1": "é"}), b"\xe9".to_vec()),
            (
                json!({"event": "x", "with": "\"y\":1", "item": "\"z\":2"}),
                br#"{"txt_detl_idt_pedi_pgto":"x","dat_atui":"2024-05-01T12:00:00Z","y":1,"list_item_pedi":[{"z":2}]}"#.to_vec(),
            ),
        ] {
            assert_eq!(Content::read(&recipe).unwrap().bytes(), expected, "{recipe}");
        }
        for recipe in [
            json!(1),
            json!({}),
            json!({"repeat": "a"}),
            json!({"hex": "0g"}),
            json!({"latin1": "€"}),
        ] {
            assert_eq!(Content::read(&recipe), None, "{recipe}");
        }
    }
}
