//! Names and folders.

use insta::assert_snapshot;

use super::told;

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
