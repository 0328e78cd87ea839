//! What another fingerprint tells: rows may be made in another way.

use std::collections::BTreeSet;

use datafusion::logical_expr::Volatility;
use datafusion::prelude::{ident, lit};
use esteira::schema::{DataType, EventSchema, Field};
use esteira::{DeclaredSchema, Limits, Pipeline, Process, RuleAction, Submit, Table};

use super::functions::{is_palindrome, palindrome};

const DDL: &str = "CREATE TABLE x (id STRING NOT NULL, at TIMESTAMP NOT NULL, n BIGINT)";

struct Given {
    name: &'static str,
    table: Table,
    limits: Limits,
}

impl Given {
    fn of(table: Table) -> Self {
        Self {
            name: "x",
            table,
            limits: Limits::default(),
        }
    }
}

impl Process for Given {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn input(&self) -> String {
        "input/*".to_owned()
    }

    fn schema(&self) -> DeclaredSchema {
        DDL.into()
    }

    fn version(&self) -> String {
        "at".to_owned()
    }

    fn tables(&self) -> Vec<Table> {
        vec![self.table.clone()]
    }

    fn limits(&self) -> Limits {
        self.limits
    }
}

async fn of(submit: Submit) -> String {
    submit.load().await.unwrap().fingerprint
}

async fn of_table(table: Table) -> String {
    of(Submit::new().process(Given::of(table))).await
}

fn latest() -> Table {
    Table::latest("t", ["id"])
}

#[tokio::test]
async fn fingerprint_tells_everything_that_makes_rows_and_can_be_seen() {
    let plain = latest().sql("SELECT id, n, at FROM events");
    let frame = |least: i64| {
        latest().dataframe(move |events| {
            let events = events.filter(ident("n").gt_eq(lit(least)))?;
            events.select(vec![ident("id"), ident("n"), ident("at")])
        })
    };
    let submit = |table: &Table| Submit::new().process(Given::of(table.clone()));
    let all = [
        of_table(plain.clone()).await,
        of_table(latest().sql("SELECT id, n + 1 AS n, at FROM events")).await,
        of_table(Table::history("t", ["id"]).sql("SELECT id, n, at FROM events")).await,
        of_table(Table::append("t").sql("SELECT id, n, at FROM events")).await,
        of_table(Table::latest("t", ["id", "n"]).sql("SELECT id, n, at FROM events")).await,
        of_table(Table::latest("u", ["id"]).sql("SELECT id, n, at FROM events")).await,
        of_table(plain.clone().delete_when("n = 0")).await,
        of_table(plain.clone().rule("r", "n > 0", RuleAction::Warn)).await,
        of_table(plain.clone().rule("r", "n > 0", RuleAction::Drop)).await,
        of_table(plain.clone().rule("r", "n > 1", RuleAction::Drop)).await,
        of_table(frame(0)).await,
        of_table(frame(1)).await,
        of(submit(&plain).function(is_palindrome())).await,
        of(submit(&plain).function(palindrome("other", Volatility::Immutable))).await,
        of(submit(&plain).revision("2")).await,
        of(submit(&plain).function(is_palindrome()).revision("2")).await,
        of(submit(&plain).schema(DDL.replace("n BIGINT", "n INT"))).await,
        of(submit(&plain).schema(DDL.replace("n BIGINT", "n BIGINT NOT NULL"))).await,
    ];
    let different: BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:#?}");
    assert!(all.iter().all(|print| print.len() == 16));
}

#[tokio::test]
async fn fingerprint_is_the_same_for_the_same_rows() {
    let plain = latest().sql("SELECT id, n, at FROM events");
    let first = of_table(plain.clone()).await;
    assert_eq!(of_table(plain.clone()).await, first);
    let elsewhere = Given {
        name: "y",
        limits: Limits {
            objects_per_batch: 7,
            ..Limits::default()
        },
        ..Given::of(plain.clone())
    };
    let elsewhere = Submit::new().process(elsewhere).input("y/*").output("z");
    assert_eq!(of(elsewhere).await, first);
    let built = EventSchema::new(
        "x",
        vec![
            Field::new("id", DataType::String).required(),
            Field::new("at", DataType::Timestamp).required(),
            Field::new("n", DataType::BigInt),
        ],
    );
    let built = Submit::new().process(Given::of(plain)).schema(built);
    assert_eq!(of(built).await, first);
}

#[tokio::test]
async fn fingerprint_of_a_folder_knows_what_is_submitted_with_it() {
    let submit = || Submit::new().process(Pipeline::files("product_reviews").unwrap());
    let files = Pipeline::files("product_reviews").unwrap();
    let plain = files.load().await.unwrap().fingerprint;
    assert_eq!(of(submit()).await, plain);
    assert_eq!(
        of(submit().input("x/*").output("z").process_name("x")).await,
        plain
    );
    let functions = of(submit().function(is_palindrome())).await;
    let revised = of(submit().function(is_palindrome()).revision("2")).await;
    let ddl = include_str!("../../../../../pipelines/product_reviews/schema.sql");
    let schema = of(submit().schema(ddl)).await;
    let all = BTreeSet::from([plain, functions, revised, schema]);
    assert_eq!(all.len(), 4);
}
