//! A draft from what samples have in common: which field is the key, which one the version, and a table
//! for each list of objects.

use std::collections::BTreeSet;

use esteira_events::{DataType, Field, SuggestedField, Suggestion};

use super::{Draft, DraftError, DraftTable, Rows, sql};
use crate::pipeline::table_name;

/// Beginnings, ends and middles of names, in English and Portuguese, by how much they say.
const IDS: [&str; 10] = [
    "id", "idt", "uuid", "key", "cod", "codigo", "code", "num", "numero", "nr",
];
const UPDATES: [&str; 8] = [
    "updat", "modif", "atual", "atui", "alter", "changed", "last", "version",
];
const TIMES: [&str; 10] = [
    "time", "date", "data", "dat", "ts", "at", "hora", "when", "quando", "event",
];

/// Drafts a pipeline.
pub(super) fn draft(name: &str, table: &str, samples: &Suggestion) -> Result<Draft, DraftError> {
    let key = key(samples).ok_or(DraftError::NoKey)?;
    let version = version(samples).ok_or_else(|| DraftError::NoVersion {
        near: near_times(samples),
    })?;
    let mut tables = vec![DraftTable {
        name: table.to_owned(),
        rows: Rows::Key(key.field.name.clone()),
        model: head(samples),
    }];
    for suggested in &samples.fields {
        let Some(fields) = items(&suggested.field) else {
            continue;
        };
        let others: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let child = format!("{table}_{}", suggested.field.name);
        tables.push(DraftTable {
            name: table_name(&child, &others),
            rows: Rows::Head(table.to_owned()),
            model: child_model(&key.field.name, &suggested.field.name, fields),
        });
    }
    Ok(Draft {
        name: name.to_owned(),
        input: format!("input/{name}/**"),
        version: version.field.name.clone(),
        schema: schema_of(table, samples),
        tables,
        sample: None,
    })
}

/// The declaration of the samples' events, with what was seen of each field, and what was left out.
#[must_use]
pub fn schema_of(table: &str, samples: &Suggestion) -> String {
    let (key, version) = (key(samples), version(samples));
    let mut lines = vec![
        format!(
            "-- Drafted from {} events. Fields that were in every one of them say so: NOT NULL would send an",
            samples.events
        ),
        "-- event without them to the quarantine.".to_owned(),
        format!("CREATE TABLE {} (", sql::declared(table)),
    ];
    let last = samples.fields.len().saturating_sub(1);
    for (index, suggested) in samples.fields.iter().enumerate() {
        let field = &suggested.field;
        let name = sql::declared(&field.name);
        let is = |chosen: Option<&SuggestedField>| {
            chosen.is_some_and(|chosen| chosen.field.name == field.name)
        };
        let data_type = sql::data_type(&field.data_type, 2);
        let required = if is(key) || is(version) {
            " NOT NULL"
        } else {
            ""
        };
        let check = if is(key) && field.data_type == DataType::String {
            format!(" CHECK ({name} <> '')")
        } else {
            String::new()
        };
        let comma = if index < last { "," } else { "" };
        let facts = facts(suggested, samples.events);
        lines.push(format!(
            "  {name} {data_type}{required}{check}{comma}  -- {facts}"
        ));
    }
    lines.push(")".to_owned());
    if !samples.left_out.is_empty() {
        lines.push("-- Left out, and kept in `_rescued_data`:".to_owned());
    }
    let left_out = samples.left_out.iter();
    lines.extend(left_out.map(|left_out| {
        let line = format!("{}: {}", left_out.path, left_out.reason);
        format!("--   {}", one_line(&line))
    }));
    for (what, fields) in [("key", keys(samples)), ("version", versions(samples))] {
        if fields.len() > 1 {
            let names: Vec<&str> = fields.iter().map(|f| f.field.name.as_str()).collect();
            let names = one_line(&names.join(", "));
            lines.push(format!("-- Could be the {what}: {names}"));
        }
    }
    lines.join("\n") + "\n"
}

fn facts(suggested: &SuggestedField, events: u64) -> String {
    let mut facts = vec![if suggested.present == events {
        "in every event".to_owned()
    } else {
        format!("in {} events", suggested.present)
    }];
    if suggested.distinct > 0 {
        facts.push(format!("{} different", suggested.distinct));
    }
    if !suggested.example.is_empty() {
        facts.push(format!("like {}", suggested.example));
    }
    one_line(&facts.join(", "))
}

