//! From a `[[table]]` to what is known of the table: its kind, its key, its model.

use esteira_events::EventSchema;
use esteira_lake::upsert::{VALID_FROM, VALID_TO, deletions_schema};

use super::file::{KindName, PipelineFile, TableSection};
use super::load::{Checks, Reader};
use super::{Condition, Model, PipelineError, TableKind, TableRules};

/// Checks one table of the file.
pub(super) async fn rules(
    reader: &mut Reader<'_>,
    checks: &Checks<'_>,
    config: &PipelineFile,
    section: &TableSection,
    schema: &EventSchema,
) -> Result<TableRules, PipelineError> {
    let name = &section.name;
    let (key, kind) = key_and_kind(checks, config, section)?;
    let delete_when = delete_when(checks, config, section, schema).await?;
    let default = format!("models/{name}.sql");
    let (model_name, sql) = reader.read(section.model.as_deref().unwrap_or(&default))?;
    let mut model = Model::check(&model_name, &sql, schema).await?;
    let wrong = |message: String, hint: String| PipelineError::Wrong {
        file: model_name.clone(),
        line: 1,
        column: 1,
        message,
        hint: Some(hint),
    };
    let mut needed: Vec<&str> = key.iter().map(String::as_str).collect();
    if kind == TableKind::Latest {
        needed.push(&config.event.version);
    }
    let gives = |column: &str| model.table_schema().field_with_name(column).is_ok();
    if let Some(column) = needed.into_iter().find(|column| !gives(column)) {
        return Err(wrong(
            format!("the model of table `{name}` does not give column `{column}`"),
            format!("select `{column}`: it is part of the key or the version"),
        ));
    }
    if kind == TableKind::History {
        if let Some(column) = [VALID_FROM, VALID_TO]
            .into_iter()
            .find(|column| gives(column))
        {
            return Err(wrong(
                format!(
                    "the model of table `{name}` gives column `{column}`, which a history adds by itself"
                ),
                "give it another name".to_owned(),
            ));
        }
        model = model.with_validity();
    }
    if delete_when.is_some() {
        let remembered = deletions_schema(&key, model.table_schema());
        let names = || remembered.fields().iter().map(|field| field.name());
        if let Some(column) = key.iter().find(|c| names().filter(|n| n == c).count() > 1) {
            return Err(checks.wrong(
                column,
                format!(
                    "table `{name}`: with `delete_when` no column of the key can be called `{column}`"
                ),
            ));
        }
    }
    Ok(TableRules {
        name: name.clone(),
        model,
        key,
        kind,
        delete_when,
        copy_on_write: section.copy_on_write,
    })
}

fn key_and_kind(
    checks: &Checks<'_>,
    config: &PipelineFile,
    section: &TableSection,
) -> Result<(Vec<String>, TableKind), PipelineError> {
    let name = &section.name;
    let kind = section.kind.unwrap_or(KindName::Latest);
    match (&section.key, &section.head) {
        (None, None) if kind == KindName::Append => Ok((Vec::new(), TableKind::Append)),
        _ if kind == KindName::Append => Err(checks.wrong(
            name,
            format!("table `{name}` has every event once: it has neither a `key` nor a `head`"),
        )),
        (Some(key), None) if !key.is_empty() => {
            let kind = match kind {
                KindName::History => TableKind::History,
                _ => TableKind::Latest,
            };
            Ok((key.clone(), kind))
        }
        (None, Some(head)) if section.kind.is_none() => {
            let mut tables = config.tables.iter();
            let found = tables.find(|table| table.name == *head);
            let key = found.and_then(|table| table.key.clone()).ok_or_else(|| {
                checks.wrong(
                    head,
                    format!("table `{name}`: its head `{head}` is no table with a `key`"),
                )
            })?;
            if found.is_some_and(|head| head.kind == Some(KindName::History)) {
                return Err(checks.wrong(
                    head,
                    format!("table `{name}`: its head `{head}` is a history, which cannot be one"),
                ));
            }
            Ok((key, TableKind::Child { head: head.clone() }))
        }
        (None, Some(_)) => Err(checks.wrong(
            name,
            format!("table `{name}` has a `head`, which says what it is: it has no `kind`"),
        )),
        _ => Err(checks.wrong(
            name,
            format!("table `{name}` needs either a `key` or a `head`"),
        )),
    }
}

async fn delete_when(
    checks: &Checks<'_>,
    config: &PipelineFile,
    section: &TableSection,
    schema: &EventSchema,
) -> Result<Option<Condition>, PipelineError> {
    let Some(text) = &section.delete_when else {
        return Ok(None);
    };
    let name = &section.name;
    if section.kind == Some(KindName::Append) {
        let message =
            format!("table `{name}` has every event once: nothing can be deleted from it");
        return Err(checks.wrong(name, message));
    }
    if section.head.is_some() {
        let message = format!("table `{name}` has a `head`: `delete_when` belongs there");
        return Err(checks.wrong(name, message));
    }
    let remembers = TableRules::deletions_name(name);
    if config.tables.iter().any(|table| table.name == remembers) {
        let message = format!(
            "no table can be called `{remembers}`: it is where `{name}` keeps what was deleted"
        );
        return Err(checks.wrong(&remembers, message));
    }
    let condition = Condition::check(text, schema)
        .await
        .map_err(|(message, hint)| {
            checks
                .wrong(text, format!("table `{name}`: `delete_when`: {message}"))
                .with_hint(hint)
        })?;
    Ok(Some(condition))
}
