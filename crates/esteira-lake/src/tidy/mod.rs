//! Keeping a table small in files, marks and litter, without changing a row of it.
//!
//! Comes in: a loaded table and rules. Goes out: the same rows in fewer files (`compact`), a folder
//! without files that nothing needs (`vacuum`). The invariants: no version of the table shows other
//! rows than before, and a file that a version within the retention needs stays, be it data or a
//! deletion vector. When and how much is tidied is decided by the job.
//!
//! # Layout
//!
//! - `choose`: which files are worth rewriting: pure
//! - `compact`: rewriting them, one commit a group
//! - `tombstones`: what recent versions still need
//! - `vacuum`: deleting the rest
//! - `widen`: all files once more, with columns that hold more

mod choose;
mod compact;
mod tombstones;
mod vacuum;
mod widen;

pub use choose::{Effort, TidyRules};
pub use compact::{Compaction, compact};
pub use vacuum::{Litter, Vacuum, VacuumRules, vacuum};
pub use widen::{Widening, widen};
