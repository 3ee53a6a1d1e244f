//! Numbers as text, as Java prints them, and text as numbers.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringArray};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, i256};
use datafusion_common::{DataFusionError, exec_err, internal_err};

use crate::expr::CastMode;
use crate::function::decimal::rescale;
use crate::types::LogicalType;

/// `1.0`, `1.0E7`, `-0.0`, `NaN`, `Infinity`: the shortest digits that read back, in Java's notation.
pub(crate) fn double_text(number: f64) -> String {
    java_notation(&format!("{number:e}"), number)
}

/// The same for FLOAT.
pub(crate) fn float_text(number: f32) -> String {
    java_notation(&format!("{number:e}"), f64::from(number))
}

/// `scientific` is Rust's shortest form, `d.ddde±x`.
fn java_notation(scientific: &str, number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let digits: String = digits.chars().filter(|letter| *letter != '.').collect();
    if number == 0.0 {
        return format!("{sign}0.0");
    }
    let point = |whole: &str, fraction: &str| {
        let (whole, fraction) =
            (if whole.is_empty() { "0" } else { whole }, if fraction.is_empty() { "0" } else { fraction });
        format!("{sign}{whole}.{fraction}")
    };
    if !(-3..7).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        return format!("{}E{exponent}", point(first, rest));
    }
    match usize::try_from(exponent) {
        Ok(shift) => {
            let padded = format!("{digits:0<width$}", width = shift + 1);
            let (whole, fraction) = padded.split_at(shift + 1);
            point(whole, fraction)
        }
        Err(_) => {
            let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
            point("0", &format!("{}{digits}", "0".repeat(zeros)))
        }
    }
}

/// An unscaled decimal with its point.
pub(crate) fn decimal_text(unscaled: i128, scale: u8) -> String {
    if scale == 0 {
        return unscaled.to_string();
    }
    let width = usize::from(scale) + 1;
    let digits = format!("{:0>width$}", unscaled.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    format!("{}{whole}.{fraction}", if unscaled < 0 { "-" } else { "" })
}

pub(super) fn format(array: &ArrayRef, ty: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    match ty {
        LogicalType::TinyInt => each::<Int8Type>(array, |number| number.to_string()),
        LogicalType::SmallInt => each::<Int16Type>(array, |number| number.to_string()),
        LogicalType::Int => each::<Int32Type>(array, |number| number.to_string()),
        LogicalType::BigInt => each::<Int64Type>(array, |number| number.to_string()),
        LogicalType::Float => each::<Float32Type>(array, float_text),
        LogicalType::Double => each::<Float64Type>(array, double_text),
        LogicalType::Decimal { scale, .. } => each::<Decimal128Type>(array, |unscaled| decimal_text(unscaled, *scale)),
        _ => internal_err!("{ty} is no number"),
    }
}

fn each<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    text: impl Fn(T::Native) -> String,
) -> Result<ArrayRef, DataFusionError> {
    let Some(numbers) = array.as_primitive_opt::<T>() else { return internal_err!("expected {}", T::DATA_TYPE) };
    Ok(Arc::new(numbers.iter().map(|number| number.map(&text)).collect::<StringArray>()))
}

pub(super) fn parse(array: &ArrayRef, to: &LogicalType, mode: CastMode) -> Result<ArrayRef, DataFusionError> {
    match to {
        LogicalType::TinyInt => read::<Int8Type>(array, to, mode, |text| i8::try_from(parse_integer(text)?).ok()),
        LogicalType::SmallInt => read::<Int16Type>(array, to, mode, |text| i16::try_from(parse_integer(text)?).ok()),
        LogicalType::Int => read::<Int32Type>(array, to, mode, |text| i32::try_from(parse_integer(text)?).ok()),
        LogicalType::BigInt => read::<Int64Type>(array, to, mode, parse_integer),
        LogicalType::Float => read::<Float32Type>(array, to, mode, |text| parse_float(text)?.parse().ok()),
        LogicalType::Double => read::<Float64Type>(array, to, mode, |text| parse_float(text)?.parse().ok()),
        LogicalType::Decimal { precision, scale } => {
            read::<Decimal128Type>(array, to, mode, |text| parse_decimal(text, *precision, *scale))
        }
        _ => internal_err!("{to} is no number"),
    }
}

fn read<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &LogicalType,
    mode: CastMode,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef, DataFusionError> {
    let Some(texts) = array.as_string_opt::<i32>() else { return internal_err!("expected text") };
    let parsed = texts.iter().map(|text| match text.map(|text| (text, parse(text.trim()))) {
        Some((_, Some(number))) => Ok(Some(number)),
        Some((text, None)) if mode == CastMode::Strict => exec_err!("'{text}' cannot be cast to {to}."),
        _ => Ok(None),
    });
    let numbers = parsed.collect::<Result<PrimitiveArray<T>, DataFusionError>>()?;
    Ok(Arc::new(numbers.with_data_type(to.to_arrow())))
}

/// Digits, with a fraction that is cut.
pub(crate) fn parse_integer(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    whole.parse().ok()
}

/// Java's spellings of the special values; Rust would take more.
fn parse_float(text: &str) -> Option<&str> {
    let plain = text.trim_end_matches(['d', 'D', 'f', 'F']);
    let known = matches!(plain, "NaN" | "Infinity" | "+Infinity" | "-Infinity");
    (known || plain.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))).then_some(plain)
}

/// Plain or scientific notation, rounded half up to the scale; `None` when it is no number or does not fit.
pub(crate) fn parse_decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.as_bytes().first()? {
        b'-' => (-1, mantissa.get(1..)?),
        b'+' => (1, mantissa.get(1..)?),
        _ => (1, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let from = i32::try_from(fraction.len()).ok()? - exponent;
    let significant = all.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // Digits far beyond the scale cannot change the result; cutting them keeps the number within 256 bits.
    let kept = significant.len().min(60);
    let dropped = i32::try_from(significant.len() - kept).ok()?;
    let unscaled = i256::from_string(significant.get(..kept)?)?.checked_mul(i256::from_i128(sign))?;
    let from = from - dropped;
    match u8::try_from(from) {
        Ok(from) if from <= 76 => rescale(unscaled, from, scale, precision),
        Ok(_) => Some(0),
        Err(_) if from < 0 && from > -76 => {
            let scaled = unscaled.checked_mul(crate::function::decimal::power_of_ten(from.unsigned_abs()))?;
            rescale(scaled, 0, scale, precision)
        }
        Err(_) if from > 0 => Some(0),
        Err(_) => None,
    }
}
