//! A table whose columns become wider: every file is written again, in one commit with the new columns.
//!
//! A file says by itself of which type its columns are, and few readers read an INT where the table has a
//! BIGINT. File by file, with few rows in memory; until the commit the table is as it was.

use arrow::datatypes::Schema;
use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;

use super::compact::stream;
use crate::files;
use crate::tables::{Commit, LakeTable, Outcome, TableError, WiderColumn};

/// How often everything is written again because somebody else changed the table.
const ATTEMPTS: u32 = 3;

/// What became of a table whose columns are wider now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widening {
    /// The table's version afterwards.
    pub version: u64,
    /// The columns.
    pub columns: Vec<WiderColumn>,
    /// Files that were written again.
    pub files: u64,
    /// Their bytes before.
    pub bytes: u64,
}

/// Writes the table again with the columns of `wanted`, if some of them hold more than those that are
/// there. Rows stay as they are.
///
/// # Errors
/// [`TableError::Columns`] when the columns cannot become so; [`TableError::Busy`] when others kept
/// changing the table, which then is as they left it; the library's errors.
pub async fn widen(table: &mut LakeTable, wanted: &Schema) -> Result<Option<Widening>, TableError> {
    for _ in 0..ATTEMPTS {
        let columns = table.wider_columns(wanted)?;
        if columns.is_empty() {
            return Ok(None);
        }
        let wide = table.with_columns(wanted);
        let (metadata, _) = wide.metadata_with_columns()?;
        let mut done = Widening {
            version: 0,
            columns,
            files: 0,
            bytes: 0,
        };
        let mut actions = vec![metadata];
        let mut written = 0;
        for file in files::files(table).await? {
            for mut action in stream(&wide, &file).await? {
                if let Action::Add(add) = &mut action {
                    add.data_change = false;
                    written += add.size;
                }
                actions.push(action);
            }
            actions.push(Action::Remove(file.remove(false)));
            done.files += 1;
            done.bytes += file.bytes();
        }
        let commit = Commit {
            actions,
            operation: DeltaOperation::Optimize {
                predicate: None,
                target_size: written,
            },
            transaction: None,
        };
        if table.commit(commit).await? == Outcome::Committed {
            table.look_at_columns()?;
            done.version = table.version();
            return Ok(Some(done));
        }
    }
    Err(TableError::Busy {
        table: table.name().to_owned(),
        attempts: ATTEMPTS,
    })
}
