//! The library from outside: objects in, tables out, held against the oracle.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails says so by panicking"
)]

mod account;
mod bad_inputs;
mod change_over_time;
mod cleaning;
mod crashes;
mod drafts;
mod foreign;
mod in_rust;
mod kinds;
mod limits;
mod notifications;
mod orders;
mod real_events;
mod retries;
mod rules;
mod source;
mod switches;
mod tidying;
mod world;
mod wrong_pipelines;
