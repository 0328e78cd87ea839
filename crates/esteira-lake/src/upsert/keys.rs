//! Key columns as bytes that can be hashed and looked up.

use std::collections::HashMap;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};

/// Turns key columns into bytes; equal keys give equal bytes.
#[derive(Debug)]
pub(super) struct KeyEncoder {
    names: Vec<String>,
    types: Vec<DataType>,
    /// None for the usual key, one text: its own bytes do.
    rows: Option<RowConverter>,
}

/// The encoded keys of some rows.
#[derive(Debug)]
pub(super) enum EncodedKeys {
    Text(StringArray),
    Rows { rows: Rows, nulls: Vec<bool> },
}

impl EncodedKeys {
    /// The row's key; none when a key column is null.
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Text(texts) => texts.is_valid(row).then(|| texts.value(row).as_bytes()),
            Self::Rows { rows, nulls } => (!nulls[row]).then(|| rows.row(row).data()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.len(),
            Self::Rows { nulls, .. } => nulls.len(),
        }
    }
}

impl KeyEncoder {
    pub(super) fn new(names: &[String], schema: &Schema) -> Result<Self, ArrowError> {
        let types = names
            .iter()
            .map(|name| schema.field_with_name(name).map(|f| f.data_type().clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let rows = if types == [DataType::Utf8] {
            None
        } else {
            Some(RowConverter::new(
                types.iter().cloned().map(SortField::new).collect(),
            )?)
        };
        Ok(Self {
            names: names.to_vec(),
            types,
            rows,
        })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The values of the first key column that is a text, in byte order, each once; none when there
    /// is no such column.
    pub(super) fn probe(&self, keys: &KeySet) -> Result<Option<Vec<Box<[u8]>>>, ArrowError> {
        let mut values: Vec<Box<[u8]>> = match &self.rows {
            None => keys.numbers.keys().cloned().collect(),
            Some(converter) => {
                let Some(place) = self.types.iter().position(|t| *t == DataType::Utf8) else {
                    return Ok(None);
                };
                let parser = converter.parser();
                let rows = keys.numbers.keys().map(|key| parser.parse(key));
                let columns = converter.convert_rows(rows)?;
                let texts = columns[place].as_string::<i32>();
                texts
                    .iter()
                    .flatten()
                    .map(|text| text.as_bytes().into())
                    .collect()
            }
        };
        values.sort_unstable();
        values.dedup();
        Ok(Some(values))
    }

    pub(super) fn encode(&self, batch: &RecordBatch) -> Result<EncodedKeys, ArrowError> {
        let columns = self
            .names
            .iter()
            .zip(&self.types)
            .map(|(name, data_type)| {
                let column = batch.column_by_name(name).ok_or_else(|| {
                    ArrowError::SchemaError(format!("key column `{name}` is missing"))
                })?;
                if column.data_type() == data_type {
                    Ok(column.clone())
                } else {
                    cast(column, data_type)
                }
            })
            .collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        match (&self.rows, columns.as_slice()) {
            (None, [texts]) => Ok(EncodedKeys::Text(texts.as_string::<i32>().clone())),
            (Some(converter), columns) => {
                let nulls = (0..batch.num_rows())
                    .map(|row| columns.iter().any(|column| column.is_null(row)))
                    .collect();
                Ok(EncodedKeys::Rows {
                    rows: converter.convert_columns(columns)?,
                    nulls,
                })
            }
            (None, _) => Err(ArrowError::SchemaError("a key needs columns".to_owned())),
        }
    }
}

/// A set of keys, each with a number from 0.
///
/// Every key of every page that is searched is looked up here, so the hash is a fast one; its seed is
/// random, because keys come from outside.
#[derive(Debug, Default)]
pub struct KeySet {
    numbers: HashMap<Box<[u8]>, u32, foldhash::quality::RandomState>,
}

impl KeySet {
    /// The key's number; a new key gets the next one.
    pub(super) fn insert(&mut self, key: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(key) {
            return number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(key.into(), number);
        number
    }

    pub(super) fn number(&self, key: &[u8]) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.numbers
            .iter()
            .map(|(key, number)| (key.as_ref(), *number))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn key_of_two_columns_is_null_when_either_is() {
        let schema = Arc::new(Schema::new(vec![
            Field::new("a", DataType::Utf8, true),
            Field::new("b", DataType::Int64, true),
        ]));
        let batch = RecordBatch::try_new(
            schema.clone(),
            vec![
                Arc::new(StringArray::from(vec![
                    Some("x"),
                    Some("x"),
                    None,
                    Some("x"),
                ])),
                Arc::new(Int64Array::from(vec![Some(1), None, Some(1), Some(1)])),
            ],
        )
        .unwrap();
        let encoder = KeyEncoder::new(&["a".into(), "b".into()], &schema).unwrap();
        let keys = encoder.encode(&batch).unwrap();
        assert_eq!(keys.get(0), keys.get(3));
        assert!(keys.get(0).is_some());
        assert_eq!(keys.get(1), None);
        assert_eq!(keys.get(2), None);
    }

    #[test]
    fn probe_is_the_first_text_of_the_key() {
        let schema = Schema::new(vec![
            Field::new("n", DataType::Int64, true),
            Field::new("t", DataType::Utf8, true),
        ]);
        let columns: [ArrayRef; 2] = [
            Arc::new(Int64Array::from(vec![2, 1, 1])),
            Arc::new(StringArray::from(vec!["b", "a", "b"])),
        ];
        let batch = RecordBatch::try_new(Arc::new(schema.clone()), columns.to_vec()).unwrap();
        let probe = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let encoder = KeyEncoder::new(&names, &schema).unwrap();
            let rows = encoder.encode(&batch).unwrap();
            let mut keys = KeySet::default();
            for row in 0..rows.len() {
                keys.insert(rows.get(row).unwrap());
            }
            encoder.probe(&keys).unwrap()
        };
        let texts: Vec<Box<[u8]>> = vec![b"a".as_slice().into(), b"b".as_slice().into()];
        assert_eq!(probe(&["t"]), Some(texts.clone()));
        assert_eq!(probe(&["n", "t"]), Some(texts));
        assert_eq!(probe(&["n"]), None);
    }

    #[test]
    fn key_set_numbers_keys_once() {
        let mut keys = KeySet::default();
        assert_eq!(keys.insert(b"b"), 0);
        assert_eq!(keys.insert(b"a"), 1);
        assert_eq!(keys.insert(b"b"), 0);
        assert_eq!(keys.number(b"a"), Some(1));
        assert_eq!(keys.number(b"c"), None);
        assert_eq!(keys.len(), 2);
    }
}
