//! Cutting what was discovered into a numbered batch.

use std::collections::VecDeque;

use esteira_lake::ledger::{Ledger, Plan, PlannedObject};

use super::stages::Context;
use crate::clock::date;
use crate::{Error, Limits};

/// Plans the next batch from the front of `waiting` and writes the plan. The objects are taken to unpack to
/// `expansion` times their size, as those of the batch before did.
pub(super) async fn next(
    context: &Context,
    ledger: &mut Ledger,
    runner: &str,
    waiting: &mut VecDeque<PlannedObject>,
    expansion: u64,
) -> Result<Plan, Error> {
    let plan = Plan {
        most_text_bytes: Some(context.pipeline.limits.bytes_per_batch),
        objects: take(waiting, &context.pipeline.limits, expansion),
        ..empty(context, ledger, runner)
    };
    ledger.plan(&plan).await?;
    Ok(plan)
}

/// The next batch, planned now, of nothing yet.
pub(super) fn empty(context: &Context, ledger: &Ledger, runner: &str) -> Plan {
    let now = context.clock.now_micros();
    Plan {
        format: 1,
        batch: ledger.last_plan() + 1,
        process: context.pipeline.name.clone(),
        runner: runner.to_owned(),
        pipeline: context.pipeline.fingerprint.clone(),
        planned_at: now,
        processing_date: date(now),
        input: Some(context.pipeline.input.base().to_owned()),
        most_text_bytes: None,
        objects: Vec::new(),
        retry: None,
        switch: None,
    }
}

/// The folder that the plan's objects are named under.
pub(super) fn base<'a>(context: &'a Context, plan: &'a Plan) -> &'a str {
    let own = || context.pipeline.input.base();
    plan.input.as_deref().unwrap_or_else(own)
}

/// The object's name, by which its original is kept.
pub(super) fn name<'a>(context: &Context, plan: &Plan, key: &'a str) -> &'a str {
    key.strip_prefix(base(context, plan)).unwrap_or(key)
}

/// As many objects as the limits allow, and at least one.
fn take(
    waiting: &mut VecDeque<PlannedObject>,
    limits: &Limits,
    expansion: u64,
) -> Vec<PlannedObject> {
    let mut objects = Vec::new();
    let mut bytes: u64 = 0;
    while let Some(object) = waiting.front() {
        let sum = bytes.saturating_add(object.size.saturating_mul(expansion));
        let full = objects.len() >= limits.objects_per_batch || sum > limits.bytes_per_batch;
        if full && !objects.is_empty() {
            break;
        }
        bytes = sum;
        objects.extend(waiting.pop_front());
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(sizes: &[u64]) -> VecDeque<PlannedObject> {
        sizes
            .iter()
            .map(|size| PlannedObject {
                key: String::new(),
                etag: String::new(),
                size: *size,
                modified: 0,
            })
            .collect()
    }

    #[test]
    fn batch_stops_before_either_limit_but_takes_one() {
        let limits = Limits {
            objects_per_batch: 3,
            bytes_per_batch: 10,
            ..Limits::default()
        };
        for (sizes, taken) in [
            (vec![1, 1, 1, 1], 3),
            (vec![6, 4, 1], 2),
            (vec![6, 5], 1),
            (vec![50, 1], 1),
            (vec![], 0),
        ] {
            assert_eq!(
                take(&mut waiting(&sizes), &limits, 1).len(),
                taken,
                "{sizes:?}"
            );
        }
        assert_eq!(take(&mut waiting(&[2, 2, 2]), &limits, 4).len(), 1);
    }
}
