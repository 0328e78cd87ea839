//! Strict JSON (RFC 8259), one token after another.
//!
//! Comes in: bytes. Goes out: keys, strings, numbers and skipped values as ranges of these bytes,
//! or where the syntax is [`Broken`]. Invariant: nesting and digits have no limit, though the
//! parser underneath has: where it gives up, this room goes on by itself. What a value means
//! belongs to `event`.

use std::ops::Range;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

use super::text::Text;

/// A place where the bytes are not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// The offset of the offending byte; the length of the text when it ended too early.
    pub(super) offset: usize,
    kind: JsonErrorType,
}

impl Broken {
    pub(super) fn new(kind: JsonErrorType, offset: usize) -> Self {
        Self { offset, kind }
    }

    /// The same problem, seen from a text that begins `base` bytes earlier.
    pub(super) fn shifted(self, base: usize) -> Self {
        Self {
            offset: self.offset + base,
            ..self
        }
    }

    /// Whether the text is a beginning of JSON, and only its rest is missing.
    pub(super) fn is_end(&self) -> bool {
        matches!(
            self.kind,
            JsonErrorType::EofWhileParsingList
                | JsonErrorType::EofWhileParsingObject
                | JsonErrorType::EofWhileParsingString
                | JsonErrorType::EofWhileParsingValue
        )
    }

    /// The problem as a sentence without its place.
    pub(super) fn message(&self) -> String {
        match self.kind {
            JsonErrorType::EofWhileParsingList => "the text ends inside an array".to_owned(),
            JsonErrorType::EofWhileParsingObject => "the text ends inside an object".to_owned(),
            JsonErrorType::EofWhileParsingString => "the text ends inside a string".to_owned(),
            JsonErrorType::EofWhileParsingValue => {
                "the text ends where a value is expected".to_owned()
            }
            ref other => other.to_string(),
        }
    }
}

/// A key of an object, still escaped.
pub(super) struct RawKey<'j> {
    /// The bytes between the quotes.
    pub(super) raw: &'j [u8],
    /// Where they begin.
    pub(super) start: usize,
}

/// Reads JSON tokens from a text.
pub(super) struct Scanner<'j> {
    text: &'j [u8],
    /// Where the parser's text begins in `text`: it is set anew where the parser gives up.
    base: usize,
    jiter: Jiter<'j>,
}

impl<'j> Scanner<'j> {
    /// Begins at the start of `text`; `tape` is memory to reuse, taken back by
    /// [`into_tape`](Self::into_tape).
    pub(super) fn new(text: &'j [u8], tape: Vec<u8>) -> Self {
        Self {
            text,
            base: 0,
            jiter: Jiter::with_tape(text, tape),
        }
    }

    pub(super) fn into_tape(self) -> Vec<u8> {
        self.jiter.into_tape()
    }

