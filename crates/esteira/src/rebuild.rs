//! Building tables anew from the originals, beside the live ones, and switching to them.

use std::sync::Arc;
use std::time::Duration;

use crate::pipeline::LEDGER;
use crate::process::{self, Observer, Replay, RunSummary, Stop, SwitchSummary, Switching};
use crate::{Clock, Error, Lake, Pipeline, SystemClock};

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
    let into = free(lake, into).await?;
    let newest = lake.ledger().last_recorded();
    let mut pipeline = lake.pipeline().clone();
    into.clone_into(&mut pipeline.tables_path);
    pipeline.quarantine_path = format!("{into}/quarantine");
    let replayed = Box::pin(process::replay(Replay {
        pipeline: Arc::new(pipeline),
        source: lake.bucket().clone(),
        target: lake.bucket().clone(),
        until: until.map_or(newest, |until| until.min(newest)),
        stop: Stop::Ends,
        observer,
    }))
    .await?;
    Ok(replayed.summary)
}

/// How a switch is done.
#[derive(Debug, Clone)]
pub struct SwitchOptions {
    /// The folder the tables are made in, where nothing may be; one beside the ledger when it is nothing.
    pub into: Option<String>,
    /// Whether they stay there, too. Without a folder of its own choice nothing stays: what is beside the
    /// ledger is cleared away by a later switch.
    pub keep: bool,
    /// How long a running job may take to record a batch that it has planned, before the switch takes the
    /// objects of it without waiting for it. Half a minute unless told otherwise.
    pub patience: Duration,
    /// The clock to plan by.
    pub clock: Arc<dyn Clock>,
}

impl Default for SwitchOptions {
    fn default() -> Self {
        Self {
            into: None,
            keep: false,
            patience: Duration::from_secs(30),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Makes every table and the quarantine once more, with the rules the pipeline has now, and puts them in
/// the place of the live ones: the rows and, where they are others, the columns of each table in one commit.
/// May be done while the job runs. What was there before stays readable as older versions.
///
/// What fails leaves the live tables as they are. Once it is decided, it is finished by whoever comes
/// next: this again, a job or a retry.
///
/// # Errors
/// [`Error::Taken`] and [`Error::Occupied`], see [`replay`]; [`Error::Original`]; [`Error::Rule`];
/// [`Error::GivenUp`] and [`Error::Overtaken`] when others were faster; [`Error`] when the bucket, the ledger
/// or a table cannot be read or written.
pub async fn switch(
    lake: &Lake,
    options: SwitchOptions,
    observer: Arc<dyn Observer>,
) -> Result<SwitchSummary, Error> {
    let folder = match &options.into {
        Some(into) => Some(free(lake, into).await?.to_owned()),
        None => None,
    };
    Box::pin(process::switch_tables(Switching {
        pipeline: lake.pipeline().clone(),
        bucket: lake.bucket().clone(),
        keep: options.keep && folder.is_some(),
        folder,
        patience: options.patience,
        clock: options.clock,
        observer,
    }))
    .await
}

/// The folder, if it can be one for new tables.
async fn free<'a>(lake: &Lake, into: &'a str) -> Result<&'a str, Error> {
    let into = into.trim_matches('/');
    let path = || into.to_owned();
    if let Some(owner) = owner(lake.pipeline(), into) {
        return Err(Error::Taken {
            path: path(),
            owner,
        });
    }
    if lake.bucket().list(&format!("{into}/")).await?.is_empty() {
        return Ok(into);
    }
    Err(Error::Occupied { path: path() })
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
