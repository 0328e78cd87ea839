//! How the columns of a table differ from those that a pipeline gives: pure.
//!
//! What is new can be added to the table's metadata: old files lack it, and every reader takes that for
//! null (Delta protocol, *Reader Requirements*). A type that holds every value of another one needs the
//! files to be written again. All else would change what the rows say, and is refused. Columns are in
//! the pipeline's order; inside of structs the order of the table stays, because some readers go by it.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};

use super::type_name;

/// Everything in which two sets of columns differ, in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Columns, and fields inside of columns, that are only in the pipeline.
    pub(crate) added: Vec<String>,
    /// Types that hold every value of those that are there.
    pub(crate) widened: Vec<WiderColumn>,
    /// What cannot be made so.
    pub(crate) refused: Vec<String>,
    /// Whether columns are in another order.
    pub(crate) moved: bool,
}

/// A column that holds every value that it held before, and more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiderColumn {
    /// Where it is, like `items[].quantity`.
    pub path: String,
    /// The type it had.
    pub from: String,
    /// The type it has.
    pub to: String,
}

impl fmt::Display for WiderColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, from, to } = self;
        write!(f, "`{path}` is {from} in the table, {to} in the pipeline")
    }
}

impl Differences {
    /// Between the columns that are there and those that are wanted. The columns `fixed` have to be there
    /// from a table's first row on, as they are.
    pub(crate) fn between(there: &Schema, wanted: &Schema, fixed: &[String]) -> Self {
        let mut all = Self {
            moved: !in_order(there, wanted),
            ..Self::default()
        };
        for field in wanted.fields() {
            let is_fixed = fixed.contains(field.name());
            let named = described(field.name(), field);
            match there.field_with_name(field.name()) {
                Ok(known) => {
                    all.types(field.name(), known.data_type(), field.data_type(), is_fixed);
                }
                Err(_) if is_fixed => all.refused.push(format!(
                    "{named} is new, and no row can be without it: rows are told apart by it"
                )),
                Err(_) => all.added.push(named),
            }
        }
        all.removed("", there.fields(), wanted.fields());
        all
    }

    /// Whether the columns are the same.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn types(&mut self, path: &str, there: &DataType, wanted: &DataType, is_fixed: bool) {
        match (there, wanted) {
            (DataType::List(there), DataType::List(wanted)) => {
                let path = format!("{path}[]");
                self.types(&path, there.data_type(), wanted.data_type(), is_fixed);
            }
            (DataType::Struct(there), DataType::Struct(wanted)) => {
                for field in wanted {
                    let path = format!("{path}.{}", field.name());
                    match there.iter().find(|known| known.name() == field.name()) {
                        Some(known) => {
                            self.types(&path, known.data_type(), field.data_type(), is_fixed);
                        }
                        None => self.added.push(described(&path, field)),
                    }
                }
                self.removed(&format!("{path}."), there, wanted);
            }
            _ if there == wanted => {}
            _ => {
                let both = WiderColumn {
                    path: path.to_owned(),
                    from: type_name(there),
                    to: type_name(wanted),
                };
                let reason = if is_fixed {
                    Some("rows are told apart by it")
                } else {
                    not_wider(there, wanted)
                };
                match reason {
                    None => self.widened.push(both),
                    Some(reason) => self.refused.push(format!("{both}: {reason}")),
                }
            }
        }
    }

    fn removed(&mut self, before: &str, there: &Fields, wanted: &Fields) {
        for field in there {
            if wanted.iter().all(|other| other.name() != field.name()) {
                let named = described(&format!("{before}{}", field.name()), field);
                self.refused
                    .push(format!("{named} is in the table, not in the pipeline"));
            }
        }
    }
}

fn described(path: &str, field: &Field) -> String {
    format!("`{path}` {}", type_name(field.data_type()))
}

/// Whether the columns that both have come in the same order, and new ones behind those before them.
fn in_order(there: &Schema, wanted: &Schema) -> bool {
    let names = |one: &Schema, other: &Schema| {
        let names = one.fields().iter().map(|field| field.name().clone());
        let common = names.filter(|name| other.field_with_name(name).is_ok());
        common.collect::<Vec<_>>()
    };
    names(there, wanted) == names(wanted, there)
}

