//! JSON_VALUE: a scalar at a path, as text or as another type.

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use datafusion_common::{DataFusionError, ScalarValue};
use datafusion_expr::ColumnarValue;

use super::number::whole;
use super::parse::Json;
use super::query::{failed, path_of};
use super::walk::{Answer, answer};
use super::{constant_path, entry, json_text, wrong};
use crate::expr::cast::{is_castable, parse_decimal};
use crate::function::registry::Entry;
use crate::function::{Argument, Call, Kernel, ResolveError, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[entry(
    &["JSON_VALUE"],
    "JSON_VALUE(json, path [RETURNING type] [{NULL | ERROR | DEFAULT value} ON EMPTY] [… ON ERROR])",
    "The scalar at a path as text, or as a boolean or number.",
    value_call,
)];

/// Behaviour and default when there is nothing, the same for errors, and NULL of the type that is returned.
fn value_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let (json, path) = (json_text(name, args.first())?, constant_path(name, args.get(1))?);
    let [_, _, on_empty, for_empty, on_error, for_error, returning] = args else {
        return Err(wrong("JSON_VALUE takes a JSON text and a path."));
    };
    let logical = match &returning.ty.logical {
        LogicalType::Boolean | LogicalType::Decimal { .. } => returning.ty.logical.clone(),
        ty if ty.is_numeric() => ty.clone(),
        ty if ty.is_character() => LogicalType::String,
        other => {
            let message = format!("JSON_VALUE returns STRING, BOOLEAN or a number, and not {other}.");
            return Err(ResolveError::Unsupported { message });
        }
    };
    for default in [for_empty, for_error] {
        if !is_castable(&default.ty.logical, &logical) {
            let message = format!("The default of JSON_VALUE is {}, and it returns {logical}.", default.ty.logical);
            return Err(wrong(message));
        }
    }
    let result = Type::nullable(logical);
    let types = vec![
        json,
        path,
        on_empty.ty.clone(),
        result.clone(),
        on_error.ty.clone(),
        result.clone(),
        returning.ty.clone(),
    ];
    Ok(ScalarCall::new(name, types, result, Kernel::Native(value)))
}

/// Where the result of a row comes from.
const FOUND: usize = 0;
const FOR_EMPTY: usize = 1;
const FOR_ERROR: usize = 2;

fn value(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, path) = (call.texts(0)?, path_of(call)?);
    let (on_empty, on_error) = (call.texts(2)?, call.texts(4)?);
    let empty = |row: usize| instead(on_empty.get(row), FOR_EMPTY);
    let error = |row: usize| instead(on_error.get(row), FOR_ERROR);
    let mut found = Found::new(&call.return_type.logical, call.rows);
    let mut sources = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let document = input.get(row).map(Json::parse);
        let mut parsed = None;
        let source = match &document {
            None => FOUND,
            Some(document) => match answer(&path, document.as_ref()) {
                Answer::Value(value) if value.is_scalar() => {
                    parsed = convert(&value, &call.return_type.logical);
                    if parsed.is_some() { FOUND } else { error(row)? }
                }
                Answer::Value(_) if !path.lax => error(row)?,
                Answer::Value(_) | Answer::Empty => empty(row)?,
                Answer::Error => error(row)?,
            },
        };
        sources.push((source, row));
        found.push(parsed);
    }
    let found = found.finish()?;
    if sources.iter().all(|(source, _)| *source == FOUND) {
        return Ok(ColumnarValue::Array(found));
    }
    let (for_empty, for_error) = (default(call, 3)?, default(call, 5)?);
    let arrays: [&dyn Array; 3] = [found.as_ref(), for_empty.as_ref(), for_error.as_ref()];
    Ok(ColumnarValue::Array(interleave(&arrays, &sources)?))
}

