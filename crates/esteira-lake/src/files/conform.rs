//! Columns as those of a table: by name, at every depth.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, ListArray, StructArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

/// The column as one of type `to`. Fields of structs go by their names, and one that is not there is null:
/// the engine's own conversion would go by their places.
///
/// # Errors
/// When the values cannot be converted.
pub fn conform(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    match (column.data_type(), to) {
        (DataType::List(_), DataType::List(element)) => {
            let (_, offsets, values, nulls) = column.as_list::<i32>().clone().into_parts();
            let values = conform(&values, element.data_type())?;
            let list = ListArray::try_new(Arc::clone(element), offsets, values, nulls)?;
            Ok(Arc::new(list))
        }
        (DataType::LargeList(element) | DataType::ListView(element), DataType::List(_)) => {
            let list = cast(column, &DataType::List(Arc::clone(element)))?;
            conform(&list, to)
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let there = column.as_struct();
            let columns = fields
                .iter()
                .map(|field| match there.column_by_name(field.name()) {
                    Some(column) => conform(column, field.data_type()),
                    None => Ok(new_null_array(field.data_type(), there.len())),
                });
            let columns = columns.collect::<Result<_, _>>()?;
            let nulls = there.nulls().cloned();
            let rows =
                StructArray::try_new_with_length(fields.clone(), columns, nulls, there.len())?;
            Ok(Arc::new(rows))
        }
        _ => cast(column, to),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, Int64Array, StringArray};
    use arrow::buffer::{NullBuffer, OffsetBuffer};
    use arrow::datatypes::{Field, Fields};

    use super::*;

    fn list(fields: Vec<Field>) -> DataType {
        let element = DataType::Struct(Fields::from(fields));
        DataType::List(Arc::new(Field::new("element", element, true)))
    }

    #[test]
    fn fields_inside_of_lists_go_by_name_and_the_new_one_is_null() {
        let fields = vec![
            Field::new("a", DataType::Int32, true),
            Field::new("b", DataType::Utf8, true),
        ];
        let items = StructArray::new(
            fields.clone().into(),
            vec![
                Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])),
                Arc::new(StringArray::from(vec!["x", "y", "z"])),
            ],
            Some(NullBuffer::from(vec![true, true, false])),
        );
        let DataType::List(element) = list(fields) else {
            unreachable!()
        };
        let offsets = OffsetBuffer::from_lengths([2, 0, 1]);
        let nulls = Some(NullBuffer::from(vec![true, false, true]));
        let there: ArrayRef = Arc::new(ListArray::new(element, offsets, Arc::new(items), nulls));
        let to = list(vec![
            Field::new("b", DataType::Utf8, true),
            Field::new("c", DataType::Boolean, true),
            Field::new("a", DataType::Int64, true),
        ]);
        // Also of a part of a column.
        for (from, rows) in [(0, 3), (1, 2)] {
            let made = conform(&there.slice(from, rows), &to).unwrap();
            assert_eq!(made.data_type(), &to);
            let made = made.as_list::<i32>();
            assert!(made.is_null(1 - from));
            let last = made.value(rows - 1);
            assert!(last.is_null(0), "an object that was null stays null");
        }
        let made = conform(&there, &to).unwrap();
        let first = made.as_list::<i32>().value(0);
        let first = first.as_struct();
        assert_eq!(
            first.column(2).as_ref(),
            &Int64Array::from(vec![Some(1), None]) as &dyn arrow::array::Array
        );
        assert_eq!(first.column(0).as_string::<i32>().value(1), "y");
        assert_eq!(first.column(1).null_count(), 2);
    }
}
