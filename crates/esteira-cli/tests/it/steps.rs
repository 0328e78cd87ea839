//! The moments of a batch, seen from outside: each leaves a file in a folder of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::place::Running;

/// The folders in which a batch leaves its traces, in the order in which it does: the last but one before
/// its record, the last after it.
pub(crate) const FOLDERS: [&str; 13] = [
    "_esteira/partial",
    "_esteira/marketing_place/plans",
    "raw/marketing_place",
    "analytics/orders",
    "analytics/orders/_delta_log",
    "analytics/sellers",
    "analytics/sellers/_delta_log",
    "analytics/products",
    "analytics/products/_delta_log",
    "analytics/shipments/_delta_log",
    "quarantine/marketing_place",
    "quarantine/marketing_place/_delta_log",
    "_esteira/marketing_place/records",
];

/// Waits until so many files have come into a folder of the bucket since it was asked to; false when the
/// command ended before, or nothing came for long.
pub(crate) struct Step {
    folder: PathBuf,
    before: usize,
}

impl Step {
    pub(crate) fn of(bucket: &Path, folder: &str) -> Self {
        let folder = bucket.join(folder);
        Self {
            before: count(&folder),
            folder,
        }
    }

    pub(crate) fn wait(&self, files: usize, running: &mut Running, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut looks = 0u32;
        while count(&self.folder) < self.before + files {
            looks += 1;
            if looks.is_multiple_of(64) && (running.has_ended() || Instant::now() > end) {
                return false;
            }
        }
        true
    }
}

/// How many files are in a folder; originals are in a folder a day, of which there can be two.
fn count(folder: &Path) -> usize {
    let entries = || std::fs::read_dir(folder).into_iter().flatten().flatten();
    if folder.ends_with("raw/marketing_place") {
        let days = entries().map(|day| std::fs::read_dir(day.path()).map_or(0, Iterator::count));
        days.sum()
    } else {
        entries().count()
    }
}
