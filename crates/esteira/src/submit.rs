//! Running a pipeline from Rust.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use esteira_lake::bucket::{Bucket, Environment};
use esteira_lake::notifications::Queue;

use crate::clock::{Clock, SystemClock};
use crate::interface::{DeclaredSchema, Definition, Process, Said};
use crate::process::{self, Observer, RunSummary, Settings, Shutdown, Silent};
use crate::{Checked, Error, Lake, Pipeline};

/// How often a run that should end by itself is tried before it gives up.
const ATTEMPTS: u32 = 5;

type Adjustment = Box<dyn FnOnce(&mut Pipeline) + Send>;

enum Place {
    Location(String),
    Opened(Box<Bucket>),
}

/// A run that is being put together.
///
/// It needs a [`process`](Submit::process) and a [`bucket`](Submit::bucket). What is said here goes before
/// what the process says.
#[must_use]
pub struct Submit {
    process: Option<Arc<dyn Process>>,
    said: Said,
    bucket: Option<Place>,
    attempts: u32,
    once: bool,
    environment: Environment,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    shutdown: Shutdown,
    adjust: Vec<Adjustment>,
}

impl Default for Submit {
    fn default() -> Self {
        Self::new()
    }
}

impl Submit {
    /// A run with the settings of the process environment, until it is stopped.
    pub fn new() -> Self {
        Self {
            process: None,
            said: Said::default(),
            bucket: None,
            attempts: ATTEMPTS,
            once: false,
            environment: Environment::of_process(),
            clock: Arc::new(SystemClock),
            observer: Arc::new(Silent),
            shutdown: Shutdown::default(),
            adjust: Vec::new(),
        }
    }

    /// What is run: a process in Rust, or the files of one ([`Pipeline::files`]).
    pub fn process(mut self, process: impl Process + 'static) -> Self {
        self.process = Some(Arc::new(process));
        self
    }

    /// The name of the process, instead of its own: the ledger and the originals are kept under it.
    pub fn process_name(mut self, name: impl Into<String>) -> Self {
        self.said.name = Some(name.into());
        self
    }

    /// What an event is, instead of what the process says: DDL, or an
    /// [`EventSchema`](crate::schema::EventSchema).
    pub fn schema(mut self, schema: impl Into<DeclaredSchema>) -> Self {
        self.said.schema = Some(schema.into());
        self
    }

    /// A function that the SQL of the process may call, beside its own: in models, rules and `delete_when`.
    /// See [`Process::functions`] for what it has to fulfil.
    pub fn function(mut self, function: impl Into<ScalarUDF>) -> Self {
        self.said.functions.push(function.into());
        self
    }

    /// A text that changes when a function answers otherwise, instead of the process's own; see
    /// [`Process::revision`].
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.said.revision = Some(revision.into());
        self
    }

    /// The folder of the tables, instead of the process's own.
    pub fn output(mut self, folder: impl Into<String>) -> Self {
        self.said.output = Some(folder.into());
        self
    }

    /// Where the objects and tables are: `s3://name` or `file:///folder`.
    pub fn bucket(mut self, location: impl Into<String>) -> Self {
        self.bucket = Some(Place::Location(location.into()));
        self
    }

    /// An opened bucket instead of a location.
    pub fn opened_bucket(mut self, bucket: Bucket) -> Self {
        self.bucket = Some(Place::Opened(Box::new(bucket)));
        self
    }

    /// How often a run that should end by itself is tried when a cause may go away; 5 unless told
    /// otherwise. A continuous run never gives up.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Which objects are taken, instead of the process's own paths; another path each time it is called.
    pub fn input(mut self, path: impl Into<String>) -> Self {
        self.said.input.push(path.into());
        self
    }

    /// Whether to end when everything that is there now has been taken.
    pub fn once(mut self, once: bool) -> Self {
        self.once = once;
        self
    }

    /// The settings to use instead of the process environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The clock to plan by.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who is told how far the run is.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The switch that stops the run.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Changes the loaded pipeline before it runs, for instance its limits. What is changed here is not
    /// checked.
    pub fn adjust(mut self, change: impl FnOnce(&mut Pipeline) + Send + 'static) -> Self {
        self.adjust.push(Box::new(change));
        self
    }

    /// Checks everything about the process, and tells all that can be found: nothing in a bucket is read.
    ///
    /// # Errors
    /// [`Error::NotSaid`] without a process.
    pub async fn check(self) -> Result<Checked, Error> {
        let mut checked = self.definition()?.check().await;
        if let Some(pipeline) = &mut checked.pipeline {
            adjusted(pipeline, self.adjust);
        }
        Ok(checked)
    }

    /// The checked pipeline that would run.
    ///
    /// # Errors
    /// [`Error::NotSaid`] without a process; [`Error::Pipeline`] with the first thing that is wrong.
    pub async fn load(self) -> Result<Pipeline, Error> {
        let mut pipeline = self.definition()?.load().await?;
        adjusted(&mut pipeline, self.adjust);
        Ok(pipeline)
    }

    /// What it made so far, for reading: questions, and [`verify`](crate::verify),
    /// [`replay`](crate::replay), [`why`](crate::why), [`status`](crate::status),
    /// [`retry`](crate::retry), [`optimize`](crate::optimize), [`vacuum`](crate::vacuum).
    ///
    /// # Errors
    /// As [`load`](Submit::load); [`Error`] when the bucket cannot be used.
    pub async fn lake(mut self) -> Result<Lake, Error> {
        let bucket = opened(self.bucket.take(), &self.environment)?;
        Lake::open(self.load().await?, bucket).await
    }

    /// Runs.
    ///
    /// # Errors
    /// [`Error`] when something is missing, the process is wrong, or the bucket or a table cannot be used.
    pub async fn run(self) -> Result<RunSummary, Error> {
        let mut pipeline = self.definition()?.load().await?;
        adjusted(&mut pipeline, self.adjust);
        // What ends by itself lists what is there, and waits for no messages.
        let told = pipeline.source.notifications.as_ref();
        let queue = match told.filter(|_| !self.once) {
            Some(told) => Some(Queue::open(&told.queue, &self.environment)?),
            None => None,
        };
        // A run is a large future; whoever awaits it should not have to carry it.
        Box::pin(process::run(Settings {
            bucket: opened(self.bucket, &self.environment)?,
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

    /// What the process says, and what was said instead.
    fn definition(&self) -> Result<Definition, Error> {
        let process = self.process.as_ref().ok_or(Error::NotSaid {
            what: "what to run",
            hint: "`Submit::process` takes a type with `Process`, or the files of `Pipeline::files`",
        })?;
        let mut definition = process.definition();
        definition.said.before(&self.said);
        Ok(definition)
    }
}

fn adjusted(pipeline: &mut Pipeline, changes: Vec<Adjustment>) {
    for change in changes {
        change(pipeline);
    }
}

fn opened(place: Option<Place>, environment: &Environment) -> Result<Bucket, Error> {
    match place {
        Some(Place::Location(location)) => Ok(Bucket::open(&location, environment)?),
        Some(Place::Opened(bucket)) => Ok(*bucket),
        None => Err(Error::NotSaid {
            what: "which bucket to run on",
            hint: "`Submit::bucket`, for instance `s3://name` or `file:///folder`",
        }),
    }
}
