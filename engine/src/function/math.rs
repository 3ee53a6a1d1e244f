//! Numeric functions: rounding, powers, logarithms, trigonometry, sign.

use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, i256};
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::arithmetic::{JavaNumber, not_a_number, with_number};
use super::decimal::{self, divide_rounded, power_of_ten};
use super::registry::{Entry, Resolver};
use super::signature::{Form, Nulls, Param, as_decimal};
use super::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    same_type(&["ABS"], "ABS(number)", "The magnitude; the type stays, so the smallest integer stays negative."),
    same_type(&["SIGN"], "SIGN(number)", "-1, 0 or 1 in the type of the argument."),
    rounding(&["FLOOR"], "FLOOR(number)", "The largest whole number that is not greater."),
    rounding(&["CEIL", "CEILING"], "CEIL(number)", "The smallest whole number that is not less."),
    rounding(&["ROUND"], "ROUND(number[, digits])", "Rounded half up to that many digits after the point."),
    rounding(&["TRUNCATE"], "TRUNCATE(number[, digits])", "Cut to that many digits after the point."),
    unary(
        &["SQRT"],
        "SQRT(number)",
        "The square root; NaN for negative numbers.",
        &[double(|call| unary_double(call, f64::sqrt))],
    ),
    unary(&["CBRT"], "CBRT(number)", "The cube root.", &[double(|call| unary_double(call, f64::cbrt))]),
    unary(&["EXP"], "EXP(number)", "e to the power of the number.", &[double(|call| unary_double(call, f64::exp))]),
    unary(&["LN"], "LN(number)", "The natural logarithm.", &[double(|call| unary_double(call, f64::ln))]),
    unary(&["LOG10"], "LOG10(number)", "The logarithm to base 10.", &[double(|call| unary_double(call, f64::log10))]),
    unary(
        &["LOG2"],
        "LOG2(number)",
        "The logarithm to base 2.",
        &[double(|call| unary_double(call, |x| x.ln() / 2f64.ln()))],
    ),
    unary(
        &["LOG"],
        "LOG([base, ]number)",
        "The logarithm to the base, the natural one without a base.",
        &[
            double(|call| unary_double(call, f64::ln)),
            doubles(|call| binary_double(call, |base, x| x.ln() / base.ln())),
        ],
    ),
    unary(
        &["POWER", "POW"],
        "POWER(base, exponent)",
        "The base to the power of the exponent.",
        &[doubles(|call| binary_double(call, f64::powf))],
    ),
    unary(&["SIN"], "SIN(radians)", "The sine.", &[double(|call| unary_double(call, f64::sin))]),
    unary(&["COS"], "COS(radians)", "The cosine.", &[double(|call| unary_double(call, f64::cos))]),
    unary(&["TAN"], "TAN(radians)", "The tangent.", &[double(|call| unary_double(call, f64::tan))]),
    unary(&["COT"], "COT(radians)", "The cotangent.", &[double(|call| unary_double(call, |x| 1.0 / x.tan()))]),
    unary(&["ASIN"], "ASIN(number)", "The arc sine.", &[double(|call| unary_double(call, f64::asin))]),
    unary(&["ACOS"], "ACOS(number)", "The arc cosine.", &[double(|call| unary_double(call, f64::acos))]),
    unary(&["ATAN"], "ATAN(number)", "The arc tangent.", &[double(|call| unary_double(call, f64::atan))]),
    unary(
        &["ATAN2"],
        "ATAN2(y, x)",
        "The angle of the point (x, y).",
        &[doubles(|call| binary_double(call, f64::atan2))],
    ),
    unary(&["SINH"], "SINH(number)", "The hyperbolic sine.", &[double(|call| unary_double(call, f64::sinh))]),
    unary(&["COSH"], "COSH(number)", "The hyperbolic cosine.", &[double(|call| unary_double(call, f64::cosh))]),
    unary(&["TANH"], "TANH(number)", "The hyperbolic tangent.", &[double(|call| unary_double(call, f64::tanh))]),
    unary(
        &["DEGREES"],
        "DEGREES(radians)",
        "Radians as degrees.",
        &[double(|call| unary_double(call, f64::to_degrees))],
    ),
    unary(
        &["RADIANS"],
        "RADIANS(degrees)",
        "Degrees as radians.",
        &[double(|call| unary_double(call, f64::to_radians))],
    ),
    unary(
        &["PI"],
        "PI()",
        "The ratio of a circle's circumference to its diameter.",
        &[constant(|call| repeat(call, std::f64::consts::PI))],
    ),
    unary(&["E"], "E()", "The base of natural logarithms.", &[constant(|call| repeat(call, std::f64::consts::E))]),
];

