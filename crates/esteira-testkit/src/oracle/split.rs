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
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let masked = Masked::new(text);
    let start = masked.skip_space(0);
    if text.get(start) == Some(&b'[') {
        masked.array(start + 1)
    } else {
        masked.sequence(start)
    }
}

/// A text in which each byte that is not UTF-8 is replaced by DEL, a letter that may stand in a JSON
/// string and nowhere else: so the text has the structure that the bytes have.
struct Masked<'a> {
    bytes: &'a [u8],
    text: String,
    /// Places of the replaced bytes.
    replaced: Vec<usize>,
}

/// What begins at a place.
enum At {
    /// A value of this length, right or not.
    Value(usize),
    /// None, for this reason.
    Broken(&'static str),
}

impl<'a> Masked<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut text = String::with_capacity(bytes.len());
        let mut replaced = Vec::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            replaced.extend(text.len()..text.len() + chunk.invalid().len());
            text.extend(chunk.invalid().iter().map(|_| '\x7f'));
        }
        Self {
            bytes,
            text,
            replaced,
        }
    }

    fn at(&self, start: usize) -> At {
        match json::first_value(&self.text[start..]) {
            Found::Value(value) => At::Value(value.len()),
            Found::Broken { .. } => At::Broken(self.first_error(start)),
        }
    }

    /// Why no value begins at `start`: the first error counts, and it is the encoding when all was
    /// well up to there.
    fn first_error(&self, start: usize) -> &'static str {
        match self.first_replaced(start) {
            Some(at) if at == start || json::breaks_off(&self.text[start..at]) => "encoding",
            _ => "syntax",
        }
    }

    /// A complete value: one that is not UTF-8 is given up, and nothing but it.
    fn entry(&self, start: usize, length: usize) -> Entry<'a> {
        match std::str::from_utf8(&self.bytes[start..start + length]) {
            Ok(value) => Entry::Value(value),
            Err(_) => Entry::Broken("encoding", &self.bytes[start..start + length]),
        }
    }

    /// One array document, behind its opening bracket: a syntax error condemns all that follows.
    fn array(&self, mut at: usize) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        at = self.skip_space(at);
        if self.bytes.get(at) == Some(&b']') {
            return self.behind_array(entries, at + 1);
        }
        loop {
            at = self.skip_space(at);
            if at == self.bytes.len() {
                return self.condemn(entries, self.wrong_byte(at), at);
            }
            let length = match self.at(at) {
                At::Value(length) => length,
                At::Broken(reason) => return self.condemn(entries, reason, at),
            };
            entries.push(self.entry(at, length));
            at = self.skip_space(at + length);
            match self.bytes.get(at) {
                Some(b',') => at += 1,
                Some(b']') => return self.behind_array(entries, at + 1),
                _ => return self.condemn(entries, self.wrong_byte(at), at),
            }
        }
    }

    fn behind_array(&self, entries: Vec<Entry<'a>>, end: usize) -> Vec<Entry<'a>> {
        let at = self.skip_space(end);
        if at == self.bytes.len() {
            return entries;
        }
        self.condemn(entries, self.wrong_byte(at), at)
    }

    /// Why the byte at `at` cannot stand there, whatever it is.
    fn wrong_byte(&self, at: usize) -> &'static str {
        if self.first_replaced(at) == Some(at) {
            "encoding"
        } else {
            "syntax"
        }
    }

    /// Gives up everything from `from` on.
    fn condemn(
        &self,
        mut entries: Vec<Entry<'a>>,
        reason: &'static str,
        from: usize,
    ) -> Vec<Entry<'a>> {
        let rest = json::trim_end(&self.bytes[from..]);
        entries.push(Entry::Broken(reason, rest));
        entries
    }

    /// Values one after another, with or without white space between them.
    fn sequence(&self, mut at: usize) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        let mut lines = Lines::new(&self.text);
        while at < self.bytes.len() {
            let end = match self.at(at) {
                At::Value(length) => {
                    lines.note_value(at, at + length);
                    entries.push(self.entry(at, length));
                    at + length
                }
                At::Broken(reason) => {
                    let end = lines.end_of_broken(at);
                    let part = json::trim_end(&self.bytes[at..end]);
                    entries.push(Entry::Broken(reason, part));
                    end
                }
            };
            at = self.skip_space(end);
        }
        entries
    }

    fn first_replaced(&self, from: usize) -> Option<usize> {
        let next = self.replaced.partition_point(|at| *at < from);
        self.replaced.get(next).copied()
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
            ["{}", "!encoding:\"\u{fffd}\"", "{}"]
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
    }

    #[test]
    fn split_value_that_is_not_utf8_is_given_up_alone() {
        assert_eq!(
            entries(b"{\"a\":\"\xe3\"}{}"),
            ["!encoding:{\"a\":\"\u{fffd}\"}", "{}"]
        );
        assert_eq!(entries(b"[]{\"a\":\xe3}"), ["!syntax:{\"a\":\u{fffd}}"]);
        assert_eq!(entries(b"{\"a\":\xe3}{}"), ["!encoding:{\"a\":\u{fffd}}{}"]);
    }

    #[test]
    fn split_first_error_gives_the_reason() {
        assert_eq!(entries(b"{]\xff"), ["!syntax:{]\u{fffd}"]);
        assert_eq!(entries(b"\xff{]"), ["!encoding:\u{fffd}{]"]);
    }
}
