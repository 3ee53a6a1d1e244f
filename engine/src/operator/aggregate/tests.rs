//! Every accumulator against a model that keeps all values and computes anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion_common::ScalarValue;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Accumulator, Update, accumulator};
use crate::expr::Value;
use crate::plan::logical::{AggregateCall, AggregateFunction as F, Nulls};
use crate::state::Reader;
use crate::types::{LogicalType, Type};

const KEYS: usize = 3;

#[derive(Clone, Copy, Debug)]
struct Change {
    key: usize,
    value: Option<i64>,
    retract: bool,
}

/// What is there of one key, in order of arrival.
#[derive(Clone, Default)]
struct Held {
    all: Vec<Option<i64>>,
    /// Each once, by when it appeared.
    distinct: Vec<Option<i64>>,
}

struct Case {
    call: AggregateCall,
    arg: DataType,
    model: fn(&[Option<i64>]) -> Json,
}

fn case(function: F, arg: LogicalType, result: LogicalType, model: fn(&[Option<i64>]) -> Json) -> Case {
    let constants = Vec::new();
    let return_type = Type::nullable(result);
    let call =
        AggregateCall { function, args: vec![0], distinct: false, filter: None, constants, return_type, user: None };
    Case { call, arg: arg.to_arrow(), model }
}

impl Case {
    fn distinct(mut self) -> Self {
        self.call.distinct = true;
        self
    }

    fn with(mut self, constant: ScalarValue) -> Self {
        self.call.constants.push(Value(constant));
        self
    }

    fn make(&self, retracts: bool, capacity: usize) -> Box<dyn Accumulator> {
        let mut made = accumulator(&self.call, std::slice::from_ref(&self.arg), retracts).unwrap();
        made.grow(capacity);
        made
    }

    fn arg(&self, values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
        match self.arg {
            DataType::Utf8 => Arc::new(values.map(|value| value.map(text)).collect::<StringArray>()),
            _ => Arc::new(values.collect::<Int64Array>()),
        }
    }

    fn expected(&self, held: &Held) -> Json {
        (self.model)(if self.call.distinct { &held.distinct } else { &held.all })
    }
}

fn text(value: i64) -> String {
    format!("v{value}")
}

fn list(of: LogicalType) -> LogicalType {
    LogicalType::Array(Box::new(Type::nullable(of)))
}

fn there(values: &[Option<i64>]) -> Vec<i64> {
    values.iter().copied().flatten().collect()
}

fn joined(values: &[Option<i64>]) -> Json {
    let texts: Vec<String> = there(values).into_iter().map(text).collect();
    if texts.is_empty() { Json::Null } else { json!(texts.join("; ")) }
}

fn or_null<T: Into<Json>>(value: Option<T>) -> Json {
    value.map_or(Json::Null, Into::into)
}

fn all_or_null(values: &[Option<i64>]) -> Json {
    if values.is_empty() { Json::Null } else { json!(values) }
}

fn multiset(values: &[Option<i64>]) -> Json {
    let mut sorted = there(values);
    sorted.sort_unstable();
    let pairs = sorted.chunk_by(|a, b| a == b).map(|same| json!([same[0], same.len()]));
    Json::Array(pairs.collect())
}

fn variance(values: &[Option<i64>], less: usize) -> Option<f64> {
    let values: Vec<f64> = there(values).into_iter().map(|value| value as f64).collect();
    if values.len() <= less {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Some(values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - less) as f64)
}

fn percentile(values: &[Option<i64>], at: f64) -> Option<f64> {
    let mut sorted = there(values);
    sorted.sort_unstable();
    let position = at * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[position.floor() as usize] as f64, sorted[position.ceil() as usize] as f64);
    Some(low + (high - low) * position.fract())
}

/// In millionths, cut where no exact result lies.
fn rounded(number: Option<f64>) -> Json {
    number.map_or(Json::Null, |number| json!(format!("~{}", (number * 1e6 + 0.31415).floor() as i64)))
}

