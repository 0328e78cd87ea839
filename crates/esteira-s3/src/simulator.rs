//! The running server: binds, accepts, serves each connection in its own task, and stops on request.
//!
//! Comes in: a [`SimulatorConfig`]. Goes out: a handle. Invariant: once [`Simulator::start`] returns, the
//! port answers. What a request means belongs to `protocol`, who may send one to `gate`.

use std::{
    collections::BTreeMap, fmt::Display, io, net::SocketAddr, path::PathBuf, sync::Arc,
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{
        conn::auto,
        graceful::{GracefulConnection, GracefulShutdown, Watcher},
    },
};
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{
    SimulatorConfig, SimulatorError,
    chaos::{Cut, Faulty, Weather, Wire},
    gate::{BucketNames, Gate, OneUser, Pulse},
    protocol::Protocol,
    store::{Clock, Store},
};

/// Requests that still run after this long are cut off by a shutdown.
const GRACE: Duration = Duration::from_secs(10);

/// A running S3 simulator.
///
/// It serves in background tasks of the runtime it was started on. Dropping it stops it, without waiting
/// for requests that still run.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    dir: PathBuf,
    weather: Option<Arc<Weather>>,
    /// Told (or dropped) once to stop accepting.
    stop: watch::Sender<bool>,
    /// Ends when the last connection has; `None` once it was waited for.
    server: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Opens the folder, finds what it holds, binds the port and begins to serve.
    ///
    /// # Errors
    /// When the port is taken or cannot be listened on, or the folder cannot be used or is in use by
    /// another simulator.
    pub async fn start(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        let listener = listen(&config).await?;
        let address = listener
            .local_addr()
            .map_err(|source| SimulatorError::Listen {
                host: config.host,
                port: config.port,
                source,
            })?;
        let store = open_store(config.dir.clone(), clock(&config)).await?;
        let dir = store.dir().to_owned();
        let weather = config.chaos.map(|chaos| Arc::new(Weather::of(chaos)));
        let service = service(&config, store, weather.clone());
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, service, weather.clone(), stopped));
        tracing::info!(%address, dir = %dir.display(), "simulator listens");
        Ok(Self {
            address,
            dir,
            weather,
            stop,
            server: Some(server),
        })
    }

    /// The endpoint URL for S3 clients, such as `http://127.0.0.1:4566`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The TCP port it listens on; the real one where any was asked for.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Absolute path of the folder that holds the buckets.
    pub fn dir(&self) -> &std::path::Path {
        &self.dir
    }

    /// How many faults it has made on request so far, by kind; empty without chaos.
    pub fn faults(&self) -> BTreeMap<String, u64> {
        let weather = self.weather.as_deref();
        weather.map(Weather::faults).unwrap_or_default()
    }

    /// Stops accepting, lets running requests end (for at most 10 seconds), and returns when all is
    /// closed and the folder is free again. Goes out with [`Self::faults`].
    pub async fn shutdown(mut self) -> BTreeMap<String, u64> {
        self.stop.send_replace(true);
        self.join().await;
        self.faults()
    }

    /// Waits until the server has ended, which it does not on its own; may be dropped and called again.
    pub async fn join(&mut self) {
        if let Some(server) = &mut self.server {
            if let Err(error) = server.await {
                tracing::error!(%error, "the simulator's server ended abnormally");
            }
            self.server = None;
        }
    }
}

async fn listen(config: &SimulatorConfig) -> Result<TcpListener, SimulatorError> {
    let (host, port) = (config.host, config.port);
    TcpListener::bind((host, port))
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => SimulatorError::PortTaken { port },
            _ => SimulatorError::Listen { host, port, source },
        })
}

/// With chaos, objects are written by clocks that are off.
fn clock(config: &SimulatorConfig) -> Clock {
    config.chaos.map_or_else(Clock::default, |chaos| {
        let most = chaos.profile.weights().skew_seconds;
        Clock::skewed(chaos.seed, Duration::from_secs(most))
    })
}

async fn open_store(dir: PathBuf, clock: Clock) -> Result<Arc<Store>, SimulatorError> {
    let at = dir.clone();
    match tokio::task::spawn_blocking(move || Store::open(&dir, clock)).await {
        Ok(opened) => opened.map(Arc::new),
        Err(died) => Err(SimulatorError::Folder {
            path: at,
            source: io::Error::other(died),
        }),
    }
}

fn service(
    config: &SimulatorConfig,
    store: Arc<Store>,
    weather: Option<Arc<Weather>>,
) -> S3Service {
    let pulse = Pulse {
        dir: store.dir().to_owned(),
        weather,
    };
    let mut builder = S3ServiceBuilder::new(Protocol::new(store, pulse));
    builder.set_auth(OneUser::new(&config.access_key, &config.secret_key));
    builder.set_access(Gate);
    builder.set_validation(BucketNames);
    builder.build()
}

async fn serve(
    listener: TcpListener,
    service: S3Service,
    weather: Option<Arc<Weather>>,
    mut stopped: watch::Receiver<bool>,
) {
    let connections = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tasks.spawn(serve_connection(
                        stream,
                        service.clone(),
                        weather.clone(),
                        connections.watcher(),
                    ));
                }
                Err(error) => {
                    // Out of file handles, most likely: wait for some to be closed instead of spinning.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = tasks.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop((listener, service));
    if tokio::time::timeout(GRACE, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    // Whatever still runs holds the folder; nothing does once this returns.
    tasks.shutdown().await;
}

async fn serve_connection(
    stream: TcpStream,
    service: S3Service,
    weather: Option<Arc<Weather>>,
    watcher: Watcher,
) {
    // Answers are written in few large pieces; waiting to merge them only delays small ones.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    if let Some(weather) = weather {
        let cut = Cut::default();
        let wire = TokioIo::new(Wire::new(stream, cut.clone()));
        let faulty = Faulty::new(service, weather, cut);
        let connection = builder.serve_connection(wire, faulty);
        drive(connection.into_owned(), watcher).await;
    } else {
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        drive(connection.into_owned(), watcher).await;
    }
}

async fn drive<C: GracefulConnection<Error: Display>>(connection: C, watcher: Watcher) {
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended early");
    }
}
