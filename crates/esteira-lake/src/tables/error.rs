//! What can go wrong with a Delta table.

use delta_kernel::Error as KernelError;
use deltalake::DeltaTableError;
use thiserror::Error;

use crate::bucket::hint_of_system;

/// A table that cannot be opened, created, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// There is a table, but this process did not create it.
    #[error("table `{table}` at `{path}` was not created by process `{process}`")]
    Foreign {
        /// The table's name.
        table: String,
        /// Where it is in the bucket.
        path: String,
        /// The process that wanted it.
        process: String,
    },
    /// The table's columns are not the ones the pipeline gives.
    #[error("table `{table}` has other columns than the pipeline: {}", differences.join("; "))]
    Columns {
        /// The table's name.
        table: String,
        /// Every difference that stands in the way, in words.
        differences: Vec<String>,
        /// Whether its files can be written again with the pipeline's columns, see
        /// [`widen`](crate::tidy::widen).
        rewritable: bool,
    },
    /// The table does not exist yet.
    #[error("table `{table}` does not exist yet")]
    Missing {
        /// The table's name.
        table: String,
    },
    /// The table uses a feature of Delta Lake that is not supported here.
    #[error("table `{table}` uses {feature}")]
    Unsupported {
        /// The table's name.
        table: String,
        /// The feature.
        feature: String,
    },
    /// Somebody else kept committing to the table while we tried.
    #[error(
        "table `{table}` was changed by somebody else {attempts} times while batch {batch} was being committed"
    )]
    Contended {
        /// The table's name.
        table: String,
        /// The batch.
        batch: u64,
        /// How often the commit was tried.
        attempts: u32,
    },
    /// Somebody else kept committing to the table while it was being tidied.
    #[error(
        "table `{table}` was changed by somebody else {attempts} times while it was being tidied"
    )]
    Busy {
        /// The table's name.
        table: String,
        /// How often the commit was tried.
        attempts: u32,
    },
    /// The Delta library failed.
    #[error("table `{table}`: {source}")]
    Delta {
        /// The table's name.
        table: String,
        /// Its words.
        source: Box<DeltaTableError>,
    },
    /// Rows could not be read or computed.
    #[error("table `{table}`: {reason}")]
    Data {
        /// The table's name.
        table: String,
        /// What went wrong.
        reason: String,
        /// Whether trying again can help.
        transient: bool,
    },
}

impl TableError {
    pub(crate) fn of_parquet(
        table: &str,
        path: &str,
        error: &parquet::errors::ParquetError,
    ) -> Self {
        Self::Data {
            table: table.to_owned(),
            transient: matches!(error, parquet::errors::ParquetError::External(_)),
            reason: format!("`{path}`: {error}"),
        }
    }

    /// Whether the cause may go away by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Contended { .. } | Self::Busy { .. } => true,
            Self::Data { transient, .. } => *transient,
            Self::Delta { source, .. } => is_of_service(source.as_ref()),
            _ => false,
        }
    }

    /// Whether somebody may mend the cause while a job waits.
    #[must_use]
    pub fn is_mendable(&self) -> bool {
        match self {
            Self::Delta { source, .. } => store_error(source.as_ref()).is_some(),
            other => other.is_transient(),
        }
    }

    /// The way out, for the person in front of the terminal.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Foreign { path, .. } => Some(format!(
                "move it away, or give the pipeline another `output` than the folder of `{path}`"
            )),
            Self::Columns {
                rewritable: true, ..
            } => Some(
                "the files of the table have to be written again for that: stop the job and `esteira upgrade`".to_owned(),
            ),
            Self::Columns { .. } => Some(
                "undo the change in the pipeline, or build the tables anew from the originals: `esteira replay --switch`".to_owned(),
            ),
            Self::Missing { .. } => Some("run the job first: `esteira run --once`".to_owned()),
            Self::Contended { .. } => Some(
                "stop what else writes to this table, or let it finish; the batch is tried again".to_owned(),
            ),
            Self::Busy { .. } => Some(
                "try again when less is written to it; what was tidied so far stays tidy".to_owned(),
            ),
            Self::Unsupported { .. } => Some(
                "another program turned this on; turn it off there, or move the table's folder away and `esteira replay --switch`".to_owned(),
            ),
            Self::Delta { source, .. } => hint_of_system(&source.to_string()),
            Self::Data { reason, .. } => hint_of_system(reason),
        }
    }
}

/// Whether the store failed, somewhere below, in a way that may not last.
pub(crate) fn is_of_service(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(
        store_error(error),
        Some(object_store::Error::Generic { .. })
    )
}

/// What the store said, somewhere below.
fn store_error<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e object_store::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        let of_store = error
            .downcast_ref::<object_store::Error>()
            .or_else(|| {
                error
                    .downcast_ref::<Box<object_store::Error>>()
                    .map(|e| &**e)
            })
            .or_else(|| match error.downcast_ref::<KernelError>() {
                // It is not this error's source, but it is its cause.
                Some(KernelError::ObjectStore(error)) => Some(error),
                _ => None,
            });
        if of_store.is_some() {
            return of_store;
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use deltalake::kernel::transaction::TransactionError;

    use super::*;

    fn of_table(source: DeltaTableError) -> TableError {
        TableError::Delta {
            table: "orders".to_owned(),
            source: Box::new(source),
        }
    }

    #[test]
    fn failure_of_the_service_is_transient_however_deep_it_is() {
        let failed = || object_store::Error::Generic {
            store: "S3",
            source: "connection reset".into(),
        };
        let absent = || object_store::Error::NotImplemented {
            operation: "x".to_owned(),
            implementer: "y".to_owned(),
        };
        let of_kernel = |error| of_table(DeltaTableError::from(KernelError::ObjectStore(error)));
        let of_commit = |source| {
            of_table(DeltaTableError::Transaction {
                source: TransactionError::ObjectStore { source },
            })
        };
        assert!(of_table(failed().into()).is_transient());
        assert!(of_kernel(failed()).is_transient());
        assert!(of_commit(failed()).is_transient());
        assert!(!of_table(absent().into()).is_transient());
        assert!(!of_kernel(absent()).is_transient());
        assert!(!of_table(DeltaTableError::NotInitialized).is_transient());
    }
}
