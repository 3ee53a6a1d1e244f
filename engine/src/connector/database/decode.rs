//! Values in the text form of a server → columns.

use super::super::postgres::{Item, read_array};
use super::dialect::{ColumnFacts, from_hex};
use crate::error::{EngineError, Result};
use crate::format::column::{Column, Data, offset_of};
use crate::format::number::{DecimalValue, parse_decimal, parse_double, parse_integer};
use crate::format::temporal::{TimestampStandard, parse_date, parse_time, parse_timestamp};
use crate::types::LogicalType;

/// Scalars that every database has.
pub(in crate::connector) fn is_scalar(ty: &LogicalType) -> bool {
    use LogicalType as L;
    match ty {
        L::Boolean | L::TinyInt | L::SmallInt | L::Int | L::BigInt | L::Float | L::Double | L::Decimal { .. } => true,
        L::Char(_) | L::VarChar(_) | L::String | L::Binary(_) | L::VarBinary(_) | L::Bytes => true,
        L::Date | L::Time(_) | L::Timestamp(_) | L::TimestampLtz(_) => true,
        L::Null | L::IntervalYearMonth | L::IntervalDayTime => false,
        L::Array(_) | L::Multiset(_) | L::Map(..) | L::Row(_) => false,
    }
}

/// Appends a value; `None` is NULL.
pub(super) fn push(value: Option<&[u8]>, column: &mut Column, facts: &ColumnFacts) -> Result<()> {
    let Some(text) = value else {
        column.push_null();
        return Ok(());
    };
    // Zero dates of MySQL, which no calendar has.
    let temporal = matches!(column.logical(), LogicalType::Date) || column.logical().is_timestamp();
    if temporal && text.starts_with(b"0000-00-00") {
        column.push_null();
        return Ok(());
    }
    let hexadecimal = facts.base.starts_with("bytea");
    if push_value(text, column, hexadecimal).is_some() { Ok(()) } else { Err(unfit(text, column.logical(), facts)) }
}

fn unfit(text: &[u8], ty: &LogicalType, facts: &ColumnFacts) -> EngineError {
    let shown: String = String::from_utf8_lossy(text).chars().take(60).collect();
    let message = format!(
        "The column '{}' of the database has the type {} and holds '{shown}', which is no {ty}.",
        facts.name, facts.ty
    );
    EngineError::user("bad_value", message)
}

/// `None` when the value does not fit the type.
fn push_value(text: &[u8], column: &mut Column, hexadecimal: bool) -> Option<()> {
    use LogicalType as L;
    let ty = column.logical().clone();
    match ty {
        L::Char(_) | L::VarChar(_) | L::String => {
            std::str::from_utf8(text).ok()?;
            column.push_bytes(text);
            return Some(());
        }
        L::Binary(_) | L::VarBinary(_) | L::Bytes => {
            match text.strip_prefix(b"\\x").filter(|_| hexadecimal) {
                Some(digits) => column.push_bytes(&from_hex(digits)?),
                None => column.push_bytes(text),
            }
            return Some(());
        }
        L::BigInt => column.push_i64(parse_integer(text)?),
        L::Int => column.push_i64(i32::try_from(parse_integer(text)?).ok()?.into()),
        L::SmallInt => column.push_i64(i16::try_from(parse_integer(text)?).ok()?.into()),
        L::TinyInt => column.push_i64(i8::try_from(parse_integer(text)?).ok()?.into()),
        L::Date => column.push_i64(parse_date(text)?.into()),
        L::Time(precision) => column.push_i64(parse_time(text, precision, TimestampStandard::Sql)?.into()),
        L::Timestamp(precision) => column.push_i64(timestamp(text, precision)?),
        L::TimestampLtz(precision) => column.push_i64(timestamp(text, precision)?),
        _ => return push_other(text, column, &ty, hexadecimal),
    }
    Some(())
}

fn push_other(text: &[u8], column: &mut Column, ty: &LogicalType, hexadecimal: bool) -> Option<()> {
    match (column.data(), ty) {
        (Data::Boolean(values), _) => values.push(boolean(text)?),
        (Data::Float32(values), _) => values.push(parse_double(text)? as f32),
        (Data::Float64(values), _) => values.push(parse_double(text)?),
        (Data::Decimal(values), LogicalType::Decimal { precision, scale }) => {
            match parse_decimal(text, *precision, *scale)? {
                DecimalValue::Fits(value) => values.push(value),
                DecimalValue::Overflow => return None,
            }
        }
        (Data::List { offsets, items }, _) => {
            push_items(&read_array(text)?, items, hexadecimal)?;
            offsets.push(offset_of(items.len()));
        }
        _ => return None,
    }
    column.accept();
    Some(())
}

