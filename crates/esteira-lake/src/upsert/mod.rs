//! Upserts: which rows win, which rows they replace, and the one commit that swaps them.
//!
//! Comes in: the rows a model gave for a batch of events, and the table. Goes out: a table whose rows
//! are those of the latest version of every key. The invariant: a table's contents depend on which
//! events it has taken, never on their order, on how they were cut into batches or on how often a
//! batch was started.
//!
//! # Layout
//!
//! - [`order`](EventOrder): the total order of a batch's events, by version
//! - [`keys`](KeySet): key columns as bytes that can be looked up
//! - `winners`: the latest row of each key within a batch
//! - `find`, `prune`: where the keys' rows are in the table
//! - `decide`: the batch's winners against what is stored
//! - `change`, `commit`: rows out, rows in, one Delta transaction
//! - `mark`: merge-on-read, with deletion vectors; `rewrite`: copy-on-write
//! - [`latest`], [`children`], [`history`], [`append_events`]: the kinds of table, made of the above
//! - [`replace`]: rows that are found by looking at all of them, in a table without a key
//! - [`deletions`]: which events delete, remembered so that nothing older brings a key back
//! - `intervals`: the versions of a key, one after another
//!
//! A **head** (`orders`) is an ordinary latest-wins table. A **child** (`products`) is replaced with
//! its head: the head's stored version alone decides whether an event is stale, so a late event can
//! never bring a child row back, not even when the newer event left the child without rows.

mod append;
mod change;
mod children;
mod commit;
mod decide;
mod deletions;
mod find;
mod history;
mod intervals;
mod keys;
mod latest;
mod mark;
mod order;
mod prune;
mod replace;
mod rewrite;
mod staged;
mod winners;

pub use append::{append, append_events};
pub use children::children;
pub(crate) use commit::{ATTEMPTS, merge_operation};
pub use decide::{Applied, Verdict};
pub use deletions::{DELETED_AT, Deletions, deletions, deletions_schema};
pub use history::{VALID_FROM, VALID_TO, history};
pub use keys::KeySet;
pub use latest::latest;
pub use order::EventOrder;
pub use replace::{Replacement, replace};
pub(crate) use staged::app_id;
pub use staged::{Batch, Staged};
pub use winners::can_stand;
