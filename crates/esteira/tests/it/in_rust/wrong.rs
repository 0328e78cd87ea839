//! What the author of a process in Rust is told of everything that is wrong with it, before anything runs.
//!
//! The same checks as of a folder (`wrong_pipelines`), with the process, the table or the rule for a place.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType as ArrowType, Field as ArrowField, Schema};
use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::Volatility;
use datafusion::prelude::{SessionContext, ident, lit};
use esteira::schema::{DataType, EventSchema, Field};
use esteira::{
    DeclaredSchema, Error, Limits, Maintenance, Process, RuleAction, Shutdown, Submit, Table,
    TidyRules,
};
use insta::assert_snapshot;

use super::functions::palindrome;
use crate::wrong_pipelines::in_words;

const DDL: &str = "CREATE TABLE loja (
  id STRING NOT NULL CHECK (id <> ''),
  quando TIMESTAMP NOT NULL,
  cliente STRING,
  total BIGINT,
  itens ARRAY<STRUCT<produto: STRING>>
)";

/// A process that is right, when its tables are.
struct Loja(Vec<Table>);

impl Process for Loja {
    fn name(&self) -> String {
        "loja".to_owned()
    }

    fn input(&self) -> String {
        "input/*.json".to_owned()
    }

    fn schema(&self) -> DeclaredSchema {
        DDL.into()
    }

    fn version(&self) -> String {
        "quando".to_owned()
    }

    fn tables(&self) -> Vec<Table> {
        self.0.clone()
    }
}

async fn told_of(submit: Submit) -> String {
    in_words(&submit.check().await.unwrap())
}

async fn told(tables: impl IntoIterator<Item = Table>) -> String {
    told_of(Submit::new().process(Loja(tables.into_iter().collect()))).await
}

fn orders() -> Table {
    Table::latest("pedidos", ["id"])
}

fn right() -> Table {
    orders().sql("SELECT id, total, quando FROM events")
}

/// All that is told of one model in Rust.
async fn told_of_frame<F>(model: F) -> String
where
    F: Fn(DataFrame) -> Result<DataFrame, DataFusionError> + Send + Sync + 'static,
{
    told([orders().dataframe(model)]).await
}

#[tokio::test]
async fn right_process_is_told_nothing() {
    assert_eq!(told([right()]).await, "");
    let all = told([
        right(),
        Table::child("itens", "pedidos")
            .sql("SELECT id, item['produto'] AS produto FROM (SELECT *, unnest(itens) AS item FROM events)"),
        Table::append("todos").dataframe(Ok),
        Table::history("historia", ["id"]).sql("SELECT id, total FROM events"),
    ]);
    assert_eq!(all.await, "");
}

/// Says nothing by itself.
struct Silence;

impl Process for Silence {
    fn version(&self) -> String {
        String::new()
    }

    fn tables(&self) -> Vec<Table> {
        Vec::new()
    }
}

