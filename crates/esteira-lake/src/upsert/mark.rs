//! Merge-on-read: the rows that go are marked in their files' deletion vectors, the rows that come are
//! written into a new file. What is written is proportional to the change.

use std::collections::BTreeMap;

use deltalake::kernel::Action;
use serde_json::value::{RawValue, to_raw_value};

use super::change::Change;
use crate::files::{self, DataFiles, TableFile};
use crate::tables::{LakeTable, TableError};

/// Writes what `change` needs and gives the actions that make it so.
pub(super) async fn mark(
    table: &LakeTable,
    files: &[TableFile],
    change: &Change,
) -> Result<Vec<Action>, TableError> {
    let mut actions = Vec::new();
    let mut marked = Vec::new();
    let mut vectors = Vec::new();
    for (file, gone) in change.of_files(files) {
        let rows = files::footer(table, file, table.spec().probe())
            .await?
            .rows();
        let marks = files::marks_and(table, file, gone).await?;
        actions.push(Action::Remove(file.remove(true)));
        if marks.len() < rows {
            marked.push((file, rows));
            vectors.push(marks);
        }
    }
    let descriptors = files::write_marks(table, vectors).await?;
    for ((file, rows), descriptor) in marked.into_iter().zip(descriptors) {
        let mut add = file.add();
        let statistics = wide(add.stats.as_deref(), rows).map_err(|e| table.data(&e))?;
        add.stats = Some(statistics);
        add.deletion_vector = Some(descriptor);
        add.data_change = true;
        actions.push(Action::Add(add));
    }
    let mut written = DataFiles::new(table, change.rows_added());
    for batch in &change.added {
        written.write_sorted(batch).await?;
    }
    actions.extend(written.close().await?);
    Ok(actions)
}

/// The statistics with their bounds declared as wide: the rows that hold the extremes may be marked
/// (Delta protocol, *Per-file Statistics*, `tightBounds`). With a deletion vector the number of rows
/// has to be there.
fn wide(statistics: Option<&str>, rows: u64) -> serde_json::Result<String> {
    let mut all: BTreeMap<String, Box<RawValue>> = match statistics {
        Some(text) => serde_json::from_str(text)?,
        None => BTreeMap::new(),
    };
    all.insert("tightBounds".to_owned(), to_raw_value(&false)?);
    all.entry("numRecords".to_owned())
        .or_insert(to_raw_value(&rows)?);
    serde_json::to_string(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_a_marked_file_are_wide_and_exact() {
        let given = r#"{"numRecords":3,"minValues":{"vlr":-0.05},"maxValues":{"vlr":9999999999999999.99},"tightBounds":true}"#;
        assert_eq!(
            wide(Some(given), 3).unwrap(),
            r#"{"maxValues":{"vlr":9999999999999999.99},"minValues":{"vlr":-0.05},"numRecords":3,"tightBounds":false}"#
        );
        assert_eq!(
            wide(None, 7).unwrap(),
            r#"{"numRecords":7,"tightBounds":false}"#
        );
    }
}