fn json_texts(values: &[Option<i64>], nulls: bool) -> Json {
    let kept = values.iter().filter(|value| nulls || value.is_some());
    let texts: Vec<String> = kept.map(|value| value.map_or("null".to_owned(), text)).collect();
    json!(format!("[{}]", texts.join(",")))
}

fn cases() -> Vec<Case> {
    use LogicalType::{BigInt, Double, String as Text};
    let separator = || ScalarValue::Utf8(Some("; ".to_owned()));
    let percentages = [Some(0.75), Some(0.0), Some(1.0)].map(ScalarValue::Float64);
    let percentages = ScalarValue::List(ScalarValue::new_list(&percentages, &DataType::Float64, true));
    let set = LogicalType::Multiset(Box::new(Type::nullable(BigInt)));
    vec![
        case(F::ListAgg, Text, Text, joined).with(separator()),
        case(F::ListAgg, Text, Text, joined).with(separator()).distinct(),
        case(F::FirstValue, BigInt, BigInt, |values| or_null(there(values).first().copied())),
        case(F::LastValue, BigInt, BigInt, |values| or_null(there(values).last().copied())),
        case(F::FirstValue, Text, Text, |values| or_null(there(values).first().copied().map(text))),
        case(F::LastValue, Text, Text, |values| or_null(there(values).last().copied().map(text))),
        case(F::LastValue, BigInt, BigInt, |values| or_null(there(values).last().copied())).distinct(),
        case(F::ArrayAgg(Nulls::Kept), BigInt, list(BigInt), all_or_null),
        case(F::ArrayAgg(Nulls::Kept), BigInt, list(BigInt), all_or_null).distinct(),
        case(F::ArrayAgg(Nulls::LeftOut), BigInt, list(BigInt), |values| {
            all_or_null(&values.iter().copied().filter(Option::is_some).collect::<Vec<_>>())
        }),
        case(F::Collect, BigInt, set, multiset),
        case(F::VarPop, BigInt, Double, |values| rounded(variance(values, 0))),
        case(F::VarSamp, BigInt, Double, |values| rounded(variance(values, 1))),
        case(F::StddevPop, BigInt, Double, |values| rounded(variance(values, 0).map(f64::sqrt))),
        case(F::StddevSamp, BigInt, Double, |values| rounded(variance(values, 1).map(f64::sqrt))).distinct(),
        case(F::Percentile, BigInt, Double, |values| rounded(percentile(values, 0.3)))
            .with(ScalarValue::Float64(Some(0.3))),
        case(F::Percentile, BigInt, list(Double), |values| {
            let all = [0.75, 0.0, 1.0].map(|at| rounded(percentile(values, at)));
            if there(values).is_empty() { Json::Null } else { json!(all) }
        })
        .with(percentages),
        case(F::JsonArrayAgg(Nulls::Kept), Text, Text, |values| json_texts(values, true)),
        case(F::JsonArrayAgg(Nulls::LeftOut), Text, Text, |values| json_texts(values, false)),
        case(F::Max, BigInt, BigInt, |values| or_null(there(values).into_iter().max())),
        case(F::Min, Text, Text, |values| or_null(there(values).into_iter().map(text).min())),
        case(F::Count, BigInt, BigInt, |values| json!(there(values).len())).distinct(),
        case(F::Sum, BigInt, BigInt, |values| {
            let there = there(values);
            or_null((!there.is_empty()).then(|| there.iter().sum::<i64>()))
        })
        .distinct(),
    ]
}

