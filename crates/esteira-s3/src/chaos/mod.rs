//! Faults on request: what a network and a busy S3 do to a client, by seed, so that it can be replayed.
//!
//! Comes in: every request but those for the health answer, before the protocol sees it. Goes out: the
//! request's own answer, or a fault instead, around or after it. Invariants: which fault a request meets is
//! a function of the seed, the request's name and how many requests of that name came before, whatever
//! happens to others meanwhile; at most [`MOST_IN_A_ROW`] faults follow each other on one name, so that a
//! client that tries again a few times gets through.
//!
//! - `profile`: how rough the weather is, the rates of each fault
//! - `fault`: the kinds of faults, and which requests they can happen to
//! - `name`: what makes two requests the same one
//! - `dice`: numbers from a seed and a name
//! - `weather`: decides, remembers what was decided, counts
//! - `service`: does to a request what was decided; `body`: to an answer's bytes; `wire`: to a connection
//!
//! What a fault means to an operation of S3 (a page with fewer keys) belongs to `protocol`, when an object
//! was modified to `store`. See docs/reliability.md for the rates, and for what is not simulated.

mod body;
mod dice;
mod fault;
mod name;
mod profile;
mod service;
mod weather;
mod wire;

pub(crate) use dice::Dice;
pub use fault::Kind;
pub(crate) use fault::OddPage;
pub use profile::{Chaos, Profile};
pub(crate) use service::Faulty;
pub use weather::MOST_IN_A_ROW;
pub(crate) use weather::Weather;
pub(crate) use wire::{Cut, Wire};

#[cfg(test)]
mod tests;
