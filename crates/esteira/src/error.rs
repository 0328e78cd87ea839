//! What can go wrong in a run, and what the person in front of it can do.

use esteira_lake::bucket::BucketError;
use esteira_lake::ledger::LedgerError;
use esteira_lake::notifications::QueueError;
use esteira_lake::tables::TableError;
use serde::Serialize;
use thiserror::Error;

use crate::pipeline::PipelineError;

/// A run or a question that failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The pipeline's folder is wrong.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A run was submitted without something that it needs.
    #[error("nothing says {what}")]
    NotSaid {
        /// What is missing.
        what: &'static str,
        /// The way out.
        hint: &'static str,
    },
    /// The bucket cannot be used.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The queue that tells of new objects cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A table cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A model or a question failed while it ran.
    #[error("{what} failed: {reason}")]
    Query {
        /// What was run.
        what: String,
        /// The engine's words.
        reason: String,
    },
    /// The pipeline has no table of that name.
    #[error("there is no table `{name}`")]
    UnknownTable {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// An original that the ledger names is not there, or is another one.
    #[error(
        "batch {batch}: the original of `{object}` {} under `{raw_file}`",
        if *changed { "is not what it was" } else { "is not there" }
    )]
    Original {
        /// The object it is the original of.
        object: String,
        /// The key it was kept under.
        raw_file: String,
        /// The batch that kept it.
        batch: u64,
        /// Whether there is another content now.
        changed: bool,
    },
    /// An event breaks a rule that stops the job.
    #[error(transparent)]
    Rule(Box<BrokenRule>),
    /// A key was given with too many or too few values.
    #[error("the key of table `{table}` has {} columns, {given} were given", columns.len())]
    Key {
        /// The table.
        table: String,
        /// The columns of its key.
        columns: Vec<String>,
        /// How many values there were.
        given: usize,
    },
    /// Tables shall be built where something else of the pipeline lives.
    #[error("tables cannot be built under `{path}/`: {owner} is there")]
    Taken {
        /// The place.
        path: String,
        /// What is there.
        owner: String,
    },
    /// Tables shall be built where something is already.
    #[error("there is something under `{path}/` already")]
    Occupied {
        /// The place.
        path: String,
    },
    /// The quarantine has no such entry.
    #[error("no entry of the quarantine has the id `{id}`")]
    UnknownEntry {
        /// What was asked for.
        id: String,
    },
    /// The job has the rules from before a switch.
    #[error(
        "the tables of process `{process}` were switched to other rules in batch {batch}: this pipeline \
         (`{rules}`) is from before, the tables are made by `{new}`"
    )]
    OldRules {
        /// The process.
        process: String,
        /// The switch.
        batch: u64,
        /// The fingerprint of the pipeline that was given.
        rules: String,
        /// The fingerprint of the rules that the tables are made by.
        new: String,
    },
    /// A switch was given up before it could be decided.
    #[error(
        "the switch, batch {batch}, took too long to prepare and was given up by somebody who waited"
    )]
    GivenUp {
        /// Its number.
        batch: u64,
    },
    /// Others planned the next batch each time.
    #[error("others planned the next batch {attempts} times while the switch was to be planned")]
    Overtaken {
        /// How often it was tried.
        attempts: u32,
    },
    /// A switch would bring a table its first `TIMESTAMP_NTZ`.
    #[error(
        "table `{table}` has no TIMESTAMP_NTZ so far, and the pipeline gives it one: its readers need not know that type"
    )]
    LocalTimestamp {
        /// The table's name.
        table: String,
    },
    /// Something inside stopped that never should.
    #[error("{0} stopped unexpectedly")]
    Stopped(&'static str),
}

/// An event that breaks a rule whose action is `stop`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error(
    "batch {batch}: event {position} of `{object}` breaks rule `{rule}` of table `{table}`: {condition}"
)]
pub struct BrokenRule {
    /// The rule.
    pub rule: String,
    /// Its table.
    pub table: String,
    /// What is not true.
    pub condition: String,
    /// The batch; nothing of it is in a table.
    pub batch: u64,
    /// The event's object.
    pub object: String,
    /// Its number in the object, from 0.
    pub position: u64,
    /// Where the original of the object is.
    pub raw_file: String,
}

impl Error {
    /// Whether the cause may go away by itself: trying again later makes sense.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Bucket(error) => error.is_transient(),
            Self::Ledger(error) => error.is_transient(),
            Self::Table(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether somebody may mend the cause while a job waits: credentials are renewed, a disk is made larger, a
    /// right is given back.
    #[must_use]
    pub fn is_mendable(&self) -> bool {
        match self {
            Self::Bucket(error) => error.is_mendable(),
            Self::Ledger(error) => error.is_mendable(),
            Self::Table(error) => error.is_mendable(),
            _ => false,
        }
    }

    /// The way out, for the person in front of the terminal.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Pipeline(error) => error.hint(),
            Self::NotSaid { hint, .. } => Some((*hint).to_owned()),
            Self::Bucket(error) => error.hint(),
            Self::Queue(error) => error.hint(),
            Self::Ledger(error) => error.hint(),
            Self::Table(error) => error.hint(),
            Self::UnknownTable { known, .. } => {
                Some(format!("the pipeline has {}", known.join(", ")))
            }
            Self::Original { .. } => Some(
                "originals are never changed or removed by this program: bring it back, for instance \
                 from a version of the bucket"
                    .to_owned(),
            ),
            Self::Rule(broken) => Some(format!(
                "its original is `{}`. Change the rule or its action (`quarantine` sets the event aside), \
                 then do it again; a batch that was stopped is in no table, and the next run takes it up",
                broken.raw_file
            )),
            Self::Key { columns, .. } => Some(format!("give a value for {}", columns.join(", "))),
            Self::Taken { .. } => Some("name a folder of its own".to_owned()),
            Self::Occupied { .. } => Some(
                "name a place of its own, or delete what is left of an earlier replay".to_owned(),
            ),
            Self::OldRules { .. } => Some(
                "start the job with the pipeline that the tables were switched to, or switch to this one: \
                 `esteira replay --switch`"
                    .to_owned(),
            ),
            Self::GivenUp { .. } | Self::Overtaken { .. } => {
                Some("the tables are as they were; do it again when less is going on".to_owned())
            }
            Self::LocalTimestamp { .. } => Some(
                "make it a TIMESTAMP in the model, for instance with `AT TIME ZONE 'UTC'`, or give the table another name"
                    .to_owned(),
            ),
            Self::UnknownEntry { .. } => Some("`esteira quarantine list` shows them".to_owned()),
            Self::Query { .. } | Self::Stopped(_) => None,
        }
    }
}
