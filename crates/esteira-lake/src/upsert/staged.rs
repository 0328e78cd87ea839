//! The rows a model gave for a batch, each knowing the event it came from.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray as _, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::{interleave_record_batch, take};
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::error::ArrowError;
use esteira_events::{SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION};

use super::EventOrder;
use crate::files::conform;

/// The column with the instant a batch was planned.
pub(super) const PROCESSED_AT: &str = "_processed_at";

/// What every upsert of a batch shares.
#[derive(Debug)]
pub struct Batch {
    /// The batch's number.
    pub number: u64,
    /// The process, part of each table's application id.
    pub process: String,
    /// `_processed_at` of its rows, in microseconds since 1970-01-01T00:00:00Z.
    pub processed_at: i64,
    /// Its events.
    pub order: EventOrder,
}

impl Batch {
    /// The application id of a table's transactions (Delta protocol, *Transaction Identifiers*).
    pub(super) fn app_id(&self, table: &str) -> String {
        app_id(&self.process, table)
    }
}

/// The application id of a process's transactions on a table (Delta protocol, *Transaction Identifiers*).
pub(crate) fn app_id(process: &str, table: &str) -> String {
    format!("esteira:{process}:{table}")
}

/// Rows of a model with a column that names each row's event by its index in the batch. Later rows of
/// the same event win over earlier ones.
#[derive(Debug)]
pub struct Staged {
    batches: Vec<RecordBatch>,
    events: Vec<Int64Array>,
}

/// Where a staged row is: batch and row.
pub(super) type At = (usize, usize);

impl Staged {
    /// Takes a model's rows, whose column `event_column` holds the events' indexes.
    ///
    /// # Errors
    /// When the column is absent or no BIGINT.
    pub fn new(batches: Vec<RecordBatch>, event_column: &str) -> Result<Self, ArrowError> {
        let events = batches
            .iter()
            .map(|batch| {
                batch
                    .column_by_name(event_column)
                    .and_then(|column| column.as_primitive_opt::<Int64Type>())
                    .cloned()
                    .ok_or_else(|| {
                        ArrowError::SchemaError(format!("column `{event_column}` is missing"))
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { batches, events })
    }

    pub(super) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Of each batch the indexes of its rows' events.
    pub(super) fn events(&self) -> &[Int64Array] {
        &self.events
    }

    /// The row's event.
    pub(super) fn event(&self, at: At) -> usize {
        usize::try_from(self.events[at.0].value(at.1)).unwrap_or(usize::MAX)
    }

    /// Where every row is.
    pub(super) fn places(&self) -> impl Iterator<Item = At> + '_ {
        let parts = self.batches.iter().enumerate();
        parts.flat_map(|(part, batch)| (0..batch.num_rows()).map(move |row| (part, row)))
    }

    /// The chosen rows with the columns of the table: those in `own`, the model's, and where they came
    /// from.
    pub(super) fn rows(
        &self,
        chosen: &[At],
        table: &SchemaRef,
        batch: &Batch,
        own: &[(&str, ArrayRef)],
    ) -> Result<RecordBatch, ArrowError> {
        if chosen.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(table)));
        }
        let parts: Vec<&RecordBatch> = self.batches.iter().collect();
        let model = interleave_record_batch(&parts, chosen)?;
        let events: UInt64Array = chosen.iter().map(|at| self.event(*at) as u64).collect();
        let [file, modified, position] = batch.order.lineage();
        let columns = table
            .fields()
            .iter()
            .map(|field| -> Result<ArrayRef, ArrowError> {
                let name = field.name().as_str();
                if let Some((_, column)) = own.iter().find(|(own, _)| *own == name) {
                    return Ok(Arc::clone(column));
                }
                let column = match name {
                    SOURCE_FILE => take(&file, &events, None)?,
                    SOURCE_MODIFIED => take(&modified, &events, None)?,
                    SOURCE_POSITION => take(&position, &events, None)?,
                    PROCESSED_AT => Arc::new(
                        TimestampMicrosecondArray::from_value(batch.processed_at, chosen.len())
                            .with_timezone("UTC"),
                    ),
                    name => model.column_by_name(name).cloned().ok_or_else(|| {
                        ArrowError::SchemaError(format!("column `{name}` is missing"))
                    })?,
                };
                conform(&column, field.data_type())
            })
            .collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(Arc::clone(table), columns)
    }
}