    /// The offset of the next byte to read.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.base + self.jiter.current_index()
    }

    /// The first byte of the next value; white space before it is consumed.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<Peek, Broken> {
        self.jiter.peek().map_err(|error| broken(self.base, &error))
    }

    /// Consumes `[` and peeks at the first element.
    #[inline]
    pub(super) fn array_first(&mut self) -> Result<Option<Peek>, Broken> {
        self.jiter
            .known_array()
            .map_err(|error| broken(self.base, &error))
    }

    /// Consumes `,` or `]` and peeks at the next element.
    #[inline]
    pub(super) fn array_step(&mut self) -> Result<Option<Peek>, Broken> {
        self.jiter
            .array_step()
            .map_err(|error| broken(self.base, &error))
    }

    /// Consumes `{` and the first key with its colon.
    #[inline]
    pub(super) fn first_key(&mut self) -> Result<Option<RawKey<'j>>, Broken> {
        match self.jiter.next_object_bytes() {
            Ok(raw) => Ok(raw.map(|raw| raw_key(self.text, raw))),
            Err(error) => Err(broken(self.base, &error)),
        }
    }

    /// Consumes `,` and the next key with its colon, or `}`.
    #[inline]
    pub(super) fn next_key(&mut self) -> Result<Option<RawKey<'j>>, Broken> {
        match self.jiter.next_key_bytes() {
            Ok(raw) => Ok(raw.map(|raw| raw_key(self.text, raw))),
            Err(error) => Err(broken(self.base, &error)),
        }
    }

    /// Consumes a string; its text is in the input when it has no escapes, else added to `tape`.
    #[inline]
    pub(super) fn string(&mut self, tape: &mut String) -> Result<Text, Broken> {
        let decoded = match self.jiter.known_str() {
            Ok(decoded) => decoded,
            Err(error) => return Err(broken(self.base, &error)),
        };
        if self.text.as_ptr_range().contains(&decoded.as_ptr()) {
            let length = decoded.len();
            let end = self.position() - 1;
            return Ok(Text::plain(end - length..end));
        }
        let start = tape.len();
        tape.push_str(decoded);
        Ok(Text::unescaped(start..tape.len()))
    }

    /// Consumes a number that begins with `peek`.
    #[inline]
    pub(super) fn number(&mut self, peek: Peek) -> Result<Range<usize>, Broken> {
        let start = self.position();
        match self.jiter.known_number_bytes(peek) {
            Ok(_) => {}
            Err(error) if is_limit(&error) => {
                let length =
                    number_length(&self.text[start..]).map_err(|broken| broken.shifted(start))?;
                self.restart(start + length);
            }
            Err(error) => return Err(broken(self.base, &error)),
        }
        Ok(start..self.position())
    }

    /// Consumes `true` or `false`.
    pub(super) fn boolean(&mut self, peek: Peek) -> Result<bool, Broken> {
        self.jiter
            .known_bool(peek)
            .map_err(|error| broken(self.base, &error))
    }

    /// Consumes `null`.
    pub(super) fn null(&mut self) -> Result<(), Broken> {
        self.jiter
            .known_null()
            .map_err(|error| broken(self.base, &error))
    }

    /// Consumes any value that begins with `peek`.
    #[inline]
    pub(super) fn skip(&mut self, peek: Peek) -> Result<Range<usize>, Broken> {
        let start = self.position();
        match self.jiter.known_skip(peek) {
            Ok(()) => {}
            Err(error) if is_limit(&error) => {
                self.restart(start);
                self.skip_without_limit()?;
            }
            Err(error) => return Err(broken(self.base, &error)),
        }
        Ok(start..self.position())
    }

    /// What the parser's own skipping does, with a stack on the heap.
    fn skip_without_limit(&mut self) -> Result<(), Broken> {
        let mut open = Vec::new();
        loop {
            let opened = match self.peek()? {
                Peek::Array => self.array_first()?.map(|_| Container::Array),
                Peek::Object => self.first_key()?.map(|_| Container::Object),
                number if number.is_num() => {
                    self.number(number)?;
                    None
                }
                other => {
                    self.jiter
                        .known_skip(other)
                        .map_err(|error| broken(self.base, &error))?;
                    None
                }
            };
            if opened.is_some() {
                open.extend(opened);
                continue;
            }
            loop {
                let more = match open.last() {
                    None => return Ok(()),
                    Some(Container::Array) => self.array_step()?.is_some(),
                    Some(Container::Object) => self.next_key()?.is_some(),
                };
                if more {
                    break;
                }
                open.pop();
            }
        }
    }

    /// Lets the parser begin anew at `start`: it keeps no state but its place.
    fn restart(&mut self, start: usize) {
        let tape = std::mem::replace(&mut self.jiter, Jiter::new(b"")).into_tape();
        self.jiter = Jiter::with_tape(&self.text[start..], tape);
        self.base = start;
    }
}

/// Where the one value that `text` begins with ends.
pub(super) fn value_end(text: &[u8]) -> Result<usize, Broken> {
    let mut scanner = Scanner::new(text, Vec::new());
    let peek = scanner.peek()?;
    scanner.skip(peek).map(|value| value.end)
}

/// The text that an escaped key stands for, added to `tape`.
pub(super) fn unescape_key(
    text: &[u8],
    key: &RawKey<'_>,
    tape: &mut String,
) -> Result<Text, Broken> {
    let quote = key.start - 1;
    let end = key.start + key.raw.len() + 1;
    let mut scanner = Scanner::new(&text[quote..end], Vec::new());
    let unescaped = scanner
        .string(tape)
        .map_err(|broken| broken.shifted(quote))?;
    Ok(unescaped)
}

#[derive(Clone, Copy)]
enum Container {
    Array,
    Object,
}

