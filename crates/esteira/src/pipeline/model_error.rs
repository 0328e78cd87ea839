//! What is wrong with a model, in the author's words: where in the file, and what there would be.
//!
//! Comes in: the engine's errors, and the columns a model gives. Goes out: mistakes with line and
//! column. The engine tells the place of most errors; of the others, the first thing they quote is looked
//! for in the text.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use esteira_events::NOT_IN_COLUMNS;

use super::file::{line_and_column, nearest_of};
use super::model::{EVENT, EVENTS, Model};
use super::{PipelineError, agree};
use esteira_lake::tables::type_name;

/// Everything that the engine found wrong.
pub(super) fn told(
    file: &str,
    text: &str,
    events: &Schema,
    error: &DataFusionError,
) -> Vec<PipelineError> {
    let mut problems: Vec<_> = error
        .iter()
        .map(|error| one(file, text, events, error))
        .collect();
    problems.sort_by_key(PipelineError::place);
    problems.dedup_by_key(|problem| problem.to_string());
    problems
}

/// What the engine found wrong with what a function makes.
pub(super) fn of_function(place: &str, events: &Schema, error: &DataFusionError) -> PipelineError {
    let (message, hint, _) = in_words(events, error);
    PipelineError::Declared {
        place: place.to_owned(),
        message,
        hint: Some(hint),
    }
}

fn one(file: &str, text: &str, events: &Schema, error: &DataFusionError) -> PipelineError {
    let (message, hint, name) = lost_event(error).unwrap_or_else(|| in_words(events, error));
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let (line, column) = match (span, name) {
        (Some(span), _) if span.start.line > 0 => {
            let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
            (number(span.start.line), number(span.start.column))
        }
        (_, Some(name)) => place_of(text, &name),
        _ => quoted(&message)
            .map(|name| place_of(text, name))
            .find(|place| *place != (1, 1))
            .unwrap_or((1, 1)),
    };
    PipelineError::Wrong {
        file: file.to_owned(),
        line,
        column,
        message,
        hint: Some(hint),
    }
}

/// A query that asks for the event, as the program does of the outermost, and does not find it.
fn lost_event(error: &DataFusionError) -> Option<(String, String, Option<String>)> {
    let DataFusionError::SchemaError(inner, _) = error.find_root() else {
        return None;
    };
    let SchemaError::FieldNotFound { field, .. } = inner.as_ref() else {
        return None;
    };
    (field.name == EVENT).then(|| {
        let (message, hint) = lost_in_sql();
        (message.to_owned(), hint.to_owned(), None)
    })
}

fn lost_in_sql() -> (&'static str, &'static str) {
    (
        "an inner query loses the event",
        "an inner query has to pass on `_event`: select it, or `*`",
    )
}

/// Message, hint, and the name to look for, when it is known; `events` has the columns there are.
pub(super) fn in_words(
    events: &Schema,
    error: &DataFusionError,
) -> (String, String, Option<String>) {
    let words = sentence(error);
    match error.find_root() {
        DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
            SchemaError::FieldNotFound {
                field,
                valid_fields,
            } => no_column(field, valid_fields, events),
            _ => (words, advice(error, events), None),
        },
        _ => no_field(&words, events).unwrap_or_else(|| (words, advice(error, events), None)),
    }
}

/// Message, hint, and the name to look for.
fn no_column(
    field: &Column,
    valid: &[Column],
    events: &Schema,
) -> (String, String, Option<String>) {
    let name = field.name.as_str();
    let message = format!("there is no column `{}`", field.flat_name());
    let mut known: Vec<&str> = valid.iter().map(|column| column.name.as_str()).collect();
    if known.is_empty() {
        known = events.fields().iter().map(|f| f.name().as_str()).collect();
    }
    known.retain(|known| *known != EVENT);
    known.dedup();
    let there_are = format!("the columns are {}", known.join(", "));
    let hint = if let Some(other_case) = known.iter().find(|known| known.eq_ignore_ascii_case(name))
    {
        format!("names with capitals need double quotes: `\"{other_case}\"`")
    } else if let Some(near) = nearest_of(name, known.iter().copied()) {
        format!("did you mean `{near}`? {there_are}")
    } else {
        there_are
    };
    (message, hint, Some(field.name.clone()))
}

/// The same for `item['name']`; nothing when the engine's words are about something else.
fn no_field(words: &str, events: &Schema) -> Option<(String, String, Option<String>)> {
    let name = words
        .strip_prefix("field ")?
        .strip_suffix(" not found in struct")?;
    let mut known = Vec::new();
    for field in events.fields() {
        nested(field.data_type(), &mut known);
    }
    let hint = match nearest_of(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the structs of the event have {}", known.join(", ")),
    };
    let message = format!("there is no field `{name}` in the struct");
    Some((message, hint, Some(name.to_owned())))
}

/// The names of all fields of structs within.
fn nested<'a>(data_type: &'a DataType, names: &mut Vec<&'a str>) {
    match data_type {
        DataType::List(element) => nested(element.data_type(), names),
        DataType::Struct(fields) => {
            for field in fields {
                names.push(field.name());
                nested(field.data_type(), names);
            }
        }
        _ => {}
    }
}

