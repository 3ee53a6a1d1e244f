//! OVER against a model that looks at all rows for each row.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{OverAggregate, OverAggregateSpec, OverTable, OverTableSpec};
use crate::change::{ChangeBatch, RowKind};
use crate::collect::RowWriter;
use crate::operator::Operator;
use crate::operator::tests::{apply, rescale};
use crate::plan::logical::{AggregateCall, AggregateFunction, Edge, Extent, Frame, OverCall, SortKey};
use crate::types::{Field, LogicalType, Schema, Type};

#[derive(Clone, Debug, PartialEq)]
struct Row {
    key: i64,
    value: Option<i64>,
    /// No other row has it.
    id: i64,
    time: i64,
}

fn input() -> Schema {
    let field = |name: &str, ty| Field::new(name, Type::nullable(ty));
    Schema::new(vec![
        field("k", LogicalType::BigInt),
        field("v", LogicalType::BigInt),
        field("id", LogicalType::BigInt),
        field("ts", LogicalType::Timestamp(3)),
    ])
}

fn batch(rows: &[(RowKind, Row)]) -> ChangeBatch {
    let numbers = |of: fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(|(_, row)| of(row)).collect::<Int64Array>())
    };
    let times: ArrayRef = Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|(_, row)| row.time)));
    let columns = vec![numbers(|row| Some(row.key)), numbers(|row| row.value), numbers(|row| Some(row.id)), times];
    let all = RecordBatch::try_new(input().to_arrow(), columns).unwrap();
    ChangeBatch::with_kinds(all, rows.iter().map(|(kind, _)| *kind).collect())
}

fn aggregate(function: AggregateFunction, distinct: bool) -> OverCall {
    let args = if function == AggregateFunction::Count && !distinct { Vec::new() } else { vec![1] };
    OverCall::Aggregate(AggregateCall {
        function,
        args,
        distinct,
        filter: None,
        constants: Vec::new(),
        return_type: Type::nullable(LogicalType::BigInt),
        user: None,
    })
}

fn shift(back: i64, default: Option<usize>) -> OverCall {
    OverCall::Shift { value: 1, default, back, return_type: Type::nullable(LogicalType::BigInt) }
}

fn framed() -> Vec<OverCall> {
    use AggregateFunction as F;
    let mut calls: Vec<OverCall> = [F::Count, F::Sum, F::Min, F::Max, F::Avg, F::FirstValue, F::LastValue]
        .map(|function| aggregate(function, false))
        .to_vec();
    calls.push(aggregate(F::Count, true));
    calls
}

fn of_place() -> Vec<OverCall> {
    vec![
        OverCall::RowNumber,
        OverCall::Rank,
        OverCall::DenseRank,
        OverCall::PercentRank,
        OverCall::CumeDist,
        OverCall::Ntile(3),
        shift(1, None),
        shift(-2, Some(2)),
    ]
}

fn output(calls: &[OverCall]) -> Schema {
    let mut fields = input().fields;
    let results = calls.iter().enumerate();
    fields.extend(results.map(|(index, call)| Field::new(format!("r{index}"), call.return_type())));
    Schema::new(fields)
}

/// One row among those of its partition, in order; `same` says which are equal to it there, `frame` which are around it.
struct Place<'a> {
    rows: &'a [Row],
    at: usize,
    same: Vec<usize>,
    frame: Vec<usize>,
}

impl Place<'_> {
    fn result(&self, call: &OverCall) -> Value {
        let values: Vec<i64> = self.frame.iter().filter_map(|row| self.rows[*row].value).collect();
        let some = |value: i64| (!values.is_empty()).then_some(value);
        let first = self.same.first().copied().unwrap_or(self.at);
        let size = self.rows.len();
        match call {
            OverCall::RowNumber => json!(self.at + 1),
            OverCall::Rank => json!(first + 1),
            OverCall::DenseRank => {
                let places: BTreeSet<Option<i64>> = self.rows[..=self.at].iter().map(|row| row.value).collect();
                json!(places.len())
            }
            OverCall::PercentRank if size == 1 => json!(0.0),
            OverCall::PercentRank => json!(first as f64 / (size - 1) as f64),
            OverCall::CumeDist => json!((first + self.same.len()) as f64 / size as f64),
            OverCall::Ntile(parts) => {
                let parts = *parts as usize;
                let sizes = (0..parts).map(|part| size / parts + usize::from(part < size % parts));
                let ends: Vec<usize> = sizes
                    .scan(0, |end, size| {
                        *end += size;
                        Some(*end)
                    })
                    .collect();
                json!(ends.iter().position(|end| self.at < *end).unwrap() + 1)
            }
            OverCall::Shift { default, back, .. } => {
                let from = self.at as i64 - back;
                match usize::try_from(from).ok().and_then(|from| self.rows.get(from)) {
                    Some(row) => json!(row.value),
                    None => json!(default.map(|_| self.rows[self.at].id)),
                }
            }
            OverCall::Aggregate(call) => json!(match (call.function, call.distinct) {
                (AggregateFunction::Count, true) => Some(values.iter().collect::<BTreeSet<_>>().len() as i64),
                (AggregateFunction::Count, false) => Some(self.frame.len() as i64),
                (AggregateFunction::Sum, _) => some(values.iter().sum()),
                (AggregateFunction::Min, _) => values.iter().min().copied(),
                (AggregateFunction::Max, _) => values.iter().max().copied(),
                (AggregateFunction::FirstValue, _) => values.first().copied(),
                (AggregateFunction::LastValue, _) => values.last().copied(),
                _ => some(values.iter().sum::<i64>().checked_div(values.len() as i64).unwrap_or(0)),
            }),
        }
    }
}

