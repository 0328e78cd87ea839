//! `esteira history`: the batches that were recorded.

use esteira_lake::ledger::Switched;

use super::lake;
use crate::arguments::{HistoryArguments, ListFormat};
use crate::output;

pub(super) async fn run(arguments: HistoryArguments) -> anyhow::Result<()> {
    let lake = lake(&arguments.target.pipeline, &arguments.target.place.bucket).await?;
    let newest = lake.ledger().last_recorded();
    let from = (newest + 1).saturating_sub(arguments.last);
    let records = lake
        .ledger()
        .records(from)
        .await
        .map_err(esteira::Error::from)?;
    if arguments.format == ListFormat::Json {
        for record in &records {
            output::line(&serde_json::to_string(record)?);
        }
        return Ok(());
    }
    output::line(&format!(
        "{:>6}  {:<27}  {:>8}  {:>9}  {:>9}  {:>10}  {:>11}  {:>9}  {:>8}  {:>12}",
        "batch",
        "recorded",
        "objects",
        "events",
        "applied",
        "superseded",
        "quarantined",
        "duplicate",
        "ms",
        "freshness p99"
    ));
    for record in &records {
        if record.batch > 1 && record.rules_since == Some(record.batch) {
            output::line(&format!(
                "{:>6}  other rules from here on: {}",
                "", record.pipeline
            ));
        }
        let events = &record.accounts.events;
        let timings = &record.timings_ms;
        output::line(&format!(
            "{:>6}  {:<27}  {:>8}  {:>9}  {:>9}  {:>10}  {:>11}  {:>9}  {:>8}  {:>12}",
            record.batch,
            output::instant(record.recorded_at),
            record.accounts.objects.discovered,
            events.discovered,
            events.applied,
            events.superseded,
            events.quarantined,
            events.duplicate,
            timings.prepare + timings.transform + timings.commit,
            output::duration(record.freshness_ms.p99),
        ));
        if let Some(switch) = &record.switch {
            output::line(&format!("{:>6}  {}", "", switched(switch)));
        }
        for (rule, count) in &record.accounts.rules {
            output::line(&format!("{:>6}  rule {rule} broken {count}×", ""));
        }
        for (path, field) in &record.rescued.fields {
            let path = output::inline(path);
            output::line(&format!(
                "{:>6}  {path}, which the schema does not name, in {} events",
                "", field.events
            ));
        }
    }
    Ok(())
}

fn switched(switch: &Switched) -> String {
    match &switch.given_up {
        None => {
            "switched to replayed tables; its counts are those of all batches before, by its rules"
                .to_owned()
        }
        Some(reason) => format!("a switch that was given up, nothing changed: {reason}"),
    }
}
