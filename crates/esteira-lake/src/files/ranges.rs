//! Fetching the pages of a file: many small ranges in few requests.
//!
//! The library's reader asks for each page by itself. A search asks for hundreds of pages that lie close
//! together, and on S3 each would be a request.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, coalesce_ranges};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::Result;
use parquet::file::metadata::ParquetMetaData;

use super::{Footer, TableFile};
use crate::tables::LakeTable;

/// Bytes that nobody wants are read along when they are no more than this between two ranges.
const GAP: u64 = 64 * 1024;

/// A data file whose footer is known.
pub(super) struct FileReader {
    store: Arc<dyn ObjectStore>,
    location: Path,
    metadata: Arc<ParquetMetaData>,
}

impl FileReader {
    pub(super) fn new(table: &LakeTable, file: &TableFile, footer: &Footer) -> Self {
        Self {
            store: table.inner().log_store().object_store(None),
            location: file.location(),
            metadata: Arc::clone(footer.metadata()),
        }
    }
}

impl AsyncFileReader for FileReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async { Ok(self.store.get_range(&self.location, range).await?) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            let fetch = |range| self.store.get_range(&self.location, range);
            Ok(coalesce_ranges(&ranges, fetch, GAP).await?)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async { Ok(Arc::clone(&self.metadata)) }.boxed()
    }
}
