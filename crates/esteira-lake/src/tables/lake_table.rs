//! One Delta table of a process.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use deltalake::checkpoints::cleanup_metadata;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::{Metadata, StructField, StructType};
use deltalake::logstore::LogStoreRef;
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, TableProperty};

use super::commit::{LastCommit, own_properties};
use super::{TableError, support};
use crate::bucket::Bucket;
use crate::files::FileCache;

const OWNER: &str = "esteira.process";
/// A start, and every look at the newest version, reads what came since the last checkpoint; with a
/// commit a second, the library's hundred is a lot.
const CHECKPOINT_INTERVAL: &str = "25";

/// What a table is declared to be.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Its name, as analysts know it.
    pub name: String,
    /// Where it is in the bucket, without slashes at the ends.
    pub path: String,
    /// The process that owns it.
    pub process: String,
    /// Its columns, in order.
    pub schema: SchemaRef,
    /// The columns its rows are found and sorted by; none for a table that only grows.
    pub key: Vec<String>,
    /// Whether files that lose rows are written again, for readers that know no deletion vectors.
    pub copy_on_write: bool,
}

impl TableSpec {
    /// The key column whose values files are searched by before they are read: the first that is a
    /// text.
    #[must_use]
    pub fn probe(&self) -> Option<&str> {
        let is_text = |name: &&String| {
            let field = self.schema.field_with_name(name);
            field.is_ok_and(|field| field.data_type() == &DataType::Utf8)
        };
        self.key.iter().find(is_text).map(String::as_str)
    }

    /// The columns of the key, those first whose values files are searched by: rows are written in their
    /// order, so that few pages have to be looked into.
    #[must_use]
    pub fn sorted_by(&self) -> Vec<String> {
        let probe = self.probe();
        let rest = self
            .key
            .iter()
            .map(String::as_str)
            .filter(|name| Some(*name) != probe);
        probe.into_iter().chain(rest).map(str::to_owned).collect()
    }
}

/// A table, loaded at a version.
#[derive(Debug, Clone)]
pub struct LakeTable {
    spec: TableSpec,
    table: DeltaTable,
    cache: Arc<FileCache>,
    /// Whether its columns have to be those that were declared.
    is_declared: bool,
    pub(super) last: Option<LastCommit>,
}

impl LakeTable {
    /// Opens the table at its newest version, or creates it empty.
    ///
    /// # Errors
    /// [`TableError::Foreign`] and [`TableError::Columns`] when the table there is not the one
    /// declared; the library's errors.
    pub async fn open_or_create(
        bucket: &Bucket,
        spec: TableSpec,
        cache: Arc<FileCache>,
    ) -> Result<Self, TableError> {
        match Self::open(bucket, spec.clone(), Arc::clone(&cache)).await {
            Err(TableError::Missing { .. }) => {}
            opened => return opened,
        }
        let log_store = log_store(bucket, &spec)?;
        let schema: StructType = spec
            .schema
            .as_ref()
            .try_into_kernel()
            .map_err(|error| data(&spec, &error))?;
        let create = CreateBuilder::new()
            .with_log_store(log_store)
            .with_table_name(&spec.name)
            .with_columns(schema.fields().cloned().collect::<Vec<StructField>>())
            .with_raise_if_key_not_exists(false)
            .with_configuration([
                (OWNER, Some(spec.process.as_str())),
                (
                    TableProperty::CheckpointInterval.as_ref(),
                    Some(CHECKPOINT_INTERVAL),
                ),
            ])
            .with_save_mode(SaveMode::Ignore);
        let create = if spec.key.is_empty() || spec.copy_on_write {
            create
        } else {
            create.with_configuration_property(TableProperty::EnableDeletionVectors, Some("true"))
        };
        let created = create.await;
        match created {
            // Whoever created it: only what is there now counts.
            Ok(_) | Err(deltalake::DeltaTableError::VersionAlreadyExists(_)) => {}
            Err(source) => {
                return Err(TableError::Delta {
                    table: spec.name,
                    source: Box::new(source),
                });
            }
        }
        Self::open(bucket, spec, cache).await
    }

    /// Opens the table at its newest version.
    ///
    /// # Errors
    /// [`TableError::Missing`] when there is none; see [`LakeTable::open_or_create`].
    pub async fn open(
        bucket: &Bucket,
        spec: TableSpec,
        cache: Arc<FileCache>,
    ) -> Result<Self, TableError> {
        let table = load(bucket, &spec, None).await?;
        let opened = Self {
            spec,
            table,
            cache,
            is_declared: true,
            last: None,
        };
        opened.check_owner()?;
        opened.check()?;
        Ok(opened)
    }

