//! What is allowed and most likely not meant.

use insta::assert_snapshot;

use super::{PEDIDOS, told};

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
    hint: keep to one event: group, partition or join by `_event`
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
    hint: keep to one event: group, partition or join by `_event`
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

#[tokio::test]
async fn model_that_joins_other_events() {
    let of_e = async |by: &str| {
        let select = "SELECT e.id, f.total, e.quando, e._event AS _event";
        told_of_model(&format!(
            "{select} FROM events AS e JOIN events AS f ON {by}"
        ))
        .await
    };
    assert_snapshot!(of_e("e.id = f.id").await, @r"
    warning: models/pedidos.sql:1:1: a join sees only the events that happen to share a batch
    hint: keep to one event: group, partition or join by `_event`
    ");
    assert_eq!(of_e("e._event = f._event AND f.total > 0").await, "");
    let crossed =
        "SELECT e.id, f.total, e.quando, e._event AS _event FROM events AS e, events AS f";
    assert_snapshot!(told_of_model(crossed).await, @r"
    warning: models/pedidos.sql:1:1: a join sees only the events that happen to share a batch
    hint: keep to one event: group, partition or join by `_event`
    ");
    let by_condition = format!("{crossed} WHERE e._event = f._event");
    assert_eq!(told_of_model(&by_condition).await, "");
    let subquery =
        "SELECT id, total, quando FROM events WHERE id IN (SELECT id FROM events WHERE total > 9)";
    assert_snapshot!(told_of_model(subquery).await, @r"
    warning: models/pedidos.sql:1:1: a subquery sees only the events that happen to share a batch
    hint: keep to one event: group, partition or join by `_event`
    ");
}

#[tokio::test]
async fn model_that_takes_the_event_for_a_value() {
    let mut all = String::new();
    for sql in [
        "SELECT id, _event + 1 AS linha, quando FROM events",
        "SELECT id, _event AS linha, quando FROM events",
        "SELECT id, linha, quando FROM (SELECT *, _event AS linha FROM events)",
        "SELECT id, total, quando FROM events WHERE _event % 2 = 0",
    ] {
        all += &told_of_model(sql).await;
    }
    assert_snapshot!(all, @r"
    warning: models/pedidos.sql:1:1: `_event` is used as a value: it is the event's number in its batch, and another batch has another
    hint: use it to keep to one event only; what tells an event from others is `_source_file` and `_source_position`
    warning: models/pedidos.sql:1:1: `_event` is used as a value: it is the event's number in its batch, and another batch has another
    hint: use it to keep to one event only; what tells an event from others is `_source_file` and `_source_position`
    warning: models/pedidos.sql:1:1: `_event` is used as a value: it is the event's number in its batch, and another batch has another
    hint: use it to keep to one event only; what tells an event from others is `_source_file` and `_source_position`
    warning: models/pedidos.sql:1:1: `_event` is used as a value: it is the event's number in its batch, and another batch has another
    hint: use it to keep to one event only; what tells an event from others is `_source_file` and `_source_position`
    ");
    let counted = "SELECT id, count(*) OVER (PARTITION BY _event) AS n, quando FROM events";
    assert_eq!(told_of_model(counted).await, "");
}

#[tokio::test]
async fn head_whose_events_have_several_keys() {
    let changes = [
        ("pipeline.toml", "key = [\"id\"]", "key = [\"produto\"]"),
        (
            "models/pedidos.sql",
            PEDIDOS,
            "SELECT item['produto'] AS produto, quando
             FROM (SELECT *, unnest(itens) AS item FROM events) WHERE item['produto'] <> ''",
        ),
        ("models/itens.sql", "  id,", ""),
        (
            "models/itens.sql",
            "FROM events)",
            "FROM events) WHERE item['produto'] <> ''",
        ),
    ];
    assert_snapshot!(told(&changes).await, @r"
    warning: models/pedidos.sql:1:1: the model of table `pedidos` may give an event rows of several keys, and table `itens` hangs on it
    hint: a child's rows come with the event as a whole: they are right only where all keys of an event stand or fall together
    ");
}

async fn told_of_model(sql: &str) -> String {
    told(&[("models/pedidos.sql", PEDIDOS, sql)]).await
}
