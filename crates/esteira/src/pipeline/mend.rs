//! Reading `pipeline.toml` so that one mistake does not hide the next.
//!
//! Comes in: the text. Goes out: the sections, and every mistake with its place. The reader stops at
//! the first mistake it meets; what is wrong there is told, taken out of the document (or put right,
//! where a misspelt key leaves no doubt), and the rest is read again. A required key that is not there
//! becomes an empty text, which has been told by then: whoever checks further leaves it alone.

use std::ops::Range;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::PipelineError;
use super::file::{PipelineFile, line_and_column, nearest, similarity};

/// Above this similarity an unknown key is taken for the known one.
const SURELY: f64 = 0.8;

/// The file as far as it can be read, and what is wrong with it.
pub(super) struct Mended<'t> {
    /// Nothing when it is no TOML.
    pub(super) file: Option<PipelineFile>,
    pub(super) problems: Vec<PipelineError>,
    pub(super) places: InFile<'t>,
}

/// Where the values of the file are.
pub(super) struct InFile<'t> {
    name: &'t str,
    text: &'t str,
    document: DeTable<'t>,
}

/// Reads the text of the file called `name`.
pub(super) fn read<'t>(name: &'t str, text: &'t str) -> Mended<'t> {
    let (document, syntax) = DeTable::parse_recoverable(text);
    let mut document = document.into_inner();
    let mut mended = Mended {
        file: None,
        problems: Vec::new(),
        places: InFile {
            name,
            text,
            document: document.clone(),
        },
    };
    for error in &syntax {
        mended.tell(error.message(), error.span());
        // What follows on the same line follows from it.
        mended
            .problems
            .dedup_by_key(|problem| problem.place().map(|place| place.0));
    }
    if !syntax.is_empty() {
        return mended;
    }
    let mut told = Vec::new();
    // Every round takes one mistake away, and there are no more of them than characters.
    for _ in 0..=text.len() {
        let whole = Spanned::new(0..text.len(), document.clone());
        let error = match PipelineFile::deserialize(Deserializer::from(whole)) {
            Ok(file) => {
                mended.file = Some(file);
                break;
            }
            Err(error) => error,
        };
        let missing = error
            .message()
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        if !missing.is_some_and(|missing| told.iter().any(|told| told == missing)) {
            mended.tell(error.message(), error.span());
        }
        let done = match missing {
            Some(missing) => {
                told.extend(of_section(missing).iter().map(|key| (*key).to_owned()));
                supply(&mut document, error.span(), missing)
            }
            None => put_right(&mut document, error.span(), error.message(), &mut told),
        };
        if done.is_none() {
            break;
        }
    }
    mended
}

impl Mended<'_> {
    fn tell(&mut self, message: &str, span: Option<Range<usize>>) {
        let message = message.trim_end().replace('\n', " ");
        let (line, column) = line_and_column(self.places.text, span.map_or(0, |span| span.start));
        self.problems.push(PipelineError::Wrong {
            file: self.places.name.to_owned(),
            line,
            column,
            hint: nearest(&message),
            message,
        });
    }
}

impl InFile<'_> {
    /// A mistake in the value at `path`, such as `source.path` or `table.0.name`; of a value that is
    /// not given, in what would hold it.
    pub(super) fn wrong(
        &self,
        path: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> PipelineError {
        let (line, column) = line_and_column(self.text, self.found(path).0);
        PipelineError::Wrong {
            file: self.name.to_owned(),
            line,
            column,
            message: message.into(),
            hint,
        }
    }

    /// Whether there is a value at `path`.
    pub(super) fn is_given(&self, path: &str) -> bool {
        self.found(path).1
    }

    /// Where the value at `path` is, or what would hold it; and whether it is there.
    fn found(&self, path: &str) -> (usize, bool) {
        let mut offset = 0;
        let mut table = Some(&self.document);
        let mut list: Option<&DeArray<'_>> = None;
        for step in path.split('.') {
            let value = match (table, list) {
                (Some(table), _) => table.get(step),
                (None, Some(list)) => step.parse().ok().and_then(|at: usize| list.get(at)),
                (None, None) => None,
            };
            let Some(value) = value else {
                return (offset, false);
            };
            offset = value.span().start;
            table = value.get_ref().as_table();
            list = value.get_ref().as_array();
        }
        (offset, true)
    }
}

/// What a section that is not there lacks as well.
fn of_section(key: &str) -> &'static [&'static str] {
    match key {
        "event" => &["schema", "version"],
        _ => &[],
    }
}

