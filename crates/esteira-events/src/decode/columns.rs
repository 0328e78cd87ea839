//! Good events, column by column.
//!
//! Comes in: the slots of events that are known to be good. Goes out: one Arrow batch. Invariant:
//! all columns have the same number of rows at any time, because an event is appended whole or not
//! at all. Whether an event is good is decided before it comes here.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
    Int32Builder, Int64Builder, ListArray, NullBufferBuilder, PrimitiveBuilder, RecordBatch,
    StringBuilder, StructArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType as ArrowType, FieldRef, Fields, SchemaRef};
use arrow::error::ArrowError;

use super::arena::{Arena, Slot};
use super::decoder::Source;
use super::layout::StructLayout;
use super::rescue::Rescue;

/// A decoded event: where its slots are, and the text they point into.
#[derive(Clone, Copy)]
pub(super) struct DecodedEvent<'e> {
    pub(super) arena: &'e Arena,
    pub(super) text: &'e str,
    pub(super) root: Slot,
}

/// The columns of the events relation.
pub(super) struct Columns {
    schema: SchemaRef,
    fields: Vec<Column>,
    rescued: StringBuilder,
    source_file: StringBuilder,
    source_modified: TimestampMicrosecondBuilder,
    source_position: Int64Builder,
    rescue: Rescue,
    /// The most bytes that any text column can have by now: the length of all events' texts.
    text_bytes: usize,
}

/// Arrow counts the bytes of a text column in 31 bits.
const MOST_TEXT_BYTES: usize = 0x7fff_ffff;

