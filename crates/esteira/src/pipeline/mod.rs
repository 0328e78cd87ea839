//! A pipeline: what an event is and which tables it makes.
//!
//! Comes in: a folder with `pipeline.toml`, `schema.sql` and `models/*.sql`. Goes out: a checked
//! [`Pipeline`]. The invariant: a pipeline that loads can run; every mistake is found before the first
//! object is read, and named with its file and line. Running it belongs to `process`.

mod agree;
mod builtin;
mod check;
mod condition;
mod doubts;
mod error;
mod file;
mod load;
mod mend;
mod model;
mod model_error;
mod outputs;
mod reader;
mod rule;
mod settings;
mod source;
mod table;
mod type_name;

pub use check::{Checked, Problem, Severity, check_together};
pub use condition::Condition;
pub use error::PipelineError;
pub use load::{Pipeline, PipelineFiles, TableKind, TableRules};
pub use model::Model;
pub(crate) use model::{EVENT, EVENTS, as_events, events_relation, session};
pub(crate) use outputs::{DELETIONS, LEDGER, NAME_RULE, is_pipeline_name, table_name};
pub use rule::{Rule, RuleAction};
pub use settings::{Limits, Maintenance};
pub use source::{After, Notifications, SourceRules};
