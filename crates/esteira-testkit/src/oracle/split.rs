//! An object's text split into entries: complete values and broken parts, in order.
//!
//! Comes in: the unpacked text. Goes out: its entries, whose index is their position. Which values
//! are events, and good ones, belongs to `event`; where a broken part ends, to `lines`.

use super::json::{self, Found};
use super::lines::Lines;

/// A part of an object's text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// A complete JSON value.
    Value(&'a str),
    /// A part that is none, and why.
    Broken(&'static str, &'a [u8]),
}

/// The entries of `text`; none when it holds nothing but white space or an empty array.
pub(super) fn split(text: &[u8]) -> Vec<Entry<'_>> {
    let text = Text::new(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
    let start = text.skip_space(0);
    if text.bytes.get(start) == Some(&b'[') {
        text.array(start + 1)
    } else {
        text.sequence(start)
    }
}

/// A text whose valid stretches of UTF-8 are known.
struct Text<'a> {
    bytes: &'a [u8],
    /// Each valid stretch with the place where it begins.
    valid: Vec<(usize, &'a str)>,
}

/// A value that begins at a place, or the reason why there is none.
enum At<'a> {
    Value(&'a str),
    Broken(&'static str),
}

impl<'a> Text<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut start = 0;
        let mut valid = Vec::new();
        for chunk in bytes.utf8_chunks() {
            valid.push((start, chunk.valid()));
            start += chunk.valid().len() + chunk.invalid().len();
        }
        Self { bytes, valid }
    }

    /// What begins at `start`. A value that breaks off where the UTF-8 does is an encoding error:
    /// the first error counts.
    fn at(&self, start: usize) -> At<'a> {
        let stretch = self.valid.partition_point(|(begin, _)| *begin <= start);
        let (begin, valid) = self.valid[stretch.saturating_sub(1)];
        let Some(valid) = valid.get(start - begin..).filter(|valid| !valid.is_empty()) else {
            return At::Broken("encoding");
        };
        match json::first_value(valid) {
            Found::Value(value) => At::Value(value),
            Found::Broken { incomplete: true } if start + valid.len() < self.bytes.len() => {
                At::Broken("encoding")
            }
            Found::Broken { .. } => At::Broken("syntax"),
        }
    }

    /// One array document, behind its opening bracket: an error condemns all that follows.
    fn array(&self, mut at: usize) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        at = self.skip_space(at);
        if self.bytes.get(at) == Some(&b']') {
            return self.behind_array(entries, at + 1);
        }
        loop {
            at = self.skip_space(at);
            if at == self.bytes.len() {
                return self.condemn(entries, "syntax", at);
            }
            match self.at(at) {
                At::Value(value) => {
                    entries.push(Entry::Value(value));
                    at = self.skip_space(at + value.len());
                }
                At::Broken(reason) => return self.condemn(entries, reason, at),
            }
            match self.bytes.get(at) {
                Some(b',') => at += 1,
                Some(b']') => return self.behind_array(entries, at + 1),
                Some(byte) if !byte.is_ascii() => {
                    let reason = match self.at(at) {
                        At::Broken("encoding") => "encoding",
                        _ => "syntax",
                    };
                    return self.condemn(entries, reason, at);
                }
                _ => return self.condemn(entries, "syntax", at),
            }
        }
    }

    fn behind_array(&self, entries: Vec<Entry<'a>>, end: usize) -> Vec<Entry<'a>> {
        let at = self.skip_space(end);
        if at == self.bytes.len() {
            return entries;
        }
        self.condemn(entries, "syntax", at)
    }

    fn condemn(
        &self,
        mut entries: Vec<Entry<'a>>,
        reason: &'static str,
        from: usize,
    ) -> Vec<Entry<'a>> {
        entries.push(Entry::Broken(reason, json::trim_end(&self.bytes[from..])));
        entries
    }

    /// Values one after another, with or without white space between them.
    fn sequence(&self, mut at: usize) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        let mut lines = Lines::new(self.bytes);
        while at < self.bytes.len() {
            let end = match self.at(at) {
                At::Value(value) => {
                    let end = at + value.len();
                    lines.note_value(at, end);
                    entries.push(Entry::Value(value));
                    end
                }
                At::Broken(reason) => {
                    let end = lines.end_of_broken(at);
                    entries.push(Entry::Broken(reason, json::trim_end(&self.bytes[at..end])));
                    end
                }
            };
            at = self.skip_space(end);
        }
        entries
    }

    fn skip_space(&self, at: usize) -> usize {
        let spaces = self.bytes[at..]
            .iter()
            .take_while(|byte| json::is_space(**byte));
        at + spaces.count()
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, split};

    /// Entries in short: a value as it is, a broken part as `!reason:part`.
    fn entries(text: impl AsRef<[u8]>) -> Vec<String> {
        split(text.as_ref())
            .iter()
            .map(|entry| match entry {
                Entry::Value(value) => (*value).to_owned(),
                Entry::Broken(reason, part) => {
                    format!("!{reason}:{}", String::from_utf8_lossy(part))
                }
            })
            .collect()
    }

    #[test]
    fn split_values_in_any_layout_yields_each() {
        let expected = [r#"{"a":1}"#, r#"{"b":2}"#, "3"];
        for text in [
            r#"[{"a":1},{"b":2},3]"#,
            r#" [ {"a":1} , {"b":2} , 3 ] "#,
            r#"{"a":1}{"b":2}3"#,
            "{\"a\":1}\r\n\r\n{\"b\":2}\r\n3\r\n",
            "\u{feff}{\"a\":1} {\"b\":2}\t3",
        ] {
            assert_eq!(entries(text), expected, "{text}");
        }
        for text in ["", " \n\t\r", "\u{feff}", "[]", " [ ]\n"] {
            assert!(entries(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn split_broken_array_condemns_the_rest_only() {
        assert_eq!(
            entries(r#"[{},{"a" 1},{}]"#),
            ["{}", r#"!syntax:{"a" 1},{}]"#]
        );
        assert_eq!(entries("[{} {}]"), ["{}", "!syntax:{}]"]);
        assert_eq!(entries("[{},]"), ["{}", "!syntax:]"]);
        assert_eq!(entries("[{}"), ["{}", "!syntax:"]);
        assert_eq!(entries("[{}, "), ["{}", "!syntax:"]);
        assert_eq!(entries("[{}] x \n"), ["{}", "!syntax:x"]);
        assert_eq!(entries("[]]"), ["!syntax:]"]);
        assert_eq!(entries("["), ["!syntax:"]);
        assert_eq!(
            entries(b"[{},\"\xff\",{}]"),
            ["{}", "!encoding:\"\u{fffd}\",{}]"]
        );
    }

    #[test]
    fn split_broken_line_among_lines_is_given_up_alone() {
        let good = r#"{"a":1}"#;
        assert_eq!(
            entries(format!("{good}\noops\n{good}\n")),
            [good, "!syntax:oops", good]
        );
        assert_eq!(
            entries(format!("oops {{}}\n{good}")),
            ["!syntax:oops {}", good]
        );
        assert_eq!(
            entries(format!("{{\"id\":\"1\",\"x\":\n{good}\n{good}\n")),
            ["!syntax:{\"id\":\"1\",\"x\":", good, good]
        );
        assert_eq!(
            entries(format!("{good}\n{{\n\"x\":,\n}}\n{good}")),
            [good, "!syntax:{\n\"x\":,\n}", good]
        );
    }

    #[test]
    fn split_broken_pretty_document_ends_before_the_next_one() {
        let (good, bad) = ("{\n  \"a\": 1\n}", "{\n  \"a\": ,\n}");
        assert_eq!(
            entries(format!("{bad}\n\n{good}\n{bad}\n{good}\n")),
            [
                format!("!syntax:{bad}"),
                good.to_owned(),
                format!("!syntax:{bad}"),
                good.to_owned()
            ]
        );
    }

    #[test]
    fn split_broken_part_without_evidence_condemns_the_rest() {
        assert_eq!(
            entries(r#"{"a":1}x{"b":2}"#),
            [r#"{"a":1}"#, r#"!syntax:x{"b":2}"#]
        );
        assert_eq!(entries("{\n \"a\": 1,\n"), ["!syntax:{\n \"a\": 1,"]);
        assert_eq!(
            entries(b"{\"a\":\"\xe3\"}{}"),
            ["!encoding:{\"a\":\"\u{fffd}\"}{}"]
        );
    }

    #[test]
    fn split_first_error_gives_the_reason() {
        assert_eq!(entries(b"{]\xff"), ["!syntax:{]\u{fffd}"]);
        assert_eq!(entries(b"\xff{]"), ["!encoding:\u{fffd}{]"]);
    }
}
