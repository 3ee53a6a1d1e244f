//! Functions that look into one array, or take some of its elements.

use arrow::array::{Array, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::entry;
use super::gather::{Elements, ListGather, Lists, has_keys};
use crate::function::registry::Entry;
use crate::function::signature::{Param, common_type};
use crate::function::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["ARRAY_CONTAINS"],
        "ARRAY_CONTAINS(array, value)",
        "Whether the value is one of the elements; NULL is looked for as well.",
        contains_call,
    ),
    entry(
        &["ARRAY_POSITION"],
        "ARRAY_POSITION(array, value)",
        "Where the value is first, from 1; 0 where it is not.",
        position_call,
    ),
    entry(
        &["ARRAY_REMOVE"],
        "ARRAY_REMOVE(array, value)",
        "The array without the elements that are equal.",
        remove_call,
    ),
    entry(&["ARRAY_REVERSE"], "ARRAY_REVERSE(array)", "The elements from the last to the first.", reverse_call),
    entry(
        &["ARRAY_SLICE"],
        "ARRAY_SLICE(array, start[, end])",
        "The elements from start to end, both included, from 1; negative positions count from the end.",
        slice_call,
    ),
    entry(
        &["ARRAY_JOIN"],
        "ARRAY_JOIN(array, separator[, for null])",
        "The elements as one text; NULL elements are left out unless the third argument stands for them.",
        join_call,
    ),
    entry(
        &["ELEMENT"],
        "ELEMENT(array)",
        "The only element; NULL of an empty array. An array with several fails the job.",
        element_call,
    ),
];

/// The element type of an array.
pub(super) fn element_of(argument: &Argument) -> Option<&Type> {
    match &argument.ty.logical {
        LogicalType::Array(element) => Some(element),
        _ => None,
    }
}

/// The types of an array and of a value that is compared with its elements or becomes one.
pub(super) fn array_and_value(args: &[Argument]) -> Option<(Type, Type)> {
    let [array, value] = args else { return None };
    let element = element_of(array)?;
    let common = common_type(element, &value.ty)?;
    if common.logical.to_arrow() == element.logical.to_arrow() {
        // Texts of other declared lengths need no conversion, which would cut them.
        let same = value.ty.logical.to_arrow() == element.logical.to_arrow();
        let wanted = if same { value.ty.logical.clone() } else { element.logical.clone() };
        return Some((array.ty.clone(), Type::new(wanted, value.ty.nullable)));
    }
    let element = Type::new(common.logical.clone(), element.nullable);
    let array = Type::new(LogicalType::Array(Box::new(element)), array.ty.nullable);
    Some((array, Type::new(common.logical, value.ty.nullable)))
}

fn searched(name: &str, args: &[Argument], result: fn(bool, bool) -> Type, kernel: NativeFn) -> Option<ScalarCall> {
    let (array, value) = array_and_value(args)?;
    has_keys(&value.logical).then_some(())?;
    let result = result(array.nullable, value.nullable);
    Some(ScalarCall::new(name, vec![array, value], result, Kernel::Native(kernel)))
}

fn contains_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    searched(name, args, |array, _| Type::new(LogicalType::Boolean, array), contains)
}

fn position_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    searched(name, args, |array, value| Type::new(LogicalType::Int, array || value), position)
}

fn remove_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let (array, value) = array_and_value(args)?;
    has_keys(&value.logical).then_some(())?;
    Some(ScalarCall::new(name, vec![array.clone(), value], array, Kernel::Native(remove)))
}

fn reverse_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [array] = args else { return None };
    element_of(array)?;
    Some(ScalarCall::new(name, vec![array.ty.clone()], array.ty.clone(), Kernel::Native(reverse)))
}

fn slice_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let (array, bounds) = args.split_first().filter(|(_, bounds)| matches!(bounds.len(), 1 | 2))?;
    element_of(array)?;
    let bounds = bounds.iter().map(|bound| Param::Int.accept(&bound.ty)).collect::<Option<Vec<Type>>>()?;
    let nullable = array.ty.nullable || bounds.iter().any(|bound| bound.nullable);
    let result = array.ty.clone().with_nullable(nullable);
    let types = std::iter::once(array.ty.clone()).chain(bounds).collect();
    Some(ScalarCall::new(name, types, result, Kernel::Native(slice)))
}

fn join_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let (array, texts) = args.split_first().filter(|(_, texts)| matches!(texts.len(), 1 | 2))?;
    element_of(array)?.logical.is_character().then_some(())?;
    let texts = texts.iter().map(|text| Param::Text.accept(&text.ty)).collect::<Option<Vec<Type>>>()?;
    let nullable = array.ty.nullable || texts.iter().any(|text| text.nullable);
    let types = std::iter::once(array.ty.clone()).chain(texts).collect();
    Some(ScalarCall::new(name, types, Type::new(LogicalType::String, nullable), Kernel::Native(join)))
}

