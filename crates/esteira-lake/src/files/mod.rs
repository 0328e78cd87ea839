//! The data files of a table: what they are, what is known of them, reading and writing them, and the
//! marks that take rows out of them.
//!
//! Comes in: a loaded table. Goes out: rows with their numbers, `add` actions with exact statistics,
//! deletion vectors. The invariant: a row's number in its file, counted from 0 over all rows that were
//! ever written into it, is the row's name for as long as the file exists. Which rows go and come is
//! decided by `upsert`, which files are worth rewriting by `tidy`.
//!
//! # Layout
//!
//! - `table_file`: one file of the loaded version, its size, its statistics, its marks
//! - `footer`: what a file says of itself: pages, bounds, Bloom filters
//! - `cache`: footers and marks that were read once, within a budget
//! - `deletion_vector`: marks on disk
//! - `read`, `ranges`, `write`: rows
//! - `conform`: columns as those of a table, by name
//! - `upload`: what failed while a file was written
//! - `sort`: rows in the order of their key

mod cache;
mod conform;
mod deletion_vector;
mod footer;
mod ranges;
mod read;
mod sort;
mod table_file;
mod upload;
mod write;

pub use cache::FileCache;
pub use conform::conform;
pub(crate) use deletion_vector::{Marks, marks, marks_and, path_in_table, unique_id, write_marks};
pub(crate) use footer::{Footer, footer};
pub(crate) use read::{ROW_NUMBER, Rows, as_table, read, without};
pub(crate) use table_file::{TableFile, files};
pub use table_file::{TableSize, size};
pub(crate) use write::DataFiles;
