//! The types of a declared event, as plain data.
//!
//! Comes in: fields, from the DDL parser or from Rust. Goes out: a checked [`EventSchema`]. The
//! rules themselves are in `rules`, their Arrow counterparts in `arrow_types`.

use std::fmt;

use super::{NewField, SchemaError, SchemaProblem, ddl, rules};

/// The type of a declared field; the names are those of Spark SQL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DataType {
    /// `STRING`: a JSON string.
    String,
    /// `BOOLEAN`: `true` or `false`.
    Boolean,
    /// `INT`: a JSON number without fraction or exponent that fits 32 bits.
    Int,
    /// `BIGINT`: a JSON number without fraction or exponent that fits 64 bits.
    BigInt,
    /// `DOUBLE`: any JSON number that is finite as an IEEE 754 double.
    Double,
    /// `DATE`: a JSON string `YYYY-MM-DD`.
    Date,
    /// `TIMESTAMP`: a JSON string in RFC 3339 §5.6 `date-time`, kept as microseconds UTC.
    Timestamp,
    /// `DECIMAL(precision, scale)`: a JSON number, rounded half-even at the scale.
    Decimal {
        /// Digits in total, 1 to 38.
        precision: u8,
        /// Digits behind the point, 0 to `precision`.
        scale: u8,
    },
    /// `ARRAY<element>`: a JSON array.
    Array(Box<DataType>),
    /// `STRUCT<fields>`: a JSON object.
    Struct(Vec<Field>),
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("STRING"),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Date => f.write_str("DATE"),
            Self::Timestamp => f.write_str("TIMESTAMP"),
            Self::Decimal { precision, scale } => write!(f, "DECIMAL({precision},{scale})"),
            Self::Array(element) => write!(f, "ARRAY<{element}>"),
            Self::Struct(fields) => {
                f.write_str("STRUCT<")?;
                for (index, field) in fields.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{}: {}", field.name, field.data_type)?;
                }
                f.write_str(">")
            }
        }
    }
}

/// One declared field of an event or of a struct in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// The JSON key, matched case-sensitively.
    pub name: String,
    /// What the value must be.
    pub data_type: DataType,
    /// `NOT NULL`: an event without a value here is rejected.
    pub required: bool,
    /// `CHECK (name <> '')`: an event with an empty string here is rejected.
    pub not_empty: bool,
}

impl Field {
    /// A field that may be null or missing, and empty.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self {
            name: name.into(),
            data_type,
            required: false,
            not_empty: false,
        }
    }

    /// The same field, `NOT NULL`.
    #[must_use]
    pub fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// The same field, `CHECK (name <> '')`.
    #[must_use]
    pub fn not_empty(self) -> Self {
        Self {
            not_empty: true,
            ..self
        }
    }
}

/// The declared shape of one kind of event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventSchema {
    name: String,
    fields: Vec<Field>,
}

impl EventSchema {
    /// Checks `fields` and makes them the schema `name`.
    ///
    /// # Errors
    /// The first [`SchemaProblem`] found: no columns, a name given twice or reserved, a decimal
    /// out of bounds, `not_empty` on anything but a string, nesting deeper than 64 types.
    pub fn new(name: impl Into<String>, fields: Vec<Field>) -> Result<Self, SchemaProblem> {
        rules::check_columns(&fields)?;
        Ok(Self {
            name: name.into(),
            fields,
        })
    }

    /// Parses `CREATE TABLE name (column TYPE [NOT NULL] [CHECK (column <> '')] [COMMENT '…'], …)`.
    ///
    /// The type names and their synonyms are those of Spark's SQL reference, page *Data Types*.
    /// `file_name` is only used to say where an error is.
    ///
    /// # Errors
    /// The first problem, with its file, line and column.
    pub fn parse(sql: &str, file_name: &str) -> Result<Self, SchemaError> {
        ddl::parse(sql, file_name)
    }

    /// The text of a schema file with more fields, each behind the last one of its struct; the rest stays as
    /// it is written. Fields of structs that are not there are left out.
    ///
    /// # Errors
    /// The first problem of the text as it is.
    pub fn extended(
        sql: &str,
        file_name: &str,
        fields: &[NewField],
    ) -> Result<String, SchemaError> {
        ddl::extended(sql, file_name, fields)
    }

    /// The name of the declared table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The declared columns, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}
