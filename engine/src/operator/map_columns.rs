//! Maps as lists of their entries: rows with these have a form as bytes, rows with maps have none.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use crate::error::{EngineError, Result};

pub(super) fn has_map(ty: &DataType) -> bool {
    match ty {
        DataType::Map(..) => true,
        DataType::List(item) => has_map(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_map(field.data_type())),
        _ => false,
    }
}

pub(super) fn without_maps(ty: &DataType) -> DataType {
    match ty {
        DataType::Map(entry, _) | DataType::List(entry) => DataType::List(field_without_maps(entry)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field_without_maps).collect::<Fields>()),
        other => other.clone(),
    }
}

fn field_without_maps(field: &FieldRef) -> FieldRef {
    Arc::new(Field::clone(field).with_data_type(without_maps(field.data_type())))
}

/// The values in the type that [`without_maps`] gives for theirs.
pub(super) fn to_lists(array: &ArrayRef) -> Result<ArrayRef> {
    if !has_map(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    Ok(match (array.data_type(), without_maps(array.data_type())) {
        (DataType::Map(..), DataType::List(item)) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            Arc::new(ListArray::try_new(item, map.offsets().clone(), to_lists_of(&entries)?, map.nulls().cloned())?)
        }
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            Arc::new(ListArray::try_new(item, list.offsets().clone(), to_lists(list.values())?, list.nulls().cloned())?)
        }
        (DataType::Struct(_), DataType::Struct(_)) => to_lists_of(array)?,
        (other, _) => return Err(unexpected(other)),
    })
}

fn to_lists_of(rows: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Struct(fields) = without_maps(rows.data_type()) else { return Err(unexpected(rows.data_type())) };
    let rows = rows.as_struct();
    let columns = rows.columns().iter().map(to_lists).collect::<Result<_>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(fields, columns, rows.nulls().cloned(), rows.len())?))
}

/// The way back, to the type that the values had.
pub(super) fn to_maps(array: &ArrayRef, ty: &DataType) -> Result<ArrayRef> {
    if !has_map(ty) {
        return Ok(Arc::clone(array));
    }
    let list = || array.as_list_opt::<i32>().ok_or_else(|| unexpected(array.data_type()));
    Ok(match ty {
        DataType::Map(entry, sorted) => {
            let list = list()?;
            let entries = rows_with_maps(list.values(), entry.data_type())?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(MapArray::try_new(Arc::clone(entry), offsets, entries, nulls, *sorted)?)
        }
        DataType::List(item) => {
            let list = list()?;
            let items = to_maps(list.values(), item.data_type())?;
            Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), items, list.nulls().cloned())?)
        }
        ty => Arc::new(rows_with_maps(array, ty)?),
    })
}

fn rows_with_maps(array: &ArrayRef, ty: &DataType) -> Result<StructArray> {
    let (DataType::Struct(fields), Some(rows)) = (ty, array.as_struct_opt()) else { return Err(unexpected(ty)) };
    let columns = rows.columns().iter().zip(fields).map(|(column, field)| to_maps(column, field.data_type()));
    let columns = columns.collect::<Result<_>>()?;
    Ok(StructArray::try_new_with_length(fields.clone(), columns, rows.nulls().cloned(), rows.len())?)
}

fn unexpected(ty: &DataType) -> EngineError {
    EngineError::internal("a column is no map and holds none").with_detail(ty)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};

    use crate::format::json::Json;
    use crate::format::{Format, FormatOptions};
    use crate::operator::stored_rows::RowCodec;
    use crate::types::{Field, Schema, parse_type};

    #[test]
    fn rows_with_maps_come_back_from_their_bytes() {
        let columns = [
            ("id", "INT"),
            ("m", "MAP<STRING, INT>"),
            ("list", "ARRAY<MAP<STRING, DOUBLE>>"),
            ("row", "ROW<`a` MAP<STRING, ARRAY<INT>>, `b` STRING>"),
            ("deep", "MAP<STRING, MAP<STRING, ROW<`x` INT>>>"),
        ];
        let fields: Vec<Field> = columns.iter().map(|(name, ty)| Field::new(*name, parse_type(ty).unwrap())).collect();
        let lines = [
            r#"{"id":1,"m":{"a":1,"b":null},"list":[{"x":1.5},{},null],"row":{"a":{"k":[1,null]},"b":"z"},"deep":{"o":{"i":{"x":7}}}}"#,
            r#"{"id":2,"m":{},"list":[],"row":null,"deep":null}"#,
            r#"{"id":3,"m":null,"list":null,"row":{"a":null,"b":null},"deep":{"o":null,"p":{}}}"#,
        ];
        let all: Vec<usize> = (0..fields.len()).collect();
        let mut decoder = Json.decoder(&fields, &all, &FormatOptions::default()).unwrap();
        lines.iter().for_each(|line| assert_eq!(decoder.push(line.as_bytes()), Ok(1)));
        let schema = Schema::new(fields).to_arrow();
        let rows = RecordBatch::try_new(schema.clone(), decoder.finish().unwrap().columns).unwrap();
        let codec = RowCodec::new(&schema).unwrap();
        let bytes = codec.encode(&rows).unwrap();
        let bytes: Vec<&[u8]> = (0..3).map(|row| bytes.row(row).data()).collect();
        assert_eq!(codec.batch(bytes.iter().copied()).unwrap(), rows);
        // Rows of a slice have the bytes that they have in the whole.
        let last = codec.encode(&rows.slice(2, 1)).unwrap();
        assert_eq!(last.row(0).data(), bytes[2]);
        let turned = codec.batch([bytes[2], bytes[0]].into_iter()).unwrap();
        let maps: ArrayRef = turned.column(1).clone();
        assert!(maps.is_null(0) && maps.as_map().value(1).len() == 2);
    }
}
