//! Both aggregations against a model that keeps all rows and computes everything anew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::SchemaRef;
use proptest::prelude::*;

use super::{
    GroupAggregate, GroupAggregateSpec, GroupColumn, Operator, WindowAggregate, WindowAggregateSpec, WindowColumns,
};
use crate::change::{ChangeBatch, RowKind};
use crate::collect::RowWriter;
use crate::plan::logical::{AggregateCall, AggregateFunction};
use crate::state::{KeyedState, groups_of};
use crate::time::window::{Shape, Windows};
use crate::types::{Field, LogicalType, Schema, Type};

/// `k STRING, v BIGINT, ts TIMESTAMP(3)`
pub(super) fn input() -> Schema {
    let field = |name: &str, ty| Field::new(name, Type::nullable(ty));
    Schema::new(vec![
        field("k", LogicalType::String),
        field("v", LogicalType::BigInt),
        field("ts", LogicalType::Timestamp(3)),
    ])
}

pub(super) fn calls() -> Vec<AggregateCall> {
    let call = |function, args: &[usize], distinct| AggregateCall {
        function,
        args: args.to_vec(),
        distinct,
        filter: None,
        constants: Vec::new(),
        return_type: Type::nullable(LogicalType::BigInt),
        user: None,
    };
    vec![
        call(AggregateFunction::Count, &[], false),
        call(AggregateFunction::Sum, &[1], false),
        call(AggregateFunction::Min, &[1], false),
        call(AggregateFunction::Max, &[1], false),
        call(AggregateFunction::Avg, &[1], false),
        call(AggregateFunction::Count, &[1], true),
    ]
}

pub(super) fn results() -> Vec<Field> {
    ["n", "s", "mn", "mx", "a", "d"].map(|name| Field::new(name, Type::nullable(LogicalType::BigInt))).to_vec()
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) value: Option<i64>,
    pub(super) time: i64,
}

pub(super) fn batch(rows: &[(RowKind, Row)]) -> ChangeBatch {
    let schema: SchemaRef = input().to_arrow();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, row)| &row.key))),
        Arc::new(rows.iter().map(|(_, row)| row.value).collect::<Int64Array>()),
        Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|(_, row)| row.time))),
    ];
    ChangeBatch::with_kinds(
        RecordBatch::try_new(schema, columns).unwrap(),
        rows.iter().map(|(kind, _)| *kind).collect(),
    )
}

/// What the aggregates of these values are.
pub(super) fn model(values: &[Option<i64>]) -> Vec<Option<i64>> {
    let there: Vec<i64> = values.iter().copied().flatten().collect();
    let sum = (!there.is_empty()).then(|| there.iter().sum::<i64>());
    let distinct: BTreeSet<i64> = there.iter().copied().collect();
    vec![
        Some(values.len() as i64),
        sum,
        there.iter().min().copied(),
        there.iter().max().copied(),
        sum.map(|sum| sum / there.len() as i64),
        Some(distinct.len() as i64),
    ]
}

/// Applies a changelog, refusing to take back what is not there.
pub(super) fn apply(table: &mut Vec<String>, changes: &[ChangeBatch], writer: &RowWriter) {
    for change in changes {
        for row in 0..change.len() {
            let text = serde_json::Value::Array(writer.row(change, row)).to_string();
            if change.kind(row).is_accumulate() {
                table.push(text);
            } else {
                let at = table.iter().position(|held| *held == text);
                table.remove(at.unwrap_or_else(|| panic!("{text} is taken back, but only {table:?} is there")));
            }
        }
    }
    table.sort();
}

pub(super) fn row() -> impl Strategy<Value = Row> {
    let value = prop_oneof![1 => Just(None), 6 => (-5_i64..5).prop_map(Some)];
    ((0_u8..4), value, 0_i64..60).prop_map(|(key, value, time)| Row { key: format!("k{key}"), value, time })
}

