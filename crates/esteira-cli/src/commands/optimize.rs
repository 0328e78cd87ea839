//! `esteira optimize`: fewer files, the same rows.

use esteira_lake::tidy::{Compaction, Effort};
use serde_json::json;

use super::lake;
use crate::arguments::{ListFormat, OptimizeArguments};
use crate::output;

pub(super) async fn run(arguments: OptimizeArguments) -> anyhow::Result<()> {
    let tables = arguments.tables;
    let lake = lake(&tables.target.pipeline, &tables.target.place.bucket).await?;
    let effort = if arguments.purge {
        Effort::Purge
    } else {
        Effort::Full
    };
    let all = esteira::optimize(&lake, &tables.only, effort).await?;
    let width = output::width(all.iter().map(|(table, _)| table.as_str()));
    for (table, done) in all {
        match tables.format {
            ListFormat::Json => output::line(&as_json(&table, &done)),
            ListFormat::Text => output::line(&as_text(&table, &done, width)),
        }
    }
    Ok(())
}

fn as_json(table: &str, done: &Compaction) -> String {
    json!({
        "table": table,
        "version": done.version,
        "files_removed": done.files_removed,
        "files_added": done.files_added,
        "bytes_removed": done.bytes_removed,
        "bytes_added": done.bytes_added,
        "rows_purged": done.rows_purged,
    })
    .to_string()
}

fn as_text(table: &str, done: &Compaction, width: usize) -> String {
    if done.files_removed == 0 {
        return format!("{table:<width$} is tidy at version {}", done.version);
    }
    format!(
        "{table:<width$} {} files of {} became {} of {}, {} deleted rows are gone; version {}",
        done.files_removed,
        output::bytes(done.bytes_removed),
        done.files_added,
        output::bytes(done.bytes_added),
        done.rows_purged,
        done.version,
    )
}
