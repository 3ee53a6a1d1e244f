//! Values of a batch as text, before a dialect puts quotes around them.

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};

use crate::error::{EngineError, Result};
use crate::format::number::write_decimal;
use crate::format::temporal::{TimestampStandard, write_date, write_time, write_timestamp};

/// A value that is not NULL, by how it is written.
pub(in crate::connector) enum Plain {
    Boolean(bool),
    Integer(i64),
    Double(f64),
    /// Kept apart from `Double`: its shortest text is shorter.
    Float(f32),
    Decimal(String),
    Text(String),
    Bytes(Vec<u8>),
    /// Dates and times; zoned ones are in UTC and carry no mark of it.
    Time(String),
    Timestamp {
        text: String,
        zoned: bool,
    },
    List(ArrayRef),
}

pub(in crate::connector) fn plain(array: &ArrayRef, row: usize) -> Result<Plain> {
    let owned = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| EngineError::internal("a text is no UTF-8"));
    Ok(match array.data_type() {
        DataType::Boolean => Plain::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => Plain::Integer(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Plain::Integer(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Plain::Integer(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Plain::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Plain::Float(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Plain::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            let mut out = Vec::new();
            write_decimal(&mut out, array.as_primitive::<Decimal128Type>().value(row), *scale);
            Plain::Decimal(owned(out)?)
        }
        DataType::Utf8 => Plain::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Plain::Bytes(array.as_binary::<i32>().value(row).to_owned()),
        DataType::Date32 => {
            let mut out = Vec::new();
            write_date(&mut out, array.as_primitive::<Date32Type>().value(row).into());
            Plain::Time(owned(out)?)
        }
        DataType::Time32(TimeUnit::Millisecond) => {
            let mut out = Vec::new();
            write_time(&mut out, array.as_primitive::<Time32MillisecondType>().value(row).into());
            Plain::Time(owned(out)?)
        }
        DataType::Timestamp(unit, zone) => {
            let (value, units) = match unit {
                TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().value(row), 1_000),
                TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000),
                TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000),
                TimeUnit::Second => return Err(EngineError::internal("a timestamp is kept in seconds")),
            };
            let mut out = Vec::new();
            write_timestamp(&mut out, value, units, TimestampStandard::Sql, false);
            Plain::Timestamp { text: owned(out)?, zoned: zone.is_some() }
        }
        DataType::List(_) => Plain::List(array.as_list::<i32>().value(row)),
        other => return Err(EngineError::user("bad_column", format!("A column of type {other} cannot be written."))),
    })
}
