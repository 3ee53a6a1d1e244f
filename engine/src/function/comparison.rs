//! `= <> < <= > >=` and `IS [NOT] DISTINCT FROM`.
//!
//! Floats compare as IEEE says (NaN is unequal to all, -0.0 equals 0.0); everything else by Arrow's kernels, text by code
//! point.

use std::cmp::Ordering;

use arrow::datatypes::{Float32Type, Float64Type};
use datafusion_common::DataFusionError;
use datafusion_expr::{ColumnarValue, Operator};

use super::registry::{Entry, Resolver};
use super::signature::common;
use super::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    comparison(&["="]),
    comparison(&["<>", "!="]),
    comparison(&["<"]),
    comparison(&["<="]),
    comparison(&[">"]),
    comparison(&[">="]),
    comparison(&["IS DISTINCT FROM"]),
    comparison(&["IS NOT DISTINCT FROM"]),
];

const fn comparison(names: &'static [&'static str]) -> Entry {
    Entry {
        names,
        category: "",
        signature: "two values of comparable types",
        summary: "",
        resolver: Resolver::Custom(resolve),
    }
}

fn resolve(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [left, right] = args else { return None };
    let logical = comparable(&left.ty.logical, &right.ty.logical)?;
    let (operator, on_floats): (Operator, NativeFn) = match name {
        "=" => (Operator::Eq, |call| floats(call, |order| order == Some(Ordering::Equal))),
        "<>" | "!=" => (Operator::NotEq, |call| floats(call, |order| order != Some(Ordering::Equal))),
        "<" => (Operator::Lt, |call| floats(call, |order| order == Some(Ordering::Less))),
        "<=" => (Operator::LtEq, |call| floats(call, |order| matches!(order, Some(Ordering::Less | Ordering::Equal)))),
        ">" => (Operator::Gt, |call| floats(call, |order| order == Some(Ordering::Greater))),
        ">=" => {
            (Operator::GtEq, |call| floats(call, |order| matches!(order, Some(Ordering::Greater | Ordering::Equal))))
        }
        "IS DISTINCT FROM" => (Operator::IsDistinctFrom, |call| distinct_floats(call, true)),
        _ => (Operator::IsNotDistinctFrom, |call| distinct_floats(call, false)),
    };
    let is_float = matches!(logical, LogicalType::Float | LogicalType::Double);
    let kernel = if is_float { Kernel::Native(on_floats) } else { Kernel::Binary(operator) };
    let null_safe = name.starts_with("IS ");
    let nullable = !null_safe && (left.ty.nullable || right.ty.nullable);
    let side = |argument: &Argument| Type::new(logical.clone(), argument.ty.nullable);
    let canonical = if name == "!=" { "<>" } else { name };
    Some(ScalarCall::new(canonical, vec![side(left), side(right)], Type::new(LogicalType::Boolean, nullable), kernel))
}

/// The type that both sides are compared in. Text next to a number or a time becomes that.
pub(super) fn comparable(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    if let Some(ty) = common(left, right) {
        return (ty != LogicalType::Null).then_some(ty).or(Some(LogicalType::Boolean));
    }
    let text_and = |text: &LogicalType, other: &LogicalType| {
        let convertible = other.is_numeric()
            || other.is_timestamp()
            || matches!(other, LogicalType::Date | LogicalType::Time(_) | LogicalType::Boolean);
        (text.is_character() && convertible).then(|| other.clone())
    };
    text_and(left, right).or_else(|| text_and(right, left))
}

fn floats(call: &Call, test: impl Fn(Option<Ordering>) -> bool) -> Result<ColumnarValue, DataFusionError> {
    pairs(call, |left, right| Some(test(left?.partial_cmp(&right?))))
}

fn distinct_floats(call: &Call, wanted: bool) -> Result<ColumnarValue, DataFusionError> {
    pairs(call, |left, right| {
        let distinct = match (left, right) {
            (Some(a), Some(b)) => a != b,
            (None, None) => false,
            _ => true,
        };
        Some(distinct == wanted)
    })
}

fn pairs(
    call: &Call,
    test: impl Fn(Option<f64>, Option<f64>) -> Option<bool>,
) -> Result<ColumnarValue, DataFusionError> {
    if call.arg_types.first().is_some_and(|ty| ty.logical == LogicalType::Float) {
        let (left, right) = (call.numbers::<Float32Type>(0)?, call.numbers::<Float32Type>(1)?);
        return call.boolean_rows(|row| test(left.get(row).map(f64::from), right.get(row).map(f64::from)));
    }
    let (left, right) = (call.numbers::<Float64Type>(0)?, call.numbers::<Float64Type>(1)?);
    call.boolean_rows(|row| test(left.get(row), right.get(row)))
}
