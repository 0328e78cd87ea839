//! Running a pipeline: from objects in the bucket to rows in the tables, batch by batch.
//!
//! Comes in: a checked pipeline and an opened bucket. Goes out: recorded batches. The invariant: every
//! object that was discovered is in one plan, and every plan ends in one record, whatever happened in
//! between. All stages are named in `stages.rs`; each has a file of its own.

mod apply;
mod by_hand;
mod clean;
mod discover;
mod fetch;
mod inbox;
mod land;
mod lookout;
mod observe;
mod plan;
mod record;
mod replay;
mod retry;
mod rules;
mod runner;
mod samples;
mod shutdown;
mod stages;
mod switch;
mod switching;
mod tidy;
mod trace;
mod transform;

pub(crate) use apply::{QUARANTINE, quarantine_spec, specs};
pub use clean::Cleaned;
pub(crate) use discover::Standing;
pub use observe::{Observer, Progress, Silent};
pub(crate) use replay::{Replay, replay};
pub use retry::RetrySummary;
pub(crate) use retry::retry;
pub(crate) use rules::Stop;
pub use runner::RunSummary;
pub(crate) use runner::{Settings, run};
pub(crate) use samples::{Sampled, sample};
pub use shutdown::Shutdown;
pub use switching::{SwitchSummary, SwitchedTable};
pub(crate) use switching::{Switching, switch_tables};
pub(crate) use tidy::readable_since;
pub(crate) use trace::{Traced, Trail, asked_by, trace};
