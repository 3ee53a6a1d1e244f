//! Values without parts: which kinds go into which types, and how.

use super::input::{AvroResult, Input};
use super::reader::units_of;
use super::schema::{Kind, Logical, Node};
use crate::format::column::{Column, Data, offset_of};
use crate::format::number::decimal_to_scale;
use crate::format::temporal::units_per_second;
use crate::types::LogicalType;

pub(super) fn fits(kind: &Kind, logical: Option<Logical>, ty: &LogicalType) -> bool {
    use LogicalType as L;
    match ty {
        L::Boolean => *kind == Kind::Boolean,
        L::TinyInt | L::SmallInt | L::Int | L::BigInt => matches!(kind, Kind::Int | Kind::Long),
        L::Float => matches!(kind, Kind::Int | Kind::Long | Kind::Float),
        L::Double => matches!(kind, Kind::Int | Kind::Long | Kind::Float | Kind::Double),
        L::Char(_) | L::VarChar(_) | L::String => matches!(kind, Kind::String | Kind::Bytes | Kind::Enum { .. }),
        L::Binary(_) | L::VarBinary(_) | L::Bytes => matches!(kind, Kind::Bytes | Kind::Fixed { .. } | Kind::String),
        L::Date => *kind == Kind::Int,
        L::Time(_) => *kind == Kind::Int || logical == Some(Logical::TimeMicros),
        L::Timestamp(_) | L::TimestampLtz(_) => *kind == Kind::Long,
        L::Decimal { .. } => matches!(kind, Kind::Bytes | Kind::Fixed { .. }),
        _ => false,
    }
}

/// Reads a value of the node into a column that it fits.
#[inline]
pub(super) fn read(node: &Node, input: &mut Input<'_>, column: &mut Column) -> AvroResult<()> {
    match &node.kind {
        Kind::String => {
            let text = input.text()?;
            push_bytes(column, text);
            Ok(())
        }
        Kind::Int | Kind::Long => {
            let value = if node.kind == Kind::Int { input.int()?.into() } else { input.long()? };
            push_number(value, node.logical, column)
        }
        Kind::Boolean => {
            let value = input.boolean()?;
            if let Data::Boolean(values) = column.data() {
                values.push(value);
            }
            column.accept();
            Ok(())
        }
        Kind::Float => {
            push_real(input.float()?.into(), column);
            Ok(())
        }
        Kind::Double => {
            push_real(input.double()?, column);
            Ok(())
        }
        Kind::Bytes => {
            let bytes = input.bytes()?;
            push_binary(bytes, node.logical, column)
        }
        Kind::Fixed { size, .. } => {
            let bytes = input.take(*size)?;
            push_binary(bytes, node.logical, column)
        }
        Kind::Enum { symbols, .. } => {
            let index = input.index()?;
            let symbol = symbols.get(index).ok_or_else(|| format!("the enum has no symbol {index}"))?;
            push_bytes(column, symbol.as_bytes());
            Ok(())
        }
        _ => Err("a value with parts was taken for one without".to_owned()),
    }
}

fn push_bytes(column: &mut Column, value: &[u8]) {
    if let Data::Bytes { offsets, bytes } = column.data() {
        bytes.extend_from_slice(value);
        offsets.push(offset_of(bytes.len()));
    }
    column.accept();
}

fn push_real(value: f64, column: &mut Column) {
    match column.data() {
        Data::Float32(values) => values.push(value as f32),
        Data::Float64(values) => values.push(value),
        _ => {}
    }
    column.accept();
}

fn push_number(value: i64, logical: Option<Logical>, column: &mut Column) -> AvroResult<()> {
    let does_not_fit = |ty: &LogicalType| format!("{value} does not fit {ty}");
    match column.parts() {
        (LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision), Data::Int64(values)) => {
            let instant = rescale(value, units_of(logical), units_per_second(*precision));
            values.push(cut(instant.ok_or_else(|| format!("{value} is no time"))?, *precision));
        }
        (LogicalType::Time(precision), Data::Int32(values)) => {
            let millis = if logical == Some(Logical::TimeMicros) { value.div_euclid(1_000) } else { value };
            let millis = i32::try_from(millis).ok().filter(|millis| (0..86_400_000).contains(millis));
            let millis = millis.ok_or_else(|| format!("{value} is no time of a day"))?;
            values.push(i32::try_from(cut(millis.into(), *precision)).unwrap_or(millis));
        }
        (_, Data::Int64(values)) => values.push(value),
        (ty, Data::Int32(values)) => values.push(i32::try_from(value).map_err(|_| does_not_fit(ty))?),
        (ty, Data::Int16(values)) => values.push(i16::try_from(value).map_err(|_| does_not_fit(ty))?),
        (ty, Data::Int8(values)) => values.push(i8::try_from(value).map_err(|_| does_not_fit(ty))?),
        (_, Data::Float32(values)) => values.push(value as f32),
        (_, Data::Float64(values)) => values.push(value as f64),
        (ty, _) => return Err(does_not_fit(ty)),
    }
    column.accept();
    Ok(())
}

/// From units per second to others; what is finer is dropped towards the past.
pub(super) fn rescale(value: i64, from: i64, to: i64) -> Option<i64> {
    if from <= to { value.checked_mul(to / from) } else { Some(value.div_euclid(from / to)) }
}

/// Drops the digits behind the precision of a value in the units of that precision.
fn cut(value: i64, precision: u8) -> i64 {
    let digits = match precision {
        0..=3 => 3 - precision,
        4..=6 => 6 - precision,
        _ => 9_u8.saturating_sub(precision),
    };
    let unit = 10_i64.pow(digits.into());
    value.div_euclid(unit) * unit
}

fn push_binary(value: &[u8], logical: Option<Logical>, column: &mut Column) -> AvroResult<()> {
    match column.parts() {
        (LogicalType::Decimal { precision, scale }, Data::Decimal(values)) => {
            let digits = big_endian(value).ok_or("a decimal has more than 38 digits")?;
            let from = match logical {
                Some(Logical::Decimal { scale, .. }) => scale,
                _ => *scale,
            };
            match decimal_to_scale(digits, from, *precision, *scale) {
                Some(value) => values.push(value),
                None => {
                    column.push_null();
                    return Ok(());
                }
            }
        }
        (ty, Data::Bytes { offsets, bytes }) => {
            if ty.is_character()
                && let Err(error) = std::str::from_utf8(value)
            {
                return Err(format!("byte {} of a text is no UTF-8", error.valid_up_to()));
            }
            bytes.extend_from_slice(value);
            offsets.push(offset_of(bytes.len()));
        }
        (ty, _) => return Err(format!("bytes do not fit {ty}")),
    }
    column.accept();
    Ok(())
}

/// Two's complement of any length.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let fill = if negative { 0xff } else { 0 };
    let extra = bytes.len().saturating_sub(16);
    let (head, tail) = bytes.split_at_checked(extra)?;
    if head.iter().any(|byte| *byte != fill) {
        return None;
    }
    let mut all = [fill; 16];
    all.get_mut(16 - tail.len()..)?.copy_from_slice(tail);
    let value = i128::from_be_bytes(all);
    (negative == (value < 0)).then_some(value)
}
