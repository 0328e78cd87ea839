//! What a user is told whose tables are somebody else's or have other columns, and whose question is
//! wrong.

use insta::assert_snapshot;

use crate::objects::{event, in_folder};
use crate::place::Place;
use crate::tables::Shop;

/// The first commit of a Delta table that another program created (Delta protocol, *Change Metadata*
/// and *Protocol Evolution*).
const FOREIGN: &str = concat!(
    r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
    "\n",
    r#"{"metaData":{"id":"4f2a2c52-6b0c-4b0e-9d3d-0c1c5a6f0b11","format":{"provider":"parquet","options":{}},"#,
    r#""schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","#,
    r#""partitionColumns":[],"configuration":{},"createdTime":1700000000000}}"#,
    "\n",
);

#[test]
fn table_of_another_program_is_left_alone() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.write(
        "balde/analytics/orders/_delta_log/00000000000000000000.json",
        FOREIGN,
    );
    place.write("balde/input/a.json", event("pedido-1"));
    assert_snapshot!(place.failure(&["run", "--once", "--bucket", &bucket]), @r"
    exit 6
    error: table `orders` at `analytics/orders` was not created by process `marketing_place`
    hint: move it away, or give the pipeline another `output` than the folder of `analytics/orders`
    ");
    let log = place.path("balde/analytics/orders/_delta_log");
    assert_eq!(std::fs::read_dir(log).unwrap().count(), 1);
    let plans = place.path("balde/_esteira/marketing_place/plans");
    assert!(!plans.exists(), "nothing was planned");
}

#[test]
fn table_of_another_process_is_left_alone() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.ask(&["run", "--once", "--bucket", &bucket]);
    place.pipeline("outra", "pipeline.toml", |text| {
        text.replace(r#"name = "marketing_place""#, r#"name = "outra""#)
    });
    assert_snapshot!(place.failure(&["run", "outra", "--once", "--bucket", &bucket]), @r"
    exit 6
    error: table `orders` at `analytics/orders` was not created by process `outra`
    hint: move it away, or give the pipeline another `output` than the folder of `analytics/orders`
    ");
}

#[test]
fn columns_that_changed_are_named() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.ask(&["run", "--once", "--bucket", &bucket]);
    place.pipeline("mais", "models/orders.sql", |text| {
        text.replace("stat_pedi,", "stat_pedi, 1 AS mais,")
    });
    assert_snapshot!(place.failure(&["run", "mais", "--once", "--bucket", &bucket]), @r"
    exit 6
    error: table `orders` has other columns than the pipeline: it has (txt_detl_idt_pedi_pgto, cod_idef_clie, dat_hor_tran, stat_pgto, stat_pedi, dat_atui, _source_file, _source_modified, _source_position, _processed_at, _rescued_data), the pipeline gives (txt_detl_idt_pedi_pgto, cod_idef_clie, dat_hor_tran, stat_pgto, stat_pedi, mais, dat_atui, _source_file, _source_modified, _source_position, _processed_at, _rescued_data)
    hint: undo the change in the pipeline, or make the tables anew from the originals, with the pipeline's columns: `esteira replay --switch`
    ");
    place.pipeline("larga", "schema.sql", |text| {
        text.replace("vlr_prod: DECIMAL(18,2)", "vlr_prod: DECIMAL(20,2)")
    });
    assert_snapshot!(place.failure(&["run", "larga", "--once", "--bucket", &bucket]), @r"
    exit 6
    error: table `products` has other columns than the pipeline: it has `vlr_prod` Decimal128(18, 2) where the pipeline has `vlr_prod` Decimal128(20, 2)
    hint: undo the change in the pipeline, or make the tables anew from the originals, with the pipeline's columns: `esteira replay --switch`
    ");
}

#[test]
fn question_that_is_wrong_fails_with_the_engines_words() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    let ask = |query: &str| place.failure(&["sql", "--bucket", &bucket, query]);
    assert_snapshot!(ask("SELECT nada FROM sellers"), @r"
    exit 7
    error: the question failed: Schema error: No field named nada.
    Valid fields are sellers.idt_venr, sellers.nom_venr, sellers.dat_atui, sellers._source_file, sellers._source_modified, sellers._source_position, sellers._processed_at.
    ");
    assert_snapshot!(ask("SELEC 1"), @r#"
    exit 7
    error: the question failed: SQL error: ParserError("Expected: an SQL statement, found: SELEC at Line: 1, Column: 1")
    "#);
    assert_snapshot!(ask("SELECT * FROM nada"), @r"
    exit 7
    error: the question failed: Error during planning: table 'datafusion.public.nada' not found
    ");
    assert_snapshot!(ask("SELECT 1/0"), @r"
    exit 7
    error: the question failed: Arrow error: Divide by zero error
    ");
}

#[test]
fn question_that_would_change_a_table_is_refused() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.write("balde/input/a.json", event("pedido-1"));
    place.ask(&["run", "--once", "--bucket", &bucket]);
    let shop = Shop {
        place: &place,
        pipeline: "marketing_place",
        bucket: &bucket,
    };
    let tables = in_folder(&place.path("balde"), "analytics");
    for query in [
        "DELETE FROM orders",
        "UPDATE orders SET stat_pedi = 'x'",
        "INSERT INTO sellers (idt_venr) VALUES ('x')",
        "INSERT OVERWRITE sellers (idt_venr) VALUES ('x')",
        "TRUNCATE TABLE orders",
        "DROP TABLE orders",
    ] {
        let answer = place.run(&["sql", "--bucket", &bucket, query]);
        assert_eq!(answer.code, Some(7), "{query}: {answer:?}");
    }
    assert_eq!(in_folder(&place.path("balde"), "analytics"), tables);
    assert_eq!(shop.rows("SELECT * FROM orders").len(), 1);
}

#[test]
fn arguments_that_are_wrong_exit_with_2() {
    let place = Place::new();
    for arguments in [
        &["nada"][..],
        &["run", "--onc"],
        &["sql", "--format", "xml", "SELECT 1"],
        &["up", "--port", "70000"],
        &[],
    ] {
        let answer = place.run(arguments);
        assert_eq!(answer.code, Some(2), "{arguments:?}: {answer:?}");
        assert!(answer.err.contains("--help"), "{answer:?}");
    }
}
