//! DECIMAL: exact arithmetic with the precision rules of the SQL standard as Flink applies them.
//!
//! The unscaled value is an `i128`; products and quotients go through 256 bits. A result that does not fit its precision
//! is NULL.

use arrow::datatypes::{Decimal128Type, i256};
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::signature::as_decimal;
use super::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

const MAX_PRECISION: u8 = 38;

/// Resolves `+ - * / %` where one side is DECIMAL and the other exact.
pub(super) fn arithmetic(sign: &str, left: &Argument, right: &Argument) -> Option<ScalarCall> {
    let ((p1, s1), (p2, s2)) = (as_decimal(&left.ty.logical), as_decimal(&right.ty.logical));
    let scale = s1.max(s2);
    let (precision, scale, kernel): (u16, u16, NativeFn) = match sign {
        "+" | "-" => {
            let digits = u16::from((p1 - s1).max(p2 - s2));
            (digits + u16::from(scale) + 1, scale.into(), if sign == "+" { add } else { subtract })
        }
        "*" => (u16::from(p1) + u16::from(p2) + 1, u16::from(s1) + u16::from(s2), multiply),
        "/" => {
            let scale = (u16::from(s1) + u16::from(p2) + 1).max(6);
            (u16::from(p1 - s1) + u16::from(s2) + scale, scale, divide)
        }
        _ => (u16::from((p1 - s1).min(p2 - s2)) + u16::from(scale), scale.into(), remainder),
    };
    let side = |argument: &Argument, (precision, scale)| {
        Type::new(LogicalType::Decimal { precision, scale }, argument.ty.nullable)
    };
    let nullable = left.ty.nullable || right.ty.nullable;
    let result = Type::new(adjust(precision, scale), nullable);
    Some(ScalarCall::new(sign, vec![side(left, (p1, s1)), side(right, (p2, s2))], result, Kernel::Native(kernel)))
}

/// Cuts the scale, but not below 6, when the precision passes 38.
fn adjust(precision: u16, scale: u16) -> LogicalType {
    let max = u16::from(MAX_PRECISION);
    let (precision, scale) = if precision <= max {
        (precision, scale)
    } else {
        let digits = precision - scale;
        (max, max.saturating_sub(digits).max(scale.min(6)))
    };
    LogicalType::Decimal {
        precision: u8::try_from(precision).unwrap_or(MAX_PRECISION),
        scale: u8::try_from(scale).unwrap_or(MAX_PRECISION),
    }
}

/// 10 to the power of `exponent`, at most 76.
pub(crate) fn power_of_ten(exponent: u32) -> i256 {
    (0..exponent.min(76)).fold(i256::ONE, |power, _| power.wrapping_mul(i256::from_i128(10)))
}

/// Divides and rounds half away from zero.
pub(crate) fn divide_rounded(dividend: i256, divisor: i256) -> Option<i256> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = dividend.checked_rem(divisor)?;
    let magnitude = |value: i256| if value.is_negative() { value.wrapping_neg() } else { value };
    let round_up = magnitude(rest).checked_mul(i256::from_i128(2))? >= magnitude(divisor);
    let away = if dividend.is_negative() == divisor.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    if round_up { quotient.checked_add(away) } else { Some(quotient) }
}

/// Moves an unscaled value to another scale, rounding half up; `None` when it passes the precision.
pub(crate) fn rescale(unscaled: i256, from: u8, to: u8, precision: u8) -> Option<i128> {
    let moved = if to >= from {
        unscaled.checked_mul(power_of_ten(u32::from(to - from)))?
    } else {
        divide_rounded(unscaled, power_of_ten(u32::from(from - to)))?
    };
    fits(moved, precision)
}

pub(crate) fn fits(unscaled: i256, precision: u8) -> Option<i128> {
    let limit = power_of_ten(precision.into());
    (unscaled < limit && unscaled > limit.wrapping_neg()).then(|| unscaled.to_i128()).flatten()
}

fn scales(call: &Call) -> (u8, u8, u8, u8) {
    let scale_of = |position: usize| call.arg_types.get(position).map_or(0, |ty| as_decimal(&ty.logical).1);
    let (precision, scale) = as_decimal(&call.return_type.logical);
    (scale_of(0), scale_of(1), precision, scale)
}

fn add(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    sum(call, i256::checked_add)
}

fn subtract(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    sum(call, i256::checked_sub)
}

fn sum(call: &Call, combine: fn(i256, i256) -> Option<i256>) -> Result<ColumnarValue, DataFusionError> {
    let (s1, s2, precision, scale) = scales(call);
    let common = s1.max(s2);
    let (up1, up2) = (power_of_ten(u32::from(common - s1)), power_of_ten(u32::from(common - s2)));
    binary(call, |a, b| {
        Ok(combine(a.wrapping_mul(up1), b.wrapping_mul(up2)).and_then(|sum| rescale(sum, common, scale, precision)))
    })
}

fn multiply(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (s1, s2, precision, scale) = scales(call);
    binary(call, |a, b| Ok(a.checked_mul(b).and_then(|product| rescale(product, s1 + s2, scale, precision))))
}

fn divide(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (s1, s2, precision, scale) = scales(call);
    // a/10^s1 ÷ b/10^s2, at scale s: a × 10^(s + s2 − s1) ÷ b.
    let shift = i32::from(scale) + i32::from(s2) - i32::from(s1);
    let power = power_of_ten(shift.unsigned_abs());
    binary(call, |a, b| {
        if b == i256::ZERO {
            return exec_err!("Division by zero.");
        }
        let quotient = if shift >= 0 {
            a.checked_mul(power).and_then(|dividend| divide_rounded(dividend, b))
        } else {
            b.checked_mul(power).and_then(|divisor| divide_rounded(a, divisor))
        };
        Ok(quotient.and_then(|unscaled| fits(unscaled, precision)))
    })
}

fn remainder(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (s1, s2, precision, scale) = scales(call);
    let common = s1.max(s2);
    let (up1, up2) = (power_of_ten(u32::from(common - s1)), power_of_ten(u32::from(common - s2)));
    binary(call, |a, b| {
        if b == i256::ZERO {
            return exec_err!("Division by zero.");
        }
        let rest = a.wrapping_mul(up1).checked_rem(b.wrapping_mul(up2));
        Ok(rest.and_then(|rest| rescale(rest, common, scale, precision)))
    })
}

fn binary(
    call: &Call,
    compute: impl Fn(i256, i256) -> Result<Option<i128>, DataFusionError>,
) -> Result<ColumnarValue, DataFusionError> {
    let (left, right) = (call.numbers::<Decimal128Type>(0)?, call.numbers::<Decimal128Type>(1)?);
    call.try_number_rows::<Decimal128Type>(|row| match (left.get(row), right.get(row)) {
        (Some(a), Some(b)) => compute(i256::from_i128(a), i256::from_i128(b)),
        _ => Ok(None),
    })
}

/// One DECIMAL argument, same precision and scale in the result.
pub(super) fn map(call: &Call, compute: impl Fn(i128) -> Option<i128>) -> Result<ColumnarValue, DataFusionError> {
    let input = call.numbers::<Decimal128Type>(0)?;
    call.number_rows::<Decimal128Type>(|row| input.get(row).and_then(&compute))
}
