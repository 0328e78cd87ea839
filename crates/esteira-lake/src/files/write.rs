//! Writing data files: rows in, `add` actions with exact statistics out.
//!
//! The Delta library writes the bounds of decimals as floating point numbers. A bound that is not
//! exact makes readers skip files that hold what they look for, and one that is absent makes some lose
//! rows, so the bounds of decimals are taken here, from the rows themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::{DataType, Decimal128Type, DecimalType as _, SchemaRef};
use delta_kernel::table_properties::DataSkippingNumIndexedCols;
use deltalake::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake::kernel::{Action, Add};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{BloomFilterPosition, EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde_json::value::RawValue;

use super::sort::sort;
use super::upload::Upload;
use crate::tables::{LakeTable, TableError};

/// Bytes of rows in memory that become one file: 15 to 30 MiB when written. A file is one row group,
/// because some readers of change feeds fail on deletion vectors over several.
const FILE_BYTES: usize = 128 * 1024 * 1024;
/// A search reads the pages of the key that may hold what it looks for; smaller pages, less to read.
const ROWS_PER_PAGE: usize = 1024;
/// Of this many keys that a file does not hold, its Bloom filter lets one pass.
const BLOOM_FPP: f64 = 0.0001;
const INDEXED_COLUMNS: u64 = 32;

/// Writes rows into as many files as they need.
pub(crate) struct DataFiles<'a> {
    table: &'a LakeTable,
    /// Rows that are still to come, at most; Bloom filters are made for as many keys.
    expected: u64,
    open: Option<OpenFile>,
    actions: Vec<Action>,
}

struct OpenFile {
    writer: DeltaWriter,
    upload: Upload,
    bounds: Bounds,
    bytes: usize,
}

impl<'a> DataFiles<'a> {
    /// A writer of at most `expected` rows.
    pub(crate) fn new(table: &'a LakeTable, expected: u64) -> Self {
        Self {
            table,
            expected,
            open: None,
            actions: Vec::new(),
        }
    }

    pub(crate) async fn write(&mut self, rows: &RecordBatch) -> Result<(), TableError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let mut file = match self.open.take() {
            Some(file) => file,
            None => self.start()?,
        };
        self.expected = self.expected.saturating_sub(rows.num_rows() as u64);
        file.bounds.take(rows);
        file.bytes += rows.get_array_memory_size();
        let written = file.writer.write(rows).await;
        written.map_err(|e| self.table.delta(e))?;
        if file.bytes >= FILE_BYTES {
            self.end(file).await
        } else {
            self.open = Some(file);
            Ok(())
        }
    }

    /// Writes rows in the order of the table's key.
    pub(crate) async fn write_sorted(&mut self, rows: &RecordBatch) -> Result<(), TableError> {
        let table = self.table;
        for piece in sort(rows, &table.spec().sorted_by()).map_err(|e| table.data(&e))? {
            self.write(&piece.map_err(|e| table.data(&e))?).await?;
        }
        Ok(())
    }

    /// The files that were written.
    pub(crate) async fn close(mut self) -> Result<Vec<Action>, TableError> {
        if let Some(file) = self.open.take() {
            self.end(file).await?;
        }
        Ok(self.actions)
    }

    fn start(&self) -> Result<OpenFile, TableError> {
        let config = WriterConfig::new(
            self.table.spec().schema.clone(),
            Vec::new(),
            Some(self.properties()?),
            None,
            None,
            DataSkippingNumIndexedCols::NumColumns(INDEXED_COLUMNS),
            None,
        );
        let upload = Upload::to(self.table.inner().log_store().object_store(None));
        Ok(OpenFile {
            writer: DeltaWriter::new(Arc::new(upload.clone()), config),
            upload,
            bounds: Bounds::of(&self.table.spec().schema),
            bytes: 0,
        })
    }

    fn properties(&self) -> Result<WriterProperties, TableError> {
        let level = ZstdLevel::try_new(1).map_err(|e| self.table.data(&e))?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(None)
            .set_data_page_row_count_limit(ROWS_PER_PAGE)
            .set_bloom_filter_position(BloomFilterPosition::End)
            .set_created_by(concat!("esteira ", env!("CARGO_PKG_VERSION")).to_owned());
        for column in &self.table.spec().key {
            let path = ColumnPath::from(column.as_str());
            // A dictionary of values that never repeat is only built to be thrown away.
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_statistics_enabled(path, EnabledStatistics::Page);
        }
        if let Some(column) = self.table.spec().probe() {
            let path = ColumnPath::from(column);
            properties = properties
                .set_column_bloom_filter_enabled(path.clone(), true)
                .set_column_bloom_filter_fpp(path.clone(), BLOOM_FPP)
                .set_column_bloom_filter_max_ndv(path, self.expected.max(1));
        }
        Ok(properties.build())
    }

    async fn end(&mut self, file: OpenFile) -> Result<(), TableError> {
        let added: Vec<Add> = file.writer.close().await.map_err(|e| self.table.delta(e))?;
        let written = file.upload.outcome();
        written.map_err(|e| self.table.delta(e.into()))?;
        for mut add in added {
            if let Some(stats) = &add.stats {
                let exact = file.bounds.put_into(stats);
                add.stats = Some(exact.map_err(|e| self.table.data(&e))?);
            }
            self.actions.push(Action::Add(add));
        }
        Ok(())
    }
}

