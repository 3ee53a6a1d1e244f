#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Every function beside a naive one over vectors, on any arrays.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, ListBuilder, StringArray};
use arrow::datatypes::{Field, Int32Type};
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;
use proptest::prelude::*;

use crate::function::{Argument, Call, EvalContext, Kernel, ResolveError, resolve_scalar};
use crate::types::{LogicalType, Type};

type Elements = Vec<Option<i32>>;
type List = Option<Elements>;

fn lists(rows: &[List]) -> ArrayRef {
    let mut builder = ListBuilder::new(Int32Array::builder(0)).with_field(Field::new(
        "item",
        arrow::datatypes::DataType::Int32,
        true,
    ));
    for row in rows {
        if let Some(elements) = row {
            elements.iter().for_each(|element| builder.values().append_option(*element));
        }
        builder.append(row.is_some());
    }
    Arc::new(builder.finish())
}

fn array_of_int() -> Type {
    Type::nullable(LogicalType::Array(Box::new(Type::nullable(LogicalType::Int))))
}

fn run(name: &str, args: Vec<(Type, ColumnarValue)>, rows: usize) -> Result<ArrayRef, String> {
    let arguments: Vec<Argument> = args.iter().map(|(ty, _)| Argument { ty: ty.clone(), literal: None }).collect();
    let call = resolve_scalar(name, &arguments).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let Kernel::Native(kernel) = call.kernel else { panic!("{name} has no kernel") };
    let values: Vec<ColumnarValue> = args.into_iter().map(|(_, value)| value).collect();
    let result = kernel(&Call {
        args: &values,
        rows,
        arg_types: &call.arg_types,
        return_type: &call.return_type,
        context: EvalContext::default(),
    });
    let array = result.and_then(|value| value.into_array(rows)).map_err(|error| error.to_string())?;
    assert_eq!(array.data_type(), &call.return_type.logical.to_arrow(), "the type of {name}");
    Ok(array)
}

fn back(array: &ArrayRef) -> Vec<List> {
    let list: &ListArray = array.as_list();
    (0..list.len())
        .map(|row| list.is_valid(row).then(|| list.value(row).as_primitive::<Int32Type>().iter().collect()))
        .collect()
}

fn column(rows: &[List]) -> (Type, ColumnarValue) {
    (array_of_int(), ColumnarValue::Array(lists(rows)))
}

/// The same list for all rows.
fn constant(list: &List) -> (Type, ColumnarValue) {
    let scalar = ScalarValue::try_from_array(&lists(std::slice::from_ref(list)), 0).unwrap();
    (array_of_int(), ColumnarValue::Scalar(scalar))
}

fn ints(values: &[Option<i32>]) -> (Type, ColumnarValue) {
    (Type::nullable(LogicalType::Int), ColumnarValue::Array(Arc::new(Int32Array::from(values.to_vec()))))
}

fn any_list() -> impl Strategy<Value = List> {
    prop::option::weighted(0.85, prop::collection::vec(prop::option::weighted(0.8, -3..4_i32), 0..6))
}

fn once(elements: impl IntoIterator<Item = Option<i32>>) -> Vec<Option<i32>> {
    let mut seen = BTreeSet::new();
    elements.into_iter().filter(|element| seen.insert(*element)).collect()
}

fn both(left: &[List], right: &[List], each: impl Fn(&[Option<i32>], &[Option<i32>]) -> Vec<Option<i32>>) -> Vec<List> {
    left.iter().zip(right).map(|(a, b)| Some(each(a.as_ref()?, b.as_ref()?))).collect()
}

/// The elements that a list of positions from 1 would give.
fn naive_slice(list: &[Option<i32>], start: i32, end: i32) -> Vec<Option<i32>> {
    if list.is_empty() {
        return Vec::new();
    }
    let length = list.len() as i32;
    let place = |position: i32| if position < 0 { position + length + 1 } else { position };
    let first = place(start).max(1);
    let last = if place(end) == 0 { 1 } else { place(end).min(length) };
    (first..=last).map(|position| list[position as usize - 1]).collect()
}

