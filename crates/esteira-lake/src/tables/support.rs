//! What other programs may turn on in a table that would make our commits wrong.
//!
//! Features that the library does not know are refused by the library. These it knows, and would let
//! pass: the rows we write would miss something that readers of the feature rely on.

use deltalake::kernel::EagerSnapshot;

use super::{TableError, TableSpec};

/// Checks the properties of the loaded version.
pub(super) fn check(spec: &TableSpec, state: &EagerSnapshot) -> Result<(), TableError> {
    let metadata = state.metadata();
    let properties = metadata.configuration();
    let is_on = |name: &str| {
        properties
            .get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    let constraint = properties
        .keys()
        .find(|name| name.starts_with("delta.constraints."));
    let mapping = properties
        .get("delta.columnMapping.mode")
        .is_some_and(|mode| mode != "none");
    let feature = if is_on("delta.enableChangeDataFeed") {
        "a change data feed (`delta.enableChangeDataFeed`)".to_owned()
    } else if is_on("delta.appendOnly") && !spec.key.is_empty() {
        "`delta.appendOnly`, which forbids updates".to_owned()
    } else if mapping {
        "column mapping (`delta.columnMapping.mode`)".to_owned()
    } else if is_on("delta.enableRowTracking") {
        "row tracking (`delta.enableRowTracking`)".to_owned()
    } else if let Some(constraint) = constraint {
        format!("a check constraint (`{constraint}`)")
    } else if !metadata.partition_columns().is_empty() {
        "partitions".to_owned()
    } else {
        return Ok(());
    };
    Err(TableError::Unsupported {
        table: spec.name.clone(),
        feature,
    })
}
