//! The models, and what tables need of them.

use insta::assert_snapshot;

use super::{PEDIDOS, told};

#[tokio::test]
async fn model_that_is_missing() {
    let changes = [("pipeline.toml", "name = \"itens\"", "name = \"linhas\"")];
    assert_snapshot!(told(&changes).await, @r"
    error: `models/linhas.sql` cannot be read: No such file or directory (os error 2)
    warning: models/itens.sql:1:1: no table uses this model
    hint: add a `[[table]]` to `pipeline.toml`, or delete the file
    ");
}

#[tokio::test]
async fn model_with_a_syntax_error() {
    let changes = [("models/pedidos.sql", "cliente,", "cliente +,")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:3:12: Expected: an expression, found: ,
    hint: a model is one SELECT over `events`
    ");
}

#[tokio::test]
async fn model_with_several_unknown_columns() {
    let changes = [
        ("models/pedidos.sql", "cliente,", "clinte,"),
        ("models/pedidos.sql", "total,", "nada,"),
    ];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:3:3: there is no column `clinte`
    hint: did you mean `cliente`? the columns are id, quando, cliente, total, itens, _rescued_data, _source_file, _source_modified, _source_position, _processed_at
    error: models/pedidos.sql:4:3: there is no column `nada`
    hint: the columns are id, quando, cliente, total, itens, _rescued_data, _source_file, _source_modified, _source_position, _processed_at
    ");
}

#[tokio::test]
async fn model_with_an_unknown_column_in_an_inner_query() {
    let changes = [("models/itens.sql", "unnest(itens)", "unnest(items)")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/itens.sql:5:24: there is no column `items`
    hint: did you mean `itens`? the columns are id, quando, cliente, total, itens, _rescued_data, _source_file, _source_modified, _source_position, _processed_at
    ");
}

#[tokio::test]
async fn model_with_an_unknown_field_of_a_struct() {
    let changes = [("models/itens.sql", "item['preco']", "item['prco']")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/itens.sql:4:9: there is no field `prco` in the struct
    hint: did you mean `preco`?
    ");
}

#[tokio::test]
async fn model_with_an_unknown_function() {
    let changes = [(
        "models/pedidos.sql",
        "cliente,",
        "uper(cliente) AS cliente,",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:3:3: invalid function `uper`
    hint: possible function `upper`
    ");
}

#[tokio::test]
async fn model_with_an_unknown_relation() {
    let changes = [("models/pedidos.sql", "FROM events", "FROM eventos")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:6:6: table `eventos` not found
    hint: `events` has the columns id, quando, cliente, total, itens, _rescued_data, _source_file, _source_modified, _source_position, _processed_at
    ");
}

#[tokio::test]
async fn model_with_types_that_do_not_fit() {
    let changes = [("models/pedidos.sql", "total,", "total + quando AS total,")];
    assert_snapshot!(told(&changes).await, @r#"
    error: models/pedidos.sql:4:3: expressions have incompatible types
    hint: has type Decimal128(18, 2); has type Timestamp(µs, "UTC")
    "#);
}

#[tokio::test]
async fn model_with_capitals_that_need_quotes() {
    let changes = [("schema.sql", "cliente STRING", "Cliente STRING")];
    assert_snapshot!(told(&changes).await, @r#"
    error: models/pedidos.sql:3:3: there is no column `cliente`
    hint: names with capitals need double quotes: `"Cliente"`
    "#);
}

#[tokio::test]
async fn model_that_loses_the_key_and_the_version() {
    let changes = [
        ("models/pedidos.sql", "id,", ""),
        ("models/pedidos.sql", "quando", "total AS t2"),
    ];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:1:1: the model of table `pedidos` does not give column `id`
    hint: select `id`: it is part of the key or the version
    error: models/pedidos.sql:1:1: the model of table `pedidos` does not give column `quando`
    hint: select `quando`: it is part of the key or the version
    ");
}

#[tokio::test]
async fn model_that_changes_the_version() {
    let changes = [(
        "models/pedidos.sql",
        "quando",
        "CAST(quando AS STRING) AS quando",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:1:1: the model of table `pedidos` gives the version `quando` as STRING
    hint: select `quando` as the event has it; another form of it needs another name
    ");
}

#[tokio::test]
async fn model_that_gives_the_version_other_values() {
    let coarse = "date_trunc('day', quando) AS quando";
    let changes = [("models/pedidos.sql", "quando", coarse)];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:1:1: the model of table `pedidos` gives the version `quando` with other values
    hint: select `quando` as the event has it; another form of it needs another name
    ");
    let other = [
        ("schema.sql", "cliente STRING", "cliente TIMESTAMP"),
        ("models/pedidos.sql", "quando", "cliente AS quando"),
    ];
    assert_snapshot!(told(&other).await, @r"
    error: models/pedidos.sql:1:1: the model of table `pedidos` gives the version `quando` with other values
    hint: select `quando` as the event has it; another form of it needs another name
    ");
    let below = [(
        "models/pedidos.sql",
        "FROM events",
        "FROM (SELECT * REPLACE (quando + INTERVAL '1 day' AS quando) FROM events)",
    )];
    assert_snapshot!(told(&below).await, @r"
    error: models/pedidos.sql:1:1: the model of table `pedidos` gives the version `quando` with other values
    hint: select `quando` as the event has it; another form of it needs another name
    ");
}

#[tokio::test]
async fn version_by_way_of_other_names_is_the_same() {
    let changes = [
        ("models/pedidos.sql", "quando", "e.depois AS quando"),
        (
            "models/pedidos.sql",
            "FROM events",
            "FROM (SELECT *, quando AS depois, row_number() OVER (PARTITION BY _event) AS linha
      FROM (SELECT *, unnest(itens) FROM events WHERE total > 0)) AS e WHERE linha = 1",
        ),
    ];
    assert_eq!(told(&changes).await, "");
    let grouped = [
        ("models/pedidos.sql", "total,", "sum(total) AS total,"),
        (
            "models/pedidos.sql",
            "FROM events",
            "FROM events GROUP BY _event, id, cliente, quando",
        ),
    ];
    assert_eq!(told(&grouped).await, "");
}

#[tokio::test]
async fn key_that_says_where_a_row_came_from() {
    let mut all = String::new();
    for column in ["_source_file", "_processed_at", "_event"] {
        let key = format!("key = [\"{column}\"]");
        let child = "\n[[table]]\nname = \"itens\"\nhead = \"pedidos\"\n";
        let changes = [
            ("pipeline.toml", "key = [\"id\"]", key.as_str()),
            ("pipeline.toml", child, ""),
        ];
        let told = told(&changes).await;
        // Also that a model is left over now.
        all.extend(told.split_inclusive('\n').take(2));
    }
    assert_snapshot!(all, @r"
    error: pipeline.toml:12:7: table `pedidos`: its key cannot have `_source_file`, which the program adds
    hint: give it another name in the model: `_source_file AS …`
    error: pipeline.toml:12:7: table `pedidos`: its key cannot have `_processed_at`, which the program adds
    hint: give it another name in the model: `_processed_at AS …`
    error: pipeline.toml:12:7: table `pedidos`: its key cannot have `_event`, which the program adds
    hint: give it another name in the model: `_event AS …`
    ");
}

#[tokio::test]
async fn table_called_as_what_was_deleted() {
    let changes = [
        (
            "pipeline.toml",
            "key = [\"id\"]",
            "key = [\"id\"]\ndelete_when = \"total = 0\"",
        ),
        (
            "pipeline.toml",
            "name = \"itens\"",
            "name = \"Pedidos_Deleted\"\nmodel = \"models/itens.sql\"",
        ),
    ];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:16:8: no table can be called `Pedidos_Deleted`: it is where `pedidos` keeps what was deleted
    hint: give it another name
    ");
}

#[tokio::test]
async fn model_that_loses_the_event() {
    let changes = [("models/itens.sql", "SELECT *, unnest", "SELECT id, unnest")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/itens.sql:1:1: an inner query loses the event
    hint: an inner query has to pass on `_event`: select it, or `*`
    ");
}

#[tokio::test]
async fn model_of_several_statements() {
    let changes = [("models/pedidos.sql", "FROM events", "FROM events; SELECT 1")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:1:1: it has 2 statements
    hint: a model is one SELECT over `events`
    ");
}

#[tokio::test]
async fn model_that_is_no_select() {
    let changes = [("models/pedidos.sql", PEDIDOS, "DELETE FROM events")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:1:1: it is not a SELECT
    hint: a model is one SELECT over `events`
    ");
}

#[tokio::test]
async fn model_that_is_a_union() {
    let changes = [(
        "models/pedidos.sql",
        "FROM events",
        "FROM events\nUNION ALL\nSELECT * FROM events",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:1:1: it is not a plain SELECT
    hint: a model is one SELECT over `events`
    ");
}

#[tokio::test]
async fn model_that_aggregates_all() {
    let changes = [("models/pedidos.sql", "total,", "sum(total) AS total,")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:2:3: `events.id` must appear in GROUP BY clause because it's not an aggregate expression
    hint: either add `events.id` to GROUP BY clause, or use an aggregate function like ANY_VALUE(events.id)
    ");
}

#[tokio::test]
async fn column_without_a_name() {
    let changes = [("models/pedidos.sql", "cliente,", "upper(cliente),")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:1:1: `upper(events.cliente)` cannot be the name of a column
    hint: give it a name: `… AS name`
    ");
}

#[tokio::test]
async fn columns_of_one_name() {
    let changes = [(
        "models/pedidos.sql",
        "cliente,",
        "cliente, total AS \"Cliente\",",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:3:3: the columns `cliente` and `Cliente` have one name
    hint: tables do not tell upper from lower case in column names
    ");
}

#[tokio::test]
async fn column_of_no_type() {
    let changes = [("models/pedidos.sql", "cliente,", "NULL AS cliente,")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:3:11: column `cliente` is NULL, which no table can hold
    hint: cast it, for instance `CAST(… AS STRING)`
    ");
}

#[tokio::test]
async fn child_whose_key_has_another_type() {
    let changes = [(
        "models/itens.sql",
        "SELECT\n  id,",
        "SELECT\n  length(id) AS id,",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: models/itens.sql:1:1: key column `id` of table `itens` is INT, of its head `pedidos` STRING
    hint: select the column as its head's model does
    warning: models/itens.sql:1:1: key column `id` of table `itens` can be null: a row without its head's key stops the job
    hint: select the column as its head's model does, or leave them out on purpose: `WHERE id IS NOT NULL`, with the expression that gives `id`
    ");
}

#[tokio::test]
async fn wrong_things_in_every_file() {
    let changes = [
        (
            "pipeline.toml",
            "name = \"itens\"",
            "name = \"itens\"\nkeys = []",
        ),
        ("schema.sql", "cliente STRING", "cliente STRIN"),
        ("models/pedidos.sql", "total,", "total"),
    ];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:16:1: unknown field `keys`, expected one of `name`, `model`, `kind`, `key`, `head`, `delete_when`, `copy_on_write`, `rule`
    hint: did you mean `key`?
    error: pipeline.toml:17:8: table `itens` needs either a `key` or a `head`
    hint: the key of a table with a `head` is its head's
    error: schema.sql:4:11: unknown type `STRIN`
    hint: the nearest known type is `STRING`
    ");
}

#[tokio::test]
async fn model_with_another_event() {
    let changes = [("models/pedidos.sql", "total,", "total AS _event,")];
    assert_snapshot!(told(&changes).await, @r"
    error: models/pedidos.sql:4:12: `_event` is another column here: rows would be taken for those of other events
    hint: pass `_event` on as it is, and give the other column another name
    ");
}
