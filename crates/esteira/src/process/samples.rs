//! Samples of what the schema does not name, from the originals of batches that had some of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray as _;
use esteira_events::{RESCUED_DATA, Samples};
use esteira_lake::bucket::Bucket;
use esteira_lake::ledger::{Ledger, RescuedField};

use super::fetch::Objects;
use super::land;
use super::stages::Context;
use crate::{Error, Pipeline};

/// What was looked at.
#[derive(Debug, Default)]
pub(crate) struct Sampled {
    /// The fields that the schema of today does not name, with what is around them.
    pub(crate) samples: Samples,
    /// Events by the path of such a field.
    pub(crate) events_by_path: BTreeMap<String, u64>,
    /// The fields that the records know of.
    pub(crate) recorded: BTreeSet<String>,
    pub(crate) batches: u64,
    pub(crate) objects: usize,
    /// Those with such fields.
    pub(crate) events: u64,
}

/// Looks at originals of at most `most` objects, those of the newest batches first.
pub(crate) async fn sample(
    pipeline: Arc<Pipeline>,
    bucket: Bucket,
    most: usize,
) -> Result<Sampled, Error> {
    let ledger = Ledger::glance(bucket.clone(), &pipeline.name).await?;
    let mut sampled = Sampled::default();
    let Some(newest) = ledger.last_record() else {
        return Ok(sampled);
    };
    let totals = &newest.rescued_totals.fields;
    sampled.recorded = totals.keys().cloned().collect();
    let since = |field: &RescuedField| field.since;
    let Some(first) = totals.values().map(since).min() else {
        return Ok(sampled);
    };
    let context = Context::to_read(pipeline, bucket);
    for number in (first..=newest.batch).rev() {
        if sampled.objects >= most {
            break;
        }
        let record = ledger.record_of(number).await?;
        if record.rescued.is_empty() {
            continue;
        }
        let mut plan = ledger.plan_of(number).await?;
        plan.objects.truncate(most - sampled.objects);
        sampled.batches += 1;
        sampled.objects += plan.objects.len();
        let landed = Box::pin(land::land(&context, &plan, Objects::Recorded(&record))).await?;
        for (path, events) in landed.unnamed {
            *sampled.events_by_path.entry(path).or_default() += events;
        }
        for rows in landed.events {
            let rescued = rows.column_by_name(RESCUED_DATA);
            let rescued = rescued.and_then(|column| column.as_string_opt::<i32>());
            for rescued in rescued.into_iter().flatten().flatten() {
                sampled.events += 1;
                let looked_at = sampled.samples.look_at(rescued.as_bytes());
                debug_assert!(looked_at.rejected.is_empty(), "rescued data is JSON");
            }
        }
    }
    Ok(sampled)
}
