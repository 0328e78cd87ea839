//! Where new objects are looked for, and when: in a listing at every look, or in messages, with a listing now
//! and then.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use esteira_lake::bucket::{BucketError, Listed};
use esteira_lake::ledger::{Ledger, Plan, PlannedObject};
use futures::StreamExt as _;
use tokio::time::Instant;

use super::clean::Taken;
use super::discover::{self, Discovered};
use super::inbox::Inbox;
use super::shutdown::Shutdown;
use super::stages::Context;
use crate::Error;

/// The longest that a queue is asked to hold a request back.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// New objects of one session.
pub(super) struct Lookout<'a> {
    /// Found, and in no plan yet.
    pub(super) waiting: VecDeque<PlannedObject>,
    inbox: Option<&'a mut Inbox>,
    /// When the input is to be listed again, where messages tell of most.
    next_listing: Instant,
    /// Keys to look at once more, each from an instant on; only where messages tell of most.
    later: BTreeSet<(i64, String)>,
    listed: bool,
}

/// What a look gave, beside what waits.
pub(super) struct Look {
    /// Whether everything was looked at.
    pub(super) is_of_listing: bool,
    pub(super) young: u64,
    pub(super) old: u64,
    pub(super) seen: Vec<PlannedObject>,
    pub(super) again: Vec<Taken>,
}

impl<'a> Lookout<'a> {
    pub(super) fn new(inbox: Option<&'a mut Inbox>) -> Self {
        Self {
            waiting: VecDeque::new(),
            inbox,
            next_listing: Instant::now(),
            later: BTreeSet::new(),
            listed: false,
        }
    }

    /// Looks for new objects if none wait; what ends by itself lists once.
    pub(super) async fn look(
        &mut self,
        context: &Context,
        ledger: &mut Ledger,
        once: bool,
    ) -> Result<Option<Look>, Error> {
        if !self.waiting.is_empty() || (once && self.listed) {
            return Ok(None);
        }
        let found = self.find(context, ledger).await?;
        let is_of_listing = found.is_none();
        let found = match found {
            Some(found) => found,
            None => self.list(context, ledger).await?,
        };
        if let Some(inbox) = &mut self.inbox {
            self.later.extend(found.young.iter().cloned());
            inbox.tidy().await;
        }
        self.waiting = found.new.into();
        Ok(Some(Look {
            is_of_listing,
            young: found.young.len() as u64,
            old: found.old,
            seen: found.seen,
            again: found.again,
        }))
    }

    async fn list(&mut self, context: &Context, ledger: &mut Ledger) -> Result<Discovered, Error> {
        // From its beginning on: what comes while it is listed may be missing in it.
        let begun = Instant::now();
        let found = discover::list(context, ledger).await?;
        self.listed = true;
        if let Some(told) = &context.pipeline.source.notifications {
            self.next_listing = begun + told.list_every;
        }
        Ok(found)
    }

    /// What messages named; nothing where a listing is due.
    async fn find(
        &mut self,
        context: &Context,
        ledger: &mut Ledger,
    ) -> Result<Option<Discovered>, Error> {
        let Some(inbox) = &mut self.inbox else {
            return Ok(None);
        };
        if inbox.rests_until().is_none()
            && let Err(error) = inbox.receive_all().await
        {
            inbox.failed(&error);
            self.next_listing = Instant::now();
        }
        if self.next_listing <= Instant::now() {
            return Ok(None);
        }
        let now = context.clock.now_micros();
        let mut keys = inbox.take_fresh();
        while self.later.first().is_some_and(|(from, _)| *from <= now) {
            keys.extend(self.later.pop_first().map(|(_, key)| key));
        }
        // Whoever may write to the queue can have nothing looked at but the input.
        let (own, foreign): (BTreeSet<_>, BTreeSet<_>) = keys
            .into_iter()
            .partition(|key| context.pipeline.input.matches(key));
        for key in &foreign {
            inbox.settle(key);
        }
        let mut listed = Vec::new();
        let mut left = BTreeSet::new();
        for (key, object) in look_at(context, own).await {
            match object {
                Ok(Some(object)) => {
                    left.insert(key);
                    listed.push(object);
                }
                // It is gone.
                Ok(None) => inbox.settle(&key),
                Err(error) if error.is_transient() || !is_about_one(&error) => {
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::warn!(object = ?key, %error, "is named by a message and cannot be looked at");
                }
            }
        }
        let found = discover::judge(context, ledger, listed).await?;
        let foreign = found.foreign + foreign.len() as u64;
        if foreign > 0 {
            tracing::info!(
                objects = foreign,
                "messages name objects that are not taken"
            );
        }
        for key in found.new.iter().map(|object| &object.key) {
            left.remove(key);
        }
        for (_, key) in &found.young {
            left.remove(key);
        }
        for key in left {
            inbox.settle(&key);
        }
        Ok(Some(found))
    }

    /// The next batch is planned: nothing more is to be done for its objects.
    pub(super) async fn planned(&mut self, plan: &Plan) {
        if let Some(inbox) = &mut self.inbox {
            for object in &plan.objects {
                inbox.settle(&object.key);
            }
            inbox.tidy().await;
        }
    }

    /// A recorded batch left these out: they count as new again.
    pub(super) fn put_off(&mut self, objects: &[PlannedObject]) {
        self.listed = false;
        if self.inbox.is_some() {
            let again = objects.iter().map(|object| (i64::MIN, object.key.clone()));
            self.later.extend(again);
        }
    }

    /// Waits until there may be something new, or the run is to stop.
    pub(super) async fn idle(&mut self, context: &Context, shutdown: &Shutdown) {
        let poll = context.pipeline.limits.poll;
        let Some(inbox) = &mut self.inbox else {
            shutdown.within(poll).await;
            return;
        };
        let begun = Instant::now();
        let mut wait = self.next_listing.duration_since(begun).min(LONGEST_WAIT);
        if let Some((from, _)) = self.later.first() {
            let micros = from.saturating_sub(context.clock.now_micros());
            // An instant of the clock, which may stand still in a test.
            wait = wait.min(Duration::from_micros(micros.try_into().unwrap_or(0)).max(poll));
        }
        if let Some(at) = inbox.rests_until() {
            shutdown.within(at.duration_since(begun).min(wait)).await;
            return;
        }
        if wait < Duration::from_secs(1) {
            shutdown.within(wait).await;
            return;
        }
        let received = tokio::select! {
            received = inbox.receive(wait) => received,
            _ = shutdown.within(LONGEST_WAIT * 2) => return,
        };
        match received {
            Ok(0) => {
                // A service that does not hold requests back would be asked without end.
                shutdown.within(poll.saturating_sub(begun.elapsed())).await;
            }
            Ok(_) => {}
            Err(error) => {
                inbox.failed(&error);
                self.next_listing = Instant::now();
            }
        }
    }
}

async fn look_at(
    context: &Context,
    keys: BTreeSet<String>,
) -> Vec<(String, Result<Option<Listed>, BucketError>)> {
    let looks = keys.into_iter().map(|key| async move {
        let found = context.bucket.find(&key).await;
        (key, found)
    });
    let at_once = context.pipeline.limits.requests_at_once;
    futures::stream::iter(looks)
        .buffer_unordered(at_once)
        .collect()
        .await
}

/// Whether it is something about this key alone: no bucket has an object of this name.
fn is_about_one(error: &BucketError) -> bool {
    matches!(error, BucketError::Service { .. })
}