#[tokio::test]
async fn process_that_says_nothing() {
    assert_snapshot!(told_of(Submit::new().process(Silence)).await, @r"
    error: process: nothing says what it is called
    hint: `Process::name` or `Submit::process_name`: its ledger and its originals are kept under it
    error: process: nothing says which objects it takes
    hint: `Process::input` or `Submit::input`, for instance `input/*.json`
    error: process: nothing says what an event is
    hint: `Process::schema` or `Submit::schema`, for instance `CREATE TABLE …`
    error: process: nothing says which of two events is newer
    hint: `Process::version`: a TIMESTAMP NOT NULL of the schema
    error: process: there is no table
    hint: `Process::tables` gives them
    ");
    // What is submitted is not missing.
    let submit = Submit::new()
        .process(Silence)
        .process_name("x")
        .input("a/*")
        .schema(DDL);
    assert_snapshot!(told_of(submit).await, @r"
    error: process `x`: nothing says which of two events is newer
    hint: `Process::version`: a TIMESTAMP NOT NULL of the schema
    error: process `x`: there is no table
    hint: `Process::tables` gives them
    ");
}

#[tokio::test]
async fn run_without_a_process_or_a_bucket() {
    let without = |error: Error| format!("{error}\nhint: {}\n", error.hint().unwrap());
    let process = without(Submit::new().bucket("s3://x").run().await.unwrap_err());
    let bucket = without(
        Submit::new()
            .process(Loja(vec![right()]))
            .run()
            .await
            .unwrap_err(),
    );
    let lake = Submit::new().process(Loja(vec![right()])).lake().await;
    assert_eq!(without(lake.unwrap_err()), bucket);
    assert_snapshot!(process + &bucket, @r"
    nothing says what to run
    hint: `Submit::process` takes a type with `Process`, or the files of `Pipeline::files`
    nothing says which bucket to run on
    hint: `Submit::bucket`, for instance `s3://name` or `file:///folder`
    ");
}

#[tokio::test]
async fn run_fails_with_the_first_thing_that_is_wrong() {
    let submit = Submit::new().process(Silence).bucket("file:///nowhere");
    let error = submit.run().await.unwrap_err();
    assert!(matches!(error, Error::Pipeline(_)), "{error}");
    assert_snapshot!(error, @"process: nothing says what it is called");
}

#[tokio::test]
async fn names_and_places() {
    let submit = || Submit::new().process(Loja(vec![right()]));
    let mut all = String::new();
    for submit in [
        submit().process_name("a b"),
        submit().input("in/[a"),
        submit().input("raw/loja/*"),
        submit().output("a//b"),
        submit().output("raw/loja/tables"),
    ] {
        all += &told_of(submit).await;
    }
    assert_snapshot!(all, @r"
    error: process `a b`: `a b` cannot be a name
    hint: letters, digits, `_`, `-` and `.`, beginning with a letter or digit
    error: process `loja`: path `in/[a`: a `[` is not closed
    error: process `loja`: the input is in `raw/loja`, where the originals are written: nothing of it is taken
    hint: what a pipeline writes is never its input: name another folder
    error: process `loja`: `a//b` cannot be a folder of the bucket: a part of it is empty, `.` or `..`
    hint: a folder such as `analytics/shop`
    error: process `loja`: the originals would be in `raw/loja`, table `pedidos` in `raw/loja/tables/pedidos`
    hint: give each a folder of its own
    ");
}

#[tokio::test]
async fn schemas() {
    let submit = || Submit::new().process(Loja(vec![right()]));
    let mut all = String::new();
    for submit in [
        submit().schema(DDL.replace("cliente STRING", "cliente STRIN")),
        submit().schema(EventSchema::parse("CREATE TABLE x (", "x.sql")),
        submit().schema(EventSchema::new(
            "x",
            vec![Field::new("_a", DataType::String)],
        )),
        submit().schema(DDL.replace("quando TIMESTAMP NOT NULL", "quando TIMESTAMP")),
    ] {
        all += &told_of(submit).await;
    }
    assert_snapshot!(all, @r"
    error: process `loja`, schema:4:11: unknown type `STRIN`
    hint: the nearest known type is `STRING`
    error: x.sql:1:17: expected a column's name, found the end of the file
    error: process `loja`, schema: `_a` is reserved: columns whose name starts with `_` are made by the relation
    hint: choose a name that starts with a letter
    error: process `loja`: `quando` cannot be the version: it has to be a TIMESTAMP NOT NULL
    ");
}

#[tokio::test]
async fn tables() {
    let mut all = String::new();
    for tables in [
        vec![Table::latest("", ["id"]).sql("SELECT id, quando FROM events")],
        vec![Table::latest("raw_objects", ["id"]).sql("SELECT id, quando FROM events")],
        vec![orders()],
        vec![right(), right()],
        vec![Table::latest("pedidos", [""; 0]).sql("SELECT id, quando FROM events")],
        vec![Table::latest("pedidos", ["id", "id"]).sql("SELECT id, quando FROM events")],
        vec![
            right(),
            Table::child("itens", "pedido").sql("SELECT id FROM events"),
        ],
        vec![
            Table::append("log")
                .sql("SELECT id FROM events")
                .delete_when("total = 0"),
        ],
        vec![
            right(),
            Table::child("itens", "pedidos").sql("SELECT total AS id FROM events"),
        ],
        vec![right().delete_when("ttal = 0")],
    ] {
        all += &told(tables).await;
    }
    assert_snapshot!(all, @r"
    error: process `loja`, table 1: the name is empty
    hint: letters, digits and `_`, beginning with a letter
    error: process `loja`, table `raw_objects`: no table can be called `raw_objects`
    hint: questions find something else under quarantine, batches, raw_objects
    error: process `loja`: table `pedidos` has no model
    hint: give it one with `Table::sql` or `Table::dataframe`
    error: process `loja`, table `pedidos`: there are two tables `pedidos`
    hint: questions do not tell upper from lower case
    error: process `loja`: table `pedidos` needs either a `key` or a `head`
    hint: name the columns that tell its rows apart
    error: process `loja`: table `pedidos`: its key names `id` twice
    error: process `loja`: table `itens`: its head `pedido` is no table with a `key`
    hint: tables with a `key` are `pedidos`
    error: process `loja`: table `log` has every event once: nothing can be deleted from it
    hint: leave it out, or choose another kind
    error: process `loja`, model of table `itens`:1:1: key column `id` of table `itens` is BIGINT, of its head `pedidos` STRING
    hint: select the column as its head's model does
    warning: process `loja`, model of table `itens`:1:1: key column `id` of table `itens` can be null: a row without its head's key stops the job
    hint: select the column as its head's model does, or leave them out on purpose: `WHERE id IS NOT NULL`, with the expression that gives `id`
    error: process `loja`: table `pedidos`: `delete_when`: there is no column `ttal`
    hint: `events` has the columns id, quando, cliente, total, itens, _rescued_data, _source_file, _source_modified, _source_position
    ");
}

#[tokio::test]
async fn rules() {
    let told = told([right()
        .rule("positive", "ttal > 0", RuleAction::Drop)
        .rule("positive", "total > 0", RuleAction::Drop)
        .rule("", "total > 0", RuleAction::Warn)
        .rule("empty", " ", RuleAction::Warn)
        .rule("sum", "sum(total) > 0", RuleAction::Stop)]);
    assert_snapshot!(told.await, @r"
    error: process `loja`, table `pedidos`, rule `positive`: there is no column `ttal`
    hint: the model gives id, total, quando
    error: process `loja`, table `pedidos`, rule 3: the name is empty
    hint: letters, digits, `_` and `-`, beginning with a letter or digit
    error: process `loja`, table `pedidos`, rule `empty`: the condition is empty
    error: process `loja`, table `pedidos`, rule `sum`: the condition looks beyond its row
    hint: no aggregates, windows, subqueries, nor functions that answer anew each time
    ");
}

/// Limits that cannot work.
struct Unlimited;

impl Process for Unlimited {
    fn name(&self) -> String {
        "loja".to_owned()
    }

    fn input(&self) -> String {
        "input/*".to_owned()
    }

    fn schema(&self) -> DeclaredSchema {
        DDL.into()
    }

    fn version(&self) -> String {
        "quando".to_owned()
    }

    fn tables(&self) -> Vec<Table> {
        vec![right()]
    }

    fn limits(&self) -> Limits {
        Limits {
            objects_per_batch: 0,
            bytes_per_batch: 0,
            poll: Duration::ZERO,
            requests_at_once: 0,
            decompressed_bytes_per_object: 0,
            event_bytes: 0,
            ..Limits::default()
        }
    }

    fn maintenance(&self) -> Maintenance {
        Maintenance {
            retention: Duration::ZERO,
            rules: TidyRules {
                target_bytes: 0,
                merge_files: 1,
                dead_percent: 0,
            },
            ..Maintenance::default()
        }
    }
}

#[tokio::test]
async fn limits() {
    assert_snapshot!(told_of(Submit::new().process(Unlimited)).await, @r"
    error: process `loja`: `objects_per_batch` cannot be 0
    hint: from 1 to 1000000
    error: process `loja`: `bytes_per_batch` cannot be 0
    hint: from 1 to 17179869184
    error: process `loja`: `poll in milliseconds` cannot be 0
    hint: from 1 to 86400000
    error: process `loja`: `requests_at_once` cannot be 0
    hint: from 1 to 1024
    error: process `loja`: `decompressed_bytes_per_object` cannot be 0
    hint: from 1 to 17179869184
    error: process `loja`: `event_bytes` cannot be 0
    hint: from 1 to 1073741824
    error: process `loja`: `target_bytes` cannot be 0
    hint: from 1 to 1073741824
    error: process `loja`: `merge_files` cannot be 1
    hint: from 2 to 18446744073709551615
    error: process `loja`: `dead_percent` cannot be 0
    hint: from 1 to 100
    warning: process `loja`: without a retention, whoever reads a version that was just replaced may lose its files
    hint: an hour is enough where clocks agree
    ");
}

#[tokio::test]
async fn models_in_sql_name_line_and_column() {
    let mut all = String::new();
    for sql in [
        "SELECT\n  id,\n  ttal AS total,\n  quando FROM events",
        "SELECT id total quando",
        "DELETE FROM events",
        "SELECT total, quando FROM events",
    ] {
        all += &told([orders().sql(sql)]).await;
    }
    assert_snapshot!(all, @r"
    error: process `loja`, model of table `pedidos`:3:3: there is no column `ttal`
    hint: did you mean `total`? the columns are id, quando, cliente, total, itens, _rescued_data, _source_file, _source_modified, _source_position, _processed_at
    error: process `loja`, model of table `pedidos`:1:17: Expected: end of statement, found: quando
    hint: a model is one SELECT over `events`
    error: process `loja`, model of table `pedidos`:1:1: it is not a SELECT
    hint: a model is one SELECT over `events`
    error: process `loja`, model of table `pedidos`:1:1: the model of table `pedidos` does not give column `id`
    hint: select `id`: it is part of the key or the version
    ");
}

#[tokio::test]
async fn frame_keeps_its_event_below_what_changes_no_column() {
    let below = told_of_frame(|events| {
        let few = events.select(vec![ident("id"), ident("quando"), ident("total")])?;
        few.filter(ident("total").gt(lit(0)))?
            .sort(vec![ident("id").sort(true, false)])?
            .select(vec![ident("id"), ident("quando")])?
            .distinct()
    });
    assert_eq!(below.await, "");
    let by_name = told_of_frame(|events| {
        events.aggregate(vec![ident("_event"), ident("id"), ident("quando")], vec![])
    });
    assert_eq!(by_name.await, "");
}

#[tokio::test]
async fn frame_that_loses_the_event() {
    let told = told_of_frame(|events| {
        events.aggregate(
            vec![ident("id")],
            vec![max(ident("quando")).alias("quando")],
        )
    });
    assert_snapshot!(told.await, @r"
    error: process `loja`, model of table `pedidos`: the model loses the event
    hint: every row needs the column `_event`: select it, or group by it
    ");
}

#[tokio::test]
async fn frame_with_another_event() {
    let told = told_of_frame(|events| {
        events.select(vec![
            ident("id"),
            ident("quando"),
            (ident("_event") + lit(1i64)).alias("_event"),
        ])
    });
    assert_snapshot!(told.await, @r"
    error: process `loja`, model of table `pedidos`: `_event` is another column here: rows would be taken for those of other events
    hint: pass `_event` on as it is, and give the other column another name
    ");
}

#[tokio::test]
async fn frame_of_something_else() {
    let told = told_of_frame(|_| {
        let event = ArrowField::new("_event", ArrowType::Int64, false);
        let rows = RecordBatch::new_empty(Arc::new(Schema::new(vec![event])));
        SessionContext::new().read_batch(rows)
    });
    assert_snapshot!(told.await, @r"
    error: process `loja`, model of table `pedidos`: `_event` is another column here: rows would be taken for those of other events
    hint: pass `_event` on as it is, and give the other column another name
    ");
}

#[tokio::test]
async fn frame_with_wrong_columns() {
    let mut all = String::new();
    all += &told_of_frame(|events| events.select(vec![ident("id"), ident("qando")])).await;
    all += &told_of_frame(|events| events.select(vec![ident("id"), ident("total")])).await;
    all += &told_of_frame(|events| {
        events.select(vec![
            ident("id"),
            ident("quando"),
            ident("total") + lit(1i64),
        ])
    })
    .await;
    all += &told_of_frame(|_| {
        Err(DataFusionError::External(
            "the table of prices is empty".into(),
        ))
    })
    .await;
    assert_snapshot!(all, @r#"
    error: process `loja`, model of table `pedidos`: there is no column `qando`
    hint: did you mean `quando`? the columns are id, quando, cliente, total, itens, _rescued_data, _source_file, _source_modified, _source_position, _processed_at
    error: process `loja`, model of table `pedidos`: the model of table `pedidos` does not give column `quando`
    hint: select `quando`: it is part of the key or the version
    error: process `loja`, model of table `pedidos`: `events.total + Int64(1)` cannot be the name of a column
    hint: give it a name: `….alias("name")`
    error: process `loja`, model of table `pedidos`: the table of prices is empty
    hint: `events` has the columns id, quando, cliente, total, itens, _rescued_data, _source_file, _source_modified, _source_position, _processed_at
    "#);
}

#[tokio::test]
async fn frame_that_looks_at_other_events_or_relations() {
    let mut all = String::new();
    all += &told_of_frame(|events| {
        let others = events
            .clone()
            .select(vec![ident("id").alias("other"), ident("total")])?;
        let events = events.select(vec![ident("id"), ident("quando"), ident("_event")])?;
        let others = others.select(vec![ident("other"), ident("total")])?;
        let joined = events.join(others, JoinType::Inner, &["id"], &["other"], None)?;
        joined.select(vec![
            ident("id"),
            ident("quando"),
            ident("total"),
            ident("_event"),
        ])
    })
    .await;
    all += &told_of_frame(|events| events.limit(0, Some(3))).await;
    assert_snapshot!(all, @r"
    warning: process `loja`, model of table `pedidos`: a join sees only the events that happen to share a batch
    hint: keep to one event: group, partition or join by `_event`
    warning: process `loja`, model of table `pedidos`: a LIMIT sees only the events that happen to share a batch
    hint: keep to one event: group, partition or join by `_event`
    ");
}

#[tokio::test]
async fn frame_that_keeps_null_lists() {
    let told = told([
        right(),
        Table::child("itens", "pedidos").dataframe(|events| {
            events
                .unnest_columns(&["itens"])?
                .select(vec![ident("id"), ident("itens").alias("item")])
        }),
    ]);
    assert_snapshot!(told.await, @r"
    warning: process `loja`, model of table `itens`: an event whose list is null gives a row of nulls
    hint: `UnnestOptions::new().with_preserve_nulls(false)` gives none, as SQL does
    ");
}

/// A function that makes something else after it was checked.
#[tokio::test]
async fn frame_that_changes_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("input")).unwrap();
    let event = r#"{"id":"a","quando":"2024-05-01T00:00:00Z","total":1}"#;
    std::fs::write(folder.path().join("input/a.json"), event).unwrap();
    let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let table = orders().dataframe(move |events| {
        let call = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = if call == 0 { "total" } else { "soma" };
        events.select(vec![
            ident("id"),
            ident("quando"),
            ident("total").alias(name),
        ])
    });
    let run = Submit::new()
        .process(Loja(vec![table]))
        .bucket(format!("file://{}", folder.path().display()))
        .once(true)
        .shutdown(Shutdown::default())
        .run();
    assert_snapshot!(run.await.unwrap_err(), @"the model of table `pedidos` failed: Error during planning: its function made the columns id STRING, quando TIMESTAMP, total BIGINT, _event BIGINT when it was checked, and makes id STRING, quando TIMESTAMP, soma BIGINT, _event BIGINT now: it has to do the same every time");
}

#[tokio::test]
async fn several_things_are_told_at_once() {
    let submit = Submit::new()
        .process(Loja(vec![
            right().rule("r", "nada", RuleAction::Warn),
            Table::latest("outros", ["cliente"]).dataframe(Ok),
        ]))
        .function(palindrome("UPPER", Volatility::Immutable));
    assert_snapshot!(told_of(submit).await, @r"
    error: process `loja`: function `UPPER` has a name that SQL does not find
    hint: small letters, digits and `_`, beginning with a letter
    error: process `loja`, table `pedidos`, rule `r`: there is no column `nada`
    hint: the model gives id, total, quando
    warning: process `loja`, model of table `outros`: key column `cliente` of table `outros` can be null: events without it give no row
    hint: declare the field NOT NULL (such events go to the quarantine), or leave them out on purpose: `WHERE cliente IS NOT NULL`, with the expression that gives `cliente`
    ");
}
