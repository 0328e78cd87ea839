//! A condition on an event: an SQL expression over the columns of `events` that is true or not.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode as _;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ExprSchemable as _, Volatility};
use esteira_events::EventSchema;

use super::model::{EVENT, PROCESSED_AT, events_relation, session};

/// A checked condition.
#[derive(Debug, Clone)]
pub struct Condition {
    text: String,
    expression: Expr,
}

impl Condition {
    /// Checks the text of a condition against the events it is asked of; in words what is wrong, and
    /// a way out.
    pub(super) async fn check(text: &str, events: &EventSchema) -> Result<Self, (String, String)> {
        let relation = events_relation(events);
        // What a batch gives to an event is no part of it: another split would give another answer.
        let of_the_event = relation
            .fields()
            .iter()
            .filter(|field| ![EVENT, PROCESSED_AT].contains(&field.name().as_str()));
        let columns = Arc::new(Schema::new(of_the_event.cloned().collect::<Vec<_>>()));
        let names: Vec<&str> = columns.fields().iter().map(|f| f.name().as_str()).collect();
        let hint = format!("`events` has the columns {}", names.join(", "));
        let advice = || "compare columns of the event with each other or with values".to_owned();
        let parsed = parse(text, &columns).await.map_err(|error| {
            let message = error.strip_backtrace();
            let message = message.lines().next().unwrap_or_default();
            let syntax = message.strip_prefix("SQL error: ParserError(\"");
            let syntax = syntax.and_then(|rest| rest.strip_suffix("\")"));
            (syntax.unwrap_or(message).to_owned(), hint)
        });
        let (expression, data_type) = parsed?;
        if depends_on_more(&expression) {
            Err(("it depends on more than the event".to_owned(), advice()))
        } else if data_type != DataType::Boolean {
            Err((format!("it gives {data_type}, not true or false"), advice()))
        } else {
            Ok(Self {
                text: text.to_owned(),
                expression,
            })
        }
    }

    /// Its SQL, as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression over the columns of `events`.
    pub(crate) fn expression(&self) -> &Expr {
        &self.expression
    }
}

async fn parse(text: &str, columns: &SchemaRef) -> Result<(Expr, DataType), DataFusionError> {
    let session = session();
    let known = DFSchema::try_from(Arc::clone(columns))?;
    let expression = session.parse_sql_expr(text, &known)?;
    let data_type = expression.get_type(&known)?;
    if data_type == DataType::Boolean && !depends_on_more(&expression) {
        // Only a physical plan has seen every type.
        let empty = MemTable::try_new(Arc::clone(columns), vec![vec![]])?;
        let events = session.read_table(Arc::new(empty))?;
        let asked = events.filter(expression.clone())?;
        asked.create_physical_plan().await?;
    }
    Ok((expression, data_type))
}

/// Whether a condition depends on anything but the event: other events, the time, chance.
fn depends_on_more(condition: &Expr) -> bool {
    let more = |part: &Expr| match part {
        Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::ScalarSubquery(_)
        | Expr::AggregateFunction(_)
        | Expr::WindowFunction(_) => true,
        Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Immutable,
        _ => false,
    };
    // Looking itself never fails.
    condition.exists(|part| Ok(more(part))).unwrap_or(true)
}