#[cold]
fn broken(base: usize, error: &JiterError) -> Broken {
    let kind = match &error.error_type {
        JiterErrorType::JsonError(kind) => kind.clone(),
        JiterErrorType::WrongType { .. } => JsonErrorType::ExpectedSomeValue,
    };
    Broken {
        offset: base + error.index,
        kind,
    }
}

fn is_limit(error: &JiterError) -> bool {
    matches!(
        error.error_type,
        JiterErrorType::JsonError(
            JsonErrorType::RecursionLimitExceeded | JsonErrorType::NumberOutOfRange
        )
    )
}

/// `raw` is a part of `text`; the parser does not say which.
#[inline]
fn raw_key<'j>(text: &'j [u8], raw: &[u8]) -> RawKey<'j> {
    let start = raw.as_ptr().addr() - text.as_ptr().addr();
    RawKey {
        raw: &text[start..start + raw.len()],
        start,
    }
}

/// The length of the number that `text` begins with (RFC 8259 §6).
fn number_length(text: &[u8]) -> Result<usize, Broken> {
    let mut at = usize::from(text.first() == Some(&b'-'));
    if text.get(at) == Some(&b'0') {
        at += 1;
        if text.get(at).is_some_and(u8::is_ascii_digit) {
            return Err(Broken::new(JsonErrorType::InvalidNumber, at));
        }
    } else {
        at = digits_end(text, at)?;
    }
    if text.get(at) == Some(&b'.') {
        at = digits_end(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = digits_end(text, at + 1 + sign)?;
    }
    Ok(at)
}

/// The end of the digits at `start`, of which there must be one.
fn digits_end(text: &[u8], start: usize) -> Result<usize, Broken> {
    let digits = text[start.min(text.len())..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let end = start + digits.count();
    if end > start {
        return Ok(end);
    }
    let kind = if end >= text.len() {
        JsonErrorType::EofWhileParsingValue
    } else {
        JsonErrorType::InvalidNumber
    };
    Err(Broken::new(kind, end))
}

#[cfg(test)]
mod tests {
    use super::{Scanner, number_length, value_end};
    use proptest::prelude::*;

    #[test]
    fn scanner_skips_nesting_and_digits_beyond_the_parsers_limits() {
        for depth in [1, 199, 200, 201, 100_000] {
            let arrays = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(value_end(arrays.as_bytes()), Ok(arrays.len()), "{depth}");
            let objects = format!("{}1{} x", "{\"a\":".repeat(depth), "}".repeat(depth));
            assert_eq!(
                value_end(objects.as_bytes()),
                Ok(objects.len() - 2),
                "{depth}"
            );
        }
        let long = format!(
            "[{}{}, -{}.5e7]",
            "9".repeat(10_000),
            ".5",
            "1".repeat(5_000)
        );
        assert_eq!(value_end(long.as_bytes()), Ok(long.len()));
    }

    #[test]
    fn scanner_finds_broken_syntax_behind_the_parsers_limits() {
        let open = "[".repeat(1_000);
        let ends = value_end(open.as_bytes()).unwrap_err();
        assert!(ends.is_end());
        assert_eq!(ends.offset, 1_000);
        let wrong = value_end(format!("{open}1 2").as_bytes()).unwrap_err();
        assert!(!wrong.is_end());
        assert_eq!(wrong.offset, 1_002);
        let surrogate = value_end(format!(r#"{open}"\ud800""#).as_bytes()).unwrap_err();
        assert!(!surrogate.is_end());
    }

    #[test]
    fn number_length_of_what_is_no_number_is_an_error() {
        for text in ["01", "-", "1.", "1.x", "1e", "1e+", "-x", "-01", "00"] {
            assert!(number_length(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn number_length_equals_the_parsers(
            text in r"-?[0-9]{0,6}(\.[0-9]{0,3})?([eE][+-]?[0-9]{0,3})?[,\]} x]?",
        ) {
            let mut scanner = Scanner::new(text.as_bytes(), Vec::new());
            let parsed = scanner.peek().and_then(|peek| scanner.number(peek));
            match number_length(text.as_bytes()) {
                Ok(length) => prop_assert_eq!(parsed, Ok(0..length)),
                Err(_) => prop_assert!(parsed.is_err()),
            }
        }
    }
}
