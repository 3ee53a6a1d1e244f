//! Literal values, in the representation that their logical type has in Arrow.

use std::fmt;

use datafusion_common::ScalarValue;

/// A constant. Wraps DataFusion's scalar so that constant folding and lowering share one representation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Value(pub ScalarValue);

impl Value {
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    pub fn string(text: impl Into<String>) -> Self {
        Value(ScalarValue::Utf8(Some(text.into())))
    }

    pub const fn int(number: i32) -> Self {
        Value(ScalarValue::Int32(Some(number)))
    }

    pub const fn big_int(number: i64) -> Self {
        Value(ScalarValue::Int64(Some(number)))
    }

    pub const fn boolean(truth: bool) -> Self {
        Value(ScalarValue::Boolean(Some(truth)))
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            ScalarValue::Utf8(Some(text)) => Some(text),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            ScalarValue::Int8(Some(number)) => Some(number.into()),
            ScalarValue::Int16(Some(number)) => Some(number.into()),
            ScalarValue::Int32(Some(number)) => Some(number.into()),
            ScalarValue::Int64(Some(number)) => Some(number),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            value if value.is_null() => f.write_str("NULL"),
            ScalarValue::Utf8(Some(text)) => write!(f, "'{}'", text.replace('\'', "''")),
            value => write!(f, "{value}"),
        }
    }
}
