//! `esteira check`: everything that is wrong with pipelines, without running them.

use std::path::Path;

use esteira::{
    After, Condition, Pipeline, PipelineError, Problem, Severity, TableKind, TableRules,
    check_together,
};
use serde_json::{Value, json};

use crate::arguments::{CheckArguments, ListFormat};
use crate::failure::Failure;
use crate::output;

/// What one pipeline's check found.
struct Finding {
    asked: String,
    pipeline: Option<Pipeline>,
    problems: Vec<Problem>,
}

pub(super) async fn run(arguments: CheckArguments) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    for asked in or_here(arguments.pipelines) {
        findings.push(check(asked).await);
    }
    let sound: Vec<&Pipeline> = findings
        .iter()
        .filter_map(|finding| finding.pipeline.as_ref())
        .collect();
    let together = check_together(&sound);
    match arguments.format {
        ListFormat::Json => {
            let pipelines: Vec<Value> = findings.iter().map(in_json).collect();
            output::line(&json!({"pipelines": pipelines, "together": together}).to_string());
        }
        ListFormat::Text => {
            for finding in &findings {
                tell(finding);
            }
            for problem in &together {
                output::error(std::slice::from_ref(problem), None);
            }
        }
    }
    let errors = count(&findings, Severity::Error) + together.len();
    if errors == 0 {
        return Ok(());
    }
    let names: Vec<&str> = findings.iter().map(|f| f.asked.as_str()).collect();
    Err(Failure::new(format!(
        "{} wrong in {}",
        if errors == 1 {
            "one thing is".to_owned()
        } else {
            format!("{errors} things are")
        },
        names.join(" and ")
    ))
    .code(3)
    .into())
}

/// The folder one stands in when it is a pipeline, else the built-in one.
fn or_here(asked: Vec<String>) -> Vec<String> {
    if !asked.is_empty() {
        asked
    } else if Path::new("pipeline.toml").is_file() {
        vec![".".to_owned()]
    } else {
        vec!["marketing_place".to_owned()]
    }
}

async fn check(asked: String) -> Finding {
    match Pipeline::files(&asked) {
        Ok(files) => {
            let checked = files.check().await;
            Finding {
                asked,
                pipeline: checked.pipeline,
                problems: checked.problems,
            }
        }
        Err(error) => Finding {
            asked,
            pipeline: None,
            problems: vec![Problem {
                severity: Severity::Error,
                error,
            }],
        },
    }
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    let problems = findings.iter().flat_map(|finding| &finding.problems);
    problems
        .filter(|problem| problem.severity == severity)
        .count()
}

fn tell(finding: &Finding) {
    for problem in &finding.problems {
        let text = problem.error.to_string();
        let hint = problem.error.hint();
        match problem.severity {
            Severity::Error => output::error(&[text], hint.as_deref()),
            Severity::Warning => output::warning(&text, hint.as_deref()),
        }
    }
    if let Some(pipeline) = &finding.pipeline {
        summary(pipeline);
    }
}

fn summary(pipeline: &Pipeline) {
    output::line(&format!(
        "{}: {} → {}/, originals in {}/",
        pipeline.name, pipeline.input, pipeline.tables_path, pipeline.raw_path
    ));
    match &pipeline.source.after {
        After::Keep => {}
        After::Delete => output::line("  objects that were taken are deleted from the input"),
        After::Archive { folder } => {
            output::line(&format!("  objects that were taken are moved to {folder}/"));
        }
    }
    if let Some(told) = &pipeline.source.notifications {
        output::line(&format!(
            "  new objects are told by the queue {}, and listed every {} s",
            told.queue,
            told.list_every.as_secs()
        ));
    }
    for table in &pipeline.tables {
        output::line(&format!("  {}: {}", table.name, in_words(table, pipeline)));
        let columns: Vec<&str> = table.model.columns().map(|(name, _)| name).collect();
        output::line(&format!("    {}", columns.join(", ")));
        for rule in &table.rules {
            let action = rule.action.as_str();
            output::line(&format!(
                "    {action} unless {} ({})",
                rule.condition, rule.name
            ));
        }
    }
}

fn in_words(table: &TableRules, pipeline: &Pipeline) -> String {
    let (key, version) = (table.key.join(", "), &pipeline.version);
    let rows = match &table.kind {
        TableKind::Child { head } => format!("all rows of the event that stands in {head}"),
        TableKind::Latest => format!("a row per {key}, of the event with the newest {version}"),
        TableKind::History => format!("a row per {key} and {version}"),
        TableKind::Append => "all rows of every event".to_owned(),
    };
    match &table.delete_when {
        Some(condition) => format!("{rows}; none when {}", condition.text()),
        None => rows,
    }
}

fn in_json(finding: &Finding) -> Value {
    json!({
        "pipeline": finding.asked,
        "ok": finding.pipeline.is_some(),
        "problems": finding.problems.iter().map(problem_in_json).collect::<Vec<_>>(),
        "tables": finding.pipeline.iter().flat_map(|p| &p.tables).map(|table| json!({
            "name": table.name,
            "key": table.key,
            "kind": match &table.kind {
                TableKind::Child { .. } => None,
                TableKind::Latest => Some("latest"),
                TableKind::History => Some("history"),
                TableKind::Append => Some("append"),
            },
            "head": match &table.kind {
                TableKind::Child { head } => Some(head),
                TableKind::Latest | TableKind::History | TableKind::Append => None,
            },
            "delete_when": table.delete_when.as_ref().map(Condition::text),
            "rules": table.rules.iter().map(|rule| json!({
                "name": rule.name,
                "condition": rule.condition,
                "action": rule.action.as_str(),
            })).collect::<Vec<_>>(),
            "columns": table.model.columns()
                .map(|(name, kind)| json!({"name": name, "type": kind}))
                .collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

fn problem_in_json(problem: &Problem) -> Value {
    let error: &PipelineError = &problem.error;
    json!({
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "file": error.file(),
        "line": error.place().map(|place| place.0),
        "column": error.place().map(|place| place.1),
        "message": error.message(),
        "hint": error.hint(),
    })
}
