//! Esteira: objects in a bucket become Delta tables, continuously and exactly once.
//!
//! This crate is the library's face. A [`Pipeline`] says what an event is and which tables it makes;
//! [`Submit`] runs it on a bucket; [`Lake`] reads what came out.
//!
//! ```no_run
//! # async fn example() -> Result<(), esteira::Error> {
//! use esteira::{Pipeline, Submit};
//!
//! let summary = Submit::new(Pipeline::marketing_place()?)
//!     .bucket("s3://itau-shop")
//!     .once(true)
//!     .run()
//!     .await?;
//! println!("{} batches", summary.batches);
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - [`Pipeline`], in `pipeline/`: the folder with `pipeline.toml`, `schema.sql` and `models/*.sql`
//! - [`check_together`]: whether several pipelines can share a bucket
//! - [`Draft`], in `draft/`: a new pipeline's folder, to begin with or from samples
//! - `process/`: the stages of a batch, all named in `process/stages.rs`
//! - [`Submit`]: running a pipeline from Rust
//! - [`optimize`], [`vacuum`], [`upgrade`]: tidying tables by hand
//! - [`verify`], in `verify/`: holding the tables against the originals
//! - [`replay`]: building the tables anew beside the live ones
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
pub use draft::{Draft, DraftError, schema_of};
pub use error::{BrokenRule, Error};
pub use input_paths::InputPaths;
pub use lake::Lake;
pub use maintenance::{optimize, upgrade, vacuum};
pub use path_pattern::{PathPattern, PatternError};
pub use pipeline::{
    After, Checked, Condition, Limits, Maintenance, Model, Notifications, Pipeline, PipelineError,
    PipelineFiles, Problem, Rule, RuleAction, Severity, SourceRules, TableKind, TableRules,
    check_together,
};
pub use process::{Cleaned, Observer, Progress, RetrySummary, RunSummary, Shutdown, Silent};
pub use quarantined::{QuarantineEntry, quarantine};
pub use rebuild::replay;
pub use retry::retry;
pub use status::{Status, status};
pub use submit::Submit;
pub use verify::{Difference, DifferenceKind, TableCheck, Verification, verify};
pub use why::{Fate, KnownEvent, Origin, Why, why};
