//! Reading columns of a data file, batch by batch.

use arrow::array::RecordBatch;
use deltalake::kernel::LogicalFileView;
use deltalake::logstore::parquet_reader::ParquetObjectReader;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderOptions;

use crate::tables::{LakeTable, TableError};

const ROWS: usize = 8 * 1024;

/// The rows of a file in their order, with the `columns` named, or all.
pub(super) async fn read(
    table: &LakeTable,
    file: &LogicalFileView,
    columns: Option<&[String]>,
) -> Result<BoxStream<'static, Result<RecordBatch, TableError>>, TableError> {
    let store = table.inner().log_store().object_store(None);
    let size = u64::try_from(file.size()).unwrap_or_default();
    let reader = ParquetObjectReader::new(store, file.object_store_path()).with_file_size(size);
    let unreadable = |name: String| {
        move |error: parquet::errors::ParquetError| TableError::Data {
            table: name.clone(),
            reason: error.to_string(),
            transient: matches!(error, parquet::errors::ParquetError::External(_)),
        }
    };
    let fail = unreadable(table.name().to_owned());
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let mut builder = ParquetRecordBatchStreamBuilder::new_with_options(reader, options)
        .await
        .map_err(&fail)?
        .with_batch_size(ROWS);
    if let Some(columns) = columns {
        let mask =
            ProjectionMask::columns(builder.parquet_schema(), columns.iter().map(String::as_str));
        builder = builder.with_projection(mask);
    }
    Ok(builder.build().map_err(&fail)?.map_err(fail).boxed())
}