    /// Opens the table at its newest version to replace all of it, whatever columns it has.
    ///
    /// # Errors
    /// [`TableError::Missing`] when there is none; [`TableError::Foreign`] and
    /// [`TableError::Unsupported`]; the library's errors.
    pub async fn open_to_replace(bucket: &Bucket, spec: TableSpec) -> Result<Self, TableError> {
        let opened = Self::open_as_it_is(bucket, spec, None).await?;
        opened.check_owner()?;
        opened.check()?;
        Ok(opened)
    }

    /// Opens whatever table of this process is at the place, with the columns it has.
    ///
    /// # Errors
    /// [`TableError::Missing`] when there is none; the library's errors.
    pub async fn open_as_it_is(
        bucket: &Bucket,
        mut spec: TableSpec,
        version: Option<u64>,
    ) -> Result<Self, TableError> {
        let table = load(bucket, &spec, version).await?;
        spec.schema = state(&spec, &table)?.arrow_schema();
        Ok(Self {
            spec,
            table,
            cache: Arc::new(FileCache::new(0)),
            is_declared: false,
            last: None,
        })
    }

    /// Brings the table to its newest version, and looks at what others did to it since.
    ///
    /// # Errors
    /// [`TableError::Columns`] and [`TableError::Unsupported`] when it is not a table any more that can
    /// be written here; the library's errors.
    pub async fn refresh(&mut self) -> Result<(), TableError> {
        let before = self.version();
        self.table
            .update_state()
            .await
            .map_err(|source| self.delta(source))?;
        if self.version() != before {
            self.check()?;
            self.tell_of_others(before).await?;
        }
        Ok(())
    }

    /// Whether rows are taken out by marks in deletion vectors; else by writing files again. A table
    /// that was created without them is only changed on purpose, see [`LakeTable::upgrade`].
    ///
    /// # Errors
    /// The library's errors.
    pub fn uses_deletion_vectors(&self) -> Result<bool, TableError> {
        let enabled = state(&self.spec, &self.table)?
            .table_properties()
            .enable_deletion_vectors;
        Ok(!self.spec.copy_on_write && enabled == Some(true))
    }

    /// Turns deletion vectors on in a table that was created without; tells whether it had to.
    ///
    /// # Errors
    /// The library's errors.
    pub async fn upgrade(&mut self) -> Result<bool, TableError> {
        if self.spec.key.is_empty() || self.spec.copy_on_write || self.uses_deletion_vectors()? {
            return Ok(false);
        }
        let properties = [(
            TableProperty::EnableDeletionVectors.as_ref().to_owned(),
            "true".to_owned(),
        )];
        let upgraded = self
            .table
            .clone()
            .set_tbl_properties()
            .with_properties(properties.into())
            .with_commit_properties(own_properties())
            .await;
        self.table = upgraded.map_err(|source| self.delta(source))?;
        Ok(true)
    }

    /// Deletes entries of the log that are older than the log's retention (30 days unless the table says
    /// otherwise) and older than a checkpoint; tells how many.
    pub(crate) async fn clean_log(&mut self) -> Result<u64, TableError> {
        let cleaned = cleanup_metadata(&self.table, None).await;
        let cleaned = cleaned.map_err(|source| self.delta(source))?;
        if cleaned > 0 {
            // What is loaded may lean on entries that are gone.
            let loaded = self.table.load().await;
            loaded.map_err(|source| self.delta(source))?;
        }
        Ok(cleaned as u64)
    }

    /// What it was declared to be.
    #[must_use]
    pub fn spec(&self) -> &TableSpec {
        &self.spec
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The version that is loaded.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.table.version().unwrap_or_default()
    }

    /// The library's error as this table's.
    #[must_use]
    pub fn delta(&self, source: deltalake::DeltaTableError) -> TableError {
        TableError::Delta {
            table: self.spec.name.clone(),
            source: Box::new(source),
        }
    }

    /// The library's table, for reading.
    #[must_use]
    pub fn inner(&self) -> &DeltaTable {
        &self.table
    }

    pub(super) fn inner_mut(&mut self) -> &mut DeltaTable {
        &mut self.table
    }

    pub(crate) fn cache(&self) -> &FileCache {
        &self.cache
    }

    pub(crate) fn data(&self, error: &dyn std::error::Error) -> TableError {
        data(&self.spec, error)
    }

    pub(crate) fn parquet(&self, path: &str, error: &parquet::errors::ParquetError) -> TableError {
        TableError::of_parquet(&self.spec.name, path, error)
    }