/// The source that a behaviour means. NULL needs none: nothing is found.
fn instead(behaviour: Option<&str>, default: usize) -> Result<usize, DataFusionError> {
    match behaviour {
        Some("DEFAULT") => Ok(default),
        Some("ERROR") => failed("JSON_VALUE"),
        _ => Ok(FOUND),
    }
}

fn default(call: &Call, position: usize) -> Result<ArrayRef, DataFusionError> {
    match call.args.get(position) {
        Some(value) => Ok(value.clone().into_array(call.rows)?),
        None => datafusion_common::internal_err!("JSON_VALUE was called with too few arguments"),
    }
}

/// Values of the returned type under construction.
enum Found {
    Texts(Vec<Option<String>>),
    Others { values: Vec<ScalarValue>, null: ScalarValue, ty: LogicalType },
}

impl Found {
    fn new(ty: &LogicalType, rows: usize) -> Self {
        if *ty == LogicalType::String {
            return Found::Texts(Vec::with_capacity(rows));
        }
        let null = ScalarValue::try_from(&ty.to_arrow()).unwrap_or(ScalarValue::Null);
        Found::Others { values: Vec::with_capacity(rows), null, ty: ty.clone() }
    }

    fn push(&mut self, value: Option<ScalarValue>) {
        match self {
            Found::Texts(texts) => texts.push(match value {
                Some(ScalarValue::Utf8(text)) => text,
                _ => None,
            }),
            Found::Others { values, null, .. } => values.push(value.unwrap_or_else(|| null.clone())),
        }
    }

    fn finish(self) -> Result<ArrayRef, DataFusionError> {
        match self {
            Found::Texts(texts) => Ok(std::sync::Arc::new(arrow::array::StringArray::from(texts))),
            Found::Others { values, ty, .. } if values.is_empty() => Ok(arrow::array::new_empty_array(&ty.to_arrow())),
            Found::Others { values, .. } => ScalarValue::iter_to_array(values),
        }
    }
}

/// `None` where the scalar is no value of the type.
fn convert(scalar: &Json, ty: &LogicalType) -> Option<ScalarValue> {
    if *ty == LogicalType::String {
        return Some(ScalarValue::Utf8(Some(scalar.to_plain_text())));
    }
    if *ty == LogicalType::Boolean {
        let truth = match scalar {
            Json::Boolean(truth) => *truth,
            Json::Text(text) => match text.trim().to_lowercase().as_str() {
                "true" | "t" | "yes" | "1" => true,
                "false" | "f" | "no" | "0" => false,
                _ => return None,
            },
            _ => return None,
        };
        return Some(ScalarValue::Boolean(Some(truth)));
    }
    let number = match scalar {
        Json::Number(number) => number.as_str(),
        // What is no number in JSON may be one in a text, as `+1`; the words for infinity are none.
        Json::Text(text) if text.parse::<f64>().is_ok_and(f64::is_finite) => text.as_str(),
        _ => return None,
    };
    let whole = || whole(number.strip_prefix('+').unwrap_or(number));
    Some(match ty {
        LogicalType::TinyInt => ScalarValue::Int8(Some(i8::try_from(whole()?).ok()?)),
        LogicalType::SmallInt => ScalarValue::Int16(Some(i16::try_from(whole()?).ok()?)),
        LogicalType::Int => ScalarValue::Int32(Some(i32::try_from(whole()?).ok()?)),
        LogicalType::BigInt => ScalarValue::Int64(Some(i64::try_from(whole()?).ok()?)),
        LogicalType::Float => ScalarValue::Float32(Some(number.parse().ok().filter(|value: &f32| value.is_finite())?)),
        LogicalType::Double => ScalarValue::Float64(Some(number.parse().ok().filter(|value: &f64| value.is_finite())?)),
        LogicalType::Decimal { precision, scale } => {
            let unscaled = parse_decimal(number, *precision, *scale)?;
            ScalarValue::Decimal128(Some(unscaled), *precision, i8::try_from(*scale).ok()?)
        }
        _ => return None,
    })
}
