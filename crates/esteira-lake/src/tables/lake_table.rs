//! One Delta table of a process.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use deltalake::checkpoints::cleanup_metadata;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::{Metadata, StructField, StructType};
use deltalake::logstore::LogStoreRef;
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, TableProperty};

use super::columns::{Differences, WiderColumn, merged, plain};
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
    /// The columns that no row can be without: they are there from the start, and keep their types.
    pub fixed: Vec<String>,
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

/// What the columns of an open table have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// Those that it has, whatever its pipeline gives.
    AsStored,
    /// Those that it has, and some that are still to be added.
    Growing,
    /// Those that its pipeline gives.
    AsDeclared,
}

/// A table, loaded at a version.
#[derive(Debug, Clone)]
pub struct LakeTable {
    /// Its columns are those that rows are written with.
    spec: TableSpec,
    table: DeltaTable,
    cache: Arc<FileCache>,
    pub(super) columns: Columns,
    pub(super) last: Option<LastCommit>,
}

impl LakeTable {
    /// Opens the table at its newest version, or creates it empty. Columns that it lacks are added by
    /// [`LakeTable::evolve`], which has to come before anything is written.
    ///
    /// # Errors
    /// [`TableError::Foreign`] and [`TableError::Columns`] when the table there is not the one
    /// declared, and cannot become so by new columns alone; the library's errors.
    pub async fn open_or_create(
        bucket: &Bucket,
        spec: TableSpec,
        cache: Arc<FileCache>,
    ) -> Result<Self, TableError> {
        match Self::open_own(bucket, &spec, &cache, Columns::Growing).await {
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
        Self::open_own(bucket, &spec, &cache, Columns::Growing).await
    }

    /// Opens the table at its newest version, with the columns it has.
    ///
    /// # Errors
    /// [`TableError::Missing`] when there is none; [`TableError::Columns`] when it can never have those
    /// that are declared; see [`LakeTable::open_or_create`].
    pub async fn open(
        bucket: &Bucket,
        spec: TableSpec,
        cache: Arc<FileCache>,
    ) -> Result<Self, TableError> {
        Self::open_own(bucket, &spec, &cache, Columns::AsStored).await
    }

    async fn open_own(
        bucket: &Bucket,
        spec: &TableSpec,
        cache: &Arc<FileCache>,
        columns: Columns,
    ) -> Result<Self, TableError> {
        let mut opened = Self {
            spec: spec.clone(),
            table: load(bucket, spec, None).await?,
            cache: Arc::clone(cache),
            columns,
            last: None,
        };
        opened.check_owner()?;
        if columns == Columns::AsStored {
            opened.wider_columns(&spec.schema)?;
        }
        opened.check()?;
        Ok(opened)
    }

    /// Opens the table at its newest version to replace all of it, whatever columns it has.
    ///
    /// # Errors
    /// [`TableError::Missing`] when there is none; [`TableError::Foreign`] and
    /// [`TableError::Unsupported`]; the library's errors.
    pub async fn open_to_replace(bucket: &Bucket, spec: TableSpec) -> Result<Self, TableError> {
        let mut opened = Self::open_as_it_is(bucket, spec, None).await?;
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
            columns: Columns::AsStored,
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

    /// The same table, to be written with these columns; what it holds is not changed.
    pub(crate) fn with_columns(&self, schema: &Schema) -> Self {
        let mut table = self.clone();
        table.spec.schema = merged(&plain(&self.spec.schema), schema);
        table
    }

    /// How it differs, as it is loaded, from columns that are wanted.
    pub(crate) fn differences(&self, wanted: &Schema) -> Result<Differences, TableError> {
        let there = plain(&state(&self.spec, &self.table)?.arrow_schema());
        let mut all = Differences::between(&there, wanted, &self.spec.fixed);
        if has_local(wanted) && !has_local(&there) && !all.added.is_empty() {
            all.refused.push(
                "a TIMESTAMP_NTZ would be the first one in the table, which readers of it need not know"
                    .to_owned(),
            );
        }
        Ok(all)
    }

    /// Whether the wanted columns would bring the table its first `TIMESTAMP_NTZ`: that takes a table feature
    /// that its readers need not know.
    ///
    /// # Errors
    /// The library's errors.
    pub fn lacks_local_timestamps(&self, wanted: &Schema) -> Result<bool, TableError> {
        let there = state(&self.spec, &self.table)?.arrow_schema();
        Ok(has_local(wanted) && !has_local(&there))
    }

    /// What it lacks of the columns it was opened for.
    pub(super) fn missing_columns(&self) -> Result<Differences, TableError> {
        self.differences(&self.spec.schema)
    }

    /// Which of the wanted columns hold more than those that are there; an error when some can never be so.
    pub(crate) fn wider_columns(&self, wanted: &Schema) -> Result<Vec<WiderColumn>, TableError> {
        let found = self.differences(wanted)?;
        if found.refused.is_empty() {
            return Ok(found.widened);
        }
        Err(TableError::Columns {
            table: self.spec.name.clone(),
            differences: found.refused,
            rewritable: false,
        })
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

    /// Looks at the loaded version: whether it can be written here, and with which columns.
    fn check(&mut self) -> Result<(), TableError> {
        self.look_at_columns()?;
        support::check(&self.spec, state(&self.spec, &self.table)?)
    }

    /// Whether the columns of the loaded version are what they have to be; from now on rows are written with
    /// these.
    pub(crate) fn look_at_columns(&mut self) -> Result<(), TableError> {
        let there = plain(&state(&self.spec, &self.table)?.arrow_schema());
        if self.columns == Columns::AsStored {
            self.spec.schema = there;
            return Ok(());
        }
        let found = self.differences(&self.spec.schema)?;
        let mut told = found.refused;
        if self.columns == Columns::AsDeclared {
            let gone = found.added.iter();
            told.extend(gone.map(|column| format!("{column} is not in the table any more")));
        }
        let rewritable = told.is_empty();
        told.extend(found.widened.iter().map(ToString::to_string));
        if !told.is_empty() {
            return Err(TableError::Columns {
                table: self.spec.name.clone(),
                differences: told,
                rewritable,
            });
        }
        // While rows are on their way, the order of columns is for readers alone.
        if self.columns == Columns::Growing {
            self.spec.schema = merged(&there, &self.spec.schema);
        }
        Ok(())
    }
}

fn has_local(schema: &Schema) -> bool {
    let mut leaves = schema.flattened_fields().into_iter();
    leaves.any(|field| matches!(field.data_type(), DataType::Timestamp(_, None)))
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

pub(super) fn state<'a>(
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
