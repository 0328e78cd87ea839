//! Rules on data: which events may not be some, and which rows are none.
//!
//! Comes in: a batch that has landed, and the rows of models. Goes out: the batch without the events
//! that break a `quarantine` rule, which are rejected with their original bytes; rows without those
//! that break a `drop` rule; and how often each rule was broken. The invariant: whether an event or a
//! row breaks a rule depends on the event alone, so it is the same in any order and any batch.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use datafusion::error::DataFusionError;
use esteira_events::{Reason, Rejected, SOURCE_POSITION};
use esteira_lake::ledger::Plan;
use esteira_lake::quarantine::QuarantineRow;
use futures::{StreamExt as _, TryStreamExt as _};

use super::land::{self, Landed};
use super::stages::Context;
use super::transform;
use crate::pipeline;
use crate::{BrokenRule, Error, Rule, RuleAction, TableRules};

/// How often each rule was broken, by `table.rule`: events for `quarantine`, rows for the others.
pub(super) type Broken = BTreeMap<String, u64>;

/// What a broken `stop` rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It ends what is done.
    Ends,
    /// The first event of the batch that breaks it is told of: it is only looked at what came of the events.
    IsPassedOver,
}

/// Takes the events that break a `quarantine` rule out of what landed.
pub(super) async fn sift(
    context: &Context,
    plan: &Plan,
    landed: &mut Landed,
    stop: Stop,
) -> Result<(), Error> {
    let is_strict = |table: &&TableRules| table.rules.iter().any(|r| r.action.is_of_event());
    let tables: Vec<&TableRules> = context.pipeline.tables.iter().filter(is_strict).collect();
    if tables.is_empty() || landed.events.is_empty() {
        return Ok(());
    }
    let places = Places::of(&landed.events);
    let relation = pipeline::events_relation(&context.pipeline.schema);
    let events = transform::events(&relation, landed.events.clone(), plan.processed_at())
        .map_err(|error| transform::failed("preparing the events", &error))?;
    let mut unfit: BTreeMap<usize, String> = BTreeMap::new();
    for table in tables {
        let what = format!("the model of table `{}`", table.name);
        let failed = |error: DataFusionError| Error::Query {
            what: what.clone(),
            reason: error.strip_backtrace(),
        };
        let rows = transform::run(&table.model, &relation, events.clone());
        let rows = rows.await.map_err(failed)?;
        for rule in table.rules.iter().filter(|rule| rule.action.is_of_event()) {
            let breaking = breaking_events(rule, &rows).map_err(failed)?;
            if rule.action == RuleAction::Stop {
                let first = breaking.iter().min_by_key(|event| {
                    let object = &plan.objects[landed.object_of[**event] as usize];
                    (&object.key, object.modified, places.position(**event))
                });
                if let Some(first) = first {
                    let broken = stopped(plan, landed, table, rule, *first, &places);
                    match stop {
                        Stop::Ends => return Err(Error::Rule(Box::new(broken))),
                        Stop::IsPassedOver => landed.stopping.push(broken),
                    }
                }
                continue;
            }
            if !breaking.is_empty() {
                landed
                    .broken
                    .insert(key(table, rule), breaking.len() as u64);
            }
            for event in breaking {
                unfit.entry(event).or_insert_with(|| {
                    format!(
                        "rule `{}` of table `{}` is broken: {}",
                        rule.name, table.name, rule.condition
                    )
                });
            }
        }
    }
    if unfit.is_empty() {
        return Ok(());
    }
    reject(context, plan, landed, &unfit, &places).await?;
    take_out(landed, &unfit)
}

/// The rows without those that break a `drop` rule; counts what is broken.
pub(super) fn keep(
    table: &TableRules,
    rows: Vec<RecordBatch>,
    broken: &mut Broken,
) -> Result<Vec<RecordBatch>, DataFusionError> {
    if table.rules.iter().all(|rule| rule.action.is_of_event()) {
        return Ok(rows);
    }
    let mut kept = Vec::with_capacity(rows.len());
    for rows in rows {
        let mut stays = vec![true; rows.num_rows()];
        for rule in table.rules.iter().filter(|rule| !rule.action.is_of_event()) {
            let breaks = rule.broken(&rows)?;
            let count = breaks.true_count() as u64;
            if count > 0 {
                *broken.entry(key(table, rule)).or_default() += count;
            }
            if rule.action == RuleAction::Drop {
                for (row, stays) in stays.iter_mut().enumerate() {
                    *stays &= !breaks.value(row);
                }
            }
        }
        kept.push(filter_record_batch(&rows, &BooleanArray::from(stays))?);
    }
    Ok(kept)
}

/// For each row, the `drop` rule that it breaks first.
pub(super) fn dropped_by<'a>(
    table: &'a TableRules,
    rows: &RecordBatch,
) -> Result<Vec<Option<&'a Rule>>, DataFusionError> {
    let mut dropped = vec![None; rows.num_rows()];
    for rule in table
        .rules
        .iter()
        .filter(|rule| rule.action == RuleAction::Drop)
    {
        let breaks = rule.broken(rows)?;
        for (row, by) in dropped.iter_mut().enumerate() {
            if by.is_none() && breaks.value(row) {
                *by = Some(rule);
            }
        }
    }
    Ok(dropped)
}

