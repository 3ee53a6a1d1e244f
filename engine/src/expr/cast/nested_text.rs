//! Arrays, maps and rows as text: `[1, 2]`, `{a=1, b=NULL}`, `(1, x)`.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion_common::{DataFusionError, internal_err};

use super::Cast;
use crate::types::{LogicalType, Type};

pub(super) fn format(cast: &Cast, array: &ArrayRef, from: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    match from {
        LogicalType::Array(element) => {
            let Some(list) = array.as_list_opt::<i32>() else { return internal_err!("an ARRAY is not kept as a list") };
            let elements = Texts::of(cast, list.values(), element)?;
            rows(array, |row, out| {
                joined(out, "[", "]", range(list.value_offsets(), row), |out, at| out.push_str(elements.get(at)))
            })
        }
        LogicalType::Map(key, value) => map(cast, array, key, value),
        LogicalType::Multiset(element) => map(cast, array, element, &Type::not_null(LogicalType::Int)),
        LogicalType::Row(fields) => {
            let Some(row) = array.as_struct_opt() else { return internal_err!("a ROW is not kept as a struct") };
            let columns = fields.iter().zip(row.columns()).map(|(field, column)| Texts::of(cast, column, &field.ty));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            rows(array, |row, out| {
                joined(out, "(", ")", 0..columns.len(), |out, at| {
                    out.push_str(columns.get(at).map_or("NULL", |column| column.get(row)));
                })
            })
        }
        other => internal_err!("{other} has no parts"),
    }
}

fn map(cast: &Cast, array: &ArrayRef, key: &Type, value: &Type) -> Result<ArrayRef, DataFusionError> {
    let Some(map) = array.as_map_opt() else { return internal_err!("a MAP is not kept as a map") };
    let (keys, values) = (Texts::of(cast, map.keys(), key)?, Texts::of(cast, map.values(), value)?);
    rows(array, |row, out| {
        joined(out, "{", "}", range(map.value_offsets(), row), |out, at| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}={}", keys.get(at), values.get(at));
        });
    })
}

/// The texts of parts.
struct Texts(StringArray);

impl Texts {
    fn of(cast: &Cast, array: &ArrayRef, ty: &Type) -> Result<Self, DataFusionError> {
        let inner = Cast { from: ty.logical.clone(), to: LogicalType::String, mode: cast.mode, context: cast.context };
        match inner.run(array)?.as_string_opt::<i32>() {
            Some(texts) => Ok(Texts(texts.clone())),
            None => internal_err!("a part has no text"),
        }
    }

    fn get(&self, at: usize) -> &str {
        if self.0.is_valid(at) { self.0.value(at) } else { "NULL" }
    }
}

fn range(offsets: &[i32], row: usize) -> Range<usize> {
    let at = |row: usize| offsets.get(row).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

fn joined(out: &mut String, open: &str, close: &str, range: Range<usize>, part: impl Fn(&mut String, usize)) {
    out.push_str(open);
    for (position, at) in range.enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        part(out, at);
    }
    out.push_str(close);
}

fn rows(array: &ArrayRef, write: impl Fn(usize, &mut String)) -> Result<ArrayRef, DataFusionError> {
    let row = |row: usize| {
        array.is_valid(row).then(|| {
            let mut out = String::new();
            write(row, &mut out);
            out
        })
    };
    Ok(Arc::new((0..array.len()).map(row).collect::<StringArray>()))
}
