//! The file `pipeline.toml`: what is no TOML, no key, or no value of one.

use insta::assert_snapshot;

use super::told;

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
    error: pipeline.toml:4:1: unknown field `pth`, expected one of `path`, `paths`, `min_age_seconds`, `max_age_hours`, `after`, `archive`, `notifications`
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
