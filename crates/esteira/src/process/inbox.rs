//! Messages that name new objects, and what has become of each.
//!
//! Comes in: a queue. Goes out: keys to look at. The invariant: a message is deleted only when nothing more
//! is to be done for any object it names: a plan holds it, or it is not taken. Until then it comes again, to
//! this run or another. Lost, doubled and late messages change nothing: what is there, the bucket says, and
//! a listing now and then finds what no message named.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use esteira_lake::bucket::{Bucket, BucketLocation};
use esteira_lake::notifications::{Message, Queue, QueueError, named_in};
use tokio::time::Instant;

use crate::Pipeline;

/// Requests of one look at most.
const ROUNDS: usize = 100;
/// How long a message stays hidden while its object waits for a batch, beside the age that it waits for.
const HIDDEN: Duration = Duration::from_mins(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The messages of one run.
#[derive(Debug)]
pub(super) struct Inbox {
    queue: Queue,
    bucket: String,
    hidden: Duration,
    /// Messages in hand, by their ids.
    messages: HashMap<String, InHand>,
    /// The ids of the messages that name a key.
    naming: HashMap<String, Vec<String>>,
    /// Keys that were not looked at yet.
    fresh: BTreeSet<String>,
    /// Receipts of messages that nothing more is to be done for.
    done: Vec<String>,
    failures: u32,
    retry_at: Option<Instant>,
}

#[derive(Debug)]
struct InHand {
    receipt: String,
    /// Keys it names that something is to be done for.
    keys: BTreeSet<String>,
}

impl Inbox {
    /// Asks the queue for the first time: a setting that is wrong is told at once.
    pub(super) async fn open(
        queue: Queue,
        bucket: &Bucket,
        pipeline: &Pipeline,
    ) -> Result<Self, QueueError> {
        let bucket = match bucket.location() {
            BucketLocation::S3 { name } | BucketLocation::Store { name } => name.clone(),
            location @ BucketLocation::File { .. } => {
                return Err(QueueError::NotOnS3 {
                    bucket: location.to_string(),
                });
            }
        };
        let mut inbox = Self {
            queue,
            bucket,
            hidden: HIDDEN + pipeline.source.min_age,
            messages: HashMap::new(),
            naming: HashMap::new(),
            fresh: BTreeSet::new(),
            done: Vec::new(),
            failures: 0,
            retry_at: None,
        };
        match inbox.receive(Duration::ZERO).await {
            Err(error) if error.is_transient() => inbox.failed(&error),
            outcome => drop(outcome?),
        }
        Ok(inbox)
    }

    /// A run begins anew: everything that is in hand has to be looked at again.
    pub(super) fn begin_anew(&mut self) {
        self.fresh.extend(self.naming.keys().cloned());
    }

    /// Takes the messages that are there now, at most a thousand.
    pub(super) async fn receive_all(&mut self) -> Result<(), QueueError> {
        for _ in 0..ROUNDS {
            if self.receive(Duration::ZERO).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Takes up to ten messages, waiting for the first at most `wait`; tells how many there were.
    pub(super) async fn receive(&mut self, wait: Duration) -> Result<usize, QueueError> {
        let messages = self.queue.receive(wait, self.hidden).await?;
        if self.failures > 0 {
            tracing::info!("the queue answers again");
        }
        self.failures = 0;
        self.retry_at = None;
        let count = messages.len();
        for message in messages {
            self.note(message);
        }
        Ok(count)
    }

    fn note(&mut self, message: Message) {
        let named = match named_in(&message.body) {
            Ok(named) => named,
            Err(malformed) => {
                tracing::warn!(
                    %malformed,
                    message = ?message.message_id,
                    "a message of the queue cannot be read; it is left to the queue's redrive policy"
                );
                return;
            }
        };
        let (own, foreign): (Vec<_>, Vec<_>) = named
            .into_iter()
            .partition(|named| named.bucket == self.bucket);
        if !foreign.is_empty() {
            tracing::info!(
                objects = foreign.len(),
                "a message names objects of other buckets"
            );
        }
        let keys: BTreeSet<String> = own.into_iter().map(|named| named.key).collect();
        if keys.is_empty() {
            self.done.push(message.receipt_handle);
            return;
        }
        self.fresh.extend(keys.iter().cloned());
        for key in &keys {
            let ids = self.naming.entry(key.clone()).or_default();
            if !ids.contains(&message.message_id) {
                ids.push(message.message_id.clone());
            }
        }
        let in_hand = InHand {
            receipt: message.receipt_handle,
            keys,
        };
        // One that comes again has another receipt, and the earlier one may not count any more.
        self.messages.insert(message.message_id, in_hand);
    }

    /// The keys that messages named since the last look.
    pub(super) fn take_fresh(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.fresh)
    }

    /// Nothing more is to be done for this object.
    pub(super) fn settle(&mut self, key: &str) {
        for id in self.naming.remove(key).unwrap_or_default() {
            let Some(message) = self.messages.get_mut(&id) else {
                continue;
            };
            message.keys.remove(key);
            if message.keys.is_empty()
                && let Some(message) = self.messages.remove(&id)
            {
                self.done.push(message.receipt);
            }
        }
    }

    /// Deletes the messages that nothing more is to be done for. One that stays comes again and changes
    /// nothing.
    pub(super) async fn tidy(&mut self) {
        let done = std::mem::take(&mut self.done);
        if let Err(error) = self.queue.delete(&done).await {
            let hint = error.hint().unwrap_or_default();
            tracing::warn!(%error, hint, "messages were not deleted and come again");
        }
    }

    /// Tells of a failure, and lets the queue rest.
    pub(super) fn failed(&mut self, error: &QueueError) {
        let pause = Duration::from_secs(1 << self.failures.min(6)).min(LONGEST_PAUSE);
        self.failures += 1;
        self.retry_at = Some(Instant::now() + pause);
        tracing::warn!(
            %error,
            hint = error.hint().unwrap_or_default(),
            "the input is listed instead; the queue is asked again in {} s",
            pause.as_secs()
        );
    }

    /// When the queue may be asked again, if it has failed.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        self.retry_at.filter(|at| *at > Instant::now())
    }
}
