//! Running the models over a batch's events.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::error::ArrowError;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::prelude::ident;
use esteira_lake::ledger::Plan;
use esteira_lake::upsert::{self, Batch, EventOrder, Staged};

use super::land::Landed;
use super::rules::{self, Broken};
use super::stages::Context;
use crate::pipeline::{self, EVENT, EVENTS};
use crate::{Condition, Error, Model, TableKind};

/// The rows each table may get, and the order of the events they came from.
pub(super) struct Transformed {
    /// The batch, with the order of its events.
    pub(super) batch: Batch,
    /// By table.
    pub(super) staged: BTreeMap<String, Staged>,
    /// By table that deletes: which events do, by their index.
    pub(super) deletes: BTreeMap<String, Vec<bool>>,
    /// Rules that rows broke.
    pub(super) broken: Broken,
}

/// Runs every model of the pipeline. Takes the events out of `landed`: what the models did not keep
/// is free again when this returns.
///
/// The models of child tables see only the events that win their head's key in this batch and do not
/// delete it, since the others can never stand.
pub(super) async fn transform(
    context: &Context,
    plan: &Plan,
    landed: &mut Landed,
) -> Result<Transformed, Error> {
    let pipeline = &context.pipeline;
    let decoded = std::mem::take(&mut landed.events);
    let order = if decoded.is_empty() {
        EventOrder::default()
    } else {
        EventOrder::of(&decoded, &pipeline.version)
            .map_err(|error| failed("ordering the events", &error))?
    };
    let relation = pipeline::events_relation(&pipeline.schema);
    let events = events(&relation, decoded, plan.processed_at())
        .map_err(|error| failed("preparing the events", &error))?;
    let mut staged: BTreeMap<String, Staged> = BTreeMap::new();
    let mut deletes: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    let mut broken = Broken::new();
    let mut of_head: BTreeMap<&str, Vec<RecordBatch>> = BTreeMap::new();
    for table in &pipeline.tables {
        let visible = match &table.kind {
            TableKind::Latest | TableKind::Append | TableKind::History => &events,
            TableKind::Child { head } => match of_head.entry(head) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let deletes = deletes.get(head).map(Vec::as_slice);
                    let standing = standing(context, &staged, head, &events, &order, deletes);
                    let standing = standing
                        .map_err(|error| failed("choosing the events of a head", &error))?;
                    new.insert(standing)
                }
            },
        };
        let what = format!("the model of table `{}`", table.name);
        let rows = run(&table.model, &relation, visible.clone())
            .await
            .and_then(|rows| rules::keep(table, rows, &mut broken))
            .map_err(|error| Error::Query {
                what: what.clone(),
                reason: error.strip_backtrace(),
            })?;
        let rows = Staged::new(rows, EVENT).map_err(|error| failed(&what, &error))?;
        staged.insert(table.name.clone(), rows);
        if let Some(condition) = &table.delete_when {
            let deleting = events_where(condition, &relation, events.clone()).await;
            let deleting = deleting.map_err(|error| Error::Query {
                what: format!("`delete_when` of table `{}`", table.name),
                reason: error.strip_backtrace(),
            })?;
            deletes.insert(table.name.clone(), deleting);
        }
    }
    Ok(Transformed {
        batch: Batch {
            number: plan.batch,
            process: plan.process.clone(),
            processed_at: plan.processed_at(),
            order,
        },
        staged,
        deletes,
        broken,
    })
}

pub(super) fn failed(what: &str, error: &ArrowError) -> Error {
    Error::Query {
        what: what.to_owned(),
        reason: error.to_string(),
    }
}

/// The decoded events as the relation that models select from.
pub(super) fn events(
    relation: &SchemaRef,
    decoded: Vec<RecordBatch>,
    planned_at: i64,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut first = 0;
    decoded
        .into_iter()
        .map(|batch| {
            let events = pipeline::as_events(&batch, relation, first, planned_at);
            first += i64::try_from(batch.num_rows()).unwrap_or_default();
            events
        })
        .collect()
}

fn standing(
    context: &Context,
    staged: &BTreeMap<String, Staged>,
    head: &str,
    events: &[RecordBatch],
    order: &EventOrder,
    deletes: Option<&[bool]>,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let (Some(rules), Some(rows)) = (context.pipeline.table(head), staged.get(head)) else {
        return Ok(events.to_vec());
    };
    let schema = rules.model.table_schema();
    let standing = upsert::can_stand(rows, &rules.key, schema, order, deletes)?;
    let mut standing = standing.into_iter();
    events
        .iter()
        .map(|batch| {
            let kept: BooleanArray = standing.by_ref().take(batch.num_rows()).map(Some).collect();
            if kept.true_count() == batch.num_rows() {
                return Ok(batch.clone());
            }
            filter_record_batch(batch, &kept)
        })
        .collect()
}

/// The rows that a model makes of events.
pub(super) async fn run(
    model: &Model,
    relation: &SchemaRef,
    events: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>, DataFusionError> {
    let session = session_over(relation, events)?;
    model.over(&session).await?.collect().await
}

/// Of all events, in their order, whether the condition is true of them.
pub(super) async fn events_where(
    condition: &Condition,
    relation: &SchemaRef,
    events: Vec<RecordBatch>,
) -> Result<Vec<bool>, DataFusionError> {
    let mut is_true = vec![false; events.iter().map(RecordBatch::num_rows).sum()];
    let session = session_over(relation, events)?;
    let found = session.table(EVENTS).await?;
    let found = found.filter(condition.expression().clone())?;
    let found = found.select(vec![ident(EVENT)])?.collect().await?;
    for event in found.iter().flat_map(event_numbers) {
        is_true[event] = true;
    }
    Ok(is_true)
}

/// The event of each row.
pub(super) fn event_numbers(rows: &RecordBatch) -> impl Iterator<Item = usize> {
    let column = rows.column_by_name(EVENT);
    let numbers = column.and_then(|column| column.as_primitive_opt::<Int64Type>());
    let numbers = numbers.map(|numbers| numbers.values().iter());
    numbers
        .into_iter()
        .flatten()
        .map(|number| usize::try_from(*number).unwrap_or(usize::MAX))
}

/// A session in which models find their events.
pub(super) fn session_over(
    relation: &SchemaRef,
    events: Vec<RecordBatch>,
) -> Result<SessionContext, DataFusionError> {
    let session = pipeline::session();
    let events = MemTable::try_new(relation.clone(), vec![events])?;
    session.register_table(EVENTS, Arc::new(events))?;
    Ok(session)
}