/// The least and greatest unscaled value of each decimal column.
struct Bounds {
    columns: BTreeMap<String, Column>,
    /// Structs that hold decimals: their bounds are left out.
    structs: Vec<String>,
}

struct Column {
    precision: u8,
    scale: i8,
    bounds: Option<(i128, i128)>,
}

type Texts = BTreeMap<String, Box<RawValue>>;

impl Bounds {
    fn of(schema: &SchemaRef) -> Self {
        let decimals = schema.fields().iter().filter_map(|field| {
            let DataType::Decimal128(precision, scale) = field.data_type() else {
                return None;
            };
            let column = Column {
                precision: *precision,
                scale: *scale,
                bounds: None,
            };
            Some((field.name().clone(), column))
        });
        let structs = schema.fields().iter().filter(|field| {
            matches!(field.data_type(), DataType::Struct(_)) && has_decimal(field.data_type())
        });
        Self {
            columns: decimals.collect(),
            structs: structs.map(|field| field.name().clone()).collect(),
        }
    }

    fn take(&mut self, rows: &RecordBatch) {
        for (name, Column { bounds, .. }) in &mut self.columns {
            let Some(column) = rows.column_by_name(name) else {
                continue;
            };
            let values = column.as_primitive::<Decimal128Type>();
            if let (Some(low), Some(high)) = (min(values), max(values)) {
                *bounds = Some(bounds.map_or((low, high), |(l, h)| (l.min(low), h.max(high))));
            }
        }
    }

    /// The statistics (Delta protocol, *Per-file Statistics*) with these bounds, digit for digit.
    fn put_into(&self, stats: &str) -> serde_json::Result<String> {
        let mut all: Texts = serde_json::from_str(stats)?;
        for (kind, is_low) in [("minValues", true), ("maxValues", false)] {
            let mut columns: Texts = match all.get(kind) {
                Some(text) => serde_json::from_str(text.get())?,
                None => Texts::new(),
            };
            columns.retain(|name, _| !self.structs.contains(name));
            for (name, column) in &self.columns {
                columns.remove(name);
                if let Some((low, high)) = column.bounds {
                    let value = if is_low { low } else { high };
                    let text =
                        Decimal128Type::format_decimal(value, column.precision, column.scale);
                    columns.insert(name.clone(), RawValue::from_string(text)?);
                }
            }
            all.insert(kind.to_owned(), serde_json::value::to_raw_value(&columns)?);
        }
        serde_json::to_string(&all)
    }
}

fn has_decimal(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal128(..) => true,
        DataType::Struct(fields) => fields.iter().any(|field| has_decimal(field.data_type())),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Decimal128Array};
    use arrow::datatypes::{Field, Schema};

    use super::*;

    #[test]
    fn statistics_hold_the_bounds_of_decimals_digit_for_digit() {
        let money = |name: &str| Field::new(name, DataType::Decimal128(18, 2), true);
        let schema = Arc::new(Schema::new(vec![money("vlr"), money("none")]));
        let column = |values: Vec<Option<i128>>| -> ArrayRef {
            let array = Decimal128Array::from(values);
            Arc::new(array.with_precision_and_scale(18, 2).unwrap())
        };
        let mut bounds = Bounds::of(&schema);
        for values in [
            vec![Some(1190), None],
            vec![Some(-5), Some(999_999_999_999_999_999)],
        ] {
            let none = column(vec![None; values.len()]);
            let rows = RecordBatch::try_new(schema.clone(), vec![column(values), none]);
            bounds.take(&rows.unwrap());
        }
        let stats = r#"{"numRecords":4,"minValues":{"id":"a","vlr":-0.05},"maxValues":{"id":"b","vlr":1e16},"nullCount":{"vlr":1}}"#;
        assert_eq!(
            bounds.put_into(stats).unwrap(),
            r#"{"maxValues":{"id":"b","vlr":9999999999999999.99},"minValues":{"id":"a","vlr":-0.05},"nullCount":{"vlr":1},"numRecords":4}"#
        );
    }
}
