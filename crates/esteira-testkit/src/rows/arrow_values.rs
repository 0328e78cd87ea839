//! Arrow values in canonical form, see [`Row`].

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit};
use arrow::datatypes::{TimestampMicrosecondType, UInt64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value, json};

use super::sort_rows;
use crate::oracle::{Row, instant_text, rescued_value};

/// The rows of `batches` in canonical form and order, without `_processed_at`, which is the
/// batch's and not the event's; `_rescued_data` is parsed. A value of a type that no table of the
/// contract has is shown as Arrow prints it.
pub fn canonical_rows(batches: &[RecordBatch]) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in batches {
        for at in 0..batch.num_rows() {
            let mut row = Row::new();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                let name = field.name();
                match (name.as_str(), value(column, at)) {
                    ("_processed_at", _) => {}
                    ("_rescued_data", Value::String(text)) => {
                        row.insert(name.clone(), rescued_value(&text));
                    }
                    (_, value) => {
                        row.insert(name.clone(), value);
                    }
                }
            }
            rows.push(row);
        }
    }
    sort_rows(&mut rows);
    rows
}

fn value(array: &ArrayRef, at: usize) -> Value {
    if array.is_null(at) {
        return Value::Null;
    }
    let known = match array.data_type() {
        DataType::Utf8 => Some(json!(array.as_string::<i32>().value(at))),
        DataType::LargeUtf8 => Some(json!(array.as_string::<i64>().value(at))),
        DataType::Utf8View => Some(json!(array.as_string_view().value(at))),
        DataType::Binary => Some(bytes(array.as_binary::<i32>().value(at))),
        DataType::LargeBinary => Some(bytes(array.as_binary::<i64>().value(at))),
        DataType::BinaryView => Some(bytes(array.as_binary_view().value(at))),
        DataType::Boolean => Some(json!(array.as_boolean().value(at))),
        DataType::Decimal128(_, scale) => Some(decimal(
            array.as_primitive::<Decimal128Type>().value(at),
            *scale,
        )),
        DataType::List(_) => Some(list(&array.as_list::<i32>().value(at))),
        DataType::LargeList(_) => Some(list(&array.as_list::<i64>().value(at))),
        DataType::Struct(fields) => Some(Value::Object(
            fields
                .iter()
                .zip(array.as_struct().columns())
                .map(|(field, column)| (field.name().clone(), value(column, at)))
                .collect::<Map<_, _>>(),
        )),
        _ => by_cast(array, at),
    };
    known.unwrap_or_else(|| printed(array, at))
}

/// Types of which one form is enough: the single value is brought into it.
fn by_cast(array: &ArrayRef, at: usize) -> Option<Value> {
    let one = array.slice(at, 1);
    match array.data_type() {
        DataType::Dictionary(_, values) => Some(value(&cast(&one, values).ok()?, 0)),
        DataType::FixedSizeBinary(_) => Some(value(&cast(&one, &DataType::Binary).ok()?, 0)),
        DataType::FixedSizeList(field, _) => {
            Some(value(&cast(&one, &DataType::List(field.clone())).ok()?, 0))
        }
        DataType::Timestamp(_, zone) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            let one = cast(&one, &micros).ok()?;
            Some(json!(instant_text(
                one.as_primitive::<TimestampMicrosecondType>().value(0)
            )))
        }
        DataType::UInt64 => Some(json!(one.as_primitive::<UInt64Type>().value(0))),
        signed if signed.is_integer() => {
            let one = cast(&one, &DataType::Int64).ok()?;
            Some(json!(one.as_primitive::<Int64Type>().value(0)))
        }
        float if float.is_floating() => {
            let one = cast(&one, &DataType::Float64).ok()?;
            Some(json!(one.as_primitive::<Float64Type>().value(0)))
        }
        _ => None,
    }
}

fn list(elements: &ArrayRef) -> Value {
    (0..elements.len()).map(|at| value(elements, at)).collect()
}

fn bytes(bytes: &[u8]) -> Value {
    Value::String(crate::oracle::hexadecimal(bytes))
}

