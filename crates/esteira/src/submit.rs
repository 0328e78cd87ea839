//! Running a pipeline from Rust.

use std::sync::Arc;

use esteira_lake::bucket::{Bucket, Environment};
use esteira_lake::notifications::Queue;

use crate::clock::{Clock, SystemClock};
use crate::pipeline::PipelineFiles;
use crate::process::{self, Observer, RunSummary, Settings, Shutdown, Silent};
use crate::{Error, Pipeline};

/// How often a run that should end by itself is tried before it gives up.
const ATTEMPTS: u32 = 5;

type Adjustment = Box<dyn FnOnce(&mut Pipeline) + Send>;

enum Place {
    Location(String),
    Opened(Box<Bucket>),
}

/// A run that is being put together.
pub struct Submit {
    files: PipelineFiles,
    bucket: Place,
    attempts: u32,
    input: Vec<String>,
    once: bool,
    environment: Environment,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    shutdown: Shutdown,
    adjust: Vec<Adjustment>,
}

impl Submit {
    /// A run of this pipeline, on `s3://itau-shop` unless told otherwise, with the settings of the
    /// process environment, until it is stopped.
    #[must_use]
    pub fn new(files: PipelineFiles) -> Self {
        Self {
            files,
            bucket: Place::Location("s3://itau-shop".to_owned()),
            attempts: ATTEMPTS,
            input: Vec::new(),
            once: false,
            environment: Environment::of_process(),
            clock: Arc::new(SystemClock),
            observer: Arc::new(Silent),
            shutdown: Shutdown::default(),
            adjust: Vec::new(),
        }
    }

    /// Where the objects and tables are: `s3://name` or `file:///folder`.
    #[must_use]
    pub fn bucket(mut self, location: impl Into<String>) -> Self {
        self.bucket = Place::Location(location.into());
        self
    }

    /// An opened bucket instead of a location.
    #[must_use]
    pub fn opened_bucket(mut self, bucket: Bucket) -> Self {
        self.bucket = Place::Opened(Box::new(bucket));
        self
    }

    /// How often a run that should end by itself is tried when a cause may go away; 5 unless told
    /// otherwise. A continuous run never gives up.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Which objects are taken, instead of the pipeline's own paths; another path each time it is called.
    #[must_use]
    pub fn input(mut self, path: impl Into<String>) -> Self {
        self.input.push(path.into());
        self
    }

    /// Whether to end when everything that is there now has been taken.
    #[must_use]
    pub fn once(mut self, once: bool) -> Self {
        self.once = once;
        self
    }

    /// The settings to use instead of the process environment.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The clock to plan by.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who is told how far the run is.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The switch that stops the run.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Changes the loaded pipeline before it runs, for instance its limits.
    #[must_use]
    pub fn adjust(mut self, change: impl FnOnce(&mut Pipeline) + Send + 'static) -> Self {
        self.adjust.push(Box::new(change));
        self
    }

    /// Runs.
    ///
    /// # Errors
    /// [`Error`] when the pipeline is wrong, or the bucket or a table cannot be used.
    pub async fn run(self) -> Result<RunSummary, Error> {
        let mut pipeline = self.files.load().await?;
        if !self.input.is_empty() {
            pipeline = pipeline.with_input(&self.input)?;
        }
        for change in self.adjust {
            change(&mut pipeline);
        }
        // What ends by itself lists what is there, and waits for no messages.
        let told = pipeline.source.notifications.as_ref();
        let queue = match told.filter(|_| !self.once) {
            Some(told) => Some(Queue::open(&told.queue, &self.environment)?),
            None => None,
        };
        // A run is a large future; whoever awaits it should not have to carry it.
        Box::pin(process::run(Settings {
            bucket: match self.bucket {
                Place::Location(location) => Bucket::open(&location, &self.environment)?,
                Place::Opened(bucket) => *bucket,
            },
            attempts: self.attempts,
            pipeline: Arc::new(pipeline),
            queue,
            once: self.once,
            clock: self.clock,
            observer: self.observer,
            shutdown: self.shutdown,
        }))
        .await
    }
}
