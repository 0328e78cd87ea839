//! Esteira: objects in a bucket become Delta tables, continuously and exactly once.
//!
//! This crate is the library's face. A [`Process`] says what an event is and which tables it makes, in Rust
//! or in a folder; [`Submit`] runs it on a bucket; [`Lake`] reads what came out.
//!
//! ```no_run
//! # async fn example() -> Result<(), esteira::Error> {
//! use esteira::{Pipeline, Submit};
//!
//! let summary = Submit::new()
//!     .bucket("s3://itau-shop")
//!     .process(Pipeline::files("pipelines/refunds")?)
//!     .once(true)
//!     .run()
//!     .await?;
//! println!("{} batches", summary.batches);
//! # Ok(())
//! # }
//! ```
//!
//! How a process is written in Rust is told at [`Process`], and at length in `docs/rust.md`.
//!
//! # Layout
//!
//! - [`Process`], in `interface.rs`: what a process says, and how it is said in Rust
//! - [`Pipeline`], in `pipeline/`: one that is checked; the folder with `pipeline.toml`, `schema.sql` and
//!   `models/*.sql`
//! - [`check_together`]: whether several pipelines can share a bucket
//! - [`Draft`], in `draft/`: a new pipeline's folder, to begin with or from samples; [`evolution`]: what a schema
//!   could name by now
//! - `process/`: the stages of a batch, all named in `process/stages.rs`
//! - [`Submit`]: running a pipeline from Rust
//! - [`optimize`], [`vacuum`]: tidying tables by hand; [`upgrade`]: bringing them up to the pipeline
//! - [`verify`], in `verify/`: holding the tables against the originals
//! - [`replay`]: building the tables anew beside the live ones; [`switch`]: and putting them in their place
//! - [`quarantine`]: what could not become an event; [`retry`]: once more, with the rules of today
//! - [`why`]: every event of a key, and which of them stands
//! - [`Lake`]: the tables, the quarantine and the ledger, for reading
//! - [`PathPattern`]: globs with Hadoop's rules; [`InputPaths`]: one or several of them
//!
//! Decoding is `esteira-events`; every durable write is `esteira-lake`.

mod clock;
mod draft;
mod error;
mod input_paths;
mod interface;
mod lake;
mod ledger_table;
mod maintenance;
mod path_pattern;
mod pipeline;
mod process;
mod quarantined;
mod rebuild;
mod retry;
mod status;
mod submit;
mod verify;
mod why;

pub use clock::{Clock, SystemClock};
pub use draft::{Draft, DraftError, Evolution, OfferedField, evolution, schema_of};
pub use error::{BrokenRule, Error};
pub use input_paths::InputPaths;
pub use interface::{DeclaredSchema, Definition, Process, Table};
pub use lake::Lake;
pub use maintenance::{Upgraded, optimize, upgrade, vacuum};
pub use path_pattern::{PathPattern, PatternError};
pub use pipeline::{
    After, Checked, Condition, Functions, Limits, Maintenance, Model, Notifications, Pipeline,
    PipelineError, PipelineFiles, Problem, Rule, RuleAction, Severity, SourceRules, TableKind,
    TableRules, check_together,
};
pub use process::{
    Cleaned, Observer, Progress, RetrySummary, RunSummary, Shutdown, Silent, SwitchSummary,
    SwitchedTable,
};
pub use quarantined::{QuarantineEntry, quarantine};
pub use rebuild::{SwitchOptions, replay, switch};
pub use retry::retry;
pub use status::{Status, UnnamedField, status};
pub use submit::Submit;
pub use verify::{Difference, DifferenceKind, TableCheck, Verification, verify};
pub use why::{Fate, KnownEvent, Origin, Why, why};

/// The engine: functions, frames, types. Another version of it than this one does not fit.
pub use datafusion;
/// Where objects and tables are.
pub use esteira_lake::bucket::{Bucket, Environment};
/// What a batch did, as the ledger has it.
pub use esteira_lake::ledger::Record;
/// How files are merged and rewritten.
pub use esteira_lake::tidy::TidyRules;

/// What an event is, built in Rust.
pub mod schema {
    pub use esteira_events::{DataType, EventSchema, Field, SchemaError, SchemaProblem};
}

/// The page on writing a process in Rust, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/rust.md")]
struct RustPage;
