//! The aggregate functions: their names, what they take and what they give.

use crate::expr::Expr;
use crate::plan::logical::AggregateFunction;
use crate::types::{LogicalType, Type};

/// Names that completion and suggestions know.
pub(in crate::sql) const NAMES: &[&str] = &["COUNT", "SUM", "MIN", "MAX", "AVG"];

pub(in crate::sql::bind) fn find(name: &str) -> Option<AggregateFunction> {
    Some(match name.to_ascii_uppercase().as_str() {
        "COUNT" => AggregateFunction::Count,
        "SUM" => AggregateFunction::Sum,
        "MIN" => AggregateFunction::Min,
        "MAX" => AggregateFunction::Max,
        "AVG" => AggregateFunction::Avg,
        _ => return None,
    })
}
pub(in crate::sql::bind) fn result_type(
    function: AggregateFunction,
    star: bool,
    args: &[Expr],
    never_empty: bool,
) -> Option<Type> {
    if star {
        return (function == AggregateFunction::Count).then(|| Type::not_null(LogicalType::BigInt));
    }
    let [arg] = args else { return None };
    let ty = &arg.ty.logical;
    let logical = match function {
        AggregateFunction::Count => return Some(Type::not_null(LogicalType::BigInt)),
        AggregateFunction::Sum => match ty {
            LogicalType::Decimal { scale, .. } => LogicalType::Decimal { precision: 38, scale: *scale },
            ty if ty.is_numeric() => ty.clone(),
            _ => return None,
        },
        AggregateFunction::Avg => match ty {
            LogicalType::Decimal { scale, .. } => LogicalType::Decimal { precision: 38, scale: (*scale).max(6) },
            ty if ty.is_numeric() => ty.clone(),
            _ => return None,
        },
        _ => match ty {
            LogicalType::Array(_)
            | LogicalType::Map(..)
            | LogicalType::Multiset(_)
            | LogicalType::Row(_)
            | LogicalType::Null => return None,
            ty if ty.is_binary() || ty.is_interval() => return None,
            // The shortest of all strings may be any of them.
            LogicalType::Char(length) => LogicalType::VarChar(*length),
            ty => ty.clone(),
        },
    };
    Some(Type::new(logical, arg.ty.nullable || !never_empty))
}

pub(super) const fn form(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Count => "It takes COUNT(*), COUNT(value) or COUNT(DISTINCT value).",
        AggregateFunction::Sum | AggregateFunction::Avg => "It takes one number.",
        _ => "It takes one value that has an order.",
    }
}