/// Gives the table at `span` what it lacks.
fn supply(document: &mut DeTable<'_>, span: Option<Range<usize>>, key: &str) -> Option<()> {
    let table = match span {
        Some(span) => table_at(document, &span),
        None => None,
    };
    let value = match key {
        "source" | "event" => DeValue::Table(DeTable::new()),
        "table" => DeValue::Array(DeArray::new()),
        _ => DeValue::String("".into()),
    };
    let target = match table {
        Some(path) => enter(document, &path)?,
        None => document,
    };
    if target.contains_key(key) {
        return None;
    }
    target.insert(
        Spanned::new(0..0, key.to_owned().into()),
        Spanned::new(0..0, value),
    );
    Some(())
}

/// Takes away what is at `span`; a key that is surely another one gets its name, and a value whose
/// meaning is plain the type that is wanted.
fn put_right(
    document: &mut DeTable<'_>,
    span: Option<Range<usize>>,
    message: &str,
    told: &mut Vec<String>,
) -> Option<()> {
    let mut path = entry_at(document, &span?)?;
    let Some(Step::Key(key)) = path.pop() else {
        return None;
    };
    let table = enter(document, &path)?;
    let value = table.remove(key.as_str())?;
    let meant = message
        .starts_with("unknown field")
        .then(|| message.split('`').skip(3).step_by(2))
        .into_iter()
        .flatten()
        .max_by(|a, b| similarity(&key, a).total_cmp(&similarity(&key, b)))
        .filter(|meant| similarity(&key, meant) >= SURELY && !table.contains_key(*meant));
    let place = value.span();
    if let Some(meant) = meant {
        table.insert(Spanned::new(place, meant.to_owned().into()), value);
    } else if let Some(converted) = as_wanted(&value, message) {
        table.insert(
            Spanned::new(place.clone(), key.into()),
            Spanned::new(place, converted),
        );
    } else {
        told.push(key);
    }
    Some(())
}

/// A single value where a list of them is wanted, and a number where a text is.
fn as_wanted<'t>(value: &Spanned<DeValue<'t>>, message: &str) -> Option<DeValue<'t>> {
    match value.get_ref() {
        DeValue::String(_) if message.contains("expected a sequence") => {
            let mut list = DeArray::new();
            list.push(value.clone());
            Some(DeValue::Array(list))
        }
        DeValue::Integer(number) if message.contains("expected a string") => {
            Some(DeValue::String(number.to_string().into()))
        }
        _ => None,
    }
}

/// A step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The way to the innermost entry whose key or value is at `span`, ending with its key.
fn entry_at(table: &DeTable<'_>, span: &Range<usize>) -> Option<Vec<Step>> {
    for (key, value) in table {
        let step = Step::Key(key.get_ref().to_string());
        if let Some(mut rest) = entry_in(value, span) {
            rest.insert(0, step);
            return Some(rest);
        }
        if key.span() == *span || covers(&value.span(), span) && !value.get_ref().is_table() {
            return Some(vec![step]);
        }
    }
    None
}

fn entry_in(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Vec<Step>> {
    match value.get_ref() {
        DeValue::Table(table) => entry_at(table, span),
        DeValue::Array(list) => list.iter().enumerate().find_map(|(index, element)| {
            let mut rest = entry_in(element, span)?;
            rest.insert(0, Step::Index(index));
            Some(rest)
        }),
        _ => None,
    }
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The way to the table at `span`.
fn table_at(table: &DeTable<'_>, span: &Range<usize>) -> Option<Vec<Step>> {
    table.iter().find_map(|(key, value)| {
        let mut rest = table_in(value, span)?;
        rest.insert(0, Step::Key(key.get_ref().to_string()));
        Some(rest)
    })
}

fn table_in(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Vec<Step>> {
    match value.get_ref() {
        DeValue::Table(table) => {
            table_at(table, span).or_else(|| (value.span() == *span).then(Vec::new))
        }
        DeValue::Array(list) => list.iter().enumerate().find_map(|(index, element)| {
            let mut rest = table_in(element, span)?;
            rest.insert(0, Step::Index(index));
            Some(rest)
        }),
        _ => None,
    }
}

fn enter<'a, 't>(document: &'a mut DeTable<'t>, path: &[Step]) -> Option<&'a mut DeTable<'t>> {
    let mut table = document;
    let mut steps = path.iter();
    while let Some(step) = steps.next() {
        let Step::Key(key) = step else {
            return None;
        };
        let mut value = table.get_mut(key.as_str())?.get_mut();
        while let DeValue::Array(list) = value {
            let Some(Step::Index(index)) = steps.next() else {
                return None;
            };
            value = list.get_mut(*index)?.get_mut();
        }
        let DeValue::Table(inner) = value else {
            return None;
        };
        table = inner;
    }
    Some(table)
}
