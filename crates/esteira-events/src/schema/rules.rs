//! The rules every declared event obeys, however it was made.
//!
//! Comes in: fields. Goes out: the first [`SchemaProblem`], if any. The parser calls the single
//! rules itself where it can name the place; [`check_columns`] is the whole for fields made in Rust.

use super::{DataType, Field, SchemaProblem};

/// How deep types may be nested: decoding recurses once per level, and the stack is finite.
pub(super) const MAX_DEPTH: usize = 64;

/// All rules, for the columns of a table.
pub(super) fn check_columns(fields: &[Field]) -> Result<(), SchemaProblem> {
    check_fields(fields, "the table", 1)?;
    fields
        .iter()
        .try_for_each(|field| check_reserved(&field.name))
}

/// A name of a column that would collide with the relation's own.
pub(crate) fn check_reserved(name: &str) -> Result<(), SchemaProblem> {
    if name.starts_with('_') {
        return Err(SchemaProblem::ReservedName {
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// A name that stands in JSON as it is, without escapes: keys are compared in their raw form first.
pub(crate) fn check_name(name: &str) -> Result<(), SchemaProblem> {
    let unusable = |c: char| c == '"' || c == '\\' || c.is_control();
    if name.is_empty() || name.contains(unusable) {
        return Err(SchemaProblem::UnusableName {
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// A name that an earlier field has, upper and lower case not told apart.
pub(crate) fn check_unique(earlier: &[Field], name: &str) -> Result<(), SchemaProblem> {
    let folded = name.to_lowercase();
    if earlier
        .iter()
        .any(|field| field.name.to_lowercase() == folded)
    {
        return Err(SchemaProblem::DuplicateName {
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// `CHECK (name <> '')` only makes sense on a string.
pub(super) fn check_not_empty(field: &Field) -> Result<(), SchemaProblem> {
    if field.not_empty && field.data_type != DataType::String {
        return Err(SchemaProblem::NotEmptyOnNonString {
            column: field.name.clone(),
            data_type: field.data_type.to_string(),
        });
    }
    Ok(())
}

/// The precision and scale of a decimal, as the types of [`DataType::Decimal`].
pub(super) fn check_decimal(precision: u64, scale: u64) -> Result<(u8, u8), SchemaProblem> {
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(p @ 1..=38), Ok(s)) if s <= p => Ok((p, s)),
        _ => Err(SchemaProblem::DecimalBounds { precision, scale }),
    }
}

/// The depth of a nested type.
pub(super) fn check_depth(depth: usize) -> Result<(), SchemaProblem> {
    if depth > MAX_DEPTH {
        return Err(SchemaProblem::TooDeep { limit: MAX_DEPTH });
    }
    Ok(())
}

fn check_fields(fields: &[Field], what: &'static str, depth: usize) -> Result<(), SchemaProblem> {
    if fields.is_empty() {
        return Err(SchemaProblem::Empty { what });
    }
    for (index, field) in fields.iter().enumerate() {
        check_name(&field.name)?;
        check_unique(&fields[..index], &field.name)?;
        check_not_empty(field)?;
        check_type(&field.data_type, depth)?;
    }
    Ok(())
}

fn check_type(data_type: &DataType, depth: usize) -> Result<(), SchemaProblem> {
    check_depth(depth)?;
    match data_type {
        DataType::Decimal { precision, scale } => {
            check_decimal(u64::from(*precision), u64::from(*scale)).map(|_| ())
        }
        DataType::Array(element) => check_type(element, depth + 1),
        DataType::Struct(fields) => check_fields(fields, "a STRUCT", depth + 1),
        _ => Ok(()),
    }
}
