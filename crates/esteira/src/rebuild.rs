//! Building tables anew from the originals, beside the live ones.

use std::sync::Arc;

use crate::pipeline::LEDGER;
use crate::process::{self, Observer, Replay, RunSummary};
use crate::{Error, Lake, Pipeline};

/// Makes every table and the quarantine once more, with the rules the pipeline has now, from all
/// batches up to `until` (the newest when it is nothing), under `into` in the same bucket. The live
/// tables, the originals and the ledger stay as they are.
///
/// # Errors
/// [`Error::Taken`] when `into` is where something else of the pipeline lives; [`Error::Occupied`] when there
/// is something under it; [`Error::Original`]; [`Error`] when the bucket or the ledger cannot be read or
/// written.
pub async fn replay(
    lake: &Lake,
    into: &str,
    until: Option<u64>,
    observer: Arc<dyn Observer>,
) -> Result<RunSummary, Error> {
    let into = into.trim_matches('/');
    let pipeline = lake.pipeline();
    if let Some(owner) = owner(pipeline, into) {
        return Err(Error::Taken {
            path: into.to_owned(),
            owner,
        });
    }
    if !lake.bucket().list(&format!("{into}/")).await?.is_empty() {
        return Err(Error::Occupied {
            path: into.to_owned(),
        });
    }
    let newest = lake.ledger().last_recorded();
    let mut pipeline = pipeline.clone();
    into.clone_into(&mut pipeline.tables_path);
    pipeline.quarantine_path = format!("{into}/quarantine");
    Box::pin(process::replay(Replay {
        pipeline: Arc::new(pipeline),
        source: lake.bucket().clone(),
        target: lake.bucket().clone(),
        until: until.map_or(newest, |until| until.min(newest)),
        observer,
    }))
    .await
}

/// What lives where `into` is, around it or in it. Files in a table's folder would be vacuumed, and a table
/// under the input path would be taken for events.
fn owner(pipeline: &Pipeline, into: &str) -> Option<String> {
    let tables = process::specs(pipeline).map(|spec| (spec.path, format!("table `{}`", spec.name)));
    let others = [
        (
            pipeline.quarantine_path.clone(),
            "the quarantine".to_owned(),
        ),
        (pipeline.raw_path.clone(), "the originals".to_owned()),
        (LEDGER.to_owned(), "the ledger".to_owned()),
    ];
    let archive = pipeline.archive_path();
    let archive = archive.map(|path| (path.to_owned(), "the archive".to_owned()));
    let inputs = pipeline.input.paths().iter();
    let inputs = inputs.map(|path| (path.base().to_owned(), "the input".to_owned()));
    let others = others.into_iter().chain(archive).chain(inputs);
    let into = format!("{into}/");
    let overlaps = |path: &str| {
        let path = format!("{}/", path.trim_matches('/'));
        into == "/" || path != "/" && (path.starts_with(&into) || into.starts_with(&path))
    };
    let taken = tables.chain(others).find(|(path, _)| overlaps(path));
    let commit = format!("{into}table/_delta_log/00000000000000000000.json");
    taken.map(|(_, owner)| owner).or_else(|| {
        pipeline
            .input
            .matches(&commit)
            .then(|| "the input".to_owned())
    })
}
