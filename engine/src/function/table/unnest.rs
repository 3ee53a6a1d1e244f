//! UNNEST: the elements of an array, the entries of a map, the elements of a multiset as often as they are in it.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, UInt64Array, make_array};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use datafusion_common::{DataFusionError, internal_err};

use super::{NativeTable, TableEntry, TableRows, parent};
use crate::function::{Argument, Call};
use crate::types::{Field, LogicalType, Type};

pub(super) const WITH_ORDINALITY: &str = "UNNEST WITH ORDINALITY";

pub(super) const ENTRIES: &[TableEntry] = &[
    TableEntry {
        name: "UNNEST",
        hidden: true,
        signature: "UNNEST(array, map or multiset) [WITH ORDINALITY]",
        summary: "One row per element, or per entry with its key and value; with its position from 1 as the last column.",
        resolve,
    },
    TableEntry {
        name: WITH_ORDINALITY,
        hidden: true,
        signature: "UNNEST(array, map or multiset)",
        summary: "",
        resolve,
    },
];

fn resolve(name: &str, args: &[Argument]) -> Option<NativeTable> {
    let [collection] = args else { return None };
    let mut columns = match &collection.ty.logical {
        LogicalType::Array(element) | LogicalType::Multiset(element) => element_columns(element),
        LogicalType::Map(key, value) => {
            vec![Field::new("KEY", key.as_ref().clone()), Field::new("VALUE", value.as_ref().clone())]
        }
        _ => return None,
    };
    if name == WITH_ORDINALITY {
        columns.push(Field::new("ORDINALITY", Type::not_null(LogicalType::Int)));
    }
    Some(NativeTable::new(name, vec![collection.ty.clone()], columns, unnest))
}

/// Rows come with a column per field.
fn element_columns(element: &Type) -> Vec<Field> {
    match &element.logical {
        LogicalType::Row(fields) => {
            let nullable = |field: &Field| field.ty.nullable || element.nullable;
            fields
                .iter()
                .map(|field| Field::new(&field.name, field.ty.clone().with_nullable(nullable(field))))
                .collect()
        }
        _ => vec![Field::new("EXPR$0", element.clone())],
    }
}

fn unnest(call: &Call) -> Result<TableRows, DataFusionError> {
    let Some(collection) = call.args.first() else { return internal_err!("UNNEST takes one argument") };
    let collection = collection.clone().into_array(call.rows)?;
    let mut rows = Unnested::default();
    let mut columns = Vec::new();
    if let Some(lists) = collection.as_list_opt::<i32>() {
        for row in 0..call.rows {
            rows.add(row, present(lists, lists.value_offsets(), row), |_| 1)?;
        }
        columns.extend(fields(&take(lists.values(), &rows.indices(), None)?)?);
    } else if let Some(map) = collection.as_map_opt() {
        let counts = matches!(call.arg_types.first().map(|ty| &ty.logical), Some(LogicalType::Multiset(_)));
        let counts = if counts { map.values().as_primitive_opt::<Int32Type>() } else { None };
        let times = |index: usize| counts.map_or(1, |counts| usize::try_from(counts.value(index)).unwrap_or(0));
        for row in 0..call.rows {
            rows.add(row, present(map, map.value_offsets(), row), times)?;
        }
        let indices = rows.indices();
        let keys = take(map.keys(), &indices, None)?;
        if counts.is_some() {
            columns.extend(fields(&keys)?);
        } else {
            columns.extend([keys, take(map.values(), &indices, None)?]);
        }
    } else {
        return internal_err!("UNNEST takes a collection");
    }
    let LogicalType::Row(wanted) = &call.return_type.logical else { return internal_err!("UNNEST gives rows") };
    if wanted.len() > columns.len() {
        columns.push(Arc::new(Int32Array::from(rows.positions)));
    }
    Ok(TableRows { parents: rows.parents, columns })
}

/// Where the elements of a row are.
fn present(array: &dyn Array, offsets: &[i32], row: usize) -> Range<usize> {
    let bounds = || {
        let start = usize::try_from(*offsets.get(row)?).ok()?;
        let end = usize::try_from(*offsets.get(row + 1)?).ok()?;
        Some(start..end)
    };
    if array.is_valid(row) { bounds().unwrap_or_default() } else { 0..0 }
}

#[derive(Default)]
struct Unnested {
    parents: Vec<u32>,
    indices: Vec<u64>,
    positions: Vec<i32>,
}

impl Unnested {
    fn add(&mut self, row: usize, range: Range<usize>, times: impl Fn(usize) -> usize) -> Result<(), DataFusionError> {
        let row = parent(row)?;
        let mut position = 0_i32;
        for index in range {
            for _ in 0..times(index) {
                position = position.saturating_add(1);
                self.parents.push(row);
                self.indices.push(index as u64);
                self.positions.push(position);
            }
        }
        Ok(())
    }

    fn indices(&self) -> UInt64Array {
        UInt64Array::from(self.indices.clone())
    }
}

/// The fields of rows; a single column of anything else. A row that is NULL has NULL fields.
fn fields(elements: &ArrayRef) -> Result<Vec<ArrayRef>, DataFusionError> {
    let Some(rows) = elements.as_struct_opt() else { return Ok(vec![Arc::clone(elements)]) };
    let field = |column: &ArrayRef| {
        let nulls = NullBuffer::union(column.nulls(), rows.nulls());
        Ok(make_array(column.to_data().into_builder().nulls(nulls).build()?))
    };
    rows.columns().iter().map(field).collect()
}
