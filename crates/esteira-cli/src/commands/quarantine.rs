//! `esteira quarantine`: what could not become an event, and its bytes.

use std::io::Write as _;
use std::sync::Arc;

use esteira::{QuarantineEntry, Silent};

use super::lake;
use crate::arguments::{ListFormat, Place, QuarantineCommand, Target};
use crate::failure::Failure;
use crate::output;

pub(super) async fn run(command: QuarantineCommand) -> anyhow::Result<()> {
    match command {
        QuarantineCommand::List { target, format } => list(&target, format).await,
        QuarantineCommand::Show {
            id,
            target,
            original,
        } => show(&id, &target, original).await,
        QuarantineCommand::Retry {
            ids,
            pipeline,
            place,
            format,
        } => retry(&ids, &pipeline, &place, format).await,
    }
}

async fn list(target: &Target, format: ListFormat) -> anyhow::Result<()> {
    let without_bytes = |mut entry: QuarantineEntry| {
        entry.original = Vec::new();
        Some(entry)
    };
    let entries = entries(target, without_bytes).await?;
    for entry in &entries {
        if format == ListFormat::Json {
            output::line(&serde_json::to_string(entry)?);
        } else {
            output::line(&format!(
                "{}  batch {}  {} event {}  {}: {}",
                entry.id,
                entry.batch,
                output::inline(&entry.origin.source_file),
                entry.origin.source_position,
                entry.reason,
                output::inline(&entry.message),
            ));
        }
    }
    if format == ListFormat::Text && entries.is_empty() {
        output::line("the quarantine is empty");
    }
    Ok(())
}

async fn show(id: &str, target: &Target, original: bool) -> anyhow::Result<()> {
    let found = entries(target, |entry| entry.id.starts_with(id).then_some(entry)).await?;
    let [entry] = found.as_slice() else {
        let failure = if found.is_empty() {
            Failure::new(format!("no entry of the quarantine has the id `{id}`"))
        } else {
            let ids = found.iter().map(|entry| entry.id.as_str());
            let ids = ids.collect::<Vec<_>>().join(", ");
            Failure::new(format!("`{id}` is the beginning of several ids: {ids}"))
        };
        return Err(failure.hint("`esteira quarantine list` shows them").into());
    };
    if original && entry.is_apart {
        let failure = Failure::new("the entry has too many bytes to be kept in the quarantine");
        let hint = format!(
            "`{}` in the bucket has them",
            output::inline(&entry.raw_file)
        );
        return Err(failure.hint(hint).into());
    }
    if original {
        std::io::stdout().write_all(&entry.original)?;
        return Ok(());
    }
    for (name, value) in [
        ("reason", entry.reason.clone()),
        ("message", entry.message.clone()),
        ("path", entry.json_path.clone()),
        (
            "place",
            format!(
                "line {}, column {}, byte {}",
                entry.line, entry.column, entry.offset
            ),
        ),
        ("object", entry.origin.source_file.clone()),
        ("written", output::instant(entry.origin.source_modified)),
        ("event", entry.origin.source_position.to_string()),
        ("batch", entry.batch.to_string()),
        ("original", entry.raw_file.clone()),
        (
            "bytes",
            if entry.is_apart {
                "only in the original, they are too many".to_owned()
            } else {
                entry.original.len().to_string()
            },
        ),
    ] {
        output::line(&format!("{name:<9} {}", output::inline(&value)));
    }
    output::line("");
    output::line(&output::safe(&String::from_utf8_lossy(&entry.original)));
    Ok(())
}

async fn retry(
    ids: &[String],
    pipeline: &str,
    place: &Place,
    format: ListFormat,
) -> anyhow::Result<()> {
    let lake = lake(pipeline, &place.bucket).await?;
    let done = esteira::retry(&lake, ids, Arc::new(Silent)).await?;
    if format == ListFormat::Json {
        output::line(&serde_json::to_string(&done)?);
    } else if done.entries == 0 {
        output::line("the quarantine is empty");
    } else if done.batches == 0 {
        output::line(&format!(
            "{} entries are rejected as before; nothing was changed",
            done.entries
        ));
    } else {
        output::line(&format!(
            "{} of {} entries retried in {} batches: {} events are in the tables, {} entries stay in the quarantine",
            done.retried, done.entries, done.batches, done.events, done.quarantined
        ));
    }
    Ok(())
}

/// What is kept of each entry, in the order of where they were.
async fn entries(
    target: &Target,
    keep: impl Fn(QuarantineEntry) -> Option<QuarantineEntry>,
) -> anyhow::Result<Vec<QuarantineEntry>> {
    let lake = lake(&target.pipeline, &target.place.bucket).await?;
    let mut found = Vec::new();
    esteira::quarantine(&lake, |entry| found.extend(keep(entry))).await?;
    found.sort_by(|one, other| (one.batch, &one.origin).cmp(&(other.batch, &other.origin)));
    Ok(found)
}
