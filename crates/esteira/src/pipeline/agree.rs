//! What the files of a pipeline have to agree on: the version, and the keys of heads and children.

use arrow::datatypes::DataType as ArrowType;
use esteira_events::{DataType, EventSchema};

use super::file::nearest_of;
use super::mend::Places;
use super::type_name::type_name;
use super::{Model, PipelineError, TableKind, TableRules};

/// Whether the field can be the version.
pub(super) fn version(
    places: &Places<'_>,
    schema: &EventSchema,
    version: &str,
    errors: &mut Vec<PipelineError>,
) -> bool {
    if version.is_empty() {
        return false;
    }
    let fields = schema.fields();
    let field = fields.iter().find(|field| field.name == version);
    let (reason, hint) = match field {
        Some(field) if field.required && field.data_type == DataType::Timestamp => return true,
        Some(_) => ("it has to be a TIMESTAMP NOT NULL", None),
        None => (
            "the event has no such field",
            nearest_of(version, fields.iter().map(|field| field.name.as_str()))
                .map(|near| format!("did you mean `{near}`?")),
        ),
    };
    errors.push(places.wrong(
        "event.version",
        format!("`{version}` cannot be the version: {reason}"),
        hint.or_else(|| {
            let possible = fields
                .iter()
                .filter(|field| field.required && field.data_type == DataType::Timestamp);
            let possible: Vec<_> = possible.map(|field| format!("`{}`", field.name)).collect();
            (!possible.is_empty()).then(|| format!("possible are {}", possible.join(", ")))
        }),
    ));
    false
}

/// A version that the model gives in another type cannot be compared.
pub(super) fn changed_version(model: &Model, table: &str, version: &str) -> Option<PipelineError> {
    let field = model.table_schema().field_with_name(version).ok()?;
    if matches!(field.data_type(), ArrowType::Timestamp(_, Some(_))) {
        return None;
    }
    Some(model.wrong(
        format!(
            "the model of table `{table}` gives the version `{version}` as {}",
            type_name(field.data_type())
        ),
        format!("select `{version}` as the event has it; another form of it needs another name"),
    ))
}

/// A child is found by its head's key: of the same types.
pub(super) fn keys(tables: &[TableRules], errors: &mut Vec<PipelineError>) {
    for child in tables {
        let TableKind::Child { head } = &child.kind else {
            continue;
        };
        let Some(head) = tables.iter().find(|table| table.name == *head) else {
            continue;
        };
        for column in &child.key {
            let of = |table: &TableRules| {
                let schema = table.model.table_schema();
                schema
                    .field_with_name(column)
                    .ok()
                    .map(|field| field.data_type().clone())
            };
            if let (Some(own), Some(heads)) = (of(child), of(head))
                && own != heads
            {
                errors.push(child.model.wrong(
                    format!(
                        "key column `{column}` of table `{}` is {}, of its head `{}` {}",
                        child.name,
                        type_name(&own),
                        head.name,
                        type_name(&heads)
                    ),
                    "select the column as its head's model does".to_owned(),
                ));
            }
        }
    }
}
