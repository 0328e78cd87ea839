//! The reference: which rows and which quarantined entries a set of objects must lead to.
//!
//! Objects come in, [`Expected`] goes out. Everything is held in memory in plain maps, and the
//! plainest way is taken even where it is slow. What an object's entries are is decided in `split`
//! (on `json`, `lines` and `unpack`), what an entry means in `event` (on `scalar`), which event
//! wins in `tables`.
//!
//! The invariant: nothing of the code under test is used here. Reading real tables into the same
//! form belongs to [`crate::rows`].

mod event;
mod expected;
mod json;
mod lines;
mod scalar;
mod split;
mod tables;
mod unpack;

pub use event::rescued_value;
pub(crate) use expected::hexadecimal;
pub use expected::{Expected, InputObject, QuarantineRow, Row};
pub use scalar::instant_text;
pub use tables::{DEFAULT_LIMIT, expected, expected_within};
