//! Copy-on-write: the files that lose rows are written again without them, together with what comes.

use std::num::NonZeroU64;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{
    SortColumn, cast, filter_record_batch, lexsort_to_indices, take_record_batch,
};
use arrow::datatypes::{DataType, Fields, Schema};
use arrow::error::ArrowError;
use delta_kernel::table_properties::DataSkippingNumIndexedCols;
use deltalake::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake::kernel::{Action, LogicalFileView};
use futures::TryStreamExt as _;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde_json::{Map, Value};

use super::change::Change;
use super::reader;
use crate::tables::{LakeTable, TableError};

const TARGET_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// A row group is in memory until it is written: small ones keep a rewrite of a large table small.
const ROWS_PER_GROUP: usize = 128 * 1024;
const INDEXED_COLUMNS: u64 = 32;

/// Writes what `change` needs and gives the actions that make it so.
pub(super) async fn rewrite(
    table: &LakeTable,
    files: &[LogicalFileView],
    change: &Change,
    sort_by: &[String],
) -> Result<Vec<Action>, TableError> {
    let mut actions = Vec::new();
    let mut writer = writer(table, sort_by)?;
    for batch in &change.added {
        let sorted = sort(batch, sort_by).map_err(|e| table.data(&e))?;
        writer.write(&sorted).await.map_err(|e| table.delta(e))?;
    }
    for (&index, removed) in &change.removed {
        let Some(file) = files.get(index) else {
            continue;
        };
        let mut batches = reader::read(table, file, None).await?;
        let mut first = 0;
        while let Some(batch) = batches.try_next().await? {
            let kept = without(&batch, removed, first).map_err(|e| table.data(&e))?;
            first += batch.num_rows() as u64;
            if kept.num_rows() > 0 {
                let kept = as_table(table, &kept).map_err(|e| table.data(&e))?;
                writer.write(&kept).await.map_err(|e| table.delta(e))?;
            }
        }
        actions.push(Action::Remove(file.remove_action(true)));
    }
    let added = writer.close().await.map_err(|e| table.delta(e))?;
    actions.extend(added.into_iter().map(|mut add| {
        add.stats = add
            .stats
            .map(|stats| exact_only(&stats, &table.spec().schema));
        Action::Add(add)
    }));
    Ok(actions)
}

fn writer(table: &LakeTable, key: &[String]) -> Result<DeltaWriter, TableError> {
    let level = ZstdLevel::try_new(1).map_err(|e| table.data(&e))?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_created_by(concat!("esteira ", env!("CARGO_PKG_VERSION")).to_owned());
    // A dictionary of values that never repeat is only built to be thrown away.
    for column in key {
        properties =
            properties.set_column_dictionary_enabled(ColumnPath::from(column.as_str()), false);
    }
    let config = WriterConfig::new(
        table.spec().schema.clone(),
        Vec::new(),
        Some(properties.build()),
        NonZeroU64::new(TARGET_FILE_BYTES),
        None,
        DataSkippingNumIndexedCols::NumColumns(INDEXED_COLUMNS),
        None,
    );
    Ok(DeltaWriter::new(
        table.inner().log_store().object_store(None),
        config,
    ))
}

/// Statistics without the bounds of decimals: the library writes them as floating point numbers, and
/// a bound that is not exact makes readers skip files that hold what they look for.
fn exact_only(stats: &str, schema: &Schema) -> String {
    let Ok(mut parsed) = serde_json::from_str::<Value>(stats) else {
        return stats.to_owned();
    };
    for bounds in ["minValues", "maxValues"] {
        if let Some(Value::Object(columns)) = parsed.get_mut(bounds) {
            drop_decimals(columns, schema.fields());
        }
    }
    parsed.to_string()
}

fn drop_decimals(bounds: &mut Map<String, Value>, fields: &Fields) {
    for field in fields {
        match (field.data_type(), bounds.get_mut(field.name())) {
            (DataType::Decimal128(..), Some(_)) => {
                bounds.remove(field.name());
            }
            (DataType::Struct(inner), Some(Value::Object(nested))) => drop_decimals(nested, inner),
            _ => {}
        }
    }
}

/// Sorted rows give narrow statistics, and those let the next search skip files and pages.
fn sort(batch: &RecordBatch, by: &[String]) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<SortColumn> = by
        .iter()
        .filter_map(|name| batch.column_by_name(name))
        .map(|values| SortColumn {
            values: values.clone(),
            options: None,
        })
        .collect();
    if columns.is_empty() {
        return Ok(batch.clone());
    }
    let places = lexsort_to_indices(&columns, None)?;
    take_record_batch(batch, &places)
}

fn without(batch: &RecordBatch, removed: &[u64], first: u64) -> Result<RecordBatch, ArrowError> {
    let end = first + batch.num_rows() as u64;
    let from = removed.partition_point(|row| *row < first);
    let to = removed.partition_point(|row| *row < end);
    if from == to {
        return Ok(batch.clone());
    }
    let mut keep = vec![true; batch.num_rows()];
    for row in &removed[from..to] {
        if let Ok(row) = usize::try_from(row - first) {
            keep[row] = false;
        }
    }
    filter_record_batch(batch, &BooleanArray::from(keep))
}

fn as_table(table: &LakeTable, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = &table.spec().schema;
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
            Some(column) => cast(column, field.data_type()),
            None => Ok(arrow::array::new_null_array(
                field.data_type(),
                batch.num_rows(),
            )),
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new(schema.clone(), columns)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn statistics_keep_no_bound_of_a_decimal() {
        let money = Field::new("money", DataType::Decimal128(18, 2), true);
        let schema = Schema::new(vec![
            Field::new("id", DataType::Utf8, true),
            money.clone(),
            Field::new("nested", DataType::Struct(vec![money].into()), true),
        ]);
        let stats = r#"{"numRecords":1,"minValues":{"id":"a","money":1e16,"nested":{"money":1.5}},"maxValues":{"id":"b","money":1e16},"nullCount":{"money":0}}"#;
        let exact: Value = serde_json::from_str(&exact_only(stats, &schema)).unwrap();
        let wanted = serde_json::json!({
            "numRecords": 1,
            "minValues": {"id": "a", "nested": {}},
            "maxValues": {"id": "b"},
            "nullCount": {"money": 0},
        });
        assert_eq!(exact, wanted);
    }
}
