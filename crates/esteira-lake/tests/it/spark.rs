//! Tables that Spark wrote, with deletion vectors: read, and rewritten without them.
//!
//! The fixtures are made by `tests/interop/spark/make_fixtures.py`; `expected.json` is what Spark says
//! is in them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray as _;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::prelude::SessionContext;
use esteira_lake::bucket::{Bucket, Environment};
use esteira_lake::files;
use esteira_lake::tables::{LakeTable, TableSpec};
use esteira_lake::tidy::{Effort, TidyRules, compact};
use serde_json::Value;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A copy of the fixture, opened, and what is expected of it.
async fn fixture(name: &str) -> (tempfile::TempDir, LakeTable, Value) {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Path::new("tests/fixtures/spark").join(name);
    copy(&fixture, &folder.path().join("tables").join(name));
    let expected = std::fs::read(fixture.join("expected.json")).unwrap();
    let location = format!("file://{}", folder.path().display());
    let bucket = Bucket::open(&location, &Environment::default()).unwrap();
    let spec = TableSpec {
        name: name.to_owned(),
        path: format!("tables/{name}"),
        process: "spark".to_owned(),
        schema: Arc::new(Schema::new(Vec::<Field>::new())),
        key: vec!["id".to_owned()],
        fixed: vec!["id".to_owned()],
        copy_on_write: false,
    };
    let table = LakeTable::open_as_it_is(&bucket, spec, None).await.unwrap();
    (folder, table, serde_json::from_slice(&expected).unwrap())
}

/// Keys and numbers of all rows, by key.
async fn rows(table: &LakeTable) -> Vec<(String, i64)> {
    let session = SessionContext::new();
    let delta = table.inner();
    delta.update_datafusion_session(&session.state()).unwrap();
    let provider = delta.table_provider().await.unwrap();
    let frame = session.read_table(provider).unwrap();
    let mut rows = Vec::new();
    for batch in frame.collect().await.unwrap() {
        let ids = cast(batch.column_by_name("id").unwrap(), &DataType::Utf8).unwrap();
        let numbers = batch
            .column_by_name("n")
            .unwrap()
            .as_primitive::<Int64Type>();
        let ids = ids.as_string::<i32>().iter().flatten();
        rows.extend(ids.map(str::to_owned).zip(numbers.values().iter().copied()));
    }
    rows.sort();
    rows
}

fn check(rows: &[(String, i64)], expected: &Value) {
    if let Some(wanted) = expected["rows"].as_array() {
        let mut wanted: Vec<(String, i64)> = wanted
            .iter()
            .map(|row| {
                (
                    row[0].as_str().unwrap().to_owned(),
                    row[1].as_i64().unwrap(),
                )
            })
            .collect();
        wanted.sort();
        assert!(
            rows == wanted,
            "{} rows, {} expected",
            rows.len(),
            wanted.len()
        );
    } else {
        assert_eq!(rows.len() as u64, expected["row_count"].as_u64().unwrap());
        let sum: i64 = rows.iter().map(|(_, n)| n).sum();
        assert_eq!(sum, expected["sum_of_n"].as_i64().unwrap());
    }
}

/// Our own reading of the marks is what the rewriting rests on; the library's is what reads before and
/// after.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_spark_keep_their_rows_when_their_marks_are_purged() {
    for name in ["orders", "many", "prefixed"] {
        let (_folder, mut table, expected) = fixture(name).await;
        check(&rows(&table).await, &expected);
        let marked = files::size(&table).await.unwrap().deleted_rows;
        assert!(marked > 0, "{name} has deletion vectors");
        let done = compact(&mut table, &TidyRules::default(), Effort::Purge)
            .await
            .unwrap();
        assert_eq!(done.rows_purged, marked, "{name}");
        assert_eq!(files::size(&table).await.unwrap().deleted_rows, 0, "{name}");
        check(&rows(&table).await, &expected);
    }
}
