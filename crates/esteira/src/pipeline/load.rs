//! From the files of a pipeline to settings that mean something.

use std::path::Path;
use std::sync::Arc;

use esteira_events::{DataType, EventSchema};
use esteira_lake::bucket::Listed;
use sha2::{Digest as _, Sha256};

use super::file;
use super::settings::{self, Limits, Maintenance};
use super::{Condition, Model, PipelineError, builtin, table};
use crate::path_pattern::PathPattern;

const CONFIG: &str = "pipeline.toml";

/// A checked pipeline.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its name: the process, its folders in the bucket.
    pub name: String,
    /// Which objects it takes.
    pub input: PathPattern,
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
        self.input.matches(&object.key) && !self.is_output(&object.key) && !is_marker
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
    /// [`PipelineError`] with file, line and a way out.
    pub async fn load(&self) -> Result<Pipeline, PipelineError> {
        let mut reader = Reader {
            files: self,
            digest: Sha256::new(),
        };
        let (config_name, text) = reader.read(CONFIG)?;
        let config = file::parse(&config_name, &text)?;
        let (schema_name, ddl) = reader.read(&config.event.schema)?;
        let schema = Arc::new(EventSchema::parse(&ddl, &schema_name)?);
        let checks = Checks {
            file: &config_name,
            text: &text,
        };
        checks.version(&schema, &config.event.version)?;
        let mut tables = Vec::new();
        for section in &config.tables {
            let rules = table::rules(&mut reader, &checks, &config, section, &schema);
            tables.push(rules.await?);
        }
        tables.sort_by_key(|table: &TableRules| matches!(table.kind, TableKind::Child { .. }));
        let or = |given: &Option<String>, default: String| {
            given
                .as_deref()
                .map_or(default, |path| path.trim_matches('/').to_owned())
        };
        let name = &config.name;
        Ok(Pipeline {
            input: PathPattern::parse(&config.source.path)?,
            tables_path: or(&config.output.tables, "analytics".to_owned()),
            raw_path: or(&config.output.raw, format!("raw/{name}")),
            quarantine_path: or(&config.output.quarantine, format!("quarantine/{name}")),
            schema,
            version: config.event.version.clone(),
            tables,
            limits: settings::limits(&config.limits),
            maintenance: settings::maintenance(&config.maintenance),
            fingerprint: reader.fingerprint(),
            name: config.name,
        })
    }
}

/// Checks whose errors point into `pipeline.toml`.
pub(super) struct Checks<'a> {
    file: &'a str,
    text: &'a str,
}

impl Checks<'_> {
    fn version(&self, schema: &EventSchema, version: &str) -> Result<(), PipelineError> {
        let field = schema.fields().iter().find(|field| field.name == version);
        match field {
            Some(field) if field.required && field.data_type == DataType::Timestamp => Ok(()),
            Some(_) => Err(self.wrong(
                version,
                format!("`{version}` cannot be the version: it has to be a TIMESTAMP NOT NULL"),
            )),
            None => Err(self.wrong(
                version,
                format!("`{version}` cannot be the version: the event has no such field"),
            )),
        }
    }

    /// The error of the value `at`, where it first stands.
    pub(super) fn wrong(&self, at: &str, message: String) -> PipelineError {
        let offset = self.text.find(&format!("\"{at}\"")).unwrap_or(0);
        let (line, column) = file::line_and_column(self.text, offset);
        PipelineError::Wrong {
            file: self.file.to_owned(),
            line,
            column,
            message,
            hint: None,
        }
    }
}

pub(super) struct Reader<'a> {
    files: &'a PipelineFiles,
    digest: Sha256,
}

impl Reader<'_> {
    /// A file's name for messages, and its text.
    pub(super) fn read(&mut self, path: &str) -> Result<(String, String), PipelineError> {
        let (name, text) = match self.files {
            PipelineFiles::Folder(folder) => {
                let file = folder.join(path);
                let name = file.display().to_string();
                let text =
                    std::fs::read_to_string(&file).map_err(|error| PipelineError::Unreadable {
                        file: name.clone(),
                        reason: error.to_string(),
                    })?;
                (name, text)
            }
            PipelineFiles::BuiltIn(files) => {
                let text = files.iter().find(|(name, _)| *name == path);
                let (name, text) = text.ok_or_else(|| PipelineError::Unreadable {
                    file: path.to_owned(),
                    reason: "it is not part of the built-in pipeline".to_owned(),
                })?;
                ((*name).to_owned(), (*text).to_owned())
            }
        };
        for part in [path, text.as_str()] {
            self.digest.update(part.as_bytes());
            self.digest.update([0]);
        }
        Ok((name, text))
    }

    fn fingerprint(self) -> String {
        use std::fmt::Write as _;
        let digest = self.digest.finalize();
        digest[..8].iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _: Result<(), std::fmt::Error> = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pipeline_takes_neither_folder_markers_nor_its_own_output() {
        let mut pipeline = Pipeline::marketing_place().unwrap().load().await.unwrap();
        pipeline.input = PathPattern::parse("**").unwrap();
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