/// Insertions, and deletions of rows that came before, in batches.
pub(super) fn changelog() -> impl Strategy<Value = Vec<Vec<(RowKind, Row)>>> {
    let step = (row(), any::<u16>(), 0_u8..3);
    (proptest::collection::vec(step, 1..80), 1_usize..9).prop_map(|(steps, size)| {
        let (mut live, mut changes): (Vec<Row>, Vec<(RowKind, Row)>) = Default::default();
        for (row, pick, what) in steps {
            if what == 0 && !live.is_empty() {
                let gone = live.remove(usize::from(pick) % live.len());
                changes.push((if pick % 2 == 0 { RowKind::Delete } else { RowKind::UpdateBefore }, gone));
            } else {
                live.push(row.clone());
                changes.push((if pick % 2 == 0 { RowKind::Insert } else { RowKind::UpdateAfter }, row));
            }
        }
        changes.chunks(size).map(<[_]>::to_vec).collect()
    })
}

fn group_aggregate() -> (GroupAggregate, Schema) {
    let mut fields = vec![input().fields[0].clone()];
    fields.extend(results());
    let output = Schema::new(fields);
    let spec = GroupAggregateSpec {
        group: vec![0],
        calls: calls(),
        input: input().to_arrow(),
        output: output.to_arrow(),
        retracts: true,
        ttl_ms: 0,
        at_end: false,
    };
    (GroupAggregate::new(spec).unwrap(), output)
}

fn live_by_key<'a>(changes: impl Iterator<Item = &'a (RowKind, Row)>) -> BTreeMap<String, Vec<Option<i64>>> {
    let mut live: BTreeMap<String, Vec<Option<i64>>> = BTreeMap::new();
    for (kind, row) in changes {
        let values = live.entry(row.key.clone()).or_default();
        if kind.is_accumulate() {
            values.push(row.value);
        } else {
            let at = values.iter().position(|value| *value == row.value).unwrap();
            values.remove(at);
        }
    }
    live.retain(|_, values| !values.is_empty());
    live
}

