//! Keeping the tables small between two batches, bounded so that freshness does not suffer.
//!
//! Comes in: a recorded batch. Goes out: the same rows in fewer files, at most one group of files a
//! table; with the first batch of a day (UTC) also a vacuum. A batch is finished before this begins: what
//! goes wrong here is told and tried again after the next one.

use esteira_lake::ledger::Record;
use esteira_lake::tables::{LakeTable, TableError};
use esteira_lake::tidy::{self, Effort, VacuumRules};

use super::apply::Tables;
use super::stages::Context;
use crate::clock::date;

/// Tidies every table a little.
pub(super) async fn tidy(
    context: &Context,
    tables: &mut Tables,
    record: &Record,
    planned_before: Option<i64>,
) {
    let maintenance = &context.pipeline.maintenance;
    let is_new_day = planned_before.is_some_and(|before| date(before) != date(record.planned_at));
    for table in tables.iter_mut() {
        if maintenance.compact
            && let Err(error) = compact(context, table).await
        {
            warn(table, "compacted", &error);
        }
        if maintenance.vacuum
            && is_new_day
            && let Err(error) = vacuum(context, table, record).await
        {
            warn(table, "vacuumed", &error);
        }
    }
}

async fn compact(context: &Context, table: &mut LakeTable) -> Result<(), TableError> {
    let rules = &context.pipeline.maintenance.rules;
    let done = tidy::compact(table, rules, Effort::Step).await?;
    if done.files_removed > 0 {
        tracing::info!(
            table = table.name(),
            version = done.version,
            files_removed = done.files_removed,
            files_added = done.files_added,
            rows_purged = done.rows_purged,
            "compacted"
        );
    }
    Ok(())
}

async fn vacuum(
    context: &Context,
    table: &mut LakeTable,
    record: &Record,
) -> Result<(), TableError> {
    let now = context.clock.now_micros();
    let retention = context.pipeline.maintenance.retention;
    let rules = VacuumRules {
        readable_since: readable_since(now, retention, Some(record)),
        now,
        kept_version: record.tables.get(table.name()).map(|table| table.version),
        dry_run: false,
    };
    let done = tidy::vacuum(table, &context.bucket, &rules).await?;
    tracing::info!(
        table = table.name(),
        files = done.litter.len(),
        log_entries = done.log_entries,
        "vacuumed"
    );
    Ok(())
}

fn warn(table: &LakeTable, what: &str, error: &TableError) {
    let hint = error.hint().unwrap_or_default();
    tracing::warn!(
        table = table.name(),
        %error,
        hint,
        "could not be {what}; tried again with the next batch"
    );
}

/// From when on every version of the tables has to stay readable: for the retention, and in any case
/// what the newest record names, because questions are asked of those versions.
pub(crate) fn readable_since(
    now: i64,
    retention: std::time::Duration,
    newest: Option<&Record>,
) -> i64 {
    let retention = i64::try_from(retention.as_micros()).unwrap_or(i64::MAX);
    let since = now.saturating_sub(retention);
    // Nothing was recorded yet: nothing can be told apart from what is being written.
    newest.map_or(i64::MIN, |record| since.min(record.planned_at))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn newest_record_stays_readable_whatever_the_retention() {
        let record: Record = serde_json::from_str(
            r#"{"format":1,"batch":1,"process":"p","pipeline":"","planned_at":"1970-01-01T00:00:05Z",
            "recorded_at":"1970-01-01T00:00:06Z","newest_object":"1970-01-01T00:00:00Z","bytes":0,
            "tables":{},"objects":{"discovered":0,"applied":0,"superseded":0,"quarantined":0,
            "duplicate":0},"events":{"discovered":0,"applied":0,"superseded":0,"quarantined":0,
            "duplicate":0},"totals":{"objects":{"discovered":0,"applied":0,"superseded":0,
            "quarantined":0,"duplicate":0},"events":{"discovered":0,"applied":0,"superseded":0,
            "quarantined":0,"duplicate":0}},"freshness_ms":{"p50":0,"p99":0,"max":0},
            "timings_ms":{"prepare":0,"transform":0,"commit":0}}"#,
        )
        .unwrap();
        let now = 60_000_000;
        let since = |seconds, record| readable_since(now, Duration::from_secs(seconds), record);
        assert_eq!(since(0, Some(&record)), 5_000_000);
        assert_eq!(since(58, Some(&record)), 2_000_000);
        assert_eq!(since(0, None), i64::MIN);
    }
}
