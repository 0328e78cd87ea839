//! Functions of Rust in the SQL of a folder: in a model, in a rule and in `delete_when`.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray as _, BooleanArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::assert_batches_eq;
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};
use esteira::{Fate, Pipeline, Silent, Submit};
use insta::assert_snapshot;
use tempfile::TempDir;

use crate::wrong_pipelines::in_words;

const PIPELINE: &str = r#"
name = "contas"
[source]
path = "input/*.json"
[event]
schema = "schema.sql"
version = "quando"
[[table]]
name = "contas"
key = ["id"]
delete_when = "is_palindrome(id) AND total = 0"
[[table.rule]]
name = "known"
condition = "is_palindrome(dono)"
action = "quarantine"
"#;

const SCHEMA: &str = "CREATE TABLE contas (id STRING NOT NULL, dono STRING, total BIGINT, quando TIMESTAMP NOT NULL)";

const MODEL: &str = "SELECT id, dono, is_palindrome(id) AS espelho, total, quando FROM events";

/// Whether a text reads the same from behind; null is null.
pub(super) fn is_palindrome() -> ScalarUDF {
    palindrome("is_palindrome", Volatility::Immutable)
}

pub(super) fn palindrome(name: &str, volatility: Volatility) -> ScalarUDF {
    let answer = |text: &str| text.chars().eq(text.chars().rev());
    let of_rows = move |arguments: &[ArrayRef]| {
        let texts = arguments[0].as_string::<i32>().iter();
        let answers: BooleanArray = texts.map(|text| text.map(answer)).collect();
        Ok(Arc::new(answers) as ArrayRef)
    };
    create_udf(
        name,
        vec![DataType::Utf8],
        DataType::Boolean,
        volatility,
        Arc::new(make_scalar_function(of_rows, vec![])),
    )
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for sub in ["models", "input"] {
        std::fs::create_dir(folder.path().join(sub)).unwrap();
    }
    for (file, text) in [
        ("pipeline.toml", PIPELINE),
        ("schema.sql", SCHEMA),
        ("models/contas.sql", MODEL),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

fn submit(folder: &Path) -> Submit {
    let name = folder.to_str().unwrap();
    Submit::new()
        .bucket(format!("file://{name}"))
        .process(Pipeline::files(name).unwrap())
        .function(is_palindrome())
}

#[tokio::test(flavor = "multi_thread")]
async fn function_answers_in_models_rules_and_deletions_of_a_folder() {
    let folder = folder();
    let event = |id: &str, owner: &str, total: u32, day: u32| {
        format!(
            "{{\"id\":\"{id}\",\"dono\":\"{owner}\",\"total\":{total},\"quando\":\"2024-05-{day:02}T00:00:00Z\"}}\n"
        )
    };
    let events = [
        event("aba", "ana", 1, 1),
        event("abc", "ana", 2, 1),
        event("abc", "eva", 3, 2),
        event("abc", "ovo", 0, 3),
        event("oro", "ana", 4, 1),
        event("oro", "ana", 0, 2),
    ];
    std::fs::write(folder.path().join("input/1.json"), events.concat()).unwrap();
    let summary = submit(folder.path()).once(true).run().await.unwrap();
    assert_eq!((summary.events, summary.quarantined), (6, 1));
    let lake = submit(folder.path()).lake().await.unwrap();
    let session = lake.session().await.unwrap();
    let rows = session.sql("SELECT id, espelho, total FROM contas ORDER BY id");
    assert_batches_eq!(
        [
            "+-----+---------+-------+",
            "| id  | espelho | total |",
            "+-----+---------+-------+",
            "| aba | true    | 1     |",
            "| abc | false   | 0     |",
            "+-----+---------+-------+",
        ],
        &rows.await.unwrap().collect().await.unwrap()
    );
    let rows = session.sql("SELECT reason, message FROM quarantine");
    assert_batches_eq!(
        [
            "+--------+---------------------------------------------------------------+",
            "| reason | message                                                       |",
            "+--------+---------------------------------------------------------------+",
            "| rule   | rule `known` of table `contas` is broken: is_palindrome(dono) |",
            "+--------+---------------------------------------------------------------+",
        ],
        &rows.await.unwrap().collect().await.unwrap()
    );
    let scratch = tempfile::tempdir().unwrap();
    let checked = esteira::verify(&lake, scratch.path(), Arc::new(Silent))
        .await
        .unwrap();
    assert!(checked.holds(), "{checked:#?}");
    let why = esteira::why(&lake, "contas", &["oro".to_owned()], &Silent)
        .await
        .unwrap();
    let fates: Vec<Fate> = why.events.iter().map(|event| event.fate).collect();
    assert_eq!(fates, [Fate::Deleted, Fate::Late]);
}

#[tokio::test]
async fn folder_whose_function_is_not_given_says_so() {
    let folder = folder();
    let files = Pipeline::files(folder.path().to_str().unwrap()).unwrap();
    let told = in_words(&files.check().await);
    let told = told.replace(&format!("{}/", folder.path().display()), "");
    assert_snapshot!(told, @r"
    error: pipeline.toml:11:15: table `contas`: `delete_when`: invalid function `is_palindrome`
    hint: `events` has the columns id, dono, total, quando, _rescued_data, _source_file, _source_modified, _source_position
    error: models/contas.sql:1:18: invalid function `is_palindrome`
    hint: possible function `random`
    ");
}

async fn told_of(functions: Vec<ScalarUDF>) -> String {
    let folder = folder();
    let mut submit = submit(folder.path());
    for function in functions {
        submit = submit.function(function);
    }
    let told = in_words(&submit.check().await.unwrap());
    told.replace(&format!("{}/", folder.path().display()), "")
}

#[tokio::test]
async fn functions_that_cannot_be_called() {
    let stable = Volatility::Immutable;
    assert_eq!(told_of(vec![palindrome("another", stable)]).await, "");
    let told = told_of(vec![
        palindrome("isPalindrome", stable),
        palindrome("upper", stable),
        palindrome("sum", stable),
        is_palindrome(),
        palindrome("alias", stable).with_aliases(["row_number"]),
    ]);
    assert_snapshot!(told.await, @r"
    error: `Submit`: function `isPalindrome` has a name that SQL does not find
    hint: small letters, digits and `_`, beginning with a letter
    error: `Submit`: function `upper` would hide the engine's own of that name
    hint: give it another name
    error: `Submit`: function `sum` would hide the engine's own of that name
    hint: give it another name
    error: `Submit`: function `is_palindrome` is there twice
    hint: give each a name of its own
    error: `Submit`: function `row_number` would hide the engine's own of that name
    hint: give it another name
    ");
}

#[tokio::test]
async fn function_that_may_change_its_answers() {
    let folder = folder();
    for volatility in [Volatility::Stable, Volatility::Volatile] {
        let files = Pipeline::files(folder.path().to_str().unwrap()).unwrap();
        let function = palindrome("is_palindrome", volatility);
        let checked = Submit::new()
            .process(files)
            .function(function)
            .check()
            .await;
        let told = in_words(&checked.unwrap());
        let told = told.replace(&format!("{}/", folder.path().display()), "");
        match volatility {
            Volatility::Stable => assert_snapshot!(told, @r"
            error: pipeline.toml:11:15: table `contas`: `delete_when`: function `is_palindrome` does not say that it answers by its arguments alone
            hint: make it with `Volatility::Immutable`
            error: pipeline.toml:14:13: function `is_palindrome` does not say that it answers by its arguments alone
            hint: make it with `Volatility::Immutable`
            "),
            _ => assert_snapshot!(told, @r"
            error: pipeline.toml:11:15: table `contas`: `delete_when`: function `is_palindrome` does not say that it answers by its arguments alone
            hint: make it with `Volatility::Immutable`
            error: pipeline.toml:14:13: function `is_palindrome` does not say that it answers by its arguments alone
            hint: make it with `Volatility::Immutable`
            "),
        }
    }
}
