//! A pipeline: what an event is and which tables it makes.
//!
//! Comes in: what a process says, see [`interface`](crate::Process): in Rust, or in a folder with
//! `pipeline.toml`, `schema.sql` and `models/*.sql`. Goes out: a checked [`Pipeline`]. The invariant: a
//! pipeline that loads can run; every mistake is found before the first object is read, and named with its
//! file and line, or the table in Rust. Running it belongs to `process`.

mod agree;
mod builtin;
mod check;
mod condition;
mod declared;
mod doubts;
mod error;
mod file;
mod files;
mod fingerprint;
mod functions;
mod load;
mod mend;
mod model;
mod model_error;
mod model_frame;
mod outputs;
mod places;
mod read;
mod reader;
mod rule;
mod settings;
mod source;
mod table;

pub use check::{Checked, Problem, Severity, check_together};
pub use condition::Condition;
pub use error::PipelineError;
pub use functions::Functions;
pub use load::{Pipeline, PipelineFiles, TableKind, TableRules};
pub use model::Model;
pub(crate) use model::{EVENT, EVENTS, PROCESSED_AT, as_events, events_relation, session};
pub(crate) use outputs::{DELETIONS, LEDGER, NAME_RULE, is_pipeline_name, table_name};
pub use rule::{Rule, RuleAction};
pub use settings::{Limits, Maintenance};
pub use source::{After, Notifications, SourceRules};
