//! Values in JSON.
//!
//! | type | JSON |
//! |---|---|
//! | BOOLEAN, integers | `true`, number with all digits |
//! | FLOAT, DOUBLE | number; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | DECIMAL(p, s) | string with s fraction digits |
//! | strings | string; bytes as lower-case hexadecimal digits |
//! | DATE, TIME(p), TIMESTAMP(p) | `"2020-02-29"`, `"23:59:59.12"`, `"2020-02-29T23:59:59.123"`, p fraction digits |
//! | TIMESTAMP_LTZ(p) | the same in UTC with `Z` |
//! | ARRAY, ROW | array |
//! | MAP, MULTISET | array of pairs, sorted by their text |

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta};
use serde_json::{Value, json};

use crate::change::ChangeBatch;
use crate::types::{LogicalType, Schema};

/// Rows of one schema → JSON values.
#[derive(Clone, Debug)]
pub struct RowWriter {
    types: Vec<LogicalType>,
}

impl RowWriter {
    pub fn new(schema: &Schema) -> Self {
        RowWriter { types: schema.fields.iter().map(|field| field.ty.logical.clone()).collect() }
    }

    pub fn row(&self, batch: &ChangeBatch, row: usize) -> Vec<Value> {
        let columns = self.types.iter().zip(batch.rows.columns());
        columns.map(|(ty, column)| value(column, row, ty)).collect()
    }
}

/// The type as headings show it.
pub fn column_type(ty: &LogicalType) -> String {
    ty.to_string()
}

fn value(column: &ArrayRef, row: usize, ty: &LogicalType) -> Value {
    if column.is_null(row) || matches!(ty, LogicalType::Null) {
        return Value::Null;
    }
    shown(column, row, ty).unwrap_or(Value::Null)
}

/// `None` where the array is not what the type says, which the planner rules out.
fn shown(column: &ArrayRef, row: usize, ty: &LogicalType) -> Option<Value> {
    Some(match ty {
        LogicalType::Null => Value::Null,
        LogicalType::Boolean => json!(column.as_boolean_opt()?.value(row)),
        LogicalType::TinyInt => json!(primitive::<Int8Type>(column, row)?),
        LogicalType::SmallInt => json!(primitive::<Int16Type>(column, row)?),
        LogicalType::Int | LogicalType::IntervalYearMonth => json!(primitive::<Int32Type>(column, row)?),
        LogicalType::BigInt | LogicalType::IntervalDayTime => json!(primitive::<Int64Type>(column, row)?),
        // Through the shortest text, so that 0.1 stays 0.1.
        LogicalType::Float => {
            let number = primitive::<Float32Type>(column, row)?;
            if number.is_finite() { float(number.to_string().parse().ok()?) } else { float(f64::from(number)) }
        }
        LogicalType::Double => float(primitive::<Float64Type>(column, row)?),
        LogicalType::Decimal { scale, .. } => Value::String(decimal(primitive::<Decimal128Type>(column, row)?, *scale)),
        LogicalType::Char(_) | LogicalType::VarChar(_) | LogicalType::String => {
            json!(column.as_string_opt::<i32>()?.value(row))
        }
        LogicalType::Binary(_) | LogicalType::VarBinary(_) | LogicalType::Bytes => {
            let bytes = column.as_binary_opt::<i32>()?.value(row);
            Value::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        LogicalType::Date => {
            let day = TimeDelta::try_days(i64::from(primitive::<Date32Type>(column, row)?))?;
            Value::String(NaiveDate::from_ymd_opt(1970, 1, 1)?.checked_add_signed(day)?.to_string())
        }
        LogicalType::Time(precision) => {
            let millis = i64::from(primitive::<Time32MillisecondType>(column, row)?);
            let time = DateTime::from_timestamp_millis(millis)?.naive_utc();
            Value::String(format!("{}{}", time.format("%H:%M:%S"), fraction(time, *precision)))
        }
        LogicalType::Timestamp(precision) => Value::String(moment(timestamp(column, row)?, *precision)),
        LogicalType::TimestampLtz(precision) => Value::String(moment(timestamp(column, row)?, *precision) + "Z"),
        LogicalType::Array(element) => {
            let elements = column.as_list_opt::<i32>()?.value(row);
            Value::Array((0..elements.len()).map(|index| value(&elements, index, &element.logical)).collect())
        }
        LogicalType::Map(key, item) => pairs(column, row, &key.logical, &item.logical)?,
        LogicalType::Multiset(element) => pairs(column, row, &element.logical, &LogicalType::Int)?,
        LogicalType::Row(fields) => {
            let row_of = column.as_struct_opt()?;
            let values =
                fields.iter().zip(row_of.columns()).map(|(field, column)| value(column, row, &field.ty.logical));
            Value::Array(values.collect())
        }
    })
}

fn primitive<T: ArrowPrimitiveType>(column: &ArrayRef, row: usize) -> Option<T::Native> {
    column.as_primitive_opt::<T>().map(|column| column.value(row))
}

fn float(number: f64) -> Value {
    serde_json::Number::from_f64(number).map_or_else(
        || {
            json!(if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            })
        },
        Value::Number,
    )
}

fn decimal(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn timestamp(column: &ArrayRef, row: usize) -> Option<NaiveDateTime> {
    let DataType::Timestamp(unit, _) = column.data_type() else { return None };
    let moment = match unit {
        TimeUnit::Millisecond => DateTime::from_timestamp_millis(primitive::<TimestampMillisecondType>(column, row)?)?,
        TimeUnit::Microsecond => DateTime::from_timestamp_micros(primitive::<TimestampMicrosecondType>(column, row)?)?,
        TimeUnit::Nanosecond => DateTime::from_timestamp_nanos(primitive::<TimestampNanosecondType>(column, row)?),
        TimeUnit::Second => return None,
    };
    Some(moment.naive_utc())
}

fn moment(time: NaiveDateTime, precision: u8) -> String {
    format!("{}{}", time.format("%Y-%m-%dT%H:%M:%S"), fraction(time, precision))
}

fn fraction(time: NaiveDateTime, precision: u8) -> String {
    let nanos = format!("{:09}", time.and_utc().timestamp_subsec_nanos());
    let digits = nanos.get(..usize::from(precision.min(9))).unwrap_or_default();
    if digits.is_empty() { String::new() } else { format!(".{digits}") }
}

fn pairs(column: &ArrayRef, row: usize, key: &LogicalType, item: &LogicalType) -> Option<Value> {
    let entries = column.as_map_opt()?.value(row);
    let (keys, items) = (entries.column(0), entries.column(1));
    let pair = |index| json!([value(keys, index, key), value(items, index, item)]);
    let mut pairs: Vec<Value> = (0..entries.len()).map(pair).collect();
    pairs.sort_by_key(ToString::to_string);
    Some(Value::Array(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_fraction_digits() {
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(12345, 2), "123.45");
        assert_eq!(decimal(7, 0), "7");
    }

    #[test]
    fn times_show_as_many_digits_as_their_type() {
        let time = DateTime::from_timestamp_millis(-1).map(|time| time.naive_utc());
        assert_eq!(time.map(|time| moment(time, 3)).as_deref(), Some("1969-12-31T23:59:59.999"));
        assert_eq!(time.map(|time| moment(time, 0)).as_deref(), Some("1969-12-31T23:59:59"));
    }
}
