//! The words and signs of a schema file.
//!
//! Comes in: text. Goes out: tokens with their byte offset; white space and comments are gone.
//! Which token may stand where belongs to the parser.

use std::borrow::Cow;
use std::fmt;

use super::{Located, SchemaProblem};

/// A token and where it begins.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) offset: usize,
    pub(super) kind: TokenKind<'a>,
}

impl Token<'_> {
    pub(super) fn end() -> Self {
        Self {
            offset: 0,
            kind: TokenKind::End,
        }
    }
}

/// What a token is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'a> {
    /// A keyword, type or plain name.
    Word(Cow<'a, str>),
    /// A name in backquotes, which are taken off.
    Quoted(Cow<'a, str>),
    /// The inside of single quotes as written.
    Text(&'a str),
    /// An unsigned number; one beyond 64 bits is as large as they go.
    Number(u64),
    /// Any other character.
    Symbol(char),
    /// Nothing more.
    End,
}

impl fmt::Display for TokenKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) | Self::Quoted(word) => write!(f, "`{word}`"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Number(number) => write!(f, "`{number}`"),
            Self::Symbol(symbol) => write!(f, "`{symbol}`"),
            Self::End => f.write_str("the end of the file"),
        }
    }
}

/// Cuts text into tokens.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// How far the text has been cut.
    offset: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let offset = if text.starts_with('\u{FEFF}') {
            '\u{FEFF}'.len_utf8()
        } else {
            0
        };
        Self { text, offset }
    }

    /// Where the last token ended, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// The next token; [`TokenKind::End`] once there is nothing more.
    pub(super) fn token(&mut self) -> Result<Token<'a>, Located> {
        self.skip_blank()?;
        let offset = self.offset;
        let Some(first) = self.rest().chars().next() else {
            return Ok(Token {
                offset,
                kind: TokenKind::End,
            });
        };
        let kind = match first {
            '`' => TokenKind::Quoted(self.quoted('`', "a backquote")?.0),
            '\'' => TokenKind::Text(self.quoted('\'', "a quote")?.1),
            c if c.is_ascii_digit() => {
                let digits = self.take_while(|c| c.is_ascii_digit());
                TokenKind::Number(digits.parse().unwrap_or(u64::MAX))
            }
            c if c == '_' || c.is_alphabetic() => TokenKind::Word(Cow::Borrowed(
                self.take_while(|c| c == '_' || c.is_alphanumeric()),
            )),
            other => {
                self.offset += other.len_utf8();
                TokenKind::Symbol(other)
            }
        };
        Ok(Token { offset, kind })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.offset += length;
        &rest[..length]
    }

    /// The inside of quotes, a doubled quote being one: with the doubling undone, and as written.
    fn quoted(
        &mut self,
        quote: char,
        what: &'static str,
    ) -> Result<(Cow<'a, str>, &'a str), Located> {
        let start = self.offset;
        self.offset += 1;
        let inside = self.rest();
        let mut doubled = false;
        loop {
            let Some(length) = self.rest().find(quote) else {
                return Err(Located {
                    offset: start,
                    problem: SchemaProblem::Unclosed { what },
                });
            };
            self.offset += length + 1;
            if !self.rest().starts_with(quote) {
                break;
            }
            doubled = true;
            self.offset += 1;
        }
        let raw = &inside[..self.offset - start - 2];
        if doubled {
            let twice = [quote, quote].iter().collect::<String>();
            return Ok((Cow::Owned(raw.replace(&twice, &quote.to_string())), raw));
        }
        Ok((Cow::Borrowed(raw), raw))
    }

    fn skip_blank(&mut self) -> Result<(), Located> {
        loop {
            self.take_while(char::is_whitespace);
            let rest = self.rest();
            if rest.starts_with("--") {
                self.take_while(|c| c != '\n');
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let Some(length) = comment.find("*/") else {
                    let problem = SchemaProblem::Unclosed { what: "a comment" };
                    return Err(Located {
                        offset: self.offset,
                        problem,
                    });
                };
                self.offset += length + 4;
            } else {
                return Ok(());
            }
        }
    }
}

/// The 1-based line and column (in characters) of a byte offset.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    let column = before[line_start..]
        .chars()
        .filter(|c| *c != '\u{FEFF}')
        .count()
        + 1;
    (line, column)
}
