//! `esteira sql`: one question, or a shell.

use std::path::PathBuf;

use datafusion::execution::context::{SQLOptions, SessionContext};
use esteira::Error;
use rustyline::error::ReadlineError;

use super::lake;
use crate::arguments::{RowFormat, SqlArguments};
use crate::failure;
use crate::output;

const HELP: &str = "\
\\d           the tables
\\d TABLE     a table's columns
\\format F    table, csv or json
\\refresh     read the newest batch
\\q           leave
Anything else is SQL and ends with a semicolon.";

pub(super) async fn run(arguments: SqlArguments) -> anyhow::Result<()> {
    let bucket = arguments.place.bucket.clone();
    let session = session(&arguments.pipeline, &bucket).await?;
    match &arguments.query {
        Some(query) => ask(&session.context, query, arguments.format).await,
        None => shell(session, &arguments).await,
    }
}

struct Session {
    context: SessionContext,
    tables: Vec<String>,
}

async fn session(pipeline: &str, bucket: &str) -> Result<Session, Error> {
    let lake = lake(pipeline, bucket).await?;
    Ok(Session {
        context: lake.session().await?,
        tables: lake.table_names(),
    })
}

async fn ask(context: &SessionContext, query: &str, format: RowFormat) -> anyhow::Result<()> {
    let failed = |error: datafusion::error::DataFusionError| Error::Query {
        what: "the question".to_owned(),
        reason: error.strip_backtrace(),
    };
    // Questions only: the tables are the job's to write, and a file here is nobody's.
    let options = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    let frame = context
        .sql_with_options(query, options)
        .await
        .map_err(failed)?;
    let schema = std::sync::Arc::new(frame.schema().as_arrow().clone());
    let rows = frame.collect().await.map_err(failed)?;
    output::rows(&schema, &rows, format)
}

async fn shell(mut session: Session, arguments: &SqlArguments) -> anyhow::Result<()> {
    let mut editor = rustyline::DefaultEditor::new()?;
    let history = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".esteira_history"));
    if let Some(history) = &history {
        // There is none before the first session.
        drop(editor.load_history(history));
    }
    output::line(&format!(
        "tables: {}   (\\? for help)",
        session.tables.join(", ")
    ));
    let mut format = arguments.format;
    let mut pending = String::new();
    loop {
        let prompt = if pending.is_empty() {
            "esteira> "
        } else {
            "      -> "
        };
        let line = match editor.readline(prompt) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                pending.clear();
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        };
        let words: Vec<&str> = line
            .trim()
            .trim_end_matches(';')
            .split_whitespace()
            .collect();
        let outcome = match (pending.is_empty(), words.as_slice()) {
            (true, []) => Ok(()),
            (true, ["\\q" | "exit" | "quit"]) => break,
            (true, ["\\?" | "help"]) => {
                output::line(HELP);
                Ok(())
            }
            (true, ["\\d"]) => {
                output::line(&session.tables.join("\n"));
                Ok(())
            }
            (true, ["\\d", table]) => {
                ask(&session.context, &format!("DESCRIBE {table}"), format).await
            }
            (true, ["\\format", name]) => match clap::ValueEnum::from_str(name, true) {
                Ok(chosen) => {
                    format = chosen;
                    Ok(())
                }
                Err(_) => Err(failure::Failure::new(format!("`{name}` is no format"))
                    .hint("table, csv or json")
                    .into()),
            },
            (true, ["\\refresh"]) => {
                match self::session(&arguments.pipeline, &arguments.place.bucket).await {
                    Ok(newer) => {
                        session = newer;
                        Ok(())
                    }
                    Err(error) => Err(error.into()),
                }
            }
            _ => {
                pending.push_str(&line);
                pending.push('\n');
                if !line.trim_end().ends_with(';') {
                    continue;
                }
                let query = std::mem::take(&mut pending);
                editor.add_history_entry(query.trim())?;
                ask(&session.context, query.trim().trim_end_matches(';'), format).await
            }
        };
        if let Err(error) = outcome {
            // A wrong question ends only itself.
            let _code = failure::report(&error);
        }
    }
    if let Some(history) = &history {
        editor.save_history(history)?;
    }
    Ok(())
}