proptest! {
    #[test]
    fn sets_are_those_of_vectors(rows in prop::collection::vec((any_list(), any_list()), 1..8)) {
        let (left, right): (Vec<List>, Vec<List>) = rows.into_iter().unzip();
        let of = |name: &str| back(&run(name, vec![column(&left), column(&right)], left.len()).unwrap());
        let chain = |a: &[Option<i32>], b: &[Option<i32>]| a.iter().chain(b).copied().collect::<Vec<_>>();
        prop_assert_eq!(of("ARRAY_CONCAT"), both(&left, &right, chain));
        prop_assert_eq!(of("ARRAY_UNION"), both(&left, &right, |a, b| once(chain(a, b))));
        let except = |a: &[Option<i32>], b: &[Option<i32>]| once(a.iter().filter(|x| !b.contains(x)).copied());
        prop_assert_eq!(of("ARRAY_EXCEPT"), both(&left, &right, except));
        let intersect = |a: &[Option<i32>], b: &[Option<i32>]| once(a.iter().filter(|x| b.contains(x)).copied());
        prop_assert_eq!(of("ARRAY_INTERSECT"), both(&left, &right, intersect));
        let first = vec![left[0].clone(); right.len()];
        let with_constant = run("ARRAY_UNION", vec![constant(&left[0]), column(&right)], right.len()).unwrap();
        prop_assert_eq!(back(&with_constant), both(&first, &right, |a, b| once(chain(a, b))));
    }

    #[test]
    fn values_are_found_added_and_removed(rows in prop::collection::vec((any_list(), prop::option::of(-3..4_i32)), 1..8)) {
        let (left, values): (Vec<List>, Vec<Option<i32>>) = rows.into_iter().unzip();
        let of = |name: &str| run(name, vec![column(&left), ints(&values)], left.len()).unwrap();
        let pairs = || left.iter().zip(&values);
        let contains: BooleanArray = pairs().map(|(list, value)| list.as_ref().map(|list| list.contains(value))).collect();
        let found = of("ARRAY_CONTAINS");
        prop_assert_eq!(found.as_boolean(), &contains);
        let position = |list: &List, value: &Option<i32>| {
            let (list, value) = (list.as_ref()?, (*value)?);
            Some(list.iter().position(|element| *element == Some(value)).map_or(0, |at| at as i32 + 1))
        };
        let positions: Int32Array = pairs().map(|(list, value)| position(list, value)).collect();
        let found = of("ARRAY_POSITION");
        prop_assert_eq!(found.as_primitive::<Int32Type>(), &positions);
        let each = |change: &dyn Fn(&mut Elements, Option<i32>)| -> Vec<List> {
            pairs().map(|(list, value)| list.clone().map(|mut list| { change(&mut list, *value); list })).collect()
        };
        prop_assert_eq!(back(&of("ARRAY_REMOVE")), each(&|list, value| list.retain(|element| *element != value)));
        prop_assert_eq!(back(&of("ARRAY_APPEND")), each(&|list, value| list.push(value)));
        prop_assert_eq!(back(&of("ARRAY_PREPEND")), each(&|list, value| list.insert(0, value)));
    }

    #[test]
    fn one_array_is_turned_sorted_and_cut(rows in prop::collection::vec(any_list(), 1..8), start in -8..8_i32, end in -8..8_i32) {
        let of = |name: &str| run(name, vec![column(&rows)], rows.len()).unwrap();
        let each = |change: &dyn Fn(&[Option<i32>]) -> Elements| -> Vec<List> {
            rows.iter().map(|list| list.as_ref().map(|list| change(list))).collect()
        };
        prop_assert_eq!(back(&of("ARRAY_REVERSE")), each(&|list| list.iter().rev().copied().collect()));
        prop_assert_eq!(back(&of("ARRAY_DISTINCT")), each(&|list| once(list.iter().copied())));
        // NULL is the least.
        prop_assert_eq!(back(&of("ARRAY_SORT")), each(&|list| { let mut list = list.to_vec(); list.sort(); list }));
        let extreme = |greatest: bool| -> Int32Array {
            let of = |list: &List| { let present = list.as_ref()?.iter().flatten().copied(); if greatest { present.max() } else { present.min() } };
            rows.iter().map(of).collect()
        };
        let (max, min) = (of("ARRAY_MAX"), of("ARRAY_MIN"));
        prop_assert_eq!(max.as_primitive::<Int32Type>(), &extreme(true));
        prop_assert_eq!(min.as_primitive::<Int32Type>(), &extreme(false));
        let number = |value: i32| (Type::not_null(LogicalType::Int), ColumnarValue::Scalar(ScalarValue::Int32(Some(value))));
        let cut = run("ARRAY_SLICE", vec![column(&rows), number(start), number(end)], rows.len()).unwrap();
        prop_assert_eq!(back(&cut), each(&|list| naive_slice(list, start, end)));
    }

    #[test]
    fn a_map_has_the_last_value_of_each_key(rows in prop::collection::vec((any_list(), any_list()), 1..6)) {
        let (left, right): (Vec<List>, Vec<List>) = rows.into_iter().unzip();
        let made = run("MAP_FROM_ARRAYS", vec![column(&left), column(&right)], left.len());
        let usable = left.iter().zip(&right).all(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => a.len() == b.len() && !a.contains(&None),
            _ => true,
        });
        // What is wrong fails; where nothing is, the entries are those of a map.
        prop_assert_eq!(made.is_ok(), usable, "{:?}", made);
        if let Ok(made) = made {
            let maps = made.as_map();
            for (row, (keys, values)) in left.iter().zip(&right).enumerate() {
                let expected = keys.as_ref().zip(values.as_ref()).map(|(keys, values)| {
                    let map: std::collections::BTreeMap<i32, Option<i32>> = keys.iter().flatten().copied().zip(values.iter().copied()).collect();
                    map
                });
                let entries = maps.is_valid(row).then(|| maps.value(row));
                let found = entries.map(|entries| {
                    let (keys, values) = (entries.column(0).as_primitive::<Int32Type>(), entries.column(1).as_primitive::<Int32Type>());
                    assert_eq!(keys.len(), keys.iter().collect::<BTreeSet<_>>().len(), "a key is there twice");
                    keys.iter().flatten().zip(values.iter()).collect()
                });
                prop_assert_eq!(found, expected);
            }
        }
    }
}

