//! Functions that look into a map: its keys, values and entries.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, internal_err};
use datafusion_expr::ColumnarValue;

use super::entry;
use crate::function::registry::Entry;
use crate::function::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{Field, LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(&["MAP_KEYS"], "MAP_KEYS(map)", "The keys as an array.", |name, args| {
        parts_call(name, args, |key, _| key.clone(), keys)
    }),
    entry(&["MAP_VALUES"], "MAP_VALUES(map)", "The values as an array, in the order of MAP_KEYS.", |name, args| {
        parts_call(name, args, |_, value| value.clone(), values)
    }),
    entry(&["MAP_ENTRIES"], "MAP_ENTRIES(map)", "The entries as an array of rows with key and value.", |name, args| {
        parts_call(name, args, entry_type, entries)
    }),
];

/// `ROW<key, value>`
pub(super) fn entry_type(key: &Type, value: &Type) -> Type {
    Type::not_null(LogicalType::Row(vec![Field::new("key", key.clone()), Field::new("value", value.clone())]))
}

fn parts_call(
    name: &str,
    args: &[Argument],
    element: fn(&Type, &Type) -> Type,
    kernel: NativeFn,
) -> Option<ScalarCall> {
    let [map] = args else { return None };
    let LogicalType::Map(key, value) = &map.ty.logical else { return None };
    let result = Type::new(LogicalType::Array(Box::new(element(key, value))), map.ty.nullable);
    Some(ScalarCall::new(name, vec![map.ty.clone()], result, Kernel::Native(kernel)))
}

fn keys(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    lists(call, |map| Ok(Arc::clone(map.keys())))
}

fn values(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    lists(call, |map| Ok(Arc::clone(map.values())))
}

fn entries(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    lists(call, |map| {
        let DataType::List(item) = call.return_type.logical.to_arrow() else { return internal_err!("no array") };
        let DataType::Struct(fields) = item.data_type().clone() else { return internal_err!("no rows") };
        Ok(Arc::new(StructArray::try_new(fields, vec![Arc::clone(map.keys()), Arc::clone(map.values())], None)?))
    })
}

/// Lists over the same offsets as the map's.
fn lists(
    call: &Call,
    part: impl Fn(&MapArray) -> Result<ArrayRef, DataFusionError>,
) -> Result<ColumnarValue, DataFusionError> {
    let Some(array) = call.args.first() else { return internal_err!("a kernel was called without arguments") };
    let array = array.clone().into_array(call.rows)?;
    let Some(map) = array.as_map_opt() else { return internal_err!("a kernel expected a map") };
    let DataType::List(item) = call.return_type.logical.to_arrow() else { return internal_err!("no array") };
    let lists = ListArray::try_new(item, map.offsets().clone(), part(map)?, map.nulls().cloned())?;
    Ok(ColumnarValue::Array(Arc::new(lists)))
}
