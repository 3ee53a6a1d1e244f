//! Functions that look at the order of an array's elements.

use std::cmp::Ordering;

use arrow::array::{Array, DynComparator, UInt64Array, make_comparator};
use arrow::compute::{SortOptions, take};
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::array::{element_of, picked};
use super::entry;
use super::gather::{Lists, has_keys};
use crate::function::registry::Entry;
use crate::function::signature::Param;
use crate::function::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::Type;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["ARRAY_SORT"],
        "ARRAY_SORT(array[, ascending[, nulls first]])",
        "The elements in order, ascending unless said otherwise; NULLs first when ascending, else last.",
        sort_call,
    ),
    entry(
        &["ARRAY_MAX"],
        "ARRAY_MAX(array)",
        "The greatest element that is not NULL; NULL without one.",
        |name, args| extreme_call(name, args, |call| extreme(call, Ordering::Greater)),
    ),
    entry(&["ARRAY_MIN"], "ARRAY_MIN(array)", "The least element that is not NULL; NULL without one.", |name, args| {
        extreme_call(name, args, |call| extreme(call, Ordering::Less))
    }),
];

fn sort_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let (array, flags) = args.split_first().filter(|(_, flags)| flags.len() <= 2)?;
    has_keys(&element_of(array)?.logical).then_some(())?;
    let flags = flags.iter().map(|flag| Param::Boolean.accept(&flag.ty)).collect::<Option<Vec<Type>>>()?;
    let nullable = array.ty.nullable || flags.iter().any(|flag| flag.nullable);
    let result = array.ty.clone().with_nullable(nullable);
    let types = std::iter::once(array.ty.clone()).chain(flags).collect();
    Some(ScalarCall::new(name, types, result, Kernel::Native(sort)))
}

fn extreme_call(name: &str, args: &[Argument], kernel: NativeFn) -> Option<ScalarCall> {
    let [array] = args else { return None };
    let element = element_of(array)?;
    has_keys(&element.logical).then_some(())?;
    Some(ScalarCall::new(name, vec![array.ty.clone()], element.clone().with_nullable(true), Kernel::Native(kernel)))
}

/// Compares elements that are not NULL.
fn comparator(lists: &Lists) -> Result<DynComparator, DataFusionError> {
    Ok(make_comparator(lists.values(), lists.values(), SortOptions::default())?)
}

fn sort(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    let ascending = if call.args.len() > 1 { Some(call.booleans(1)?) } else { None };
    let nulls_first = if call.args.len() > 2 { Some(call.booleans(2)?) } else { None };
    let compare = comparator(&lists)?;
    picked(call, &lists, |row, range, gather| {
        let ascending = match &ascending {
            Some(ascending) => ascending.get(row),
            None => Some(true),
        };
        let nulls_first = match &nulls_first {
            Some(first) => first.get(row),
            None => ascending,
        };
        let (Some(ascending), Some(nulls_first)) = (ascending, nulls_first) else { return false };
        let (nulls, mut present): (Vec<usize>, Vec<usize>) = range.partition(|index| lists.values().is_null(*index));
        present.sort_by(|a, b| if ascending { compare(*a, *b) } else { compare(*b, *a) });
        let (before, after) = if nulls_first { (nulls, present) } else { (present, nulls) };
        before.into_iter().chain(after).for_each(|index| gather.pick(0, index));
        true
    })
}

fn extreme(call: &Call, wanted: Ordering) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    let compare = comparator(&lists)?;
    let best = |row: usize| {
        let present = lists.range(row)?.filter(|index| lists.values().is_valid(*index));
        present.reduce(|best, next| if compare(next, best) == wanted { next } else { best }).map(|index| index as u64)
    };
    let indices: UInt64Array = (0..call.rows).map(best).collect();
    Ok(ColumnarValue::Array(take(lists.values(), &indices, None)?))
}
