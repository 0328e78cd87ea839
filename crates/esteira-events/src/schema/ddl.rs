//! The schema file: SQL DDL with Spark's type names.
//!
//! Comes in: text. Goes out: an [`EventSchema`], or the first problem with its place. The grammar
//! is the part of Spark's `CREATE TABLE` that describes columns (Spark SQL reference, pages
//! *CREATE TABLE* and *Data Types*), plus the one `CHECK` that can be enforced on an event. Rules
//! that do not depend on the text are in `rules`; this room adds the place to them.

mod extend;
mod lexer;

use std::ops::Range;

use lexer::{Lexer, Token, TokenKind};

pub use extend::NewField;
pub(super) use extend::extended;

use super::{DataType, EventSchema, Field, SchemaError, SchemaProblem, rules};

/// Every type name that is understood, synonyms included.
pub(super) const TYPE_NAMES: [&str; 14] = [
    "STRING",
    "BOOLEAN",
    "INT",
    "INTEGER",
    "BIGINT",
    "LONG",
    "DOUBLE",
    "DATE",
    "TIMESTAMP",
    "DECIMAL",
    "DEC",
    "NUMERIC",
    "ARRAY",
    "STRUCT",
];

/// Below this Jaro-Winkler similarity a name is not a misspelling of another.
const SIMILAR: f64 = 0.7;

/// Parses one `CREATE TABLE` statement.
pub(super) fn parse(sql: &str, file: &str) -> Result<EventSchema, SchemaError> {
    places(sql, file).map(|(schema, _)| schema)
}

/// The schema, and where each list of fields ends.
fn places(sql: &str, file: &str) -> Result<(EventSchema, Vec<FieldsAt>), SchemaError> {
    let mut parser = Parser {
        lexer: Lexer::new(sql),
        next: Token::end(),
        end: 0,
        within: Vec::new(),
        places: Vec::new(),
    };
    let schema = parser.statement().map_err(|located| {
        let (line, column) = lexer::place(sql, located.offset);
        SchemaError {
            file: file.to_owned(),
            line,
            column,
            problem: located.problem,
        }
    })?;
    Ok((schema, parser.places))
}

/// Where the fields of the event, or of a struct in it, are written: byte offsets.
struct FieldsAt {
    /// The fields that it is within, from the event on; lists are not counted.
    within: Vec<String>,
    /// Where the last field begins, and where it ends.
    last: Range<usize>,
    /// Where the closing symbol is.
    close: usize,
}

/// A problem and the byte offset it is at; lines and columns are only counted once it is final.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) offset: usize,
    pub(super) problem: SchemaProblem,
}

type Parsed<T> = Result<T, Located>;

fn at<T>(offset: usize, result: Result<T, SchemaProblem>) -> Parsed<T> {
    result.map_err(|problem| Located { offset, problem })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token not yet consumed: the grammar needs to see one ahead.
    next: Token<'a>,
    /// Where the token before it ends.
    end: usize,
    /// The fields whose types are being read.
    within: Vec<String>,
    places: Vec<FieldsAt>,
}

