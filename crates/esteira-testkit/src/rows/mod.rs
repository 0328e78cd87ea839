//! Rows read from real tables: Arrow batches in, the oracle's canonical rows out, and the
//! difference between two sets of rows in a few lines.
//!
//! The invariant: both sides are compared as multisets, whatever order, batches and Arrow types
//! (`Utf8` or `Utf8View`, dictionaries, large lists) a reader delivers. What the rows must be
//! belongs to [`crate::oracle`].

mod arrow_values;
mod difference;

pub use arrow_values::canonical_rows;
pub use difference::diff;
pub(crate) use difference::sort_rows;