/// Why not every value of a type is one of the other; nothing when every one is.
fn not_wider(there: &DataType, wanted: &DataType) -> Option<&'static str> {
    // Digits before the point, and behind it.
    let digits = |data_type: &DataType| match data_type {
        DataType::Int8 => Some((3, 0)),
        DataType::Int16 => Some((5, 0)),
        DataType::Int32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        DataType::Decimal128(precision, scale) => {
            Some((i16::from(*precision) - i16::from(*scale), i16::from(*scale)))
        }
        _ => None,
    };
    match (digits(there), digits(wanted)) {
        (Some(_), Some(_)) if wanted.is_integer() && !there.is_integer() => {
            Some("digits behind the point would be lost")
        }
        (Some((whole, behind)), Some((most, room))) if whole <= most && behind <= room => None,
        (Some(_), Some(_)) => Some("not every value that is there would fit"),
        (None, Some(_)) if there.is_floating() => {
            Some("a number that was kept as a float has lost its own digits")
        }
        (Some(_), None) if wanted.is_floating() => Some("a float does not keep every digit"),
        _ => Some("these are values of another kind"),
    }
}

/// The columns of the table with what the wanted ones add: in the order of these, and inside of structs
/// behind what is there.
pub(super) fn merged(there: &Schema, wanted: &Schema) -> SchemaRef {
    let fields = wanted.fields().iter().map(|field| {
        let Ok(known) = there.field_with_name(field.name()) else {
            return Arc::clone(field);
        };
        let data_type = merged_type(known.data_type(), field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    });
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

/// All columns of both, with the types of the first, at every depth.
#[must_use]
pub fn united(first: &Schema, second: &Schema) -> SchemaRef {
    let all = first.fields().iter().map(|field| {
        let Ok(other) = second.field_with_name(field.name()) else {
            return Arc::clone(field);
        };
        let data_type = merged_type(other.data_type(), field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    });
    let only_second = second
        .fields()
        .iter()
        .filter(|field| first.field_with_name(field.name()).is_err());
    let all = all.chain(only_second.cloned());
    let all = all.map(|field| Arc::new(field.as_ref().clone().with_nullable(true)));
    Arc::new(Schema::new(all.collect::<Fields>()))
}

fn merged_type(there: &DataType, wanted: &DataType) -> DataType {
    match (there, wanted) {
        (DataType::List(known), DataType::List(element)) => {
            let data_type = merged_type(known.data_type(), element.data_type());
            DataType::List(Arc::new(element.as_ref().clone().with_data_type(data_type)))
        }
        (DataType::Struct(there), DataType::Struct(wanted)) => {
            let known = |field: &FieldRef| there.iter().find(|known| known.name() == field.name());
            let stay = there.iter().map(|known| {
                let field = wanted.iter().find(|field| field.name() == known.name());
                let field = field.unwrap_or(known);
                let data_type = merged_type(known.data_type(), field.data_type());
                Arc::new(known.as_ref().clone().with_data_type(data_type))
            });
            let new = wanted.iter().filter(|field| known(field).is_none());
            DataType::Struct(stay.chain(new.cloned()).collect())
        }
        _ => wanted.clone(),
    }
}

/// The same columns by the types that rows have here: how a reader likes its texts and the names inside a
/// list are no difference in the table, and everything may be null.
pub(super) fn plain(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| plain_field(field));
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

fn plain_field(field: &Field) -> Field {
    Field::new(field.name(), plain_type(field.data_type()), true)
}

fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        DataType::List(element) | DataType::LargeList(element) | DataType::ListView(element) => {
            let element = Field::new("element", plain_type(element.data_type()), true);
            DataType::List(Arc::new(element))
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| plain_field(field));
            DataType::Struct(fields.collect::<Fields>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, data_type: DataType) -> Field {
        Field::new(name, data_type, true)
    }

    fn between(there: Vec<Field>, wanted: Vec<Field>) -> Differences {
        let key = ["id".to_owned()];
        Differences::between(&Schema::new(there), &Schema::new(wanted), &key)
    }

    fn list_of(fields: Vec<Field>) -> DataType {
        let item = DataType::Struct(fields.into());
        DataType::List(Arc::new(Field::new("element", item, true)))
    }

    #[test]
    fn everything_that_differs_is_told_at_once() {
        let items = |fields| column("items", list_of(fields));
        let text = |name| column(name, DataType::Utf8);
        let found = between(
            vec![
                text("id"),
                column("n", DataType::Int32),
                text("gone"),
                items(vec![text("a"), column("q", DataType::Int32), text("b")]),
            ],
            vec![
                column("id", DataType::Int64),
                text("new"),
                column("n", DataType::Int64),
                items(vec![text("a"), column("q", DataType::Utf8), text("c")]),
            ],
        );
        assert_eq!(found.added, ["`new` STRING", "`items[].c` STRING"]);
        let widened: Vec<String> = found.widened.iter().map(ToString::to_string).collect();
        assert_eq!(widened, ["`n` is INT in the table, BIGINT in the pipeline"]);
        assert_eq!(
            found.refused,
            [
                "`id` is STRING in the table, BIGINT in the pipeline: rows are told apart by it",
                "`items[].q` is INT in the table, STRING in the pipeline: these are values of another kind",
                "`items[].b` STRING is in the table, not in the pipeline",
                "`gone` STRING is in the table, not in the pipeline",
            ]
        );
        assert!(!found.moved);
    }

    #[test]
    fn column_that_tells_rows_apart_is_never_added() {
        let other = || column("x", DataType::Utf8);
        let found = between(vec![other()], vec![other(), column("id", DataType::Utf8)]);
        assert_eq!(
            found.refused,
            ["`id` STRING is new, and no row can be without it: rows are told apart by it"]
        );
        assert!(found.added.is_empty());
    }

    #[test]
    fn types_widen_only_where_every_value_fits() {
        let decimal = DataType::Decimal128;
        for (there, wanted) in [
            (DataType::Int32, DataType::Int64),
            (DataType::Int32, decimal(10, 0)),
            (DataType::Int64, decimal(21, 2)),
            (decimal(18, 2), decimal(20, 2)),
            (decimal(18, 2), decimal(20, 4)),
        ] {
            assert_eq!(not_wider(&there, &wanted), None, "{there} {wanted}");
        }
        for (there, wanted) in [
            (DataType::Int64, DataType::Int32),
            (DataType::Int64, decimal(20, 2)),
            (DataType::Int32, decimal(9, 0)),
            (decimal(18, 2), decimal(18, 4)),
            (decimal(18, 2), decimal(20, 1)),
            (decimal(10, 0), DataType::Int64),
            (DataType::Float64, decimal(38, 10)),
            (decimal(18, 2), DataType::Float64),
            (DataType::Int32, DataType::Float64),
            (
                DataType::Date32,
                plain_type(&DataType::Timestamp(TimeUnit::Microsecond, None)),
            ),
            (DataType::Utf8, DataType::Int64),
            (DataType::Int64, DataType::Utf8),
        ] {
            assert!(not_wider(&there, &wanted).is_some(), "{there} {wanted}");
        }
    }

    #[test]
    fn new_fields_of_structs_come_behind_what_is_there() {
        let text = |name| column(name, DataType::Utf8);
        let there = Schema::new(vec![
            text("id"),
            column("items", list_of(vec![text("b"), text("a")])),
            text("z"),
        ]);
        let wanted = Schema::new(vec![
            text("z"),
            text("id"),
            text("new"),
            column("items", list_of(vec![text("a"), text("c"), text("b")])),
        ]);
        let merged = merged(&there, &wanted);
        let names: Vec<&String> = merged.fields().iter().map(|f| f.name()).collect();
        assert_eq!(names, ["z", "id", "new", "items"]);
        assert_eq!(
            merged.field(3).data_type(),
            &list_of(vec![text("b"), text("a"), text("c")])
        );
        let all = united(&wanted, &there);
        assert_eq!(all.fields().len(), 4);
        assert_eq!(all.field(3).data_type(), merged.field(3).data_type());
        let found = Differences::between(&there, &wanted, &[]);
        assert!(found.moved && found.refused.is_empty());
        let after = Differences::between(&merged, &wanted, &[]);
        assert!(after.is_none(), "{after:?}");
    }
}