fn at(ms: i64) -> Value {
    json!(chrono::DateTime::from_timestamp_millis(ms).unwrap().format("%Y-%m-%dT%H:%M:%S%.3f").to_string())
}

/// `order` gives the sort key of a row as a number that grows.
fn model(live: &[Row], frame: Frame, calls: &[OverCall], order: &dyn Fn(&Row) -> Option<i64>) -> Vec<String> {
    let mut by_key: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    live.iter().for_each(|row| by_key.entry(row.key).or_default().push(row.clone()));
    let mut lines = Vec::new();
    let (extent, start, end) = frame.edges();
    for rows in by_key.values_mut() {
        rows.sort_by_key(|row| order(row).unwrap_or(i64::MIN));
        for place in 0..rows.len() {
            let own = order(&rows[place]);
            let same = |other: &usize| order(&rows[*other]) == own;
            let distance = |other: usize| match (extent, order(&rows[other]), own) {
                (Extent::Rows, _, _) => Some(other as i64 - place as i64),
                (Extent::Range, Some(other), Some(own)) => Some(other - own),
                // NULLs are equal, before everything else, and at no distance from it.
                (Extent::Range, None, None) => None,
                (Extent::Range, None, Some(_)) => Some(i64::MIN),
                (Extent::Range, Some(_), None) => Some(i64::MAX),
            };
            let within = |other: &usize| {
                let Some(distance) = distance(*other) else { return true };
                let least = match start {
                    Edge::Unbounded => i64::MIN,
                    Edge::At(low) => low.max(i64::MIN + 1),
                };
                let most = match end {
                    Edge::Unbounded => i64::MAX,
                    Edge::At(high) => high,
                };
                least <= distance && distance <= most
            };
            let around = Place {
                rows,
                at: place,
                same: (0..rows.len()).filter(same).collect(),
                frame: (0..rows.len()).filter(within).collect(),
            };
            let row = &rows[place];
            let mut line = vec![json!(row.key), json!(row.value), json!(row.id), at(row.time)];
            line.extend(calls.iter().map(|call| around.result(call)));
            lines.push(Value::Array(line).to_string());
        }
    }
    lines.sort();
    lines
}

fn frame() -> impl Strategy<Value = Frame> {
    let edge = || prop_oneof![1 => Just(None), 5 => (-3_i64..4).prop_map(Some)];
    let extent = prop_oneof![Just(Extent::Rows), Just(Extent::Range)];
    (extent, edge(), edge()).prop_map(|(extent, start, end)| {
        let (start, end) = match (start, end) {
            (Some(start), Some(end)) => (Some(start.min(end)), Some(start.max(end))),
            other => other,
        };
        let edge = |edge: Option<i64>| edge.map_or(Edge::Unbounded, Edge::At);
        Frame::Between(extent, edge(start), edge(end))
    })
}

/// Insertions, and deletions of rows that came before, in batches.
fn changelog(deletes: bool) -> impl Strategy<Value = Vec<Vec<(RowKind, Row)>>> {
    let value = prop_oneof![1 => Just(None), 5 => (-4_i64..5).prop_map(Some)];
    let step = (0_i64..3, value, any::<u16>(), 0_u8..4);
    (proptest::collection::vec(step, 1..50), 1_usize..6).prop_map(move |(steps, size)| {
        let (mut live, mut changes): (Vec<Row>, Vec<(RowKind, Row)>) = Default::default();
        for (id, (key, value, pick, what)) in steps.into_iter().enumerate() {
            if deletes && what == 0 && !live.is_empty() {
                changes.push((RowKind::Delete, live.remove(usize::from(pick) % live.len())));
            } else {
                let row = Row { key, value, id: id as i64, time: i64::from(pick % 40) };
                live.push(row.clone());
                changes.push((RowKind::Insert, row));
            }
        }
        changes.chunks(size).map(<[_]>::to_vec).collect()
    })
}

