//! Batches that a person asked for, one at a time, under the same fence as a runner's.
//!
//! Comes in: an opened bucket. Goes out: recorded batches. A batch that was interrupted is finished first:
//! nothing is planned on top of a batch that is not recorded.

use esteira_lake::ledger::{Ledger, Plan, Record};
use uuid::Uuid;

use super::apply::Tables;
use super::fetch::Objects;
use super::rules::Stop;
use super::stages::{self, Context};
use super::{plan, switch};
use crate::Error;

/// The ledger and the tables in one hand.
pub(super) struct ByHand<'a> {
    pub(super) context: &'a Context,
    pub(super) ledger: Ledger,
    tables: Tables,
    runner: String,
}

impl<'a> ByHand<'a> {
    /// Opens everything and finishes what was interrupted.
    pub(super) async fn open(context: &'a Context) -> Result<Self, Error> {
        let ledger = switch::open_ledger(context).await?;
        let tables = Tables::open(context).await?;
        let mut hand = Self {
            context,
            ledger,
            tables,
            runner: Uuid::new_v4().to_string(),
        };
        for plan in hand.ledger.unfinished().to_vec() {
            if plan.switch.is_some() {
                let record = switch::pass(context, &mut hand.ledger, &plan).await?;
                context.observer.recorded(&record);
                continue;
            }
            let cut = hand.ledger.cut(plan.batch).copied();
            hand.finish(plan, Objects::Interrupted(cut)).await?;
        }
        Ok(hand)
    }

    /// The next batch, of nothing yet.
    pub(super) fn next_plan(&self) -> Plan {
        plan::empty(self.context, &self.ledger, &self.runner)
    }

    /// Writes the plan and runs it.
    pub(super) async fn run(&mut self, plan: Plan) -> Result<Record, Error> {
        self.ledger.plan(&plan).await?;
        self.finish(plan, Objects::New).await
    }

    async fn finish(&mut self, plan: Plan, objects: Objects<'_>) -> Result<Record, Error> {
        let context = self.context;
        let prepared = stages::prepare(context, plan, objects, Stop::Ends).await?;
        let finished = stages::finish(context, &mut self.tables, &mut self.ledger, prepared);
        let done = Box::pin(finished).await?;
        context.observer.recorded(&done.record);
        stages::tidy(context, &mut self.tables, &done.record, done.planned_before).await;
        Ok(done.record)
    }
}
