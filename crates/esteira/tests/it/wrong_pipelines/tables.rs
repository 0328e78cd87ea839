//! Heads, keys and versions.

use insta::assert_snapshot;

use super::told;

#[tokio::test]
async fn head_that_does_not_exist() {
    let changes = [("pipeline.toml", "head = \"pedidos\"", "head = \"pedido\"")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:16:8: table `itens`: its head `pedido` is no table with a `key`
    hint: tables with a `key` are `pedidos`
    ");
}

#[tokio::test]
async fn head_that_is_a_child() {
    let changes = [("pipeline.toml", "head = \"pedidos\"", "head = \"itens\"")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:16:8: table `itens`: its head `itens` is no table with a `key`
    hint: tables with a `key` are `pedidos`
    ");
}

#[tokio::test]
async fn table_with_neither_key_nor_head() {
    let changes = [("pipeline.toml", "head = \"pedidos\"\n", "")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:15:8: table `itens` needs either a `key` or a `head`
    hint: `key`: one row a key; `head`: all rows of its head's event
    ");
}

#[tokio::test]
async fn table_with_key_and_head() {
    let changes = [(
        "pipeline.toml",
        "head = \"pedidos\"",
        "head = \"pedidos\"\nkey = [\"id\"]",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:16:8: table `itens` needs either a `key` or a `head`
    hint: the key of a table with a `head` is its head's
    ");
}

#[tokio::test]
async fn key_without_columns() {
    let changes = [("pipeline.toml", "key = [\"id\"]", "key = []")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:12:7: table `pedidos` needs either a `key` or a `head`
    hint: name the columns that tell its rows apart
    ");
}

#[tokio::test]
async fn key_that_names_a_column_twice() {
    let changes = [("pipeline.toml", "key = [\"id\"]", "key = [\"id\", \"id\"]")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:12:14: table `pedidos`: its key names `id` twice
    ");
}

#[tokio::test]
async fn version_that_does_not_exist() {
    let changes = [("pipeline.toml", "\"quando\"", "\"qando\"")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:8:11: `qando` cannot be the version: the event has no such field
    hint: did you mean `quando`?
    ");
}

#[tokio::test]
async fn version_that_is_no_timestamp() {
    let changes = [("pipeline.toml", "\"quando\"", "\"cliente\"")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:8:11: `cliente` cannot be the version: it has to be a TIMESTAMP NOT NULL
    hint: possible are `quando`
    ");
}

#[tokio::test]
async fn version_that_can_be_null() {
    let changes = [(
        "schema.sql",
        "quando TIMESTAMP NOT NULL",
        "quando TIMESTAMP",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:8:11: `quando` cannot be the version: it has to be a TIMESTAMP NOT NULL
    ");
}
