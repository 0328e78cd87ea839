//! What happens, for a log: one JSON line a batch on standard output, the rest on standard error.

use esteira::{Error, Observer};
use esteira_lake::ledger::Record;
use tracing_subscriber::EnvFilter;

/// Starts the log of the libraries. `RUST_LOG` decides when it is set.
pub(crate) fn start_log(verbose: u8) {
    let level = match verbose {
        0 => {
            "warn,deltalake_core::kernel::transaction=error,deltalake_core::writer::stats=error,s3s=off"
        }
        1 => "info",
        _ => "debug,hyper=info,h2=info,rustls=info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(super::colours())
        .init();
}

/// One JSON line a batch.
#[derive(Debug, Clone)]
pub(crate) struct JsonLog {
    process: String,
}

impl JsonLog {
    pub(crate) fn new(process: &str) -> Self {
        Self {
            process: process.to_owned(),
        }
    }
}

impl Observer for JsonLog {
    fn recorded(&self, record: &Record) {
        // A record was made of JSON and goes back to it.
        if let Ok(text) = serde_json::to_string(record) {
            super::line(&text);
        }
    }

    fn retrying(&self, error: &Error, seconds: u64) {
        let line = serde_json::json!({
            "process": self.process,
            "retrying_in_seconds": seconds,
            "error": error.to_string(),
            "hint": error.hint(),
        });
        super::note(&line.to_string());
    }
}
