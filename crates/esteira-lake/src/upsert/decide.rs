//! The batch's winners against what is stored: pure, no table, no bucket.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::EventOrder;
use super::find::Stored;

/// What became of a key's winning event in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its rows are in the table now.
    Applied,
    /// Something newer is stored.
    Superseded,
    /// The very same event is stored.
    Duplicate,
}

/// What an upsert did.
#[derive(Debug, Default)]
pub struct Applied {
    /// The Delta version that holds the batch.
    pub version: u64,
    /// The winning event of each key of the batch, and what became of it. Events that are not named
    /// lost within the batch.
    pub verdicts: Vec<(usize, Verdict)>,
    /// The key of each applied event, for the table's children.
    pub(super) standing: HashMap<usize, Box<[u8]>>,
    /// Rows written.
    pub rows_added: u64,
    /// Rows replaced or removed.
    pub rows_removed: u64,
}

/// Judges the winning event of each key.
///
/// `replayed`: this batch has already committed to this table; then the same event in the table is
/// this batch's own work.
pub(super) fn judge(
    winners: &[usize],
    stored: &[Stored],
    order: &EventOrder,
    replayed: bool,
) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::Applied; winners.len()];
    for row in stored {
        let key = row.key as usize;
        let verdict = match order.version(winners[key]).cmp(&row.version()) {
            Ordering::Greater => Verdict::Applied,
            Ordering::Equal if replayed => Verdict::Applied,
            Ordering::Equal => Verdict::Duplicate,
            Ordering::Less => Verdict::Superseded,
        };
        if verdict != Verdict::Applied {
            verdicts[key] = verdict;
        }
    }
    verdicts
}
