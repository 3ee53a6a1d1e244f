//! JSON_OBJECT, JSON_ARRAY, JSON_STRING and JSON: values → JSON text.
//!
//! The parser writes what is to happen with NULL as the first argument of the constructors, and behind it a digit per
//! value: 1 where the value is JSON itself and is put in as it is.

use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::parse::Json;
use super::write::{ValueText, has_json, write_text};
use super::{entry, json_text, word, wrong};
use crate::expr::Value;
use crate::function::registry::Entry;
use crate::function::{Argument, Call, Kernel, ResolveError, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["JSON_OBJECT"],
        "JSON_OBJECT([KEY] key VALUE value, … [{NULL | ABSENT} ON NULL])",
        "A JSON object; NULL values are null in it, or left out with ABSENT ON NULL.",
        object_call,
    ),
    entry(
        &["JSON_ARRAY"],
        "JSON_ARRAY(value, … [{NULL | ABSENT} ON NULL])",
        "A JSON array; NULL values are left out, or null in it with NULL ON NULL.",
        array_call,
    ),
    entry(&["JSON_STRING"], "JSON_STRING(value)", "The value as JSON; NULL stays NULL.", string_call),
    entry(
        &["JSON"],
        "JSON(text)",
        "A text that holds JSON, to be put into JSON_OBJECT or JSON_ARRAY as it is; any other text fails the job.",
        |name, args| {
            let [text] = args else { return Err(wrong("JSON takes one text.")) };
            let types = vec![json_text(name, Some(text))?];
            Ok(ScalarCall::new(name, types, Type::nullable(LogicalType::String), Kernel::Native(json)))
        },
    ),
];

fn writable(name: &str, args: &[Argument]) -> Result<(), ResolveError> {
    match args.iter().find(|arg| !has_json(&arg.ty.logical)) {
        Some(arg) => Err(wrong(format!("{name} cannot hold a value of the type {}.", arg.ty.logical))),
        None => Ok(()),
    }
}

fn object_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let pairs = args.get(1..).unwrap_or_default();
    let values: Vec<Argument> = pairs.iter().skip(1).step_by(2).cloned().collect();
    if word(args, 0).is_none() || pairs.len() % 2 != 0 {
        return Err(wrong("JSON_OBJECT takes pairs of a key and a value: JSON_OBJECT('key' VALUE value)."));
    }
    if pairs.iter().step_by(2).any(|key| key.literal.as_ref().and_then(Value::as_str).is_none()) {
        return Err(wrong("A key of JSON_OBJECT is a constant text."));
    }
    writable(name, &values)?;
    made(name, args, object)
}

fn array_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    if word(args, 0).is_none() {
        return Err(wrong("JSON_ARRAY takes values."));
    }
    writable(name, args.get(1..).unwrap_or_default())?;
    made(name, args, array)
}

fn made(name: &str, args: &[Argument], kernel: crate::function::NativeFn) -> Result<ScalarCall, ResolveError> {
    let types = args.iter().map(|arg| arg.ty.clone()).collect();
    Ok(ScalarCall::new(name, types, Type::not_null(LogicalType::String), Kernel::Native(kernel)))
}

fn string_call(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let [value] = args else { return Err(wrong("JSON_STRING takes one value.")) };
    writable(name, args)?;
    let result = Type::new(LogicalType::String, value.ty.nullable);
    Ok(ScalarCall::new(name, vec![value.ty.clone()], result, Kernel::Native(string)))
}

/// One argument, written as JSON.
struct Written {
    /// For objects.
    key: String,
    value: ValueText,
    /// Is JSON already.
    raw: Option<arrow::array::StringArray>,
}

impl Written {
    fn of(call: &Call, position: usize, key: String, raw: bool) -> Result<Self, DataFusionError> {
        use arrow::array::AsArray;
        let (Some(arg), Some(ty)) = (call.args.get(position), call.arg_types.get(position)) else {
            return datafusion_common::internal_err!("a JSON constructor was called with too few arguments");
        };
        let array = arg.clone().into_array(call.rows)?;
        let raw = if raw { array.as_string_opt::<i32>().cloned() } else { None };
        Ok(Written { key, value: ValueText::new(&array, &ty.logical)?, raw })
    }

    fn write(&self, row: usize, out: &mut String) -> Result<(), DataFusionError> {
        match &self.raw {
            Some(texts) if !self.value.is_null(row) => {
                out.push_str(texts.value(row));
                Ok(())
            }
            _ => self.value.write(row, out),
        }
    }
}

/// Whether NULL is written, and which values are JSON.
fn clause(call: &Call) -> Result<(bool, Vec<bool>), DataFusionError> {
    let words = call.texts(0)?;
    let (on_null, raw) = words.get(0).and_then(|clause| clause.split_once(' ')).unwrap_or(("NULL", ""));
    Ok((on_null == "NULL", raw.bytes().map(|digit| digit == b'1').collect()))
}

fn object(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (nulls, raw) = clause(call)?;
    let mut fields: Vec<Written> = Vec::new();
    for pair in 0..call.args.len().saturating_sub(1) / 2 {
        let key = call.texts(1 + pair * 2)?.get(0).unwrap_or_default().to_owned();
        let written = Written::of(call, 2 + pair * 2, key, raw.get(pair).copied().unwrap_or(false))?;
        // A key that comes twice has the last value.
        fields.retain(|field| field.key != written.key);
        fields.push(written);
    }
    fields.sort_by(|a, b| a.key.cmp(&b.key));
    rows(call, ('{', '}'), nulls, &fields, |field, out| {
        write_text(&field.key, out);
        out.push(':');
    })
}

fn array(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (nulls, raw) = clause(call)?;
    let values = (1..call.args.len())
        .map(|position| Written::of(call, position, String::new(), raw.get(position - 1).copied().unwrap_or(false)));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    rows(call, ('[', ']'), nulls, &values, |_, _| {})
}

fn rows(
    call: &Call,
    (open, close): (char, char),
    nulls: bool,
    values: &[Written],
    head: impl Fn(&Written, &mut String),
) -> Result<ColumnarValue, DataFusionError> {
    let mut texts = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let mut out = String::new();
        out.push(open);
        for value in values.iter().filter(|value| nulls || !value.value.is_null(row)) {
            if out.len() > 1 {
                out.push(',');
            }
            head(value, &mut out);
            value.write(row, &mut out)?;
        }
        out.push(close);
        texts.push(out);
    }
    call.text_rows(|row| texts.get(row))
}

pub(super) fn string(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let value = Written::of(call, 0, String::new(), false)?.value;
    let mut texts = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let mut out = String::new();
        let present = !value.is_null(row);
        if present {
            value.write(row, &mut out)?;
        }
        texts.push(present.then_some(out));
    }
    call.text_rows(|row| texts.get_mut(row).and_then(Option::take))
}

fn json(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let mut texts = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let text = input.get(row).map(str::trim).filter(|text| !text.is_empty());
        texts.push(match text.map(|text| (text, Json::parse(text))) {
            None => None,
            Some((_, Some(json))) => Some(json.to_text()),
            Some((text, None)) => return exec_err!("'{text}' is no JSON."),
        });
    }
    call.text_rows(|row| texts.get_mut(row).and_then(Option::take))
}
