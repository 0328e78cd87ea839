//! Batches that a person asked for, one at a time, under the same fence as a runner's.
//!
//! Comes in: an opened bucket. Goes out: recorded batches. A batch that was interrupted is finished first:
//! nothing is planned on top of a batch that is not recorded.

use esteira_lake::ledger::{Ledger, Plan, Record, Retry};
use uuid::Uuid;

use super::apply::Tables;
use super::fetch::Objects;
use super::stages::{self, Context};
use crate::Error;

/// The ledger and the tables in one hand.
pub(super) struct ByHand<'a> {
    pub(super) context: &'a Context,
    pub(super) ledger: Ledger,
    tables: Tables,
}

impl<'a> ByHand<'a> {
    /// Opens everything and finishes what was interrupted.
    pub(super) async fn open(context: &'a Context) -> Result<Self, Error> {
        let ledger = Ledger::open(context.bucket.clone(), &context.pipeline.name).await?;
        let tables = Tables::open(context).await?;
        let mut hand = Self {
            context,
            ledger,
            tables,
        };
        for plan in hand.ledger.unfinished().to_vec() {
            let cut = hand.ledger.cut(plan.batch).copied();
            hand.run(plan, Objects::Interrupted(cut)).await?;
        }
        Ok(hand)
    }

    /// Plans and runs a retry of entries of `brought`, the plan that brought them.
    pub(super) async fn retry(&mut self, brought: Plan, retry: Retry) -> Result<Record, Error> {
        let plan = Plan {
            batch: self.ledger.last_plan() + 1,
            runner: Uuid::new_v4().to_string(),
            pipeline: self.context.pipeline.fingerprint.clone(),
            planned_at: self.context.clock.now_micros(),
            most_text_bytes: None,
            retry: Some(retry),
            ..brought
        };
        self.ledger.plan(&plan).await?;
        self.run(plan, Objects::New).await
    }

    async fn run(&mut self, plan: Plan, objects: Objects<'_>) -> Result<Record, Error> {
        let context = self.context;
        let prepared = stages::prepare(context, plan, objects).await?;
        let finished = stages::finish(context, &mut self.tables, &mut self.ledger, prepared);
        let (record, before) = Box::pin(finished).await?;
        context.observer.recorded(&record);
        stages::tidy(context, &mut self.tables, &record, before).await;
        Ok(record)
    }
}
