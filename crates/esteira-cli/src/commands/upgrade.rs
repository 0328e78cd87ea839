//! `esteira upgrade`: tables are brought up to what the pipeline declares: wider columns, deletion vectors.

use esteira::Upgraded;
use esteira_lake::tidy::Widening;
use serde_json::json;

use super::lake;
use crate::arguments::{ListFormat, UpgradeArguments};
use crate::output;

pub(super) async fn run(arguments: UpgradeArguments) -> anyhow::Result<()> {
    let tables = arguments.tables;
    let lake = lake(&tables.target.pipeline, &tables.target.place.bucket).await?;
    let all = esteira::upgrade(&lake, &tables.only).await?;
    let width = output::width(all.iter().map(|(table, _)| table.as_str()));
    for (table, upgraded) in all {
        output::line(&match tables.format {
            ListFormat::Json => json(&table, &upgraded),
            ListFormat::Text => format!("{table:<width$} {}", in_words(&upgraded)),
        });
    }
    Ok(())
}

fn json(table: &str, upgraded: &Upgraded) -> String {
    let widening = upgraded.widening.as_ref();
    let columns = widening.map_or(&[][..], |widening| &widening.columns);
    let columns: Vec<_> = columns
        .iter()
        .map(|column| json!({"column": column.path, "from": column.from, "to": column.to}))
        .collect();
    json!({
        "table": table,
        "upgraded": upgraded.deletion_vectors || widening.is_some(),
        "deletion_vectors": upgraded.deletion_vectors,
        "wider_columns": columns,
        "files_written_again": widening.map_or(0, |widening| widening.files),
    })
    .to_string()
}

fn in_words(upgraded: &Upgraded) -> String {
    let vectors = "uses deletion vectors from now on";
    match (&upgraded.widening, upgraded.deletion_vectors) {
        (None, false) => "stays as it is".to_owned(),
        (None, true) => vectors.to_owned(),
        (Some(widening), false) => wider(widening),
        (Some(widening), true) => format!("{}; {vectors}", wider(widening)),
    }
}

fn wider(widening: &Widening) -> String {
    let columns = widening
        .columns
        .iter()
        .map(|column| format!("`{}` was {}, is {}", column.path, column.from, column.to));
    format!(
        "{} files written again: {}",
        widening.files,
        columns.collect::<Vec<_>>().join(", ")
    )
}
