//! The ledger: what was planned, what was recorded, what has been seen.
//!
//! Under `_esteira/<process>/` in the bucket:
//!
//! - `plans/N.json` is written before batch N runs, only if there is none yet. That write is the
//!   [`fence`]: of two runners only one gets N.
//! - `records/N.json` is written after all tables of batch N have committed. A plan without a record
//!   is a batch that was interrupted; it is run again, with the same objects and the same instant.
//!   A batch that takes entries of the quarantine once more is planned and recorded like any other; its
//!   plan names the batch that brought them, and their objects stay in that batch's account.
//! - `cuts/N.json` is written before any table has batch N, when its objects unpack to more than a batch
//!   may hold: it ends there, and the objects behind are put off to a later plan. Also when it is all of
//!   its plan, but two runners could have met other objects: who writes it first decides for both.
//! - `switches/N.json` decides what becomes of batch N, when that is a switch to tables that were made
//!   anew: it holds all that is needed to finish it, or says that it was given up.
//! - `seen/N.bin` is a snapshot of the objects that plans 1 to N hold, so that a start does not read
//!   every plan there ever was.
//!
//! The invariant: an object is in exactly one batch for each content it had, retries aside. What a batch does to the
//! tables belongs to the other rooms.

mod error;
pub mod fence;
mod instant;
mod labelled;
mod plan;
mod record;
mod seen;
mod store;
mod switch;

pub use error::LedgerError;
pub use plan::{Cut, Plan, PlannedObject, RetriedObject, Retry, Switch};
pub use record::{
    Accounts, Counts, Freshness, Record, Rescued, RescuedField, Switched, TableRecord, Timings,
};
pub use seen::Seen;
pub use store::Ledger;
pub use switch::{Decision, Made, MadeTable};
