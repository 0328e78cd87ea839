//! Every event that ever had a key, read from the originals.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::prelude::{cast, ident, lit};
use esteira_events::{SOURCE_FILE, SOURCE_POSITION};
use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::Ledger;
use esteira_lake::raw::Raw;

use super::fetch::Objects;
use super::land;
use super::observe::Silent;
use super::stages::Context;
use super::transform;
use crate::clock::SystemClock;
use crate::pipeline::{self, EVENT, EVENTS};
use crate::{Error, Observer, Pipeline, TableKind, TableRules};

/// One event with a key.
#[derive(Debug, Clone)]
pub(crate) struct Traced {
    /// The batch that took it.
    pub(crate) batch: u64,
    /// Where its object's original is.
    pub(crate) raw_file: String,
    /// The event: one row.
    pub(crate) event: RecordBatch,
    /// Whether it deletes its keys.
    pub(crate) deletes: bool,
}

/// The columns that a question about rows of a table names: those of its key, or where the event was.
pub(crate) fn asked_by(rules: &TableRules) -> Vec<String> {
    match rules.kind {
        TableKind::Append => [SOURCE_FILE, SOURCE_POSITION].map(str::to_owned).to_vec(),
        _ => rules.key.clone(),
    }
}

/// Reads every batch up to the newest record and gives the events from which the model of the table
/// makes rows of this key (texts, in the order of [`asked_by`]), in the order of the batches.
pub(crate) async fn trace(
    pipeline: Arc<Pipeline>,
    bucket: Bucket,
    rules: &TableRules,
    key: &[String],
    observer: &dyn Observer,
) -> Result<Vec<Traced>, Error> {
    let ledger = Ledger::glance(bucket.clone(), &pipeline.name).await?;
    let until = ledger.last_recorded();
    let context = Context {
        raw: Raw::new(bucket.clone(), &pipeline.raw_path),
        pipeline,
        bucket,
        clock: Arc::new(SystemClock),
        observer: Arc::new(Silent),
    };
    let mut traced = Vec::new();
    for batch in 1..=until {
        let (plan, record) = ledger.batch(batch).await?;
        if plan.retry.is_some() {
            // Its events are those of the batch that brought them.
            observer.recorded(&record);
            continue;
        }
        let mut landed = Box::pin(land::land(&context, &plan, Objects::Recorded(&record))).await?;
        let decoded = std::mem::take(&mut landed.events);
        let relation = pipeline::events_relation(&context.pipeline.schema);
        let found = async {
            let events = transform::events(&relation, decoded.clone(), plan.planned_at)?;
            let deletes = match &rules.delete_when {
                Some(condition) => {
                    transform::events_where(condition, &relation, events.clone()).await?
                }
                None => vec![false; landed.object_of.len()],
            };
            let mut session = transform::session_over(&relation, events)?;
            if rules.kind == TableKind::Append {
                // Of these tables it is the events that are asked for, whatever the model makes of them.
                let events = asked(session.table(EVENTS).await?, rules, key)?;
                session = transform::session_over(&relation, events.collect().await?)?;
            }
            let mut rows = session.sql(rules.model.sql()).await?;
            if rules.kind != TableKind::Append {
                rows = asked(rows, rules, key)?;
            }
            let rows = rows.select(vec![ident(EVENT)])?.collect().await?;
            Ok((transform::event_numbers(&rows), deletes))
        };
        let (found, deletes) = found.await.map_err(|error: DataFusionError| Error::Query {
            what: format!("the model of table `{}`", rules.name),
            reason: error.strip_backtrace(),
        })?;
        for number in found {
            let object = landed.object_of[number];
            traced.extend(event(&decoded, number).map(|event| Traced {
                batch,
                raw_file: landed.raw_files[object as usize].clone(),
                event,
                deletes: deletes[number],
            }));
        }
        observer.recorded(&record);
    }
    Ok(traced)
}

/// Those of the rows that have this key.
fn asked(
    mut rows: DataFrame,
    rules: &TableRules,
    key: &[String],
) -> Result<DataFrame, DataFusionError> {
    for (column, value) in asked_by(rules).iter().zip(key) {
        rows = rows.filter(cast(ident(column), DataType::Utf8).eq(lit(value.as_str())))?;
    }
    Ok(rows)
}

fn event(batches: &[RecordBatch], number: usize) -> Option<RecordBatch> {
    let mut first = 0;
    for batch in batches {
        if number < first + batch.num_rows() {
            return Some(batch.slice(number - first, 1));
        }
        first += batch.num_rows();
    }
    None
}
