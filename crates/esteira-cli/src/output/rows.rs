//! The answer to a question, as a table, CSV or JSON lines.

use std::io::Write as _;

use arrow::array::RecordBatch;
use arrow::csv;
use arrow::datatypes::SchemaRef;
use arrow::json;
use arrow::util::display::FormatOptions;
use arrow::util::pretty::pretty_format_batches_with_options;

use super::line;
use crate::arguments::RowFormat;

/// Prints rows on standard output.
pub(crate) fn rows(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    format: RowFormat,
) -> anyhow::Result<()> {
    match format {
        RowFormat::Table => {
            let options = FormatOptions::default().with_null("NULL");
            let empty = [RecordBatch::new_empty(schema.clone())];
            let shown = if batches.is_empty() { &empty } else { batches };
            line(&pretty_format_batches_with_options(shown, &options)?.to_string());
            let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
            line(&format!("{count} rows"));
        }
        RowFormat::Csv => {
            let mut writer = csv::Writer::new(std::io::stdout().lock());
            if batches.is_empty() {
                writer.write(&RecordBatch::new_empty(schema.clone()))?;
            }
            for batch in batches {
                writer.write(&flat(batch)?)?;
            }
        }
        RowFormat::Json => {
            let mut out = std::io::stdout().lock();
            let builder = json::WriterBuilder::new().with_explicit_nulls(true);
            let mut writer = builder.build::<_, json::writer::LineDelimited>(&mut out);
            for batch in batches {
                writer.write(batch)?;
            }
            writer.finish()?;
            drop(writer);
            out.flush()?;
        }
    }
    Ok(())
}

/// CSV has no nested values: they become JSON text in one cell.
fn flat(batch: &RecordBatch) -> anyhow::Result<RecordBatch> {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !field.data_type().is_nested() {
            fields.push(field.as_ref().clone());
            columns.push(column.clone());
            continue;
        }
        let alone = RecordBatch::try_new(
            Arc::new(Schema::new(vec![Field::new(
                "v",
                field.data_type().clone(),
                true,
            )])),
            vec![column.clone()],
        )?;
        let mut text = Vec::new();
        let builder = json::WriterBuilder::new().with_explicit_nulls(true);
        let mut writer = builder.build::<_, json::writer::LineDelimited>(&mut text);
        writer.write(&alone)?;
        writer.finish()?;
        drop(writer);
        let text = String::from_utf8(text)?;
        let cells = text.lines().map(|line| {
            line.strip_prefix("{\"v\":")
                .and_then(|rest| rest.strip_suffix('}'))
                .filter(|value| *value != "null")
        });
        fields.push(Field::new(field.name(), DataType::Utf8, true));
        columns.push(Arc::new(cells.collect::<StringArray>()));
    }
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}
