//! A JSON value into a column, led by the column's type. One module per question: objects are in `object`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::cursor::{Cursor, JsonError, JsonResult, Next, RawText};
use super::object::ObjectReader;
use crate::format::column::{Column, Data, offset_of};
use crate::format::number::{DecimalValue, parse_decimal, parse_double, parse_integer};
use crate::format::temporal::{TimestampStandard, parse_date, parse_time, parse_timestamp};
use crate::types::LogicalType;

/// How values are read; from the options of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadRules {
    pub(super) ignore_errors: bool,
    pub(super) fail_on_missing: bool,
    pub(super) standard: TimestampStandard,
}

/// The shape of a column, with what was learned about the order of fields.
pub(super) enum Reader {
    Scalar,
    Array(Box<Reader>),
    Map(Box<Reader>),
    Row(ObjectReader),
}

impl Reader {
    pub(super) fn new(ty: &LogicalType) -> Self {
        match ty {
            LogicalType::Array(element) => Self::Array(Box::new(Self::new(&element.logical))),
            LogicalType::Map(_, value) => Self::Map(Box::new(Self::new(&value.logical))),
            LogicalType::Multiset(_) => Self::Map(Box::new(Self::Scalar)),
            LogicalType::Row(fields) => {
                Self::Row(ObjectReader::new(fields.iter().map(|field| (field.name.as_str(), &field.ty.logical))))
            }
            _ => Self::Scalar,
        }
    }

    /// Reads the next value into the column. With `ignore_errors`, a value that does not fit becomes NULL.
    #[inline]
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>, column: &mut Column, rules: &ReadRules) -> JsonResult<()> {
        let next = cursor.next()?;
        if next == Next::Null {
            cursor.word(b"null")?;
            column.push_null();
            return Ok(());
        }
        let (start, row) = (cursor.position(), column.len());
        match self.read_value(next, cursor, column, rules) {
            Ok(()) => Ok(()),
            Err(JsonError::Value(_)) if rules.ignore_errors => {
                column.truncate(row);
                cursor.go_to(start);
                cursor.skip()?;
                column.push_null();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    #[inline]
    fn read_value(
        &mut self,
        next: Next,
        cursor: &mut Cursor<'_>,
        column: &mut Column,
        rules: &ReadRules,
    ) -> JsonResult<()> {
        match self {
            Self::Scalar => return read_scalar(next, cursor, column, rules),
            Self::Array(element) => {
                let Data::List { offsets, items } = column.data() else { return wrong_reader() };
                if next != Next::Array {
                    return Err(JsonError::Value(format!("an array was expected, not {}", describe(next))));
                }
                cursor.take(b'[');
                let mut first = true;
                while cursor.element(&mut first)? {
                    element.read(cursor, items, rules)?;
                }
                offsets.push(offset_of(items.len()));
            }
            Self::Map(value_reader) => {
                let Data::Map { offsets, keys, values } = column.data() else { return wrong_reader() };
                if next != Next::Object {
                    return Err(JsonError::Value(format!("an object was expected, not {}", describe(next))));
                }
                cursor.take(b'{');
                let mut first = true;
                while let Some(key) = cursor.key(&mut first)? {
                    read_text_as(key, keys, rules)?;
                    value_reader.read(cursor, values, rules)?;
                }
                offsets.push(offset_of(keys.len()));
            }
            Self::Row(object) => {
                let Data::Row(children) = column.data() else { return wrong_reader() };
                if next != Next::Object {
                    return Err(JsonError::Value(format!("an object was expected, not {}", describe(next))));
                }
                object.read(cursor, children, rules)?;
            }
        }
        column.accept();
        Ok(())
    }
}

fn wrong_reader<T>() -> JsonResult<T> {
    Err(JsonError::Value("the column has another shape than its type".to_owned()))
}

pub(super) const fn describe(next: Next) -> &'static str {
    match next {
        Next::Object => "an object",
        Next::Array => "an array",
        Next::Text => "text",
        Next::Number => "a number",
        Next::True | Next::False => "a boolean",
        Next::Null => "null",
    }
}

#[inline]
fn read_scalar(next: Next, cursor: &mut Cursor<'_>, column: &mut Column, rules: &ReadRules) -> JsonResult<()> {
    match next {
        Next::Text => {
            let text = cursor.text()?;
            read_text_as(text, column, rules)
        }
        Next::Number => {
            let literal = cursor.number()?;
            read_number(literal, column, rules)
        }
        Next::True | Next::False => {
            let word: &[u8] = if next == Next::True { b"true" } else { b"false" };
            cursor.word(if next == Next::True { b"true" } else { b"false" })?;
            if let Data::Boolean(values) = column.data() {
                values.push(next == Next::True);
                column.accept();
                return Ok(());
            }
            scalar_from_text(word, column, rules)
        }
        Next::Object | Next::Array => {
            let start = cursor.position();
            cursor.skip()?;
            if !column.logical().is_character() {
                return Err(does_not_fit(describe(next).as_bytes(), column.logical()));
            }
            // Text columns take a nested value as its JSON, as Flink does.
            column.push_bytes(&compact(cursor.between(start, cursor.position())));
            Ok(())
        }
        Next::Null => {
            column.push_null();
            Ok(())
        }
    }
}

/// A JSON string into a column of any scalar type.
#[inline]
fn read_text_as(text: RawText<'_>, column: &mut Column, rules: &ReadRules) -> JsonResult<()> {
    let is_character = column.logical().is_character();
    match column.data() {
        Data::Bytes { offsets, bytes } if is_character => {
            if text.escaped {
                text.unescape_into(bytes)?;
            } else {
                bytes.extend_from_slice(text.bytes);
            }
            offsets.push(offset_of(bytes.len()));
            column.accept();
            Ok(())
        }
        _ => scalar_from_text(&text.unescape()?, column, rules),
    }
}

/// A JSON number into a column of any scalar type.
#[inline]
fn read_number(literal: &[u8], column: &mut Column, rules: &ReadRules) -> JsonResult<()> {
    match column.parts() {
        (LogicalType::BigInt, Data::Int64(values)) => {
            let value = whole_number(literal).ok_or_else(|| does_not_fit(literal, &LogicalType::BigInt))?;
            values.push(value);
        }
        (LogicalType::Int, Data::Int32(values)) => {
            let value = whole_number(literal).and_then(|value| i32::try_from(value).ok());
            values.push(value.ok_or_else(|| does_not_fit(literal, &LogicalType::Int))?);
        }
        _ => return scalar_from_text(literal, column, rules),
    }
    column.accept();
    Ok(())
}

/// A number with a fraction loses it, as in Flink; one out of range does not fit.
fn whole_number(literal: &[u8]) -> Option<i64> {
    if let Some(value) = parse_integer(literal) {
        return Some(value);
    }
    if !literal.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return None;
    }
    let value = parse_double(literal)?.trunc();
    (value >= i64::MIN as f64 && value < i64::MAX as f64).then_some(value as i64)
}

