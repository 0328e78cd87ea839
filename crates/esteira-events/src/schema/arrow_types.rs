//! The Arrow side of a declared event.
//!
//! Comes in: an [`EventSchema`]. Goes out: the schema of the *events relation*. Invariant: every
//! declared field is nullable in Arrow at every depth, because the tables built from it stay
//! nullable; `NOT NULL` is enforced while decoding.

use std::sync::Arc;

use arrow::datatypes::{
    DataType as ArrowType, Field as ArrowField, Fields, Schema, SchemaRef, TimeUnit,
};

use super::{DataType, EventSchema, Field};

/// Characters that Parquet files and Delta tables cannot have in a column's name (Delta protocol,
/// *Column Mapping*, lists what needs it).
pub const NOT_IN_COLUMNS: [char; 10] = [' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '='];

/// JSON text of what the schema does not name, null when there is nothing.
pub const RESCUED_DATA: &str = "_rescued_data";
/// The key of the object that held the event.
pub const SOURCE_FILE: &str = "_source_file";
/// When that object was last written (microseconds, UTC).
pub const SOURCE_MODIFIED: &str = "_source_modified";
/// The 0-based position of the event in its object.
pub const SOURCE_POSITION: &str = "_source_position";

/// The name of a list's element field, as the Delta protocol and Parquet name it.
const ELEMENT: &str = "element";

impl EventSchema {
    /// The schema of the *events relation*: the event's fields in order, then
    /// [`RESCUED_DATA`], [`SOURCE_FILE`], [`SOURCE_MODIFIED`] and [`SOURCE_POSITION`].
    pub fn arrow_schema(&self) -> SchemaRef {
        let mut fields: Vec<ArrowField> = self.fields().iter().map(arrow_field).collect();
        fields.push(ArrowField::new(RESCUED_DATA, ArrowType::Utf8, true));
        fields.push(ArrowField::new(SOURCE_FILE, ArrowType::Utf8, false));
        fields.push(ArrowField::new(SOURCE_MODIFIED, timestamp(), false));
        fields.push(ArrowField::new(SOURCE_POSITION, ArrowType::Int64, false));
        Arc::new(Schema::new(fields))
    }
}

impl DataType {
    /// The Arrow type that values of this type are kept as.
    pub fn arrow_type(&self) -> ArrowType {
        match self {
            Self::String => ArrowType::Utf8,
            Self::Boolean => ArrowType::Boolean,
            Self::Int => ArrowType::Int32,
            Self::BigInt => ArrowType::Int64,
            Self::Double => ArrowType::Float64,
            Self::Date => ArrowType::Date32,
            Self::Timestamp => timestamp(),
            Self::Decimal { precision, scale } => {
                // a scale beyond 38 cannot pass the schema's rules
                ArrowType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(i8::MAX))
            }
            Self::Array(element) => ArrowType::List(Arc::new(element_field(element))),
            Self::Struct(fields) => ArrowType::Struct(struct_fields(fields)),
        }
    }
}

pub(crate) fn timestamp() -> ArrowType {
    ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(crate) fn element_field(element: &DataType) -> ArrowField {
    ArrowField::new(ELEMENT, element.arrow_type(), true)
}

pub(crate) fn struct_fields(fields: &[Field]) -> Fields {
    fields.iter().map(arrow_field).collect()
}

fn arrow_field(field: &Field) -> ArrowField {
    ArrowField::new(&field.name, field.data_type.arrow_type(), true)
}
