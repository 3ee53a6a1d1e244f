//! [`Json`] and SQL values → JSON text. Keys are sorted, as Flink writes them.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use datafusion_common::{DataFusionError, exec_err, internal_err};

use super::number::canonical;
use super::parse::Json;
use crate::expr::cast::{decimal_text, double_text, float_text};
use crate::function::time::parse::{format_date, format_time, format_timestamp};
use crate::function::time::value::Locals;
use crate::types::LogicalType;

/// A text with quotes and escapes.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(control))),
            letter => out.push(letter),
        }
    }
    out.push('"');
}

impl Json {
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// A scalar as a plain text, anything else as JSON.
    pub(crate) fn to_plain_text(&self) -> String {
        match self {
            Json::Text(text) => text.clone(),
            other => other.to_text(),
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Json::Number(number) => out.push_str(number),
            Json::Text(text) => write_text(text, out),
            Json::Array(elements) => list(out, ('[', ']'), elements, |out, element| element.write(out)),
            Json::Object(fields) => {
                let mut sorted: Vec<&(String, Json)> = fields.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                list(out, ('{', '}'), sorted, |out, (key, value)| {
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                });
            }
        }
    }
}

fn list<T>(
    out: &mut String,
    (open, close): (char, char),
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push(open);
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

/// Whether JSON can hold values of the type.
pub(crate) fn has_json(ty: &LogicalType) -> bool {
    match ty {
        LogicalType::Array(element) => has_json(&element.logical),
        LogicalType::Map(key, value) => key.logical.is_character() && has_json(&value.logical),
        LogicalType::Multiset(key) => key.logical.is_character(),
        LogicalType::Row(fields) => fields.iter().all(|field| has_json(&field.ty.logical)),
        LogicalType::IntervalDayTime | LogicalType::IntervalYearMonth => false,
        _ => true,
    }
}

/// A column whose values are written as JSON.
pub(crate) struct ValueText {
    array: ArrayRef,
    inner: Inner,
}

enum Inner {
    Null,
    Scalar(LogicalType),
    Time {
        locals: Locals,
        ty: LogicalType,
    },
    List(Box<ValueText>),
    Map(Box<ValueText>),
    /// Names and values, sorted by name.
    Row(Vec<(String, ValueText)>),
}

impl ValueText {
    pub(crate) fn new(array: &ArrayRef, ty: &LogicalType) -> Result<Self, DataFusionError> {
        let inner = match ty {
            LogicalType::Null => Inner::Null,
            LogicalType::Array(element) => match array.as_list_opt::<i32>() {
                Some(list) => Inner::List(Box::new(ValueText::new(list.values(), &element.logical)?)),
                None => return internal_err!("an ARRAY is not kept as a list"),
            },
            LogicalType::Map(..) | LogicalType::Multiset(_) => {
                let value = match ty {
                    LogicalType::Map(_, value) => &value.logical,
                    _ => &LogicalType::Int,
                };
                match array.as_map_opt() {
                    Some(map) => Inner::Map(Box::new(ValueText::new(map.values(), value)?)),
                    None => return internal_err!("a MAP is not kept as a map"),
                }
            }
            LogicalType::Row(fields) => {
                let Some(row) = array.as_struct_opt() else { return internal_err!("a ROW is not kept as a struct") };
                let pairs = fields.iter().zip(row.columns());
                let named =
                    pairs.map(|(field, column)| Ok((field.name.clone(), ValueText::new(column, &field.ty.logical)?)));
                let mut named = named.collect::<Result<Vec<_>, DataFusionError>>()?;
                named.sort_by(|a, b| a.0.cmp(&b.0));
                Inner::Row(named)
            }
            // An instant is written in UTC whatever the session's time zone is.
            ty if ty.is_timestamp() || matches!(ty, LogicalType::Date | LogicalType::Time(_)) => {
                let locals = Locals::new(array.clone(), false, chrono_tz::UTC)?;
                Inner::Time { locals, ty: ty.clone() }
            }
            ty => Inner::Scalar(ty.clone()),
        };
        Ok(ValueText { array: array.clone(), inner })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        matches!(self.inner, Inner::Null) || self.array.is_null(row)
    }

    pub(crate) fn write(&self, row: usize, out: &mut String) -> Result<(), DataFusionError> {
        if self.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match &self.inner {
            Inner::Null => out.push_str("null"),
            Inner::Scalar(ty) => match scalar(&self.array, row, ty) {
                Some(text) => out.push_str(&text),
                None => return exec_err!("JSON cannot hold a value of the type {ty}."),
            },
            Inner::Time { locals, ty } => write_text(&time(locals, row, ty), out),
            Inner::List(elements) => {
                let range = range_of(self.array.as_list_opt::<i32>().map(|list| list.value_offsets()), row);
                let mut result = Ok(());
                list(out, ('[', ']'), range, |out, index| {
                    if let Err(error) = elements.write(index, out) {
                        result = Err(error);
                    }
                });
                return result;
            }
            Inner::Map(values) => return self.map(values, row, out),
            Inner::Row(fields) => {
                let mut result = Ok(());
                list(out, ('{', '}'), fields, |out, (name, value)| {
                    write_text(name, out);
                    out.push(':');
                    if let Err(error) = value.write(row, out) {
                        result = Err(error);
                    }
                });
                return result;
            }
        }
        Ok(())
    }

    fn map(&self, values: &ValueText, row: usize, out: &mut String) -> Result<(), DataFusionError> {
        let Some(map) = self.array.as_map_opt() else { return internal_err!("a MAP is not kept as a map") };
        let Some(keys) = map.keys().as_string_opt::<i32>() else {
            return exec_err!("JSON cannot hold a map whose keys are no text.");
        };
        let mut entries: Vec<(&str, usize)> =
            range_of(Some(map.value_offsets()), row).map(|index| (keys.value(index), index)).collect();
        entries.sort_by(|a, b| a.0.cmp(b.0));
        let mut result = Ok(());
        list(out, ('{', '}'), entries, |out, (key, index)| {
            write_text(key, out);
            out.push(':');
            if let Err(error) = values.write(index, out) {
                result = Err(error);
            }
        });
        result
    }
}

fn range_of(offsets: Option<&[i32]>, row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| {
        offsets.and_then(|offsets| offsets.get(index)).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0)
    };
    at(row)..at(row + 1)
}

