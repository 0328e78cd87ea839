//! A condition on an event: an SQL expression over the columns of `events` that is true or not.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode as _;
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
    pub(super) fn check(text: &str, events: &EventSchema) -> Result<Self, (String, String)> {
        let relation = events_relation(events);
        // What a batch gives to an event is no part of it: another split would give another answer.
        let of_the_event = relation
            .fields()
            .iter()
            .filter(|field| ![EVENT, PROCESSED_AT].contains(&field.name().as_str()));
        let columns = Schema::new(of_the_event.cloned().collect::<Vec<_>>());
        let names: Vec<&str> = columns.fields().iter().map(|f| f.name().as_str()).collect();
        let hint = format!("`events` has the columns {}", names.join(", "));
        let parsed = DFSchema::try_from(columns.clone()).and_then(|columns| {
            let expression = session().parse_sql_expr(text, &columns)?;
            let data_type = expression.get_type(&columns)?;
            let is_of_one_event = !expression.exists(|part| Ok(looks_further(part)))?;
            Ok((expression, data_type, is_of_one_event))
        });
        let parsed = parsed.map_err(|error: DataFusionError| {
            let message = error.strip_backtrace();
            let message = message.lines().next().unwrap_or_default();
            (message.to_owned(), hint)
        });
        match parsed? {
            (expression, DataType::Boolean, true) => Ok(Self {
                text: text.to_owned(),
                expression,
            }),
            (_, DataType::Boolean, false) => Err((
                "it depends on more than the event".to_owned(),
                "compare columns of the event with each other or with values".to_owned(),
            )),
            (_, other, _) => Err((
                format!("it gives {other}, not true or false"),
                "compare columns of the event with each other or with values".to_owned(),
            )),
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

/// Whether this part of a condition depends on anything but the event.
fn looks_further(part: &Expr) -> bool {
    matches!(
        part,
        Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_)
            | Expr::ScalarSubquery(_)
            | Expr::AggregateFunction(_)
            | Expr::WindowFunction(_)
    ) || matches!(part, Expr::ScalarFunction(call)
        if call.func.signature().volatility != Volatility::Immutable)
}