fn key(table: &TableRules, rule: &Rule) -> String {
    format!("{}.{}", table.name, rule.name)
}

/// The events of which a row breaks the rule.
fn breaking_events(rule: &Rule, rows: &[RecordBatch]) -> Result<BTreeSet<usize>, DataFusionError> {
    let mut events = BTreeSet::new();
    for rows in rows {
        let breaks = rule.broken(rows)?;
        for (row, event) in transform::event_numbers(rows).enumerate() {
            if breaks.value(row) {
                events.insert(event);
            }
        }
    }
    Ok(events)
}

/// Where each event is in its object.
struct Places(Vec<u64>);

impl Places {
    fn of(events: &[RecordBatch]) -> Self {
        let columns = events
            .iter()
            .filter_map(|events| events.column_by_name(SOURCE_POSITION))
            .filter_map(|column| column.as_primitive_opt::<Int64Type>());
        let positions = columns.flat_map(|positions| positions.values().iter());
        Self(
            positions
                .map(|position| u64::try_from(*position).unwrap_or_default())
                .collect(),
        )
    }

    fn position(&self, event: usize) -> u64 {
        self.0.get(event).copied().unwrap_or_default()
    }
}

fn stopped(
    plan: &Plan,
    landed: &Landed,
    table: &TableRules,
    rule: &Rule,
    event: usize,
    places: &Places,
) -> BrokenRule {
    let object = landed.object_of[event] as usize;
    BrokenRule {
        rule: rule.name.clone(),
        table: table.name.clone(),
        condition: rule.condition.clone(),
        batch: plan.batch,
        object: plan.objects[object].key.clone(),
        position: places.position(event),
        raw_file: landed.raw_files[object].clone(),
    }
}

/// Reads the objects of these events once more, for the bytes of each.
async fn reject(
    context: &Context,
    plan: &Plan,
    landed: &mut Landed,
    unfit: &BTreeMap<usize, String>,
    places: &Places,
) -> Result<(), Error> {
    let mut of_object: BTreeMap<usize, BTreeMap<u64, String>> = BTreeMap::new();
    for (event, why) in unfit {
        let object = landed.object_of[*event] as usize;
        let positions = of_object.entry(object).or_default();
        positions.insert(places.position(*event), why.clone());
    }
    let raw_files = &landed.raw_files;
    let reads = of_object.into_iter().map(|(index, broken)| async move {
        let rejected = rejected(context, plan, index, &raw_files[index], broken);
        rejected.await.map(|rejected| (index, rejected))
    });
    // A future each, made before: a closure over references is not general enough to be sent.
    let reads: Vec<_> = reads.collect();
    let mut reads = futures::stream::iter(reads).buffered(context.pipeline.limits.requests_at_once);
    let mut rows = Vec::with_capacity(unfit.len());
    while let Some((index, rejected)) = reads.try_next().await? {
        let object = &plan.objects[index];
        rows.extend(rejected.into_iter().map(|rejected| QuarantineRow {
            source_file: object.key.clone(),
            source_modified: object.modified,
            raw_file: raw_files[index].clone(),
            rejected,
        }));
    }
    *landed.reasons.entry(Reason::Rule).or_default() += rows.len() as u64;
    landed.rejected.extend(rows);
    land::in_order(&mut landed.rejected);
    Ok(())
}

async fn rejected(
    context: &Context,
    plan: &Plan,
    index: usize,
    raw_file: &str,
    broken: BTreeMap<u64, String>,
) -> Result<Vec<Rejected>, Error> {
    let object = &plan.objects[index].key;
    let Some(bytes) = context.raw.read(raw_file).await? else {
        return Err(Error::Original {
            object: object.clone(),
            raw_file: raw_file.to_owned(),
            batch: plan.batch_of_objects(),
            changed: false,
        });
    };
    let decoder = land::decoder(&context.pipeline);
    let wanted = broken.len();
    let decoding = tokio::task::spawn_blocking(move || decoder.reject_events(&bytes, &broken));
    let rejected = decoding.await.map_err(|_| Error::Stopped("a decoder"))?;
    if rejected.len() == wanted {
        return Ok(rejected);
    }
    // They would be neither in a table nor in the quarantine.
    Err(Error::Query {
        what: format!("finding the events of `{object}` that break a rule"),
        reason: format!("{} of {wanted} were found", rejected.len()),
    })
}

fn take_out(landed: &mut Landed, unfit: &BTreeMap<usize, String>) -> Result<(), Error> {
    let mut first = 0;
    for events in &mut landed.events {
        let count = events.num_rows();
        let fit: BooleanArray = (first..first + count)
            .map(|event| Some(!unfit.contains_key(&event)))
            .collect();
        *events = filter_record_batch(events, &fit)
            .map_err(|error| transform::failed("taking events out", &error))?;
        first += count;
    }
    landed.events.retain(|events| events.num_rows() > 0);
    let mut event = 0;
    landed.object_of.retain(|_| {
        event += 1;
        !unfit.contains_key(&(event - 1))
    });
    Ok(())
}
