//! What the author of a pipeline is told of everything that is wrong with it, before anything runs.
//!
//! Each test changes a small pipeline that is right in one or a few places. What is shown is every
//! problem that `check` tells, in its order.

use std::fmt::Write as _;

use esteira::{Pipeline, Severity};
use insta::assert_snapshot;
use tempfile::TempDir;

const PIPELINE: &str = r#"name = "loja"

[source]
path = "input/*.json"

[event]
schema = "schema.sql"
version = "quando"

[[table]]
name = "pedidos"
key = ["id"]

[[table]]
name = "itens"
head = "pedidos"
"#;

const SCHEMA: &str = "CREATE TABLE loja (
  id STRING NOT NULL CHECK (id <> ''),
  quando TIMESTAMP NOT NULL,
  cliente STRING,
  total DECIMAL(18,2),
  itens ARRAY<STRUCT<produto: STRING, preco: DECIMAL(18,2)>>
)
";

const PEDIDOS: &str = "SELECT
  id,
  cliente,
  total,
  quando
FROM events
";

const ITENS: &str = "SELECT
  id,
  item['produto'] AS produto,
  item['preco'] AS preco
FROM (SELECT *, unnest(itens) AS item FROM events)
";

/// A text in a file, and what is there instead; of a file that is not there, its text.
type Change<'a> = (&'a str, &'a str, &'a str);

