//! `esteira status`: how a pipeline is doing.

use std::sync::Arc;

use esteira::{Clock, Pipeline, Status, SystemClock, UnnamedField};
use esteira_lake::ledger::{Counts, Record};

use super::lake;
use crate::arguments::{ListFormat, StatusArguments};
use crate::output;

/// So many fields that the schema does not name are told one by one.
const MOST_FIELDS: usize = 20;

pub(super) async fn run(arguments: StatusArguments) -> anyhow::Result<()> {
    let lake = lake(&arguments.target.pipeline, &arguments.target.place.bucket).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let status = esteira::status(&lake, &clock).await?;
    match arguments.format {
        ListFormat::Json => output::line(&serde_json::to_string_pretty(&status)?),
        ListFormat::Text => text(&status, lake.pipeline()),
    }
    Ok(())
}

fn text(status: &Status, pipeline: &Pipeline) {
    output::line(&format!("{} in {}", status.process, status.bucket));
    match &status.last_batch {
        None => output::line("no batch yet"),
        Some(record) => {
            output::line(&format!(
                "last batch   {} at {}: {} objects, {} events, {} ms",
                record.batch,
                output::instant(record.recorded_at),
                record.accounts.objects.discovered,
                record.accounts.events.discovered,
                record.timings_ms.prepare + record.timings_ms.transform + record.timings_ms.commit,
            ));
            let width = output::width(record.tables.keys().map(String::as_str));
            for (name, table) in &record.tables {
                output::line(&format!("  {name:<width$} version {}", table.version));
            }
        }
    }
    if status.waiting_objects == 0 {
        output::line("freshness    everything that is there is in the tables");
    } else {
        output::line(&format!(
            "freshness    {} objects wait, the oldest for {}; the newest row is {} behind the newest object",
            status.waiting_objects,
            output::duration(status.oldest_waiting_ms),
            output::duration(status.behind_ms),
        ));
    }
    for (count, what) in [
        (
            status.too_young_objects,
            "are younger than `min_age_seconds`: they are taken later",
        ),
        (
            status.too_old_objects,
            "are older than `max_age_hours`: they are not taken",
        ),
    ] {
        if count > 0 {
            output::line(&format!("left out     {count} objects {what}"));
        }
    }
    if status.uncleaned_objects > 0 {
        output::line(&format!(
            "clean-up     {} objects were taken and are still in the input; the job takes them away",
            status.uncleaned_objects
        ));
    }
    if !status.unfinished_batches.is_empty() {
        output::line(&format!(
            "unfinished   batches {:?}: being run now, or interrupted; the next run finishes them",
            status.unfinished_batches
        ));
    }
    if let Some(record) = &status.last_batch {
        if let Some(rules) = rules(&status.rules, record) {
            output::line(&rules);
        }
        output::line(&counts("objects", &record.totals.objects));
        output::line(&counts("events", &record.totals.events));
        if record.totals.reasons.is_empty() {
            output::line("quarantine   empty");
        } else {
            let reasons: Vec<String> = record
                .totals
                .reasons
                .iter()
                .map(|(reason, count)| format!("{reason} {count}"))
                .collect();
            output::line(&format!("quarantine   {}", reasons.join(", ")));
        }
        for (rule, count) in &record.totals.rules {
            let last = record.accounts.rules.get(rule).copied().unwrap_or_default();
            output::line(&format!(
                "rule         {rule} broken {count}×, {last} of them in the last batch{}",
                action(pipeline, rule)
            ));
        }
    }
    unnamed(&status.unnamed_fields);
}

/// Which rules made the last batch, where they have not always been the same or are others now.
fn rules(now: &str, record: &Record) -> Option<String> {
    let last = &record.pipeline;
    let since = record.rules_since.filter(|batch| *batch > 1);
    let since = since.map_or_else(String::new, |batch| format!(" since batch {batch}"));
    if last != now {
        return Some(format!(
            "rules        {last}{since}; the pipeline has changed, {now} counts from the next batch on"
        ));
    }
    (!since.is_empty()).then(|| format!("rules        {last}{since}"))
}

fn unnamed(fields: &[UnnamedField]) {
    for field in fields.iter().take(MOST_FIELDS) {
        output::line(&format!(
            "not named    {} in {} events since batch {}, {} of them in the last batch",
            output::inline(&field.path),
            field.events,
            field.since_batch,
            field.in_last_batch,
        ));
    }
    if fields.len() > MOST_FIELDS {
        let more = fields.len() - MOST_FIELDS;
        output::line(&format!("             and {more} more fields"));
    }
    if !fields.is_empty() {
        output::line(
            "             the schema does not name these fields; `esteira infer --evolve` offers them",
        );
    }
}

/// What the rule does now; it may have been another one, or be gone.
fn action(pipeline: &Pipeline, of: &str) -> String {
    let found = of.split_once('.').and_then(|(table, name)| {
        let rules = &pipeline.table(table)?.rules;
        rules.iter().find(|rule| rule.name == name)
    });
    found.map_or_else(String::new, |rule| format!(" ({})", rule.action.as_str()))
}

fn counts(what: &str, counts: &Counts) -> String {
    format!(
        "{what:<12} {} discovered = {} applied + {} superseded + {} quarantined + {} duplicate",
        counts.discovered, counts.applied, counts.superseded, counts.quarantined, counts.duplicate
    )
}
