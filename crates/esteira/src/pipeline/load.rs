//! A pipeline that is checked, and the files that one is read from.

use std::path::Path;
use std::sync::Arc;

use esteira_events::EventSchema;
use esteira_lake::bucket::Listed;

use super::file::PipelineFile;
use super::mend;
use super::outputs::Outputs;
use super::reader::text;
use super::settings::{Limits, Maintenance};
use super::source::{self, After, SourceRules};
use super::{Condition, Functions, Model, PipelineError, Rule, builtin, table};
use crate::input_paths::InputPaths;
use crate::interface::Process as _;

pub(super) const CONFIG: &str = "pipeline.toml";

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
    /// The functions of Rust that its SQL may call.
    pub functions: Functions,
    /// Changes when anything of the pipeline does: SHA-256, 16 hexadecimal digits. Of a folder it is over its
    /// files, of a process in Rust over what makes rows: schema, version, tables, models, rules. Functions
    /// and [revisions](crate::Process::revision) that are said count in both.
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
        self.definition().load().await
    }

    /// The file that declares the event.
    pub(crate) fn schema_file(&self) -> Result<SchemaFile, PipelineError> {
        let (config_name, config) = text(self, CONFIG)?;
        let mended = mend::read(&config_name, &config);
        let Some(config) = mended.file else {
            let missing = PipelineError::Unreadable {
                file: config_name.clone(),
                reason: "it is not a pipeline".to_owned(),
            };
            return Err(mended.problems.into_iter().next().unwrap_or(missing));
        };
        let (name, text) = text(self, &config.event.schema)?;
        Ok(SchemaFile {
            file: name.into(),
            is_built_in: matches!(self, Self::BuiltIn(_)),
            text,
        })
    }

    /// Models in the folder that no table names.
    pub(super) fn unused_models(&self, config: &PipelineFile) -> Vec<PipelineError> {
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

/// The file that declares the event of a pipeline.
pub(crate) struct SchemaFile {
    pub(crate) file: std::path::PathBuf,
    pub(crate) is_built_in: bool,
    pub(crate) text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pipeline_takes_neither_folder_markers_nor_its_own_output() {
        let files = Pipeline::files("marketing_place").unwrap();
        let mut pipeline = files.load().await.unwrap();
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