/// All that is said to the pipeline with these changes.
async fn told(changes: &[Change<'_>]) -> String {
    let folder = written(changes);
    let checked = Pipeline::files(folder.path().to_str().unwrap())
        .unwrap()
        .check()
        .await;
    let mut text = String::new();
    for problem in &checked.problems {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(text, "{severity}: {}", problem.error).unwrap();
        if let Some(hint) = problem.error.hint() {
            writeln!(text, "hint: {hint}").unwrap();
        }
    }
    let is_wrong = checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    assert_eq!(checked.pipeline.is_none(), is_wrong, "{text}");
    text.replace(&format!("{}/", folder.path().display()), "")
}

/// The same with a rule for the table `itens`.
async fn told_of_rule(rule: &str) -> String {
    let head = "head = \"pedidos\"";
    let with_rule = format!("{head}\n\n[[table.rule]]\n{rule}");
    told(&[("pipeline.toml", head, &with_rule)]).await
}

fn written(changes: &[Change<'_>]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("models")).unwrap();
    for (file, text) in [
        ("pipeline.toml", PIPELINE),
        ("schema.sql", SCHEMA),
        ("models/pedidos.sql", PEDIDOS),
        ("models/itens.sql", ITENS),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    for (file, from, to) in changes {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let text_now = if from.is_empty() {
            (*to).to_owned()
        } else {
            text.replacen(from, to, 1)
        };
        assert_ne!(text, text_now, "the change does not fit `{file}` any more");
        std::fs::write(path, text_now).unwrap();
    }
    folder
}

#[tokio::test]
async fn right_pipeline_is_told_nothing() {
    assert_eq!(told(&[]).await, "");
}

#[tokio::test]
async fn unknown_section() {
    let changes = [("pipeline.toml", "[source]", "[sorce]")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:3:2: unknown field `sorce`, expected one of `name`, `source`, `output`, `event`, `limits`, `maintenance`, `table`
    hint: did you mean `source`?
    ");
}

#[tokio::test]
async fn unknown_keys_in_several_sections() {
    let changes = [
        ("pipeline.toml", "path = ", "pth = "),
        ("pipeline.toml", "version = ", "verison = "),
        ("pipeline.toml", "head = ", "haed = "),
    ];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:4:1: unknown field `pth`, expected `path`
    hint: did you mean `path`?
    error: pipeline.toml:8:1: unknown field `verison`, expected `schema` or `version`
    hint: did you mean `version`?
    error: pipeline.toml:16:1: unknown field `haed`, expected one of `name`, `model`, `kind`, `key`, `head`, `delete_when`, `copy_on_write`, `rule`
    hint: did you mean `head`?
    ");
}

#[tokio::test]
async fn key_that_is_like_none() {
    let changes = [("pipeline.toml", "[event]", "[event]\nxyzw = 1")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:7:1: unknown field `xyzw`, expected `schema` or `version`
    ");
}

#[tokio::test]
async fn text_that_is_no_toml() {
    let changes = [("pipeline.toml", "\"input/*.json\"", "input/*.json")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:4:8: invalid float, expected `inf`
    ");
}

#[tokio::test]
async fn section_that_is_not_closed() {
    let changes = [("pipeline.toml", "[source]", "[source")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:3:8: unclosed table, expected `]`
    ");
}

#[tokio::test]
async fn section_given_twice() {
    let changes = [(
        "pipeline.toml",
        "[event]",
        "[source]\npath = \"x\"\n\n[event]",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:6:2: duplicate key
    error: pipeline.toml:7:1: duplicate key
    ");
}

#[tokio::test]
async fn values_of_other_types() {
    let changes = [
        ("pipeline.toml", "name = \"loja\"", "name = 3"),
        ("pipeline.toml", "key = [\"id\"]", "key = \"id\""),
        (
            "pipeline.toml",
            "head = \"pedidos\"",
            "head = \"pedidos\"\ncopy_on_write = \"yes\"",
        ),
    ];
    assert_snapshot!(told(&changes).await, @r#"
    error: pipeline.toml:1:8: invalid type: integer `3`, expected a string
    error: pipeline.toml:12:7: invalid type: string "id", expected a sequence
    error: pipeline.toml:17:17: invalid type: string "yes", expected a boolean
    "#);
}

#[tokio::test]
async fn required_keys_that_are_missing() {
    let changes = [
        ("pipeline.toml", "name = \"loja\"\n", ""),
        ("pipeline.toml", "version = \"quando\"\n", ""),
    ];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:1:1: missing field `name`
    error: pipeline.toml:5:1: missing field `version`
    ");
}

#[tokio::test]
async fn section_that_is_missing() {
    let changes = [("pipeline.toml", "[source]\npath = \"input/*.json\"\n", "")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:1:1: missing field `source`
    ");
}

#[tokio::test]
async fn pipeline_without_tables() {
    let changes = [(
        "pipeline.toml",
        "[[table]]\nname = \"pedidos\"\nkey = [\"id\"]\n\n[[table]]\nname = \"itens\"\nhead = \"pedidos\"\n",
        "",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:1:1: missing field `table`
    warning: models/itens.sql:1:1: no table uses this model
    hint: add a `[[table]]` to `pipeline.toml`, or delete the file
    warning: models/pedidos.sql:1:1: no table uses this model
    hint: add a `[[table]]` to `pipeline.toml`, or delete the file
    ");
}

#[tokio::test]
async fn limits_out_of_range() {
    let changes = [(
        "pipeline.toml",
        "[event]",
        "[limits]\nobjects_per_batch = 0\nmebibytes_per_batch = 99999\nrequests_at_once = -1\npoll_milliseconds = 0\n\n[maintenance]\ntarget_mebibytes = 0\n\n[event]",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:7:21: `objects_per_batch` cannot be 0
    hint: from 1 to 1000000
    error: pipeline.toml:8:23: `mebibytes_per_batch` cannot be 99999
    hint: from 1 to 16384
    error: pipeline.toml:9:20: invalid value: integer `-1`, expected usize
    error: pipeline.toml:10:21: `poll_milliseconds` cannot be 0
    hint: from 1 to 86400000
    error: pipeline.toml:13:20: `target_mebibytes` cannot be 0
    hint: from 1 to 1024
    ");
}

#[tokio::test]
async fn name_that_is_no_folder() {
    let changes = [("pipeline.toml", "name = \"loja\"", "name = \"lo/ja\"")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:1:8: `lo/ja` cannot be a name
    hint: letters, digits, `_`, `-` and `.`, beginning with a letter or digit
    ");
}

#[tokio::test]
async fn name_that_is_empty() {
    let changes = [("pipeline.toml", "name = \"loja\"", "name = \"\"")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:1:8: the name is empty
    hint: letters, digits, `_`, `-` and `.`, beginning with a letter or digit
    ");
}

#[tokio::test]
async fn table_name_that_no_question_can_use() {
    let changes = [(
        "pipeline.toml",
        "name = \"itens\"",
        "name = \"itens-vendidos\"\nmodel = \"models/itens.sql\"",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:15:8: `itens-vendidos` cannot be a name
    hint: letters, digits and `_`, beginning with a letter
    ");
}

#[tokio::test]
async fn table_name_that_is_taken() {
    let changes = [(
        "pipeline.toml",
        "name = \"itens\"",
        "name = \"quarantine\"\nmodel = \"models/itens.sql\"",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:15:8: no table can be called `quarantine`
    hint: questions find something else under quarantine, batches, raw_objects
    ");
}

#[tokio::test]
async fn two_tables_of_one_name() {
    let changes = [(
        "pipeline.toml",
        "name = \"itens\"",
        "name = \"Pedidos\"\nmodel = \"models/itens.sql\"",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:15:8: there are two tables `Pedidos`
    hint: questions do not tell upper from lower case
    ");
}

#[tokio::test]
async fn path_that_is_no_glob() {
    let changes = [("pipeline.toml", "input/*.json", "input/[a")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:4:8: path `input/[a`: a `[` is not closed
    ");
}

#[tokio::test]
async fn path_that_is_empty() {
    let changes = [("pipeline.toml", "input/*.json", "")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:4:8: `source.path` is empty
    ");
}

#[tokio::test]
async fn input_among_the_originals() {
    let changes = [("pipeline.toml", "input/*.json", "raw/loja/**")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:4:8: the input is in `raw/loja`, where the originals are written: nothing of it is taken
    hint: what a pipeline writes is never its input: name another folder
    ");
}

#[tokio::test]
async fn input_among_the_tables() {
    let changes = [("pipeline.toml", "input/*.json", "analytics/in/*.json")];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:4:8: the input is in `analytics`, where the tables are written: nothing of it is taken
    hint: what a pipeline writes is never its input: name another folder
    ");
}

#[tokio::test]
async fn originals_in_a_table() {
    let changes = [(
        "pipeline.toml",
        "[event]",
        "[output]\nraw = \"analytics/pedidos/raw\"\n\n[event]",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:7:7: the originals would be in `analytics/pedidos/raw`, table `pedidos` in `analytics/pedidos`
    hint: give each a folder of its own
    ");
}

#[tokio::test]
async fn quarantine_in_the_ledger() {
    let changes = [(
        "pipeline.toml",
        "[event]",
        "[output]\nquarantine = \"_esteira/loja/quarantine\"\n\n[event]",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:7:14: the ledger would be in `_esteira`, the quarantine in `_esteira/loja/quarantine`
    hint: give each a folder of its own
    ");
}

#[tokio::test]
async fn originals_and_quarantine_in_one_folder() {
    let changes = [(
        "pipeline.toml",
        "[event]",
        "[output]\nraw = \"tudo\"\nquarantine = \"/tudo/\"\n\n[event]",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:8:14: the quarantine would be in `tudo`, the originals in `tudo`
    hint: give each a folder of its own
    ");
}

#[tokio::test]
async fn folders_that_cannot_be() {
    let changes = [(
        "pipeline.toml",
        "[event]",
        "[output]\ntables = \"a/../b\"\nraw = \"raw/*\"\nquarantine = \"/\"\n\n[event]",
    )];
    assert_snapshot!(told(&changes).await, @r"
    error: pipeline.toml:7:10: `a/../b` cannot be a folder of the bucket: a part of it is empty, `.` or `..`
    hint: a folder such as `analytics/shop`
    error: pipeline.toml:8:7: `raw/*` cannot be a folder of the bucket: it has a wildcard, a backslash or a control character
    hint: a folder such as `analytics/shop`
    error: pipeline.toml:9:14: `/` cannot be a folder of the bucket: it is empty
    hint: a folder such as `analytics/shop`
    ");
}

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

#[tokio::test]
async fn type_that_is_unknown() {
    let changes = [("schema.sql", "cliente STRING", "cliente TEXTO")];
    assert_snapshot!(told(&changes).await, @r"
    error: schema.sql:4:11: unknown type `TEXTO`
    hint: known types are STRING, BOOLEAN, INT, INTEGER, BIGINT, LONG, DOUBLE, DATE, TIMESTAMP, DECIMAL, DEC, NUMERIC, ARRAY, STRUCT
    ");
}

#[tokio::test]
async fn column_given_twice() {
    let changes = [("schema.sql", "cliente STRING", "ID STRING")];
    assert_snapshot!(told(&changes).await, @r"
    error: schema.sql:4:3: `ID` is declared twice
    hint: tables do not tell upper from lower case in column names
    ");
}

#[tokio::test]
async fn column_with_a_reserved_name() {
    let changes = [("schema.sql", "cliente STRING", "_cliente STRING")];
    assert_snapshot!(told(&changes).await, @r"
    error: schema.sql:4:3: `_cliente` is reserved: columns whose name starts with `_` are made by the relation
    hint: choose a name that starts with a letter
    ");
}

#[tokio::test]
async fn decimal_out_of_bounds() {
    let changes = [("schema.sql", "total DECIMAL(18,2)", "total DECIMAL(40,2)")];
    assert_snapshot!(told(&changes).await, @r"
    error: schema.sql:5:9: DECIMAL(40,2) is out of bounds
    hint: the precision is 1 to 38, the scale 0 to the precision
    ");
}

#[tokio::test]
async fn check_that_cannot_be_kept() {
    let changes = [("schema.sql", "CHECK (id <> '')", "CHECK (length(id) > 3)")];
    assert_snapshot!(told(&changes).await, @r"
    error: schema.sql:2:22: this CHECK on `id` is not supported
    hint: the only check understood is `CHECK (id <> '')`
    ");
}

#[tokio::test]
async fn bracket_that_is_not_closed() {
    let changes = [("schema.sql", ">>", ">")];
    assert_snapshot!(told(&changes).await, @r"
    error: schema.sql:7:1: expected `>`, found `)`
    ");
}

#[tokio::test]
async fn schema_that_is_missing() {
    let changes = [("pipeline.toml", "schema.sql", "esquema.sql")];
    assert_snapshot!(told(&changes).await, @r"
    error: `esquema.sql` cannot be read: No such file or directory (os error 2)
    ");
}

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
