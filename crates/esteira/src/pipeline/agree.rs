//! What the files of a pipeline have to agree on: the version, and the keys of heads and children.

use arrow::datatypes::DataType as ArrowType;
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan};
use esteira_events::{DataType, EventSchema};

use super::file::nearest_of;
use super::model::EVENTS;
use super::places::Places;
use super::{Model, PipelineError, TableKind, TableRules};
use esteira_lake::tables::type_name;

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

/// A version of another type cannot be compared; one of other values would let an older event win.
pub(super) fn changed_version(model: &Model, table: &str, version: &str) -> Option<PipelineError> {
    let field = model.table_schema().field_with_name(version).ok()?;
    let (plan, column) = (model.plan(), Column::new_unqualified(version));
    let what = match field.data_type() {
        ArrowType::Timestamp(_, Some(_)) if is_own(plan, &column, version) => return None,
        ArrowType::Timestamp(_, Some(_)) => "with other values".to_owned(),
        other => format!("as {}", type_name(other)),
    };
    Some(model.wrong(
        format!("the model of table `{table}` gives the version `{version}` {what}"),
        format!("select `{version}` as the event has it; another form of it needs another name"),
    ))
}

/// Whether a column of a plan is the event's own column, whatever it was called on the way.
pub(super) fn is_own(plan: &LogicalPlan, column: &Column, own: &str) -> bool {
    origin(plan, column).is_some_and(|origin| origin == own)
}

/// The event's column that a column of a plan is, with the values that it has there.
pub(super) fn origin(plan: &LogicalPlan, column: &Column) -> Option<String> {
    let at = plan.schema().maybe_index_of_column(column)?;
    let of = |exprs: &[Expr], input: &LogicalPlan| match exprs.get(at).map(unaliased) {
        Some(Expr::Column(below)) => origin(input, below),
        _ => None,
    };
    // The same column under another name: inputs that have as many columns as the plan.
    let nth = |input: &LogicalPlan, at: usize| {
        let columns = input.schema().columns();
        columns.get(at).and_then(|column| origin(input, column))
    };
    match plan {
        LogicalPlan::TableScan(scan) => {
            (scan.table_name.table() == EVENTS).then(|| column.name.clone())
        }
        LogicalPlan::Projection(projection) => of(&projection.expr, &projection.input),
        LogicalPlan::Aggregate(aggregate) => of(&aggregate.group_expr, &aggregate.input),
        LogicalPlan::SubqueryAlias(alias) => nth(&alias.input, at),
        LogicalPlan::Union(union) => {
            let mut origins = union.inputs.iter().map(|input| nth(input, at));
            let first = origins.next()??;
            origins
                .all(|origin| origin.as_ref() == Some(&first))
                .then_some(first)
        }
        LogicalPlan::Unnest(unnest) => {
            let below = *unnest.dependency_indices.get(at)?;
            let is_list = unnest
                .list_type_columns
                .iter()
                .any(|(list, _)| *list == below);
            let is_struct = unnest.struct_type_columns.contains(&below);
            (!is_list && !is_struct)
                .then(|| nth(&unnest.input, below))
                .flatten()
        }
        other => {
            let inputs = other.inputs();
            let found = inputs
                .iter()
                .find(|input| input.schema().has_column(column));
            found.and_then(|input| origin(input, column))
        }
    }
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
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
