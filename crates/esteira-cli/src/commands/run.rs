//! `esteira run`: the job, or several of them side by side.

use std::collections::{BTreeMap, HashMap};
use std::io::IsTerminal as _;
use std::sync::Arc;

use esteira::{
    Cleaned, Observer, Pipeline, PipelineFiles, RunSummary, Shutdown, Submit, check_together,
};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::arguments::{LogFormat, RunArguments};
use crate::failure::{self, Failure};
use crate::output::{self, JsonLog, LiveLines};

pub(super) async fn run(arguments: RunArguments) -> anyhow::Result<()> {
    let files: Vec<PipelineFiles> = arguments
        .pipelines
        .iter()
        .map(|name| Pipeline::files(name))
        .collect::<Result<_, _>>()
        .map_err(esteira::Error::from)?;
    if !arguments.input.is_empty() && files.len() > 1 {
        return Err(Failure::new("`--input` is for one pipeline alone")
            .hint("each takes the path of its own `pipeline.toml`")
            .code(2)
            .into());
    }
    let names = names_apart(&files).await?;
    let live = match arguments.log {
        LogFormat::Auto => std::io::stderr().is_terminal() && std::io::stdout().is_terminal(),
        LogFormat::Live => true,
        LogFormat::Json => false,
    };
    let alone = files.len() == 1;
    let lines = LiveLines::default();
    let shutdown = Shutdown::default();
    stop_on_signal(shutdown.clone())?;
    let mut runs = JoinSet::new();
    let mut places = HashMap::new();
    for (place, (name, files)) in names.iter().zip(files).enumerate() {
        let observer: Arc<dyn Observer> = if live {
            let label = if alone { "" } else { name };
            Arc::new(lines.line(label, &arguments.place.bucket))
        } else {
            Arc::new(JsonLog::new(name))
        };
        let mut submit = Submit::new()
            .process(files)
            .bucket(arguments.place.bucket.clone())
            .once(arguments.once)
            .observer(observer)
            .shutdown(shutdown.clone());
        for input in &arguments.input {
            submit = submit.input(input);
        }
        // Models compute where they are awaited: a thread for each.
        let runtime = Handle::current();
        let started = runs.spawn_blocking(move || runtime.block_on(submit.run()));
        places.insert(started.id(), place);
    }
    let mut failed = BTreeMap::new();
    while let Some(ended) = runs.join_next_with_id().await {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome.map_err(anyhow::Error::new)),
            // A bug in one lets the others finish their batches all the same.
            Err(error) => (error.id(), Err(anyhow::Error::new(error))),
        };
        let place = places[&id];
        let name = &names[place];
        match outcome {
            Ok(summary) => {
                if live {
                    output::line(&in_words(name, &summary, alone));
                }
                if arguments.once {
                    left(name, &summary, alone);
                }
            }
            Err(error) => {
                // With `--once` the others end by themselves.
                if !arguments.once {
                    shutdown.stop();
                }
                let error = if alone {
                    error
                } else {
                    error.context(format!("pipeline `{name}` failed"))
                };
                failed.insert(place, error);
            }
        }
    }
    // The exit code does not depend on which of them ended last.
    let Some((_, first)) = failed.pop_first() else {
        return Ok(());
    };
    for error in failed.values() {
        failure::show(error);
    }
    Err(first)
}

/// The names of the pipelines, which have to get along in one bucket.
async fn names_apart(files: &[PipelineFiles]) -> anyhow::Result<Vec<String>> {
    let mut pipelines = Vec::new();
    for files in files {
        pipelines.push(files.load().await.map_err(esteira::Error::from)?);
    }
    let all: Vec<&Pipeline> = pipelines.iter().collect();
    match check_together(&all).into_iter().next() {
        None => Ok(pipelines.into_iter().map(|p| p.name).collect()),
        Some(problem) => Err(Failure::new(problem)
            .hint("`esteira check` with the same pipelines tells all of it")
            .code(3)
            .into()),
    }
}

fn in_words(name: &str, summary: &RunSummary, alone: bool) -> String {
    let Cleaned {
        deleted, archived, ..
    } = summary.cleaned;
    let cleaned = match (deleted, archived) {
        (0, 0) => String::new(),
        (deleted, 0) => format!("; {deleted} objects deleted from the input"),
        (_, archived) => format!("; {archived} objects moved to the archive"),
    };
    let said = format!(
        "{} batches: {} objects, {} events, {} of them quarantined{cleaned}",
        summary.batches, summary.objects, summary.events, summary.quarantined
    );
    if alone {
        said
    } else {
        format!("{name}: {said}")
    }
}

/// Says what a run that ended by itself did not take.
fn left(name: &str, summary: &RunSummary, alone: bool) {
    let name = if alone {
        String::new()
    } else {
        format!("{name}: ")
    };
    if summary.too_young > 0 {
        output::note(&format!(
            "{name}{} objects are younger than `min_age_seconds` and left for a later run",
            summary.too_young
        ));
    }
    if summary.too_old > 0 {
        output::note(&format!(
            "{name}{} objects are older than `max_age_hours` and not taken",
            summary.too_old
        ));
    }
}

/// The first signal lets the batch in hand finish; the second ends the process as signals do, and the
/// next run picks the batch up.
fn stop_on_signal(shutdown: Shutdown) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            let code = tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
            };
            if shutdown.is_stopping() {
                std::process::exit(code);
            }
            shutdown.stop();
            output::note("stopping after the batch in hand; once more to stop at once");
        }
    });
    Ok(())
}
