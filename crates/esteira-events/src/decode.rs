//! Objects to events: the bytes of one object in, Arrow rows and an account of the rest out.
//!
//! The way of a byte: `compression` unpacks the object, `split` finds its values and, after a
//! syntax error, `resync` finds where the next one can begin; `event` reads one value into the
//! `arena` by the declared `layout`, `timestamp`, `date`, `decimal` and `integer` turn texts into
//! values, `rescue` keeps what the schema does not name, `columns` takes the events that are good,
//! and the `account` takes the entries that are not. `infer` looks at samples in the same way, to suggest
//! a schema; `unnamed` tells what of the rescued fields there was.
//! Invariant: nothing fails and nothing is lost; every entry of an object is a row or a
//! [`Rejected`]. Where objects come from and where rows go belongs to the crates above.

mod account;
mod arena;
mod columns;
mod compression;
mod date;
mod decimal;
mod decoder;
mod event;
mod infer;
mod integer;
mod issue;
mod layout;
mod place;
mod report;
mod rescue;
mod resync;
mod scanner;
mod split;
mod text;
mod timestamp;
mod unnamed;

pub use compression::{is_compressed, text_length, text_of};
pub use decoder::{DecodeError, DecodeLimits, EventDecoder, Source};
pub use infer::{Addition, LeftOut, Samples, SuggestedField, Suggestion};
pub use report::{ObjectReport, Reason, Rejected};
pub use unnamed::{UnnamedFields, named_paths};