impl Columns {
    pub(super) fn new(schema: SchemaRef) -> Self {
        // the relation's own columns are the last four
        let declared = schema.fields().len().saturating_sub(4);
        Self {
            fields: schema.fields()[..declared]
                .iter()
                .map(|field| Column::new(field.data_type()))
                .collect(),
            rescued: StringBuilder::new(),
            source_file: StringBuilder::new(),
            source_modified: typed(&crate::schema::timestamp()),
            source_position: Int64Builder::new(),
            rescue: Rescue::default(),
            text_bytes: 0,
            schema,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.source_position.len()
    }

    /// The length of the texts of the events that were appended.
    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Whether an event of so many bytes can be appended without a column growing beyond what
    /// Arrow can count.
    pub(super) fn has_room(&self, source: &Source<'_>, event_bytes: usize) -> bool {
        // no column takes more of an event than the event has: undone escapes are shorter, and
        // rescued fields are written no longer than they came
        self.text_bytes.saturating_add(event_bytes) <= MOST_TEXT_BYTES
            && self.source_file.values_slice().len() + source.key.len() <= MOST_TEXT_BYTES
    }

    pub(super) fn append(
        &mut self,
        layout: &StructLayout,
        event: DecodedEvent<'_>,
        source: &Source<'_>,
        position: i64,
    ) {
        let Slot::Struct { first, .. } = event.root else {
            return;
        };
        for (column, slot) in self.fields.iter_mut().zip(&event.arena.slots[first..]) {
            column.append(*slot, event);
        }
        self.rescued
            .append_option(self.rescue.render(layout, event));
        self.source_file.append_value(source.key);
        self.source_modified.append_value(source.modified_micros);
        self.source_position.append_value(position);
        self.text_bytes += event.text.len();
    }

    /// The bytes that the appended rows take.
    pub(super) fn memory_bytes(&self) -> usize {
        let fields: usize = self.fields.iter().map(Column::memory_bytes).sum();
        fields
            + text_bytes(&self.rescued)
            + text_bytes(&self.source_file)
            + self.rows() * (size_of::<i64>() * 2)
    }

    pub(super) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.text_bytes = 0;
        let mut arrays = Vec::with_capacity(self.schema.fields().len());
        for column in &mut self.fields {
            arrays.push(column.finish());
        }
        arrays.push(Ok(Arc::new(self.rescued.finish())));
        arrays.push(Ok(Arc::new(self.source_file.finish())));
        arrays.push(Ok(Arc::new(self.source_modified.finish())));
        arrays.push(Ok(Arc::new(self.source_position.finish())));
        let arrays = arrays.into_iter().collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}

/// The values of one field.
enum Column {
    Text(StringBuilder),
    Boolean(BooleanBuilder),
    Int(Int32Builder),
    BigInt(Int64Builder),
    Double(Float64Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Decimal(Decimal128Builder),
    List(Box<ListColumn>),
    Struct(StructColumn),
}

struct ListColumn {
    element: FieldRef,
    values: Column,
    /// Elements of all rows so far; the end of each row.
    length: usize,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

struct StructColumn {
    fields: Fields,
    columns: Vec<Column>,
    nulls: NullBufferBuilder,
}

impl Column {
    fn new(data_type: &ArrowType) -> Self {
        match data_type {
            ArrowType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ArrowType::Int32 => Self::Int(Int32Builder::new()),
            ArrowType::Int64 => Self::BigInt(Int64Builder::new()),
            ArrowType::Float64 => Self::Double(Float64Builder::new()),
            ArrowType::Date32 => Self::Date(Date32Builder::new()),
            ArrowType::Timestamp(..) => Self::Timestamp(typed(data_type)),
            ArrowType::Decimal128(..) => Self::Decimal(typed(data_type)),
            ArrowType::List(element) => Self::List(Box::new(ListColumn {
                element: Arc::clone(element),
                values: Self::new(element.data_type()),
                length: 0,
                ends: vec![0],
                nulls: NullBufferBuilder::new(0),
            })),
            ArrowType::Struct(fields) => Self::Struct(StructColumn {
                fields: fields.clone(),
                columns: fields
                    .iter()
                    .map(|field| Self::new(field.data_type()))
                    .collect(),
                nulls: NullBufferBuilder::new(0),
            }),
            // a declared field has no other type
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn append(&mut self, slot: Slot, event: DecodedEvent<'_>) {
        match (self, slot) {
            (Self::Text(column), Slot::Text(text)) => {
                column.append_value(text.of(event.text, &event.arena.tape));
            }
            (Self::Boolean(column), Slot::Boolean(value)) => column.append_value(value),
            (Self::Int(column), Slot::I32(value)) => column.append_value(value),
            (Self::BigInt(column), Slot::I64(value)) => column.append_value(value),
            (Self::Double(column), Slot::Double(value)) => column.append_value(value),
            (Self::Date(column), Slot::I32(value)) => column.append_value(value),
            (Self::Timestamp(column), Slot::I64(value)) => column.append_value(value),
            (Self::Decimal(column), Slot::Decimal(value)) => column.append_value(value),
            (Self::List(column), Slot::Array { first, length, .. }) => {
                for slot in &event.arena.slots[first..first + length] {
                    column.values.append(*slot, event);
                }
                column.close(length, true);
            }
            (Self::Struct(column), Slot::Struct { first, .. }) => {
                for (child, slot) in column.columns.iter_mut().zip(&event.arena.slots[first..]) {
                    child.append(*slot, event);
                }
                column.nulls.append_non_null();
            }
            (column, other) => {
                debug_assert!(
                    matches!(other, Slot::Missing | Slot::Null),
                    "a slot of another kind than its column"
                );
                column.append_null();
            }
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Text(column) => column.append_null(),
            Self::Boolean(column) => column.append_null(),
            Self::Int(column) => column.append_null(),
            Self::BigInt(column) => column.append_null(),
            Self::Double(column) => column.append_null(),
            Self::Date(column) => column.append_null(),
            Self::Timestamp(column) => column.append_null(),
            Self::Decimal(column) => column.append_null(),
            Self::List(column) => column.close(0, false),
            Self::Struct(column) => {
                column.columns.iter_mut().for_each(Self::append_null);
                column.nulls.append_null();
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Self::Text(column) => text_bytes(column),
            Self::Boolean(column) => column.len() / 4,
            Self::Int(column) => column.len() * size_of::<i32>(),
            Self::BigInt(column) => column.len() * size_of::<i64>(),
            Self::Double(column) => column.len() * size_of::<f64>(),
            Self::Date(column) => column.len() * size_of::<i32>(),
            Self::Timestamp(column) => column.len() * size_of::<i64>(),
            Self::Decimal(column) => column.len() * size_of::<i128>(),
            Self::List(column) => {
                column.ends.len() * size_of::<i32>() + column.values.memory_bytes()
            }
            Self::Struct(column) => column.columns.iter().map(Self::memory_bytes).sum(),
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Int(column) => Arc::new(column.finish()),
            Self::BigInt(column) => Arc::new(column.finish()),
            Self::Double(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
            Self::Timestamp(column) => Arc::new(column.finish()),
            Self::Decimal(column) => Arc::new(column.finish()),
            Self::List(column) => Arc::new(column.finish()?),
            Self::Struct(column) => Arc::new(column.finish()?),
        })
    }
}

impl ListColumn {
    fn close(&mut self, length: usize, valid: bool) {
        self.length += length;
        // no more elements than bytes of text, which are limited to what 31 bits count
        self.ends
            .push(i32::try_from(self.length).unwrap_or(i32::MAX));
        self.nulls.append(valid);
    }

    fn finish(&mut self) -> Result<ListArray, ArrowError> {
        self.length = 0;
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        let values = self.values.finish()?;
        ListArray::try_new(
            Arc::clone(&self.element),
            offsets,
            values,
            self.nulls.finish(),
        )
    }
}

impl StructColumn {
    fn finish(&mut self) -> Result<StructArray, ArrowError> {
        let columns = self
            .columns
            .iter_mut()
            .map(Column::finish)
            .collect::<Result<_, _>>()?;
        StructArray::try_new(self.fields.clone(), columns, self.nulls.finish())
    }
}

/// A builder whose type has parameters: a time zone, a precision.
fn typed<T: ArrowPrimitiveType>(data_type: &ArrowType) -> PrimitiveBuilder<T> {
    PrimitiveBuilder::new().with_data_type(data_type.clone())
}

fn text_bytes(column: &StringBuilder) -> usize {
    column.values_slice().len() + column.len() * size_of::<i32>()
}
