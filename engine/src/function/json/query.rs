//! JSON_EXISTS, JSON_QUERY and IS JSON.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion_common::{DataFusionError, exec_err, internal_err};
use datafusion_expr::ColumnarValue;

use super::parse::Json;
use super::path::Path;
use super::walk::{Answer, answer};
use super::{constant_path, entry, json_text, word, wrong};
use crate::function::registry::{Entry, Resolver};
use crate::function::{Argument, Call, Kernel, NativeFn, ResolveError, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["JSON_EXISTS"],
        "JSON_EXISTS(json, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])",
        "Whether the path leads to a value that is not null.",
        exists_call,
    ),
    entry(
        &["JSON_QUERY"],
        "JSON_QUERY(json, path [RETURNING type] [WITH [CONDITIONAL] ARRAY WRAPPER] [… ON EMPTY] [… ON ERROR])",
        "The object or array at a path as JSON, or as ARRAY<STRING>.",
        query_call,
    ),
    test(&["IS JSON VALUE"]),
    test(&["IS NOT JSON VALUE"]),
    test(&["IS JSON OBJECT"]),
    test(&["IS NOT JSON OBJECT"]),
    test(&["IS JSON ARRAY"]),
    test(&["IS NOT JSON ARRAY"]),
    test(&["IS JSON SCALAR"]),
    test(&["IS NOT JSON SCALAR"]),
];

const fn test(names: &'static [&'static str]) -> Entry {
    Entry { names, category: "", signature: "a text", summary: "", resolver: Resolver::Checked(test_call) }
}

/// The path of a call, which its resolver has looked at.
pub(super) fn path_of(call: &Call) -> Result<Path, DataFusionError> {
    match call.texts(1)?.get(0).map(Path::parse) {
        Some(Ok(path)) => Ok(path),
        _ => internal_err!("a JSON path was not checked"),
    }
}

fn exists_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let (json, path) = (json_text(name, args.first())?, constant_path(name, args.get(1))?);
    let types: Vec<Type> = [json, path].into_iter().chain(args.iter().skip(2).map(|arg| arg.ty.clone())).collect();
    let kernel: NativeFn = match word(args, 2) {
        Some("TRUE") => |call| exists(call, || Ok(Some(true))),
        Some("UNKNOWN") => |call| exists(call, || Ok(None)),
        Some("ERROR") => |call| exists(call, || failed("JSON_EXISTS")),
        _ => |call| exists(call, || Ok(Some(false))),
    };
    Ok(ScalarCall::new(name, types, Type::nullable(LogicalType::Boolean), Kernel::Native(kernel)))
}

/// The job fails, as ERROR ON ERROR wants it.
pub(super) fn failed<T>(name: &str) -> Result<T, DataFusionError> {
    exec_err!("{name} found no value at its path, or no JSON, and is to fail then.")
}

fn exists(
    call: &Call,
    on_error: fn() -> Result<Option<bool>, DataFusionError>,
) -> Result<ColumnarValue, DataFusionError> {
    let (input, path) = (call.texts(0)?, path_of(call)?);
    let mut found = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let Some(text) = input.get(row) else {
            found.push(None);
            continue;
        };
        let document = Json::parse(text);
        found.push(match answer(&path, document.as_ref()) {
            Answer::Value(_) => Some(true),
            Answer::Empty => Some(false),
            Answer::Error => on_error()?,
        });
    }
    call.boolean_rows(|row| found.get(row).copied().flatten())
}

fn query_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let (json, path) = (json_text(name, args.first())?, constant_path(name, args.get(1))?);
    let returns = args.get(5).map_or(LogicalType::String, |arg| arg.ty.logical.clone());
    let logical = match returns {
        ty if ty.is_character() => LogicalType::String,
        LogicalType::Array(element) if element.logical.is_character() => {
            let words = [word(args, 3), word(args, 4)];
            if words.contains(&Some("OBJECT")) {
                return Err(wrong("EMPTY OBJECT is no value of the type ARRAY<STRING>."));
            }
            LogicalType::Array(Box::new(Type::nullable(LogicalType::String)))
        }
        other => {
            return Err(ResolveError::Unsupported {
                message: format!("JSON_QUERY returns STRING or ARRAY<STRING>, and not {other}."),
            });
        }
    };
    let types: Vec<Type> = [json, path].into_iter().chain(args.iter().skip(2).map(|arg| arg.ty.clone())).collect();
    Ok(ScalarCall::new(name, types, Type::nullable(logical), Kernel::Native(query)))
}

/// What stands in place of a value.
#[derive(Clone, Copy)]
enum Instead {
    Null,
    EmptyArray,
    EmptyObject,
    Fail,
}

