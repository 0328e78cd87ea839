//! Errors on the terminal: `error:`, its causes, `hint:`, and an exit code that says what kind it is.
//!
//! The codes are public; docs/errors.md lists them.

use std::process::ExitCode;

use esteira::Error;
use esteira_lake::bucket::BucketError;
use esteira_lake::ledger::LedgerError;
use esteira_lake::tables::TableError;
use esteira_s3::SimulatorError;

use crate::output;

/// A failure with a hint of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) code: u8,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            code: 1,
        }
    }

    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Shows the error and chooses the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    show(error);
    ExitCode::from(code(error))
}

/// Shows the error.
pub(crate) fn show(error: &anyhow::Error) {
    let mut shown = vec![error.to_string()];
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Many errors quote their cause; saying it twice helps nobody.
        if !shown.iter().any(|text| text.contains(&cause)) {
            shown.push(cause);
        }
    }
    output::error(&shown, hint(error).as_deref());
}

fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            failure.hint.clone()
        } else if let Some(error) = cause.downcast_ref::<Error>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<BucketError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<SimulatorError>() {
            error.hint().map(str::to_owned)
        } else {
            None
        }
    })
}

fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.code;
        }
        if cause.downcast_ref::<BucketError>().is_some() {
            return 4;
        }
        if let Some(error) = cause.downcast_ref::<Error>() {
            return match error {
                Error::Pipeline(_) => 3,
                Error::Bucket(_) | Error::Queue(_) | Error::Ledger(LedgerError::Bucket(_)) => 4,
                Error::Ledger(
                    LedgerError::AnotherRunner { .. } | LedgerError::Switching { .. },
                )
                | Error::Overtaken { .. }
                | Error::GivenUp { .. } => 5,
                Error::Table(
                    TableError::Foreign { .. }
                    | TableError::Columns { .. }
                    | TableError::Unsupported { .. },
                )
                | Error::LocalTimestamp { .. }
                | Error::OldRules { .. } => 6,
                Error::UnknownTable { .. }
                | Error::UnknownEntry { .. }
                | Error::Key { .. }
                | Error::Taken { .. } => 2,
                Error::Query { .. } => 7,
                Error::Rule(_) => 9,
                _ => 1,
            };
        }
    }
    1
}
