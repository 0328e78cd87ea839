//! Fetch and preserve: an object is read once, and its original is safe in `raw` before it is handed on.
//!
//! Comes in: a plan. Goes out: its objects, each with its bytes and the key of its original. A batch that
//! lands again reads the originals instead.
//!
//! What an object unpacks to is measured before it is taken. Where the batch would unpack to more than its
//! plan allows, it is cut off: the objects behind are put off to a later plan, nothing of them is kept.
//! An object that is too large to be held is not read at all: it is copied into `raw`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use esteira_events::text_length;
use esteira_lake::bucket::Fetched;
use esteira_lake::ledger::{Cut, Plan, PlannedObject, Record, Retry};
use esteira_lake::raw::Raw;
use futures::stream::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::sync::Semaphore;

use super::plan;
use super::stages::Context;
use crate::Error;

/// Bytes that may be on their way at once; one larger object travels alone.
const IN_FLIGHT_BYTES: u64 = 32 * 1024 * 1024;

/// Where the bytes of a batch's objects are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Objects<'a> {
    /// In the input: the batch was planned just now, nothing of it is kept yet.
    New,
    /// In the input, or among the originals: the batch was interrupted, and what was kept of it may be in
    /// some tables. It was cut off, or not.
    Interrupted(Option<Cut>),
    /// Among the originals, where the record says: the batch is finished and is landed once more.
    Recorded(&'a Record),
    /// Among the originals, where the plan says.
    Retried(&'a Retry),
}

/// What there is of an object.
pub(super) enum Content {
    /// Its bytes, and how many they are unpacked.
    Bytes(Bytes, usize),
    /// Nothing was read of it: it is too large.
    Unread,
    /// It was replaced or removed before it could be read.
    Gone,
    /// It is left to a later batch.
    PutOff,
}

/// An object that has arrived.
pub(super) struct Arrived {
    /// Its place in the plan.
    pub(super) index: usize,
    pub(super) content: Content,
    /// The key its original is kept under; empty when there is none.
    pub(super) raw_file: String,
}

/// The objects of a plan, in no particular order, at most `requests_at_once` on their way.
pub(super) fn arrivals<'a>(
    context: &'a Context,
    plan: &'a Plan,
    objects: Objects<'a>,
) -> impl Stream<Item = Result<Arrived, Error>> + 'a {
    let objects = plan.retry.as_ref().map_or(objects, Objects::Retried);
    let end = match objects {
        Objects::Interrupted(Some(cut)) => cut.objects,
        _ => plan.objects.len(),
    };
    let fetcher = Arc::new(Fetcher {
        context,
        plan,
        objects,
        budget: Semaphore::new(to_permits(IN_FLIGHT_BYTES)),
        end: AtomicUsize::new(end),
    });
    let at_once = context.pipeline.limits.requests_at_once;
    let on_their_way = (0..plan.objects.len()).map({
        let fetcher = Arc::clone(&fetcher);
        move |index| {
            let fetcher = Arc::clone(&fetcher);
            async move { fetcher.fetch(index).await }
        }
    });
    let mut text_bytes = 0;
    // In the order of the plan, so that a batch that runs again is cut off at the same object.
    futures::stream::iter(on_their_way)
        .buffered(at_once)
        .map_ok({
            let fetcher = Arc::clone(&fetcher);
            move |arrived| fetcher.cut(arrived, &mut text_bytes)
        })
        .map_ok(move |arrived| {
            let fetcher = Arc::clone(&fetcher);
            async move { fetcher.preserve(arrived).await }
        })
        .try_buffer_unordered(at_once)
}

struct Fetcher<'a> {
    context: &'a Context,
    plan: &'a Plan,
    objects: Objects<'a>,
    /// Of what is on its way.
    budget: Semaphore,
    /// The objects from this place on are put off.
    end: AtomicUsize,
}

