//! JSON arrays and objects as rows.

use std::sync::Arc;

use arrow::array::{Int32Array, StringArray};
use datafusion_common::DataFusionError;

use super::split::{accepted, position};
use super::{NativeTable, TableEntry, TableRows, parent};
use crate::function::Call;
use crate::function::json::{Json, read_rows};
use crate::function::signature::Param;
use crate::types::{Field, LogicalType, Type};

const T: Param = Param::Text;

pub(super) const ENTRIES: &[TableEntry] = &[
    TableEntry {
        name: "JSON_ARRAY_TO_ROWS",
        hidden: false,
        signature: "JSON_ARRAY_TO_ROWS(json[, path]) → (value, position)",
        summary: "One row per element of a JSON array: scalars as text, the rest as JSON; none where there is no array.",
        resolve: |name, args| {
            let types = accepted(args, &[T]).or_else(|| accepted(args, &[T, T]))?;
            let columns = vec![Field::new("value", Type::nullable(LogicalType::String)), position()];
            Some(NativeTable::new(name, types, columns, elements))
        },
    },
    TableEntry {
        name: "JSON_OBJECT_TO_ROWS",
        hidden: false,
        signature: "JSON_OBJECT_TO_ROWS(json[, path]) → (key, value)",
        summary: "One row per field of a JSON object: scalars as text, the rest as JSON; none where there is no object.",
        resolve: |name, args| {
            let types = accepted(args, &[T]).or_else(|| accepted(args, &[T, T]))?;
            let text = |nullable| Type::new(LogicalType::String, nullable);
            let columns = vec![Field::new("key", text(false)), Field::new("value", text(true))];
            Some(NativeTable::new(name, types, columns, fields))
        },
    },
];

/// What is at the path in each row's text.
fn each(call: &Call, mut found: impl FnMut(u32, Json)) -> Result<(), DataFusionError> {
    let input = call.texts(0)?;
    let path = if call.args.len() > 1 { Some(call.texts(1)?) } else { None };
    for row in 0..call.rows {
        let path = match &path {
            Some(path) => path.get(row).map(Some),
            None => Some(None),
        };
        let (Some(text), Some(path)) = (input.get(row), path) else { continue };
        if let Some(json) = read_rows(text, path) {
            found(parent(row)?, json);
        }
    }
    Ok(())
}

/// NULL for null.
fn plain(value: &Json) -> Option<String> {
    (*value != Json::Null).then(|| value.to_plain_text())
}

fn elements(call: &Call) -> Result<TableRows, DataFusionError> {
    let (mut parents, mut values, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    each(call, |row, json| {
        let Json::Array(elements) = json else { return };
        for (position, element) in (1..).zip(&elements) {
            parents.push(row);
            values.push(plain(element));
            positions.push(position);
        }
    })?;
    Ok(TableRows { parents, columns: vec![Arc::new(StringArray::from(values)), Arc::new(Int32Array::from(positions))] })
}

fn fields(call: &Call) -> Result<TableRows, DataFusionError> {
    let (mut parents, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
    each(call, |row, json| {
        let Json::Object(fields) = json else { return };
        for (key, value) in fields {
            parents.push(row);
            values.push(plain(&value));
            keys.push(key);
        }
    })?;
    Ok(TableRows { parents, columns: vec![Arc::new(StringArray::from(keys)), Arc::new(StringArray::from(values))] })
}
