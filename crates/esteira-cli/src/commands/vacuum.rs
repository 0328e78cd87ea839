//! `esteira vacuum`: deleting files that nothing needs.

use std::sync::Arc;
use std::time::Duration;

use esteira::{Clock, SystemClock};
use esteira_lake::tidy::Vacuum;
use serde_json::json;

use super::lake;
use crate::arguments::{ListFormat, VacuumArguments};
use crate::output;

pub(super) async fn run(arguments: VacuumArguments) -> anyhow::Result<()> {
    let tables = arguments.tables;
    let lake = lake(&tables.target.pipeline, &tables.target.place.bucket).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let retention = arguments
        .retain_hours
        .map_or(lake.pipeline().maintenance.retention, |hours| {
            Duration::from_hours(hours.into())
        });
    let dry_run = arguments.dry_run;
    let done = esteira::vacuum(&lake, &tables.only, retention, dry_run, &clock).await?;
    let width = output::width(done.iter().map(|(table, _)| table.as_str()));
    for (table, vacuum) in done {
        match tables.format {
            ListFormat::Json => output::line(&as_json(&table, &vacuum, dry_run)),
            ListFormat::Text => text(&table, &vacuum, dry_run, width),
        }
    }
    Ok(())
}

fn as_json(table: &str, vacuum: &Vacuum, dry_run: bool) -> String {
    let files: Vec<_> = vacuum
        .litter
        .iter()
        .map(|file| json!({"key": file.key, "bytes": file.bytes}))
        .collect();
    json!({
        "table": table,
        "dry_run": dry_run,
        "files": files,
        "log_entries": vacuum.log_entries,
    })
    .to_string()
}

fn text(table: &str, vacuum: &Vacuum, dry_run: bool, width: usize) {
    if dry_run {
        for file in &vacuum.litter {
            output::line(&output::inline(&file.key));
        }
    }
    output::line(&format!(
        "{table:<width$} {} files of {} {}",
        vacuum.litter.len(),
        output::bytes(vacuum.litter.iter().map(|file| file.bytes).sum()),
        if dry_run {
            "would be deleted"
        } else {
            "deleted"
        },
    ));
}
