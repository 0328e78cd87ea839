//! Retrying the quarantine after the rules, or the program, got better.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::FutureExt as _;

use crate::process::{self, Observer, RetrySummary};
use crate::quarantined::quarantine;
use crate::{Error, Lake, QuarantineEntry, SystemClock};

/// Takes entries of the quarantine once more, from their originals, with the rules the pipeline has now:
/// all of them, or every entry of the objects that hold an entry whose id begins with one of `ids`.
///
/// Afterwards tables, quarantine and totals are those of a run that had these rules from the start. What
/// is rejected as before stays as it is. May be done while the job runs.
///
/// # Errors
/// [`Error::UnknownEntry`]; [`Error::Original`]; [`Error`] when the bucket, the ledger or a table cannot be
/// read or written, or a running job was faster in planning each time.
pub async fn retry(
    lake: &Lake,
    ids: &[String],
    observer: Arc<dyn Observer>,
) -> Result<RetrySummary, Error> {
    let clock = Arc::new(SystemClock);
    let (pipeline, bucket) = (lake.pipeline().clone(), lake.bucket().clone());
    let entries = {
        let (pipeline, bucket, ids) = (pipeline.clone(), bucket.clone(), ids.to_vec());
        move || {
            let (pipeline, bucket, ids) = (pipeline.clone(), bucket.clone(), ids.clone());
            async move { chosen(&Lake::open(pipeline, bucket).await?, &ids).await }.boxed()
        }
    };
    let pipeline = Arc::new(pipeline);
    Box::pin(process::retry(pipeline, bucket, clock, observer, entries)).await
}

async fn chosen(lake: &Lake, ids: &[String]) -> Result<Vec<QuarantineEntry>, Error> {
    let mut originals = BTreeSet::new();
    let mut unknown: BTreeSet<&String> = ids.iter().collect();
    quarantine(lake, |entry| {
        unknown.retain(|id| !entry.id.starts_with(id.as_str()));
        if ids.iter().any(|id| entry.id.starts_with(id.as_str())) {
            originals.insert(entry.raw_file);
        }
    })
    .await?;
    if let Some(id) = unknown.first() {
        return Err(Error::UnknownEntry { id: (*id).clone() });
    }
    let mut entries: Vec<QuarantineEntry> = Vec::new();
    // By original: only the bytes of the last entry are needed, and all together may be many.
    let mut last: HashMap<String, usize> = HashMap::new();
    quarantine(lake, |mut entry| {
        if !ids.is_empty() && !originals.contains(&entry.raw_file) {
            return;
        }
        let place = last.entry(entry.raw_file.clone()).or_insert(entries.len());
        if let Some(known) = entries.get_mut(*place) {
            if known.origin < entry.origin {
                known.original = Vec::new();
                *place = entries.len();
            } else {
                entry.original = Vec::new();
            }
        }
        entries.push(entry);
    })
    .await?;
    Ok(entries)
}