/// The values of an array; numbers with a fraction rounded, as texts.
fn shown(array: &ArrayRef) -> Vec<Json> {
    let all = |rows: ArrayRef| Json::Array(shown(&rows));
    let one = |row: usize| match array.data_type() {
        _ if array.is_null(row) => Json::Null,
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => rounded(Some(array.as_primitive::<Float64Type>().value(row))),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::List(_) => all(array.as_list::<i32>().value(row)),
        DataType::Map(..) => {
            let pairs = array.as_map().value(row);
            let (keys, counts) = (shown(pairs.column(0)), shown(pairs.column(1)));
            Json::Array(keys.into_iter().zip(counts).map(|(key, count)| json!([key, count])).collect())
        }
        other => panic!("no values of {other}"),
    };
    (0..array.len()).map(one).collect()
}

/// Only what is there is taken back.
fn changelog(weight: f64) -> impl Strategy<Value = Vec<Change>> {
    let value = prop_oneof![1 => Just(None), 6 => (-4_i64..9).prop_map(Some)];
    let step = (0..KEYS, value, prop::bool::weighted(weight), 0_usize..50);
    proptest::collection::vec(step, 0..90).prop_map(|steps| {
        let mut held: Vec<Vec<Option<i64>>> = vec![Vec::new(); KEYS];
        let change = |(key, value, retract, which): (usize, Option<i64>, bool, usize)| {
            let of_key = &mut held[key];
            if retract && !of_key.is_empty() {
                let value = of_key.remove(which % of_key.len());
                return Change { key, value, retract: true };
            }
            of_key.push(value);
            Change { key, value, retract: false }
        };
        steps.into_iter().map(change).collect()
    })
}

fn apply(held: &mut [Held], change: Change) {
    let held = &mut held[change.key];
    if change.retract {
        let first = held.all.iter().position(|value| *value == change.value).unwrap();
        held.all.remove(first);
        if !held.all.contains(&change.value) {
            held.distinct.retain(|value| *value != change.value);
        }
    } else {
        held.all.push(change.value);
        if !held.distinct.contains(&change.value) {
            held.distinct.push(change.value);
        }
    }
}

fn feed(case: &Case, into: &mut dyn Accumulator, changes: &[Change], first_slot: usize, retracts: bool) {
    let slots: Vec<u32> = changes.iter().map(|change| (first_slot + change.key) as u32).collect();
    let retract: Vec<bool> = changes.iter().map(|change| change.retract).collect();
    let arg = case.arg(changes.iter().map(|change| change.value));
    into.update(Update { slots: &slots, retract: retracts.then_some(&retract), keep: None }, &[arg]).unwrap();
}

fn slots(first: usize) -> Vec<u32> {
    (first..first + KEYS).map(|slot| slot as u32).collect()
}

fn moved(case: &Case, from: &dyn Accumulator, retracts: bool) -> Box<dyn Accumulator> {
    let mut into = case.make(retracts, KEYS);
    for slot in slots(0) {
        let mut bytes = Vec::new();
        from.write(slot, &mut bytes);
        let mut reader = Reader::new(&bytes);
        into.read(slot, &mut reader).unwrap();
        assert!(reader.is_empty());
    }
    into
}

