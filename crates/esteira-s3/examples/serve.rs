//! Serves a folder until Ctrl-C: `cargo run -p esteira-s3 --example serve -- [FOLDER] [PORT]`.
//!
//! For trying S3 clients by hand; the credentials are `dummy`/`dummy`.

use std::{error::Error, io::Write as _};

use esteira_s3::{Simulator, SimulatorConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut config = SimulatorConfig::default();
    if let Some(dir) = arguments.next() {
        config.dir = dir.into();
    }
    if let Some(port) = arguments.next() {
        config.port = port.parse()?;
    }
    let simulator = Simulator::start(config).await?;
    writeln!(std::io::stdout(), "serving at {}", simulator.endpoint())?;
    tokio::signal::ctrl_c().await?;
    simulator.shutdown().await;
    Ok(())
}