/// A comment ends with its line.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// What could be the key, the most likely first.
fn keys(samples: &Suggestion) -> Vec<&SuggestedField> {
    let fields = samples.fields.iter().filter(|suggested| {
        let kind = &suggested.field.data_type;
        suggested.present == samples.events
            && matches!(kind, DataType::String | DataType::BigInt)
            && !suggested.has_empty
    });
    let mut keys: Vec<_> = fields.collect();
    keys.sort_by_key(|suggested| {
        let words = words(&suggested.field.name);
        let named = match words.as_slice() {
            [only] if IDS.contains(&only.as_str()) => 3,
            [.., last] if IDS.contains(&last.as_str()) => 2,
            words if words.iter().any(|word| IDS.contains(&word.as_str())) => 1,
            _ => 0,
        };
        // A name says something only of what tells events apart.
        let tells_apart =
            suggested.distinct * 2 >= samples.events.min(SuggestedField::MOST_DISTINCT);
        std::cmp::Reverse((named > 0 && tells_apart, named, suggested.distinct))
    });
    keys
}

fn key(samples: &Suggestion) -> Option<&SuggestedField> {
    keys(samples).first().copied()
}

/// What could be the version, the most likely first.
fn versions(samples: &Suggestion) -> Vec<&SuggestedField> {
    let fields = samples.fields.iter().filter(|suggested| {
        suggested.present == samples.events && suggested.field.data_type == DataType::Timestamp
    });
    let mut versions: Vec<_> = fields.collect();
    versions.sort_by_key(|suggested| {
        let name = suggested.field.name.to_lowercase();
        std::cmp::Reverse(UPDATES.iter().any(|update| name.contains(update)))
    });
    versions
}

fn version(samples: &Suggestion) -> Option<&SuggestedField> {
    versions(samples).first().copied()
}

/// What sounds like a time and is none, or not always.
fn near_times(samples: &Suggestion) -> Vec<String> {
    let near = samples.fields.iter().filter(|suggested| {
        let words = words(&suggested.field.name);
        suggested.field.data_type == DataType::Timestamp
            || words.iter().any(|word| {
                TIMES.contains(&word.as_str()) || UPDATES.iter().any(|u| word.starts_with(u))
            })
    });
    near.map(|suggested| {
        format!(
            "`{}` ({}, {})",
            suggested.field.name,
            suggested.field.data_type,
            facts(suggested, samples.events)
        )
    })
    .collect()
}

/// `orderId`, `order_id` and `order-id` are both `order` and `id`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || c.is_uppercase() && before.is_lowercase();
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The fields of a list's objects.
fn items(field: &Field) -> Option<&[Field]> {
    match &field.data_type {
        DataType::Array(element) => match element.as_ref() {
            DataType::Struct(fields) => Some(fields),
            _ => None,
        },
        _ => None,
    }
}

fn head(samples: &Suggestion) -> String {
    let columns = samples
        .fields
        .iter()
        .filter(|suggested| items(&suggested.field).is_none())
        .map(|suggested| format!("  {},\n", sql::column(&suggested.field.name)));
    format!(
        "SELECT\n{}  _rescued_data\nFROM events\n",
        columns.collect::<String>()
    )
}

fn child_model(key: &str, list: &str, fields: &[Field]) -> String {
    let mut taken: BTreeSet<String> = BTreeSet::from([key.to_lowercase()]);
    let mut columns = vec![format!("  {}", sql::column(key))];
    for field in fields {
        let mut name = field.name.clone();
        // Names of the program's own columns, and those that are there already.
        while name.starts_with('_') || !taken.insert(name.to_lowercase()) {
            name = format!("{}_{name}", table_name(list, &[]));
        }
        columns.push(format!(
            "  _item[{}] AS {}",
            sql::text(&field.name),
            sql::column(&name)
        ));
    }
    format!(
        "SELECT\n{}\nFROM (SELECT *, unnest({}) AS _item FROM events)\n",
        columns.join(",\n"),
        sql::column(list)
    )
}