impl Fetcher<'_> {
    async fn fetch(&self, index: usize) -> Result<Arrived, Error> {
        let (object, raw) = (&self.plan.objects[index], &self.context.raw);
        let wanted = u32::try_from(to_permits(object.size.min(IN_FLIGHT_BYTES))).unwrap_or(1);
        // The semaphore is never closed.
        let _permit = self.budget.acquire_many(wanted).await.ok();
        let (content, raw_file) = if index >= self.end.load(Ordering::Relaxed) {
            (Content::PutOff, String::new())
        } else {
            match self.objects {
                Objects::New | Objects::Interrupted(_) => (self.read(object).await?, String::new()),
                Objects::Recorded(record) => match original_of(raw, self.plan, record, index) {
                    Some(original) => self.recall(index, original).await?,
                    // It was gone or put off then, and is now.
                    None => (Content::Gone, String::new()),
                },
                Objects::Retried(retry) => {
                    let original = retry.objects[index].original.clone();
                    self.recall(index, original).await?
                }
            }
        };
        Ok(Arrived {
            index,
            content,
            raw_file,
        })
    }

    async fn read(&self, object: &PlannedObject) -> Result<Content, Error> {
        if self.is_too_large(object) {
            return Ok(Content::Unread);
        }
        let bucket = &self.context.bucket;
        let bytes = match bucket.get(&object.key, Some(&object.etag)).await? {
            Fetched::Bytes(bytes) => bytes,
            Fetched::Changed | Fetched::Missing => {
                let Objects::Interrupted(_) = self.objects else {
                    return Ok(Content::Gone);
                };
                let raw = &self.context.raw;
                let name = plan::name(self.context, self.plan, &object.key);
                let recalled = raw.recall(&self.plan.processing_date, name, object);
                match recalled.await? {
                    Some(bytes) => bytes,
                    None => return Ok(Content::Gone),
                }
            }
        };
        self.measured(bytes).await
    }

    fn is_too_large(&self, object: &PlannedObject) -> bool {
        let most = self.context.pipeline.limits.decompressed_bytes_per_object;
        usize::try_from(object.size).is_ok_and(|size| size > most)
    }

    async fn measured(&self, bytes: Bytes) -> Result<Content, Error> {
        let most = self.context.pipeline.limits.decompressed_bytes_per_object;
        if !esteira_events::is_compressed(&bytes) {
            let length = bytes.len();
            return Ok(Content::Bytes(bytes, length));
        }
        let measure = move || {
            let length = text_length(&bytes, most);
            Content::Bytes(bytes, length)
        };
        let measured = tokio::task::spawn_blocking(measure).await;
        measured.map_err(|_| Error::Stopped("measuring an object"))
    }

    async fn recall(&self, index: usize, raw_file: String) -> Result<(Content, String), Error> {
        let object = &self.plan.objects[index];
        let raw = &self.context.raw;
        let changed = if self.is_too_large(object) {
            match raw.size(&raw_file).await? {
                Some(size) if size == object.size => return Ok((Content::Unread, raw_file)),
                other => other.is_some(),
            }
        } else {
            match raw.read(&raw_file).await? {
                Some(bytes) if raw.is_content_of(object, &raw_file, &bytes).await? => {
                    return Ok((self.measured(bytes).await?, raw_file));
                }
                other => other.is_some(),
            }
        };
        Err(Error::Original {
            object: object.key.clone(),
            raw_file,
            batch: self.plan.batch_of_objects(),
            changed,
        })
    }

    /// Puts the object off if the batch would unpack to too much with it, and all that follow it.
    fn cut(&self, mut arrived: Arrived, text_bytes: &mut u64) -> Arrived {
        let length = match arrived.content {
            Content::Bytes(_, length) => u64::try_from(length).unwrap_or(u64::MAX),
            Content::Unread | Content::Gone | Content::PutOff => 0,
        };
        let most = match self.objects {
            Objects::New | Objects::Interrupted(None) => self.plan.most_text_bytes,
            Objects::Interrupted(Some(_)) | Objects::Recorded(_) | Objects::Retried(_) => None,
        };
        let sum = text_bytes.saturating_add(length);
        if *text_bytes > 0 && most.is_some_and(|most| sum > most) {
            self.end.fetch_min(arrived.index, Ordering::Relaxed);
        }
        if arrived.index >= self.end.load(Ordering::Relaxed) {
            arrived.content = Content::PutOff;
        } else {
            *text_bytes = sum;
        }
        arrived
    }

    async fn preserve(&self, mut arrived: Arrived) -> Result<Arrived, Error> {
        if matches!(self.objects, Objects::Recorded(_) | Objects::Retried(_)) {
            return Ok(arrived);
        }
        let object = &self.plan.objects[arrived.index];
        let name = plan::name(self.context, self.plan, &object.key);
        let (raw, date) = (&self.context.raw, &self.plan.processing_date);
        match &arrived.content {
            Content::Bytes(bytes, _) => {
                arrived.raw_file = raw.preserve(date, name, bytes).await?;
            }
            Content::Unread => {
                let mut kept = raw.preserve_unread(date, name, object).await?;
                if kept.is_none() && matches!(self.objects, Objects::Interrupted(_)) {
                    kept = raw.recall_unread(date, name, object).await?;
                }
                match kept {
                    Some(key) => arrived.raw_file = key,
                    None => arrived.content = Content::Gone,
                }
            }
            Content::Gone | Content::PutOff => {}
        }
        if let Content::Gone = arrived.content {
            tracing::warn!(object = ?object.key, "was replaced or removed before it could be read");
        }
        Ok(arrived)
    }
}

/// Where the original of an object of a finished batch is; nothing when the batch did not take it.
pub(super) fn original_of(raw: &Raw, plan: &Plan, record: &Record, index: usize) -> Option<String> {
    let place = u32::try_from(index).unwrap_or(u32::MAX);
    if let Some(original) = record.originals.get(&place) {
        return original.clone();
    }
    let key = &plan.objects[index].key;
    let name = key.strip_prefix(&record.input).unwrap_or(key);
    Some(raw.key(&plan.processing_date, name))
}

fn to_permits(bytes: u64) -> usize {
    usize::try_from(bytes / 1024).unwrap_or(usize::MAX).max(1)
}
