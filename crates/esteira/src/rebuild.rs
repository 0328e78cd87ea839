//! Building tables anew from the originals, beside the live ones.

use std::sync::Arc;

use crate::process::{self, Observer, Replay, RunSummary};
use crate::{Error, Lake};

/// Makes every table and the quarantine once more, with the rules the pipeline has now, from all
/// batches up to `until` (the newest when it is nothing), under `into` in the same bucket. The live
/// tables, the originals and the ledger stay as they are.
///
/// # Errors
/// [`Error::Occupied`] when there is something under `into`; [`Error::Original`]; [`Error`] when the
/// bucket or the ledger cannot be read or written.
pub async fn replay(
    lake: &Lake,
    into: &str,
    until: Option<u64>,
    observer: Arc<dyn Observer>,
) -> Result<RunSummary, Error> {
    let into = into.trim_matches('/');
    let pipeline = lake.pipeline();
    let live = format!("{}/", pipeline.tables_path);
    let occupied = into.is_empty()
        || live.starts_with(&format!("{into}/"))
        || !lake.bucket().list(&format!("{into}/")).await?.is_empty();
    if occupied {
        return Err(Error::Occupied {
            path: into.to_owned(),
        });
    }
    let newest = lake.ledger().last_record().map_or(0, |record| record.batch);
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
