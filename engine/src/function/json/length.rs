//! JSON_LENGTH: how many elements or fields.

use arrow::datatypes::Int32Type;
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::parse::Json;
use super::path::Path;
use super::query::path_of;
use super::{constant_path, entry, json_text, walk, wrong};
use crate::function::registry::Entry;
use crate::function::{Argument, Call, Kernel, ResolveError, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[entry(
    &["JSON_LENGTH"],
    "JSON_LENGTH(json[, path])",
    "How many elements an array or fields an object has; 1 for a scalar, NULL where there is nothing.",
    length_call,
)];

fn length_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let mut types = vec![json_text(name, args.first())?];
    match args.len() {
        1 => {}
        2 => types.push(constant_path(name, args.get(1))?),
        _ => return Err(wrong("JSON_LENGTH takes a JSON text and a path.")),
    }
    Ok(ScalarCall::new(name, types, Type::nullable(LogicalType::Int), Kernel::Native(length)))
}

fn length(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let path = if call.args.len() > 1 { Some(path_of(call)?) } else { None };
    call.number_rows::<Int32Type>(|row| {
        let document = Json::parse(input.get(row)?)?;
        match &path {
            None => size(&document),
            Some(path) => at(path, &document),
        }
    })
}

fn size(value: &Json) -> Option<i32> {
    i32::try_from(match value {
        Json::Array(elements) => elements.len(),
        Json::Object(fields) => fields.len(),
        _ => 1,
    })
    .ok()
}

/// A path that can lead to several values has to lead to one.
fn at(path: &Path, document: &Json) -> Option<i32> {
    let found = walk::read(path, document, document)?;
    match &*found {
        Json::Array(elements) if !path.is_definite() => match elements.as_slice() {
            [only] => size(only),
            _ => None,
        },
        value => size(value),
    }
}