#[test]
fn text_becomes_a_map() {
    let text = |value: &str| (Type::not_null(LogicalType::String), ColumnarValue::Scalar(ScalarValue::from(value)));
    let entries = |args: Vec<(Type, ColumnarValue)>| {
        let map = run("STR_TO_MAP", args, 1).unwrap();
        let (keys, values) = (map.as_map().value(0), map.as_map().value(0));
        let keys: &StringArray = keys.column(0).as_string();
        let values: &StringArray = values.column(1).as_string();
        keys.iter().zip(values).map(|(key, value)| format!("{key:?}={value:?}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(entries(vec![text("k1=v1,k2=v2")]), r#"Some("k1")=Some("v1") Some("k2")=Some("v2")"#);
    assert_eq!(entries(vec![text("a:1;b;a:2"), text(";"), text(":")]), r#"Some("a")=Some("2") Some("b")=None"#);
    assert_eq!(
        entries(vec![text("k1$$v1|k2"), text("\\|"), text("\\$\\$")]),
        r#"Some("k1")=Some("v1") Some("k2")=None"#
    );
    assert_eq!(entries(vec![text("")]), "");
}

#[test]
fn wrong_collections_are_refused() {
    let wrong = |name: &str, types: Vec<LogicalType>| {
        let args: Vec<Argument> =
            types.into_iter().map(|ty| Argument { ty: Type::nullable(ty), literal: None }).collect();
        assert!(matches!(resolve_scalar(name, &args), Err(ResolveError::WrongArguments { .. })), "{name}");
    };
    wrong("ARRAY_CONTAINS", vec![array_of_int().logical, LogicalType::String]);
    wrong("ARRAY_JOIN", vec![array_of_int().logical, LogicalType::String]);
    wrong("ARRAY_UNION", vec![array_of_int().logical]);
    wrong("MAP_KEYS", vec![array_of_int().logical]);
    wrong("MAP", vec![LogicalType::Int]);
    wrong("MAP", vec![]);
}