/// An unscaled decimal with its point put in.
fn decimal(unscaled: i128, scale: i8) -> Value {
    let sign = if unscaled < 0 { "-" } else { "" };
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale == 0 { "" } else { "." };
    Value::String(format!("{sign}{whole}{point}{fraction}"))
}

fn printed(array: &ArrayRef, at: usize) -> Value {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options);
    Value::String(formatter.map_or_else(
        |problem| format!("{}: {problem}", array.data_type()),
        |formatter| formatter.value(at).to_string(),
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BinaryArray, Decimal128Array, DictionaryArray, Int32Array, Int64Array,
        LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray, StructArray,
        TimestampMicrosecondArray, TimestampMillisecondArray,
    };
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{DataType, Field, Int32Type};
    use serde_json::{Value, json};

    use super::canonical_rows;

    fn one(column: impl arrow::array::Array + 'static) -> Value {
        let batch = RecordBatch::try_from_iter([("c", Arc::new(column) as ArrayRef)]).unwrap();
        canonical_rows(&[batch]).remove(0).remove("c").unwrap()
    }

    #[test]
    fn canonical_rows_every_text_type_is_a_string() {
        assert_eq!(one(StringArray::from(vec!["é"])), "é");
        assert_eq!(one(LargeStringArray::from(vec!["é"])), "é");
        assert_eq!(one(StringViewArray::from(vec!["é"])), "é");
        let dictionary: DictionaryArray<Int32Type> = ["é"].into_iter().collect();
        assert_eq!(one(dictionary), "é");
        assert_eq!(one(BinaryArray::from(vec![b"\x00\xff".as_slice()])), "00ff");
    }

    #[test]
    fn canonical_rows_numbers_and_instants_have_one_writing() {
        let money = |value| {
            Decimal128Array::from(vec![value])
                .with_precision_and_scale(18, 2)
                .unwrap()
        };
        assert_eq!(one(money(Some(-5))), "-0.05");
        assert_eq!(one(money(Some(2500))), "25.00");
        assert_eq!(one(money(None)), Value::Null);
        assert_eq!(one(Int64Array::from(vec![i64::MAX])), json!(i64::MAX));
        assert_eq!(one(Int32Array::from(vec![-7])), json!(-7));
        let instant = "1970-01-01T00:00:00.001000Z";
        assert_eq!(
            one(TimestampMicrosecondArray::from(vec![1000]).with_timezone("UTC")),
            instant
        );
        assert_eq!(one(TimestampMillisecondArray::from(vec![1])), instant);
    }

    #[test]
    fn canonical_rows_nested_list_is_objects_with_every_field() {
        let fields = vec![
            Field::new("z", DataType::Int64, true),
            Field::new("a", DataType::Utf8, true),
        ];
        let items = StructArray::new(
            fields.clone().into(),
            vec![
                Arc::new(Int64Array::from(vec![Some(1), None])),
                Arc::new(StringArray::from(vec![None, Some("x")])),
            ],
            None,
        );
        let lists = ListArray::new(
            Arc::new(Field::new("element", DataType::Struct(fields.into()), true)),
            OffsetBuffer::from_lengths([2]),
            Arc::new(items),
            None,
        );
        assert_eq!(
            one(lists),
            json!([{"z": 1, "a": null}, {"z": null, "a": "x"}])
        );
    }

    #[test]
    fn canonical_rows_leave_out_the_batchs_time_and_parse_rescued_data() {
        let batch = RecordBatch::try_from_iter([
            (
                "_processed_at",
                Arc::new(Int64Array::from(vec![1])) as ArrayRef,
            ),
            (
                "_rescued_data",
                Arc::new(StringArray::from(vec![r#"{"b":1, "a":[]}"#])),
            ),
        ])
        .unwrap();
        let rows = canonical_rows(&[batch]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].len(), 1);
        assert_eq!(rows[0]["_rescued_data"], json!({"a": [], "b": 1}));
    }
}