fn number<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> Option<T::Native> {
    array.as_primitive_opt::<T>().map(|numbers| numbers.value(row))
}

/// Numbers and truths bare, everything else in quotes.
fn scalar(array: &ArrayRef, row: usize, ty: &LogicalType) -> Option<String> {
    let float = |finite: bool, text: String| {
        let mut quoted = String::new();
        if finite {
            return canonical(&text).unwrap_or(text);
        }
        write_text(&text, &mut quoted);
        quoted
    };
    Some(match ty {
        LogicalType::Boolean => array.as_boolean_opt()?.value(row).to_string(),
        LogicalType::TinyInt => number::<Int8Type>(array, row)?.to_string(),
        LogicalType::SmallInt => number::<Int16Type>(array, row)?.to_string(),
        LogicalType::Int => number::<Int32Type>(array, row)?.to_string(),
        LogicalType::BigInt => number::<Int64Type>(array, row)?.to_string(),
        LogicalType::Float => {
            let value = number::<Float32Type>(array, row)?;
            float(value.is_finite(), float_text(value))
        }
        LogicalType::Double => {
            let value = number::<Float64Type>(array, row)?;
            float(value.is_finite(), double_text(value))
        }
        LogicalType::Decimal { scale, .. } => decimal_text(number::<Decimal128Type>(array, row)?, *scale),
        ty if ty.is_character() => {
            let mut out = String::new();
            write_text(array.as_string_opt::<i32>()?.value(row), &mut out);
            out
        }
        ty if ty.is_binary() => format!("\"{}\"", BASE64.encode(array.as_binary_opt::<i32>()?.value(row))),
        _ => return None,
    })
}

/// `2020-02-29T23:59:59.123`, with `Z` for an instant.
fn time(locals: &Locals, row: usize, ty: &LogicalType) -> String {
    let Some(local) = locals.get(row) else { return String::new() };
    match ty {
        LogicalType::Date => format_date(local.days),
        LogicalType::Time(precision) => format_time(local.nanos, *precision),
        LogicalType::Timestamp(precision) => {
            format_timestamp(local.days, local.nanos, *precision).replacen(' ', "T", 1)
        }
        LogicalType::TimestampLtz(precision) => {
            format_timestamp(local.days, local.nanos, *precision).replacen(' ', "T", 1) + "Z"
        }
        _ => String::new(),
    }
}
