//! One data file of the loaded version of a table.

use deltalake::kernel::{Add, DeletionVectorDescriptor, LogicalFileView, Remove};
use futures::TryStreamExt as _;
use object_store::path::Path;

use crate::tables::{LakeTable, TableError};

/// A file as the table's log describes it.
#[derive(Clone)]
pub(crate) struct TableFile {
    view: LogicalFileView,
    path: String,
    vector: Option<DeletionVectorDescriptor>,
}

impl TableFile {
    fn new(view: LogicalFileView) -> Self {
        Self {
            path: view.path().into_owned(),
            vector: view.deletion_vector_descriptor(),
            view,
        }
    }

    /// Its path under the table's folder.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Its path for the table's object store.
    pub(crate) fn location(&self) -> Path {
        self.view.object_store_path()
    }

    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        u64::try_from(self.view.size()).unwrap_or_default()
    }

    /// When it was written, in milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn written(&self) -> i64 {
        self.view.modification_time()
    }

    /// How many rows were written into it, where its statistics say so.
    pub(crate) fn rows(&self) -> Option<u64> {
        self.view.num_records().map(|rows| rows as u64)
    }

    /// How many of them are marked as deleted.
    pub(crate) fn deleted(&self) -> u64 {
        let cardinality = self.vector.as_ref().map_or(0, |vector| vector.cardinality);
        u64::try_from(cardinality).unwrap_or_default()
    }

    /// Its deletion vector, if it has one.
    pub(crate) fn vector(&self) -> Option<&DeletionVectorDescriptor> {
        self.vector.as_ref()
    }

    /// Its statistics (Delta protocol, *Per-file Statistics*), as they are in the log.
    pub(crate) fn statistics(&self) -> Option<String> {
        self.view.stats()
    }

    /// The action that adds it as it is.
    pub(crate) fn add(&self) -> Add {
        #[expect(
            deprecated,
            reason = "the only public way to the action; its replacement needs internals"
        )]
        self.view.add_action()
    }

    /// The action that takes it out; `data_change` is false when its rows are elsewhere.
    pub(crate) fn remove(&self, data_change: bool) -> Remove {
        self.view.remove_action(data_change)
    }
}

/// How large a table is at a version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableSize {
    /// Data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows in them that are marked as deleted.
    pub deleted_rows: u64,
}

/// How large the table's loaded version is.
///
/// # Errors
/// The library's errors.
pub async fn size(table: &LakeTable) -> Result<TableSize, TableError> {
    let mut size = TableSize::default();
    for file in files(table).await? {
        size.files += 1;
        size.bytes += file.bytes();
        size.deleted_rows += file.deleted();
    }
    Ok(size)
}

/// The files of the table's loaded version, newest first.
pub(crate) async fn files(table: &LakeTable) -> Result<Vec<TableFile>, TableError> {
    let log_store = table.inner().log_store();
    let state = table.inner().snapshot().map_err(|e| table.delta(e))?;
    state
        .snapshot()
        .file_views(log_store.as_ref(), None)
        .map_ok(TableFile::new)
        .try_collect()
        .await
        .map_err(|e| table.delta(e))
}
