//! The schema.

use insta::assert_snapshot;

use super::told;

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
