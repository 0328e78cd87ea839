//! The latest row of each key within a batch.

use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::keys::{KeyEncoder, KeySet};
use super::staged::At;
use super::{EventOrder, Staged};

/// One row a key.
#[derive(Debug)]
pub(super) struct Winners {
    /// The keys, numbered.
    pub(super) keys: KeySet,
    /// The winning row of each key, by the key's number.
    pub(super) rows: Vec<At>,
}

/// Chooses for each key the row of the latest event; among rows of one event the last. Rows whose key
/// is null are no rows.
pub(super) fn winners(
    staged: &Staged,
    encoder: &KeyEncoder,
    order: &EventOrder,
) -> Result<Winners, ArrowError> {
    let mut keys = KeySet::default();
    let mut rows: Vec<At> = Vec::new();
    for (part, batch) in staged.batches().iter().enumerate() {
        let row_keys = encoder.encode(batch)?;
        for row in 0..row_keys.len() {
            let Some(key) = row_keys.get(row) else {
                continue;
            };
            let number = keys.insert(key) as usize;
            let at = (part, row);
            match rows.get_mut(number) {
                None => rows.push(at),
                Some(best) => {
                    if order.rank(staged.event(at)) >= order.rank(staged.event(*best)) {
                        *best = at;
                    }
                }
            }
        }
    }
    Ok(Winners { keys, rows })
}

/// Which events win a key of a head within the batch and do not delete it, by their index: only their
/// child rows can ever be needed.
///
/// # Errors
/// When a key column is absent.
pub fn can_stand(
    staged: &Staged,
    key: &[String],
    table: &Schema,
    order: &EventOrder,
    deletes: Option<&[bool]>,
) -> Result<Vec<bool>, ArrowError> {
    let encoder = KeyEncoder::new(key, table)?;
    let mut standing = vec![false; order.len()];
    for at in winners(staged, &encoder, order)?.rows {
        let event = staged.event(at);
        standing[event] = deletes.is_none_or(|deletes| !deletes[event]);
    }
    Ok(standing)
}
