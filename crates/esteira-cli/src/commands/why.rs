//! `esteira why`: every event of a key, and which of them stands.

use esteira::{Fate, KnownEvent};

use super::lake;
use crate::arguments::{ListFormat, WhyArguments};
use crate::failure::Failure;
use crate::output::{self, Bar};

pub(super) async fn run(arguments: WhyArguments) -> anyhow::Result<()> {
    let lake = lake(&arguments.pipeline, &arguments.place.bucket).await?;
    let batches = lake.ledger().last_recorded();
    let observer = Bar::new("reading", batches);
    let known = esteira::why(&lake, &arguments.table, &arguments.key, &observer).await;
    observer.end();
    let known = known?;
    if arguments.format == ListFormat::Json {
        output::line(&serde_json::to_string(&known)?);
    } else {
        let key = known.key.iter();
        let key = key.map(|(name, value)| format!("{name}={}", output::inline(value)));
        output::line(&format!(
            "{} {}",
            known.table,
            key.collect::<Vec<_>>().join(" ")
        ));
        for event in &known.events {
            output::line(&in_words(event));
        }
        for entry in &known.quarantined {
            output::line(&format!(
                "  quarantined  {}  {} event {}  batch {}  {}",
                entry.id,
                output::inline(&entry.origin.source_file),
                entry.origin.source_position,
                entry.batch,
                output::inline(&entry.message),
            ));
        }
        if known.events.is_empty() && known.quarantined.is_empty() {
            output::line("  no event and no quarantined entry has this key");
        } else if known.stored.is_empty() {
            output::line("  the table has no row of this key");
        }
    }
    if known.agrees() {
        return Ok(());
    }
    let wrong = if known.stored.is_empty() {
        "the event that has to stand is in no row"
    } else {
        "the stored row does not come from the event that has to stand"
    };
    Err(Failure::new(wrong)
        .hint("`esteira verify` compares every row with the originals")
        .code(8)
        .into())
}

fn in_words(event: &KnownEvent) -> String {
    let fate = match event.fate {
        Fate::Won => "won",
        Fate::Deleted => "deleted",
        Fate::Replaced => "replaced",
        Fate::Late => "late",
        Fate::Tie => "tie",
        Fate::Dropped => "dropped",
    };
    let version = event
        .version
        .map_or_else(|| "no version".to_owned(), output::instant);
    let dropped = event.dropped_by.iter();
    let dropped = dropped.map(|rule| format!("  by rule {rule}"));
    let rows = event.dropped_rows.iter();
    let rows = rows.map(|(rule, rows)| format!("  {rows} rows dropped by rule {rule}"));
    format!(
        "  {fate:<11}  {version}  {} event {}  batch {}  {}{}",
        output::inline(&event.origin.source_file),
        event.origin.source_position,
        event.batch,
        output::inline(&event.raw_file),
        dropped.chain(rows).collect::<String>(),
    )
}
