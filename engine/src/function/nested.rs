//! Rows, arrays and maps: making them, and reaching into them.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, ListArray, StructArray, UInt64Array, make_array, make_comparator,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, interleave, take};
use arrow::datatypes::{DataType, Int32Type};
use datafusion_common::{DataFusionError, internal_err};
use datafusion_expr::ColumnarValue;

use super::registry::{Entry, Resolver};
use super::signature::{Param, common_type};
use super::{Argument, Call, Kernel, ScalarCall};
use crate::types::{Field, LogicalType, Type};

/// The binder writes `row.field`, `array[i]`, `map[k]`, `ROW(…)` and `ARRAY[…]` as these calls.
pub(super) const ENTRIES: &[Entry] = &[
    hidden(&["."], "row.field", field),
    hidden(&["ITEM"], "array[position] or map[key]", item),
    hidden(&["ROW"], "ROW(value, …)", row),
    hidden(&["ARRAY"], "ARRAY[value, …]", array),
    hidden(&["MAP"], "MAP[key, value, …]", super::collection::map_constructor),
    Entry {
        names: &["CARDINALITY"],
        category: "collection",
        signature: "CARDINALITY(array or map)",
        summary: "How many elements it has.",
        resolver: Resolver::Custom(cardinality),
    },
];

const fn hidden(
    names: &'static [&'static str],
    signature: &'static str,
    resolve: fn(&str, &[Argument]) -> Option<ScalarCall>,
) -> Entry {
    Entry { names, category: "", signature, summary: "", resolver: Resolver::Custom(resolve) }
}

fn field(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [row, wanted] = args else { return None };
    let LogicalType::Row(fields) = &row.ty.logical else { return None };
    let wanted_name = wanted.literal.as_ref()?.as_str()?;
    let found = fields.iter().find(|field| field.name == wanted_name)?;
    let result = found.ty.clone().with_nullable(found.ty.nullable || row.ty.nullable);
    Some(ScalarCall::new(name, vec![row.ty.clone(), wanted.ty.clone()], result, Kernel::Native(take_field)))
}

fn item(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [collection, index] = args else { return None };
    let (element, index_type, kernel): (_, _, super::NativeFn) = match &collection.ty.logical {
        LogicalType::Array(element) => {
            // Positions count from 1; a constant below is a mistake.
            if index.literal.as_ref().and_then(crate::expr::Value::as_i64).is_some_and(|position| position < 1) {
                return None;
            }
            (element, Param::Int.accept(&index.ty)?, element_at)
        }
        LogicalType::Map(key, value) => {
            let common = common_type(key, &index.ty)?;
            let same = common.logical.to_arrow() == key.logical.to_arrow();
            (value, same.then(|| key.as_ref().clone().with_nullable(index.ty.nullable))?, value_of_key)
        }
        _ => return None,
    };
    let result = element.as_ref().clone().with_nullable(true);
    Some(ScalarCall::new(name, vec![collection.ty.clone(), index_type], result, Kernel::Native(kernel)))
}

fn row(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let fields = args
        .iter()
        .enumerate()
        .map(|(index, arg)| Field::new(format!("EXPR${index}"), arg.ty.clone()))
        .collect::<Vec<_>>();
    let untyped = args.is_empty() || args.iter().any(|arg| arg.ty.logical == LogicalType::Null);
    let types = args.iter().map(|arg| arg.ty.clone()).collect();
    (!untyped).then(|| ScalarCall::new(name, types, Type::not_null(LogicalType::Row(fields)), Kernel::Native(make_row)))
}

fn array(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let (first, rest) = args.split_first()?;
    let element = rest.iter().try_fold(first.ty.clone(), |common, arg| common_type(&common, &arg.ty))?;
    if element.logical == LogicalType::Null {
        return None;
    }
    let types = args.iter().map(|arg| element.clone().with_nullable(arg.ty.nullable)).collect();
    Some(ScalarCall::new(name, types, Type::not_null(LogicalType::Array(Box::new(element))), Kernel::Native(make_list)))
}

fn cardinality(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [collection] = args else { return None };
    let counted =
        matches!(collection.ty.logical, LogicalType::Array(_) | LogicalType::Map(..) | LogicalType::Multiset(_));
    let result = Type::new(LogicalType::Int, collection.ty.nullable);
    counted.then(|| ScalarCall::new(name, vec![collection.ty.clone()], result, Kernel::Native(count)))
}

