//! Container moves at a port: a process of its own, written in Rust.
//!
//! ```sh
//! mkdir -p /tmp/port/moves
//! echo '{"container":"CSQU3054383","status":"IN","terminal":"T2","moved_at":"2026-05-01T08:00:00-03:00",
//!        "seals":[{"number":"BR-1","fixed_by":"customs"}]}' > /tmp/port/moves/1.json
//! cargo run --example port -- /tmp/port --once
//! ```

#![allow(clippy::print_stdout, reason = "it is a program")]

use std::error::Error;
use std::sync::Arc;

use esteira::datafusion::arrow::array::{ArrayRef, AsArray as _, BooleanArray};
use esteira::datafusion::arrow::datatypes::DataType;
use esteira::datafusion::common::UnnestOptions;
use esteira::datafusion::dataframe::DataFrame;
use esteira::datafusion::error::DataFusionError;
use esteira::datafusion::functions::core::expr_ext::FieldAccessor as _;
use esteira::datafusion::functions::utils::make_scalar_function;
use esteira::datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use esteira::datafusion::prelude::ident;
use esteira::{DeclaredSchema, Process, RuleAction, Submit, Table};

/// What happens to containers at a port.
struct Port;

impl Process for Port {
    fn name(&self) -> String {
        "port".into()
    }

    fn input(&self) -> String {
        "moves/*.json".into()
    }

    fn schema(&self) -> DeclaredSchema {
        "CREATE TABLE moves (
           container STRING NOT NULL CHECK (container <> ''),
           status    STRING COMMENT 'IN, MOVED, LEFT',
           terminal  STRING,
           gross_kg  DECIMAL(9,1),
           moved_at  TIMESTAMP NOT NULL,
           seals     ARRAY<STRUCT<number: STRING, fixed_by: STRING>>
         )"
        .into()
    }

    fn version(&self) -> String {
        "moved_at".into()
    }

    fn tables(&self) -> Vec<Table> {
        // Where each container is. One that left has no row, and a late event does not bring it back.
        let containers = Table::latest("containers", ["container"])
            .sql("SELECT container, terminal, gross_kg, moved_at FROM events")
            .delete_when("status = 'LEFT'")
            .rule(
                "valid_number",
                "valid_container(container)",
                RuleAction::Drop,
            );
        // The seals on it: those of the event that stands, and no others.
        let seals = Table::child("seals", "containers").dataframe(seals);
        // Every move, also of numbers that no container has.
        let moves = Table::append("moves").sql(
            "SELECT container, valid_container(container) AS is_valid, status, terminal, moved_at
             FROM events",
        );
        vec![containers, seals, moves]
    }

    fn functions(&self) -> Vec<ScalarUDF> {
        vec![valid_container()]
    }

    // To be changed when `valid_container` answers otherwise.
    fn revision(&self) -> String {
        "1".into()
    }
}

/// A row a seal. `_event`, by which a row knows its event, is added by Esteira.
fn seals(events: DataFrame) -> Result<DataFrame, DataFusionError> {
    // As SQL's `unnest`: no row for a list that is null.
    let options = UnnestOptions::new().with_preserve_nulls(false);
    events
        .unnest_columns_with_options(&["seals"], options)?
        .select(vec![
            ident("container"),
            ident("seals").field("number").alias("number"),
            ident("seals").field("fixed_by").alias("fixed_by"),
        ])
}

/// `valid_container(STRING)`: whether the check digit of a container's number is right (ISO 6346).
fn valid_container() -> ScalarUDF {
    let of_rows = |arguments: &[ArrayRef]| {
        let numbers = arguments[0].as_string::<i32>().iter();
        let answers: BooleanArray = numbers.map(|number| number.map(is_valid)).collect();
        Ok(Arc::new(answers) as ArrayRef)
    };
    create_udf(
        "valid_container",
        vec![DataType::Utf8],
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(make_scalar_function(of_rows, vec![])),
    )
}

/// Letters count from 10, leaving out the multiples of 11; each place counts twice as much as the one before.
fn is_valid(number: &str) -> bool {
    let value = |c: char| match c {
        '0'..='9' => c.to_digit(10),
        'A'..='Z' => {
            let letter = u32::from(c) - u32::from('A');
            Some(10 + letter + letter.div_ceil(10))
        }
        _ => None,
    };
    let values: Option<Vec<u32>> = number.chars().map(value).collect();
    let Some([counted @ .., check]) = values.as_deref() else {
        return false;
    };
    let sum: u32 = counted
        .iter()
        .zip(0..)
        .map(|(value, place)| value << place)
        .sum();
    counted.len() == 10 && sum % 11 % 10 == *check
}

/// The process on a folder.
pub(crate) fn on(folder: &str) -> Submit {
    Submit::new()
        .bucket(format!("file://{folder}"))
        .process(Port)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder? an absolute path")?;
    let once = arguments.next().as_deref() == Some("--once");
    let summary = on(&folder).once(once).run().await?;
    println!("{} batches, {} events", summary.batches, summary.events);
    let session = on(&folder).lake().await?.session().await?;
    session
        .sql("SELECT * FROM containers")
        .await?
        .show()
        .await?;
    Ok(())
}
