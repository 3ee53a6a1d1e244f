//! COALESCE, IFNULL, NULLIF, IF, GREATEST, LEAST.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array, make_comparator};
use arrow::compute::{SortOptions, interleave};
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::comparison::comparable;
use super::registry::{Entry, Resolver};
use super::signature::{Param, common};
use super::{Argument, Call, Kernel, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        names: &["COALESCE"],
        category: "conditional",
        signature: "COALESCE(value, value, …)",
        summary: "The first argument that is not NULL.",
        resolver: Resolver::Custom(coalesce),
    },
    Entry {
        names: &["IFNULL"],
        category: "conditional",
        signature: "IFNULL(value, replacement)",
        summary: "The replacement where the value is NULL.",
        resolver: Resolver::Custom(coalesce),
    },
    Entry {
        names: &["NULLIF"],
        category: "conditional",
        signature: "NULLIF(value, other)",
        summary: "NULL where the two are equal, else the value.",
        resolver: Resolver::Custom(null_if),
    },
    Entry {
        names: &["IF"],
        category: "conditional",
        signature: "IF(condition, then, else)",
        summary: "The second argument where the condition is TRUE, else the third.",
        resolver: Resolver::Custom(if_),
    },
    Entry {
        names: &["GREATEST"],
        category: "conditional",
        signature: "GREATEST(value, value, …)",
        summary: "The greatest of the arguments; NULL when one of them is NULL.",
        resolver: Resolver::Custom(extreme),
    },
    Entry {
        names: &["LEAST"],
        category: "conditional",
        signature: "LEAST(value, value, …)",
        summary: "The least of the arguments; NULL when one of them is NULL.",
        resolver: Resolver::Custom(extreme),
    },
];

fn common_of(args: &[Argument]) -> Option<LogicalType> {
    let mut types = args.iter().map(|argument| argument.ty.logical.clone());
    let first = types.next()?;
    types.try_fold(first, |left, right| common(&left, &right))
}

fn coalesce(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    if name == "IFNULL" && args.len() != 2 {
        return None;
    }
    let logical = common_of(args)?;
    let nullable = args.iter().all(|argument| argument.ty.nullable);
    let types = args.iter().map(|argument| Type::new(logical.clone(), argument.ty.nullable)).collect();
    Some(ScalarCall::new("COALESCE", types, Type::new(logical, nullable), Kernel::Coalesce))
}

fn null_if(_name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [value, other] = args else { return None };
    let compared = comparable(&value.ty.logical, &other.ty.logical)?;
    // The result keeps the type of the value; only where both have one Arrow type can one kernel do both.
    let logical = if compared.to_arrow() == value.ty.logical.to_arrow() { value.ty.logical.clone() } else { compared };
    let types = vec![Type::new(logical.clone(), value.ty.nullable), Type::new(logical.clone(), other.ty.nullable)];
    Some(ScalarCall::new("NULLIF", types, Type::nullable(logical), Kernel::Native(null_if_equal)))
}

fn if_(_name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [condition, then, otherwise] = args else { return None };
    let condition = Param::Boolean.accept(&condition.ty)?;
    let logical = common(&then.ty.logical, &otherwise.ty.logical)?;
    let side = |argument: &Argument| Type::new(logical.clone(), argument.ty.nullable);
    // Flink calls the result nullable whatever its branches are.
    let result = Type::nullable(logical.clone());
    Some(ScalarCall::new("IF", vec![condition, side(then), side(otherwise)], result, Kernel::If))
}

fn extreme(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let logical = common_of(args)?;
    let nullable = args.iter().any(|argument| argument.ty.nullable);
    let types = args.iter().map(|argument| Type::new(logical.clone(), argument.ty.nullable)).collect();
    let kernel = if name == "GREATEST" { Kernel::Native(greatest) } else { Kernel::Native(least) };
    Some(ScalarCall::new(name, types, Type::new(logical, nullable), kernel))
}

fn arrays(call: &Call) -> Result<Vec<ArrayRef>, DataFusionError> {
    call.args.iter().map(|arg| arg.clone().into_array(call.rows)).collect()
}

fn null_if_equal(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let arrays = arrays(call)?;
    let [value, other] = arrays.as_slice() else {
        return datafusion_common::internal_err!("NULLIF takes two arguments");
    };
    let compare = make_comparator(value, other, SortOptions::default())?;
    let keep = (0..call.rows).map(|row| {
        let equal = value.is_valid(row) && other.is_valid(row) && compare(row, row) == Ordering::Equal;
        (!equal).then_some(row as u64)
    });
    let indices: UInt64Array = keep.collect();
    Ok(ColumnarValue::Array(arrow::compute::take(value, &indices, None)?))
}

fn greatest(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    pick(call, Ordering::Greater)
}

fn least(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    pick(call, Ordering::Less)
}

fn pick(call: &Call, wanted: Ordering) -> Result<ColumnarValue, DataFusionError> {
    let arrays = arrays(call)?;
    let ty = call.return_type.logical.to_arrow();
    let null = arrow::array::new_null_array(&ty, 1);
    let mut comparators = Vec::new();
    for left in &arrays {
        let row = arrays
            .iter()
            .map(|right| make_comparator(left, right, SortOptions::default()))
            .collect::<Result<Vec<_>, _>>()?;
        comparators.push(row);
    }
    let choice = |row: usize| {
        if arrays.iter().any(|array| array.is_null(row)) {
            return (arrays.len(), 0);
        }
        let better = |best: usize, next: usize| {
            let order =
                comparators.get(next).and_then(|of| of.get(best)).map_or(Ordering::Equal, |compare| compare(row, row));
            if order == wanted { next } else { best }
        };
        ((1..arrays.len()).fold(0, better), row)
    };
    let indices: Vec<(usize, usize)> = (0..call.rows).map(choice).collect();
    let mut sources: Vec<&dyn arrow::array::Array> = arrays.iter().map(AsRef::as_ref).collect();
    sources.push(null.as_ref());
    Ok(ColumnarValue::Array(Arc::clone(&interleave(&sources, &indices)?)))
}
