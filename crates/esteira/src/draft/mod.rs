//! New pipelines: an example to begin with, or a draft from samples; and what the schema of an old one could
//! name by now.
//!
//! Comes in: a name, and maybe what samples have in common. Goes out: the files of a pipeline's folder,
//! which `check` has nothing to say against. An existing file is never written over, but for a schema that gets
//! lines more.

mod evolve;
mod from_samples;
mod sql;

use std::io;
use std::path::{Path, PathBuf};

use esteira_events::Suggestion;
use thiserror::Error;

use crate::pipeline::{NAME_RULE, is_pipeline_name, table_name};

pub use evolve::{Evolution, OfferedField, evolution};
pub use from_samples::schema_of;

const TEMPLATE: &str = include_str!("pipeline.toml");

/// A pipeline's folder that is not written yet.
#[derive(Debug, Clone)]
pub struct Draft {
    name: String,
    input: String,
    version: String,
    schema: String,
    tables: Vec<DraftTable>,
    /// Beside the pipeline: its path in the folder, and its text.
    sample: Option<(String, String)>,
}

#[derive(Debug, Clone)]
struct DraftTable {
    name: String,
    rows: Rows,
    model: String,
}

#[derive(Debug, Clone)]
enum Rows {
    Key(String),
    Head(String),
}

/// A draft that cannot be made or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DraftError {
    /// Not a pipeline's name.
    #[error("`{0}` cannot be the name of a pipeline")]
    Name(String),
    /// Something is there already.
    #[error("`{}` is there already", .0.display())]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("`{}` cannot be written: {reason}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The files of a pipeline that is part of the program.
    #[error("a pipeline that is built in cannot be changed")]
    BuiltIn,
    /// Nothing says which of two events is newer.
    #[error("no field is a timestamp in every event: nothing can be the version")]
    NoVersion {
        /// Texts and numbers whose names sound like times.
        near: Vec<String>,
    },
    /// Nothing tells what an event is about.
    #[error("no text or integer is in every event: nothing can be the key")]
    NoKey,
}

impl DraftError {
    /// The way out.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name(_) => NAME_RULE.to_owned(),
            Self::Exists(_) => "nothing is written over: choose another folder".to_owned(),
            Self::Unwritable { .. } => return None,
            Self::BuiltIn => {
                "its files are in `pipelines/` of the sources: copy the folder, and run that"
                    .to_owned()
            }
            Self::NoVersion { near } => {
                let rule = "the version is an RFC 3339 timestamp with an offset, in every event";
                if near.is_empty() {
                    rule.to_owned()
                } else {
                    format!("{rule}; these are not: {}", near.join(", "))
                }
            }
            Self::NoKey => "give samples of one kind of event, each with its id".to_owned(),
        })
    }
}

impl Draft {
    /// A small pipeline with everything explained, and an object to run it on.
    ///
    /// # Errors
    /// [`DraftError::Name`].
    pub fn example(name: &str) -> Result<Self, DraftError> {
        let table = table_of(name)?;
        Ok(Self {
            name: name.to_owned(),
            input: format!("input/{name}/**"),
            version: "updated_at".to_owned(),
            schema: include_str!("example/schema.sql").replace("{{table}}", &sql::declared(&table)),
            tables: vec![
                DraftTable {
                    name: table.clone(),
                    rows: Rows::Key("id".to_owned()),
                    model: include_str!("example/model.sql").to_owned(),
                },
                DraftTable {
                    name: table_name(&format!("{table}_items"), &[&table]),
                    rows: Rows::Head(table),
                    model: include_str!("example/items.sql").to_owned(),
                },
            ],
            sample: Some((
                format!("sample/{name}.json"),
                include_str!("example/sample.json").to_owned(),
            )),
        })
    }

    /// A pipeline for events like the samples: their objects are events of it.
    ///
    /// # Errors
    /// [`DraftError::Name`]; [`DraftError::NoKey`] and [`DraftError::NoVersion`] when no field can be one.
    pub fn of_samples(name: &str, samples: &Suggestion) -> Result<Self, DraftError> {
        from_samples::draft(name, &table_of(name)?, samples)
    }

    /// Its tables, heads first.
    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// Paths in the folder, and texts.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        let tables: String = self.tables.iter().enumerate().map(section).collect();
        let config = TEMPLATE
            .replace("{{name}}", &self.name)
            .replace("{{input}}", &self.input)
            .replace("{{version}}", &toml_text(&self.version))
            .replace("{{tables}}\n", &tables);
        let mut files = vec![
            ("pipeline.toml".to_owned(), config),
            ("schema.sql".to_owned(), self.schema.clone()),
        ];
        let models = self.tables.iter();
        files.extend(models.map(|table| {
            let path = format!("models/{}.sql", table.name);
            (path, table.model.clone())
        }));
        files.extend(self.sample.clone());
        files
    }

    /// Writes all files into `folder`, which is made.
    ///
    /// # Errors
    /// [`DraftError::Exists`] when there is something called so; [`DraftError::Unwritable`].
    pub fn write(&self, folder: &Path) -> Result<(), DraftError> {
        let failed = |file: &Path, error: &io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => DraftError::Exists(file.to_owned()),
            _ => DraftError::Unwritable {
                file: file.to_owned(),
                reason: error.to_string(),
            },
        };
        if let Some(above) = folder.parent() {
            std::fs::create_dir_all(above).map_err(|error| failed(above, &error))?;
        }
        // Made here and now, so that nothing of somebody else's is in it.
        std::fs::create_dir(folder).map_err(|error| failed(folder, &error))?;
        for (path, text) in self.files() {
            let file = folder.join(path);
            let above = file.parent().unwrap_or(folder);
            std::fs::create_dir_all(above).map_err(|error| failed(above, &error))?;
            std::fs::write(&file, text).map_err(|error| failed(&file, &error))?;
        }
        Ok(())
    }
}

fn table_of(name: &str) -> Result<String, DraftError> {
    if is_pipeline_name(name) {
        Ok(table_name(name, &[]))
    } else {
        Err(DraftError::Name(name.to_owned()))
    }
}

/// What is the same for every table is explained at the first.
fn section((index, table): (usize, &DraftTable)) -> String {
    let name = &table.name;
    let (explained, rows) = match &table.rows {
        Rows::Key(key) => (
            "# One row per key: that of its newest event. Rows whose key is null are no rows.",
            format!("key = [\"{}\"]", toml_text(key)),
        ),
        Rows::Head(head) => (
            "# All rows of the event that stands in the head, replaced as one set. The model gives the \
             head's key.",
            format!("head = \"{head}\""),
        ),
    };
    let settings = match index {
        0 => format!(
            "# `history` has every version of a key, with `valid_from` and `valid_to`; `append` has every event \
             once, and no key.\n#kind = \"latest\"\n# The events that delete their key; one that comes late cannot \
             bring it back.\n# delete_when = \"status = 'REMOVED'\"\n# The SELECT that makes its rows.\n#model = \"models/{name}.sql\"\n# Whether files that lose \
             rows are written again, for readers that know no deletion vectors.\n#copy_on_write = false\n\
             # What its rows have to fulfil, any number of times. Where it is not true: `warn` counts, `drop` \
             leaves\n# the row out, `quarantine` sets the whole event aside, `stop` ends the job.\n\
             # [[table.rule]]\n# name = \"not_negative\"\n# condition = \"amount >= 0\"\n# action = \"warn\"\n"
        ),
        _ => String::new(),
    };
    format!("{explained}\n[[table]]\nname = \"{name}\"\n{rows}\n{settings}\n")
}

/// Inside a basic string of TOML.
fn toml_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
