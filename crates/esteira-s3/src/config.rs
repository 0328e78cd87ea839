//! What a simulator is told before it starts: plain data, no environment, no defaults hidden elsewhere.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use crate::Chaos;

/// Settings of a [`Simulator`](crate::Simulator).
#[derive(Clone, PartialEq, Eq)]
pub struct SimulatorConfig {
    /// Folder that holds the buckets; created when it is missing. One simulator at a time may use it.
    pub dir: PathBuf,
    /// Address to listen on.
    pub host: IpAddr,
    /// TCP port to listen on; 0 takes any free one.
    pub port: u16,
    /// The only access key id that is let in.
    pub access_key: String,
    /// The secret that belongs to `access_key`.
    pub secret_key: String,
    /// Faults on request; `None` serves every request as it should be.
    pub chaos: Option<Chaos>,
}

impl Default for SimulatorConfig {
    /// `.esteira-s3` in the current folder, on `127.0.0.1:4566`, with `dummy`/`dummy` as credentials and no
    /// chaos.
    fn default() -> Self {
        Self {
            dir: PathBuf::from(".esteira-s3"),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 4566,
            access_key: "dummy".to_owned(),
            secret_key: "dummy".to_owned(),
            chaos: None,
        }
    }
}

impl fmt::Debug for SimulatorConfig {
    /// Leaves the secret out, so that settings can be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorConfig")
            .field("dir", &self.dir)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("access_key", &self.access_key)
            .field("chaos", &self.chaos)
            .finish_non_exhaustive()
    }
}
