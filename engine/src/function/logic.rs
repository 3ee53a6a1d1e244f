//! Three-valued logic: AND, OR, NOT, IS [NOT] NULL / TRUE / FALSE / UNKNOWN.

use datafusion_common::DataFusionError;
use datafusion_expr::{ColumnarValue, Operator};

use super::registry::{Entry, Resolver};
use super::signature::Param;
use super::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    logical(&["AND"]),
    logical(&["OR"]),
    logical(&["NOT"]),
    logical(&["IS TRUE"]),
    logical(&["IS NOT TRUE"]),
    logical(&["IS FALSE"]),
    logical(&["IS NOT FALSE"]),
    logical(&["IS UNKNOWN"]),
    logical(&["IS NOT UNKNOWN"]),
    Entry {
        names: &["IS NULL"],
        category: "",
        signature: "any value",
        summary: "",
        resolver: Resolver::Custom(resolve_null),
    },
    Entry {
        names: &["IS NOT NULL"],
        category: "",
        signature: "any value",
        summary: "",
        resolver: Resolver::Custom(resolve_null),
    },
];

const fn logical(names: &'static [&'static str]) -> Entry {
    Entry { names, category: "", signature: "BOOLEAN values", summary: "", resolver: Resolver::Custom(resolve) }
}

fn resolve(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let types = args.iter().map(|argument| Param::Boolean.accept(&argument.ty)).collect::<Option<Vec<Type>>>()?;
    let nullable = types.iter().any(|ty| ty.nullable);
    let (kernel, arity, nullable) = match name {
        "AND" => (Kernel::Binary(Operator::And), 2, nullable),
        "OR" => (Kernel::Binary(Operator::Or), 2, nullable),
        "NOT" => (Kernel::Not, 1, nullable),
        "IS UNKNOWN" => (Kernel::IsNull, 1, false),
        "IS NOT UNKNOWN" => (Kernel::IsNotNull, 1, false),
        "IS TRUE" => (Kernel::Native((|call| test(call, |value| value == Some(true))) as NativeFn), 1, false),
        "IS NOT TRUE" => (Kernel::Native((|call| test(call, |value| value != Some(true))) as NativeFn), 1, false),
        "IS FALSE" => (Kernel::Native((|call| test(call, |value| value == Some(false))) as NativeFn), 1, false),
        _ => (Kernel::Native((|call| test(call, |value| value != Some(false))) as NativeFn), 1, false),
    };
    (types.len() == arity).then(|| ScalarCall::new(name, types, Type::new(LogicalType::Boolean, nullable), kernel))
}

fn resolve_null(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [argument] = args else { return None };
    let kernel = if name == "IS NULL" { Kernel::IsNull } else { Kernel::IsNotNull };
    Some(ScalarCall::new(name, vec![argument.ty.clone()], Type::not_null(LogicalType::Boolean), kernel))
}

fn test(call: &Call, holds: fn(Option<bool>) -> bool) -> Result<ColumnarValue, DataFusionError> {
    let input = call.booleans(0)?;
    call.boolean_rows(|row| Some(holds(input.get(row))))
}
