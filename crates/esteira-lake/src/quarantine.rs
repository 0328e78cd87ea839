//! The quarantine: what could not become an event, with its original bytes, in a Delta table.
//!
//! Comes in: rejected entries of a batch. Goes out: one row each, appended once however often the
//! batch runs. What makes an entry unfit is decided by `esteira-events`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondArray,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use esteira_events::Rejected;

/// A rejected entry and the object it was in.
#[derive(Debug, Clone)]
pub struct QuarantineRow {
    /// The object's key.
    pub source_file: String,
    /// When the object was last written, in microseconds since 1970-01-01T00:00:00Z.
    pub source_modified: i64,
    /// The key its original is kept under.
    pub raw_file: String,
    /// What is wrong, where, and the bytes.
    pub rejected: Rejected,
}

/// The columns of a quarantine table.
#[must_use]
pub fn schema() -> SchemaRef {
    let instant = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let column = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        column("reason", DataType::Utf8),
        column("message", DataType::Utf8),
        column("json_path", DataType::Utf8),
        column("line", DataType::Int64),
        column("column", DataType::Int64),
        column("offset", DataType::Int64),
        column("original", DataType::Binary),
        column("raw_file", DataType::Utf8),
        column("batch", DataType::Int64),
        column("_source_file", DataType::Utf8),
        column("_source_modified", instant()),
        column("_source_position", DataType::Int64),
        column("_processed_at", instant()),
    ]))
}

/// Originals of so many bytes become a batch of rows: they can be large, and are not to be there twice.
const BATCH_BYTES: usize = 1 << 24;

/// The rows of a batch, in pieces; what is in one is free again in `entries`.
///
/// # Errors
/// When Arrow refuses the columns.
pub fn rows(
    entries: Vec<QuarantineRow>,
    batch: u64,
    planned_at: i64,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        bytes += entry.rejected.original.as_ref().map_or(0, Vec::len);
        piece.push(entry);
        if bytes >= BATCH_BYTES {
            pieces.push(rows_of(&piece, batch, planned_at)?);
            piece.clear();
            bytes = 0;
        }
    }
    if !piece.is_empty() {
        pieces.push(rows_of(&piece, batch, planned_at)?);
    }
    Ok(pieces)
}

fn rows_of(rows: &[QuarantineRow], batch: u64, planned_at: i64) -> Result<RecordBatch, ArrowError> {
    let mut texts: [StringBuilder; 5] = std::array::from_fn(|_| StringBuilder::new());
    let mut numbers: [Int64Builder; 5] = std::array::from_fn(|_| Int64Builder::new());
    let mut original = BinaryBuilder::new();
    let mut modified = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    for row in rows {
        let entry = &row.rejected;
        for (builder, text) in texts.iter_mut().zip([
            entry.reason.as_str(),
            &entry.message,
            &entry.path,
            &row.raw_file,
            &row.source_file,
        ]) {
            builder.append_value(text);
        }
        for (builder, value) in numbers.iter_mut().zip([
            entry.line,
            entry.column,
            entry.offset,
            batch,
            entry.position,
        ]) {
            builder.append_value(number(value));
        }
        original.append_option(entry.original.as_deref());
        modified.append_value(row.source_modified);
    }
    let [reason, message, path, raw_file, source_file] =
        texts.map(|mut b| -> ArrayRef { Arc::new(b.finish()) });
    let [line, column, offset, batch, position] =
        numbers.map(|mut b| -> ArrayRef { Arc::new(b.finish()) });
    let processed =
        TimestampMicrosecondArray::from_value(planned_at, rows.len()).with_timezone("UTC");
    RecordBatch::try_new(
        schema(),
        vec![
            reason,
            message,
            path,
            line,
            column,
            offset,
            Arc::new(original.finish()),
            raw_file,
            batch,
            source_file,
            Arc::new(modified.finish()),
            position,
            Arc::new(processed),
        ],
    )
}
