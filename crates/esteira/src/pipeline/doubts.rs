//! What a pipeline may do and most likely should not: told by `check`, never in the way of a run.
//!
//! Comes in: a checked table. Goes out: doubts. A row must depend on its event alone: then any order
//! of arrival and any split into batches makes the same tables, and so does a replay.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, Volatility};

use super::model::EVENT;
use super::{PipelineError, TableKind, TableRules};

/// Functions whose answer depends on the time, though the engine calls them stable.
const CLOCKS: [&str; 6] = [
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "today",
    "localtimestamp",
];

/// The doubts about one table.
pub(super) fn of(table: &TableRules) -> Vec<PipelineError> {
    let model = &table.model;
    let plan = model.plan();
    let mut doubts: Vec<PipelineError> =
        table
            .key
            .iter()
            .filter(|column| can_be_null(plan, column))
            .map(|column| {
                let (what, declare) = match &table.kind {
                    TableKind::Child { .. } => (
                        "a row without its head's key stops the job",
                        "select the column as its head's model does",
                    ),
                    TableKind::Latest | TableKind::History | TableKind::Append => (
                        "events without it give no row",
                        "declare the field NOT NULL (such events go to the quarantine)",
                    ),
                };
                model.wrong(
                format!("key column `{column}` of table `{}` can be null: {what}", table.name),
                format!(
                    "{declare}, or leave them out on purpose: `WHERE {column} IS NOT NULL`, with \
                     the expression that gives `{column}`"
                ),
            )
            })
            .collect();
    for name in changing_functions(plan) {
        doubts.push(model.wrong(
            format!("`{name}` gives another answer each time: a batch that runs again makes other rows"),
            "for the time of processing select `_processed_at`; for anything else take it from the event"
                .to_owned(),
        ));
    }
    for what in beyond_the_event(plan) {
        doubts.push(model.wrong(
            format!("{what} sees only the events that happen to share a batch"),
            format!("keep to one event: group or partition by `{EVENT}`"),
        ));
    }
    doubts
}

/// Whether nothing keeps the column from being null: neither its type, nor a condition above it.
fn can_be_null(plan: &LogicalPlan, column: &str) -> bool {
    let Ok(field) = plan.schema().field_with_unqualified_name(column) else {
        return false;
    };
    field.is_nullable() && !is_filtered(plan, None, column)
}

/// Whether a condition on the way down keeps nulls of `expr` out; at the top it is the column itself.
fn is_filtered(plan: &LogicalPlan, expr: Option<&Expr>, column: &str) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => {
            let name = expr.map_or(column, |expr| match expr {
                Expr::Column(column) => column.name.as_str(),
                _ => "",
            });
            let below = projection
                .expr
                .iter()
                .find(|expr| expr.schema_name().to_string().rsplit('.').next() == Some(name));
            below.is_some_and(|below| is_filtered(&projection.input, Some(bare(below)), column))
        }
        LogicalPlan::Filter(filter) => {
            expr.is_some_and(|expr| {
                split_conjunction(&filter.predicate)
                    .into_iter()
                    .any(|condition| rejects_null(condition, expr))
            }) || is_filtered(&filter.input, expr, column)
        }
        LogicalPlan::SubqueryAlias(alias) => is_filtered(&alias.input, expr, column),
        LogicalPlan::Sort(sort) => is_filtered(&sort.input, expr, column),
        LogicalPlan::Limit(limit) => is_filtered(&limit.input, expr, column),
        _ => false,
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => bare(&alias.expr),
        Expr::Cast(cast) => bare(&cast.expr),
        other => other,
    }
}

/// Whether the condition is not true where `expr` is null.
fn rejects_null(condition: &Expr, expr: &Expr) -> bool {
    let same = |other: &Expr| bare(other) == expr;
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Or => rejects_null(left, expr) && rejects_null(right, expr),
            Operator::And => rejects_null(left, expr) || rejects_null(right, expr),
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq => same(left) || same(right),
            _ => false,
        },
        Expr::IsNotNull(inner) => same(inner),
        Expr::Like(like) => same(&like.expr),
        Expr::InList(list) => same(&list.expr),
        Expr::Between(between) => same(&between.expr),
        _ => false,
    }
}

fn changing_functions(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each_expression(plan, |expr| {
        if let Expr::ScalarFunction(function) = expr {
            let name = function.func.name();
            if function.func.signature().volatility == Volatility::Volatile
                || CLOCKS.contains(&name)
            {
                names.insert(name.to_owned());
            }
        }
    });
    names
}

fn beyond_the_event(plan: &LogicalPlan) -> BTreeSet<&'static str> {
    let names_event = |exprs: &[Expr]| {
        exprs
            .iter()
            .any(|expr| matches!(bare(expr), Expr::Column(column) if column.name == EVENT))
    };
    let mut found = BTreeSet::new();
    each_expression(plan, |expr| {
        if let Expr::WindowFunction(window) = expr
            && !names_event(&window.params.partition_by)
        {
            found.insert("a window");
        }
    });
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|plan| {
        match plan {
            LogicalPlan::Aggregate(aggregate) if !names_event(&aggregate.group_expr) => {
                found.insert("an aggregate");
            }
            LogicalPlan::Limit(_) => {
                found.insert("a LIMIT");
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

fn each_expression(plan: &LogicalPlan, mut see: impl FnMut(&Expr)) {
    // The closures never fail.
    let _ = plan.apply_with_subqueries(|plan| {
        plan.apply_expressions(|expr| {
            expr.apply(|expr| {
                see(expr);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
}
