//! Functions that make one array of several, and sets of elements.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;
use foldhash::HashSet;

use super::array::{array_and_value, element_of, picked};
use super::entry;
use super::gather::{Elements, ListGather, Lists, has_keys};
use crate::function::registry::Entry;
use crate::function::signature::common_type;
use crate::function::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(&["ARRAY_DISTINCT"], "ARRAY_DISTINCT(array)", "Every element once, where it is first.", distinct_call),
    entry(&["ARRAY_UNION"], "ARRAY_UNION(array, array)", "The elements of both, each once.", |name, args| {
        two_sets(name, args, union)
    }),
    entry(
        &["ARRAY_EXCEPT"],
        "ARRAY_EXCEPT(array, array)",
        "The elements of the first that are not in the second, each once.",
        |name, args| two_sets(name, args, except),
    ),
    entry(
        &["ARRAY_INTERSECT"],
        "ARRAY_INTERSECT(array, array)",
        "The elements of the first that are in the second as well, each once.",
        |name, args| two_sets(name, args, intersect),
    ),
    entry(&["ARRAY_CONCAT"], "ARRAY_CONCAT(array, …)", "The arrays one after the other.", concat_call),
    entry(
        &["ARRAY_APPEND"],
        "ARRAY_APPEND(array, value)",
        "The array with the value as its last element.",
        |name, args| with_value(name, args, append),
    ),
    entry(
        &["ARRAY_PREPEND"],
        "ARRAY_PREPEND(array, value)",
        "The array with the value as its first element.",
        |name, args| with_value(name, args, prepend),
    ),
];

fn distinct_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [array] = args else { return None };
    has_keys(&element_of(array)?.logical).then_some(())?;
    Some(ScalarCall::new(name, vec![array.ty.clone()], array.ty.clone(), Kernel::Native(distinct)))
}

/// The common type of arrays; NULL when one of them is.
fn common_array(args: &[Argument]) -> Option<Type> {
    let (first, rest) = args.split_first()?;
    element_of(first)?;
    rest.iter().try_fold(first.ty.clone(), |common, arg| {
        element_of(arg)?;
        common_type(&common, &arg.ty)
    })
}

fn two_sets(name: &str, args: &[Argument], kernel: NativeFn) -> Option<ScalarCall> {
    let [_, _] = args else { return None };
    let common = common_array(args)?;
    let LogicalType::Array(element) = &common.logical else { return None };
    has_keys(&element.logical).then_some(())?;
    Some(of_arrays(name, args, common, kernel))
}

fn concat_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let common = common_array(args)?;
    Some(of_arrays(name, args, common, concat))
}

fn of_arrays(name: &str, args: &[Argument], common: Type, kernel: NativeFn) -> ScalarCall {
    let types = args.iter().map(|arg| common.clone().with_nullable(arg.ty.nullable)).collect();
    ScalarCall::new(name, types, common, Kernel::Native(kernel))
}

fn with_value(name: &str, args: &[Argument], kernel: NativeFn) -> Option<ScalarCall> {
    let (array, value) = array_and_value(args)?;
    let LogicalType::Array(element) = &array.logical else { return None };
    let logical = match common_type(element, &value) {
        // The longer of two declared lengths.
        Some(common) if common.logical.to_arrow() == element.logical.to_arrow() => common.logical,
        _ => element.logical.clone(),
    };
    let element = Type::new(logical, element.nullable || value.nullable);
    let result = Type::new(LogicalType::Array(Box::new(element)), array.nullable);
    Some(ScalarCall::new(name, vec![array, value], result, Kernel::Native(kernel)))
}

fn distinct(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    let elements = Elements::of(&[lists.values()])?;
    let mut seen = HashSet::default();
    picked(call, &lists, |_, range, gather| {
        seen.clear();
        for index in range.filter(|index| seen.insert(elements.key(0, *index))) {
            gather.pick(0, index);
        }
        true
    })
}

/// Two arrays whose elements are compared.
struct Pair {
    left: Lists,
    right: Lists,
    elements: Elements,
}

impl Pair {
    fn of(call: &Call) -> Result<Self, DataFusionError> {
        let (left, right) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
        let elements = Elements::of(&[left.values(), right.values()])?;
        Ok(Pair { left, right, elements })
    }

    /// Elements of the left that are, or are not, in the right, each once.
    fn left_where(&self, call: &Call, in_right: bool) -> Result<ColumnarValue, DataFusionError> {
        let (mut other, mut seen) = (HashSet::default(), HashSet::default());
        picked(call, &self.left, |row, range, gather| {
            let Some(right) = self.right.range(row) else { return false };
            other.clear();
            seen.clear();
            other.extend(right.map(|index| self.elements.key(1, index)));
            for index in range {
                let key = self.elements.key(0, index);
                if other.contains(key) == in_right && seen.insert(key) {
                    gather.pick(0, index);
                }
            }
            true
        })
    }
}

fn except(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    Pair::of(call)?.left_where(call, false)
}

fn intersect(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    Pair::of(call)?.left_where(call, true)
}

fn union(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let pair = Pair::of(call)?;
    let mut seen = HashSet::default();
    let mut gather = ListGather::new(call.rows);
    for row in 0..call.rows {
        let (Some(left), Some(right)) = (pair.left.range(row), pair.right.range(row)) else {
            gather.null();
            continue;
        };
        seen.clear();
        for (source, range) in [(0, left), (1, right)] {
            for index in range.filter(|index| seen.insert(pair.elements.key(source, *index))) {
                gather.pick(source, index);
            }
        }
        gather.close();
    }
    gather.finish(&[pair.left.values(), pair.right.values()], &call.return_type.logical)
}

fn concat(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let lists = (0..call.args.len()).map(|position| Lists::of(call, position)).collect::<Result<Vec<_>, _>>()?;
    let mut gather = ListGather::new(call.rows);
    for row in 0..call.rows {
        let Some(ranges) = lists.iter().map(|list| list.range(row)).collect::<Option<Vec<_>>>() else {
            gather.null();
            continue;
        };
        for (source, range) in ranges.into_iter().enumerate() {
            range.for_each(|index| gather.pick(source, index));
        }
        gather.close();
    }
    let sources: Vec<&ArrayRef> = lists.iter().map(Lists::values).collect();
    gather.finish(&sources, &call.return_type.logical)
}

fn append(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    with_one_more(call, |gather, range, index| {
        range.for_each(|element| gather.pick(0, element));
        gather.pick(1, index);
    })
}

fn prepend(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    with_one_more(call, |gather, range, index| {
        gather.pick(1, index);
        range.for_each(|element| gather.pick(0, element));
    })
}

fn with_one_more(
    call: &Call,
    each: impl Fn(&mut ListGather, std::ops::Range<usize>, usize),
) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    let (value, constant) = call.array(1)?;
    let mut gather = ListGather::new(call.rows);
    for row in 0..call.rows {
        match lists.range(row) {
            Some(range) => {
                each(&mut gather, range, if constant { 0 } else { row });
                gather.close();
            }
            None => gather.null(),
        }
    }
    let value = if value.is_empty() { arrow::array::new_null_array(value.data_type(), 1) } else { Arc::clone(&value) };
    gather.finish(&[lists.values(), &value], &call.return_type.logical)
}
