//! From what a process says to a checked pipeline, or everything that is wrong with it.
//!
//! Comes in: a [`Definition`], of a folder or of Rust, and what was said about it from outside. Goes out: a
//! [`Reading`]. The invariant: both kinds pass through [`checked`], so whatever is told of one is told of the
//! other.

use super::file::PipelineFile;
use super::load::CONFIG;
use super::mend::{self, Mended};
use super::places::{Places, SUBMITTED, of_process};
use super::reader::{Reader, Written};
use super::settings::{self, Limits, Maintenance};
use super::{
    Functions, Pipeline, PipelineError, PipelineFiles, SourceRules, TableKind, TableRules, agree,
    builtin, doubts, fingerprint, outputs, source, table,
};
use crate::input_paths::InputPaths;
use crate::interface::{Base, Declared, DeclaredSchema, Definition, Said};

impl Definition {
    /// Reads and checks everything; fails with the first mistake.
    pub(crate) async fn load(&self) -> Result<Pipeline, PipelineError> {
        self.read().await.into_result()
    }

    /// Reads and checks everything.
    pub(super) async fn read(&self) -> Reading {
        match &self.base {
            Base::Files(files) => of_files(files, &self.said).await,
            Base::Rust(process) => of_rust(&process.as_ref().clone().with(&self.said)).await,
        }
    }
}

async fn of_files(files: &PipelineFiles, said: &Said) -> Reading {
    let mut reader = Reader::new(Written::Files(files));
    let (config_name, text) = match reader.read(files, CONFIG) {
        Ok(read) => read,
        Err(error) => return Reading::failed(vec![error]),
    };
    let Mended {
        file,
        problems: mut errors,
        places,
    } = mend::read(&config_name, &text);
    let Some(mut config) = file else {
        return Reading::failed(errors);
    };
    let places = Places::File {
        file: places,
        submitted: submitted(&mut config, said),
    };
    let mut doubts = Vec::new();
    settings::check(&config, &places, &mut errors, &mut doubts);
    let given = Given {
        places: &places,
        source: source::of(&config.source, &outputs::of(&config)),
        limits: settings::limits(&config.limits),
        maintenance: settings::maintenance(&config.maintenance),
        functions: Functions::check(&said.functions, SUBMITTED, &mut errors),
        revision: said.revision.as_deref().unwrap_or_default(),
        schema: said.schema.as_ref(),
        config: &config,
    };
    let mut reading = Box::pin(checked(reader, given, errors, doubts)).await;
    reading.doubts.extend(files.unused_models(&config));
    if !said.input.is_empty()
        && let Some(pipeline) = reading.pipeline.take()
    {
        match pipeline.with_input(&said.input) {
            Ok(pipeline) => reading.pipeline = Some(pipeline),
            Err(error) => reading.errors.push(error),
        }
    }
    reading
}

/// Puts into the file what was said instead of it; gives the places of that.
fn submitted(config: &mut PipelineFile, said: &Said) -> Vec<&'static str> {
    let mut places = Vec::new();
    if let Some(name) = &said.name {
        config.name.clone_from(name);
        places.push("name");
    }
    if said.output.is_some() {
        config.output.tables.clone_from(&said.output);
        places.push("output.tables");
    }
    places
}

async fn of_rust(process: &Declared) -> Reading {
    let config = process.sections();
    let places = Places::Rust { config: &config };
    let mut errors = process.missing();
    let mut doubts = Vec::new();
    let (limits, maintenance) = (process.limits, process.maintenance);
    settings::check_values(&limits, &maintenance, &places, &mut errors, &mut doubts);
    let place = of_process(&process.name);
    let given = Given {
        places: &places,
        source: process.source.clone(),
        limits,
        maintenance,
        functions: Functions::check(&process.functions, &place, &mut errors),
        revision: &process.revision,
        schema: None,
        config: &config,
    };
    let reader = Reader::new(Written::Rust(process));
    Box::pin(checked(reader, given, errors, doubts)).await
}

