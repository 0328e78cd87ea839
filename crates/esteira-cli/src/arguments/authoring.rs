//! What is typed to write a pipeline: `init`, `infer`, `check`.

use std::path::PathBuf;

use clap::Args;

use super::{ListFormat, Place};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira init refunds
  esteira init pipelines/refunds

Nothing is written over.")]
pub(crate) struct InitArguments {
    /// The folder to make; the pipeline gets its name.
    pub(crate) name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira infer samples/*.json                      shows the draft
  esteira infer samples --out pipelines/refunds     writes it
  esteira infer 's3://shop/refunds/**' --most 200 --out pipelines/refunds
  esteira infer --evolve pipelines/refunds          what its schema could name by now
  esteira infer --evolve pipelines/refunds --write  adds it to the schema

The draft takes every sample: what no type takes is left out, with the reason, and kept in
`_rescued_data`. Read it before you use it: which field is the key and the version is a guess.")]
pub(crate) struct InferArguments {
    /// Files, folders, or globs in a bucket: `s3://name/path`, `file:///folder//path`.
    /// With `--evolve` the pipeline, `marketing_place` when it is not given.
    #[arg(required_unless_present = "evolve", value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Offer lines for the schema of a pipeline that has run: the fields that are only in the rescued data of its
    /// events, found in the originals.
    #[arg(long, conflicts_with_all = ["out", "name"])]
    pub(crate) evolve: bool,
    /// Add the lines to the schema; everything else in it stays as it is.
    #[arg(long, requires = "evolve")]
    pub(crate) write: bool,
    /// With `--evolve` the bucket that the pipeline runs on.
    #[command(flatten)]
    pub(crate) place: Place,
    /// The folder to make; the draft is shown when it is not given.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// The pipeline's name; that of the folder when it is not given.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Objects to look at, at most.
    #[arg(long, value_name = "OBJECTS", default_value_t = 1000)]
    pub(crate) most: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira check                     the folder you are in, else the built-in pipeline
  esteira check pipelines/refunds
  esteira check pipelines/*         each, and whether they can share a bucket
  esteira check --format json | jq '.pipelines[].problems[]'

Nothing but the files is read. Exit code 3: something is wrong; warnings do not count.")]
pub(crate) struct CheckArguments {
    /// Folders of pipelines, or names of built-in ones.
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// Text for people, JSON for scripts.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}