/// Moves the state of some operators into others by key group, as a restore at another parallelism does.
pub(super) fn rescale(from: &mut [Box<dyn Operator>], into: &mut [Box<dyn Operator>]) {
    let tasks = into.len();
    for old in from {
        let state = old.snapshot().unwrap().unwrap();
        for (task, new) in into.iter_mut().enumerate() {
            let own = groups_of(task, tasks);
            let groups = state.groups.iter().filter(|(group, _)| own.contains(group));
            new.restore(KeyedState { groups: groups.map(|(group, bytes)| (*group, bytes.clone())).collect() }).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn group_aggregate_follows_every_change(batches in changelog()) {
        let (mut operator, schema) = group_aggregate();
        let writer = RowWriter::new(&schema);
        let mut table = Vec::new();
        for (index, rows) in batches.iter().enumerate() {
            let mut out: Vec<ChangeBatch> = Vec::new();
            operator.process(0, batch(rows), &mut out).unwrap();
            apply(&mut table, &out, &writer);
            let live = live_by_key(batches[..=index].iter().flatten());
            let mut wanted: Vec<String> = live
                .iter()
                .map(|(key, values)| {
                    let mut row = vec![serde_json::json!(key)];
                    row.extend(model(values).into_iter().map(|value| serde_json::json!(value)));
                    serde_json::Value::Array(row).to_string()
                })
                .collect();
            wanted.sort();
            prop_assert_eq!(&table, &wanted);
            prop_assert_eq!(operator.size().rows, live.len() as u64);
        }
    }

    #[test]
    fn group_aggregate_goes_on_from_its_snapshot(batches in changelog(), cut in 0_usize..20) {
        let (whole, schema) = group_aggregate();
        let writer = RowWriter::new(&schema);
        let mut operator: Box<dyn Operator> = Box::new(whole);
        let mut table = Vec::new();
        for (index, rows) in batches.iter().enumerate() {
            if index == cut {
                let mut fresh: Vec<Box<dyn Operator>> = vec![Box::new(group_aggregate().0)];
                rescale(std::slice::from_mut(&mut operator), &mut fresh);
                operator = fresh.pop().unwrap();
            }
            let mut out: Vec<ChangeBatch> = Vec::new();
            operator.process(0, batch(rows), &mut out).unwrap();
            apply(&mut table, &out, &writer);
        }
        let live = live_by_key(batches.iter().flatten());
        prop_assert_eq!(table.len(), live.len());
    }

    #[test]
    fn window_aggregate_counts_every_row_of_a_window_that_has_not_fired(
        rows in proptest::collection::vec((row(), 0_i64..6), 1..60),
        shape in prop_oneof![
            Just(Shape::Tumble { size: 10 }),
            Just(Shape::Hop { slide: 5, size: 10 }),
            Just(Shape::Hop { slide: 4, size: 10 }),
            Just(Shape::Hop { slide: 15, size: 10 }),
            Just(Shape::Cumulate { step: 5, size: 15 }),
        ],
        cut in 0_usize..60,
    ) {
        let windows = Windows { shape, offset: 0, zone: None };
        let (mut operator, schema) = window_aggregate(windows);
        let writer = RowWriter::new(&schema);
        let mut wanted: BTreeMap<(i64, i64, String), Vec<Option<i64>>> = BTreeMap::new();
        let mut out: Vec<ChangeBatch> = Vec::new();
        let mut watermark = i64::MIN;
        for (index, (row, delay)) in rows.iter().enumerate() {
            if index == cut {
                let mut fresh: Vec<Box<dyn Operator>> = vec![window_aggregate(windows).0];
                rescale(std::slice::from_mut(&mut operator), &mut fresh);
                operator = fresh.pop().unwrap();
                // Sources tell their watermark again before any row.
                if watermark > i64::MIN {
                    operator.watermark(watermark, &mut out).unwrap();
                }
            }
            windows.windows_at(row.time, |window| {
                if window.end - 1 > watermark {
                    wanted.entry((window.start, window.end, row.key.clone())).or_default().push(row.value);
                }
            });
            operator.process(0, batch(&[(RowKind::Insert, row.clone())]), &mut out).unwrap();
            watermark = watermark.max(row.time - delay);
            operator.watermark(watermark, &mut out).unwrap();
        }
        operator.watermark(i64::MAX, &mut out).unwrap();
        let mut given = Vec::new();
        apply(&mut given, &out, &writer);
        let at = |ms: i64| chrono::DateTime::from_timestamp_millis(ms).unwrap().format("%Y-%m-%dT%H:%M:%S%.3f").to_string();
        let mut expected: Vec<String> = wanted
            .iter()
            .map(|((start, end, key), values)| {
                let mut row = vec![serde_json::json!(at(*start)), serde_json::json!(at(*end)), serde_json::json!(key)];
                row.extend(model(values).into_iter().map(|value| serde_json::json!(value)));
                serde_json::Value::Array(row).to_string()
            })
            .collect();
        expected.sort();
        prop_assert_eq!(given, expected);
        prop_assert_eq!(operator.size().rows, 0);
    }
}

fn window_aggregate(windows: Windows) -> (Box<dyn Operator>, Schema) {
    let time = |name: &str| Field::new(name, Type::not_null(LogicalType::Timestamp(3)));
    let mut fields = vec![time("s"), time("e"), input().fields[0].clone()];
    fields.extend(results());
    let output = Schema::new(fields);
    let spec = WindowAggregateSpec {
        windows,
        input_columns: WindowColumns::Time(2),
        group: vec![GroupColumn::Start, GroupColumn::End, GroupColumn::Key(0)],
        keys: vec![0],
        calls: calls(),
        input: input().to_arrow(),
        output: output.to_arrow(),
        retracts: false,
    };
    (Box::new(WindowAggregate::new(spec).unwrap()), output)
}

#[test]
fn a_key_that_is_not_used_is_forgotten_after_its_time() {
    let (operator, _) = group_aggregate();
    let mut operator = GroupAggregate::new(GroupAggregateSpec {
        group: vec![0],
        calls: calls(),
        input: input().to_arrow(),
        output: operator_output(),
        retracts: false,
        ttl_ms: 1000,
        at_end: false,
    })
    .unwrap_or(operator);
    let one = |key: &str| batch(&[(RowKind::Insert, Row { key: key.to_owned(), value: Some(1), time: 0 })]);
    let mut out: Vec<ChangeBatch> = Vec::new();
    operator.expire(10_000);
    operator.process(0, one("a"), &mut out).unwrap();
    operator.expire(10_900);
    operator.process(0, one("b"), &mut out).unwrap();
    operator.expire(11_000);
    assert_eq!(operator.size().rows, 1);
    operator.process(0, one("a"), &mut out).unwrap();
    assert_eq!(out.last().map(|batch| batch.kind(0)), Some(RowKind::Insert), "it starts anew");
}

fn operator_output() -> SchemaRef {
    group_aggregate().1.to_arrow()
}
