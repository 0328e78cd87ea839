//! What the author of a pipeline is told of everything that is wrong with it, before anything runs.
//!
//! Each test changes a small pipeline that is right in one or a few places. What is shown is every
//! problem that `check` tells, in its order.

mod doubts;
mod keys;
mod models;
mod places;
mod rules;
mod schema;
mod source;
mod tables;

use std::fmt::Write as _;

use esteira::{Checked, Pipeline, Severity};
use tempfile::TempDir;

const PIPELINE: &str = r#"name = "loja"

[source]
path = "input/*.json"

[event]
schema = "schema.sql"
version = "quando"

[[table]]
name = "pedidos"
key = ["id"]

[[table]]
name = "itens"
head = "pedidos"
"#;

const SCHEMA: &str = "CREATE TABLE loja (
  id STRING NOT NULL CHECK (id <> ''),
  quando TIMESTAMP NOT NULL,
  cliente STRING,
  total DECIMAL(18,2),
  itens ARRAY<STRUCT<produto: STRING, preco: DECIMAL(18,2)>>
)
";

const PEDIDOS: &str = "SELECT
  id,
  cliente,
  total,
  quando
FROM events
";

const ITENS: &str = "SELECT
  id,
  item['produto'] AS produto,
  item['preco'] AS preco
FROM (SELECT *, unnest(itens) AS item FROM events)
";

/// A text in a file, and what is there instead; of a file that is not there, its text.
type Change<'a> = (&'a str, &'a str, &'a str);

/// All that is said to the pipeline with these changes.
async fn told(changes: &[Change<'_>]) -> String {
    let folder = written(changes);
    let checked = Pipeline::files(folder.path().to_str().unwrap())
        .unwrap()
        .check()
        .await;
    in_words(&checked).replace(&format!("{}/", folder.path().display()), "")
}

/// Every problem, with its hint.
pub(crate) fn in_words(checked: &Checked) -> String {
    let mut text = String::new();
    for problem in &checked.problems {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(text, "{severity}: {}", problem.error).unwrap();
        if let Some(hint) = problem.error.hint() {
            writeln!(text, "hint: {hint}").unwrap();
        }
    }
    let is_wrong = checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    assert_eq!(checked.pipeline.is_none(), is_wrong, "{text}");
    text
}

/// The same with a rule for the table `itens`.
async fn told_of_rule(rule: &str) -> String {
    let head = "head = \"pedidos\"";
    let with_rule = format!("{head}\n\n[[table.rule]]\n{rule}");
    told(&[("pipeline.toml", head, &with_rule)]).await
}

fn written(changes: &[Change<'_>]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("models")).unwrap();
    for (file, text) in [
        ("pipeline.toml", PIPELINE),
        ("schema.sql", SCHEMA),
        ("models/pedidos.sql", PEDIDOS),
        ("models/itens.sql", ITENS),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    for (file, from, to) in changes {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let text_now = if from.is_empty() {
            (*to).to_owned()
        } else {
            text.replacen(from, to, 1)
        };
        assert_ne!(text, text_now, "the change does not fit `{file}` any more");
        std::fs::write(path, text_now).unwrap();
    }
    folder
}

#[tokio::test]
async fn right_pipeline_is_told_nothing() {
    assert_eq!(told(&[]).await, "");
}