const fn same_type(names: &'static [&'static str], signature: &'static str, summary: &'static str) -> Entry {
    Entry { names, category: "math", signature, summary, resolver: Resolver::Custom(resolve_same_type) }
}

const fn rounding(names: &'static [&'static str], signature: &'static str, summary: &'static str) -> Entry {
    Entry { names, category: "math", signature, summary, resolver: Resolver::Custom(resolve_rounding) }
}

const fn unary(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    forms: &'static [Form],
) -> Entry {
    Entry { names, category: "math", signature, summary, resolver: Resolver::Forms(forms) }
}

const fn double(kernel: NativeFn) -> Form {
    form(&[Param::Double], kernel)
}

const fn doubles(kernel: NativeFn) -> Form {
    form(&[Param::Double, Param::Double], kernel)
}

const fn constant(kernel: NativeFn) -> Form {
    form(&[], kernel)
}

const fn form(params: &'static [Param], kernel: NativeFn) -> Form {
    Form {
        params,
        variadic: false,
        returns: |_| LogicalType::Double,
        nulls: Nulls::FromArguments,
        kernel: Kernel::Native(kernel),
    }
}

fn unary_double(call: &Call, compute: fn(f64) -> f64) -> Result<ColumnarValue, DataFusionError> {
    let input = call.numbers::<Float64Type>(0)?;
    call.number_rows::<Float64Type>(|row| input.get(row).map(compute))
}

fn binary_double(call: &Call, compute: fn(f64, f64) -> f64) -> Result<ColumnarValue, DataFusionError> {
    let (left, right) = (call.numbers::<Float64Type>(0)?, call.numbers::<Float64Type>(1)?);
    call.number_rows::<Float64Type>(|row| Some(compute(left.get(row)?, right.get(row)?)))
}

fn repeat(call: &Call, value: f64) -> Result<ColumnarValue, DataFusionError> {
    call.number_rows::<Float64Type>(|_| Some(value))
}

fn resolve_same_type(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [argument] = args else { return None };
    let ty = argument.ty.clone();
    let kernel: NativeFn = if name == "ABS" { magnitude } else { sign };
    ty.logical.is_numeric().then(|| ScalarCall::new(name, vec![ty.clone()], ty, Kernel::Native(kernel)))
}

fn magnitude(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    if let LogicalType::Decimal { .. } = call.return_type.logical {
        return decimal::map(call, |unscaled| Some(unscaled.abs()));
    }
    with_number!(&call.return_type.logical, T => {
        let input = call.numbers::<T>(0)?;
        call.number_rows::<T>(|row| input.get(row).map(JavaNumber::magnitude))
    }, else not_a_number(call))
}

fn sign(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    if let LogicalType::Decimal { scale, .. } = call.return_type.logical {
        let one = power_of_ten(scale.into()).to_i128().unwrap_or(1);
        return decimal::map(call, |unscaled| Some(unscaled.signum() * one));
    }
    with_number!(&call.return_type.logical, T => {
        let input = call.numbers::<T>(0)?;
        call.number_rows::<T>(|row| input.get(row).map(JavaNumber::sign))
    }, else not_a_number(call))
}

/// FLOOR, CEIL, ROUND, TRUNCATE of a number; the digits have to be a constant, since the type follows from them.
fn resolve_rounding(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    if let Some(call) = super::time::rounding(name, args) {
        return Some(call);
    }
    let (argument, digits) = match args {
        [argument] => (argument, 0),
        [argument, digits] if matches!(name, "ROUND" | "TRUNCATE") => (argument, digits.literal.as_ref()?.as_i64()?),
        _ => return None,
    };
    if !argument.ty.logical.is_numeric() {
        return None;
    }
    let logical = match argument.ty.logical {
        LogicalType::Decimal { precision, scale } if matches!(name, "ROUND" | "TRUNCATE") => {
            rounded_decimal(precision, scale, digits)
        }
        LogicalType::Decimal { precision, .. } => LogicalType::Decimal { precision, scale: 0 },
        ref other => other.clone(),
    };
    let kernel: NativeFn = match name {
        "FLOOR" => |call| round(call, |x| x.floor(), Rounding::Floor),
        "CEIL" | "CEILING" => |call| round(call, |x| x.ceil(), Rounding::Ceiling),
        "ROUND" => |call| round(call, |x| x.signum() * (x.abs() + 0.5).floor(), Rounding::HalfUp),
        _ => |call| round(call, f64::trunc, Rounding::Down),
    };
    let mut types = vec![argument.ty.clone()];
    types.extend(args.get(1).map(|_| Type::not_null(LogicalType::Int)));
    Some(ScalarCall::new(name, types, Type::new(logical, argument.ty.nullable), Kernel::Native(kernel)))
}

