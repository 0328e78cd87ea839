//! Delta tables: creating them, knowing that they are ours, opening them at a version.
//!
//! Comes in: a table's declaration (columns, key). Goes out: a loaded [`LakeTable`]. The invariant: a
//! table that somebody else made, or whose columns are others, is never written.

mod checkpoint;
mod commit;
mod error;
mod lake_table;
mod support;

pub(crate) use commit::{Commit, Outcome};
pub use error::TableError;
pub(crate) use error::is_of_service;
pub use lake_table::{LakeTable, TableSpec};
