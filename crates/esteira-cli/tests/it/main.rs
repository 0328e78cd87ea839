//! The `esteira` command as people and scripts meet it: its texts, its exit codes, and what is in the
//! bucket when it has ended, however it ended.
//!
//! # Layout
//! - `place`: a folder of its own for each test, and the command run in it
//! - `simulator`: a simulator that ends with its test
//! - `objects`: what is in a bucket, and putting it there as producers do
//! - `steps`: the moments of a batch, seen by the files that appear
//! - `tables`: the tables, read by the command, against the oracle
//! - the other modules are tests, by subject

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails says so by panicking"
)]

mod account;
mod authoring;
mod bucket_errors;
mod change_over_time;
mod chaos;
mod check;
mod cookbook;
mod faults;
mod help;
mod kills;
mod kinds;
mod large;
mod maintenance;
mod names;
mod objects;
mod pipeline_errors;
mod place;
mod rules;
mod runners;
mod secrets;
mod side_by_side;
mod simulator;
mod simulator_errors;
mod soak;
mod source;
mod steps;
mod switches;
mod table_errors;
mod tables;
mod terminal;
mod whole_path;
