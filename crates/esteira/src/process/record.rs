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
    let accounts = accounts(landed, &applied.verdicts);
    debug_assert!(accounts.objects.add_up() && accounts.events.add_up());
    let before = ledger.last_record();
    let recorded_at = context.clock.now_micros();
    let taken = || {
        let objects = plan.objects.iter().zip(&landed.objects);
        objects.filter(|(_, account)| !account.put_off)
    };
    let ages = taken()
        .map(|(object, _)| (recorded_at - object.modified) / 1000)
        .collect();
    let newest = taken().map(|(object, _)| object.modified).max();
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
        bytes: taken().map(|(object, _)| object.size).sum(),
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
    for (reason, count) in &landed.reasons {
        accounts.events.discovered += count;
        accounts.events.quarantined += count;
        accounts.reasons.insert(reason.as_str().to_owned(), *count);
    }
    for (object, best) in landed.objects.iter().zip(best) {
        match best {
            Some(verdict) => count(&mut accounts.objects, verdict),
            None if object.put_off => {}
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
