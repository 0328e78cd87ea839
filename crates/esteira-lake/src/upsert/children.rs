//! A child table: all of a head's rows are replaced as one set, also by an empty one.

use std::collections::HashMap;

use super::change::Change;
use super::commit::{self, ATTEMPTS};
use super::decide::Applied;
use super::find::{self, Look};
use super::keys::{KeyEncoder, KeySet};
use super::staged::At;
use super::{Batch, Staged};
use crate::files;
use crate::tables::{LakeTable, TableError};

/// Takes a batch into a child table, for the events that now stand in its head.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Data`] when a row's key is not its head's;
/// [`TableError::Contended`] when others kept changing it.
pub async fn children(
    table: &mut LakeTable,
    staged: Staged,
    head: &Applied,
    batch: &Batch,
) -> Result<Applied, TableError> {
    let schema = table.spec().schema.clone();
    let encoder = KeyEncoder::new(&table.spec().key, &schema).map_err(|e| table.data(&e))?;
    let mut keys = KeySet::default();
    for key in head.standing.values() {
        keys.insert(key);
    }
    let chosen = rows_of(&staged, &encoder, &head.standing, table)?;
    let rows = staged
        .rows(&chosen, &schema, batch, &[])
        .map_err(|e| table.data(&e))?;
    // All of them are in memory once more now.
    drop(staged);
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            table.refresh().await?;
        }
        let mut result = Applied {
            rows_added: rows.num_rows() as u64,
            ..Applied::default()
        };
        if commit::is_committed(table, batch).await? {
            table.refresh().await?;
        } else {
            let files = files::files(table).await?;
            let stored = find::find(table, &files, &encoder, &keys, Look::Place).await?;
            let change = Change::new(stored.iter().map(|row| row.at), vec![rows.clone()]);
            result.rows_removed = change.rows_removed();
            if !commit::settle(table, &files, &change, batch, false).await? {
                continue;
            }
        }
        result.version = table.version();
        return Ok(result);
    }
    Err(commit::contended(table, batch))
}

fn rows_of(
    staged: &Staged,
    encoder: &KeyEncoder,
    standing: &HashMap<usize, Box<[u8]>>,
    table: &LakeTable,
) -> Result<Vec<At>, TableError> {
    let mut chosen = Vec::new();
    for (part, batch) in staged.batches().iter().enumerate() {
        let keys = encoder.encode(batch).map_err(|e| table.data(&e))?;
        for row in 0..keys.len() {
            let at = (part, row);
            let Some(head) = standing.get(&staged.event(at)) else {
                continue;
            };
            if keys.get(row) != Some(head.as_ref()) {
                return Err(TableError::Data {
                    table: table.name().to_owned(),
                    reason: "its model gives a row whose key is not that of its head's row"
                        .to_owned(),
                    transient: false,
                });
            }
            chosen.push(at);
        }
    }
    Ok(chosen)
}
