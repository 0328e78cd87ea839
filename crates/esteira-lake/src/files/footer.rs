//! What a Parquet file says of itself at its end: row groups, pages and their bounds, Bloom filters.
//!
//! Format: Apache Parquet, *File Metadata*, *Page Index* and *Bloom Filter*. Files written here have
//! all of it in one stretch at the end, so that it is one request.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::async_reader::MetadataFetch;
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};

use super::TableFile;
use crate::tables::{LakeTable, TableError};

/// What is read of the end at first: a sixteenth of the file, within these bounds.
const LEAST_TAIL: u64 = 64 * 1024;
const MOST_TAIL: u64 = 2 * 1024 * 1024;
const BLOOM_BLOCK: usize = 32;

/// The end of a data file, understood.
#[derive(Debug)]
pub(crate) struct Footer {
    metadata: Arc<ParquetMetaData>,
    /// Of the column asked for, by row group.
    blooms: Vec<Option<Sbbf>>,
}

impl Footer {
    /// Everything but the Bloom filters.
    pub(crate) fn metadata(&self) -> &Arc<ParquetMetaData> {
        &self.metadata
    }

    /// The Bloom filter of a row group, where there is one.
    pub(crate) fn bloom(&self, row_group: usize) -> Option<&Sbbf> {
        self.blooms.get(row_group)?.as_ref()
    }

    /// How many rows were written into the file.
    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.metadata.file_metadata().num_rows()).unwrap_or_default()
    }

    /// The place of a column among the file's leaves.
    pub(crate) fn leaf(&self, column: &str) -> Option<usize> {
        let schema = self.metadata.file_metadata().schema_descr();
        let is_column = |leaf: &usize| schema.column(*leaf).path().parts() == [column];
        (0..schema.num_columns()).find(is_column)
    }

    pub(super) fn bytes(&self) -> usize {
        let blooms = self.blooms.iter().flatten();
        self.metadata.memory_size() + blooms.map(|b| b.num_blocks() * BLOOM_BLOCK).sum::<usize>()
    }
}

/// The footer of `file`, with the Bloom filters of `column`.
pub(crate) async fn footer(
    table: &LakeTable,
    file: &TableFile,
    column: Option<&str>,
) -> Result<Arc<Footer>, TableError> {
    if let Some(known) = table.cache().footer(&table.spec().path, file.path()) {
        return Ok(known);
    }
    let mut end = End::new(table, file);
    let read = async {
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .load_and_finish(&mut end, file.bytes())
            .await?;
        let mut footer = Footer {
            metadata: Arc::new(metadata),
            blooms: Vec::new(),
        };
        if let Some(leaf) = column.and_then(|column| footer.leaf(column)) {
            for group in footer.metadata.row_groups() {
                footer.blooms.push(bloom(&mut end, group, leaf).await?);
            }
        }
        Ok(Arc::new(footer))
    };
    let footer = read
        .await
        .map_err(|error| table.parquet(file.path(), &error))?;
    table
        .cache()
        .keep_footer(&table.spec().path, file.path(), &footer);
    Ok(footer)
}

async fn bloom(
    end: &mut End,
    group: &RowGroupMetaData,
    leaf: usize,
) -> Result<Option<Sbbf>, ParquetError> {
    let column = group.column(leaf);
    let (Some(offset), Some(length)) = (column.bloom_filter_offset(), column.bloom_filter_length())
    else {
        return Ok(None);
    };
    let (Ok(offset), Ok(length)) = (u64::try_from(offset), u64::try_from(length)) else {
        return Ok(None);
    };
    let bytes = end.get(offset..offset + length).await?;
    Sbbf::from_bytes(&bytes).map(Some)
}

/// The end of a file, read once and then answered from memory as far as it goes.
struct End {
    store: Arc<dyn ObjectStore>,
    location: Path,
    size: u64,
    read: Bytes,
}

impl End {
    fn new(table: &LakeTable, file: &TableFile) -> Self {
        Self {
            store: table.inner().log_store().object_store(None),
            location: file.location(),
            size: file.bytes(),
            read: Bytes::new(),
        }
    }

    async fn get(&mut self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        if self.read.is_empty() {
            let length = (self.size / 16).clamp(LEAST_TAIL, MOST_TAIL).min(self.size);
            let tail = self.size - length..self.size;
            self.read = self.store.get_range(&self.location, tail).await?;
        }
        let first = self.size - self.read.len() as u64;
        match (
            range.start.checked_sub(first).map(usize::try_from),
            range.end.checked_sub(first).map(usize::try_from),
        ) {
            (Some(Ok(from)), Some(Ok(to))) if from <= to && to <= self.read.len() => {
                Ok(self.read.slice(from..to))
            }
            _ => Ok(self.store.get_range(&self.location, range).await?),
        }
    }
}

impl MetadataFetch for &mut End {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        self.get(range).boxed()
    }
}
