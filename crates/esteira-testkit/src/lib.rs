//! What tests lean on: an oracle that says what the tables must hold, random order histories to
//! feed it and the job alike, and bad inputs written down as data.
//!
//! # Layout
//! - [`oracle`]: objects in, expected tables and quarantine out, by plain maps
//! - [`rows`]: rows of real tables in the oracle's form, and the difference between the two
//! - [`history`]: seeded small order histories, rendered into objects of every form
//! - [`bad_inputs`]: the cases of `bad_inputs/*.json`
//! - [`reviews`]: another event, other kinds of table: random reviews and what they must lead to
//! - [`random`]: the generator behind the seeds
//! - [`store`]: a bucket in memory that dies after a number of writes
//! - [`queue`]: a queue that tells of new objects, on a port of this machine
//!
//! The invariant: nothing here calls the code under test. The oracle reads, splits, rounds and
//! compares by its own means, so that one mistake cannot hide in both.

pub mod bad_inputs;
pub mod history;
pub mod oracle;
pub mod queue;
pub mod random;
pub mod reviews;
pub mod rows;
pub mod store;
