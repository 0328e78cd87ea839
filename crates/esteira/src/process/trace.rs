//! Every event that ever had a key, read from the originals.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::prelude::{cast, ident, lit};
use esteira_events::{SOURCE_FILE, SOURCE_POSITION};
use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::Ledger;

use super::fetch::Objects;
use super::land;
use super::rules::{self, Stop};
use super::stages::Context;
use super::transform;
use crate::pipeline::{self, EVENTS};
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
    /// The rule that drops every row of this key that the event makes.
    pub(crate) dropped_by: Option<String>,
    /// Rows that it makes for the table asked for and that a rule drops, by the rule.
    pub(crate) dropped_rows: BTreeMap<String, u64>,
}

/// The columns that a question about rows of a table names: those of its key, or where the event was.
pub(crate) fn asked_by(rules: &TableRules) -> Vec<String> {
    match rules.kind {
        TableKind::Append => [SOURCE_FILE, SOURCE_POSITION].map(str::to_owned).to_vec(),
        _ => rules.key.clone(),
    }
}

/// Which events are looked for.
pub(crate) struct Trail<'a> {
    /// The table that decides which event stands: the head of a child.
    pub(crate) deciding: &'a TableRules,
    /// The table that is asked for.
    pub(crate) table: &'a TableRules,
    /// Texts, in the order of [`asked_by`].
    pub(crate) key: &'a [String],
}

/// Reads every batch up to the newest record and gives the events from which the model of the deciding
/// table makes rows of this key, in the order of the batches.
pub(crate) async fn trace(
    pipeline: Arc<Pipeline>,
    bucket: Bucket,
    trail: Trail<'_>,
    observer: &dyn Observer,
) -> Result<Vec<Traced>, Error> {
    let ledger = Ledger::glance(bucket.clone(), &pipeline.name).await?;
    let until = ledger.last_recorded();
    let context = Context::to_read(pipeline, bucket);
    let relation = pipeline::events_relation(&context.pipeline.schema);
    let failed = |error: DataFusionError| Error::Query {
        what: format!("the model of table `{}`", trail.deciding.name),
        reason: error.strip_backtrace(),
    };
    let mut traced = Vec::new();
    for batch in 1..=until {
        let (plan, record) = ledger.batch(batch).await?;
        if !plan.brings_objects() {
            // Its events are those of the batches that brought them.
            observer.recorded(&record);
            continue;
        }
        let mut landed = Box::pin(land::land(&context, &plan, Objects::Recorded(&record))).await?;
        Box::pin(rules::sift(
            &context,
            &plan,
            &mut landed,
            Stop::IsPassedOver,
        ))
        .await?;
        let decoded = std::mem::take(&mut landed.events);
        let found = trail.follow(&relation, &decoded, plan.planned_at).await;
        let found = found.map_err(failed)?;
        let deletes = trail.deletes(&relation, &decoded, plan.planned_at).await;
        let deletes = deletes.map_err(failed)?;
        for (number, dropped_by) in found {
            let Some(event) = event(&decoded, number) else {
                continue;
            };
            let dropped = trail.dropped_rows(&relation, &event, plan.planned_at);
            let object = landed.object_of[number];
            traced.push(Traced {
                batch,
                raw_file: landed.raw_files[object as usize].clone(),
                deletes: deletes.get(number).copied().unwrap_or_default(),
                dropped_by,
                dropped_rows: dropped.await.map_err(failed)?,
                event,
            });
        }
        observer.recorded(&record);
    }
    Ok(traced)
}

impl Trail<'_> {
    /// Every event once that makes rows of the key, with the rule that drops all of them.
    async fn follow(
        &self,
        relation: &SchemaRef,
        decoded: &[RecordBatch],
        planned_at: i64,
    ) -> Result<BTreeMap<usize, Option<String>>, DataFusionError> {
        let events = transform::events(relation, decoded.to_vec(), planned_at)?;
        let mut session = transform::session_over(relation, events)?;
        let only_grows = self.deciding.kind == TableKind::Append;
        if only_grows {
            // Of these tables it is the events that are asked for, whatever the model makes of them.
            let events = self.asked(session.table(EVENTS).await?)?;
            session = transform::session_over(relation, events.collect().await?)?;
        }
        let mut rows = self.deciding.model.over(&session).await?;
        if !only_grows {
            rows = self.asked(rows)?;
        }
        let mut found: BTreeMap<usize, Option<String>> = BTreeMap::new();
        for rows in rows.collect().await? {
            let dropped = rules::dropped_by(self.deciding, &rows)?;
            for (number, rule) in transform::event_numbers(&rows).zip(dropped) {
                let rule = rule.map(|rule| rule.name.clone());
                let known = found.entry(number).or_insert_with(|| rule.clone());
                // One row that stays is enough.
                if rule.is_none() {
                    *known = None;
                }
            }
        }
        Ok(found)
    }

    /// Those of the rows that are asked for.
    fn asked(&self, mut rows: DataFrame) -> Result<DataFrame, DataFusionError> {
        for (column, value) in asked_by(self.deciding).iter().zip(self.key) {
            rows = rows.filter(cast(ident(column), DataType::Utf8).eq(lit(value.as_str())))?;
        }
        Ok(rows)
    }

    /// Which of the events delete their keys; none when the table never deletes.
    async fn deletes(
        &self,
        relation: &SchemaRef,
        decoded: &[RecordBatch],
        planned_at: i64,
    ) -> Result<Vec<bool>, DataFusionError> {
        let Some(condition) = &self.deciding.delete_when else {
            return Ok(Vec::new());
        };
        let events = transform::events(relation, decoded.to_vec(), planned_at)?;
        transform::events_where(condition, relation, events).await
    }

    /// What the rules of the table asked for drop of the event's rows.
    async fn dropped_rows(
        &self,
        relation: &SchemaRef,
        event: &RecordBatch,
        planned_at: i64,
    ) -> Result<BTreeMap<String, u64>, DataFusionError> {
        let mut dropped = BTreeMap::new();
        if self.table.rules.is_empty() || self.table.name == self.deciding.name {
            return Ok(dropped);
        }
        let events = transform::events(relation, vec![event.clone()], planned_at)?;
        for rows in transform::run(&self.table.model, relation, events).await? {
            for rule in rules::dropped_by(self.table, &rows)?.into_iter().flatten() {
                *dropped.entry(rule.name.clone()).or_default() += 1;
            }
        }
        Ok(dropped)
    }
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