/// What the engine advises, or else what there is to select.
fn advice(error: &DataFusionError, events: &Schema) -> String {
    let diagnostic = error.diagnostic();
    let helps = diagnostic.into_iter().flat_map(|d| &d.helps);
    let notes = diagnostic.into_iter().flat_map(|d| &d.notes);
    let all = helps.map(|help| &help.message);
    let all: Vec<String> = all
        .chain(notes.map(|note| &note.message))
        .map(|text| with_backticks(text))
        .collect();
    if all.is_empty() {
        columns_of(events)
    } else {
        all.join("; ")
    }
}

fn columns_of(events: &Schema) -> String {
    let names = events.fields().iter().map(|field| field.name().as_str());
    let names: Vec<_> = names.filter(|name| *name != EVENT).collect();
    format!("`{EVENTS}` has the columns {}", names.join(", "))
}

/// The engine's words, without the names of its parts.
fn sentence(error: &DataFusionError) -> String {
    let text = match error.diagnostic() {
        Some(diagnostic) => diagnostic.message.clone(),
        None => error.find_root().strip_backtrace(),
    };
    let text = text.lines().next().unwrap_or_default();
    let known = [
        "Error during planning: ",
        "Schema error: ",
        "SQL error: ",
        "Execution error: ",
        "This feature is not implemented: ",
        "Arrow error: ",
        "External error: ",
    ];
    let text = known
        .iter()
        .find_map(|known| text.strip_prefix(known))
        .unwrap_or(text);
    let parsers = text.strip_prefix("ParserError(\"");
    let text = parsers.map_or(text, |words| words.trim_end_matches("\")"));
    with_backticks(text.trim_end_matches('.'))
}

/// Ours begin with a small letter.
fn begun_small(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            format!("{}{}", first.to_lowercase(), &text[first.len_utf8()..])
        }
        _ => text.to_owned(),
    }
}

/// The engine puts names into single quotes.
fn with_backticks(text: &str) -> String {
    let mut quoted = false;
    let mut out = String::with_capacity(text.len());
    let text = &begun_small(text);
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let opens = !quoted && !before.is_alphanumeric();
        let closes = quoted && !rest.peek().is_some_and(|next| next.is_alphanumeric());
        if c == '\'' && (opens || closes) {
            quoted = !quoted;
            out.push('`');
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

/// What a message has between quotes of any kind.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message
        .split(['\'', '"', '`'])
        .skip(1)
        .step_by(2)
        .map(|name| name.rsplit('.').next().unwrap_or(name))
}

/// Where a name stands in the text as a word of its own; the beginning when it does not.
fn place_of(text: &str, name: &str) -> (usize, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let lower = text.to_ascii_lowercase();
    let found = lower
        .match_indices(&name.to_ascii_lowercase())
        .find(|(at, word)| {
            !name.is_empty()
                && !lower[..*at].ends_with(is_word)
                && !lower[at + word.len()..].starts_with(is_word)
        });
    line_and_column(text, found.map_or(0, |(at, _)| at))
}

/// What is wrong with the columns a model gives.
pub(super) fn columns(model: &Model, text: &str) -> Vec<PipelineError> {
    let mut problems = Vec::new();
    let mut wrong = |name: &str, message: String, hint: &str| {
        let (line, column) = match place_of(text, name) {
            (1, 1) => return problems.push(model.wrong(message, hint.to_owned())),
            place => place,
        };
        problems.push(PipelineError::Wrong {
            file: model.file().to_owned(),
            line,
            column,
            message,
            hint: Some(hint.to_owned()),
        });
    };
    let schema = model.plan().schema();
    let is_event = Column::new_unqualified(EVENT);
    if !schema.fields().iter().any(|field| field.name() == EVENT) {
        let (message, hint) = if model.sql().is_some() {
            lost_in_sql()
        } else {
            (
                "the model loses the event",
                "every row needs the column `_event`: select it, or group by it",
            )
        };
        wrong("", message.to_owned(), hint);
    } else if !agree::is_own(model.plan(), &is_event, EVENT) {
        wrong(
            EVENT,
            "`_event` is another column here: rows would be taken for those of other events"
                .to_owned(),
            "pass `_event` on as it is, and give the other column another name",
        );
    }
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for field in schema.fields() {
        let name = field.name().as_str();
        if name.is_empty() || name.contains(NOT_IN_COLUMNS) {
            wrong(
                name,
                format!("`{name}` cannot be the name of a column"),
                if model.sql().is_some() {
                    "give it a name: `… AS name`"
                } else {
                    "give it a name: `….alias(\"name\")`"
                },
            );
        } else if let Some(other) = names.insert(name.to_lowercase(), name) {
            wrong(
                name,
                format!("the columns `{other}` and `{name}` have one name"),
                "tables do not tell upper from lower case in column names",
            );
        }
        if !can_be_stored(field.data_type()) {
            wrong(
                name,
                format!(
                    "column `{name}` is {}, which no table can hold",
                    type_name(field.data_type())
                ),
                "cast it, for instance `CAST(… AS STRING)`",
            );
        }
    }
    problems
}

/// Whether Delta Lake has such a type (Delta protocol, *Primitive Types* and the nested ones), or one
/// that it is stored as.
fn can_be_stored(data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Date32
        | DataType::Timestamp(..)
        | DataType::Decimal128(..) => true,
        DataType::List(element) | DataType::LargeList(element) => {
            can_be_stored(element.data_type())
        }
        DataType::Struct(fields) => fields.iter().all(|field| can_be_stored(field.data_type())),
        _ => false,
    }
}
