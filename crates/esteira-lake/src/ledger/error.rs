//! What can go wrong with the ledger.

use thiserror::Error;

use crate::bucket::BucketError;

/// A ledger that cannot be read or written, or that somebody else writes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another runner planned the batch first.
    #[error("another runner works on process `{process}`: it planned batch {batch}")]
    AnotherRunner {
        /// The process both run.
        process: String,
        /// The batch we wanted to plan.
        batch: u64,
    },
    /// Somebody retries the quarantine: that batch comes first.
    #[error("batch {batch} of process `{process}` is a retry of the quarantine")]
    Retried {
        /// The process.
        process: String,
        /// The batch we wanted to plan.
        batch: u64,
    },
    /// Somebody switches to tables that were made anew: that batch comes first.
    #[error(
        "batch {batch} of process `{process}` is a switch to replayed tables that is not finished"
    )]
    Switching {
        /// The process.
        process: String,
        /// The number of the switch.
        batch: u64,
    },
    /// A file of the ledger cannot be understood.
    #[error("`{key}` in the ledger cannot be read: {reason}")]
    Unreadable {
        /// The file's key.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// The bucket failed.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

impl LedgerError {
    /// Whether the cause may go away by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Bucket(error) => error.is_transient(),
            Self::Retried { .. } | Self::Switching { .. } => true,
            _ => false,
        }
    }

    /// Whether somebody may mend the cause while a job waits.
    #[must_use]
    pub fn is_mendable(&self) -> bool {
        matches!(self, Self::Bucket(error) if error.is_mendable())
    }

    /// The way out, for the person in front of the terminal.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::AnotherRunner { .. } => Some(
                "let one of the two run: both work on the same tables, nothing is lost or doubled when you stop either".to_owned(),
            ),
            Self::Retried { .. } => Some("it is finished first, then this goes on".to_owned()),
            Self::Switching { .. } => Some(
                "this goes on when it is; a switch that nobody finishes is given up 5 minutes after it was planned, and nothing is lost".to_owned(),
            ),
            Self::Unreadable { .. } => Some(
                "restore the file from a backup or a version of the bucket; esteira never changes it once written".to_owned(),
            ),
            Self::Bucket(error) => error.hint(),
        }
    }
}
