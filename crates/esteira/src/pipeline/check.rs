//! Everything that can be said of pipelines without running them, for whoever writes them.
//!
//! Comes in: a pipeline as it is written, or several pipelines that share a bucket. Goes out: every mistake
//! that can be found, not just the first, and what is most likely not meant.

use super::outputs::{LEDGER, overlap};
use super::{After, Pipeline, PipelineError, PipelineFiles};
use crate::interface::{Definition, Process as _};
use crate::process::specs;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The pipeline does not run.
    Error,
    /// It runs, and most likely does something that is not meant.
    Warning,
}

/// Something about a pipeline that its author should know.
#[derive(Debug)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, where, and the way out.
    pub error: PipelineError,
}

/// A pipeline that was checked.
#[derive(Debug)]
pub struct Checked {
    /// The pipeline, when nothing is wrong with it.
    pub pipeline: Option<Pipeline>,
    /// Mistakes before doubts, each in the order of the files.
    pub problems: Vec<Problem>,
}

impl PipelineFiles {
    /// Reads and checks everything, and tells all that can be found. Nothing but the files is read.
    pub async fn check(&self) -> Checked {
        self.definition().check().await
    }
}

impl Definition {
    /// Reads and checks everything, and tells all that can be found. Nothing in a bucket is read.
    pub(crate) async fn check(&self) -> Checked {
        let reading = self.read().await;
        let of = |severity| move |error| Problem { severity, error };
        let errors = reading.errors.into_iter().map(of(Severity::Error));
        let doubts = reading.doubts.into_iter().map(of(Severity::Warning));
        Checked {
            pipeline: reading.pipeline,
            problems: errors.chain(doubts).collect(),
        }
    }
}

/// What keeps pipelines from running on one bucket: a ledger or a folder that two of them would write,
/// or tables that one takes for events. Each entry is one sentence.
#[must_use]
pub fn check_together(pipelines: &[&Pipeline]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, one) in pipelines.iter().enumerate() {
        for other in &pipelines[..index] {
            if one.name == other.name {
                problems.push(format!(
                    "two pipelines are called `{}`: they would share the ledger `{LEDGER}/{}`",
                    one.name, one.name
                ));
                continue;
            }
            for (what, path) in written(one) {
                for (what_other, path_other) in written(other) {
                    if overlap(&path, &path_other) {
                        problems.push(format!(
                            "{what} of `{}` would be in `{path}`, {what_other} of `{}` in \
                             `{path_other}`",
                            one.name, other.name
                        ));
                    }
                }
            }
            for (reader, writer) in [(one, other), (other, one)] {
                problems.extend(taken_away(reader, writer));
                for (what, path) in written(writer) {
                    let commit = format!("{path}/_delta_log/00000000000000000000.json");
                    let is_copy = what == ORIGINALS || what == ARCHIVE;
                    if !is_copy && reader.reads(&commit) {
                        problems.push(format!(
                            "`{}` would take {what} of `{}`, in `{path}`, for events",
                            reader.name, writer.name
                        ));
                    }
                }
            }
        }
    }
    problems
}

const ORIGINALS: &str = "the originals";
const ARCHIVE: &str = "the archive";

/// What `remover` takes away that `reader` may not have read yet.
fn taken_away(reader: &Pipeline, remover: &Pipeline) -> Option<String> {
    let what = match &remover.source.after {
        After::Keep => return None,
        After::Delete => "deletes",
        After::Archive { .. } => "moves away",
    };
    let all = remover.input.paths().iter();
    let mut pairs = all.flat_map(|own| reader.input.paths().iter().map(move |its| (own, its)));
    let (own, its) = pairs.find(|(own, its)| !own.is_apart_from(its))?;
    Some(format!(
        "`{}` {what} what it has taken of `{own}`, and `{}` may not have taken it yet from `{its}`: let it \
         stay (`after = \"keep\"`), or give each a folder of its own",
        remover.name, reader.name
    ))
}

fn written(pipeline: &Pipeline) -> Vec<(String, String)> {
    let archive = pipeline.archive_path();
    let archive = archive.map(|path| (ARCHIVE.to_owned(), path.to_owned()));
    let tables = specs(pipeline).map(|spec| (format!("table `{}`", spec.name), spec.path));
    tables
        .chain([
            (ORIGINALS.to_owned(), pipeline.raw_path.clone()),
            (
                "the quarantine".to_owned(),
                pipeline.quarantine_path.clone(),
            ),
        ])
        .chain(archive)
        .collect()
}
