//! What can be wrong with a declared event, and what to do about it.
//!
//! Comes in: nothing but facts from the parser and the rules. Goes out: texts for the person who
//! writes the schema. Invariant: each problem is one sentence; the way out is in the hint.

use thiserror::Error;

/// A problem in a schema file, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}:{column}: {problem}")]
#[non_exhaustive]
pub struct SchemaError {
    /// The file as it was named by the caller.
    pub file: String,
    /// The 1-based line.
    pub line: usize,
    /// The 1-based column, in characters.
    pub column: usize,
    /// What is wrong there.
    pub problem: SchemaProblem,
}

impl SchemaError {
    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        self.problem.hint()
    }
}

/// What is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// Something else was needed at this place.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What the grammar needs.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A quote or comment that never ends.
    #[error("{what} is never closed")]
    Unclosed {
        /// What was opened.
        what: &'static str,
    },
    /// A type name that is none of ours.
    #[error("unknown type `{name}`")]
    UnknownType {
        /// The name as written.
        name: String,
        /// The nearest known type name.
        nearest: Option<&'static str>,
    },
    /// `DECIMAL` with a precision or scale out of bounds.
    #[error("DECIMAL({precision},{scale}) is out of bounds")]
    DecimalBounds {
        /// The precision as written.
        precision: u64,
        /// The scale as written.
        scale: u64,
    },
    /// A `CHECK` other than the one that is understood.
    #[error("this CHECK on `{column}` is not supported")]
    UnsupportedCheck {
        /// The column that has it.
        column: String,
    },
    /// `CHECK (column <> '')` on something that is no string.
    #[error("`{column}` is {data_type}, and only a STRING can be empty")]
    NotEmptyOnNonString {
        /// The column that has it.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// Two fields of one name, side by side.
    #[error("`{name}` is declared twice")]
    DuplicateName {
        /// The second one's name.
        name: String,
    },
    /// A column name that belongs to the relation itself.
    #[error("`{name}` is reserved: columns whose name starts with `_` are made by the relation")]
    ReservedName {
        /// The name as written.
        name: String,
    },
    /// A name that is empty or holds a quote, backslash or control character.
    #[error("{name:?} cannot be a name")]
    UnusableName {
        /// The name as written.
        name: String,
    },
    /// A table or struct without fields.
    #[error("{what} has no fields")]
    Empty {
        /// What is empty.
        what: &'static str,
    },
    /// Types nested too deeply.
    #[error("types are nested more than {limit} deep")]
    TooDeep {
        /// The deepest that is allowed.
        limit: usize,
    },
}

impl SchemaProblem {
    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownType {
                nearest: Some(nearest),
                ..
            } => Some(format!("the nearest known type is `{nearest}`")),
            Self::UnknownType { nearest: None, .. } => Some(format!(
                "known types are {}",
                super::ddl::TYPE_NAMES.join(", ")
            )),
            Self::DecimalBounds { .. } => {
                Some("the precision is 1 to 38, the scale 0 to the precision".to_owned())
            }
            Self::UnsupportedCheck { column } => Some(format!(
                "the only check understood is `CHECK ({column} <> '')`"
            )),
            Self::NotEmptyOnNonString { .. } => Some("use NOT NULL instead".to_owned()),
            Self::DuplicateName { .. } => {
                Some("tables do not tell upper from lower case in column names".to_owned())
            }
            Self::ReservedName { .. } => Some("choose a name that starts with a letter".to_owned()),
            Self::UnusableName { .. } => Some(
                "a name is not empty and has no quotes, backslashes or control characters"
                    .to_owned(),
            ),
            Self::Unexpected { .. }
            | Self::Unclosed { .. }
            | Self::Empty { .. }
            | Self::TooDeep { .. } => None,
        }
    }
}
