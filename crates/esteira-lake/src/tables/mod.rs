//! Delta tables: creating them, knowing that they are ours, opening them at a version.
//!
//! Comes in: a table's declaration (columns, key). Goes out: a loaded [`LakeTable`]. The invariant: a
//! table that somebody else made, or whose columns are others, is never written.
//!
//! # Layout
//!
//! - `lake_table`: creating and opening, looking at the newest version
//! - `columns`, `type_name`: how its columns differ from those of the pipeline, in words
//! - `evolve`: adding columns
//! - `commit`: one commit on exactly the version that is loaded
//! - `checkpoint`: when the log gets one
//! - `support`: what other programs may turn on that cannot be written here

mod checkpoint;
mod columns;
mod commit;
mod error;
mod evolve;
mod lake_table;
mod support;
mod type_name;

pub use columns::{WiderColumn, united};
pub(crate) use commit::{Commit, Outcome};
pub use error::TableError;
pub(crate) use error::is_of_service;
pub use lake_table::{LakeTable, TableSpec};
pub use type_name::type_name;
