//! Bad inputs as data: the cases of `bad_inputs/*.json`, each an object of the bucket and what must
//! come of it.
//!
//! Files come in at compile time, [`BadInput`]s go out. How a case's content is put together is in
//! `content`. That every case says what the oracle says is a test of this crate; whether the job
//! agrees belongs to the job's tests.

mod case;
mod content;

pub use case::{BadInput, BadInputError, bad_inputs};
pub use content::Content;
