//! The declared event: its fields, their types and rules, and the relation they become.
//!
//! Comes in: SQL DDL with Spark's type names (or fields built in Rust). Goes out: an
//! [`EventSchema`] whose invariants hold: at least one column, no two columns of one name, no name
//! that is reserved, decimals within bounds. What the fields mean to a business belongs to the
//! pipeline's models, not here.

mod arrow_types;
mod data_type;
mod ddl;
mod error;
pub(crate) mod rules;

#[cfg(test)]
mod tests;

pub(crate) use arrow_types::timestamp;
pub use arrow_types::{
    NOT_IN_COLUMNS, RESCUED_DATA, SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION,
};
pub use data_type::{DataType, EventSchema, Field};
pub use ddl::NewField;
pub use error::{SchemaError, SchemaProblem};
