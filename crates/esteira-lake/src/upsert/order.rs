//! The total order of a batch's events: each event's place when all are sorted by version.

use arrow::array::{
    ArrayRef, AsArray as _, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::concat;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use esteira_events::{EventVersion, SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION};

/// The versions of a batch's events. An event is known by its index in the batch, from 0.
#[derive(Debug)]
pub struct EventOrder {
    instant: TimestampMicrosecondArray,
    file: StringArray,
    modified: TimestampMicrosecondArray,
    position: Int64Array,
    rank: Vec<u32>,
}

impl Default for EventOrder {
    /// The order of no events.
    fn default() -> Self {
        let none = || TimestampMicrosecondArray::from(Vec::<i64>::new()).with_timezone("UTC");
        Self {
            instant: none(),
            file: StringArray::from(Vec::<&str>::new()),
            modified: none(),
            position: Int64Array::from(Vec::<i64>::new()),
            rank: Vec::new(),
        }
    }
}

impl EventOrder {
    /// Orders the events of `batches`, whose version is the instant in `version_column`.
    ///
    /// # Errors
    /// When a column is absent or of another type.
    pub fn of(batches: &[RecordBatch], version_column: &str) -> Result<Self, ArrowError> {
        let instant = column(batches, version_column)?;
        let file = column(batches, SOURCE_FILE)?;
        let modified = column(batches, SOURCE_MODIFIED)?;
        let position = column(batches, SOURCE_POSITION)?;
        let typed = |name: &str| {
            ArrowError::SchemaError(format!(
                "column `{name}` is of another type than a version needs"
            ))
        };
        let mut order = Self {
            instant: instant
                .as_primitive_opt::<TimestampMicrosecondType>()
                .ok_or_else(|| typed(version_column))?
                .clone(),
            file: file
                .as_string_opt::<i32>()
                .ok_or_else(|| typed(SOURCE_FILE))?
                .clone(),
            modified: modified
                .as_primitive_opt::<TimestampMicrosecondType>()
                .ok_or_else(|| typed(SOURCE_MODIFIED))?
                .clone(),
            position: position
                .as_primitive_opt::<Int64Type>()
                .ok_or_else(|| typed(SOURCE_POSITION))?
                .clone(),
            rank: Vec::new(),
        };
        let mut sorted: Vec<usize> = (0..order.instant.len()).collect();
        sorted.sort_unstable_by_key(|&event| order.version(event));
        order.rank = vec![0; sorted.len()];
        for (rank, event) in (0u32..).zip(sorted) {
            order.rank[event] = rank;
        }
        Ok(order)
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rank.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rank.is_empty()
    }

    /// The event's version.
    #[must_use]
    pub fn version(&self, event: usize) -> EventVersion<'_> {
        EventVersion {
            instant_micros: self.instant.value(event),
            source_file: self.file.value(event),
            modified_micros: self.modified.value(event),
            position: self.position.value(event),
        }
    }

    /// Its place among all, the oldest first. No two events share one.
    #[must_use]
    pub fn rank(&self, event: usize) -> u32 {
        self.rank[event]
    }

    /// The instants of all events' versions, in their order.
    pub(super) fn instants(&self) -> &TimestampMicrosecondArray {
        &self.instant
    }

    /// The lineage columns of all events, in their order.
    #[must_use]
    pub fn lineage(&self) -> [ArrayRef; 3] {
        use std::sync::Arc;
        [
            Arc::new(self.file.clone()),
            Arc::new(self.modified.clone()),
            Arc::new(self.position.clone()),
        ]
    }
}

fn column(batches: &[RecordBatch], name: &str) -> Result<ArrayRef, ArrowError> {
    let parts: Vec<_> = batches
        .iter()
        .map(|batch| {
            batch
                .column_by_name(name)
                .map(AsRef::as_ref)
                .ok_or_else(|| ArrowError::SchemaError(format!("column `{name}` is missing")))
        })
        .collect::<Result<_, _>>()?;
    concat(&parts)
}
