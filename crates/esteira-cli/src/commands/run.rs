//! `esteira run`: the job.

use std::io::IsTerminal as _;
use std::sync::Arc;

use esteira::{Observer, Pipeline, Shutdown, Submit};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{LogFormat, RunArguments};
use crate::output::{self, JsonLog, Live};

pub(super) async fn run(arguments: RunArguments) -> anyhow::Result<()> {
    let files = Pipeline::files(&arguments.target.pipeline).map_err(esteira::Error::from)?;
    let live = match arguments.log {
        LogFormat::Auto => std::io::stderr().is_terminal() && std::io::stdout().is_terminal(),
        LogFormat::Live => true,
        LogFormat::Json => false,
    };
    let observer: Arc<dyn Observer> = if live {
        Arc::new(Live::new(&arguments.target.place.bucket))
    } else {
        Arc::new(JsonLog)
    };
    let shutdown = Shutdown::default();
    stop_on_signal(shutdown.clone())?;
    let mut submit = Submit::new(files)
        .bucket(arguments.target.place.bucket)
        .once(arguments.once)
        .observer(Arc::clone(&observer))
        .shutdown(shutdown);
    if let Some(input) = arguments.input {
        submit = submit.input(input);
    }
    let summary = submit.run().await?;
    drop(observer);
    if live {
        output::line(&format!(
            "{} batches: {} objects, {} events, {} of them quarantined",
            summary.batches, summary.objects, summary.events, summary.quarantined
        ));
    }
    Ok(())
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
