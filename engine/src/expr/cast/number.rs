//! Number → number, and numbers as booleans. Java's rules: integers wrap, floats saturate and cut, NaN is 0.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, i256};
use datafusion_common::{DataFusionError, internal_err};

use crate::function::decimal::{power_of_ten, rescale};
use crate::types::LogicalType;

/// A number between two representations.
#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Float(f64),
    Decimal(i128, u8),
}

/// Reads a numeric array of any type.
pub(super) struct Numbers<'a> {
    array: &'a ArrayRef,
    ty: &'a LogicalType,
}

impl Numbers<'_> {
    fn get(&self, row: usize) -> Option<Number> {
        if self.array.is_null(row) {
            return None;
        }
        Some(match self.ty {
            LogicalType::TinyInt => Number::Integer(self.at::<Int8Type>(row)?.into()),
            LogicalType::SmallInt => Number::Integer(self.at::<Int16Type>(row)?.into()),
            LogicalType::Int => Number::Integer(self.at::<Int32Type>(row)?.into()),
            LogicalType::BigInt => Number::Integer(self.at::<Int64Type>(row)?),
            LogicalType::Float => Number::Float(self.at::<Float32Type>(row)?.into()),
            LogicalType::Double => Number::Float(self.at::<Float64Type>(row)?),
            LogicalType::Decimal { scale, .. } => Number::Decimal(self.at::<Decimal128Type>(row)?, *scale),
            _ => return None,
        })
    }

    fn at<T: ArrowPrimitiveType>(&self, row: usize) -> Option<T::Native> {
        self.array.as_primitive_opt::<T>().map(|array| array.value(row))
    }
}

impl Number {
    /// Cut towards zero; decimals beyond BIGINT wrap as Java's `BigDecimal.longValue` does.
    #[expect(clippy::cast_possible_truncation, reason = "saturates for floats and wraps for decimals, as in Java")]
    fn to_i64(self) -> i64 {
        match self {
            Number::Integer(number) => number,
            Number::Float(number) => number as i64,
            Number::Decimal(unscaled, scale) => {
                let whole = i256::from_i128(unscaled).checked_div(power_of_ten(scale.into()));
                whole.and_then(i256::to_i128).map_or(0, |whole| whole as i64)
            }
        }
    }

    /// Floats go by way of INT, as Java's narrowing casts do; wider integers lose their high bits.
    #[expect(clippy::cast_possible_truncation, reason = "Java's narrowing")]
    fn to_i32(self) -> i32 {
        match self {
            Number::Float(number) => number as i32,
            other => other.to_i64() as i32,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "nearest double, as in Java")]
    fn to_f64(self) -> f64 {
        match self {
            Number::Integer(number) => number as f64,
            Number::Float(number) => number,
            Number::Decimal(unscaled, scale) => format!("{unscaled}e-{scale}").parse().unwrap_or(f64::NAN),
        }
    }

    fn to_decimal(self, precision: u8, scale: u8) -> Option<i128> {
        match self {
            Number::Integer(number) => rescale(i256::from_i128(number.into()), 0, scale, precision),
            Number::Decimal(unscaled, from) => rescale(i256::from_i128(unscaled), from, scale, precision),
            Number::Float(number) => super::number_text::parse_decimal(&format!("{number:?}"), precision, scale),
        }
    }
}

pub(super) fn between_numbers(
    array: &ArrayRef,
    from: &LogicalType,
    to: &LogicalType,
) -> Result<ArrayRef, DataFusionError> {
    let numbers = Numbers { array, ty: from };
    #[expect(clippy::cast_possible_truncation, reason = "Java's narrowing")]
    Ok(match to {
        LogicalType::TinyInt => collect::<Int8Type>(&numbers, |number| Some(number.to_i32() as i8)),
        LogicalType::SmallInt => collect::<Int16Type>(&numbers, |number| Some(number.to_i32() as i16)),
        LogicalType::Int => collect::<Int32Type>(&numbers, |number| Some(number.to_i32())),
        LogicalType::BigInt => collect::<Int64Type>(&numbers, |number| Some(number.to_i64())),
        LogicalType::Float => collect::<Float32Type>(&numbers, |number| Some(number.to_f64() as f32)),
        LogicalType::Double => collect::<Float64Type>(&numbers, |number| Some(number.to_f64())),
        LogicalType::Decimal { precision, scale } => {
            let decimals = (0..array.len()).map(|row| numbers.get(row)?.to_decimal(*precision, *scale));
            let decimals = decimals.collect::<PrimitiveArray<Decimal128Type>>();
            Arc::new(decimals.with_data_type(to.to_arrow()))
        }
        _ => return internal_err!("{to} is no number"),
    })
}

fn collect<T: ArrowPrimitiveType>(numbers: &Numbers, each: impl Fn(Number) -> Option<T::Native>) -> ArrayRef {
    let rows = 0..numbers.array.len();
    Arc::new(rows.map(|row| numbers.get(row).and_then(&each)).collect::<PrimitiveArray<T>>())
}

pub(super) fn from_boolean(array: &ArrayRef, to: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    let Some(booleans) = array.as_boolean_opt() else { return internal_err!("a BOOLEAN is not kept as booleans") };
    let integers: ArrayRef =
        Arc::new(booleans.iter().map(|truth| truth.map(i32::from)).collect::<PrimitiveArray<Int32Type>>());
    if *to == LogicalType::Int { Ok(integers) } else { between_numbers(&integers, &LogicalType::Int, to) }
}

pub(super) fn to_boolean(array: &ArrayRef, from: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    let numbers = Numbers { array, ty: from };
    let truths = (0..array.len()).map(|row| {
        numbers.get(row).map(|number| match number {
            Number::Integer(number) => number != 0,
            Number::Float(number) => number != 0.0,
            Number::Decimal(unscaled, _) => unscaled != 0,
        })
    });
    Ok(Arc::new(truths.collect::<BooleanArray>()))
}