fn table(frame: Frame, calls: &[OverCall], ascending: bool, at_end: bool) -> Box<dyn Operator> {
    let spec = OverTableSpec {
        partition: vec![0],
        sort: vec![SortKey { column: 1, ascending, nulls_first: true }],
        frame,
        calls: calls.to_vec(),
        input: input().to_arrow(),
        output: output(calls).to_arrow(),
        ttl_ms: 0,
        at_end,
    };
    Box::new(OverTable::new(spec).unwrap())
}

fn moved(mut operator: Box<dyn Operator>, make: &dyn Fn() -> Box<dyn Operator>) -> Box<dyn Operator> {
    let mut several: Vec<Box<dyn Operator>> = (0..3).map(|_| make()).collect();
    rescale(std::slice::from_mut(&mut operator), &mut several);
    let mut fresh = vec![make()];
    rescale(&mut several, &mut fresh);
    fresh.pop().unwrap()
}

proptest! {
    #[test]
    fn results_in_any_order_follow_every_change(
        batches in changelog(true), frame in frame(), ascending in any::<bool>(), cut in 0_usize..20,
    ) {
        let calls = [framed(), of_place()].concat();
        let make = || table(frame, &calls, ascending, false);
        let (mut operator, writer) = (make(), RowWriter::new(&output(&calls)));
        let (mut given, mut live): (Vec<String>, Vec<Row>) = Default::default();
        for (index, rows) in batches.iter().enumerate() {
            if index == cut {
                operator = moved(operator, &make);
            }
            for (kind, row) in rows {
                match kind {
                    RowKind::Insert => live.push(row.clone()),
                    _ => live.retain(|held| held != row),
                }
            }
            let mut out: Vec<ChangeBatch> = Vec::new();
            operator.process(0, batch(rows), &mut out).unwrap();
            apply(&mut given, &out, &writer);
            let order = |row: &Row| row.value.map(|value| if ascending { value } else { -value });
            prop_assert_eq!(&given, &model(&live, frame, &calls, &order));
        }
        prop_assert_eq!(operator.size().rows, live.len() as u64);
    }

    #[test]
    fn over_bounded_input_results_come_at_the_end(batches in changelog(false), frame in frame(), cut in 0_usize..20) {
        let calls = [framed(), of_place()].concat();
        let make = || table(frame, &calls, true, true);
        let (mut operator, mut out) = (make(), Vec::new());
        for (index, rows) in batches.iter().enumerate() {
            if index == cut {
                operator = moved(operator, &make);
            }
            operator.process(0, batch(rows), &mut out).unwrap();
        }
        prop_assert!(out.is_empty());
        operator.end(&mut out).unwrap();
        let mut given = Vec::new();
        apply(&mut given, &out, &RowWriter::new(&output(&calls)));
        let live: Vec<Row> = batches.iter().flatten().map(|(_, row)| row.clone()).collect();
        prop_assert_eq!(given, model(&live, frame, &calls, &|row| row.value));
    }

    #[test]
    fn in_the_order_of_event_time_every_row_that_is_not_late_is_given_once(
        batches in changelog(false),
        frame in prop_oneof![
            Just(Frame::RowsUnbounded), Just(Frame::RangeUnbounded), Just(Frame::Rows(0)), Just(Frame::Rows(2)),
            Just(Frame::Range(0)), Just(Frame::Range(7)),
        ],
        cut in 0_usize..20,
    ) {
        let calls = framed();
        let make = || -> Box<dyn Operator> { Box::new(timed(frame, &calls)) };
        let (out, live, late) = run_timed(&make, &batches, cut);
        let mut given = Vec::new();
        apply(&mut given, &out, &RowWriter::new(&output(&calls)));
        prop_assert_eq!(given, model(&live, frame, &calls, &|row| Some(row.time)));
        prop_assert_eq!(late as usize + live.len(), batches.iter().map(Vec::len).sum::<usize>());
    }

    #[test]
    fn ranks_and_lags_go_on_over_watermarks_and_restores(batches in changelog(false), cut in 0_usize..20) {
        let calls = vec![OverCall::Rank, OverCall::DenseRank, shift(1, None), shift(3, Some(2)), shift(0, None)];
        let make = || -> Box<dyn Operator> { Box::new(timed(Frame::RowsUnbounded, &calls)) };
        let (out, mut live, _) = run_timed(&make, &batches, cut);
        let mut given = Vec::new();
        apply(&mut given, &out, &RowWriter::new(&output(&calls)));
        // The model counts different values: the time is the value there, and put back afterwards.
        let values: BTreeMap<i64, Option<i64>> = live.iter().map(|row| (row.id, row.value)).collect();
        let lags = model(&live, Frame::RowsUnbounded, &calls[2..], &|row| Some(row.time));
        live.iter_mut().for_each(|row| row.value = Some(row.time));
        let ranks = model(&live, Frame::RowsUnbounded, &calls[..2], &|row| Some(row.time));
        let parsed = |lines: &[String]| -> BTreeMap<i64, Vec<Value>> {
            let rows = lines.iter().map(|line| serde_json::from_str::<Vec<Value>>(line).unwrap());
            rows.map(|row| (row[2].as_i64().unwrap(), row)).collect()
        };
        let (given, lags, ranks) = (parsed(&given), parsed(&lags), parsed(&ranks));
        prop_assert_eq!(given.len(), live.len());
        for (id, row) in given {
            prop_assert_eq!(&row[1], &json!(values[&id]));
            prop_assert_eq!(&row[4..6], &ranks[&id][4..]);
            prop_assert_eq!(&row[6..], &lags[&id][4..]);
        }
    }
}

