//! The quarantine: what could not become an event, with its original bytes, in a Delta table.
//!
//! Comes in: rejected entries of a batch. Goes out: one row each, appended once however often the
//! batch runs; those of a retry take the place of the rows that were retried. What makes an entry unfit
//! is decided by `esteira-events`.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray as _, BinaryBuilder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use esteira_events::{Rejected, SOURCE_POSITION};

use crate::ledger::{RetriedObject, Retry};
use crate::upsert::Replacement;

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

/// What a retry does to the quarantine: rows of retried entries go, unless they are rejected again as
/// they were; what is rejected otherwise comes.
#[derive(Debug, Clone)]
pub struct Retried<'a> {
    retry: &'a Retry,
    /// By the key of their original, which no other object of the batch has.
    objects: HashMap<&'a str, &'a RetriedObject>,
    rejected: &'a [QuarantineRow],
    /// The places in `rejected`, by original and position.
    places: HashMap<(&'a str, i64), usize>,
    /// The places in `rejected` of what is in the table already.
    known: HashSet<usize>,
}

impl<'a> Retried<'a> {
    /// The retry that rejected these entries.
    #[must_use]
    pub fn new(retry: &'a Retry, rejected: &'a [QuarantineRow]) -> Self {
        let place = |(place, row): (usize, &'a QuarantineRow)| {
            let position = signed(row.rejected.position);
            ((row.raw_file.as_str(), position), place)
        };
        Self {
            retry,
            objects: retry
                .objects
                .iter()
                .map(|retried| (retried.original.as_str(), retried))
                .collect(),
            rejected,
            places: rejected.iter().enumerate().map(place).collect(),
            known: HashSet::new(),
        }
    }
}

const TEXTS: [&str; 4] = ["raw_file", "reason", "message", "json_path"];
const NUMBERS: [&str; 5] = [SOURCE_POSITION, "batch", "line", "column", "offset"];

impl Replacement for Retried<'_> {
    fn columns(&self) -> Vec<String> {
        let names = TEXTS.into_iter().chain(NUMBERS);
        names.map(str::to_owned).collect()
    }

    fn gone(&mut self, rows: &RecordBatch) -> Result<Vec<bool>, ArrowError> {
        let column = |name: &str, to: &DataType| {
            let missing = || ArrowError::SchemaError(format!("column `{name}` is missing"));
            cast(rows.column_by_name(name).ok_or_else(missing)?, to)
        };
        let texts = TEXTS.map(|name| column(name, &DataType::Utf8));
        let texts: Vec<ArrayRef> = texts.into_iter().collect::<Result<_, _>>()?;
        let numbers = NUMBERS.map(|name| column(name, &DataType::Int64));
        let numbers: Vec<ArrayRef> = numbers.into_iter().collect::<Result<_, _>>()?;
        let goes = |row: usize| {
            let texts = texts
                .iter()
                .map(|column| column.as_string::<i32>().value(row));
            let texts: Vec<&str> = texts.collect();
            let numbers = numbers
                .iter()
                .map(|column| column.as_primitive::<Int64Type>().value(row));
            let numbers: Vec<i64> = numbers.collect();
            let (raw_file, position, batch) = (texts[0], numbers[0], numbers[1]);
            let is_taken = |retried: &&RetriedObject| {
                u64::try_from(position).is_ok_and(|position| retried.takes(position))
            };
            // Another batch may have found the same bytes in an object that was written again.
            if batch != signed(self.retry.batch)
                || !self.objects.get(raw_file).is_some_and(is_taken)
            {
                return false;
            }
            let again = self.places.get(&(raw_file, position)).filter(|place| {
                let entry = &self.rejected[**place].rejected;
                texts[1..] == [entry.reason.as_str(), &entry.message, &entry.path]
                    && numbers[2..] == [entry.line, entry.column, entry.offset].map(signed)
            });
            self.known.extend(again);
            again.is_none()
        };
        Ok((0..rows.num_rows()).map(goes).collect())
    }

    fn rows(self) -> Result<Vec<RecordBatch>, ArrowError> {
        let rejected = self.rejected.iter().enumerate();
        let new = rejected.filter(|(place, _)| !self.known.contains(place));
        let new = new.map(|(_, row)| row);
        pieces(new, self.retry.batch, self.retry.planned_at)
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
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
    pieces(entries, batch, planned_at)
}

fn pieces<Row: Borrow<QuarantineRow>>(
    entries: impl IntoIterator<Item = Row>,
    batch: u64,
    planned_at: i64,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Row> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let original = entry.borrow().rejected.original.as_ref();
        bytes += original.map_or(0, Vec::len);
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

fn rows_of<Row: Borrow<QuarantineRow>>(
    rows: &[Row],
    batch: u64,
    planned_at: i64,
) -> Result<RecordBatch, ArrowError> {
    let mut texts: [StringBuilder; 5] = std::array::from_fn(|_| StringBuilder::new());
    let mut numbers: [Int64Builder; 5] = std::array::from_fn(|_| Int64Builder::new());
    let mut original = BinaryBuilder::new();
    let mut modified = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    for row in rows {
        let row = row.borrow();
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
            builder.append_value(signed(value));
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
