//! The account of a finished batch.

use esteira_lake::ledger::{Accounts, Counts, Freshness, Ledger, Plan, Record, Timings};
use esteira_lake::upsert::Verdict;

use super::apply::Applied;
use super::land::Landed;
use super::stages::Context;

/// What the batch did, with everything accounted for.
pub(super) fn of(
    context: &Context,
    ledger: &Ledger,
    plan: &Plan,
    landed: &Landed,
    applied: Applied,
    timings_ms: Timings,
) -> Record {
    let mut accounts = accounts(landed, &applied.verdicts);
    accounts.rules = applied.broken;
    accounts.rules.extend(landed.broken.clone());
    debug_assert!(accounts.objects.add_up() && accounts.events.add_up());
    let before = ledger.last_record();
    let recorded_at = context.clock.now_micros();
    let ages = plan
        .objects
        .iter()
        .map(|object| (recorded_at - object.modified) / 1000)
        .collect();
    let newest = plan.objects.iter().map(|object| object.modified).max();
    Record {
        format: 1,
        batch: plan.batch,
        process: plan.process.clone(),
        pipeline: plan.pipeline.clone(),
        planned_at: plan.planned_at,
        recorded_at,
        newest_object: newest
            .into_iter()
            .chain(before.map(|record| record.newest_object))
            .max()
            .unwrap_or_default(),
        bytes: plan.objects.iter().map(|object| object.size).sum(),
        tables: applied.tables,
        input: context.pipeline.input.base().to_owned(),
        originals: landed.originals.clone(),
        totals: before.map_or_else(|| accounts.clone(), |record| record.totals.plus(&accounts)),
        accounts,
        freshness_ms: Freshness::of(ages),
        timings_ms,
    }
}

fn accounts(landed: &Landed, verdicts: &[Verdict]) -> Accounts {
    let mut accounts = Accounts::default();
    let mut best: Vec<Option<Verdict>> = vec![None; landed.objects.len()];
    for (object, verdict) in landed.object_of.iter().zip(verdicts) {
        count(&mut accounts.events, *verdict);
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
    for row in &landed.rejected {
        accounts.events.discovered += 1;
        accounts.events.quarantined += 1;
        let reason = row.rejected.reason.as_str().to_owned();
        *accounts.reasons.entry(reason).or_default() += 1;
    }
    for (object, best) in landed.objects.iter().zip(best) {
        match best {
            Some(verdict) => count(&mut accounts.objects, verdict),
            None if object.gone => count(&mut accounts.objects, Verdict::Superseded),
            None => {
                accounts.objects.discovered += 1;
                accounts.objects.quarantined += 1;
            }
        }
    }
    accounts
}

fn count(counts: &mut Counts, verdict: Verdict) {
    counts.discovered += 1;
    match verdict {
        Verdict::Applied => counts.applied += 1,
        Verdict::Superseded => counts.superseded += 1,
        Verdict::Duplicate => counts.duplicate += 1,
    }
}
