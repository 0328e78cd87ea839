//! A table's columns follow the pipeline's: new ones are added to its metadata, in a commit of their own.
//!
//! No file is touched: those that are there lack the columns, and readers take that for null. The commit
//! carries no batch, so whoever comes first makes it, and everybody else finds it made.

use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::{
    Action, ArrayType, DataType as KernelType, MetadataExt as _, StructField, StructType,
};
use deltalake::protocol::DeltaOperation;

use super::lake_table::{Columns, state};
use super::{Commit, LakeTable, Outcome, TableError};

/// How often the columns are compared anew because somebody else changed the table.
const ATTEMPTS: u32 = 5;

impl LakeTable {
    /// Adds the columns that the table was opened for and lacks; tells which, in words. Before this, nothing
    /// can be written to such a table.
    ///
    /// # Errors
    /// [`TableError::Columns`] when somebody else made other columns of it; [`TableError::Busy`] when others
    /// kept changing the table; the library's errors.
    pub async fn evolve(&mut self) -> Result<Vec<String>, TableError> {
        for _ in 0..ATTEMPTS {
            let missing = self.missing_columns()?;
            if missing.is_none() {
                self.columns = Columns::AsDeclared;
                return Ok(Vec::new());
            }
            let (metadata, fields) = self.metadata_with_columns()?;
            let commit = Commit {
                actions: vec![metadata],
                operation: DeltaOperation::AddColumn { fields },
                transaction: None,
            };
            if self.commit(commit).await? == Outcome::Committed {
                self.columns = Columns::AsDeclared;
                return Ok(missing.added);
            }
        }
        Err(TableError::Busy {
            table: self.name().to_owned(),
            attempts: ATTEMPTS,
        })
    }

    /// The table's metadata with the columns of its declaration, and those fields of it that are new at the
    /// top. What other programs noted at the columns that stay is kept.
    pub(crate) fn metadata_with_columns(&self) -> Result<(Action, Vec<StructField>), TableError> {
        let state = state(self.spec(), self.inner())?;
        let declared: StructType = self
            .spec()
            .schema
            .as_ref()
            .try_into_kernel()
            .map_err(|error| self.data(&error))?;
        let there = state.schema();
        let added = declared
            .fields()
            .filter(|field| there.field(field.name()).is_none())
            .cloned()
            .collect();
        let columns = of_fields(&declared, &there).map_err(|error| self.data(&error))?;
        let metadata = state.metadata().clone().with_schema(&columns);
        let metadata = metadata.map_err(|error| self.data(&error))?;
        Ok((Action::Metadata(metadata), added))
    }
}

fn of_fields(declared: &StructType, there: &StructType) -> Result<StructType, delta_kernel::Error> {
    let fields = declared.fields().map(|field| {
        let Some(known) = there.field(field.name()) else {
            return Ok(field.clone());
        };
        Ok(StructField {
            data_type: of_type(field.data_type(), known.data_type())?,
            ..known.clone()
        })
    });
    let fields: Vec<StructField> = fields.collect::<Result<_, delta_kernel::Error>>()?;
    StructType::try_new(fields)
}

fn of_type(declared: &KernelType, there: &KernelType) -> Result<KernelType, delta_kernel::Error> {
    Ok(match (declared, there) {
        (KernelType::Struct(declared), KernelType::Struct(there)) => {
            KernelType::Struct(Box::new(of_fields(declared, there)?))
        }
        (KernelType::Array(declared), KernelType::Array(there)) => {
            let element = of_type(declared.element_type(), there.element_type())?;
            KernelType::Array(Box::new(ArrayType::new(element, there.contains_null())))
        }
        _ => declared.clone(),
    })
}
