//! Schema files: what is understood, and what a wrong one is told.

use arrow::datatypes::{DataType as ArrowType, TimeUnit};

use super::{DataType, EventSchema, Field, SchemaProblem};

fn parse(sql: &str) -> EventSchema {
    EventSchema::parse(sql, "schema.sql").unwrap_or_else(|error| panic!("{error}"))
}

/// The error's text with its hint, as a person would see both.
fn error(sql: &str) -> String {
    let error = EventSchema::parse(sql, "schema.sql").expect_err(sql);
    match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

#[test]
fn schema_with_everything_is_understood() {
    let schema = parse(
        "-- an event
        create table IF NOT EXISTS event ( /* keys */
          id STRING NOT NULL CHECK (id <> '') COMMENT 'it''s the key',
          `odd name` string CHECK (`odd name` != ''),
          i INTEGER, l LONG, n NUMERIC(10), d DEC(38,38), x decimal, b BOOLEAN, f DOUBLE,
          day DATE, at TIMESTAMP COMMENT 'when' NOT NULL,
          list ARRAY<STRUCT<a: BIGINT NOT NULL, b INT COMMENT 'c', c: ARRAY<ARRAY<STRING>>>>
        );",
    );
    let decimal = |precision, scale| DataType::Decimal { precision, scale };
    let expected = [
        Field::new("id", DataType::String).required().not_empty(),
        Field::new("odd name", DataType::String).not_empty(),
        Field::new("i", DataType::Int),
        Field::new("l", DataType::BigInt),
        Field::new("n", decimal(10, 0)),
        Field::new("d", decimal(38, 38)),
        Field::new("x", decimal(10, 0)),
        Field::new("b", DataType::Boolean),
        Field::new("f", DataType::Double),
        Field::new("day", DataType::Date),
        Field::new("at", DataType::Timestamp).required(),
        Field::new(
            "list",
            DataType::Array(Box::new(DataType::Struct(vec![
                Field::new("a", DataType::BigInt).required(),
                Field::new("b", DataType::Int),
                Field::new(
                    "c",
                    DataType::Array(Box::new(DataType::Array(Box::new(DataType::String)))),
                ),
            ]))),
        ),
    ];
    assert_eq!(schema.name(), "event");
    assert_eq!(schema.fields(), expected);
}

#[test]
fn type_displayed_and_parsed_again_is_the_same() {
    let sql = "CREATE TABLE e (v ARRAY<STRUCT<a: DECIMAL(18,2), b: STRUCT<c: TIMESTAMP>>>)";
    let schema = parse(sql);
    let shown = schema.fields()[0].data_type.to_string();
    assert_eq!(parse(&format!("CREATE TABLE e (v {shown})")), schema);
}

#[test]
fn unknown_type_is_told_the_nearest_known_one() {
    insta::assert_snapshot!(error("CREATE TABLE e (\n  a STRNG\n)"), @r"
    schema.sql:2:5: unknown type `STRNG`
    hint: the nearest known type is `STRING`
    ");
    insta::assert_snapshot!(error("CREATE TABLE e (é ARRAY<STRUCT<b: BIGNIT>>)"), @r"
    schema.sql:1:35: unknown type `BIGNIT`
    hint: the nearest known type is `BIGINT`
    ");
    insta::assert_snapshot!(error("CREATE TABLE e (a QZX)"), @r"
    schema.sql:1:19: unknown type `QZX`
    hint: known types are STRING, BOOLEAN, INT, INTEGER, BIGINT, LONG, DOUBLE, DATE, TIMESTAMP, DECIMAL, DEC, NUMERIC, ARRAY, STRUCT
    ");
}

#[test]
fn unsupported_check_is_told_the_supported_one() {
    for check in [
        "a > 0",
        "a <> 'x'",
        "b <> ''",
        "a = ''",
        "length(a) > 0",
        "a <> '' AND 1",
        "'' <> a",
        "a IS NOT NULL",
    ] {
        let text = error(&format!("CREATE TABLE e (a STRING CHECK ({check}))"));
        assert_eq!(
            text,
            "schema.sql:1:26: this CHECK on `a` is not supported\n\
             hint: the only check understood is `CHECK (a <> '')`",
            "{check}"
        );
    }
    insta::assert_snapshot!(error("CREATE TABLE e (a INT CHECK (a <> ''))"), @r"
    schema.sql:1:23: `a` is INT, and only a STRING can be empty
    hint: use NOT NULL instead
    ");
}

#[test]
fn name_that_cannot_be_a_column_is_refused_where_it_stands() {
    insta::assert_snapshot!(error("CREATE TABLE e (a INT,\n  A STRING)"), @r"
    schema.sql:2:3: `A` is declared twice
    hint: tables do not tell upper from lower case in column names
    ");
    insta::assert_snapshot!(error("CREATE TABLE e (a INT, _source_file STRING)"), @r"
    schema.sql:1:24: `_source_file` is reserved: columns whose name starts with `_` are made by the relation
    hint: choose a name that starts with a letter
    ");
    insta::assert_snapshot!(error("CREATE TABLE e (`a\"b` INT)"), @r#"
    schema.sql:1:17: "a\"b" cannot be a name
    hint: a name is not empty and has no quotes, backslashes or control characters
    "#);
    insta::assert_snapshot!(error("CREATE TABLE e (s STRUCT<x: INT, x: INT>)"), @r"
    schema.sql:1:34: `x` is declared twice
    hint: tables do not tell upper from lower case in column names
    ");
    assert_eq!(
        parse("CREATE TABLE e (s STRUCT<_id: INT>)").fields().len(),
        1
    );
}

#[test]
fn decimal_out_of_bounds_is_refused() {
    for decimal in [
        "DECIMAL(0,0)",
        "DECIMAL(39,2)",
        "DECIMAL(5,6)",
        "DECIMAL(300,2)",
    ] {
        let text = error(&format!("CREATE TABLE e (a {decimal})"));
        assert!(text.starts_with(&format!(
            "schema.sql:1:19: {decimal} is out of bounds\nhint: "
        )));
    }
}

#[test]
fn text_that_is_no_schema_is_told_what_is_expected() {
    insta::assert_snapshot!(error(""), @"schema.sql:1:1: expected `CREATE TABLE`, found the end of the file");
    insta::assert_snapshot!(error("SELECT 1"), @"schema.sql:1:1: expected `CREATE TABLE`, found `SELECT`");
    insta::assert_snapshot!(error("CREATE TABLE e ()"), @"schema.sql:1:17: the table has no fields");
    insta::assert_snapshot!(error("CREATE TABLE e (a STRUCT<>)"), @"schema.sql:1:19: a STRUCT has no fields");
    insta::assert_snapshot!(error("CREATE TABLE e (a INT b INT)"), @"schema.sql:1:23: expected `,` or `)`, found `b`");
    insta::assert_snapshot!(error("CREATE TABLE e (a INT) USING delta"), @"schema.sql:1:24: expected the end of the statement, found `USING`");
    insta::assert_snapshot!(error("CREATE TABLE e (a ARRAY<INT)"), @"schema.sql:1:28: expected `>`, found `)`");
    insta::assert_snapshot!(error("CREATE TABLE e (a INT COMMENT 'x"), @"schema.sql:1:31: a quote is never closed");
    insta::assert_snapshot!(error("CREATE TABLE e (a INT /* x"), @"schema.sql:1:23: a comment is never closed");
    insta::assert_snapshot!(error("CREATE TABLE e (a INT NOT"), @"schema.sql:1:26: expected `NULL`, found the end of the file");
}

#[test]
fn types_nested_beyond_reason_are_refused() {
    let nested = |depth: usize| {
        format!(
            "CREATE TABLE e (a {}INT{})",
            "ARRAY<".repeat(depth),
            ">".repeat(depth)
        )
    };
    assert_eq!(parse(&nested(63)).fields().len(), 1);
    assert!(error(&nested(64)).contains("nested more than 64 deep"));
    assert!(error(&nested(100_000)).contains("nested more than 64 deep"));
}

#[test]
fn fields_made_in_rust_obey_the_same_rules() {
    let problem = |fields| EventSchema::new("e", fields).unwrap_err();
    assert_eq!(problem(vec![]), SchemaProblem::Empty { what: "the table" });
    let decimal = DataType::Decimal {
        precision: 39,
        scale: 0,
    };
    assert_eq!(
        problem(vec![Field::new("a", DataType::Array(Box::new(decimal)))]),
        SchemaProblem::DecimalBounds {
            precision: 39,
            scale: 0
        }
    );
    assert!(matches!(
        problem(vec![Field::new("a", DataType::Int).not_empty()]),
        SchemaProblem::NotEmptyOnNonString { .. }
    ));
    assert!(matches!(
        problem(vec![Field::new("_a", DataType::Int)]),
        SchemaProblem::ReservedName { .. }
    ));
    assert_eq!(
        problem(vec![Field::new("a", DataType::Struct(vec![]))]),
        SchemaProblem::Empty { what: "a STRUCT" }
    );
}

#[test]
fn relation_has_the_declared_fields_and_then_its_own() {
    let schema = parse(
        "CREATE TABLE e (id STRING NOT NULL, l ARRAY<STRUCT<d: DECIMAL(18,2) NOT NULL>>, b BOOLEAN,
         i INT, n BIGINT, f DOUBLE, day DATE, at TIMESTAMP)",
    )
    .arrow_schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(
        names,
        [
            "id",
            "l",
            "b",
            "i",
            "n",
            "f",
            "day",
            "at",
            "_rescued_data",
            "_source_file",
            "_source_modified",
            "_source_position"
        ]
    );
    let nullable: Vec<bool> = schema
        .fields()
        .iter()
        .map(|field| field.is_nullable())
        .collect();
    assert_eq!(nullable[..9], [true; 9]);
    assert_eq!(nullable[9..], [false; 3]);
    let ArrowType::List(element) = schema.field(1).data_type() else {
        panic!("no list")
    };
    assert_eq!(
        (element.name().as_str(), element.is_nullable()),
        ("element", true)
    );
    let ArrowType::Struct(fields) = element.data_type() else {
        panic!("no struct")
    };
    assert_eq!(fields[0].data_type(), &ArrowType::Decimal128(18, 2));
    assert!(fields[0].is_nullable());
    let utc = ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(schema.field(7).data_type(), &utc);
    assert_eq!(schema.field(10).data_type(), &utc);
    assert_eq!(schema.field(11).data_type(), &ArrowType::Int64);
}
