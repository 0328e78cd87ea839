//! Names and types as SQL, for files that people read and change.

use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;
use esteira_events::{DataType, Field};

/// A name in a model: in double quotes where it needs them.
pub(super) fn column(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && ALL_KEYWORDS
            .binary_search(&name.to_ascii_uppercase().as_str())
            .is_err();
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A text in a model.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name in a schema: in backquotes where it needs them.
pub(super) fn declared(name: &str) -> String {
    let plain = name.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && name.chars().all(|c| c == '_' || c.is_alphanumeric());
    if plain {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

/// A type in a schema, a field of a struct on each line.
pub(super) fn data_type(data_type: &DataType, indent: usize) -> String {
    match data_type {
        DataType::Array(element) => format!("ARRAY<{}>", self::data_type(element, indent)),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| nested(field, indent + 2))
                .collect();
            format!("STRUCT<\n{}\n{}>", fields.join(",\n"), " ".repeat(indent))
        }
        other => other.to_string(),
    }
}

fn nested(field: &Field, indent: usize) -> String {
    format!(
        "{}{}: {}",
        " ".repeat(indent),
        declared(&field.name),
        data_type(&field.data_type, indent)
    )
}
