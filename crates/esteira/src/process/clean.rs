//! What becomes of objects that were taken: deleted from the input, or moved to the archive.
//!
//! Comes in: the objects of recorded batches, and objects that a listing shows and some plan holds. Goes out:
//! an input without them. The invariant: an object goes only when its batch is recorded, its original is in
//! `raw` (asked again right before), and it still has the content that was taken. It is done between batches,
//! a bounded number of objects at a time, and fails none: what could not be done is found again by a later
//! listing. So is what a killed run left.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use esteira_lake::archive::{Archive, Archived};
use esteira_lake::bucket::{BucketError, BucketLocation, Fetched, Removed};
use esteira_lake::ledger::{Ledger, LedgerError, Plan, PlannedObject, Record, Seen};
use futures::StreamExt as _;

use super::fetch::original_of;
use super::stages::Context;
use crate::pipeline::After;

/// Objects that are cleaned between two batches at most.
const STEP_OBJECTS: usize = 1_000;
/// Batches that are searched between two batches at most.
const STEP_BATCHES: u64 = 100;
/// Objects that are remembered at most; what is beyond is found by a later listing.
const MOST_REMEMBERED: usize = 100_000;
const FIRST_REST: Duration = Duration::from_mins(1);
const LONGEST_REST: Duration = Duration::from_hours(1);

/// How many objects that were taken left the input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Deleted.
    pub deleted: u64,
    /// Moved to the archive.
    pub archived: u64,
    /// Had another content by then, or were gone already: they were left alone.
    pub left_alone: u64,
}

impl Cleaned {
    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            deleted: self.deleted + other.deleted,
            archived: self.archived + other.archived,
            left_alone: self.left_alone + other.left_alone,
        }
    }
}

/// An object whose original is safe.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) object: PlannedObject,
    /// The key its original is kept under.
    pub(super) original: String,
}

type Content = (String, String);

/// What is to be cleaned, by one run.
#[derive(Debug, Default)]
pub(super) struct Cleaner {
    ready: VecDeque<Taken>,
    /// Contents of batches that are not recorded yet, and of `ready`.
    busy: HashSet<Content>,
    /// Contents that some plan holds, before it is known which.
    unknown: HashMap<Content, PlannedObject>,
    /// The next batch to look for them in, downwards.
    next_batch: u64,
    /// Contents that cannot be cleaned, however often they are listed.
    given_up: Seen,
    /// After a failure: until when nothing is tried.
    rests_until: i64,
    rest: Duration,
}

/// What came of one object.
enum Outcome {
    Deleted,
    Archived,
    LeftAlone,
    NoOriginal,
}

impl Cleaner {
    /// A batch is being run.
    pub(super) fn begins(&mut self, context: &Context, plan: &Plan) {
        if context.cleans() && plan.retry.is_none() {
            self.busy.extend(plan.objects.iter().map(content_of));
        }
    }

    /// A batch is recorded. `originals` are the keys of its objects' originals, empty where there is none.
    pub(super) fn recorded(&mut self, context: &Context, plan: Plan, originals: Vec<String>) {
        if !context.cleans() || plan.retry.is_some() {
            return;
        }
        for (object, original) in plan.objects.into_iter().zip(originals) {
            self.busy.remove(&content_of(&object));
            if !original.is_empty() {
                self.push(context, Taken { object, original });
            }
        }
    }

