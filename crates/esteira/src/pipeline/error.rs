//! Mistakes in a pipeline, with file and line, or with the place in Rust, and a way out.

use esteira_events::SchemaError;
use thiserror::Error;

use super::outputs::NEVER_INPUT;
use crate::path_pattern::PatternError;

/// A pipeline that cannot be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// There is no such pipeline.
    #[error("pipeline `{name}` was not found")]
    NotFound {
        /// What was asked for.
        name: String,
        /// The pipelines that are built in.
        known: Vec<&'static str>,
    },
    /// A file of the pipeline cannot be read.
    #[error("`{file}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's words.
        reason: String,
    },
    /// A file of the pipeline is wrong.
    #[error("{file}:{line}:{column}: {message}")]
    Wrong {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// The way out.
        hint: Option<String>,
    },
    /// What is said in Rust is wrong.
    #[error("{place}: {message}")]
    Declared {
        /// Where it is said: the process, and the table or the rule in it.
        place: String,
        /// What is wrong.
        message: String,
        /// The way out.
        hint: Option<String>,
    },
    /// The event's schema is wrong.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A path that was given apart from the pipeline's files is wrong.
    #[error(transparent)]
    Path(#[from] PatternError),
    /// A path that was given apart from the pipeline's files names what the pipeline writes.
    #[error("{0}")]
    Written(String),
}

impl PipelineError {
    /// The file it is in, if it is in one.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Unreadable { file, .. } | Self::Wrong { file, .. } => Some(file),
            Self::Schema(error) => Some(&error.file),
            Self::NotFound { .. } | Self::Declared { .. } | Self::Path(_) | Self::Written(_) => {
                None
            }
        }
    }

    /// The line and the column in the file, both from 1, if there is such a place.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        match self {
            Self::Wrong { line, column, .. } => Some((*line, *column)),
            Self::Schema(error) => Some((error.line, error.column)),
            Self::NotFound { .. }
            | Self::Unreadable { .. }
            | Self::Declared { .. }
            | Self::Path(_)
            | Self::Written(_) => None,
        }
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Wrong { message, .. } | Self::Declared { message, .. } => message.clone(),
            Self::Schema(error) => error.problem.to_string(),
            _ => self.to_string(),
        }
    }

    /// The way out, for the person in front of the terminal.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { known, .. } => Some(format!(
                "name a folder with a `pipeline.toml`, or one that is built in: {}",
                known.join(", ")
            )),
            Self::Wrong { hint, .. } | Self::Declared { hint, .. } => hint.clone(),
            Self::Schema(error) => error.hint(),
            Self::Written(_) => Some(NEVER_INPUT.to_owned()),
            Self::Unreadable { .. } | Self::Path(_) => None,
        }
    }
}
