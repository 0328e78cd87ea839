//! Rules on data.

use insta::assert_snapshot;

use super::{told, told_of_rule};

#[tokio::test]
async fn rule_with_an_unknown_column() {
    let rule = "name = \"positivo\"\ncondition = \"preso >= 0\"";
    assert_snapshot!(told_of_rule(rule).await, @r"
    error: pipeline.toml:20:13: there is no column `preso`
    hint: the model gives id, produto, preco
    ");
}

#[tokio::test]
async fn rule_with_an_unknown_action() {
    let rule = "name = \"positivo\"\ncondition = \"preco >= 0\"\naction = \"dropp\"";
    assert_snapshot!(told_of_rule(rule).await, @r"
    error: pipeline.toml:21:10: unknown variant `dropp`, expected one of `warn`, `drop`, `quarantine`, `stop`
    hint: did you mean `drop`?
    ");
}

#[tokio::test]
async fn rule_with_an_unknown_key() {
    let rule = "name = \"positivo\"\nexpect = \"preco >= 0\"";
    assert_snapshot!(told_of_rule(rule).await, @r"
    error: pipeline.toml:18:1: missing field `condition`
    error: pipeline.toml:20:1: unknown field `expect`, expected one of `name`, `condition`, `action`
    ");
}

#[tokio::test]
async fn rule_with_a_syntax_error() {
    let rule = "name = \"positivo\"\ncondition = \"preco >=\"";
    assert_snapshot!(told_of_rule(rule).await, @r"
    error: pipeline.toml:20:13: expected: an expression, found: EOF
    hint: the model gives id, produto, preco
    ");
}

#[tokio::test]
async fn rule_that_is_neither_true_nor_false() {
    let rule = "name = \"positivo\"\ncondition = \"preco + 1\"";
    assert_snapshot!(told_of_rule(rule).await, @r"
    error: pipeline.toml:20:13: the condition is DECIMAL(23,2), neither true nor false
    hint: write a comparison, for instance `price >= 0`
    ");
}

#[tokio::test]
async fn rule_whose_types_do_not_fit() {
    let rule = "name = \"positivo\"\ncondition = \"preco >= make_date(2024, 1, 1)\"";
    assert_snapshot!(told_of_rule(rule).await, @r"
    error: pipeline.toml:20:13: expressions have incompatible types
    hint: the model gives id, produto, preco
    ");
}

#[tokio::test]
async fn rule_that_looks_beyond_its_row() {
    let rule = "name = \"positivo\"\ncondition = \"preco >= avg(preco)\"\n\n[[table.rule]]\nname = \"sorte\"\ncondition = \"random() < 0.5\"";
    assert_snapshot!(told_of_rule(rule).await, @r"
    error: pipeline.toml:20:13: the condition looks beyond its row
    hint: no aggregates, windows, subqueries, nor functions that answer anew each time
    error: pipeline.toml:24:13: the condition looks beyond its row
    hint: no aggregates, windows, subqueries, nor functions that answer anew each time
    ");
}

#[tokio::test]
async fn rule_that_depends_on_more_than_its_row() {
    let rule = |condition: &str| format!("name = \"positivo\"\ncondition = \"{condition}\"");
    assert_snapshot!(told_of_rule(&rule("now() > make_date(2024, 1, 1)")).await, @r"
    error: pipeline.toml:20:13: the condition looks beyond its row
    hint: no aggregates, windows, subqueries, nor functions that answer anew each time
    ");
    assert_snapshot!(told_of_rule(&rule("_event > 0")).await, @r"
    error: pipeline.toml:20:13: there is no column `_event`
    hint: the model gives id, produto, preco
    ");
    let gives = ("models/itens.sql", "preco\n", "preco, _processed_at\n");
    let head = "head = \"pedidos\"";
    let with_rule = format!(
        "{head}\n\n[[table.rule]]\n{}",
        rule("_processed_at IS NULL")
    );
    assert_snapshot!(told(&[gives, ("pipeline.toml", head, &with_rule)]).await, @r"
    error: pipeline.toml:20:13: there is no column `_processed_at`
    hint: the model gives id, produto, preco
    ");
}

#[tokio::test]
async fn rule_with_functions_that_are_only_short_for_others() {
    for condition in [
        "coalesce(preco, 0) >= 0",
        "nvl(preco, 0) >= 0",
        "nvl2(preco, preco, 0) >= 0",
        "arrow_cast(preco, 'Int64') >= 0",
        "nullif(produto, '') IS NOT NULL",
        "greatest(preco, 0) = preco",
        "CASE WHEN preco > 0 THEN produto <> '' ELSE true END",
    ] {
        let rule = format!("name = \"positivo\"\ncondition = \"{condition}\"");
        assert_eq!(told_of_rule(&rule).await, "", "{condition}");
    }
}

#[tokio::test]
async fn rules_without_a_name_of_their_own() {
    let rule = "name = \"um dois\"\ncondition = \"preco > 0\"\n\n[[table.rule]]\nname = \"a\"\ncondition = \"\"\n\n[[table.rule]]\nname = \"b\"\ncondition = \"preco > 1\"\n\n[[table.rule]]\nname = \"b\"\ncondition = \"preco > 2\"";
    assert_snapshot!(told_of_rule(rule).await, @r"
    error: pipeline.toml:19:8: `um dois` cannot be a name
    hint: letters, digits, `_` and `-`, beginning with a letter or digit
    error: pipeline.toml:24:13: the condition is empty
    error: pipeline.toml:31:8: there are two rules `b`
    ");
}
