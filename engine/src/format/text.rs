//! Values of scalar types as plain text.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::number::write_decimal;
use super::temporal::{TimestampStandard, write_date, write_time, write_timestamp};
use crate::error::{EngineError, Result};

/// The value of a row that is not NULL, without quotes; bytes in base64.
pub(crate) fn scalar_text(array: &ArrayRef, row: usize, standard: TimestampStandard, out: &mut Vec<u8>) -> Result<()> {
    match array.data_type() {
        DataType::Boolean => out.extend_from_slice(if array.as_boolean().value(row) { b"true" } else { b"false" }),
        DataType::Int8 => write_integer(array.as_primitive::<Int8Type>().value(row).into(), out),
        DataType::Int16 => write_integer(array.as_primitive::<Int16Type>().value(row).into(), out),
        DataType::Int32 => write_integer(array.as_primitive::<Int32Type>().value(row).into(), out),
        DataType::Int64 => write_integer(array.as_primitive::<Int64Type>().value(row), out),
        DataType::Float32 => out
            .extend_from_slice(java_float(format!("{:?}", array.as_primitive::<Float32Type>().value(row))).as_bytes()),
        DataType::Float64 => out
            .extend_from_slice(java_float(format!("{:?}", array.as_primitive::<Float64Type>().value(row))).as_bytes()),
        DataType::Decimal128(_, scale) => write_decimal(out, array.as_primitive::<Decimal128Type>().value(row), *scale),
        DataType::Utf8 => out.extend_from_slice(array.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => out.extend_from_slice(BASE64.encode(array.as_binary::<i32>().value(row)).as_bytes()),
        _ => write_temporal(array, row, standard, out)?,
    }
    Ok(())
}

fn java_float(text: String) -> String {
    match text.as_str() {
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        _ => text,
    }
}

/// Dates and times without quotes.
pub(crate) fn write_temporal(
    array: &ArrayRef,
    row: usize,
    standard: TimestampStandard,
    out: &mut Vec<u8>,
) -> Result<()> {
    match array.data_type() {
        DataType::Date32 => write_date(out, array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Time32(TimeUnit::Millisecond) => {
            write_time(out, array.as_primitive::<Time32MillisecondType>().value(row).into());
        }
        DataType::Timestamp(unit, zone) => {
            let (value, units) = match unit {
                TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().value(row), 1_000),
                TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000),
                TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000),
                TimeUnit::Second => return Err(EngineError::internal("a timestamp is kept in seconds")),
            };
            write_timestamp(out, value, units, standard, zone.is_some());
        }
        other => return Err(EngineError::user("bad_column", format!("A column of type {other} cannot be written."))),
    }
    Ok(())
}

pub(crate) fn write_integer(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut rest = value.unsigned_abs();
    let mut start = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        start -= 1;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}
