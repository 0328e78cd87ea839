//! The declared event, prepared for decoding.
//!
//! Comes in: an [`EventSchema`]. Goes out: the same tree with what decoding asks of it again and
//! again: the field of a key, the required fields of an object, the name at a path. Invariant: it
//! says nothing that the schema does not say.

use std::collections::HashMap;
use std::fmt::Write;

use super::issue::Step;
use crate::schema::{DataType, EventSchema, Field};

/// Up to so many fields, comparing a key with each is faster than hashing it.
const FEW_FIELDS: usize = 24;

/// An object: the event itself or a struct inside it.
#[derive(Debug)]
pub(super) struct StructLayout {
    pub(super) fields: Vec<FieldLayout>,
    /// The indices of the required fields.
    pub(super) required: Vec<usize>,
    /// Where this object's guesses begin in the decoder's list of them; one per field, and one for
    /// the first key.
    pub(super) guesses: usize,
    /// Only where there are many fields.
    by_name: HashMap<Box<[u8]>, usize>,
}

/// A field of an object.
#[derive(Debug)]
pub(super) struct FieldLayout {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) not_empty: bool,
}

/// What a value must be.
#[derive(Debug)]
pub(super) enum Kind {
    String,
    Boolean,
    Int,
    BigInt,
    Double,
    Date,
    Timestamp,
    Decimal { precision: u8, scale: u8 },
    Array(Box<Kind>),
    Struct(StructLayout),
}

impl StructLayout {
    /// The layout of a whole event, and how many guesses the decoder keeps for it.
    pub(super) fn of_event(schema: &EventSchema) -> (Self, usize) {
        let mut guesses = 0;
        let layout = Self::of_fields(schema.fields(), &mut guesses);
        (layout, guesses)
    }

    /// The field with exactly this name.
    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        if self.by_name.is_empty() {
            return self
                .fields
                .iter()
                .position(|field| field.name.as_bytes() == name);
        }
        self.by_name.get(name).copied()
    }

    fn of_fields(fields: &[Field], guesses: &mut usize) -> Self {
        let first_guess = *guesses;
        *guesses += fields.len() + 1;
        let by_name = if fields.len() > FEW_FIELDS {
            let names = fields.iter().map(|field| Box::from(field.name.as_bytes()));
            names.zip(0..).collect()
        } else {
            HashMap::new()
        };
        Self {
            required: (0..fields.len())
                .filter(|index| fields[*index].required)
                .collect(),
            guesses: first_guess,
            by_name,
            fields: fields
                .iter()
                .map(|field| FieldLayout {
                    name: field.name.clone(),
                    kind: Kind::of(&field.data_type, guesses),
                    required: field.required,
                    not_empty: field.not_empty,
                })
                .collect(),
        }
    }
}

impl Kind {
    /// Whether objects can be inside, and with them fields that the schema does not name.
    pub(super) fn holds_objects(&self) -> bool {
        match self {
            Self::Struct(_) => true,
            Self::Array(element) => element.holds_objects(),
            _ => false,
        }
    }

    /// The JSON value that is expected, as part of a sentence.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Boolean => "`true` or `false`",
            Self::Int | Self::BigInt | Self::Double | Self::Decimal { .. } => "a number",
            Self::Date => "a string with a date",
            Self::Timestamp => "a string with a timestamp",
            Self::Array(_) => "an array",
            Self::Struct(_) => "an object",
        }
    }

    fn of(data_type: &DataType, guesses: &mut usize) -> Self {
        match data_type {
            DataType::String => Self::String,
            DataType::Boolean => Self::Boolean,
            DataType::Int => Self::Int,
            DataType::BigInt => Self::BigInt,
            DataType::Double => Self::Double,
            DataType::Date => Self::Date,
            DataType::Timestamp => Self::Timestamp,
            DataType::Decimal { precision, scale } => Self::Decimal {
                precision: *precision,
                scale: *scale,
            },
            DataType::Array(element) => Self::Array(Box::new(Self::of(element, guesses))),
            DataType::Struct(fields) => Self::Struct(StructLayout::of_fields(fields, guesses)),
        }
    }
}

/// The JSON path that `steps` take from the event, like `$.list[2].price`.
pub(super) fn json_path(event: &StructLayout, steps: &[Step]) -> String {
    let mut path = "$".to_owned();
    let mut layout = Some(event);
    let mut kind: Option<&Kind> = None;
    for step in steps {
        match (step, layout, kind) {
            (Step::Field(index), Some(object), _) => {
                let field = &object.fields[*index];
                push_name(&mut path, &field.name);
                kind = Some(&field.kind);
            }
            (Step::Element(index), _, Some(Kind::Array(element))) => {
                // writing to a string cannot fail
                let _ = write!(path, "[{index}]");
                kind = Some(&**element);
            }
            _ => {}
        }
        layout = match kind {
            Some(Kind::Struct(object)) => Some(object),
            _ => None,
        };
    }
    path
}

/// Appends the step to a field of that name.
pub(super) fn push_name(path: &mut String, name: &str) {
    if name.chars().all(|c| c == '_' || c.is_alphanumeric()) {
        path.push('.');
        path.push_str(name);
    } else {
        let _ = write!(path, "['{}']", name.replace('\'', "\\'"));
    }
}
