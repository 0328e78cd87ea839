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

/// Judges the winning event of each key: who is to be applied has to beat every stored row of its key.
///
/// `is_own` tells of an event that is in the table whether that is this batch's own work, because the
/// batch has committed before.
pub(super) fn judge(
    verdicts: &mut [Verdict],
    winners: &[usize],
    stored: &[Stored],
    order: &EventOrder,
    is_own: impl Fn(usize) -> bool,
) {
    for row in stored {
        let key = row.key as usize;
        let event = winners[key];
        let verdict = match order.version(event).cmp(&row.version()) {
            Ordering::Greater => Verdict::Applied,
            Ordering::Equal if is_own(event) => Verdict::Applied,
            Ordering::Equal => Verdict::Duplicate,
            Ordering::Less => Verdict::Superseded,
        };
        if verdict != Verdict::Applied {
            verdicts[key] = verdict;
        }
    }
}
