//! `esteira down`: stops the simulator on a port, and nothing else that may listen there.

use std::time::Duration;

use esteira_s3::{Chaos, HEALTH_PATH};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::arguments::DownArguments;
use crate::failure::Failure;
use crate::output;

const PATIENCE: Duration = Duration::from_secs(15);

/// What a running simulator says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Running {
    pub(super) service: String,
    pub(super) dir: String,
    pub(super) pid: u32,
    #[serde(default)]
    pub(super) chaos: Option<Chaos>,
}

pub(super) async fn run(arguments: &DownArguments) -> anyhow::Result<()> {
    let port = arguments.port;
    let Some(running) = health(port).await else {
        output::line(&format!("no simulator runs on port {port}"));
        return Ok(());
    };
    let pid = i32::try_from(running.pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| Failure::new(format!("the simulator names no process: {}", running.pid)))?;
    kill_process(pid, Signal::TERM).map_err(|error| {
        Failure::new(format!(
            "process {} cannot be stopped: {error}",
            running.pid
        ))
    })?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        if health(port).await.is_none() {
            output::line(&format!(
                "stopped the simulator on port {port}; its data stays in {}",
                running.dir
            ));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(
        Failure::new(format!("the simulator (pid {}) does not stop", running.pid))
            .hint(format!("end it by force: kill -9 {}", running.pid))
            .into(),
    )
}

/// Asks whoever listens on the port whether it is a simulator.
pub(super) async fn health(port: u16) -> Option<Running> {
    tokio::time::timeout(Duration::from_secs(2), ask(port))
        .await
        .ok()?
        .filter(|running| running.service == "esteira-s3")
}

async fn ask(port: u16) -> Option<Running> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!(
        "GET {HEALTH_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    // Whoever listens there may be anybody: a simulator's answer is short.
    stream.take(64 * 1024).read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let body = &answer[answer.find('{')?..=answer.rfind('}')?];
    serde_json::from_str(body).ok()
}
