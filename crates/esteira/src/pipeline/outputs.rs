//! Names, and the places in the bucket that a pipeline reads and writes.
//!
//! Comes in: the sections of `pipeline.toml`. Goes out: mistakes. What is written must lie apart: a
//! vacuum deletes what a table's folder should not hold, and what is output is never input.

use super::file::{AfterName, PipelineFile, TableSection};
use super::places::Places;
use super::{PipelineError, TableRules};
use crate::path_pattern::PathPattern;

/// The folder of all ledgers.
pub(crate) const LEDGER: &str = "_esteira";
/// The folder of the tables that remember what was deleted, in that of the tables. Engines and
/// catalogues pass over names that begin with `_`.
pub(crate) const DELETIONS: &str = "_deleted";
/// Names under which a question finds what is no table of the pipeline.
const TAKEN_NAMES: [&str; 3] = ["quarantine", "batches", "raw_objects"];
const LONGEST_NAME: usize = 128;

/// Where a pipeline writes.
#[derive(Debug, Clone)]
pub(super) struct Outputs {
    pub(super) tables: String,
    pub(super) raw: String,
    pub(super) quarantine: String,
    /// Of objects that were taken, if they are moved.
    pub(super) archive: Option<String>,
}

/// The way out where a path names what is written.
pub(super) const NEVER_INPUT: &str =
    "what a pipeline writes is never its input: name another folder";

impl Outputs {
    /// In words, when nothing of a path is taken because all of it is written.
    pub(super) fn hold(&self, input: &PathPattern) -> Option<String> {
        let archive = self.archive.as_deref().map(|path| (path, "taken objects"));
        let written = [
            (LEDGER, "the ledger"),
            (&self.tables, "the tables"),
            (&self.raw, "the originals"),
            (&self.quarantine, "the quarantine"),
        ];
        let written = written.into_iter().chain(archive);
        let within = |path: &str| input.base().starts_with(&format!("{path}/"));
        let mut written = written;
        let (path, what) = written.find(|(path, _)| within(path))?;
        Some(format!(
            "the input is in `{path}`, where {what} are written: nothing of it is taken"
        ))
    }
}

pub(super) fn of(config: &PipelineFile) -> Outputs {
    let or = |given: &Option<String>, default: String| {
        given
            .as_deref()
            .map_or(default, |path| path.trim_matches('/').to_owned())
    };
    let (name, output) = (&config.name, &config.output);
    Outputs {
        tables: or(&output.tables, "analytics".to_owned()),
        raw: or(&output.raw, format!("raw/{name}")),
        quarantine: or(&output.quarantine, format!("quarantine/{name}")),
        archive: (config.source.after == AfterName::Archive)
            .then(|| or(&config.source.archive, format!("archive/{name}"))),
    }
}

/// What is wrong with the names and places.
pub(super) fn check(
    config: &PipelineFile,
    input: &[(String, PathPattern)],
    places: &Places<'_>,
    errors: &mut Vec<PipelineError>,
) {
    if let Some(reason) = unusable_name(&config.name, &['-', '.', '_'], places.is_given("name")) {
        errors.push(places.wrong("name", reason, Some(NAME_RULE.to_owned())));
    }
    if config.tables.is_empty() && places.is_given("table") {
        errors.push(places.wrong(
            "table",
            "there is no table",
            Some("add a `[[table]]`".to_owned()),
        ));
    }
    for (key, value) in [
        ("event.schema", &config.event.schema),
        ("event.version", &config.event.version),
    ] {
        if value.is_empty() && places.is_given(key) {
            errors.push(places.wrong(key, format!("`{key}` is empty"), None));
        }
    }
    tables(config, places, errors);
    let before = errors.len();
    for (key, path) in [
        ("output.tables", &config.output.tables),
        ("output.raw", &config.output.raw),
        ("output.quarantine", &config.output.quarantine),
    ] {
        if let Some(reason) = path.as_deref().and_then(unusable_path) {
            let name = path.as_deref().unwrap_or_default();
            errors.push(places.wrong(
                key,
                format!("`{name}` cannot be a folder of the bucket: {reason}"),
                Some("a folder such as `analytics/shop`".to_owned()),
            ));
        }
    }
    if errors.len() == before && !config.name.is_empty() {
        apart(config, input, places, errors);
    }
}

/// What a pipeline's name is made of.
pub(crate) const NAME_RULE: &str =
    "letters, digits, `_`, `-` and `.`, beginning with a letter or digit";

pub(super) fn unusable_name(name: &str, others: &[char], given: bool) -> Option<String> {
    if name.is_empty() {
        return given.then(|| "the name is empty".to_owned());
    }
    let fits = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || others.contains(&c))
        && name.len() <= LONGEST_NAME;
    (!fits).then(|| format!("`{name}` cannot be a name"))
}

/// Whether a pipeline can be called so.
pub(crate) fn is_pipeline_name(name: &str) -> bool {
    unusable_name(name, &['-', '.', '_'], true).is_none()
}

