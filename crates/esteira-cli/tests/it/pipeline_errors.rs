//! What a user is told whose pipeline's folder is wrong: file, line, column, and the way out.

use insta::assert_snapshot;

use crate::place::Place;

/// What is said to a copy of the built-in pipeline with one change in one file.
fn with(file: &str, from: &str, to: &str) -> String {
    let place = Place::new();
    place.pipeline("loja", file, |text| text.replacen(from, to, 1));
    let bucket = place.folder_bucket("balde");
    let failure = place.failure(&["run", "loja", "--once", "--bucket", &bucket]);
    assert_eq!(
        std::fs::read_dir(place.path("balde")).unwrap().count(),
        0,
        "a wrong pipeline leaves nothing in the bucket"
    );
    failure
}

#[test]
fn pipeline_that_is_not_there_names_those_that_are() {
    assert_snapshot!(Place::new().failure(&["run", "nada", "--once"]), @r"
    exit 3
    error: pipeline `nada` was not found
    hint: name a folder with a `pipeline.toml`, or one that is built in: marketing_place, product_reviews
    ");
}

#[test]
fn unknown_key_gets_its_line_and_the_nearest_key() {
    assert_snapshot!(with("pipeline.toml", "[source]", "[sorce]"), @r"
    exit 3
    error: loja/pipeline.toml:4:2: unknown field `sorce`, expected one of `name`, `source`, `output`, `event`, `limits`, `maintenance`, `table`
    hint: did you mean `source`?
    ");
    assert_snapshot!(with("pipeline.toml", "version = ", "verson = "), @r"
    exit 3
    error: loja/pipeline.toml:12:1: unknown field `verson`, expected `schema` or `version`
    hint: did you mean `version`?
    ");
}

#[test]
fn toml_syntax_error_gets_its_line() {
    assert_snapshot!(with("pipeline.toml", "[source]", "[source"), @r"
    exit 3
    error: loja/pipeline.toml:4:8: unclosed table, expected `]`
    ");
    assert_snapshot!(with("pipeline.toml", r#"input/*.json""#, "input/*.json"), @r#"
    exit 3
    error: loja/pipeline.toml:6:21: invalid basic string, expected `"`
    "#);
}

#[test]
fn missing_key_is_named() {
    assert_snapshot!(with("pipeline.toml", r#"name = "marketing_place""#, ""), @r"
    exit 3
    error: loja/pipeline.toml:1:1: missing field `name`
    ");
}

#[test]
fn unknown_type_gets_its_line_and_the_nearest_type() {
    assert_snapshot!(with("schema.sql", "cod_idef_clie          STRING", "cod_idef_clie          STRNG"), @r"
    exit 3
    error: loja/schema.sql:5:26: unknown type `STRNG`
    hint: the nearest known type is `STRING`
    ");
}

#[test]
fn version_that_is_no_required_timestamp_is_refused() {
    assert_snapshot!(with("pipeline.toml", r#""dat_atui""#, r#""dat_hor_tran""#), @r"
    exit 3
    error: loja/pipeline.toml:12:11: `dat_hor_tran` cannot be the version: it has to be a TIMESTAMP NOT NULL
    hint: possible are `dat_atui`
    ");
    assert_snapshot!(with("pipeline.toml", r#""dat_atui""#, r#""stat_pedi""#), @r"
    exit 3
    error: loja/pipeline.toml:12:11: `stat_pedi` cannot be the version: it has to be a TIMESTAMP NOT NULL
    hint: possible are `dat_atui`
    ");
    assert_snapshot!(with("pipeline.toml", r#""dat_atui""#, r#""dat_nada""#), @r"
    exit 3
    error: loja/pipeline.toml:12:11: `dat_nada` cannot be the version: the event has no such field
    hint: did you mean `dat_atui`?
    ");
}

#[test]
fn model_with_a_syntax_error_gets_its_line_and_column() {
    assert_snapshot!(with("models/orders.sql", "stat_pedi,", "stat_pedi +,"), @r"
    exit 3
    error: loja/models/orders.sql:6:14: Expected: an expression, found: ,
    hint: a model is one SELECT over `events`
    ");
}

#[test]
fn model_with_an_unknown_column_gets_the_columns_there_are() {
    assert_snapshot!(with("models/orders.sql", "stat_pedi,", "stat_pediu,"), @r"
    exit 3
    error: loja/models/orders.sql:6:3: there is no column `stat_pediu`
    hint: did you mean `stat_pedi`? the columns are txt_detl_idt_pedi_pgto, cod_idef_clie, dat_hor_tran, stat_pgto, stat_pedi, dat_atui, list_item_pedi, list_envo, _rescued_data, _source_file, _source_modified, _source_position, _processed_at
    ");
}

#[test]
fn model_without_the_key_or_the_version_is_refused() {
    assert_snapshot!(with("models/orders.sql", "txt_detl_idt_pedi_pgto,", "txt_detl_idt_pedi_pgto AS id,"), @r"
    exit 3
    error: loja/models/orders.sql:1:1: the model of table `orders` does not give column `txt_detl_idt_pedi_pgto`
    hint: select `txt_detl_idt_pedi_pgto`: it is part of the key or the version
    ");
    assert_snapshot!(with("models/orders.sql", "dat_atui,", ""), @r"
    exit 3
    error: loja/models/orders.sql:1:1: the model of table `orders` does not give column `dat_atui`
    hint: select `dat_atui`: it is part of the key or the version
    ");
    assert_snapshot!(with("models/products.sql", "txt_detl_idt_pedi_pgto,", ""), @r"
    exit 3
    error: loja/models/products.sql:1:1: the model of table `products` does not give column `txt_detl_idt_pedi_pgto`
    hint: select `txt_detl_idt_pedi_pgto`: it is part of the key or the version
    ");
}

#[test]
fn model_that_loses_the_event_says_how_to_pass_it_on() {
    assert_snapshot!(with("models/products.sql", "SELECT *, unnest", "SELECT txt_detl_idt_pedi_pgto, dat_atui, unnest"), @r"
    exit 3
    error: loja/models/products.sql:1:1: an inner query loses the event
    hint: an inner query has to pass on `_event`: select it, or `*`
    ");
}

#[test]
fn head_that_does_not_exist_is_named_where_it_stands() {
    assert_snapshot!(with("pipeline.toml", r#"head = "orders""#, r#"head = "order""#), @r"
    exit 3
    error: loja/pipeline.toml:22:8: table `products`: its head `order` is no table with a `key`
    hint: tables with a `key` are `orders`, `sellers`
    ");
}

#[test]
fn table_without_key_and_head_is_named() {
    assert_snapshot!(with("pipeline.toml", r#"key = ["txt_detl_idt_pedi_pgto"]"#, ""), @r"
    exit 3
    error: loja/pipeline.toml:15:8: table `orders` needs either a `key` or a `head`
    hint: `key`: one row a key; `head`: all rows of its head's event
    ");
}

#[test]
fn file_that_is_missing_is_named() {
    assert_snapshot!(with("pipeline.toml", r#"schema = "schema.sql""#, r#"schema = "esquema.sql""#), @r"
    exit 3
    error: `loja/esquema.sql` cannot be read: No such file or directory (os error <n>)
    ");
}

#[test]
fn path_that_is_no_glob_is_quoted() {
    assert_snapshot!(with("pipeline.toml", "input/*.json", "input/[a"), @r"
    exit 3
    error: loja/pipeline.toml:6:8: path `input/[a`: a `[` is not closed
    ");
}

#[test]
fn input_that_the_pipeline_writes_itself_is_refused() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    let input = ["run", "--once", "--bucket", &bucket, "--input"];
    let failure = place.failure(&[&input[..], &["raw/marketing_place/**"]].concat());
    assert_snapshot!(failure, @r"
    exit 3
    error: the input is in `raw/marketing_place`, where the originals are written: nothing of it is taken
    hint: what a pipeline writes is never its input: name another folder
    ");
}
