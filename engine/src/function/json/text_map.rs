//! A JSON object as a map of texts, and a map as a JSON object.

use std::sync::Arc;

use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::make::string;
use super::parse::Json;
use super::write::has_json;
use super::{entry, json_text, wrong};
use crate::function::collection::text_map_builder;
use crate::function::registry::Entry;
use crate::function::{Argument, Call, Kernel, ResolveError, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["JSON_TO_MAP"],
        "JSON_TO_MAP(json)",
        "A JSON object as MAP<STRING, STRING>: inner objects and arrays stay JSON; NULL where it is no object.",
        to_map_call,
    ),
    entry(&["MAP_TO_JSON"], "MAP_TO_JSON(map)", "A map with texts as keys as a JSON object.", to_json_call),
];

fn to_map_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let [text] = args else { return Err(wrong("JSON_TO_MAP takes one text.")) };
    let types = vec![json_text(name, Some(text))?];
    let (key, value) = (Type::not_null(LogicalType::String), Type::nullable(LogicalType::String));
    let result = Type::nullable(LogicalType::Map(Box::new(key), Box::new(value)));
    Ok(ScalarCall::new(name, types, result, Kernel::Native(to_map)))
}

fn to_json_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    match args {
        [map] if matches!(map.ty.logical, LogicalType::Map(..)) && has_json(&map.ty.logical) => {
            let result = Type::new(LogicalType::String, map.ty.nullable);
            Ok(ScalarCall::new(name, vec![map.ty.clone()], result, Kernel::Native(string)))
        }
        _ => Err(wrong("MAP_TO_JSON takes a map whose keys are texts.")),
    }
}

fn to_map(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let mut maps = text_map_builder(&call.return_type.logical)?;
    for row in 0..call.rows {
        let fields = match input.get(row).and_then(Json::parse) {
            Some(Json::Object(fields)) => Some(fields),
            _ => None,
        };
        for (key, value) in fields.iter().flatten() {
            maps.keys().append_value(key);
            maps.values().append_option((*value != Json::Null).then(|| value.to_plain_text()));
        }
        maps.append(fields.is_some())?;
    }
    Ok(ColumnarValue::Array(Arc::new(maps.finish())))
}
