//! What is allowed and most likely not meant.

use insta::assert_snapshot;

use super::told;

#[tokio::test]
async fn key_that_can_be_null() {
    let changes = [
        ("pipeline.toml", "key = [\"id\"]", "key = [\"cliente\"]"),
        ("models/itens.sql", "  id,", "  cliente,"),
    ];
    assert_snapshot!(told(&changes).await, @r"
    warning: models/pedidos.sql:1:1: key column `cliente` of table `pedidos` can be null: events without it give no row
    hint: declare the field NOT NULL (such events go to the quarantine), or leave them out on purpose: `WHERE cliente IS NOT NULL`, with the expression that gives `cliente`
    warning: models/itens.sql:1:1: key column `cliente` of table `itens` can be null: a row without its head's key stops the job
    hint: select the column as its head's model does, or leave them out on purpose: `WHERE cliente IS NOT NULL`, with the expression that gives `cliente`
    ");
}

#[tokio::test]
async fn key_whose_nulls_are_left_out_is_no_doubt() {
    let changes = [
        ("pipeline.toml", "key = [\"id\"]", "key = [\"cliente\"]"),
        (
            "models/pedidos.sql",
            "FROM events",
            "FROM events\nWHERE cliente <> '' AND total > 0",
        ),
        (
            "models/itens.sql",
            "  id,",
            "  coalesce(cliente, '') AS cliente,",
        ),
    ];
    assert_snapshot!(told(&changes).await, @"");
}

#[tokio::test]
async fn model_that_asks_the_clock() {
    let changes = [("models/pedidos.sql", "total,", "now() AS total,")];
    assert_snapshot!(told(&changes).await, @r"
    warning: models/pedidos.sql:1:1: `now` gives another answer each time: a batch that runs again makes other rows
    hint: for the time of processing select `_processed_at`; for anything else take it from the event
    ");
}

#[tokio::test]
async fn model_that_rolls_dice() {
    let changes = [("models/pedidos.sql", "total,", "random() AS total,")];
    assert_snapshot!(told(&changes).await, @r"
    warning: models/pedidos.sql:1:1: `random` gives another answer each time: a batch that runs again makes other rows
    hint: for the time of processing select `_processed_at`; for anything else take it from the event
    ");
}

#[tokio::test]
async fn model_that_takes_some_rows() {
    let changes = [("models/pedidos.sql", "FROM events", "FROM events LIMIT 10")];
    assert_snapshot!(told(&changes).await, @r"
    warning: models/pedidos.sql:1:1: a LIMIT sees only the events that happen to share a batch
    hint: keep to one event: group or partition by `_event`
    ");
}

#[tokio::test]
async fn model_that_looks_at_other_events() {
    let changes = [(
        "models/pedidos.sql",
        "total,",
        "row_number() OVER (PARTITION BY id ORDER BY quando) AS total,",
    )];
    assert_snapshot!(told(&changes).await, @r"
    warning: models/pedidos.sql:1:1: a window sees only the events that happen to share a batch
    hint: keep to one event: group or partition by `_event`
    ");
}

#[tokio::test]
async fn model_that_no_table_uses() {
    let changes = [("models/velho.sql", "", "SELECT 1")];
    assert_snapshot!(told(&changes).await, @r"
    warning: models/velho.sql:1:1: no table uses this model
    hint: add a `[[table]]` to `pipeline.toml`, or delete the file
    ");
}

#[tokio::test]
async fn no_retention() {
    let changes = [(
        "pipeline.toml",
        "[event]",
        "[maintenance]\nretention_hours = 0\n\n[event]",
    )];
    assert_snapshot!(told(&changes).await, @r"
    warning: pipeline.toml:7:19: without a retention, whoever reads a version that was just replaced may lose its files
    hint: an hour is enough where clocks agree
    ");
}
