//! What becomes of a switch to tables that were made anew: `switches/N.json`, create-if-absent.
//!
//! The plan of a switch only keeps everybody else from planning. This file decides: with everything that
//! is needed to finish it, whoever finds it finishes it, without the pipeline; or it was given up, and the
//! live tables stay. Before it is there no live table has been touched, afterwards there is no way back.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::store::unreadable;
use super::{Accounts, Ledger, LedgerError, Record, Rescued};
use crate::bucket::PutNew;

/// What becomes of a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// The live tables stay as they are.
    GivenUp {
        /// Why.
        reason: String,
    },
    /// The tables are made, and take their place.
    Made(Box<Made>),
}

/// Everything that is needed to finish a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The tables, by name.
    pub tables: BTreeMap<String, MadeTable>,
    /// Records of batches before that had none: their rows are in the tables that were made. Oldest first.
    pub records: Vec<Record>,
    /// What became of everything that all batches before brought, with the rules of the switch.
    pub accounts: Accounts,
    /// Fields of all these events that the schema of the switch does not name.
    #[serde(default, skip_serializing_if = "Rescued::is_empty")]
    pub rescued: Rescued,
    /// Fingerprints of the rules that the live tables were made by.
    pub replaced: Vec<String>,
}

/// A table that was made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeTable {
    /// The folder of the live table.
    pub live: String,
    /// The folder it was made in.
    pub folder: String,
    /// Its Delta version there.
    pub version: u64,
}

impl Ledger {
    /// What was decided about a switch; nothing while it is being prepared.
    ///
    /// # Errors
    /// The bucket's errors, or a file that cannot be understood.
    pub async fn decision(&self, batch: u64) -> Result<Option<Decision>, LedgerError> {
        self.json_if_any(&self.key("switches", batch)).await
    }

    /// Decides about a switch, unless somebody has; gives what was decided.
    ///
    /// # Errors
    /// The bucket's errors, or a file that cannot be understood.
    pub async fn decide(&self, batch: u64, decision: Decision) -> Result<Decision, LedgerError> {
        let key = self.key("switches", batch);
        let body = serde_json::to_vec(&decision);
        let body = body.map_err(|error| unreadable(&key, &error.to_string()))?;
        if self.bucket().put_new(&key, Bytes::from(body)).await? == PutNew::Created {
            return Ok(decision);
        }
        let decided = self.decision(batch).await?;
        decided.ok_or_else(|| unreadable(&key, "it is gone"))
    }
}
