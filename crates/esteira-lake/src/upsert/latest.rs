//! A latest-wins table: one row a key, of the event with the greatest version; none when that event
//! deletes.

use super::change::Change;
use super::commit::{self, ATTEMPTS};
use super::decide::{Applied, Verdict, judge};
use super::deletions::Deletions;
use super::find::{self, Look};
use super::keys::KeyEncoder;
use super::staged::At;
use super::winners::winners;
use super::{Batch, Staged};
use crate::files;
use crate::tables::{LakeTable, TableError};

/// Takes a batch into a latest-wins table. With `deletions` an event has to beat what was deleted, too,
/// and one that deletes takes the row of its key away.
///
/// # Errors
/// [`TableError`] of the table; [`TableError::Contended`] when others kept changing it.
pub async fn latest(
    table: &mut LakeTable,
    version_column: &str,
    staged: &Staged,
    deletions: Option<&Deletions<'_>>,
    batch: &Batch,
) -> Result<Applied, TableError> {
    let schema = table.spec().schema.clone();
    let encoder = KeyEncoder::new(&table.spec().key, &schema).map_err(|e| table.data(&e))?;
    let winners = winners(staged, &encoder, &batch.order).map_err(|e| table.data(&e))?;
    let events: Vec<usize> = winners.rows.iter().map(|at| staged.event(*at)).collect();
    let deletes = |event| deletions.is_some_and(|deletions| deletions.deletes(event));
    let remembered = match deletions {
        Some(deletions) => deletions.find(&encoder, &winners.keys).await?,
        None => Vec::new(),
    };
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            table.refresh().await?;
        }
        let replayed = commit::is_committed(table, batch).await?;
        let files = files::files(table).await?;
        let look = Look::Version(version_column);
        let stored = find::find(table, &files, &encoder, &winners.keys, look).await?;
        let mut verdicts = vec![Verdict::Applied; events.len()];
        judge(&mut verdicts, &events, &stored, &batch.order, |_| replayed);
        // What this batch deletes is among the deletions already.
        judge(&mut verdicts, &events, &remembered, &batch.order, deletes);
        let applied = |number: usize| verdicts[number] == Verdict::Applied;
        let chosen: Vec<At> = (0..events.len())
            .filter(|number| applied(*number) && !deletes(events[*number]))
            .map(|number| winners.rows[number])
            .collect();
        let gone = stored
            .iter()
            .filter(|row| applied(row.key as usize))
            .map(|row| row.at);
        let rows = staged
            .rows(&chosen, &schema, batch, &[])
            .map_err(|e| table.data(&e))?;
        let change = Change::new(gone, vec![rows]);
        let mut result = Applied {
            verdicts: events
                .iter()
                .copied()
                .zip(verdicts.iter().copied())
                .collect(),
            rows_added: change.rows_added(),
            rows_removed: change.rows_removed(),
            ..Applied::default()
        };
        for (key, number) in winners.keys.iter() {
            if applied(number as usize) {
                result.standing.insert(events[number as usize], key.into());
            }
        }
        if commit::settle(table, &files, &change, batch, replayed).await? {
            result.version = table.version();
            return Ok(result);
        }
    }
    Err(commit::contended(table, batch))
}
