//! The decoder: objects in, rows out.
//!
//! Comes in: objects, one after another. Goes out: their reports at once, their rows as a batch
//! when asked for. Invariant: an object never fails; its events are rows, the rest is in its
//! report. When to ask for a batch is decided by the caller, who watches
//! [`memory_bytes`](EventDecoder::memory_bytes).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use jiter::Peek;
use thiserror::Error;

use super::account::Account;
use super::arena::{Arena, Slot};
use super::columns::{Columns, DecodedEvent};
use super::compression::unpack;
use super::event::{EventReader, name_of};
use super::issue::Issue;
use super::layout::StructLayout;
use super::report::{EVENT, ObjectReport, Reason, Rejected, too_long};
use super::scanner::{Broken, Scanner};
use super::split::{Body, Splitter, TakeValue, Value};
use crate::schema::EventSchema;

/// Where an object came from; its events carry this as their lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// The object's key.
    pub key: &'a str,
    /// When the object was last written, in microseconds since 1970-01-01T00:00:00Z.
    pub modified_micros: i64,
}

/// The limits that keep memory bounded, whatever an object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The longest text of one object, in bytes after decompression; a longer one is rejected
    /// whole. Default 1 GiB.
    pub max_decompressed_bytes: usize,
    /// The longest text of one event, in bytes; a longer one is rejected. Default 1 GiB.
    pub max_event_bytes: usize,
    /// The longest original that a rejected entry carries; what is longer stays in the object alone.
    /// Default 64 MiB.
    pub max_original_bytes: usize,
    /// The most values (fields of objects and elements of lists that the schema names) one event
    /// may have, at 32 bytes each; an event with more is rejected. Default 4 Mi.
    pub max_event_values: usize,
    /// The most entries of one object that are rejected one by one; what follows them is rejected
    /// as one. Default 200,000.
    pub max_rejected: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            max_decompressed_bytes: 1 << 30,
            max_event_bytes: 1 << 30,
            max_original_bytes: 1 << 26,
            max_event_values: 1 << 22,
            max_rejected: 200_000,
        }
    }
}

/// Rows that could not be made a batch.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Arrow refused the columns.
    #[error("the decoded columns do not form a batch")]
    Arrow(#[from] ArrowError),
}

/// Turns objects into rows of the events relation; one per worker, reused.
///
/// A batch holds up to 2 GiB of text in each column: ask for one long before, for instance at
/// 64 MiB. Events beyond that are rejected as too large rather than lost.
pub struct EventDecoder {
    schema: Arc<EventSchema>,
    limits: DecodeLimits,
    /// What compressed objects unpack to; kept for the next one.
    unpacked: Vec<u8>,
    worker: Worker,
}

/// Events of this many bytes of text become a batch of their own: builders grow by doubling, and a large
/// object would have all of its rows twice for a moment.
const BATCH: usize = 1 << 24;

/// What is kept of the memory that an object was unpacked into.
const KEPT: usize = 1 << 24;

impl EventDecoder {
    /// A decoder for events of `schema`.
    pub fn new(schema: Arc<EventSchema>, limits: DecodeLimits) -> Self {
        let (layout, guesses) = StructLayout::of_event(&schema);
        Self {
            limits,
            unpacked: Vec::new(),
            worker: Worker {
                layout,
                guesses: vec![0; guesses],
                arena: Arena::default(),
                columns: Columns::new(schema.arrow_schema()),
                full: Vec::new(),
                failure: None,
                tape: Vec::new(),
                max_values: limits.max_event_values,
                max_bytes: limits.max_event_bytes,
            },
            schema,
        }
    }

    /// The schema whose events this decodes.
    pub fn schema(&self) -> &Arc<EventSchema> {
        &self.schema
    }

    /// Appends the object's events to the rows, in the object's order, and accounts for the rest.
    pub fn decode_object(&mut self, source: &Source<'_>, bytes: &[u8]) -> ObjectReport {
        self.take_object(source, bytes, &BTreeMap::new())
    }

    /// The entries of an object that are events and may not be, as it is told of them in `broken`: a
    /// message by position. The rows of this decoder are gone.
    #[must_use]
    pub fn reject_events(mut self, bytes: &[u8], broken: &BTreeMap<u64, String>) -> Vec<Rejected> {
        let nowhere = Source {
            key: "",
            modified_micros: 0,
        };
        // Those come beside the entries that were rejected before: the same ones are left behind.
        self.limits.max_rejected = self.limits.max_rejected.saturating_add(broken.len());
        let mut rejected = self.take_object(&nowhere, bytes, broken).rejected;
        rejected.retain(|entry| entry.reason == Reason::Rule);
        rejected
    }

    fn take_object(
        &mut self,
        source: &Source<'_>,
        bytes: &[u8],
        broken: &BTreeMap<u64, String>,
    ) -> ObjectReport {
        let report = match unpack(
            bytes,
            self.limits.max_decompressed_bytes,
            &mut self.unpacked,
        ) {
            Err(issue) => {
                let mut account = Account::new(bytes, 0, self.limits.max_original_bytes);
                account.reject(0..bytes.len(), issue);
                account.report(bytes)
            }
            Ok(text) => {
                let body = Body::new(text);
                let max_original = self.limits.max_original_bytes;
                let mut account = Account::new(text, body.begin, max_original);
                Splitter {
                    body,
                    values: &mut Appender {
                        worker: &mut self.worker,
                        source,
                        broken,
                    },
                    account: &mut account,
                    max_rejected: self.limits.max_rejected,
                }
                .split();
                account.report(bytes)
            }
        };
        self.unpacked.clear();
        self.unpacked.shrink_to(KEPT);
        report
    }

