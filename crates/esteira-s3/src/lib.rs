//! An S3 simulator: buckets in a local folder, served over the S3 protocol on loopback.
//!
//! # Layout
//! - [`SimulatorConfig`]: what the simulator is told (folder, address, credentials)
//! - [`Simulator`]: the running server; starts, says where it listens, stops
//! - [`SimulatorError`]: why it could not start, with the operator's way out
//! - [`Chaos`]: faults on request, by seed
//! - `gate`: the one place every request passes before it is served
//! - `protocol`: S3 requests and answers, one file per family of operations
//! - `hex`: bytes as text, for tokens and ETags
//! - `store`: what is kept on disk and in memory; knows nothing of HTTP

mod chaos;
mod config;
mod error;
mod gate;
mod hex;
mod protocol;
mod simulator;
mod store;

pub use chaos::{Chaos, Kind as FaultKind, MOST_IN_A_ROW, Profile};
pub use config::SimulatorConfig;
pub use error::SimulatorError;
pub use gate::{HEALTH_PATH, Health};
pub use simulator::Simulator;
