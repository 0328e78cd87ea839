//! Where what a pipeline says is written: in a file, in Rust, or in what was submitted.
//!
//! Comes in: the path of a value, as in `pipeline.toml`: `source.path`, `table.0.rule.1.condition`. Goes
//! out: a mistake that names its place in the words of whoever wrote it.

use super::PipelineError;
use super::file::PipelineFile;
use super::mend::InFile;

/// Where the values of a pipeline are.
pub(super) enum Places<'a> {
    /// In `pipeline.toml`, but for those paths that were submitted.
    File {
        file: InFile<'a>,
        submitted: Vec<&'static str>,
    },
    /// In the methods of a process.
    Rust { config: &'a PipelineFile },
}

impl Places<'_> {
    /// A mistake in the value at `path`; of a value that is not given, in what would hold it.
    pub(super) fn wrong(
        &self,
        path: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> PipelineError {
        let message = message.into();
        let place = match self {
            Self::File { file, submitted } if !submitted.contains(&path) => {
                return file.wrong(path, message, hint);
            }
            Self::File { .. } => SUBMITTED.to_owned(),
            Self::Rust { config } => of_table(config, path, &message),
        };
        PipelineError::Declared {
            place,
            message,
            hint,
        }
    }

    /// Whether there is a value at `path`, so that an empty one is a mistake. What a process leaves out on
    /// the whole has been told of before; of its tables it says everything.
    pub(super) fn is_given(&self, path: &str) -> bool {
        match self {
            Self::File { file, submitted } => submitted.contains(&path) || file.is_given(path),
            Self::Rust { .. } => path.starts_with("table."),
        }
    }
}

/// The place of what was said to `Submit`.
pub(super) const SUBMITTED: &str = "`Submit`";

/// The place of what a process says on the whole.
pub(super) fn of_process(name: &str) -> String {
    if name.is_empty() {
        "process".to_owned()
    } else {
        format!("process `{name}`")
    }
}

/// The place of what a process says at `path`: the table and the rule, unless the message names them.
fn of_table(config: &PipelineFile, path: &str, message: &str) -> String {
    let mut place = of_process(&config.name);
    let mut steps = path.split('.');
    let mut number = |of: &str| {
        let is_there = steps.next() == Some(of);
        is_there
            .then(|| steps.next()?.parse::<usize>().ok())
            .flatten()
    };
    let table = number("table").and_then(|at| Some((at, config.tables.get(at)?)));
    let Some((at, table)) = table else {
        return place;
    };
    let mut add = |what: &str, at: usize, name: &str| {
        let name = if name.is_empty() {
            format!("{what} {}", at + 1)
        } else {
            format!("{what} `{name}`")
        };
        if !message.contains(&name) {
            place = format!("{place}, {name}");
        }
    };
    add("table", at, &table.name);
    if let Some((at, rule)) = number("rule").and_then(|at| Some((at, table.rules.get(at)?))) {
        add("rule", at, &rule.name);
    }
    place
}
