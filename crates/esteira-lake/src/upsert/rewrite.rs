//! Copy-on-write: the files that lose rows are written again without them, beside what comes. For
//! readers that know no deletion vectors.

use deltalake::kernel::Action;
use futures::TryStreamExt as _;

use super::change::Change;
use crate::files::{self, DataFiles, Rows, TableFile};
use crate::tables::{LakeTable, TableError};

/// Writes what `change` needs and gives the actions that make it so.
pub(super) async fn rewrite(
    table: &LakeTable,
    files: &[TableFile],
    change: &Change,
) -> Result<Vec<Action>, TableError> {
    let mut actions = Vec::new();
    let mut written = DataFiles::new(table, change.rows_added());
    for batch in &change.added {
        written.write_sorted(batch).await?;
    }
    actions.extend(written.close().await?);
    for (file, gone) in change.of_files(files) {
        let footer = files::footer(table, file, table.spec().probe()).await?;
        // One that was marked before copy-on-write was asked for.
        let marks = files::marks_and(table, file, gone).await?;
        let mut written = DataFiles::new(table, footer.rows().saturating_sub(marks.len()));
        let mut batches = files::read(table, file, &footer, None, Rows::All)?;
        let mut first = 0;
        while let Some(batch) = batches.try_next().await? {
            let kept = files::without(&batch, &marks, first).map_err(|e| table.data(&e))?;
            first += batch.num_rows() as u64;
            if kept.num_rows() > 0 {
                let kept = files::as_table(table, &kept).map_err(|e| table.data(&e))?;
                written.write(&kept).await?;
            }
        }
        actions.push(Action::Remove(file.remove(true)));
        actions.extend(written.close().await?);
    }
    Ok(actions)
}
