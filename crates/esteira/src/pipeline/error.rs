//! Mistakes in a pipeline's folder, with file, line and a way out.

use esteira_events::SchemaError;
use thiserror::Error;

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
    /// The event's schema is wrong.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The path of the input is wrong.
    #[error(transparent)]
    Path(#[from] PatternError),
}

impl PipelineError {
    /// The same error with a way out.
    pub(super) fn with_hint(mut self, way_out: String) -> Self {
        if let Self::Wrong { hint, .. } = &mut self {
            *hint = Some(way_out);
        }
        self
    }

    /// The way out, for the person in front of the terminal.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { known, .. } => Some(format!(
                "name a folder with a `pipeline.toml`, or one that is built in: {}",
                known.join(", ")
            )),
            Self::Wrong { hint, .. } => hint.clone(),
            Self::Schema(error) => error.hint(),
            Self::Unreadable { .. } | Self::Path(_) => None,
        }
    }
}
