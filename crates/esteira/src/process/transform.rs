//! Running the models over a batch's events.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use esteira_lake::ledger::Plan;
use esteira_lake::upsert::{Batch, EventOrder, Staged};

use super::land::Landed;
use super::stages::Context;
use crate::Error;
use crate::pipeline::{self, EVENT, EVENTS};

/// The rows each table may get, and the order of the events they came from.
pub(super) struct Transformed {
    /// The batch, with the order of its events.
    pub(super) batch: Batch,
    /// By table.
    pub(super) staged: BTreeMap<String, Staged>,
}

/// Runs every model of the pipeline.
pub(super) async fn transform(
    context: &Context,
    plan: &Plan,
    landed: &Landed,
) -> Result<Transformed, Error> {
    let pipeline = &context.pipeline;
    let failed = |what: &str| {
        let what = what.to_owned();
        move |reason: String| Error::Query { what, reason }
    };
    let order = if landed.events.is_empty() {
        EventOrder::default()
    } else {
        EventOrder::of(&landed.events, &pipeline.version)
            .map_err(|error| failed("ordering the events")(error.to_string()))?
    };
    let events = events(context, plan, landed)
        .map_err(|error| failed("preparing the events")(error.to_string()))?;
    let mut staged = BTreeMap::new();
    for table in &pipeline.tables {
        let fail = failed(&format!("the model of table `{}`", table.name));
        let rows = run(table.model.sql(), events.clone())
            .await
            .map_err(|error| error.strip_backtrace())
            .and_then(|rows| Staged::new(rows, EVENT).map_err(|error| error.to_string()))
            .map_err(fail)?;
        staged.insert(table.name.clone(), rows);
    }
    Ok(Transformed {
        batch: Batch {
            number: plan.batch,
            process: plan.process.clone(),
            planned_at: plan.planned_at,
            order,
        },
        staged,
    })
}

fn events(
    context: &Context,
    plan: &Plan,
    landed: &Landed,
) -> Result<Arc<MemTable>, DataFusionError> {
    let relation = pipeline::events_relation(&context.pipeline.schema);
    let mut first = 0;
    let batches = landed
        .events
        .iter()
        .map(|batch| {
            let events = pipeline::as_events(batch, &relation, first, plan.planned_at);
            first += i64::try_from(batch.num_rows()).unwrap_or_default();
            events
        })
        .collect::<Result<Vec<RecordBatch>, ArrowError>>()?;
    Ok(Arc::new(MemTable::try_new(relation, vec![batches])?))
}

async fn run(sql: &str, events: Arc<MemTable>) -> Result<Vec<RecordBatch>, DataFusionError> {
    let session = pipeline::session();
    session.register_table(EVENTS, events)?;
    session.sql(sql).await?.collect().await
}
