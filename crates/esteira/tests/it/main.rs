//! The library from outside: objects in, tables out, held against the oracle.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails says so by panicking"
)]

mod account;
mod bad_inputs;
mod cleaning;
mod crashes;
mod drafts;
mod foreign;
mod kinds;
mod limits;
mod notifications;
mod orders;
mod real_events;
mod retries;
mod rules;
mod source;
mod tidying;
mod world;
mod wrong_pipelines;
