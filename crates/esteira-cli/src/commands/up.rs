//! `esteira up`: the S3 simulator, detached or in the foreground.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use esteira_s3::{Chaos, Simulator, SimulatorConfig, SimulatorError};
use tokio::signal::unix::{SignalKind, signal};

use super::down::health;
use crate::arguments::UpArguments;
use crate::failure::Failure;
use crate::output;

/// How long a detached simulator may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn run(arguments: UpArguments) -> anyhow::Result<()> {
    if arguments.foreground {
        return foreground(arguments).await;
    }
    if arguments.port != 0
        && let Some(running) = health(arguments.port).await
    {
        let same_folder = arguments
            .dir
            .canonicalize()
            .is_ok_and(|dir| dir == Path::new(&running.dir));
        let wanted = chaos(&arguments);
        if same_folder && running.chaos != wanted {
            let kind = |chaos: Option<Chaos>| {
                chaos.map_or("without chaos".to_owned(), |chaos| format!("with {chaos}"))
            };
            return Err(Failure::new(format!(
                "the simulator runs already, {}, and is asked for {}",
                kind(running.chaos),
                kind(wanted)
            ))
            .hint(format!(
                "stop it first: esteira down --port {}",
                arguments.port
            ))
            .into());
        }
        if same_folder {
            output::line(&format!(
                "the simulator runs already (pid {}, data in {}{})",
                running.pid,
                running.dir,
                added(wanted)
            ));
            settings(arguments.port);
            return Ok(());
        }
        return Err(SimulatorError::PortTaken {
            port: arguments.port,
        })
        .context(format!(
            "a simulator with its data in `{}` runs already",
            running.dir
        ));
    }
    if arguments.port == 0 {
        return Err(Failure::new("a detached simulator needs a port of its own")
            .hint("name one with `--port`, or use `--foreground`")
            .into());
    }
    detached(&arguments).await
}

fn chaos(arguments: &UpArguments) -> Option<Chaos> {
    let seed = arguments.chaos?;
    Some(Chaos {
        seed,
        profile: arguments.chaos_profile,
    })
}

/// What a line about a simulator ends with.
fn added(chaos: Option<Chaos>) -> String {
    chaos.map_or_else(String::new, |chaos| format!(", {chaos}"))
}

async fn foreground(arguments: UpArguments) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let chaos = chaos(&arguments);
    let simulator = Simulator::start(SimulatorConfig {
        dir: arguments.dir,
        host: arguments.host,
        port: arguments.port,
        chaos,
        ..SimulatorConfig::default()
    })
    .await?;
    output::line(&format!(
        "S3 simulator at {}, data in {}{}",
        simulator.endpoint(),
        simulator.dir().display(),
        added(chaos)
    ));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    // Requests in hand may still meet some.
    let faults = simulator.shutdown().await;
    if chaos.is_some() {
        let told: Vec<String> = faults
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        output::line(&format!(
            "{} faults: {}",
            faults.values().sum::<u64>(),
            told.join(", ")
        ));
    }
    Ok(())
}

async fn detached(arguments: &UpArguments) -> anyhow::Result<()> {
    std::fs::create_dir_all(&arguments.dir).map_err(|source| SimulatorError::Folder {
        path: arguments.dir.clone(),
        source,
    })?;
    let log_path = arguments.dir.join("simulator.log");
    let log = std::fs::File::create(&log_path).map_err(|source| SimulatorError::Folder {
        path: log_path.clone(),
        source,
    })?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("up")
        .arg("--foreground")
        .arg("--dir")
        .arg(&arguments.dir)
        .args(["--port", &arguments.port.to_string()])
        .args(["--host", &arguments.host.to_string()])
        .args(chaos_arguments(arguments))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A group of its own: Ctrl-C in this terminal is not meant for it.
        .process_group(0)
        .spawn()?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        if health(arguments.port)
            .await
            .is_some_and(|running| running.pid == child.id())
        {
            output::line(&format!(
                "S3 simulator at http://{}:{} (pid {}, data in {}, log in {}{})",
                arguments.host,
                arguments.port,
                child.id(),
                arguments.dir.display(),
                log_path.display(),
                added(chaos(arguments))
            ));
            settings(arguments.port);
            return Ok(());
        }
        if has_ended(&mut child)? {
            return Err(why_it_ended(arguments, &log_path).into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Failure::new(format!(
        "the simulator does not answer on port {} after {} seconds",
        arguments.port,
        PATIENCE.as_secs()
    ))
    .hint(format!("read its log: {}", log_path.display()))
    .into())
}

/// The child makes the same faults.
fn chaos_arguments(arguments: &UpArguments) -> Vec<String> {
    let Some(chaos) = chaos(arguments) else {
        return Vec::new();
    };
    vec![
        "--chaos".to_owned(),
        chaos.seed.to_string(),
        "--chaos-profile".to_owned(),
        chaos.profile.to_string(),
    ]
}

fn has_ended(child: &mut Child) -> anyhow::Result<bool> {
    Ok(child.try_wait()?.is_some())
}

fn why_it_ended(arguments: &UpArguments, log: &Path) -> Failure {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let said = |prefix: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(prefix))
            .map(str::to_owned)
    };
    let message = said("error: ")
        .unwrap_or_else(|| format!("the simulator on port {} ended at once", arguments.port));
    let hint = said("hint: ").unwrap_or_else(|| format!("read its log: {}", log.display()));
    Failure::new(message).hint(hint)
}

fn settings(port: u16) {
    output::line("");
    output::line("Settings for this and any other S3 client:");
    output::line(&format!(
        "  export AWS_ENDPOINT_URL=http://127.0.0.1:{port}"
    ));
    output::line(
        "  export AWS_ACCESS_KEY_ID=dummy AWS_SECRET_ACCESS_KEY=dummy AWS_REGION=us-east-1",
    );
}