    /// A look found these still in the input: contents that some plan holds, and contents that were there
    /// before under another entity tag.
    pub(super) fn found(
        &mut self,
        context: &Context,
        ledger: &Ledger,
        seen: Vec<PlannedObject>,
        again: Vec<Taken>,
    ) {
        if !context.cleans() || self.is_resting(context) {
            return;
        }
        for taken in again {
            self.push(context, taken);
        }
        // One search at a time: what is listed meanwhile is listed again.
        if !self.unknown.is_empty() {
            return;
        }
        let seen = seen.into_iter().map(|object| (content_of(&object), object));
        let wanted = seen
            .filter(|(content, _)| !self.busy.contains(content))
            .filter(|((key, etag), _)| !self.given_up.contains(key, etag));
        self.unknown = wanted.take(MOST_REMEMBERED).collect();
        self.next_batch = ledger.last_recorded();
    }

    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.unknown.is_empty()
    }

    /// Cleans some of what is ready.
    pub(super) async fn step(&mut self, context: &Context, ledger: &Ledger) -> Cleaned {
        let mut cleaned = Cleaned::default();
        if let Err(error) = self.search(context, ledger).await {
            self.unknown.clear();
            self.rest(context, &error, error.hint());
            return cleaned;
        }
        let some = self.ready.len().min(STEP_OBJECTS);
        let some: Vec<Taken> = self.ready.drain(..some).collect();
        for taken in &some {
            self.busy.remove(&content_of(&taken.object));
        }
        let mut failure = None;
        {
            let work: Vec<_> = some
                .iter()
                .map(|taken| async move { (taken, clean(context, taken).await) })
                .collect();
            let at_once = context.pipeline.limits.requests_at_once;
            let mut work = futures::stream::iter(work).buffer_unordered(at_once);
            while let Some((Taken { object, original }, outcome)) = work.next().await {
                match outcome {
                    Ok(Outcome::Deleted) => cleaned.deleted += 1,
                    Ok(Outcome::Archived) => cleaned.archived += 1,
                    Ok(Outcome::LeftAlone) => cleaned.left_alone += 1,
                    Ok(Outcome::NoOriginal) => {
                        self.given_up.insert(&object.key, &object.etag);
                        tracing::warn!(
                            object = ?object.key, original,
                            "stays in the input: its original is not in raw, or is another content"
                        );
                    }
                    Err(error) if is_about_one(&error) => {
                        self.given_up.insert(&object.key, &object.etag);
                        tracing::warn!(object = ?object.key, %error, "stays in the input");
                    }
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
        }
        match failure {
            Some(error) => {
                for left in self.ready.drain(..) {
                    self.busy.remove(&content_of(&left.object));
                }
                self.unknown.clear();
                self.rest(context, &error, error.hint());
            }
            None if !some.is_empty() => self.rest = Duration::ZERO,
            None => {}
        }
        if cleaned != Cleaned::default() {
            tracing::info!(
                deleted = cleaned.deleted,
                archived = cleaned.archived,
                left_alone = cleaned.left_alone,
                "cleaned the input"
            );
        }
        cleaned
    }

    fn push(&mut self, context: &Context, taken: Taken) {
        let is_full = self.ready.len() >= MOST_REMEMBERED;
        if !is_full && !self.is_resting(context) && self.busy.insert(content_of(&taken.object)) {
            self.ready.push_back(taken);
        }
    }

    /// Looks for contents in the plans of recorded batches, the newest first: what a killed run left was
    /// recorded last.
    async fn search(&mut self, context: &Context, ledger: &Ledger) -> Result<(), LedgerError> {
        for _ in 0..STEP_BATCHES {
            if self.unknown.is_empty() || self.ready.len() >= STEP_OBJECTS {
                return Ok(());
            }
            if self.next_batch == 0 {
                // No batch took them: a content that was there again after it had been missed, say.
                for ((key, etag), _) in self.unknown.drain() {
                    self.given_up.insert(&key, &etag);
                }
                return Ok(());
            }
            let (plan, record) = ledger.batch(self.next_batch).await?;
            self.next_batch -= 1;
            if plan.retry.is_none() {
                self.search_in(context, &plan, &record);
            }
        }
        Ok(())
    }

    fn search_in(&mut self, context: &Context, plan: &Plan, record: &Record) {
        for (index, object) in plan.objects.iter().enumerate() {
            let wanted = content_of(object);
            if !self.unknown.contains_key(&wanted) {
                continue;
            }
            // What was put off or missed is in another batch, or in none.
            if let Some(original) = original_of(&context.raw, plan, record, index)
                && let Some(object) = self.unknown.remove(&wanted)
            {
                self.push(context, Taken { object, original });
            }
        }
    }

    fn is_resting(&self, context: &Context) -> bool {
        context.clock.now_micros() < self.rests_until
    }

    fn rest(&mut self, context: &Context, error: &dyn std::error::Error, hint: Option<String>) {
        self.rest = (self.rest * 2).clamp(FIRST_REST, LONGEST_REST);
        let micros = i64::try_from(self.rest.as_micros()).unwrap_or(i64::MAX);
        self.rests_until = context.clock.now_micros().saturating_add(micros);
        tracing::warn!(
            %error,
            hint = hint.unwrap_or_default(),
            "objects that were taken stay in the input; tried again with a listing after {} s",
            self.rest.as_secs()
        );
    }
}

async fn clean(context: &Context, taken: &Taken) -> Result<Outcome, BucketError> {
    let Taken { object, original } = taken;
    if context.raw.size(original).await? != Some(object.size) {
        return Ok(Outcome::NoOriginal);
    }
    if is_told_by_identity(context, object) {
        let there = context.bucket.get(&object.key, Some(&object.etag)).await?;
        match (there, context.raw.read(original).await?) {
            (Fetched::Bytes(there), Some(kept)) if there == kept => {}
            (Fetched::Bytes(_), _) => return Ok(Outcome::NoOriginal),
            (Fetched::Changed | Fetched::Missing, _) => return Ok(Outcome::LeftAlone),
        }
    }
    let done = match &context.pipeline.source.after {
        After::Keep => return Ok(Outcome::LeftAlone),
        After::Delete => Outcome::Deleted,
        After::Archive { folder } => {
            let archive = Archive::new(context.bucket.clone(), folder);
            let name = context.pipeline.input.name(&object.key);
            if archive.keep(name, object).await? == Archived::Gone {
                return Ok(Outcome::LeftAlone);
            }
            Outcome::Archived
        }
    };
    Ok(
        match context.bucket.remove(&object.key, &object.etag).await? {
            Removed::Done => done,
            Removed::Changed | Removed::Missing => Outcome::LeftAlone,
        },
    )
}

/// Whether the entity tag tells a file from others, and not what is in it: a name that is given again may have
/// the number, the time and the length of the file that had it before. What is too large is not compared.
fn is_told_by_identity(context: &Context, object: &PlannedObject) -> bool {
    let most = context.pipeline.limits.decompressed_bytes_per_object as u64;
    matches!(context.bucket.location(), BucketLocation::File { .. }) && object.size <= most
}

/// Whether it is something about this object alone, and not about the bucket or the machine.
fn is_about_one(error: &BucketError) -> bool {
    let transient = error.is_transient();
    matches!(error, BucketError::Service { .. }) && !transient && error.hint().is_none()
}

fn content_of(object: &PlannedObject) -> Content {
    (object.key.clone(), object.etag.clone())
}
