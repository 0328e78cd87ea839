//! A schema that names what its events have by now: lines to add, found in the originals.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use esteira_events::{Addition, EventSchema, LeftOut, NewField, named_paths};

use super::from_samples::one_line;
use super::{DraftError, sql};
use crate::process::{self, Sampled};
use crate::{Error, Lake, PipelineFiles};

/// Fields that a pipeline's schema could name.
#[derive(Debug, Clone)]
pub struct Evolution {
    /// Batches whose originals were looked at.
    pub batches: u64,
    /// Objects of them.
    pub objects: usize,
    /// Events in these with fields that the schema does not name.
    pub events: u64,
    /// The fields.
    pub offered: Vec<OfferedField>,
    /// What cannot be a field, and why.
    pub left_out: Vec<LeftOut>,
    /// Fields that the records count and the objects that were looked at do not have.
    pub not_met: Vec<String>,
    file: PathBuf,
    is_built_in: bool,
    extended: String,
}

/// A field that the schema could name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedField {
    /// Where it is in the event, like `$.items[].colour`.
    pub path: String,
    /// The fields that it is within, from the event on; lists are not counted.
    pub within: Vec<String>,
    /// Its line in the schema.
    pub declared: String,
    /// In how many events it was seen, and a value.
    pub comment: String,
    /// How a model selects it. `item` stands for the struct that it is in, unnested where that is in a list.
    pub selected: String,
}

impl Evolution {
    /// The schema's file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Writes the schema with the fields that are offered; everything else in it stays as it is.
    ///
    /// # Errors
    /// [`DraftError::BuiltIn`]; [`DraftError::Unwritable`].
    pub fn write(&self) -> Result<(), DraftError> {
        if self.is_built_in {
            return Err(DraftError::BuiltIn);
        }
        std::fs::write(&self.file, &self.extended).map_err(|error| DraftError::Unwritable {
            file: self.file.clone(),
            reason: error.to_string(),
        })
    }
}

/// Looks at the originals of at most `most` objects of batches whose events had fields that the schema does
/// not name, and offers these.
///
/// # Errors
/// [`Error::Original`]; [`Error`] when the pipeline's files, the bucket or the ledger cannot be read.
pub async fn evolution(
    lake: &Lake,
    files: &PipelineFiles,
    most: usize,
) -> Result<Evolution, Error> {
    let pipeline = Arc::new(lake.pipeline().clone());
    let schema = Arc::clone(&pipeline.schema);
    let sampled = process::sample(pipeline, lake.bucket().clone(), most).await?;
    let (additions, left_out) = sampled.samples.additions(&schema);
    let offered: Vec<OfferedField> = additions
        .iter()
        .map(|addition| offered(addition, &sampled))
        .collect();
    let text = files.schema_file()?;
    let fields: Vec<NewField> = offered
        .iter()
        .map(|field| NewField {
            within: field.within.clone(),
            declared: field.declared.clone(),
            comment: field.comment.clone(),
        })
        .collect();
    let name = text.file.display().to_string();
    let extended =
        EventSchema::extended(&text.text, &name, &fields).map_err(crate::PipelineError::from)?;
    // What cannot be read back is not offered.
    EventSchema::parse(&extended, &name).map_err(crate::PipelineError::from)?;
    let named = named_paths(&schema);
    let is_met = |path: &String| sampled.events_by_path.contains_key(path) || named.contains(path);
    let not_met = sampled.recorded.iter().filter(|path| !is_met(path));
    let not_met = not_met.cloned().collect();
    Ok(Evolution {
        batches: sampled.batches,
        objects: sampled.objects,
        events: sampled.events,
        left_out,
        not_met,
        offered,
        file: text.file,
        is_built_in: text.is_built_in,
        extended,
    })
}

fn offered(addition: &Addition, sampled: &Sampled) -> OfferedField {
    let field = &addition.field;
    let column = sql::column(&field.name);
    let (colon, selected) = if addition.within.is_empty() {
        ("", column)
    } else {
        (":", format!("item[{}] AS {column}", sql::text(&field.name)))
    };
    let events = sampled.events_by_path.get(&addition.path);
    let events = events.copied().unwrap_or(addition.present);
    let like = if addition.example.is_empty() {
        String::new()
    } else {
        format!(", like {}", addition.example)
    };
    OfferedField {
        path: addition.path.clone(),
        within: addition.within.clone(),
        declared: format!(
            "{}{colon} {}",
            sql::declared(&field.name),
            sql::data_type(&field.data_type, 0)
        ),
        comment: one_line(&format!("in {events} events{like}")),
        selected,
    }
}
