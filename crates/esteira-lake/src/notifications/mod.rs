//! What a bucket tells by itself: messages about new objects, in a queue of Amazon SQS.
//!
//! Comes in: a queue and the process environment. Goes out: messages, and the keys they name. The invariant:
//! a message is a hint to look, never a fact: what an object is, the bucket alone says. Whoever may write to
//! the queue can make the job look at objects of its own input, and nothing else. When a message may be
//! deleted is decided elsewhere.

mod error;
mod event;
mod queue;

pub use error::QueueError;
pub use event::{Malformed, Named, named_in};
pub use queue::{Message, Queue};
