//! The account of a finished batch.

use std::collections::BTreeMap;

use esteira_events::named_paths;
use esteira_lake::ledger::{Accounts, Counts, Freshness, Plan, Record, Rescued, Timings};
use esteira_lake::upsert::Verdict;

use super::apply::Applied;
use super::land::Landed;
use super::plan;
use super::stages::Context;

/// What the batch did, with everything accounted for; `before` is the record of the batch before it.
pub(super) fn of(
    context: &Context,
    before: Option<&Record>,
    plan: &Plan,
    landed: &Landed,
    applied: Applied,
    timings_ms: Timings,
) -> Record {
    let (accounts, withdrawn) = accounts_of(plan, landed, &applied);
    let recorded_at = context.clock.now_micros();
    let taken = || {
        let objects = plan.objects.iter().zip(&landed.objects);
        objects.filter(|(_, account)| !account.put_off)
    };
    // Nobody waited for what is retried.
    let ages = taken()
        .filter(|_| plan.retry.is_none())
        .map(|(object, _)| (recorded_at - object.modified) / 1000)
        .collect();
    let rescued = rescued_of(plan, landed);
    let mut rescued_totals = before
        .map_or_else(Rescued::default, |record| record.rescued_totals.clone())
        .plus(&rescued);
    // What the schema names by now is missed no more.
    let named = named_paths(&context.pipeline.schema);
    rescued_totals
        .fields
        .retain(|path, _| !named.contains(path));
    let newest = taken().map(|(object, _)| object.modified).max();
    Record {
        format: 1,
        batch: plan.batch,
        process: plan.process.clone(),
        pipeline: plan.pipeline.clone(),
        rules_since: rules_since(before, plan),
        planned_at: plan.planned_at,
        recorded_at,
        newest_object: newest
            .into_iter()
            .chain(before.map(|record| record.newest_object))
            .max()
            .unwrap_or_default(),
        bytes: taken().map(|(object, _)| object.size).sum(),
        tables: applied.tables,
        input: plan::base(context, plan).to_owned(),
        originals: landed.originals.clone(),
        totals: before
            .map_or_else(|| accounts.clone(), |record| record.totals.plus(&accounts))
            .minus(&withdrawn),
        accounts,
        rescued,
        rescued_totals,
        retry_of: plan.retry.as_ref().map(|retry| retry.batch),
        withdrawn,
        switch: None,
        switched_in: before.and_then(|record| record.switched_in),
        freshness_ms: Freshness::of(ages),
        timings_ms,
    }
}

/// The first batch in a row that the plan's rules make.
fn rules_since(before: Option<&Record>, plan: &Plan) -> Option<u64> {
    match before {
        Some(before) if before.pipeline == plan.pipeline => before.rules_since,
        _ => Some(plan.batch),
    }
}

/// Fields of its events that the schema does not name.
pub(super) fn rescued_of(plan: &Plan, landed: &Landed) -> Rescued {
    Rescued::of(plan.batch, landed.unnamed.clone(), landed.unnamed_beyond)
}

/// What became of everything, and what earlier batches said of the same, rules included.
pub(super) fn accounts_of(plan: &Plan, landed: &Landed, applied: &Applied) -> (Accounts, Accounts) {
    let (mut accounts, withdrawn) = accounts(plan, landed, &applied.verdicts);
    accounts.rules.clone_from(&applied.broken);
    accounts.rules.extend(landed.broken.clone());
    debug_assert!(accounts.objects.add_up() && accounts.events.add_up());
    debug_assert!(withdrawn.objects.add_up() && withdrawn.events.add_up());
    (accounts, withdrawn)
}

/// The record of a batch that brings no objects and, so far, changes nothing: the state is that of the
/// record before.
pub(super) fn of_nothing(context: &Context, before: Option<&Record>, plan: &Plan) -> Record {
    let rules_since = rules_since(before, plan);
    let before = before.cloned();
    Record {
        format: 1,
        batch: plan.batch,
        process: plan.process.clone(),
        pipeline: plan.pipeline.clone(),
        rules_since,
        planned_at: plan.planned_at,
        recorded_at: context.clock.now_micros(),
        newest_object: before.as_ref().map_or(0, |record| record.newest_object),
        bytes: 0,
        tables: before
            .as_ref()
            .map(|r| r.tables.clone())
            .unwrap_or_default(),
        input: context.pipeline.input.base().to_owned(),
        originals: BTreeMap::new(),
        accounts: Accounts::default(),
        retry_of: plan.retry.as_ref().map(|retry| retry.batch),
        withdrawn: Accounts::default(),
        switch: None,
        switched_in: before.as_ref().and_then(|record| record.switched_in),
        rescued: Rescued::default(),
        rescued_totals: before
            .as_ref()
            .map(|record| record.rescued_totals.clone())
            .unwrap_or_default(),
        totals: before.map(|record| record.totals).unwrap_or_default(),
        freshness_ms: Freshness::default(),
        timings_ms: Timings::default(),
    }
}

/// What became of everything, and what earlier batches said of the same.
fn accounts(plan: &Plan, landed: &Landed, verdicts: &[Verdict]) -> (Accounts, Accounts) {
    let mut accounts = Accounts::default();
    let mut withdrawn = Accounts::default();
    let mut best: Vec<Option<Verdict>> = vec![None; landed.objects.len()];
    for (object, verdict) in landed.object_of.iter().zip(verdicts) {
        count(&mut accounts.events, Some(*verdict));
        let best = &mut best[*object as usize];
        let rank = |verdict: Verdict| match verdict {
            Verdict::Applied => 3,
            Verdict::Superseded => 2,
            Verdict::Duplicate => 1,
        };
        if best.is_none_or(|best| rank(*verdict) > rank(best)) {
            *best = Some(*verdict);
        }
    }
    for (reason, count) in &landed.reasons {
        accounts.events.discovered += count;
        accounts.events.quarantined += count;
        accounts.reasons.insert(reason.as_str().to_owned(), *count);
    }
    for (object, best) in landed.objects.iter().zip(best) {
        if object.put_off {
            continue;
        }
        let best = best.or(object.gone.then_some(Verdict::Superseded));
        count(&mut accounts.objects, best);
        if plan.retry.is_some() {
            // An object with good events counted for those, and goes on to do so.
            count(&mut withdrawn.objects, best.filter(|_| object.has_older));
        }
    }
    let retried = plan.retry.iter().flat_map(|retry| &retry.objects);
    for reason in retried.flat_map(|object| object.entries.values()) {
        count(&mut withdrawn.events, None);
        *withdrawn.reasons.entry(reason.clone()).or_default() += 1;
    }
    (accounts, withdrawn)
}

/// Counts one thing: what became of it, or that it was rejected.
fn count(counts: &mut Counts, verdict: Option<Verdict>) {
    counts.discovered += 1;
    match verdict {
        Some(Verdict::Applied) => counts.applied += 1,
        Some(Verdict::Superseded) => counts.superseded += 1,
        Some(Verdict::Duplicate) => counts.duplicate += 1,
        None => counts.quarantined += 1,
    }
}
