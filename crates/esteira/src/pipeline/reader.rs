//! The texts of a pipeline, wherever they are, and their fingerprint.

use std::sync::Arc;

use esteira_events::EventSchema;
use sha2::{Digest as _, Sha256};

use super::file::PipelineFile;
use super::model::Source;
use super::places::{SUBMITTED, of_process};
use super::{PipelineError, PipelineFiles, table};
use crate::interface::{Declared, DeclaredSchema, ModelText, SchemaText};

/// Reads texts, and remembers what was read.
pub(super) struct Reader<'a> {
    from: Written<'a>,
    digest: Sha256,
}

/// Where the texts are.
#[derive(Clone, Copy)]
pub(super) enum Written<'a> {
    Files(&'a PipelineFiles),
    Rust(&'a Declared),
}

impl<'a> Reader<'a> {
    pub(super) fn new(from: Written<'a>) -> Self {
        Self {
            from,
            digest: Sha256::new(),
        }
    }

    /// Where it reads.
    pub(super) fn written(&self) -> Written<'a> {
        self.from
    }

    /// The same as [`text`], remembered.
    pub(super) fn read(
        &mut self,
        files: &PipelineFiles,
        path: &str,
    ) -> Result<(String, String), PipelineError> {
        let (name, text) = text(files, path)?;
        self.remember(path);
        self.remember(&text);
        Ok((name, text))
    }

    /// What an event is; nothing when that is told of elsewhere.
    pub(super) fn schema(
        &mut self,
        config: &PipelineFile,
        submitted: Option<&DeclaredSchema>,
    ) -> Result<Option<Arc<EventSchema>>, PipelineError> {
        if let Some(schema) = submitted {
            return declared(schema, SUBMITTED);
        }
        match self.from {
            Written::Rust(process) => declared(&process.schema, &of_process(&process.name)),
            Written::Files(_) if config.event.schema.is_empty() => Ok(None),
            Written::Files(files) => {
                let (name, ddl) = self.read(files, &config.event.schema)?;
                Ok(Some(Arc::new(EventSchema::parse(&ddl, &name)?)))
            }
        }
    }

    /// The model of the table that is the `index`th of `config`.
    pub(super) fn model(
        &mut self,
        config: &PipelineFile,
        index: usize,
    ) -> Result<Source, PipelineError> {
        let section = &config.tables[index];
        let process = match self.from {
            Written::Files(files) => {
                let (file, text) = self.read(files, &table::model_path(section))?;
                return Ok(Source::Sql { file, text });
            }
            Written::Rust(process) => process,
        };
        let place = format!(
            "{}, model of table `{}`",
            of_process(&process.name),
            section.name
        );
        let model = process.tables.get(index);
        match model.and_then(|table| table.model.clone()) {
            Some(ModelText::Sql(text)) => Ok(Source::Sql { file: place, text }),
            Some(ModelText::Function(function)) => Ok(Source::Function { place, function }),
            None => Err(PipelineError::Declared {
                place: of_process(&process.name),
                message: format!("table `{}` has no model", section.name),
                hint: Some("give it one with `Table::sql` or `Table::dataframe`".to_owned()),
            }),
        }
    }

    /// Takes a text into the fingerprint.
    pub(super) fn remember(&mut self, text: &str) {
        self.digest.update(text.as_bytes());
        self.digest.update([0]);
    }

    /// SHA-256 over what was read and remembered, 16 hexadecimal digits.
    pub(super) fn fingerprint(self) -> String {
        use std::fmt::Write as _;
        let digest = self.digest.finalize();
        digest[..8].iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _: Result<(), std::fmt::Error> = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A file's name for messages, and its text.
pub(super) fn text(files: &PipelineFiles, path: &str) -> Result<(String, String), PipelineError> {
    match files {
        PipelineFiles::Folder(folder) => {
            let file = folder.join(path);
            let name = file.display().to_string();
            match std::fs::read_to_string(&file) {
                Ok(text) => Ok((name, text)),
                Err(error) => Err(PipelineError::Unreadable {
                    file: name,
                    reason: error.to_string(),
                }),
            }
        }
        PipelineFiles::BuiltIn(files) => match files.iter().find(|(name, _)| *name == path) {
            Some((name, text)) => Ok(((*name).to_owned(), (*text).to_owned())),
            None => Err(PipelineError::Unreadable {
                file: path.to_owned(),
                reason: "it is not part of the built-in pipeline".to_owned(),
            }),
        },
    }
}

/// A schema that is said in Rust.
fn declared(
    schema: &DeclaredSchema,
    place: &str,
) -> Result<Option<Arc<EventSchema>>, PipelineError> {
    let place = format!("{place}, schema");
    match &schema.0 {
        SchemaText::NotSaid => Ok(None),
        SchemaText::Ddl(ddl) => Ok(Some(Arc::new(EventSchema::parse(ddl, &place)?))),
        SchemaText::Built(schema) => Ok(Some(Arc::clone(schema))),
        SchemaText::Wrong(error) => Err(error.clone().into()),
        SchemaText::Unbuilt(problem) => Err(PipelineError::Declared {
            place,
            message: problem.to_string(),
            hint: problem.hint(),
        }),
    }
}
