//! From the files of a pipeline to settings that mean something.

use std::path::Path;
use std::sync::Arc;

use esteira_events::EventSchema;
use esteira_lake::bucket::Listed;

use super::file::PipelineFile;
use super::mend::{self, Mended};
use super::outputs::Outputs;
use super::reader::Reader;
use super::settings::{self, Limits, Maintenance};
use super::source::{self, After, SourceRules};
use super::{Condition, Model, PipelineError, Rule, agree, builtin, doubts, outputs, table};
use crate::input_paths::InputPaths;

const CONFIG: &str = "pipeline.toml";

/// A checked pipeline.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its name: the process, its folders in the bucket.
    pub name: String,
    /// Which objects it takes.
    pub input: InputPaths,
    /// Which of them, and what becomes of them.
    pub source: SourceRules,
    /// The folder of its tables.
    pub tables_path: String,
    /// The folder of its originals.
    pub raw_path: String,
    /// The place of its quarantine table.
    pub quarantine_path: String,
    /// What an event is.
    pub schema: Arc<EventSchema>,
    /// The event's column that says which of two events is newer.
    pub version: String,
    /// Its tables, every head before its children.
    pub tables: Vec<TableRules>,
    /// How much it takes at once.
    pub limits: Limits,
    /// How its tables are kept small.
    pub maintenance: Maintenance,
    /// Changes when anything of the pipeline does: SHA-256 over its files, 16 hexadecimal digits.
    pub fingerprint: String,
}

/// One table of a pipeline.
#[derive(Debug, Clone)]
pub struct TableRules {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub model: Model,
    /// The columns of its key; of a child, its head's. None where every event is a row.
    pub key: Vec<String>,
    /// What its rows are.
    pub kind: TableKind,
    /// Which events delete their keys.
    pub delete_when: Option<Condition>,
    /// Whether files that lose rows are written again, for readers that know no deletion vectors.
    pub copy_on_write: bool,
    /// What its rows have to fulfil.
    pub rules: Vec<Rule>,
}

/// What the rows of a table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// One row a key, of the latest event.
    Latest,
    /// Every row of every event; rows never change.
    Append,
    /// One row a key and version, with the interval in which it was valid.
    History,
    /// All rows of the event that stands in the head, replaced as one set.
    Child {
        /// The head's name.
        head: String,
    },
}

impl TableRules {
    /// The name of the table that remembers what was deleted from the table `name`.
    pub(crate) fn deletions_name(name: &str) -> String {
        format!("{name}_deleted")
    }
}

impl Pipeline {
    /// The built-in pipeline of the marketplace's orders.
    ///
    /// # Errors
    /// None that a user can cause; the files are part of the program.
    pub fn marketing_place() -> Result<PipelineFiles, PipelineError> {
        Self::files("marketing_place")
    }

    /// The files of a pipeline: a folder, its `pipeline.toml`, or the name of a built-in one.
    ///
    /// # Errors
    /// [`PipelineError::NotFound`] when there is neither, or a file that cannot be read.
    pub fn files(name: &str) -> Result<PipelineFiles, PipelineError> {
        let path = Path::new(name);
        let folder = if path.file_name().is_some_and(|file| file == CONFIG) {
            path.parent().unwrap_or(path)
        } else {
            path
        };
        if folder.join(CONFIG).is_file() {
            return Ok(PipelineFiles::Folder(folder.to_owned()));
        }
        builtin::files(name)
            .map(PipelineFiles::BuiltIn)
            .ok_or_else(|| PipelineError::NotFound {
                name: name.to_owned(),
                known: builtin::NAMES.to_vec(),
            })
    }

    /// The table called `name`.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TableRules> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Whether an object is input: it matches the path, is nothing that the program writes, and is
    /// not the empty marker of a folder.
    #[must_use]
    pub fn takes(&self, object: &Listed) -> bool {
        let is_marker = object.key.ends_with('/') && object.size == 0;
        self.reads(&object.key) && !is_marker
    }

    /// The pipeline with other paths.
    ///
    /// # Errors
    /// [`PipelineError::Path`]; [`PipelineError::Written`] when all of one is what the pipeline writes, or
    /// what is archived would be listed.
    pub(crate) fn with_input(mut self, paths: &[String]) -> Result<Self, PipelineError> {
        self.input = InputPaths::parse(paths)?;
        let archive = self.archive_path().map(str::to_owned);
        let outputs = Outputs {
            tables: self.tables_path.clone(),
            raw: self.raw_path.clone(),
            quarantine: self.quarantine_path.clone(),
            archive: archive.clone(),
        };
        let mut held = self.input.paths().iter().map(|path| outputs.hold(path));
        let held = held.find_map(|message| message);
        let listed = || source::listed_again(&archive?, &self.input);
        match held.or_else(listed) {
            Some(message) => Err(PipelineError::Written(message)),
            None => Ok(self),
        }
    }

    /// The folder that objects are moved to once they were taken, if they are.
    pub(crate) fn archive_path(&self) -> Option<&str> {
        match &self.source.after {
            After::Archive { folder } => Some(folder),
            After::Keep | After::Delete => None,
        }
    }

    pub(super) fn reads(&self, key: &str) -> bool {
        self.input.matches(key) && !self.is_output(key)
    }