    fn check_owner(&self) -> Result<(), TableError> {
        let metadata = metadata(&self.spec, &self.table)?;
        if metadata.configuration().get(OWNER) == Some(&self.spec.process) {
            return Ok(());
        }
        Err(TableError::Foreign {
            table: self.spec.name.clone(),
            path: self.spec.path.clone(),
            process: self.spec.process.clone(),
        })
    }

    fn check(&self) -> Result<(), TableError> {
        if self.is_declared {
            self.check_columns()?;
        }
        support::check(&self.spec, state(&self.spec, &self.table)?)
    }

    fn check_columns(&self) -> Result<(), TableError> {
        let there = state(&self.spec, &self.table)?.arrow_schema();
        let wanted = &self.spec.schema;
        let difference = if there.fields().len() == wanted.fields().len() {
            there
                .fields()
                .iter()
                .zip(wanted.fields())
                .find(|(there, wanted)| !same_column(there, wanted))
                .map(|(there, wanted)| {
                    format!(
                        "it has `{}` {} where the pipeline has `{}` {}",
                        there.name(),
                        there.data_type(),
                        wanted.name(),
                        wanted.data_type()
                    )
                })
        } else {
            let names = |schema: &Schema| {
                schema
                    .fields()
                    .iter()
                    .map(|field| field.name().clone())
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            Some(format!(
                "it has ({}), the pipeline gives ({})",
                names(&there),
                names(wanted)
            ))
        };
        difference.map_or(Ok(()), |difference| {
            Err(TableError::Columns {
                table: self.spec.name.clone(),
                difference,
            })
        })
    }
}

async fn load(
    bucket: &Bucket,
    spec: &TableSpec,
    version: Option<u64>,
) -> Result<DeltaTable, TableError> {
    let missing = || TableError::Missing {
        table: spec.name.clone(),
    };
    // Asked first, since the library says the same of an absent table and of a broken one.
    let log = format!("{}/_delta_log/", spec.path);
    let entries = bucket.list(&log).await.map_err(|error| TableError::Data {
        table: spec.name.clone(),
        reason: error.to_string(),
        transient: error.is_transient(),
    })?;
    if entries.is_empty() {
        return Err(missing());
    }
    let mut table = DeltaTable::new(log_store(bucket, spec)?);
    let loaded = match version {
        Some(version) => table.load_version(version).await,
        None => table.load().await,
    };
    loaded.map_err(|source| TableError::Delta {
        table: spec.name.clone(),
        source: Box::new(source),
    })?;
    Ok(table)
}

fn log_store(bucket: &Bucket, spec: &TableSpec) -> Result<LogStoreRef, TableError> {
    bucket
        .log_store(&spec.path)
        .ok_or_else(|| TableError::Data {
            table: spec.name.clone(),
            reason: format!("`{}` cannot be the path of a table", spec.path),
            transient: false,
        })
}

fn state<'a>(
    spec: &TableSpec,
    table: &'a DeltaTable,
) -> Result<&'a deltalake::kernel::EagerSnapshot, TableError> {
    table
        .snapshot()
        .map(deltalake::table::state::DeltaTableState::snapshot)
        .map_err(|source| TableError::Delta {
            table: spec.name.clone(),
            source: Box::new(source),
        })
}

fn metadata<'a>(spec: &TableSpec, table: &'a DeltaTable) -> Result<&'a Metadata, TableError> {
    state(spec, table).map(deltalake::kernel::EagerSnapshot::metadata)
}

fn data(spec: &TableSpec, error: &dyn std::error::Error) -> TableError {
    TableError::Data {
        table: spec.name.clone(),
        reason: error.to_string(),
        transient: false,
    }
}

/// Compares name and type; how a reader likes its texts (views or not) and the names inside a list
/// are no difference in the table.
fn same_column(there: &FieldRef, wanted: &FieldRef) -> bool {
    there.name() == wanted.name() && same_type(there.data_type(), wanted.data_type())
}

fn same_type(there: &DataType, wanted: &DataType) -> bool {
    let same_element = |a: &Field, b: &Field| same_type(a.data_type(), b.data_type());
    match (there, wanted) {
        (
            DataType::List(there) | DataType::LargeList(there) | DataType::ListView(there),
            DataType::List(wanted),
        ) => same_element(there, wanted),
        (DataType::Struct(there), DataType::Struct(wanted)) => {
            there.len() == wanted.len()
                && there
                    .iter()
                    .zip(wanted.iter())
                    .all(|(t, w)| same_column(t, w))
        }
        (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, DataType::Utf8)
        | (DataType::Binary | DataType::LargeBinary | DataType::BinaryView, DataType::Binary)
        | (
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)),
        ) => true,
        _ => there == wanted,
    }
}