    /// Rows appended since the last [`finish`](Self::finish).
    pub fn rows(&self) -> usize {
        let worker = &self.worker;
        let full: usize = worker.full.iter().map(RecordBatch::num_rows).sum();
        full + worker.columns.rows()
    }

    /// An estimate of the bytes these rows take.
    pub fn memory_bytes(&self) -> usize {
        let worker = &self.worker;
        let full = worker.full.iter().map(RecordBatch::get_array_memory_size);
        full.sum::<usize>() + worker.columns.memory_bytes()
    }

    /// The rows so far in batches, one at least, in the order they were decoded; the decoder starts anew.
    ///
    /// # Errors
    /// [`DecodeError::Arrow`] when the columns do not form a batch; the rows are gone then.
    pub fn finish(&mut self) -> Result<Vec<RecordBatch>, DecodeError> {
        let worker = &mut self.worker;
        let mut batches = std::mem::take(&mut worker.full);
        let last = worker.columns.finish();
        if let Some(error) = worker.failure.take() {
            return Err(error.into());
        }
        let last = last?;
        if last.num_rows() > 0 || batches.is_empty() {
            batches.push(last);
        }
        Ok(batches)
    }
}

impl fmt::Debug for EventDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDecoder")
            .field("limits", &self.limits)
            .field("rows", &self.rows())
            .finish_non_exhaustive()
    }
}

/// What decoding one value needs, and the rows.
struct Worker {
    layout: StructLayout,
    guesses: Vec<usize>,
    arena: Arena,
    columns: Columns,
    /// Batches of rows that came before those in the columns.
    full: Vec<RecordBatch>,
    /// Why there is no such batch.
    failure: Option<ArrowError>,
    /// The parser's memory for strings with escapes.
    tape: Vec<u8>,
    max_values: usize,
    max_bytes: usize,
}

/// Appends the events of one source.
struct Appender<'a, 's> {
    worker: &'a mut Worker,
    source: &'a Source<'s>,
    /// Why events may not be some, by their position.
    broken: &'a BTreeMap<u64, String>,
}

impl TakeValue for Appender<'_, '_> {
    fn take(
        &mut self,
        body: Body<'_>,
        start: usize,
        limit: usize,
        position: u64,
    ) -> Result<Value, Broken> {
        let here = |broken: Broken| broken.shifted(start);
        let text = match body.text_at(start, limit)? {
            Ok(text) => text,
            Err(not_text) => return Ok(not_text),
        };
        let (length, issue) = self.take_text(text, position).map_err(here)?;
        let may_not = || self.broken.get(&position);
        let issue = issue
            .or_else(|| may_not().map(|why| Issue::whole(0, Reason::Rule, why)))
            .map(|issue| Issue {
                offset: issue.offset + start,
                ..issue
            });
        Ok(Value {
            end: start + length,
            issue,
        })
    }
}

impl Appender<'_, '_> {
    /// Takes the value that `text` begins with; tells its length, and why it is no event.
    fn take_text(&mut self, text: &str, position: u64) -> Result<(usize, Option<Issue>), Broken> {
        let worker = &mut *self.worker;
        let tape = std::mem::take(&mut worker.tape);
        let mut scanner = Scanner::new(text.as_bytes(), tape);
        let peek = scanner.peek()?;
        if peek != Peek::Object {
            let length = scanner.skip(peek)?.end;
            let message = format!("expected an object, found {}", name_of(peek));
            return Ok((length, Some(Issue::whole(0, Reason::NotAnObject, message))));
        }
        let mut reader = EventReader {
            event: &worker.layout,
            arena: &mut worker.arena,
            guesses: &mut worker.guesses,
            text,
            scanner,
            max_values: worker.max_values,
        };
        let root = reader.read();
        let length = reader.scanner.position();
        worker.tape = reader.scanner.into_tape();
        let root = root?;
        if let Slot::Wrong(issue) = root {
            return Ok((length, Some(worker.arena.issues.swap_remove(issue))));
        }
        if length > worker.max_bytes {
            let bytes = u64::try_from(length).unwrap_or(u64::MAX);
            let message = too_long("the event", bytes, worker.max_bytes, EVENT);
            return Ok((
                length,
                Some(Issue::whole(0, Reason::EventTooLarge, message)),
            ));
        }
        if !worker.columns.has_room(self.source, length) {
            let message = "the batch has no room for this event";
            return Ok((
                length,
                Some(Issue::whole(0, Reason::EventTooLarge, message)),
            ));
        }
        let event = DecodedEvent {
            arena: &worker.arena,
            text: &text[..length],
            root,
        };
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        worker
            .columns
            .append(&worker.layout, event, self.source, position);
        if worker.columns.text_bytes() >= BATCH {
            match worker.columns.finish() {
                Ok(full) => worker.full.push(full),
                Err(error) => worker.failure = Some(error),
            }
        }
        Ok((length, None))
    }
}
