//! What a pipeline may do and most likely should not: told by `check`, never in the way of a run.
//!
//! Comes in: checked tables. Goes out: doubts. A row must depend on its event alone: then any order
//! of arrival and any split into batches makes the same tables, and so does a replay.

use std::collections::BTreeSet;

use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Join, LogicalPlan, Operator, Volatility};
use esteira_events::{SOURCE_FILE, SOURCE_POSITION};

use super::model::{EVENT, EVENTS};
use super::{Functions, Model, PipelineError, TableKind, TableRules, agree};

/// Functions whose answer depends on the time, though the engine calls them stable.
const CLOCKS: [&str; 6] = [
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "today",
    "localtimestamp",
];

/// The doubts about the tables of a pipeline.
pub(super) fn of(tables: &[TableRules], functions: &Functions) -> Vec<PipelineError> {
    tables
        .iter()
        .flat_map(|table| {
            let nulls = of_nulls(table);
            let rows = of_rows(&table.model, functions);
            nulls.into_iter().chain(rows).chain(of_head(table, tables))
        })
        .collect()
}

/// Columns of the key that can be null.
fn of_nulls(table: &TableRules) -> Vec<PipelineError> {
    let model = &table.model;
    let can_be_null = table
        .key
        .iter()
        .filter(|column| can_be_null(model.plan(), column));
    can_be_null
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
                format!(
                    "key column `{column}` of table `{}` can be null: {what}",
                    table.name
                ),
                format!(
                    "{declare}, or leave them out on purpose: `WHERE {column} IS NOT NULL`, with \
                     the expression that gives `{column}`"
                ),
            )
        })
        .collect()
}

/// Rows that depend on something else than their event.
fn of_rows(model: &Model, functions: &Functions) -> Vec<PipelineError> {
    let plan = model.plan();
    let mut doubts = Vec::new();
    for name in changing_functions(plan) {
        doubts.push(model.wrong(
            format!("`{name}` gives another answer each time: a batch that runs again makes other rows"),
            "for the time of processing select `_processed_at`; for anything else take it from the event"
                .to_owned(),
        ));
    }
    for name in functions_that_may_change(plan, functions) {
        doubts.push(model.wrong(
            format!("function `{name}` does not say that it answers by its arguments alone"),
            "make it with `Volatility::Immutable`".to_owned(),
        ));
    }
    for what in beyond_the_event(plan) {
        doubts.push(model.wrong(
            format!("{what} sees only the events that happen to share a batch"),
            format!("keep to one event: group, partition or join by `{EVENT}`"),
        ));
    }
    for name in other_relations(plan) {
        doubts.push(model.wrong(
            format!("its rows depend on `{name}`, not on their event alone"),
            "a replay makes other rows as soon as that changes: keep it as it is for good, or join it \
             to the table in a question"
                .to_owned(),
        ));
    }
    if uses_event_as_value(plan) {
        doubts.push(model.wrong(
            format!("`{EVENT}` is used as a value: it is the event's number in its batch, and another batch \
                     has another"),
            format!("use it to keep to one event only; what tells an event from others is `{SOURCE_FILE}` and \
                     `{SOURCE_POSITION}`"),
        ));
    }
    if keeps_null_lists(plan) {
        doubts.push(model.wrong(
            "an event whose list is null gives a row of nulls".to_owned(),
            "`UnnestOptions::new().with_preserve_nulls(false)` gives none, as SQL does".to_owned(),
        ));
    }
    doubts
}

/// A head is taken to have rows of one key an event: its children stand or fall with the event.
fn of_head(table: &TableRules, tables: &[TableRules]) -> Option<PipelineError> {
    let is_its_child = |other: &&TableRules| matches!(&other.kind, TableKind::Child { head } if *head == table.name);
    let child = tables.iter().find(is_its_child)?;
    let plan = table.model.plan();
    let is_of_event =
        |column: &String| agree::origin(plan, &Column::new_unqualified(column.as_str())).is_some();
    let has_one_key = table.key.iter().all(is_of_event);
    (!has_one_key && may_give_several_rows(plan)).then(|| {
        table.model.wrong(
            format!(
                "the model of table `{}` may give an event rows of several keys, and table `{}` hangs on it",
                table.name, child.name
            ),
            "a child's rows come with the event as a whole: they are right only where all keys of an event \
             stand or fall together"
                .to_owned(),
        )
    })
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

fn functions_that_may_change(plan: &LogicalPlan, functions: &Functions) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each_expression(plan, |expr| {
        if let Expr::ScalarFunction(function) = expr
            && functions.is_changing(function.func.name())
            && function.func.signature().volatility != Volatility::Volatile
        {
            names.insert(function.func.name().to_owned());
        }
    });
    names
}