fn push_items(found: &[Item], items: &mut Column, hexadecimal: bool) -> Option<()> {
    for item in found {
        match item {
            Item::Null => items.push_null(),
            Item::Text(text) => push_value(text, items, hexadecimal)?,
            Item::Array(inner) => {
                let Data::List { offsets, items: inner_items } = items.data() else { return None };
                push_items(inner, inner_items, hexadecimal)?;
                offsets.push(offset_of(inner_items.len()));
                items.accept();
            }
        }
    }
    Some(())
}

/// `t` of PostgreSQL, and numbers other than 0 of MySQL.
fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"t" | b"true" => Some(true),
        b"f" | b"false" => Some(false),
        number => Some(parse_integer(number)? != 0),
    }
}

/// With the mark of a zone or without: sessions are in UTC.
fn timestamp(text: &[u8], precision: u8) -> Option<i64> {
    // A zone stands behind the time of day, whose date has hyphens as well.
    let zoned = text.get(10..).is_some_and(|time| time.iter().any(|byte| matches!(byte, b'+' | b'-')));
    if text.len() == 10 {
        let midnight = [text, b" 00:00:00"].concat();
        return parse_timestamp(&midnight, precision, TimestampStandard::Sql, false);
    }
    parse_timestamp(text, precision, TimestampStandard::Sql, zoned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::{Array as _, AsArray as _};
    use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMicrosecondType};

    use super::*;
    use crate::types::Type;

    fn column(ty: LogicalType, base: &str, values: &[Option<&str>]) -> Result<arrow::array::ArrayRef> {
        let facts = ColumnFacts {
            name: "c".to_owned(),
            ty: base.to_owned(),
            base: base.to_owned(),
            not_null: false,
            comment: String::new(),
        };
        let mut column = Column::new(&ty);
        for value in values {
            push(value.map(str::as_bytes), &mut column, &facts)?;
        }
        column.finish()
    }

    #[test]
    fn texts_become_values() {
        let found = column(LogicalType::Boolean, "boolean", &[Some("t"), Some("f"), Some("2"), None]).unwrap();
        let found = found.as_boolean();
        assert_eq!((found.value(0), found.value(1), found.value(2), found.is_null(3)), (true, false, true, true));
        let found = column(LogicalType::Bytes, "bytea", &[Some("\\x00ff")]).unwrap();
        assert_eq!(found.as_binary::<i32>().value(0), [0, 255]);
        let found = column(LogicalType::Bytes, "varbinary", &[Some("\\x00ff")]).unwrap();
        assert_eq!(found.as_binary::<i32>().value(0), b"\\x00ff");
        let decimal = LogicalType::Decimal { precision: 5, scale: 2 };
        assert_eq!(
            column(decimal.clone(), "numeric", &[Some("-1.005")]).unwrap().as_primitive::<Decimal128Type>().value(0),
            -101
        );
        assert!(column(decimal, "numeric", &[Some("1000")]).unwrap_err().message.contains("no DECIMAL(5, 2)"));
        let micros = LogicalType::Timestamp(6);
        let texts = [Some("2020-01-02 03:04:05.678912+00"), Some("2020-01-02"), Some("0000-00-00 00:00:00")];
        let found = column(micros.clone(), "timestamp", &texts).unwrap();
        let found = found.as_primitive::<TimestampMicrosecondType>();
        assert_eq!((found.value(0), found.value(1)), (1_577_934_245_678_912, 1_577_923_200_000_000));
        assert!(found.is_null(2));
        assert!(column(micros, "timestamp", &[Some("infinity")]).is_err());
        assert!(column(LogicalType::TinyInt, "integer", &[Some("128")]).is_err());
    }

    #[test]
    fn arrays_become_lists() {
        let ty = LogicalType::Array(Box::new(Type::nullable(LogicalType::BigInt)));
        let found = column(ty.clone(), "bigint[]", &[Some("{1,NULL}"), None, Some("{}")]).unwrap();
        let list = found.as_list::<i32>();
        let first = list.value(0);
        assert_eq!(first.as_primitive::<Int64Type>().value(0), 1);
        assert!(first.is_null(1) && list.is_null(1) && list.value(2).is_empty());
        assert!(column(ty, "bigint[]", &[Some("{x}")]).is_err());
    }
}