fn follows(changes: &[Change], size: usize, cut: usize, retracts: bool) -> Result<(), TestCaseError> {
    for case in cases() {
        let mut values = case.make(retracts, KEYS);
        let mut held = vec![Held::default(); KEYS];
        for (number, batch) in changes.chunks(size).enumerate() {
            if number == cut {
                values = moved(&case, &*values, retracts);
            }
            feed(&case, &mut *values, batch, 0, retracts);
            batch.iter().for_each(|change| apply(&mut held, *change));
            let expected: Vec<Json> = held.iter().map(|held| case.expected(held)).collect();
            prop_assert_eq!(shown(&values.evaluate(&slots(0)).unwrap()), expected, "{:?}", case.call);
        }
        let before = case.make(retracts, KEYS).bytes();
        slots(0).into_iter().for_each(|slot| values.clear(slot));
        prop_assert_eq!(values.bytes(), before, "{:?} keeps memory", case.call);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_change_is_followed_also_when_rows_are_taken_back(
        changes in changelog(0.4), size in 1_usize..9, cut in 0_usize..12,
    ) {
        follows(&changes, size, cut, true)?;
    }

    #[test]
    fn every_row_is_followed_where_none_is_taken_back(
        changes in changelog(0.0), size in 1_usize..9, cut in 0_usize..12,
    ) {
        follows(&changes, size, cut, false)?;
    }

    #[test]
    fn parts_are_merged_in_their_order(changes in changelog(0.3), cut in 0_usize..90) {
        let (first, second) = changes.split_at(cut.min(changes.len()));
        for case in cases().into_iter().filter(|case| !case.call.distinct) {
            let mut values = case.make(true, 3 * KEYS);
            feed(&case, &mut *values, first, 0, true);
            feed(&case, &mut *values, second, KEYS, true);
            values.merge(&slots(2 * KEYS), &slots(0)).unwrap();
            values.merge(&slots(2 * KEYS), &slots(KEYS)).unwrap();
            let mut held = vec![Held::default(); KEYS];
            changes.iter().for_each(|change| apply(&mut held, *change));
            // What is taken back in the second part may have come in either, so that the order is not always the same.
            let sorted = |values: Vec<Json>| values.into_iter().map(|value| sorted_text(&value)).collect::<Vec<_>>();
            let expected = sorted(held.iter().map(|held| case.expected(held)).collect());
            let got = sorted(shown(&values.evaluate(&slots(2 * KEYS)).unwrap()));
            // Nor do the moments of rows that never came mean anything.
            let ordered = matches!(
                case.call.function,
                F::FirstValue | F::LastValue | F::VarPop | F::VarSamp | F::StddevPop | F::StddevSamp
            );
            if !ordered || !changes.iter().any(|change| change.retract) {
                prop_assert_eq!(got, expected, "{:?}", case.call);
            }
        }
    }
}

fn sorted_text(value: &Json) -> String {
    let mut letters: Vec<char> = value.to_string().chars().collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

#[test]
fn a_value_of_percentile_counts_as_often_as_its_frequency_says() {
    let call = case(F::Percentile, LogicalType::Int, LogicalType::Double, |_| Json::Null)
        .with(ScalarValue::Float64(Some(0.5)))
        .call;
    let mut values = accumulator(&call, &[DataType::Int32, DataType::Int64], true).unwrap();
    values.grow(1);
    let args: Vec<ArrayRef> = vec![
        Arc::new(arrow::array::Int32Array::from(vec![Some(1), Some(10), Some(5), None])),
        Arc::new(Int64Array::from(vec![Some(3), None, Some(-2), Some(4)])),
    ];
    values.update(Update { slots: &[0; 4], retract: None, keep: None }, &args).unwrap();
    assert_eq!(shown(&values.evaluate(&[0]).unwrap()), [json!("~1000000")]);
    let more: Vec<ArrayRef> =
        vec![Arc::new(arrow::array::Int32Array::from(vec![2])), Arc::new(Int64Array::from(vec![3]))];
    values.update(Update { slots: &[0], retract: None, keep: None }, &more).unwrap();
    assert_eq!(shown(&values.evaluate(&[0]).unwrap()), [json!("~1500000")]);
    values.update(Update { slots: &[0], retract: Some(&[true]), keep: None }, &more).unwrap();
    assert_eq!(shown(&values.evaluate(&[0]).unwrap()), [json!("~1000000")]);
}

#[test]
fn the_deviation_of_integers_is_cut_to_an_integer_and_of_decimals_has_their_scale() {
    let deviation = |result: LogicalType, values: &[i64]| {
        let call = case(F::StddevPop, LogicalType::BigInt, result, |_| Json::Null).call;
        let mut made = accumulator(&call, &[DataType::Int64], false).unwrap();
        made.grow(1);
        let arg: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        made.update(Update { slots: &vec![0; values.len()], retract: None, keep: None }, &[arg]).unwrap();
        made.evaluate(&[0]).unwrap()
    };
    assert_eq!(shown(&deviation(LogicalType::Int, &[1, 2, 3, 8])), [json!(2)]);
    let decimal = deviation(LogicalType::Decimal { precision: 38, scale: 6 }, &[1, 2]);
    assert_eq!(decimal.as_primitive::<arrow::datatypes::Decimal128Type>().value_as_string(0), "0.500000");
}

#[test]
fn distinct_values_are_counted_to_about_one_in_a_hundred() {
    let case = case(F::ApproxCountDistinct, LogicalType::BigInt, LogicalType::BigInt, |_| Json::Null);
    for count in [0_i64, 1, 400, 5_000, 200_000] {
        let mut values = case.make(false, 3);
        let update = |values: &mut dyn Accumulator, slot: u32, range: std::ops::Range<i64>| {
            let slots = vec![slot; (range.end - range.start) as usize];
            let arg = case.arg(range.map(|value| Some(value * 7)));
            values.update(Update { slots: &slots, retract: None, keep: None }, &[arg]).unwrap();
        };
        update(&mut *values, 0, 0..count / 2 + count / 4);
        update(&mut *values, 1, count / 2..count);
        values.merge(&[2, 2], &[0, 1]).unwrap();
        let mut bytes = Vec::new();
        values.write(2, &mut bytes);
        values.clear(2);
        values.read(2, &mut Reader::new(&bytes)).unwrap();
        let found = values.evaluate(&[2]).unwrap().as_primitive::<Int64Type>().value(0);
        let off = (found - count).abs() as f64 / count.max(1) as f64;
        assert!(if count <= 400 { off == 0.0 } else { off < 0.03 }, "{found} for {count}");
    }
}

fn object(nulls: Nulls, changes: &[(bool, &str, Option<&str>)]) -> Result<Json, &'static str> {
    let call = case(F::JsonObjectAgg(nulls), LogicalType::String, LogicalType::String, |_| Json::Null).call;
    let make = || {
        let mut made = accumulator(&call, &[DataType::Utf8, DataType::Utf8], true).unwrap();
        made.grow(1);
        made
    };
    let mut values = make();
    for (retract, key, value) in changes {
        let args: Vec<ArrayRef> =
            vec![Arc::new(StringArray::from(vec![*key])), Arc::new(StringArray::from(vec![*value]))];
        let update = Update { slots: &[0], retract: Some(&[*retract]), keep: None };
        values.update(update, &args).map_err(|error| error.code)?;
        let mut bytes = Vec::new();
        values.write(0, &mut bytes);
        values = make();
        values.read(0, &mut Reader::new(&bytes)).unwrap();
    }
    Ok(shown(&values.evaluate(&[0]).unwrap()).remove(0))
}

#[test]
fn objects_have_their_keys_in_order_and_each_once() {
    let changes = [(false, "b", Some("1")), (false, "a\"", None), (false, "c", Some("[2]")), (true, "b", Some("1"))];
    assert_eq!(object(Nulls::Kept, &changes), Ok(json!("{\"a\\\"\":null,\"c\":[2]}")));
    assert_eq!(object(Nulls::LeftOut, &changes), Ok(json!("{\"c\":[2]}")));
    assert_eq!(object(Nulls::Kept, &[]), Ok(json!("{}")));
    assert_eq!(object(Nulls::Kept, &[(false, "a", None), (true, "a", None)]), Ok(json!("{}")));
    assert_eq!(object(Nulls::Kept, &[(false, "a", None), (false, "a", Some("1"))]), Err("duplicate_key"));
    // Taken back before it came, as parts of windows may see it.
    assert_eq!(object(Nulls::Kept, &[(true, "a", Some("1")), (false, "a", Some("1"))]), Ok(json!("{}")));
}
