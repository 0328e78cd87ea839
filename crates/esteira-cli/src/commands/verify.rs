//! `esteira verify`: are the tables what their originals make?

use std::sync::Arc;

use anyhow::Context as _;
use esteira::{Difference, DifferenceKind, TableCheck};

use super::lake;
use crate::arguments::{ListFormat, VerifyArguments};
use crate::failure::Failure;
use crate::output::{self, Bar};

pub(super) async fn run(arguments: VerifyArguments) -> anyhow::Result<()> {
    let lake = lake(&arguments.target.pipeline, &arguments.target.place.bucket).await?;
    let above = arguments.scratch.unwrap_or_else(std::env::temp_dir);
    let scratch = tempfile::Builder::new()
        .prefix("esteira-verify-")
        .tempdir_in(&above)
        .with_context(|| format!("cannot create a folder in `{}`", above.display()))?;
    let batches = lake.ledger().last_recorded();
    let observer = Arc::new(Bar::new("replaying", batches));
    let checked = esteira::verify(&lake, scratch.path(), observer.clone()).await;
    observer.end();
    let checked = checked?;
    scratch
        .close()
        .context("cannot remove the scratch folder")?;
    if arguments.format == ListFormat::Json {
        output::line(&serde_json::to_string(&checked)?);
    } else {
        let width = output::width(checked.tables.iter().map(|t| t.table.as_str()));
        for table in &checked.tables {
            tell(table, width);
        }
        output::line(&format!(
            "{} batches, {} events replayed",
            checked.batches, checked.events
        ));
        for broken in &checked.stopping {
            output::line(&format!("passed over: {broken}; a run would stop there"));
        }
        if checked.batches_of_other_rules > 0 {
            output::line(&format!(
                "{} batches were made by other rules than the pipeline has now",
                checked.batches_of_other_rules
            ));
        }
    }
    if checked.holds() {
        return Ok(());
    }
    let wrong: Vec<&str> = checked
        .tables
        .iter()
        .filter(|table| !table.holds())
        .map(|table| table.table.as_str())
        .collect();
    let wrong = wrong.join(", ");
    if checked.holds_but_for_rules() {
        return Err(Failure::new(format!(
            "made by other rules than the pipeline has now: {wrong}"
        ))
        .hint("these rows may be right by the rules of their batches; `esteira replay --switch` makes all rows by the rules of today")
        .code(10)
        .into());
    }
    Err(Failure::new(format!("not what the originals make: {wrong}"))
    .hint("`esteira why TABLE KEY` shows the events of a key; `esteira replay --switch` makes the tables what the originals make")
    .code(8)
    .into())
}

fn tell(table: &TableCheck, width: usize) {
    if table.holds() {
        output::line(&format!(
            "{:<width$} {} rows, each what the originals make (digest {})",
            table.table, table.rows, table.digest
        ));
        return;
    }
    output::line(&format!(
        "{:<width$} {} rows, {} expected",
        table.table, table.rows, table.expected_rows
    ));
    output::line(&format!("  {}", rules(table)));
    for difference in &table.differences {
        output::line(&format!("  {}", in_words(difference)));
    }
}

/// How many rows differ, and whose rules made them.
fn rules(table: &TableCheck) -> String {
    let (all, others) = (table.differing_rows, table.by_other_rules);
    let part = if table.only_by_other_rules {
        "all".to_owned()
    } else if others > 0 {
        format!("{others} of them")
    } else {
        return format!("{all} rows differ");
    };
    format!(
        "{all} rows differ, {part} made by other rules than the pipeline has now, in {}",
        output::batches(&table.batches_of_other_rules)
    )
}

fn in_words(difference: &Difference) -> String {
    let key = difference.key.iter().map(|(name, value)| {
        let value = output::inline(value);
        format!("{name}={value}")
    });
    let key = key.collect::<Vec<_>>().join(" ");
    let origin = format!(
        "from {} event {}",
        output::inline(&difference.source_file),
        output::inline(&difference.source_position)
    );
    let what = match &difference.kind {
        DifferenceKind::Missing => format!("missing     {key}, {origin}"),
        DifferenceKind::Unexpected => format!("unexpected  {key}, {origin}"),
        DifferenceKind::Different { columns } => {
            let columns = columns.iter().map(|(name, (stored, expected))| {
                format!(
                    "{name} is {} instead of {}",
                    output::inline(stored),
                    output::inline(expected)
                )
            });
            let columns = columns.collect::<Vec<_>>().join("; ");
            format!("different   {key}, {origin}: {columns}")
        }
    };
    if difference.by_other_rules {
        format!("{what} (other rules)")
    } else {
        what
    }
}