fn timed(frame: Frame, calls: &[OverCall]) -> OverAggregate {
    let spec = OverAggregateSpec {
        partition: vec![0],
        time_column: 3,
        frame,
        calls: calls.to_vec(),
        input: input().to_arrow(),
        output: output(calls).to_arrow(),
        ttl_ms: 0,
    };
    OverAggregate::new(spec).unwrap()
}

/// What it gives, the rows that were not late, and how many were.
fn run_timed(
    make: &dyn Fn() -> Box<dyn Operator>,
    batches: &[Vec<(RowKind, Row)>],
    cut: usize,
) -> (Vec<ChangeBatch>, Vec<Row>, u64) {
    let (mut operator, mut out, mut live) = (make(), Vec::new(), Vec::new());
    let (mut watermark, mut late) = (i64::MIN, 0);
    for (index, rows) in batches.iter().enumerate() {
        if index == cut {
            late += operator.late();
            operator = moved(operator, make);
            if watermark > i64::MIN {
                operator.watermark(watermark, &mut out).unwrap();
            }
        }
        live.extend(rows.iter().map(|(_, row)| row.clone()).filter(|row| row.time > watermark));
        operator.process(0, batch(rows), &mut out).unwrap();
        let highest = rows.iter().map(|(_, row)| row.time).max().unwrap_or(0);
        watermark = watermark.max(highest - 25);
        operator.watermark(watermark, &mut out).unwrap();
    }
    operator.watermark(i64::MAX, &mut out).unwrap();
    let late = late + operator.late();
    (out, live, late)
}

#[test]
fn the_first_value_that_passes_the_filter_leaves_with_its_row() {
    let mut schema = input();
    schema.fields.push(Field::new("f", Type::nullable(LogicalType::Boolean)));
    let OverCall::Aggregate(first) = aggregate(AggregateFunction::FirstValue, false) else { panic!("no aggregate") };
    let calls = vec![OverCall::Aggregate(AggregateCall { filter: Some(4), ..first })];
    let mut fields = schema.fields.clone();
    fields.push(Field::new("r", Type::nullable(LogicalType::BigInt)));
    let mut operator = OverAggregate::new(OverAggregateSpec {
        partition: vec![0],
        time_column: 3,
        frame: Frame::Rows(1),
        calls,
        input: schema.to_arrow(),
        output: Schema::new(fields).to_arrow(),
        ttl_ms: 0,
    })
    .unwrap();
    let rows: Vec<(RowKind, Row)> =
        (1..=4).map(|id| (RowKind::Insert, Row { key: 1, value: Some(id), id, time: id })).collect();
    let mut columns = batch(&rows).rows.columns().to_vec();
    columns.push(Arc::new(arrow::array::BooleanArray::from(vec![Some(true), Some(false), None, Some(true)])));
    let mut out = Vec::new();
    let all = RecordBatch::try_new(schema.to_arrow(), columns).unwrap();
    operator.process(0, ChangeBatch::inserts(all), &mut out).unwrap();
    operator.watermark(10, &mut out).unwrap();
    let given = out[0].rows.column(5).as_any().downcast_ref::<Int64Array>().unwrap();
    assert_eq!(given.iter().collect::<Vec<_>>(), [Some(1), Some(1), None, Some(4)]);
}
