//! From a `[[table]]`, or what Rust says of one, to what is known of the table: its kind, its key, its model, what deletes from it.

use esteira_events::EventSchema;
use esteira_lake::upsert::{VALID_FROM, VALID_TO, deletions_schema};

use super::file::{KindName, PipelineFile, TableSection};
use super::model::{EVENT, LINEAGE, events_relation};
use super::places::Places;
use super::reader::Reader;
use super::{Condition, Functions, Model, PipelineError, TableKind, TableRules, agree, rule};

/// Where the model of a table is in the folder.
pub(super) fn model_path(section: &TableSection) -> String {
    section
        .model
        .clone()
        .unwrap_or_else(|| format!("models/{}.sql", section.name))
}

/// What a table is checked against.
pub(super) struct Given<'a> {
    pub(super) places: &'a Places<'a>,
    /// Which of the tables it is.
    pub(super) index: usize,
    pub(super) config: &'a PipelineFile,
    /// When it could be read.
    pub(super) schema: Option<&'a EventSchema>,
    /// When it can be one.
    pub(super) version: Option<&'a str>,
    pub(super) functions: &'a Functions,
}

impl Given<'_> {
    /// Where the table is in the places.
    pub(super) fn place(&self) -> String {
        format!("table.{}", self.index)
    }

    /// A mistake in what the table says under `key`.
    fn wrong(&self, key: &str, message: String, hint: Option<String>) -> PipelineError {
        let path = format!("{}.{key}", self.place());
        self.places.wrong(&path, message, hint)
    }
}

/// A table, as far as it can be checked: nothing when what it depends on is wrong.
pub(super) async fn rules(
    reader: &mut Reader<'_>,
    given: &Given<'_>,
) -> Result<Option<TableRules>, Vec<PipelineError>> {
    let section = &given.config.tables[given.index];
    let name = &section.name;
    let mut errors = Vec::new();
    let rows = key_and_kind(given, section)
        .map_err(|error| errors.push(error))
        .ok();
    let delete_when = delete_when(given, section);
    let delete_when = delete_when.unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    if name.is_empty() && section.model.is_none() {
        return Err(errors);
    }
    let source = match reader.model(given.config, given.index) {
        Ok(source) => source,
        Err(error) => {
            errors.push(error);
            return Err(errors);
        }
    };
    let Some(schema) = given.schema else {
        return if errors.is_empty() {
            Ok(None)
        } else {
            Err(errors)
        };
    };
    let model = match Model::check(source, schema, given.functions).await {
        Ok(model) => model,
        Err(problems) => {
            errors.extend(problems);
            return Err(errors);
        }
    };
    let Some((key, kind)) = rows else {
        return Err(errors);
    };
    errors.extend(columns(given, name, &key, &kind, &model));
    if delete_when.is_some() {
        let remembered = deletions_schema(&key, model.table_schema());
        let names = || remembered.fields().iter().map(|field| field.name());
        if let Some(column) = key.iter().find(|c| names().filter(|n| n == c).count() > 1) {
            let message = format!(
                "table `{name}`: with `delete_when` no column of the key can be called `{column}`"
            );
            let hint = "give it another name in the model";
            errors.push(given.wrong("key", message, Some(hint.to_owned())));
        }
    }
    let rules = rule::all(given, &section.rules, &model, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Some(TableRules {
        name: name.clone(),
        rules,
        model: match kind {
            TableKind::History => model.with_validity(),
            _ => model,
        },
        key,
        kind,
        delete_when,
        copy_on_write: section.copy_on_write,
    }))
}

/// What is wrong with the columns that the model gives.
fn columns(
    given: &Given<'_>,
    name: &str,
    key: &[String],
    kind: &TableKind,
    model: &Model,
) -> Vec<PipelineError> {
    let mut errors = Vec::new();
    let has = |column: &str| model.table_schema().field_with_name(column).is_ok();
    let (of_key, of_program): (Vec<&str>, Vec<&str>) = key
        .iter()
        .map(String::as_str)
        .partition(|column| !LINEAGE.contains(column) && *column != EVENT);
    errors.extend(of_program.into_iter().map(|column| {
        let message =
            format!("table `{name}`: its key cannot have `{column}`, which the program adds");
        let hint = format!("give it another name in the model: `{column} AS …`");
        given.wrong("key", message, Some(hint))
    }));
    let mut needed = of_key;
    if *kind == TableKind::Latest {
        needed.extend(given.version);
    }
    for column in needed.into_iter().filter(|column| !has(column)) {
        errors.push(model.wrong(
            format!("the model of table `{name}` does not give column `{column}`"),
            format!("select `{column}`: it is part of the key or the version"),
        ));
    }
    if let (TableKind::Latest, Some(version)) = (kind, given.version) {
        errors.extend(agree::changed_version(model, name, version));
    }
    if *kind == TableKind::History {
        let added = [VALID_FROM, VALID_TO].into_iter().filter(|c| has(c));
        errors.extend(added.map(|column| {
            model.wrong(
                format!("the model of table `{name}` gives column `{column}`, which a history adds by itself"),
                "give it another name".to_owned(),
            )
        }));
    }
    errors
}