/// A table's name made of another name, and none of `others`.
pub(crate) fn table_name(name: &str, others: &[&str]) -> String {
    let mut table: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    if !table.starts_with(|c: char| c.is_ascii_alphabetic()) {
        table.insert(0, 'x');
    }
    if TAKEN_NAMES.contains(&table.as_str()) {
        table.push_str("_rows");
    }
    // All of it is ASCII by now.
    table.truncate(LONGEST_NAME);
    let numbered = (2u64..).map(|number| {
        let number = format!("_{number}");
        let begin = &table[..table.len().min(LONGEST_NAME - number.len())];
        format!("{begin}{number}")
    });
    let mut names = std::iter::once(table.clone()).chain(numbered);
    names
        .find(|name| !others.contains(&name.as_str()))
        .unwrap_or_default()
}

fn tables(config: &PipelineFile, places: &Places<'_>, errors: &mut Vec<PipelineError>) {
    for (index, table) in config.tables.iter().enumerate() {
        let key = format!("table.{index}.name");
        let name = &table.name;
        let folded = name.to_ascii_lowercase();
        let begins = name.is_empty() || name.starts_with(|c: char| c.is_ascii_alphabetic());
        let reason = unusable_name(name, &['_'], places.is_given(&key))
            .or_else(|| (!begins).then(|| format!("`{name}` cannot be a name")));
        if let Some(reason) = reason {
            let rule = "letters, digits and `_`, beginning with a letter";
            errors.push(places.wrong(&key, reason, Some(rule.to_owned())));
        } else if TAKEN_NAMES.contains(&folded.as_str()) {
            errors.push(places.wrong(
                &key,
                format!("no table can be called `{name}`"),
                Some(format!(
                    "questions find something else under {}",
                    TAKEN_NAMES.join(", ")
                )),
            ));
        } else if !name.is_empty()
            && config.tables[..index]
                .iter()
                .any(|other| other.name.to_ascii_lowercase() == folded)
        {
            errors.push(places.wrong(
                &key,
                format!("there are two tables `{name}`"),
                Some("questions do not tell upper from lower case".to_owned()),
            ));
        } else if let Some(other) = remembering(config, name) {
            errors.push(places.wrong(
                &key,
                format!(
                    "no table can be called `{name}`: it is where `{}` keeps what was deleted",
                    other.name
                ),
                Some("give it another name".to_owned()),
            ));
        }
    }
}

/// The table that keeps what was deleted from it under this name.
fn remembering<'a>(config: &'a PipelineFile, name: &str) -> Option<&'a TableSection> {
    config.tables.iter().find(|table| {
        let remembers = TableRules::deletions_name(&table.name);
        table.delete_when.is_some() && remembers.eq_ignore_ascii_case(name)
    })
}

pub(super) fn unusable_path(path: &str) -> Option<&'static str> {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Some("a part of it is empty, `.` or `..`");
    }
    if path.contains(['*', '?', '[', ']', '{', '}', '\\']) || path.contains(char::is_control) {
        return Some("it has a wildcard, a backslash or a control character");
    }
    None
}

/// Everything a pipeline writes: what it is, where, and the setting that says so.
fn written(config: &PipelineFile) -> Vec<(String, String, &'static str)> {
    let outputs = of(config);
    let tables = config.tables.iter().filter(|table| !table.name.is_empty());
    let mut all: Vec<_> = tables
        .map(|table| {
            let path = format!("{}/{}", outputs.tables, table.name);
            (format!("table `{}`", table.name), path, "output.tables")
        })
        .collect();
    if config
        .tables
        .iter()
        .any(|table| table.delete_when.is_some())
    {
        let path = format!("{}/{DELETIONS}", outputs.tables);
        all.push(("what was deleted".to_owned(), path, "output.tables"));
    }
    all.push(("the originals".to_owned(), outputs.raw, "output.raw"));
    all.push((
        "the quarantine".to_owned(),
        outputs.quarantine,
        "output.quarantine",
    ));
    if let Some(archive) = outputs.archive {
        all.push(("the archive".to_owned(), archive, "source.archive"));
    }
    all.push(("the ledger".to_owned(), LEDGER.to_owned(), "output"));
    all
}

fn apart(
    config: &PipelineFile,
    input: &[(String, PathPattern)],
    places: &Places<'_>,
    errors: &mut Vec<PipelineError>,
) {
    let all = written(config);
    let mut told = Vec::new();
    for (index, (what, path, key)) in all.iter().enumerate() {
        for (other, other_path, other_key) in &all[..index] {
            // Two tables of one name have been told of.
            if (key == other_key) || !overlap(path, other_path) || told.contains(&(key, other_key))
            {
                continue;
            }
            told.push((key, other_key));
            let key = if *key == "output" { other_key } else { key };
            errors.push(places.wrong(
                key,
                format!("{what} would be in `{path}`, {other} in `{other_path}`"),
                Some("give each a folder of its own".to_owned()),
            ));
        }
    }
    let outputs = of(config);
    for (key, path) in input {
        if let Some(message) = outputs.hold(path) {
            errors.push(places.wrong(key, message, Some(NEVER_INPUT.to_owned())));
        }
    }
}

/// Whether two folders are one, or one is in the other.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(one, other) || within(other, one)
}
