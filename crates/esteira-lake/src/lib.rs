//! Every durable write of Esteira, and the reads those writes need.
//!
//! What comes in are decoded rows and decisions; what goes out are bytes in a bucket: originals
//! under `raw/`, Delta tables, the quarantine and the ledger. The invariant of the whole crate: a
//! write either changes nothing, or is there whole, and doing it again changes nothing more.
//!
//! # Layout
//!
//! - [`bucket`]: one place where objects are: `s3://name` or `file:///folder`, its settings and errors
//! - [`raw`]: the originals, byte for byte, before any table changes
//! - [`archive`]: copies of objects that were taken, where somebody wants them
//! - [`notifications`]: a queue in which a bucket tells of new objects
//! - [`ledger`]: plans, records and what has been seen; the fence between two runners
//! - [`tables`]: Delta tables: creation, ownership, opening at a version
//! - [`files`]: data files: what is known of them, their rows, the marks that take rows out
//! - [`upsert`]: which rows win, which rows they replace, and the one commit that swaps them
//! - [`switch`]: all rows of a table replaced by those of a table that was made anew, in one commit
//! - [`tidy`]: small files, marked rows and files that nothing needs any more
//! - [`quarantine`]: what could not become an event, in a Delta table
//!
//! Decoding belongs to `esteira-events`; the order of the stages belongs to `esteira`.

pub mod archive;
pub mod bucket;
pub mod files;
pub mod ledger;
pub mod notifications;
pub mod quarantine;
pub mod raw;
pub mod switch;
pub mod tables;
pub mod tidy;
pub mod upsert;
