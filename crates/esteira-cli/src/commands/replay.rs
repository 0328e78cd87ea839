//! `esteira replay`: the tables anew from the originals, beside the live ones or in their place.

use std::sync::Arc;

use esteira::{Lake, SwitchOptions, SwitchSummary};
use serde_json::json;

use super::lake;
use crate::arguments::{ListFormat, ReplayArguments};
use crate::output::{self, Bar};

pub(super) async fn run(arguments: ReplayArguments) -> anyhow::Result<()> {
    let target = &arguments.target;
    let lake = lake(&target.pipeline, &target.place.bucket).await?;
    if arguments.switch {
        switch(&lake, arguments).await
    } else {
        beside(&lake, arguments).await
    }
}

async fn beside(lake: &Lake, arguments: ReplayArguments) -> anyhow::Result<()> {
    // It is asked for where nothing is switched.
    let into = arguments.into.unwrap_or_default();
    let newest = lake.ledger().last_recorded();
    let batches = arguments.until.map_or(newest, |until| until.min(newest));
    let observer = Arc::new(Bar::new("replaying", batches));
    let done = esteira::replay(lake, &into, arguments.until, observer.clone()).await;
    observer.end();
    let done = done?;
    let into = into.trim_matches('/');
    if arguments.format == ListFormat::Json {
        let told = json!({
            "batches": done.batches,
            "objects": done.objects,
            "events": done.events,
            "quarantined": done.quarantined,
            "into": into,
        });
        output::line(&told.to_string());
        return Ok(());
    }
    output::line(&format!(
        "{} batches, {} objects, {} events are in the tables under {}/{into}/",
        done.batches,
        done.objects,
        done.events,
        lake.bucket().location(),
    ));
    Ok(())
}

async fn switch(lake: &Lake, arguments: ReplayArguments) -> anyhow::Result<()> {
    let observer = Arc::new(Bar::new("replaying", lake.ledger().last_recorded()));
    let options = SwitchOptions {
        into: arguments.into,
        keep: arguments.keep,
        ..SwitchOptions::default()
    };
    let done = esteira::switch(lake, options, observer.clone()).await;
    observer.end();
    let done = done?;
    if arguments.format == ListFormat::Json {
        output::line(&serde_json::to_string(&done)?);
    } else {
        tell(&done, lake);
    }
    Ok(())
}

fn tell(done: &SwitchSummary, lake: &Lake) {
    let width = output::width(done.tables.keys().map(String::as_str));
    for (name, table) in &done.tables {
        output::line(&format!(
            "{name:<width$} {} rows in the place of {} (version {})",
            table.rows, table.rows_before, table.version
        ));
    }
    for name in &done.left_alone {
        output::line(&format!(
            "{name:<width$} stays as it is: the pipeline has no such table any more"
        ));
    }
    output::line(&format!(
        "batch {}: the tables are what {} batches, {} objects, {} events make",
        done.batch, done.batches, done.objects, done.events
    ));
    if let Some(folder) = &done.kept {
        output::line(&format!(
            "they are also under {}/{folder}/",
            lake.bucket().location()
        ));
    }
}