fn is_event(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => column.name == EVENT,
        _ => false,
    }
}

fn beyond_the_event(plan: &LogicalPlan) -> BTreeSet<&'static str> {
    let names_event = |exprs: &[Expr]| exprs.iter().any(is_event);
    // A join in the old way: what it is by is in the condition.
    let is_kept_to_event = asks_by_event(plan);
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
            LogicalPlan::Join(join)
                if reads(&join.left, EVENTS)
                    && reads(&join.right, EVENTS)
                    && !is_by_event(join)
                    && !is_kept_to_event =>
            {
                found.insert("a join");
            }
            LogicalPlan::Subquery(subquery)
                if reads(&subquery.subquery, EVENTS) && !asks_by_event(&subquery.subquery) =>
            {
                found.insert("a subquery");
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// Whether what it joins is of one event.
fn is_by_event(join: &Join) -> bool {
    let by_filter = join.filter.as_ref().is_some_and(equates_event);
    by_filter || join.on.iter().any(|(l, r)| is_event(l) && is_event(r))
}

/// Whether a condition somewhere in the plan keeps to one event.
fn asks_by_event(plan: &LogicalPlan) -> bool {
    any_node(plan, |node| match node {
        LogicalPlan::Filter(filter) => equates_event(&filter.predicate),
        _ => false,
    })
}

fn equates_event(condition: &Expr) -> bool {
    split_conjunction(condition).into_iter().any(|part| {
        matches!(part, Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right })
            if is_event(left) && is_event(right))
    })
}

fn reads(plan: &LogicalPlan, relation: &str) -> bool {
    any_node(
        plan,
        |node| matches!(node, LogicalPlan::TableScan(scan) if scan.table_name.table() == relation),
    )
}

/// Relations that are no events: only a function of Rust can bring one.
fn other_relations(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    any_node(plan, |node| {
        if let LogicalPlan::TableScan(scan) = node
            && scan.table_name.table() != EVENTS
        {
            names.insert(scan.table_name.to_string());
        }
        false
    });
    names
}

/// Whether the number of the event is in what a row says, or in what chooses rows.
fn uses_event_as_value(plan: &LogicalPlan) -> bool {
    let within = |expr: &Expr| {
        expr.exists(|part| Ok(matches!(part, Expr::Column(column) if column.name == EVENT)))
            .unwrap_or(true)
    };
    let computed = |expr: &Expr| !is_event(expr) && within(expr);
    let shown = |column: &Column| column.name != EVENT && agree::is_own(plan, column, EVENT);
    let is_computed = any_node(plan, |node| match node {
        LogicalPlan::Projection(projection) => projection
            .expr
            .iter()
            .any(|expr| !is_windowed(expr) && computed(expr)),
        LogicalPlan::Filter(filter) => split_conjunction(&filter.predicate)
            .into_iter()
            .any(|part| !equates_event(part) && !is_about_null(part) && within(part)),
        _ => false,
    });
    is_computed || plan.schema().columns().iter().any(shown)
}

/// Whether there is an event, as after an outer join.
fn is_about_null(expr: &Expr) -> bool {
    matches!(expr, Expr::IsNull(inner) | Expr::IsNotNull(inner) if is_event(inner))
}

/// A window names the event to keep to it.
fn is_windowed(expr: &Expr) -> bool {
    expr.exists(|part| Ok(matches!(part, Expr::WindowFunction(_))))
        .unwrap_or(true)
}

fn keeps_null_lists(plan: &LogicalPlan) -> bool {
    any_node(plan, |node| {
        matches!(node, LogicalPlan::Unnest(unnest)
            if unnest.options.preserve_nulls() && !unnest.list_type_columns.is_empty())
    })
}

fn may_give_several_rows(plan: &LogicalPlan) -> bool {
    any_node(plan, |node| match node {
        LogicalPlan::Unnest(unnest) => !unnest.list_type_columns.is_empty(),
        LogicalPlan::Union(_) | LogicalPlan::Join(_) => true,
        _ => false,
    })
}

/// Whether it is true of some part of the plan.
fn any_node(plan: &LogicalPlan, mut is: impl FnMut(&LogicalPlan) -> bool) -> bool {
    let mut found = false;
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        found |= is(node);
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