fn arrays(call: &Call) -> Result<Vec<ArrayRef>, DataFusionError> {
    call.args.iter().map(|arg| arg.clone().into_array(call.rows)).collect()
}

/// NULL where the row itself is.
fn take_field(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (rows, constant) = call.array(0)?;
    let name = call.texts(1)?;
    let (Some(rows), Some(name)) = (rows.as_struct_opt(), name.get(0)) else {
        return internal_err!("a field was taken of something that is no row");
    };
    let Some(column) = rows.column_by_name(name) else { return internal_err!("a row has no field of that name") };
    let nulls = NullBuffer::union(column.nulls(), rows.nulls());
    let values = make_array(column.to_data().into_builder().nulls(nulls).build()?);
    if constant {
        let repeat: UInt64Array = (0..call.rows).map(|_| Some(0)).collect();
        return Ok(ColumnarValue::Array(take(&values, &repeat, None)?));
    }
    Ok(ColumnarValue::Array(values))
}

/// NULL beyond either end.
fn element_at(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let arrays = arrays(call)?;
    let [lists, positions] = arrays.as_slice() else { return internal_err!("element access takes two arguments") };
    let (Some(lists), Some(positions)) = (lists.as_list_opt::<i32>(), positions.as_primitive_opt::<Int32Type>()) else {
        return internal_err!("element access takes a list and a position");
    };
    let offsets = lists.value_offsets();
    let at = |row: usize| {
        let position = (lists.is_valid(row) && positions.is_valid(row)).then(|| positions.value(row))?;
        let (start, end) = (*offsets.get(row)?, *offsets.get(row + 1)?);
        let index = start.checked_add(position.checked_sub(1)?)?;
        (position >= 1 && index < end).then(|| u64::try_from(index).ok()).flatten()
    };
    let indices: UInt64Array = (0..call.rows).map(at).collect();
    Ok(ColumnarValue::Array(take(lists.values(), &indices, None)?))
}

/// NULL for a key that is not there.
fn value_of_key(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let arrays = arrays(call)?;
    let [maps, wanted] = arrays.as_slice() else { return internal_err!("map access takes two arguments") };
    let Some(maps) = maps.as_map_opt() else { return internal_err!("map access takes a map") };
    let compare = make_comparator(maps.keys(), wanted, SortOptions::default())?;
    let offsets = maps.value_offsets();
    let at = |row: usize| {
        if maps.is_null(row) || wanted.is_null(row) {
            return None;
        }
        let (start, end) = (usize::try_from(*offsets.get(row)?).ok()?, usize::try_from(*offsets.get(row + 1)?).ok()?);
        (start..end).find(|entry| compare(*entry, row) == Ordering::Equal).map(|entry| entry as u64)
    };
    let indices: UInt64Array = (0..call.rows).map(at).collect();
    Ok(ColumnarValue::Array(take(maps.values(), &indices, None)?))
}

fn make_row(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let DataType::Struct(fields) = call.return_type.logical.to_arrow() else { return internal_err!("ROW makes rows") };
    Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields, arrays(call)?, None)?)))
}

fn make_list(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let arrays = arrays(call)?;
    let DataType::List(item) = call.return_type.logical.to_arrow() else { return internal_err!("ARRAY makes lists") };
    let indices: Vec<(usize, usize)> =
        (0..call.rows).flat_map(|row| (0..arrays.len()).map(move |column| (column, row))).collect();
    let columns: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let values = interleave(&columns, &indices)?;
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(arrays.len(), call.rows));
    Ok(ColumnarValue::Array(Arc::new(ListArray::try_new(item, offsets, values, None)?)))
}

fn count(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let arrays = arrays(call)?;
    let [collection] = arrays.as_slice() else { return internal_err!("CARDINALITY takes one argument") };
    let lengths = |offsets: &[i32]| {
        offsets.windows(2).map(|pair| pair.iter().rev().copied().reduce(|end, start| end - start)).collect::<Vec<_>>()
    };
    let lengths = match (collection.as_list_opt::<i32>(), collection.as_map_opt()) {
        (Some(lists), _) => lengths(lists.value_offsets()),
        (_, Some(maps)) => lengths(maps.value_offsets()),
        _ => return internal_err!("CARDINALITY takes a collection"),
    };
    let counted: Int32Array =
        lengths.into_iter().enumerate().map(|(row, length)| length.filter(|_| collection.is_valid(row))).collect();
    Ok(ColumnarValue::Array(Arc::new(counted)))
}
