//! The pure core: what an event is, and how bytes become events.
//!
//! Comes in: the declared shape of an event (SQL DDL) and the bytes of one object. Goes out: Arrow
//! rows of the *events relation*, and an account of everything that could not become an event.
//! Invariant: no input fails and none is silently nothing; what is not a row is a [`Rejected`].
//! Nothing here knows of orders, buckets, tables or clocks: those belong to the crates above.
//!
//! # Layout
//! - [`schema`]: the declared event, parsed from DDL, and the Arrow schema of its relation
//! - [`decode`]: objects to events: compression, forms of an object, values, rescued fields, columns
//! - [`version`]: which of two events about the same thing is the newer one
#![warn(clippy::float_arithmetic, clippy::as_conversions)]

pub mod decode;
pub mod schema;
pub mod version;

pub use decode::{
    Addition, DecodeError, DecodeLimits, EventDecoder, LeftOut, ObjectReport, Reason, Rejected,
    Samples, Source, SuggestedField, Suggestion, UnnamedFields, is_compressed, named_paths,
    text_length, text_of,
};
pub use schema::{
    DataType, EventSchema, Field, NOT_IN_COLUMNS, NewField, RESCUED_DATA, SOURCE_FILE,
    SOURCE_MODIFIED, SOURCE_POSITION, SchemaError, SchemaProblem,
};
pub use version::EventVersion;
