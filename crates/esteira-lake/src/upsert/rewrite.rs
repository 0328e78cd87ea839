//! Copy-on-write: the files that lose rows are written again without them, together with what comes.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{
    SortColumn, cast, filter_record_batch, lexsort_to_indices, take_record_batch,
};
use arrow::error::ArrowError;
use deltalake::kernel::{Action, LogicalFileView};
use futures::TryStreamExt as _;

use super::change::Change;
use super::data_files::DataFiles;
use super::reader;
use crate::tables::{LakeTable, TableError};

/// Writes what `change` needs and gives the actions that make it so.
pub(super) async fn rewrite(
    table: &LakeTable,
    files: &[LogicalFileView],
    change: &Change,
    sort_by: &[String],
) -> Result<Vec<Action>, TableError> {
    let mut actions = Vec::new();
    let mut written = DataFiles::new(table, sort_by)?;
    for batch in &change.added {
        let sorted = sort(batch, sort_by).map_err(|e| table.data(&e))?;
        written.write(&sorted).await?;
    }
    for (&index, removed) in &change.removed {
        let Some(file) = files.get(index) else {
            continue;
        };
        let mut batches = reader::read(table, file, None).await?;
        let mut first = 0;
        while let Some(batch) = batches.try_next().await? {
            let kept = without(&batch, removed, first).map_err(|e| table.data(&e))?;
            first += batch.num_rows() as u64;
            if kept.num_rows() > 0 {
                let kept = as_table(table, &kept).map_err(|e| table.data(&e))?;
                written.write(&kept).await?;
            }
        }
        actions.push(Action::Remove(file.remove_action(true)));
    }
    actions.extend(written.close().await?);
    Ok(actions)
}

/// Sorted rows give narrow statistics, and those let the next search skip files and pages.
fn sort(batch: &RecordBatch, by: &[String]) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<SortColumn> = by
        .iter()
        .filter_map(|name| batch.column_by_name(name))
        .map(|values| SortColumn {
            values: values.clone(),
            options: None,
        })
        .collect();
    if columns.is_empty() {
        return Ok(batch.clone());
    }
    let places = lexsort_to_indices(&columns, None)?;
    take_record_batch(batch, &places)
}

fn without(batch: &RecordBatch, removed: &[u64], first: u64) -> Result<RecordBatch, ArrowError> {
    let end = first + batch.num_rows() as u64;
    let from = removed.partition_point(|row| *row < first);
    let to = removed.partition_point(|row| *row < end);
    if from == to {
        return Ok(batch.clone());
    }
    let mut keep = vec![true; batch.num_rows()];
    for row in &removed[from..to] {
        if let Ok(row) = usize::try_from(row - first) {
            keep[row] = false;
        }
    }
    filter_record_batch(batch, &BooleanArray::from(keep))
}

fn as_table(table: &LakeTable, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = &table.spec().schema;
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
            Some(column) => cast(column, field.data_type()),
            None => Ok(arrow::array::new_null_array(
                field.data_type(),
                batch.num_rows(),
            )),
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new(schema.clone(), columns)
}