/// What is checked, once it is known where it is written.
struct Given<'a> {
    config: &'a PipelineFile,
    places: &'a Places<'a>,
    source: SourceRules,
    limits: Limits,
    maintenance: Maintenance,
    functions: Functions,
    revision: &'a str,
    /// Instead of the process's own.
    schema: Option<&'a DeclaredSchema>,
}

async fn checked(
    mut reader: Reader<'_>,
    given: Given<'_>,
    mut errors: Vec<PipelineError>,
    mut doubts: Vec<PipelineError>,
) -> Reading {
    let (config, places) = (given.config, given.places);
    let before = errors.len();
    let paths = source::paths(&config.source, places, &mut errors);
    outputs::check(config, &paths, places, &mut errors);
    let all = paths.iter().map(|(_, path)| path.to_string());
    let input = InputPaths::parse(&all.collect::<Vec<_>>()).ok();
    let outputs = outputs::of(config);
    let listed = input.as_ref().filter(|_| errors.len() == before);
    source::check(config, listed, &outputs, places, &mut errors);
    let schema = reader.schema(config, given.schema);
    let schema = schema.unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    let version = schema
        .as_ref()
        .filter(|schema| agree::version(places, schema, &config.event.version, &mut errors))
        .map(|_| config.event.version.as_str());
    let mut tables: Vec<TableRules> = Vec::new();
    for index in 0..config.tables.len() {
        let given = table::Given {
            places,
            index,
            config,
            schema: schema.as_deref(),
            version,
            functions: &given.functions,
        };
        match table::rules(&mut reader, &given).await {
            Ok(Some(table)) => tables.push(table),
            Ok(None) => {}
            Err(problems) => errors.extend(problems),
        }
    }
    tables.sort_by_key(|table: &TableRules| matches!(table.kind, TableKind::Child { .. }));
    agree::keys(&tables, &mut errors);
    doubts.extend(doubts::of(&tables, &given.functions));
    let (Some(input), Some(schema), true) = (input, schema, errors.is_empty()) else {
        return Reading::of(None, errors, doubts);
    };
    let mut pipeline = Pipeline {
        input,
        source: given.source,
        tables_path: outputs.tables,
        raw_path: outputs.raw,
        quarantine_path: outputs.quarantine,
        schema,
        version: config.event.version.clone(),
        tables,
        limits: given.limits,
        maintenance: given.maintenance,
        functions: given.functions,
        fingerprint: String::new(),
        name: config.name.clone(),
    };
    let schema_is_submitted = given.schema.is_some();
    pipeline.fingerprint = fingerprint::of(reader, &pipeline, schema_is_submitted, given.revision);
    Reading::of(Some(pipeline), errors, doubts)
}

/// All that reading a pipeline gave.
pub(super) struct Reading {
    /// When nothing is wrong.
    pub(super) pipeline: Option<Pipeline>,
    pub(super) errors: Vec<PipelineError>,
    /// What is most likely not meant.
    pub(super) doubts: Vec<PipelineError>,
}

impl Reading {
    fn of(
        pipeline: Option<Pipeline>,
        mut errors: Vec<PipelineError>,
        doubts: Vec<PipelineError>,
    ) -> Self {
        let mut files: Vec<Option<String>> = Vec::new();
        for error in &errors {
            let file = error.file().map(str::to_owned);
            if !files.contains(&file) {
                files.push(file);
            }
        }
        let rank = |error: &PipelineError| {
            files
                .iter()
                .position(|file| file.as_deref() == error.file())
        };
        // Stable: what is told of one place stays in the order in which it was met.
        errors.sort_by_key(|error| (rank(error), error.place()));
        Self {
            pipeline,
            errors,
            doubts,
        }
    }

    fn failed(errors: Vec<PipelineError>) -> Self {
        Self::of(None, errors, Vec::new())
    }

    fn into_result(self) -> Result<Pipeline, PipelineError> {
        match (self.pipeline, self.errors.into_iter().next()) {
            (_, Some(error)) => Err(error),
            (Some(pipeline), None) => Ok(pipeline),
            // Whoever gives no pipeline says why.
            (None, None) => Err(PipelineError::NotFound {
                name: CONFIG.to_owned(),
                known: builtin::NAMES.to_vec(),
            }),
        }
    }
}