fn rounded_decimal(precision: u8, scale: u8, digits: i64) -> LogicalType {
    if digits >= i64::from(scale) {
        return LogicalType::Decimal { precision, scale };
    }
    let kept = u8::try_from(digits.max(0)).unwrap_or(0);
    LogicalType::Decimal { precision: (1 + precision - scale + kept).min(38), scale: kept }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Floor,
    Ceiling,
    HalfUp,
    Down,
}

fn round(call: &Call, whole: fn(f64) -> f64, mode: Rounding) -> Result<ColumnarValue, DataFusionError> {
    let digits = if call.args.len() > 1 { call.numbers::<Int32Type>(1)?.get(0).unwrap_or(0) } else { 0 };
    // No number has as many digits; what is counted from here on does not overflow.
    let digits = digits.clamp(-1_000, 1_000);
    match &call.return_type.logical {
        LogicalType::Decimal { precision, scale } => {
            let (_, from) = call.arg_types.first().map_or((0, 0), |ty| as_decimal(&ty.logical));
            let input = call.numbers::<Decimal128Type>(0)?;
            call.number_rows::<Decimal128Type>(|row| {
                let rounded = round_exact(i256::from_i128(input.get(row)?), i32::from(from) - digits, mode)?;
                decimal::rescale(rounded, from, *scale, *precision)
            })
        }
        LogicalType::Double | LogicalType::Float => round_float(call, whole, mode, digits),
        ty => with_number!(ty, T => {
            let input = call.numbers::<T>(0)?;
            call.number_rows::<T>(|row| {
                let rounded = round_exact(i256::from_i128(Widen::widen(input.get(row)?)), -digits, mode)?;
                Some(Widen::narrow(rounded.to_i128()?))
            })
        }, else not_a_number(call)),
    }
}

fn round_float(
    call: &Call,
    whole: fn(f64) -> f64,
    mode: Rounding,
    digits: i32,
) -> Result<ColumnarValue, DataFusionError> {
    let compute = |x: f64| {
        if digits == 0 || !x.is_finite() {
            return whole(x);
        }
        // By way of the decimal text, as Java's BigDecimal does: 2.45 is 2.45, not 2.4500000000000002.
        let Some((unscaled, scale)) = shortest_decimal(x) else { return x };
        match round_exact(i256::from_i128(unscaled), scale - digits, mode).and_then(|rounded| rounded.to_i128()) {
            Some(rounded) => format!("{rounded}e{}", -scale).parse().unwrap_or(x),
            None => x,
        }
    };
    if call.return_type.logical == LogicalType::Float {
        let input = call.numbers::<Float32Type>(0)?;
        #[expect(clippy::cast_possible_truncation, reason = "FLOAT in, FLOAT out")]
        return call.number_rows::<Float32Type>(|row| input.get(row).map(|x| compute(f64::from(x)) as f32));
    }
    let input = call.numbers::<Float64Type>(0)?;
    call.number_rows::<Float64Type>(|row| input.get(row).map(compute))
}

/// The shortest decimal that reads back as `x`, as unscaled value and scale; `None` beyond 38 digits.
fn shortest_decimal(x: f64) -> Option<(i128, i32)> {
    let text = format!("{x}");
    let (digits, scale) = match text.split_once('.') {
        Some((whole, fraction)) => (format!("{whole}{fraction}"), i32::try_from(fraction.len()).ok()?),
        None => (text, 0),
    };
    Some((digits.parse().ok()?, scale))
}

/// Rounds away `places` decimal digits at the end (keeps the scale); nothing to do when there are none.
fn round_exact(unscaled: i256, places: i32, mode: Rounding) -> Option<i256> {
    let Ok(places @ 1..) = u32::try_from(places) else { return Some(unscaled) };
    if places > 76 {
        return Some(i256::ZERO);
    }
    let unit = power_of_ten(places);
    let down = unscaled.checked_div(unit)?;
    let exact = down.checked_mul(unit)? == unscaled;
    let steps = match mode {
        Rounding::Floor if !exact && unscaled.is_negative() => down.checked_sub(i256::ONE)?,
        Rounding::Ceiling if !exact && unscaled.is_positive() => down.checked_add(i256::ONE)?,
        Rounding::HalfUp => divide_rounded(unscaled, unit)?,
        _ => down,
    };
    steps.checked_mul(unit)
}

/// Between an integer type and the widest one; narrowing wraps as Java's casts do.
trait Widen: Copy {
    fn widen(self) -> i128;
    fn narrow(wide: i128) -> Self;
}

macro_rules! widen {
    ($($t:ty),+) => {$(
        impl Widen for $t {
            fn widen(self) -> i128 { self as i128 }
            fn narrow(wide: i128) -> Self { wide as $t }
        }
    )+};
}

widen!(i8, i16, i32, i64, f32, f64);
