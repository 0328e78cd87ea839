//! A condition on one row: an SQL expression over its columns that is true or not.
//!
//! Comes in: its text, and the columns of the rows it is asked of: of `events` for `delete_when`, of a
//! table's model for a rule. Goes out: a checked condition, or in words what is wrong and a way out. What
//! it answers depends on the row alone, so any split into batches gives the same answers.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable as _, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;

use super::Functions;
use super::model::{EVENT, PROCESSED_AT, session};
use super::model_error;
use esteira_lake::tables::type_name;

/// A checked condition.
#[derive(Debug, Clone)]
pub struct Condition {
    text: String,
    expression: Expr,
    test: Arc<dyn PhysicalExpr>,
}

impl Condition {
    /// Checks the text of a condition against the rows it is asked of, whose columns `gives` gives; in
    /// words what is wrong, and a way out.
    pub(super) fn check(
        text: &str,
        rows: &Schema,
        functions: &Functions,
        gives: &str,
    ) -> Result<Self, (String, String)> {
        // What a batch gives to an event is no part of it: another split would give another answer.
        let asked = rows
            .fields()
            .iter()
            .filter(|field| ![EVENT, PROCESSED_AT].contains(&field.name().as_str()));
        let asked = Schema::new(asked.cloned().collect::<Vec<_>>());
        let engine = |error: DataFusionError| {
            let (message, _, _) = model_error::in_words(&asked, &error);
            let names: Vec<&str> = asked.fields().iter().map(|f| f.name().as_str()).collect();
            (message, format!("{gives} {}", names.join(", ")))
        };
        let known = DFSchema::try_from(asked.clone()).map_err(engine)?;
        let session = session();
        functions.register(&session);
        let parsed = session.parse_sql_expr(text, &known);
        let expression = parsed.map_err(engine)?;
        if let Some(name) = changing(&expression, functions) {
            return Err((
                format!("function `{name}` does not say that it answers by its arguments alone"),
                "make it with `Volatility::Immutable`".to_owned(),
            ));
        }
        if looks_beyond(&expression) {
            return Err((
                "the condition looks beyond its row".to_owned(),
                "no aggregates, windows, subqueries, nor functions that answer anew each time"
                    .to_owned(),
            ));
        }
        let data_type = expression.get_type(&known).map_err(engine)?;
        if data_type != DataType::Boolean {
            return Err((
                format!(
                    "the condition is {}, neither true nor false",
                    type_name(&data_type)
                ),
                "write a comparison, for instance `price >= 0`".to_owned(),
            ));
        }
        let compiled = compiled(expression.clone(), rows).map_err(engine)?;
        Ok(Self {
            text: text.to_owned(),
            expression,
            test: compiled,
        })
    }

    /// Its SQL, as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression over the columns of the rows.
    pub(crate) fn expression(&self) -> &Expr {
        &self.expression
    }

    /// What answers it for rows with all their columns.
    pub(super) fn test(&self) -> Arc<dyn PhysicalExpr> {
        Arc::clone(&self.test)
    }
}

/// The expression for rows, tried on none of them: some functions are refused only when they are called.
fn compiled(expression: Expr, rows: &Schema) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let schema = Arc::new(DFSchema::try_from(rows.clone())?);
    let context = SimplifyContext::builder().with_schema(Arc::clone(&schema));
    let simplifier = ExprSimplifier::new(context.build());
    let coerced = simplifier.coerce(expression, &schema)?;
    // Not an optimisation: `coalesce` and its like exist only until they are simplified.
    let plain = simplifier.simplify(coerced)?;
    let test = session().create_physical_expr(plain, &schema)?;
    test.evaluate(&RecordBatch::new_empty(Arc::new(rows.clone())))?;
    Ok(test)
}

/// A function of Rust in the condition that is not said to give the same for the same.
fn changing(condition: &Expr, functions: &Functions) -> Option<String> {
    let mut found = None;
    // Looking itself never fails.
    let _ = condition.apply(|part| match part {
        Expr::ScalarFunction(call) if functions.is_changing(call.func.name()) => {
            found = Some(call.func.name().to_owned());
            Ok(TreeNodeRecursion::Stop)
        }
        _ => Ok(TreeNodeRecursion::Continue),
    });
    found
}

/// Whether a condition depends on anything but the row: other rows, the time, chance.
fn looks_beyond(condition: &Expr) -> bool {
    let beyond = |part: &Expr| match part {
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
    condition.exists(|part| Ok(beyond(part))).unwrap_or(true)
}