    fn is_output(&self, key: &str) -> bool {
        let below = |folder: &str| {
            key.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        below("_esteira")
            || below(&self.tables_path)
            || below(&self.raw_path)
            || below(&self.quarantine_path)
            || self.archive_path().is_some_and(below)
    }
}

/// Where the files of a pipeline are.
#[derive(Debug, Clone)]
pub enum PipelineFiles {
    /// In a folder.
    Folder(std::path::PathBuf),
    /// In the program.
    BuiltIn(&'static [builtin::File]),
}

impl PipelineFiles {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// The first [`PipelineError`], with file, line and a way out; [`PipelineFiles::check`] tells all.
    pub async fn load(&self) -> Result<Pipeline, PipelineError> {
        self.read().await.into_result()
    }

    pub(super) async fn read(&self) -> Reading {
        let mut reader = Reader::new(self);
        let (config_name, text) = match reader.read(CONFIG) {
            Ok(read) => read,
            Err(error) => return Reading::failed(vec![error]),
        };
        let Mended {
            file,
            problems: mut errors,
            places,
        } = mend::read(&config_name, &text);
        let Some(config) = file else {
            return Reading::failed(errors);
        };
        let mut doubts = Vec::new();
        settings::check(&config, &places, &mut errors, &mut doubts);
        let before = errors.len();
        let paths = source::paths(&config.source, &places, &mut errors);
        outputs::check(&config, &paths, &places, &mut errors);
        let all = paths.iter().map(|(_, path)| path.to_string());
        let input = InputPaths::parse(&all.collect::<Vec<_>>()).ok();
        let outputs = outputs::of(&config);
        let listed = input.as_ref().filter(|_| errors.len() == before);
        source::check(&config, listed, &outputs, &places, &mut errors);
        let schema = event(&mut reader, &config, &mut errors);
        let version = schema
            .as_ref()
            .filter(|schema| agree::version(&places, schema, &config.event.version, &mut errors))
            .map(|_| config.event.version.as_str());
        let mut tables: Vec<TableRules> = Vec::new();
        for (index, section) in config.tables.iter().enumerate() {
            let given = table::Given {
                places: &places,
                place: format!("table.{index}"),
                config: &config,
                schema: schema.as_deref(),
                version,
            };
            match table::rules(&mut reader, &given, section).await {
                Ok(Some(table)) => tables.push(table),
                Ok(None) => {}
                Err(problems) => errors.extend(problems),
            }
        }
        tables.sort_by_key(|table: &TableRules| matches!(table.kind, TableKind::Child { .. }));
        agree::keys(&tables, &mut errors);
        doubts.extend(tables.iter().flat_map(doubts::of));
        doubts.extend(self.unused_models(&config));
        let (Some(input), Some(schema), true) = (input, schema, errors.is_empty()) else {
            return Reading::of(None, errors, doubts);
        };
        let pipeline = Pipeline {
            input,
            source: source::of(&config.source, &outputs),
            tables_path: outputs.tables,
            raw_path: outputs.raw,
            quarantine_path: outputs.quarantine,
            schema,
            version: config.event.version.clone(),
            tables,
            limits: settings::limits(&config.limits),
            maintenance: settings::maintenance(&config.maintenance),
            fingerprint: reader.fingerprint(),
            name: config.name,
        };
        Reading::of(Some(pipeline), errors, doubts)
    }

    /// Models in the folder that no table names.
    fn unused_models(&self, config: &PipelineFile) -> Vec<PipelineError> {
        let Self::Folder(folder) = self else {
            return Vec::new();
        };
        // A folder that cannot be listed has been told of where a model in it cannot be read.
        let files = std::fs::read_dir(folder.join("models"))
            .into_iter()
            .flatten();
        let mut unused: Vec<_> = files
            .flatten()
            .map(|file| file.path())
            .filter(|file| file.extension().is_some_and(|extension| extension == "sql"))
            .filter(|file| {
                !config
                    .tables
                    .iter()
                    .any(|table| folder.join(table::model_path(table)) == *file)
            })
            .map(|file| PipelineError::Wrong {
                file: file.display().to_string(),
                line: 1,
                column: 1,
                message: "no table uses this model".to_owned(),
                hint: Some(format!(
                    "add a `[[table]]` to `{CONFIG}`, or delete the file"
                )),
            })
            .collect();
        unused.sort_by_key(ToString::to_string);
        unused
    }
}

/// All that reading a pipeline's files gave.
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

/// The event's schema, if it can be read.
fn event(
    reader: &mut Reader<'_>,
    config: &PipelineFile,
    errors: &mut Vec<PipelineError>,
) -> Option<Arc<EventSchema>> {
    if config.event.schema.is_empty() {
        return None;
    }
    let read = reader.read(&config.event.schema);
    let parsed = read.and_then(|(name, ddl)| Ok(EventSchema::parse(&ddl, &name)?));
    parsed
        .map_err(|error| errors.push(error))
        .ok()
        .map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pipeline_takes_neither_folder_markers_nor_its_own_output() {
        let mut pipeline = Pipeline::marketing_place().unwrap().load().await.unwrap();
        pipeline.input = InputPaths::parse(&["**"]).unwrap();
        let takes = |key: &str, size| {
            pipeline.takes(&Listed {
                key: key.to_owned(),
                etag: String::new(),
                size,
                modified_micros: 0,
            })
        };
        assert!(takes("input/a.json", 0));
        assert!(takes("input/a/", 2));
        assert!(takes("analytics2/a.json", 2));
        assert!(!takes("input/a/", 0));
        for output in [
            "_esteira",
            "analytics",
            "raw/marketing_place",
            "quarantine/marketing_place",
        ] {
            assert!(!takes(&format!("{output}/a.json"), 2), "{output}");
        }
    }
}
