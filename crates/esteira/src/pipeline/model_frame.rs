//! A model that is a function of Rust: what it makes of `events`, with the column that names the event.
//!
//! Comes in: the function, and the frame `events`. Goes out: its frame, or a failure of the engine. The
//! invariant: it is the frame of the function, row for row, and one that selected the event away has it again.

use datafusion::common::{Column, DFSchema};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, Projection};

use super::model::EVENT;
use crate::interface::ModelFunction;
use esteira_lake::tables::type_name;

/// What the function makes of the frame.
pub(super) fn made(
    function: &ModelFunction,
    events: DataFrame,
) -> Result<DataFrame, DataFusionError> {
    let (state, plan) = (function.0)(events)?.into_parts();
    let plan = match with_event(&plan)? {
        Some(with_event) => with_event,
        // What is checked next tells of it.
        None => plan,
    };
    Ok(DataFrame::new(state, plan))
}

/// The frame, when it has the columns that it had when it was checked.
pub(super) fn as_before(checked: &DFSchema, made: DataFrame) -> Result<DataFrame, DataFusionError> {
    let columns = |schema: &DFSchema| -> Vec<String> {
        let fields = schema.fields().iter();
        let in_words =
            fields.map(|field| format!("{} {}", field.name(), type_name(field.data_type())));
        in_words.collect()
    };
    let (before, now) = (columns(checked), columns(made.schema()));
    if before == now {
        return Ok(made);
    }
    Err(DataFusionError::Plan(format!(
        "its function made the columns {} when it was checked, and makes {} now: it has to do the same \
         every time",
        before.join(", "),
        now.join(", ")
    )))
}

/// The plan with the event, where a projection left it out: below what neither adds nor takes columns away.
fn with_event(plan: &LogicalPlan) -> Result<Option<LogicalPlan>, DataFusionError> {
    if events(plan).next().is_some() {
        return Ok(Some(plan.clone()));
    }
    match plan {
        LogicalPlan::Projection(projection) => {
            let Some(input) = with_event(&projection.input)? else {
                return Ok(None);
            };
            // Of two it cannot be known which one is meant.
            let found: Vec<Column> = events(&input).collect();
            let [event] = found.as_slice() else {
                return Ok(None);
            };
            let mut exprs = projection.expr.clone();
            exprs.push(Expr::Column(event.clone()));
            let projection = Projection::try_new(exprs, input.into());
            projection.map(LogicalPlan::Projection).map(Some)
        }
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => {
            let inputs = plan.inputs();
            let [input] = inputs.as_slice() else {
                return Ok(None);
            };
            let Some(input) = with_event(input)? else {
                return Ok(None);
            };
            plan.with_new_exprs(plan.expressions(), vec![input])
                .map(Some)
        }
        _ => Ok(None),
    }
}

/// The columns of a plan that are called as the event.
fn events(plan: &LogicalPlan) -> impl Iterator<Item = Column> {
    let fields = plan.schema().iter();
    fields
        .filter(|(_, field)| field.name() == EVENT)
        .map(Column::from)
}