fn key_and_kind(
    given: &Given<'_>,
    section: &TableSection,
) -> Result<(Vec<String>, TableKind), PipelineError> {
    let name = &section.name;
    let wrong = |at: &str, message: String, hint: &str| {
        Err(given.wrong(at, message, Some(hint.to_owned())))
    };
    let kind = section.kind.unwrap_or(KindName::Latest);
    match (&section.key, &section.head) {
        (None, None) if kind == KindName::Append => Ok((Vec::new(), TableKind::Append)),
        (key, _) if kind == KindName::Append => wrong(
            if key.is_some() { "key" } else { "head" },
            format!("table `{name}` has every event once: it has neither a `key` nor a `head`"),
            "leave it out, or choose another kind",
        ),
        (Some(key), None) if !key.is_empty() => {
            let mut columns = key.iter().enumerate();
            if let Some((at, twice)) = columns.find(|(at, column)| key[..*at].contains(column)) {
                let message = format!("table `{name}`: its key names `{twice}` twice");
                return Err(given.wrong(&format!("key.{at}"), message, None));
            }
            let kind = match kind {
                KindName::History => TableKind::History,
                _ => TableKind::Latest,
            };
            Ok((key.clone(), kind))
        }
        (None, Some(head)) => head_of(given, section, head),
        (Some(_), Some(_)) => wrong(
            "head",
            format!("table `{name}` needs either a `key` or a `head`"),
            "the key of a table with a `head` is its head's",
        ),
        (Some(_), None) => wrong(
            "key",
            format!("table `{name}` needs either a `key` or a `head`"),
            "name the columns that tell its rows apart",
        ),
        (None, None) => wrong(
            "name",
            format!("table `{name}` needs either a `key` or a `head`"),
            "`key`: one row a key; `head`: all rows of its head's event",
        ),
    }
}

/// A table with a head: the head has to be there, and to have one row a key.
fn head_of(
    given: &Given<'_>,
    section: &TableSection,
    head: &str,
) -> Result<(Vec<String>, TableKind), PipelineError> {
    let name = &section.name;
    let config = given.config;
    let found = config.tables.iter().find(|table| table.name == head);
    let Some(key) = found.and_then(|table| table.key.clone()) else {
        let message = format!("table `{name}`: its head `{head}` is no table with a `key`");
        return Err(given.wrong("head", message, heads(config)));
    };
    if found.is_some_and(|head| head.kind == Some(KindName::History)) {
        let message =
            format!("table `{name}`: its head `{head}` is a history, which cannot be one");
        return Err(given.wrong("head", message, heads(config)));
    }
    if section.kind.is_some() {
        let message =
            format!("table `{name}` has a `head`, which says what it is: it has no `kind`");
        let hint = "leave `kind` out";
        return Err(given.wrong("kind", message, Some(hint.to_owned())));
    }
    let head = head.to_owned();
    Ok((key, TableKind::Child { head }))
}

/// The tables that can be a head.
fn heads(config: &PipelineFile) -> Option<String> {
    let is_latest = |kind: Option<KindName>| matches!(kind, None | Some(KindName::Latest));
    let heads = config
        .tables
        .iter()
        .filter(|table| table.key.is_some() && is_latest(table.kind));
    let heads: Vec<_> = heads.map(|table| format!("`{}`", table.name)).collect();
    (!heads.is_empty()).then(|| format!("tables with a `key` are {}", heads.join(", ")))
}

fn delete_when(
    given: &Given<'_>,
    section: &TableSection,
) -> Result<Option<Condition>, PipelineError> {
    let Some(text) = &section.delete_when else {
        return Ok(None);
    };
    let name = &section.name;
    let wrong =
        |message: String, hint: String| Err(given.wrong("delete_when", message, Some(hint)));
    if section.kind == Some(KindName::Append) {
        return wrong(
            format!("table `{name}` has every event once: nothing can be deleted from it"),
            "leave it out, or choose another kind".to_owned(),
        );
    }
    if let Some(head) = &section.head {
        return wrong(
            format!("table `{name}` has a `head`: `delete_when` belongs there"),
            format!("say it in `{head}`: the rows of `{name}` go with its row"),
        );
    }
    let Some(schema) = given.schema else {
        return Ok(None);
    };
    let columns = events_relation(schema);
    match Condition::check(text, &columns, given.functions, "`events` has the columns") {
        Ok(condition) => Ok(Some(condition)),
        Err((message, hint)) => wrong(format!("table `{name}`: `delete_when`: {message}"), hint),
    }
}