impl Parser<'_> {
    fn statement(&mut self) -> Parsed<EventSchema> {
        self.advance()?;
        self.keyword("CREATE", "`CREATE TABLE`")?;
        self.keyword("TABLE", "`TABLE`")?;
        if self.is_keyword("IF") {
            self.advance()?;
            self.keyword("NOT", "`NOT`")?;
            self.keyword("EXISTS", "`EXISTS`")?;
        }
        let (name, _) = self.name("the table's name")?;
        self.symbol('(', "`(`")?;
        if self.is_symbol(')') {
            return at(
                self.next.offset,
                Err(SchemaProblem::Empty { what: "the table" }),
            );
        }
        let fields = self.fields(')', "`,` or `)`", 1)?;
        if self.is_symbol(';') {
            self.advance()?;
        }
        if self.next.kind != TokenKind::End {
            return self.unexpected("the end of the statement");
        }
        at(0, EventSchema::new(name, fields))
    }

    /// Fields up to and including the closing symbol.
    fn fields(&mut self, close: char, expected: &'static str, depth: usize) -> Parsed<Vec<Field>> {
        let mut fields = Vec::new();
        loop {
            let start = self.next.offset;
            let field = self.field(&fields, depth)?;
            fields.push(field);
            if self.is_symbol(close) {
                self.places.push(FieldsAt {
                    within: self.within.clone(),
                    last: start..self.end,
                    close: self.next.offset,
                });
                self.advance()?;
                return Ok(fields);
            }
            self.symbol(',', expected)?;
        }
    }

    fn field(&mut self, earlier: &[Field], depth: usize) -> Parsed<Field> {
        let (name, offset) = self.name("a column's name")?;
        at(offset, rules::check_name(&name))?;
        at(offset, rules::check_unique(earlier, &name))?;
        if depth == 1 {
            at(offset, rules::check_reserved(&name))?;
        } else if self.is_symbol(':') {
            self.advance()?;
        }
        self.within.push(name.clone());
        let data_type = self.data_type(depth)?;
        self.within.pop();
        let mut field = Field::new(name, data_type);
        self.constraints(&mut field)?;
        Ok(field)
    }

    fn constraints(&mut self, field: &mut Field) -> Parsed<()> {
        loop {
            if self.is_keyword("NOT") {
                self.advance()?;
                self.keyword("NULL", "`NULL`")?;
                field.required = true;
            } else if self.is_keyword("COMMENT") {
                self.advance()?;
                let TokenKind::Text(_) = self.next.kind else {
                    return self.unexpected("the comment in single quotes");
                };
                self.advance()?;
            } else if self.is_keyword("CHECK") {
                let offset = self.next.offset;
                self.check(&field.name)?;
                field.not_empty = true;
                at(offset, rules::check_not_empty(field))?;
            } else {
                return Ok(());
            }
        }
    }

    /// `CHECK (column <> '')`, and nothing else.
    fn check(&mut self, column: &str) -> Parsed<()> {
        let unsupported = |offset| Located {
            offset,
            problem: SchemaProblem::UnsupportedCheck {
                column: column.to_owned(),
            },
        };
        let start = self.next.offset;
        self.advance()?;
        self.symbol('(', "`(`")?;
        let named = matches!(
            &self.next.kind,
            TokenKind::Word(word) | TokenKind::Quoted(word) if word.as_ref() == column
        );
        self.advance()?;
        let differs = self.is_symbol('<') || self.is_symbol('!');
        let end_of_operator = if self.is_symbol('<') { '>' } else { '=' };
        if !named || !differs {
            return Err(unsupported(start));
        }
        self.advance()?;
        if !self.is_symbol(end_of_operator) {
            return Err(unsupported(start));
        }
        self.advance()?;
        if self.next.kind != TokenKind::Text("") {
            return Err(unsupported(start));
        }
        self.advance()?;
        if !self.is_symbol(')') {
            return Err(unsupported(start));
        }
        self.advance()
    }

    fn data_type(&mut self, depth: usize) -> Parsed<DataType> {
        at(self.next.offset, rules::check_depth(depth))?;
        let TokenKind::Word(word) = &self.next.kind else {
            return self.unexpected("a type");
        };
        let (name, offset) = (word.to_string(), self.next.offset);
        let upper = name.to_ascii_uppercase();
        let Some(known) = TYPE_NAMES.into_iter().find(|known| *known == upper) else {
            let nearest = nearest_type(&upper);
            return at(offset, Err(SchemaProblem::UnknownType { name, nearest }));
        };
        self.advance()?;
        match known {
            "STRING" => Ok(DataType::String),
            "BOOLEAN" => Ok(DataType::Boolean),
            "INT" | "INTEGER" => Ok(DataType::Int),
            "BIGINT" | "LONG" => Ok(DataType::BigInt),
            "DOUBLE" => Ok(DataType::Double),
            "DATE" => Ok(DataType::Date),
            "TIMESTAMP" => Ok(DataType::Timestamp),
            "ARRAY" => {
                self.symbol('<', "`<`")?;
                let element = self.data_type(depth + 1)?;
                self.symbol('>', "`>`")?;
                Ok(DataType::Array(Box::new(element)))
            }
            "STRUCT" => {
                self.symbol('<', "`<`")?;
                if self.is_symbol('>') {
                    return at(offset, Err(SchemaProblem::Empty { what: "a STRUCT" }));
                }
                self.fields('>', "`,` or `>`", depth + 1)
                    .map(DataType::Struct)
            }
            _ => self.decimal(offset),
        }
    }

    /// `(precision[, scale])` behind a decimal's name; without it Spark's default `(10,0)`.
    fn decimal(&mut self, offset: usize) -> Parsed<DataType> {
        let (mut precision, mut scale) = (10, 0);
        if self.is_symbol('(') {
            self.advance()?;
            precision = self.number("the precision")?;
            if self.is_symbol(',') {
                self.advance()?;
                scale = self.number("the scale")?;
            }
            self.symbol(')', "`)`")?;
        }
        let (precision, scale) = at(offset, rules::check_decimal(precision, scale))?;
        Ok(DataType::Decimal { precision, scale })
    }

    fn number(&mut self, expected: &'static str) -> Parsed<u64> {
        let TokenKind::Number(number) = self.next.kind else {
            return self.unexpected(expected);
        };
        self.advance()?;
        Ok(number)
    }

    fn name(&mut self, expected: &'static str) -> Parsed<(String, usize)> {
        let (TokenKind::Word(name) | TokenKind::Quoted(name)) = &self.next.kind else {
            return self.unexpected(expected);
        };
        let named = (name.to_string(), self.next.offset);
        self.advance()?;
        Ok(named)
    }

    fn keyword(&mut self, keyword: &str, expected: &'static str) -> Parsed<()> {
        if !self.is_keyword(keyword) {
            return self.unexpected(expected);
        }
        self.advance()
    }

    fn symbol(&mut self, symbol: char, expected: &'static str) -> Parsed<()> {
        if !self.is_symbol(symbol) {
            return self.unexpected(expected);
        }
        self.advance()
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(&self.next.kind, TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn is_symbol(&self, symbol: char) -> bool {
        self.next.kind == TokenKind::Symbol(symbol)
    }

    fn unexpected<T>(&self, expected: &'static str) -> Parsed<T> {
        let found = self.next.kind.to_string();
        at(
            self.next.offset,
            Err(SchemaProblem::Unexpected { expected, found }),
        )
    }

    fn advance(&mut self) -> Parsed<()> {
        self.end = self.lexer.offset();
        self.next = self.lexer.token()?;
        Ok(())
    }
}

fn nearest_type(upper: &str) -> Option<&'static str> {
    TYPE_NAMES
        .into_iter()
        .map(|known| (strsim::jaro_winkler(upper, known), known))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known)
}
