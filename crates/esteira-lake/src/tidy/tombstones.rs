//! Files that are in no current version, but in one that may still be read.
//!
//! A file that left the table stays in its log as a tombstone for a while, with the deletion vector it
//! had (Delta protocol, *Add File and Remove File*). A vector that was replaced is a tombstone too: the
//! version before needs it. The library's vacuum does not look at those.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use delta_kernel::actions::Remove;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::schema::{StructField, StructType, ToSchema as _};
use delta_kernel::{DeltaResult, Snapshot};

use crate::files::path_in_table;
use crate::tables::{LakeTable, TableError};

/// Everything that was removed and is still remembered: paths under the table's folder, and when it was
/// removed last, in milliseconds since 1970-01-01T00:00:00Z.
pub(super) async fn removed(table: &LakeTable) -> Result<HashMap<String, i64>, TableError> {
    let log_store = table.inner().log_store();
    let (engine, root, version) = (
        log_store.engine(None),
        log_store.root_url().clone(),
        table.version(),
    );
    let read = tokio::task::spawn_blocking(move || -> DeltaResult<HashMap<String, i64>> {
        let snapshot = Snapshot::builder_for(root)
            .at_version(version)
            .build(engine.as_ref())?;
        let mut paths = HashMap::new();
        let actions = snapshot
            .log_segment()
            .read_actions(engine.as_ref(), Arc::clone(&SCHEMA))?;
        for batch in actions {
            let batch = ArrowEngineData::try_from_engine_data(batch?.actions)?;
            collect(batch.record_batch(), &mut paths);
        }
        Ok(paths)
    });
    let failed = |reason: String| TableError::Data {
        table: table.name().to_owned(),
        reason: format!("its log: {reason}"),
        transient: true,
    };
    read.await
        .map_err(|error| failed(error.to_string()))?
        .map_err(|error| failed(error.to_string()))
}

static SCHEMA: LazyLock<Arc<StructType>> = LazyLock::new(|| {
    let remove = StructField::nullable("remove", Remove::to_schema());
    Arc::new(StructType::new_unchecked([remove]))
});

fn collect(batch: &RecordBatch, removed: &mut HashMap<String, i64>) {
    let Some(remove) = batch
        .column_by_name("remove")
        .and_then(|c| c.as_struct_opt())
    else {
        return;
    };
    let Some(path) = remove
        .column_by_name("path")
        .and_then(|c| c.as_string_opt::<i32>())
    else {
        return;
    };
    let times = remove
        .column_by_name("deletionTimestamp")
        .and_then(|column| column.as_primitive_opt::<Int64Type>());
    let vector = remove
        .column_by_name("deletionVector")
        .and_then(|column| column.as_struct_opt());
    let text = |name: &str, row: usize| {
        let column = vector?.column_by_name(name)?.as_string_opt::<i32>()?;
        (vector?.is_valid(row) && column.is_valid(row)).then(|| column.value(row))
    };
    for row in (0..remove.len()).filter(|&row| remove.is_valid(row) && path.is_valid(row)) {
        // One without a time may be new.
        let time = times
            .filter(|times| times.is_valid(row))
            .map_or(i64::MAX, |times| times.value(row));
        let vector = text("storageType", row).zip(text("pathOrInlineDv", row));
        let vector = vector.and_then(|(kind, place)| path_in_table(kind, place));
        for path in vector.into_iter().chain([decoded(path.value(row))]) {
            let newest = removed.entry(path).or_insert(time);
            *newest = time.max(*newest);
        }
    }
}

/// Paths are percent-encoded in the log (RFC 2396, as the protocol says).
pub(super) fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned()
}
