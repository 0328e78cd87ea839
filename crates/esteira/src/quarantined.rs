//! The entries of the quarantine, for reading.

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use futures::StreamExt as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::process::QUARANTINE;
use crate::why::{Origin, origins};
use crate::{Error, Lake};

/// An entry that could not become an event.
#[derive(Debug, Clone, Serialize)]
pub struct QuarantineEntry {
    /// Made from where it was: 12 hexadecimal digits.
    pub id: String,
    /// The kind of reason.
    pub reason: String,
    /// The reason in words.
    pub message: String,
    /// Where in the entry, as a JSON path.
    pub json_path: String,
    /// The line in the object, from 1.
    pub line: i64,
    /// The column in the line, from 1, in bytes.
    pub column: i64,
    /// The byte in the decompressed object, from 0.
    pub offset: i64,
    /// Where it was.
    #[serde(flatten)]
    pub origin: Origin,
    /// Where the original of its object is.
    pub raw_file: String,
    /// The batch that took it.
    pub batch: i64,
    /// Its bytes; empty when they are too many to be kept here.
    #[serde(skip)]
    pub original: Vec<u8>,
    /// Whether only the original of its object has its bytes.
    #[serde(skip)]
    pub is_apart: bool,
}

/// Calls `see` with every entry of the quarantine at the newest record.
///
/// # Errors
/// [`Error`] when the table cannot be read.
pub async fn quarantine(lake: &Lake, mut see: impl FnMut(QuarantineEntry)) -> Result<(), Error> {
    let failed = |error: datafusion::error::DataFusionError| Error::Query {
        what: "reading the quarantine".to_owned(),
        reason: error.strip_backtrace(),
    };
    let session = lake.session().await?;
    let frame = session.table(QUARANTINE).await.map_err(failed)?;
    let mut rows = frame.execute_stream().await.map_err(failed)?;
    while let Some(rows) = rows.next().await {
        for entry in entries(&rows.map_err(failed)?)? {
            see(entry);
        }
    }
    Ok(())
}

fn entries(rows: &RecordBatch) -> Result<Vec<QuarantineEntry>, Error> {
    let column = |name: &str, to: DataType| -> Result<ArrayRef, Error> {
        let failed = |reason: String| Error::Query {
            what: "reading the quarantine".to_owned(),
            reason,
        };
        let column = rows
            .column_by_name(name)
            .ok_or_else(|| failed(format!("there is no column `{name}`")))?;
        cast(column, &to).map_err(|error| failed(error.to_string()))
    };
    let text = |name| column(name, DataType::Utf8);
    let number = |name| column(name, DataType::Int64);
    let [reason, message, path, raw_file] = [
        text("reason")?,
        text("message")?,
        text("json_path")?,
        text("raw_file")?,
    ];
    let [line, place, offset, batch] = [
        number("line")?,
        number("column")?,
        number("offset")?,
        number("batch")?,
    ];
    let original = column("original", DataType::Binary)?;
    let of_text = |column: &ArrayRef, row| column.as_string::<i32>().value(row).to_owned();
    let of_number = |column: &ArrayRef, row| column.as_primitive::<Int64Type>().value(row);
    let entries = origins(rows)?.into_iter().enumerate();
    Ok(entries
        .map(|(row, origin)| QuarantineEntry {
            id: id(&origin),
            reason: of_text(&reason, row),
            message: of_text(&message, row),
            json_path: of_text(&path, row),
            line: of_number(&line, row),
            column: of_number(&place, row),
            offset: of_number(&offset, row),
            origin,
            raw_file: of_text(&raw_file, row),
            batch: of_number(&batch, row),
            original: original.as_binary::<i32>().value(row).to_vec(),
            is_apart: original.is_null(row),
        })
        .collect())
}

fn id(origin: &Origin) -> String {
    let mut digest = Sha256::new();
    digest.update(origin.source_file.as_bytes());
    digest.update([0]);
    digest.update(origin.source_modified.to_be_bytes());
    digest.update(origin.source_position.to_be_bytes());
    let digest = digest.finalize();
    let bits = digest[..6]
        .iter()
        .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    format!("{bits:012x}")
}
