//! Reading rows of a data file, batch by batch.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask, RowNumber};

use super::ranges::FileReader;
use super::{Footer, Marks, TableFile, conform};
use crate::tables::{LakeTable, TableError};

/// The column with each row's number in its file, from 0.
pub(crate) const ROW_NUMBER: &str = "_esteira_row_number";

const ROWS: usize = 8 * 1024;

/// Which rows are read.
pub(crate) enum Rows {
    /// All of them.
    All,
    /// These, of these row groups: the selection is counted over the groups named.
    Some {
        /// The row groups that are read, ascending.
        groups: Vec<usize>,
        /// Which of their rows.
        selection: RowSelection,
    },
}

/// Rows of a file in their order, with the top-level `columns` named, or all; the last column is
/// [`ROW_NUMBER`].
pub(crate) fn read(
    table: &LakeTable,
    file: &TableFile,
    footer: &Footer,
    columns: Option<&[String]>,
    rows: Rows,
) -> Result<BoxStream<'static, Result<RecordBatch, TableError>>, TableError> {
    let (name, path) = (table.name().to_owned(), file.path().to_owned());
    let fail = move |error| TableError::of_parquet(&name, &path, &error);
    let number = Field::new(ROW_NUMBER, DataType::Int64, false).with_extension_type(RowNumber);
    let options = ArrowReaderOptions::new()
        .with_skip_arrow_metadata(true)
        .with_virtual_columns(vec![Arc::new(number)])
        .map_err(&fail)?;
    let metadata =
        ArrowReaderMetadata::try_new(Arc::clone(footer.metadata()), options).map_err(&fail)?;
    let reader = FileReader::new(table, file, footer);
    let mut builder =
        ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata).with_batch_size(ROWS);
    if let Some(columns) = columns {
        let mask =
            ProjectionMask::columns(builder.parquet_schema(), columns.iter().map(String::as_str));
        builder = builder.with_projection(mask);
    }
    if let Rows::Some { groups, selection } = rows {
        builder = builder
            .with_row_groups(groups)
            .with_row_selection(selection);
    }
    Ok(builder.build().map_err(&fail)?.map_err(fail).boxed())
}

/// The rows of `batch`, whose first has the number `first` in its file, without the marked ones.
pub(crate) fn without(
    batch: &RecordBatch,
    marks: &Marks,
    first: u64,
) -> Result<RecordBatch, ArrowError> {
    let end = first + batch.num_rows() as u64;
    let mut keep = vec![true; batch.num_rows()];
    let mut gone = 0;
    let mut ahead = marks.iter();
    ahead.advance_to(first);
    for row in ahead.take_while(|row| *row < end) {
        if let Ok(row) = usize::try_from(row - first) {
            keep[row] = false;
            gone += 1;
        }
    }
    if gone == 0 {
        return Ok(batch.clone());
    }
    filter_record_batch(batch, &BooleanArray::from(keep))
}

/// The batch with exactly the table's columns; one that the file does not have is null.
pub(crate) fn as_table(table: &LakeTable, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = &table.spec().schema;
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) => conform(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new(schema.clone(), columns)
}