impl Instead {
    fn of(call: &Call, position: usize) -> Result<Self, DataFusionError> {
        let words = call.texts(position)?;
        Ok(match words.get(0) {
            Some("ARRAY") => Instead::EmptyArray,
            Some("OBJECT") => Instead::EmptyObject,
            Some("ERROR") => Instead::Fail,
            _ => Instead::Null,
        })
    }

    fn value(self) -> Result<Option<Json>, DataFusionError> {
        match self {
            Instead::Null => Ok(None),
            Instead::EmptyArray => Ok(Some(Json::Array(Vec::new()))),
            Instead::EmptyObject => Ok(Some(Json::Object(Vec::new()))),
            Instead::Fail => failed("JSON_QUERY"),
        }
    }
}

fn query(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, path) = (call.texts(0)?, path_of(call)?);
    let wrappers = call.texts(2)?;
    let wrapper = wrappers.get(0).unwrap_or("WITHOUT");
    let (on_empty, on_error) = (Instead::of(call, 3)?, Instead::of(call, 4)?);
    let list = matches!(call.return_type.logical, LogicalType::Array(_));
    let mut out = Queried::new(list);
    for row in 0..call.rows {
        let Some(text) = input.get(row) else {
            out.push(None);
            continue;
        };
        let document = Json::parse(text);
        match answer(&path, document.as_ref()) {
            Answer::Value(value) => {
                let value = wrapped(value, wrapper);
                if value.is_scalar() || (list && !matches!(*value, Json::Array(_))) {
                    let empty = path.lax && value.is_scalar();
                    out.push(if empty { on_empty.value()? } else { on_error.value()? }.as_ref());
                } else {
                    out.push(Some(&value));
                }
            }
            Answer::Empty => out.push(on_empty.value()?.as_ref()),
            Answer::Error => out.push(on_error.value()?.as_ref()),
        }
    }
    Ok(ColumnarValue::Array(out.finish()))
}

fn wrapped<'a>(value: Cow<'a, Json>, wrapper: &str) -> Cow<'a, Json> {
    match wrapper {
        "UNCONDITIONAL" => Cow::Owned(Json::Array(vec![value.into_owned()])),
        "CONDITIONAL" if !matches!(*value, Json::Array(_)) => Cow::Owned(Json::Array(vec![value.into_owned()])),
        _ => value,
    }
}

/// Results as texts, or as lists of texts.
enum Queried {
    Texts(StringBuilder),
    Lists(ListBuilder<StringBuilder>),
}

impl Queried {
    fn new(list: bool) -> Self {
        if list {
            let field = Field::new("item", DataType::Utf8, true);
            return Queried::Lists(ListBuilder::new(StringBuilder::new()).with_field(field));
        }
        Queried::Texts(StringBuilder::new())
    }

    fn push(&mut self, value: Option<&Json>) {
        match self {
            Queried::Texts(texts) => texts.append_option(value.map(Json::to_text)),
            Queried::Lists(lists) => {
                if let Some(Json::Array(elements)) = value {
                    for element in elements {
                        let text = (*element != Json::Null).then(|| element.to_plain_text());
                        lists.values().append_option(text);
                    }
                }
                lists.append(value.is_some());
            }
        }
    }

    fn finish(self) -> arrow::array::ArrayRef {
        match self {
            Queried::Texts(mut texts) => Arc::new(texts.finish()),
            Queried::Lists(mut lists) => Arc::new(lists.finish()),
        }
    }
}

fn test_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let kernel: NativeFn = match name {
        "IS JSON OBJECT" => |call| is_json(call, |json| matches!(json, Some(Json::Object(_)))),
        "IS NOT JSON OBJECT" => |call| is_json(call, |json| !matches!(json, Some(Json::Object(_)))),
        "IS JSON ARRAY" => |call| is_json(call, |json| matches!(json, Some(Json::Array(_)))),
        "IS NOT JSON ARRAY" => |call| is_json(call, |json| !matches!(json, Some(Json::Array(_)))),
        "IS JSON SCALAR" => |call| is_json(call, |json| json.is_some_and(|json| json.is_scalar())),
        "IS NOT JSON SCALAR" => |call| is_json(call, |json| !json.is_some_and(|json| json.is_scalar())),
        "IS NOT JSON VALUE" => |call| is_json(call, |json| json.is_none()),
        _ => |call| is_json(call, |json| json.is_some()),
    };
    let types = vec![json_text("IS JSON", args.first())?];
    Ok(ScalarCall::new(name, types, Type::not_null(LogicalType::Boolean), Kernel::Native(kernel)))
}

/// NULL is no JSON.
fn is_json(call: &Call, test: fn(Option<Json>) -> bool) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.boolean_rows(|row| Some(test(input.get(row).and_then(Json::parse))))
}