fn element_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [array] = args else { return None };
    let result = element_of(array)?.clone().with_nullable(true);
    Some(ScalarCall::new(name, vec![array.ty.clone()], result, Kernel::Native(element)))
}

/// An array beside one value per row, both by their keys.
struct Search {
    lists: Lists,
    elements: Elements,
    value: arrow::array::ArrayRef,
    constant: bool,
}

impl Search {
    fn of(call: &Call) -> Result<Self, DataFusionError> {
        let lists = Lists::of(call, 0)?;
        let (value, constant) = call.array(1)?;
        let elements = Elements::of(&[lists.values(), &value])?;
        Ok(Search { lists, elements, value, constant })
    }

    const fn at(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    fn matches(&self, index: usize, row: usize) -> bool {
        self.elements.key(0, index) == self.elements.key(1, self.at(row))
    }
}

fn contains(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let search = Search::of(call)?;
    call.boolean_rows(|row| Some(search.lists.range(row)?.any(|index| search.matches(index, row))))
}

fn position(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let search = Search::of(call)?;
    call.number_rows::<Int32Type>(|row| {
        let range = search.lists.range(row).filter(|_| search.value.is_valid(search.at(row)))?;
        let found = range.enumerate().find(|(_, index)| search.matches(*index, row));
        i32::try_from(found.map_or(0, |(position, _)| position + 1)).ok()
    })
}

fn remove(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let search = Search::of(call)?;
    picked(call, &search.lists, |row, range, gather| {
        for index in range.filter(|index| !search.matches(*index, row)) {
            gather.pick(0, index);
        }
        true
    })
}

fn reverse(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    picked(call, &lists, |_, range, gather| {
        range.rev().for_each(|index| gather.pick(0, index));
        true
    })
}

fn slice(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    let start = call.numbers::<Int32Type>(1)?;
    let end = if call.args.len() > 2 { Some(call.numbers::<Int32Type>(2)?) } else { None };
    picked(call, &lists, |row, range, gather| {
        let length = i64::try_from(range.len()).unwrap_or(i64::MAX);
        let end = match &end {
            Some(end) => end.get(row).map(i64::from),
            None => Some(length),
        };
        let (Some(start), Some(end)) = (start.get(row), end) else { return false };
        let (from, to) = slice_bounds(i64::from(start), end, length);
        let (from, to) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
        range.take(to).skip(from).for_each(|index| gather.pick(0, index));
        true
    })
}

/// Positions from 1, both included, negative ones from the end → the half-open range of indices from 0.
pub(super) fn slice_bounds(start: i64, end: i64, length: i64) -> (i64, i64) {
    let from_end = |position: i64| if position < 0 { position + length + 1 } else { position };
    let start = from_end(start).max(1);
    let end = match from_end(end) {
        0 => 1,
        end => end.min(length),
    };
    (start - 1, end.max(0))
}

/// One list per row of an array's elements; NULL where the array is, or where `each` says `false`.
pub(super) fn picked(
    call: &Call,
    lists: &Lists,
    mut each: impl FnMut(usize, std::ops::Range<usize>, &mut ListGather) -> bool,
) -> Result<ColumnarValue, DataFusionError> {
    let mut gather = ListGather::new(call.rows);
    for row in 0..call.rows {
        match lists.range(row) {
            Some(range) if each(row, range.clone(), &mut gather) => gather.close(),
            _ => gather.null(),
        }
    }
    gather.finish(&[lists.values()], &call.return_type.logical)
}

fn join(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    use arrow::array::AsArray;
    let lists = Lists::of(call, 0)?;
    let separator = call.texts(1)?;
    let for_null = if call.args.len() > 2 { Some(call.texts(2)?) } else { None };
    let elements = lists.values().as_string_opt::<i32>();
    call.text_rows(|row| {
        let (range, separator, elements) = (lists.range(row)?, separator.get(row)?, elements?);
        let for_null = match &for_null {
            Some(text) => Some(text.get(row)?),
            None => None,
        };
        let parts =
            range.filter_map(|index| if elements.is_valid(index) { Some(elements.value(index)) } else { for_null });
        let mut text = String::new();
        for (position, part) in parts.enumerate() {
            if position > 0 {
                text.push_str(separator);
            }
            text.push_str(part);
        }
        Some(text)
    })
}

fn element(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    let mut indices = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let range = lists.range(row).unwrap_or_default();
        if range.len() > 1 {
            return exec_err!("ELEMENT takes an array of at most one element, and this one has {}.", range.len());
        }
        indices.push((!range.is_empty()).then_some(range.start as u64));
    }
    Ok(ColumnarValue::Array(take(lists.values(), &UInt64Array::from(indices), None)?))
}
