//! The tables as the command shows them, held against the oracle.
//!
//! Comes in: the objects that arrived. The check reads tables, quarantine and records through
//! `esteira sql` and `esteira history` alone, so that what analysts are shown is what is checked.

use std::collections::BTreeMap;

use esteira_testkit::oracle::{Expected, InputObject, QuarantineRow, Row, expected, rescued_value};
use esteira_testkit::rows::diff;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::place::Place;

const TABLES: [&str; 4] = ["orders", "products", "sellers", "shipments"];

/// A pipeline in a bucket.
pub(crate) struct Shop<'a> {
    pub(crate) place: &'a Place,
    pub(crate) pipeline: &'a str,
    pub(crate) bucket: &'a str,
}

impl Shop<'_> {
    /// Takes what is there now.
    pub(crate) fn run_once(&self) -> String {
        self.place
            .ask(&["run", self.pipeline, "--once", "--bucket", self.bucket])
    }

    /// The answer to a question, as the command's JSON lines.
    pub(crate) fn rows(&self, query: &str) -> Vec<Row> {
        let arguments = ["sql", "--pipeline", self.pipeline, "--bucket", self.bucket];
        let answer = self
            .place
            .ask(&[&arguments[..], &["--format", "json", query]].concat());
        answer.lines().map(row).collect()
    }

    /// Every record, oldest first.
    pub(crate) fn records(&self) -> Vec<Value> {
        let arguments = ["history", self.pipeline, "--bucket", self.bucket];
        let answer = self
            .place
            .ask(&[&arguments[..], &["--last", "1000000", "--format", "json"]].concat());
        let records = answer
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        records.collect()
    }

    pub(crate) fn status(&self) -> Value {
        let arguments = [
            "status",
            self.pipeline,
            "--bucket",
            self.bucket,
            "--format",
            "json",
        ];
        serde_json::from_str(&self.place.ask(&arguments)).unwrap()
    }

    /// Each table's version in the newest record.
    pub(crate) fn versions(&self) -> BTreeMap<String, u64> {
        let status = self.status();
        let tables = status["last_batch"]["tables"].as_object().unwrap();
        let versions = tables
            .iter()
            .map(|(name, table)| (name.clone(), table["version"].as_u64().unwrap()));
        versions.collect()
    }

    /// Holds tables, quarantine and records against the oracle.
    pub(crate) fn check(&self, arrived: &[InputObject]) -> Expected {
        let expected = expected(arrived);
        for table in TABLES {
            let rows = self.rows(&format!("SELECT * FROM {table}"));
            if let Some(difference) = diff(expected.table(table).unwrap(), &rows) {
                panic!("{table}: {difference}");
            }
        }
        let rows = self.rows(
            "SELECT _source_file AS source_file, _source_position AS position, reason, original \
             FROM quarantine",
        );
        let wanted: Vec<Row> = expected
            .quarantine
            .iter()
            .map(QuarantineRow::to_row)
            .collect();
        if let Some(difference) = diff(&wanted, &rows) {
            panic!("quarantine: {difference}");
        }
        self.check_records(arrived.len(), &expected);
        expected
    }

    fn check_records(&self, arrived: usize, expected: &Expected) {
        let records = self.records();
        for (record, number) in records.iter().zip(1u64..) {
            assert_eq!(record["batch"], number);
            for accounts in ["objects", "events"] {
                check_sum(&record[accounts]);
                check_sum(&record["totals"][accounts]);
            }
        }
        let totals = &records.last().unwrap()["totals"];
        assert_eq!(totals["objects"]["discovered"], arrived);
        assert_eq!(totals["events"]["discovered"], expected.entries);
        assert_eq!(totals["events"]["quarantined"], expected.quarantine.len());
        assert_eq!(totals["events"]["duplicate"], 0);
        let status = self.status();
        assert_eq!(status["unfinished_batches"], serde_json::json!([]));
        assert_eq!(status["waiting_objects"], 0);
    }
}

fn check_sum(counts: &Value) {
    let count = |name: &str| counts[name].as_u64().unwrap();
    let parts = ["applied", "superseded", "quarantined", "duplicate"];
    assert_eq!(
        count("discovered"),
        parts.into_iter().map(count).sum::<u64>(),
        "{counts}"
    );
}

/// How often each content is there.
pub(crate) fn contents(objects: &[InputObject]) -> BTreeMap<&[u8], usize> {
    let mut contents = BTreeMap::new();
    for object in objects {
        *contents.entry(object.bytes.as_slice()).or_default() += 1;
    }
    contents
}

/// A line of JSON as a canonical row.
fn row(line: &str) -> Row {
    let columns: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).unwrap();
    let mut row = Row::new();
    for (name, raw) in columns {
        let value: Value = serde_json::from_str(raw.get()).unwrap();
        let canonical = match value {
            // The batch's, not the event's.
            _ if name == "_processed_at" => continue,
            Value::String(text) if name == "_rescued_data" => rescued_value(&text),
            Value::String(text) if name.starts_with("dat_") || name == "_source_modified" => {
                Value::String(six_digits(&text))
            }
            // Money is compared as it is written, a float would round it.
            Value::Number(_) if name.starts_with("vlr_") => Value::String(raw.get().to_owned()),
            other => other,
        };
        row.insert(name, canonical);
    }
    row
}

/// An instant in UTC with six digits after the point.
fn six_digits(instant: &str) -> String {
    let instant = instant
        .strip_suffix('Z')
        .unwrap_or_else(|| panic!("{instant}"));
    let (seconds, fraction) = instant.split_once('.').unwrap_or((instant, ""));
    format!("{seconds}.{fraction:0<6}Z")
}
