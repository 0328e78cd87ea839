//! Simulators that end with their test: one started by the command in the foreground, and a port that
//! nobody holds for the detached ones.

use std::net::TcpListener;
use std::path::Path;

use rustix::process::Signal;

use crate::place::{Answer, Place, Running};

/// A simulator in the foreground, on a port of its own choice.
pub(crate) struct Simulator {
    running: Running,
    endpoint: String,
    // Its working folder lives as long as it does.
    _place: Place,
}

impl Simulator {
    /// Starts one with its data in `dir`.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    /// Starts one with its data in `dir`, and with more arguments.
    pub(crate) fn start_with(dir: &Path, more: &[&str]) -> Self {
        Self::begin(dir, "0", more)
    }

    /// Starts one again, on the port that another one had.
    pub(crate) fn start_at(dir: &Path, port: &str) -> Self {
        Self::begin(dir, port, &[])
    }

    fn begin(dir: &Path, port: &str, more: &[&str]) -> Self {
        let place = Place::new();
        let dir = dir.to_str().unwrap();
        let arguments = ["up", "--foreground", "--port", port, "--dir", dir];
        let mut running = place.start(&[&arguments[..], more].concat());
        let first = running.wait_for_lines(1).remove(0);
        let endpoint = first
            .strip_prefix("S3 simulator at ")
            .and_then(|rest| rest.split(", data in ").next())
            .unwrap_or_else(|| panic!("{first}"))
            .to_owned();
        Self {
            running,
            endpoint,
            _place: place,
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn port(&self) -> &str {
        self.endpoint.rsplit(':').next().unwrap()
    }

    /// Lets a place live as long as the simulator.
    pub(crate) fn keeping(self, place: Place) -> Self {
        Self {
            _place: place,
            ..self
        }
    }

    /// Stops it as `down` does.
    pub(crate) fn stop(self) -> Answer {
        self.running.signal(Signal::TERM);
        self.running.end()
    }
}

/// A simulator with one bucket, and a place whose commands go to it.
pub(crate) fn shop() -> (Simulator, Place) {
    let data = Place::new();
    let simulator = Simulator::start(&data.path("s3"));
    let simulator = Simulator {
        _place: data,
        ..simulator
    };
    let place = Place::at(simulator.endpoint());
    place.ask(&["bucket", "create", "itau-shop"]);
    (simulator, place)
}

/// The number of a port that is free now.
pub(crate) fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}