/// What Flink's JSON and CSV formats make of the text of a scalar.
pub(in crate::format) fn scalar_from_text(text: &[u8], column: &mut Column, rules: &ReadRules) -> JsonResult<()> {
    scalar_value(text, column, rules.standard).map_err(JsonError::Value)
}

/// Pushes the value that `text` stands for, or says why it does not fit.
pub(crate) fn scalar_value(text: &[u8], column: &mut Column, standard: TimestampStandard) -> Result<(), String> {
    let (ty, data) = column.parts();
    let wrong = || not_of_type(text, ty);
    match (ty, data) {
        (LogicalType::Null, _) => {
            column.push_null();
            return Ok(());
        }
        // Everything but "true" is false, as in Java.
        (_, Data::Boolean(values)) => values.push(text.trim_ascii().eq_ignore_ascii_case(b"true")),
        (_, Data::Int8(values)) => {
            values.push(parse_integer(text).and_then(|value| i8::try_from(value).ok()).ok_or_else(wrong)?);
        }
        (_, Data::Int16(values)) => {
            values.push(parse_integer(text).and_then(|value| i16::try_from(value).ok()).ok_or_else(wrong)?);
        }
        (LogicalType::Date, Data::Int32(values)) => values.push(parse_date(text).ok_or_else(wrong)?),
        (LogicalType::Time(precision), Data::Int32(values)) => {
            values.push(parse_time(text, *precision, standard).ok_or_else(wrong)?);
        }
        (_, Data::Int32(values)) => {
            values.push(parse_integer(text).and_then(|value| i32::try_from(value).ok()).ok_or_else(wrong)?);
        }
        (LogicalType::Timestamp(precision), Data::Int64(values)) => {
            values.push(parse_timestamp(text, *precision, standard, false).ok_or_else(wrong)?);
        }
        (LogicalType::TimestampLtz(precision), Data::Int64(values)) => {
            values.push(parse_timestamp(text, *precision, standard, true).ok_or_else(wrong)?);
        }
        (_, Data::Int64(values)) => values.push(parse_integer(text).ok_or_else(wrong)?),
        (_, Data::Float32(values)) => values.push(parse_double(text).ok_or_else(wrong)? as f32),
        (_, Data::Float64(values)) => values.push(parse_double(text).ok_or_else(wrong)?),
        (LogicalType::Decimal { precision, scale }, Data::Decimal(values)) => {
            match parse_decimal(text, *precision, *scale).ok_or_else(wrong)? {
                DecimalValue::Fits(value) => values.push(value),
                DecimalValue::Overflow => {
                    column.push_null();
                    return Ok(());
                }
            }
        }
        (ty, Data::Bytes { offsets, bytes }) => {
            if ty.is_character() {
                bytes.extend_from_slice(text);
            } else {
                BASE64.decode_vec(text, bytes).map_err(|_| wrong())?;
            }
            offsets.push(offset_of(bytes.len()));
        }
        _ => return Err(wrong()),
    }
    column.accept();
    Ok(())
}

#[cold]
fn does_not_fit(text: &[u8], ty: &LogicalType) -> JsonError {
    JsonError::Value(not_of_type(text, ty))
}

#[cold]
fn not_of_type(text: &[u8], ty: &LogicalType) -> String {
    let shown: String = String::from_utf8_lossy(text).chars().take(60).collect();
    format!("'{shown}' is no {ty}")
}

/// JSON without blanks between its tokens.
fn compact(text: &[u8]) -> Cow<'_, [u8]> {
    let mut in_text = false;
    let mut escaped = false;
    let mut keep = |byte: &u8| {
        if in_text {
            if escaped {
                escaped = false;
            } else if *byte == b'\\' {
                escaped = true;
            } else if *byte == b'"' {
                in_text = false;
            }
            return true;
        }
        in_text = *byte == b'"';
        !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
    };
    Cow::Owned(text.iter().copied().filter(|byte| keep(byte)).collect())
}
