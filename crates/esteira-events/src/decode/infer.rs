//! A schema for events nobody has declared yet, from samples.
//!
//! Comes in: objects, as they are. Goes out: a [`Suggestion`]: fields with types that take every value
//! that was seen, and what cannot be a field and why. Invariant: of the samples, every entry that is
//! a JSON object is an event by the suggested schema. What is left out is kept as rescued data. Which
//! field is the key or the version is for the caller to choose; the facts to choose by are here.

mod shape;

use jiter::Peek;

use self::shape::{Place, Shape, Taker};
use super::account::Account;
use super::compression::unpack;
use super::decoder::DecodeLimits;
use super::event::name_of;
use super::issue::Issue;
use super::report::{ObjectReport, Reason};
use super::scanner::{Broken, Scanner};
use super::split::{Body, Splitter, TakeValue, Value};
use crate::schema::{DataType, EventSchema, Field};

/// Samples that have been looked at.
#[derive(Debug, Default)]
pub struct Samples {
    event: Shape,
}

/// A schema that takes every sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Entries that were JSON objects.
    pub events: u64,
    /// The fields, in the order in which they were first met.
    pub fields: Vec<SuggestedField>,
    /// What cannot be a field.
    pub left_out: Vec<LeftOut>,
}

/// A field of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuggestedField {
    /// Its name and type; it may be null.
    pub field: Field,
    /// Events in which it has a value.
    pub present: u64,
    /// Different values, up to [`SuggestedField::MOST_DISTINCT`]; 0 for lists and structs.
    pub distinct: u64,
    /// Whether one of its texts is empty.
    pub has_empty: bool,
    /// A value, shortened.
    pub example: String,
}

impl SuggestedField {
    /// So many different values are told apart.
    pub const MOST_DISTINCT: u64 = 100_000;
}

/// A field that cannot be one of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it is in the event, like `$.items[].price`.
    pub path: String,
    /// Why, with examples.
    pub reason: String,
}

/// A field that a schema could have beside those that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The fields that it is within, from the event on; lists are not counted.
    pub within: Vec<String>,
    /// Where it is in the event, like `$.items[].price`.
    pub path: String,
    /// Its name and type; it may be null.
    pub field: Field,
    /// Objects, of those it is in, in which it has a value.
    pub present: u64,
    /// A value, shortened; empty for lists and structs.
    pub example: String,
}

impl Samples {
    /// What the samples have beside the fields of a schema, in the order in which it was first met, and what
    /// of it cannot be a field. Of the schema's own fields nothing is said.
    #[must_use]
    pub fn additions(&self, schema: &EventSchema) -> (Vec<Addition>, Vec<LeftOut>) {
        let (mut additions, mut left_out) = (Vec::new(), Vec::new());
        self.event.additions(
            schema.fields(),
            &Place::default(),
            &mut additions,
            &mut left_out,
        );
        (additions, left_out)
    }

    /// Looks at an object; tells how many entries are events, and which are not and why.
    pub fn look_at(&mut self, bytes: &[u8]) -> ObjectReport {
        let mut unpacked = Vec::new();
        let limits = DecodeLimits::default();
        match unpack(bytes, limits.max_decompressed_bytes, &mut unpacked) {
            Err(issue) => {
                let mut account = Account::new(bytes, 0, limits.max_original_bytes);
                account.reject(0..bytes.len(), issue);
                account.report(bytes)
            }
            Ok(text) => {
                let body = Body::new(text);
                let mut account = Account::new(text, body.begin, limits.max_original_bytes);
                Splitter {
                    body,
                    values: self,
                    account: &mut account,
                    max_rejected: limits.max_rejected,
                }
                .split();
                account.report(bytes)
            }
        }
    }

    /// What the samples have in common.
    #[must_use]
    pub fn suggestion(&self) -> Suggestion {
        let mut left_out = Vec::new();
        let fields = self.event.suggested_fields(&mut left_out);
        Suggestion {
            events: self.event.objects(),
            fields,
            left_out,
        }
    }
}

impl TakeValue for Samples {
    fn take(
        &mut self,
        body: Body<'_>,
        start: usize,
        limit: usize,
        _: u64,
    ) -> Result<Value, Broken> {
        let text = match body.text_at(start, limit)? {
            Ok(text) => text,
            Err(not_text) => return Ok(not_text),
        };
        let here = |broken: Broken| broken.shifted(start);
        let mut scanner = Scanner::new(text.as_bytes(), Vec::new());
        let peek = scanner.peek().map_err(here)?;
        if peek != Peek::Object {
            let end = scanner.skip(peek).map_err(here)?.end;
            let message = format!("expected an object, found {}", name_of(peek));
            return Ok(Value {
                end: start + end,
                issue: Some(Issue::whole(start, Reason::NotAnObject, message)),
            });
        }
        // A text that breaks off further on is no event: nothing of it may be counted.
        let mut seen = Shape::default();
        let mut taker = Taker::new(text, scanner);
        taker.take(&mut seen, peek).map_err(here)?;
        self.event.merge(seen);
        Ok(Value {
            end: start + taker.position(),
            issue: None,
        })
    }
}

/// Whether values of the type are neither lists nor structs.
fn is_scalar(data_type: &DataType) -> bool {
    !matches!(data_type, DataType::Array(_) | DataType::Struct(_))
}
