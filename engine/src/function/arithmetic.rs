//! `+ - * / %` on numbers, and on times with intervals.
//!
//! Integers wrap and keep the wider of the two types, division of integers truncates, division by zero fails for
//! integers and decimals and follows IEEE for floats. FLOAT with DOUBLE gives FLOAT, as in Flink.

use arrow::datatypes::{ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::{ColumnarValue, Operator};

use super::registry::{Entry, Resolver};
use super::signature::common;
use super::{Argument, Call, Kernel, ScalarCall, decimal, time};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    operator(&["+"], "number + number, or time + interval", resolve),
    operator(&["-"], "number - number, or time - interval", resolve),
    operator(&["*"], "number * number, or number * interval", resolve),
    operator(&["/"], "number / number", resolve),
    Entry {
        names: &["MOD", "%"],
        category: "arithmetic",
        signature: "MOD(number, number)",
        summary: "The remainder of an integer division; its sign is that of the first argument.",
        resolver: Resolver::Custom(resolve),
    },
    operator(&["NEGATE"], "- number, or - interval", resolve_negate),
];

const fn operator(
    names: &'static [&'static str],
    signature: &'static str,
    resolve: fn(&str, &[Argument]) -> Option<ScalarCall>,
) -> Entry {
    Entry { names, category: "", signature, summary: "", resolver: Resolver::Custom(resolve) }
}

fn resolve(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [left, right] = args else { return None };
    let sign = if name == "MOD" { "%" } else { name };
    let nullable = left.ty.nullable || right.ty.nullable;
    if let Some(call) = time::arithmetic(sign, &left.ty, &right.ty) {
        return Some(call);
    }
    let numeric = |ty: &LogicalType| ty.is_numeric() || *ty == LogicalType::Null;
    if !numeric(&left.ty.logical) || !numeric(&right.ty.logical) {
        return None;
    }
    let exact = |ty: &LogicalType| ty.is_integer() || matches!(ty, LogicalType::Decimal { .. } | LogicalType::Null);
    let is_decimal = |ty: &LogicalType| matches!(ty, LogicalType::Decimal { .. });
    if (is_decimal(&left.ty.logical) || is_decimal(&right.ty.logical))
        && exact(&left.ty.logical)
        && exact(&right.ty.logical)
    {
        return decimal::arithmetic(sign, left, right);
    }
    let logical = match (&left.ty.logical, &right.ty.logical) {
        (LogicalType::Null, LogicalType::Null) => LogicalType::Int,
        (LogicalType::Float, LogicalType::Double) | (LogicalType::Double, LogicalType::Float) => LogicalType::Float,
        (a, b) => common(a, b)?,
    };
    let ty = Type::new(logical, nullable);
    let kernel = match sign {
        "+" => Kernel::Binary(Operator::Plus),
        "-" => Kernel::Binary(Operator::Minus),
        "*" => Kernel::Binary(Operator::Multiply),
        "/" => Kernel::Native(divide),
        _ => Kernel::Native(remainder),
    };
    Some(ScalarCall::new(sign, vec![ty.clone(), ty.clone()], ty, kernel))
}

fn resolve_negate(_name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [argument] = args else { return None };
    let ty = &argument.ty;
    if !ty.logical.is_numeric() && !ty.logical.is_interval() {
        return None;
    }
    Some(ScalarCall::new("NEGATE", vec![ty.clone()], ty.clone(), Kernel::Native(negate)))
}

/// Runs `$body` with `$T` bound to the Arrow type of a numeric logical type.
macro_rules! with_number {
    ($ty:expr, $T:ident => $body:expr, else $other:expr) => {
        match $ty {
            LogicalType::TinyInt => {
                type $T = Int8Type;
                $body
            }
            LogicalType::SmallInt => {
                type $T = Int16Type;
                $body
            }
            LogicalType::Int | LogicalType::IntervalYearMonth => {
                type $T = Int32Type;
                $body
            }
            LogicalType::BigInt | LogicalType::IntervalDayTime => {
                type $T = Int64Type;
                $body
            }
            LogicalType::Float => {
                type $T = Float32Type;
                $body
            }
            LogicalType::Double => {
                type $T = Float64Type;
                $body
            }
            _ => $other,
        }
    };
}
pub(super) use with_number;

/// Java's arithmetic on one primitive type.
pub(super) trait JavaNumber: Copy {
    fn divide(self, by: Self) -> Option<Self>;
    fn remainder(self, by: Self) -> Option<Self>;
    fn negate(self) -> Self;
    fn magnitude(self) -> Self;
    fn sign(self) -> Self;
}

macro_rules! java_integer {
    ($($t:ty),+) => {$(
        impl JavaNumber for $t {
            fn divide(self, by: Self) -> Option<Self> { (by != 0).then(|| self.wrapping_div(by)) }
            fn remainder(self, by: Self) -> Option<Self> { (by != 0).then(|| self.wrapping_rem(by)) }
            fn negate(self) -> Self { self.wrapping_neg() }
            fn magnitude(self) -> Self { self.wrapping_abs() }
            fn sign(self) -> Self { self.signum() }
        }
    )+};
}

macro_rules! java_float {
    ($($t:ty),+) => {$(
        impl JavaNumber for $t {
            fn divide(self, by: Self) -> Option<Self> { Some(self / by) }
            fn remainder(self, by: Self) -> Option<Self> { Some(self % by) }
            fn negate(self) -> Self { -self }
            fn magnitude(self) -> Self { self.abs() }
            fn sign(self) -> Self { if self == 0.0 || self.is_nan() { self } else { self.signum() } }
        }
    )+};
}

java_integer!(i8, i16, i32, i64);
java_float!(f32, f64);

fn divide(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    with_number!(&call.return_type.logical, T => binary::<T>(call, JavaNumber::divide), else not_a_number(call))
}

fn remainder(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    with_number!(&call.return_type.logical, T => binary::<T>(call, JavaNumber::remainder), else not_a_number(call))
}

fn negate(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    if let LogicalType::Decimal { .. } = call.return_type.logical {
        return decimal::map(call, |unscaled| Some(-unscaled));
    }
    with_number!(&call.return_type.logical, T => {
        let input = call.numbers::<T>(0)?;
        call.number_rows::<T>(|row| input.get(row).map(JavaNumber::negate))
    }, else not_a_number(call))
}

fn binary<T: ArrowPrimitiveType>(
    call: &Call,
    compute: fn(T::Native, T::Native) -> Option<T::Native>,
) -> Result<ColumnarValue, DataFusionError> {
    let (left, right) = (call.numbers::<T>(0)?, call.numbers::<T>(1)?);
    call.try_number_rows::<T>(|row| match (left.get(row), right.get(row)) {
        (Some(a), Some(b)) => match compute(a, b) {
            Some(result) => Ok(Some(result)),
            None => exec_err!("Division by zero."),
        },
        _ => Ok(None),
    })
}

pub(super) fn not_a_number(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    datafusion_common::internal_err!("no arithmetic for {}", call.return_type)
}
