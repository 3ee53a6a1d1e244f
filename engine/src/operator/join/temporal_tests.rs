//! Temporal joins against looking every version up.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::Int64Type;
use datafusion_expr::Operator as Sign;
use datafusion_physical_expr::expressions::{BinaryExpr, Column};
use proptest::prelude::*;

use super::*;
use crate::plan::logical::{JoinKey, VersionTimes};
use crate::state::{groups_of, hash_key, key_group, task_of};
use crate::types::{Field, LogicalType, Schema, Type};

/// Key, number, time.
type Row = (Option<i64>, i64, i64);
type Given = (RowKind, i64, Option<i64>);

fn side() -> Schema {
    let field = |name: &str, ty| Field::new(name, Type::nullable(ty));
    Schema::new(vec![
        field("k", LogicalType::BigInt),
        field("id", LogicalType::BigInt),
        field("ts", LogicalType::Timestamp(3)),
    ])
}

fn join(kind: JoinKind, condition: bool) -> TemporalJoin {
    let both: Vec<Field> = side().fields.iter().chain(&side().fields).cloned().collect();
    let less = || -> Arc<dyn PhysicalExpr> {
        Arc::new(BinaryExpr::new(Arc::new(Column::new("id", 1)), Sign::Lt, Arc::new(Column::new("id", 4))))
    };
    let join = JoinSpec {
        kind,
        keys: vec![JoinKey { left: 0, right: 0, null_safe: false }],
        condition: condition.then(less),
        left: side().to_arrow(),
        right: side().to_arrow(),
        output: Schema::new(both).to_arrow(),
        ttl_ms: [0; 2],
        at_end: false,
    };
    let times = VersionTimes { left: 2, right: 2 };
    TemporalJoin::new(TemporalJoinSpec { join, times, only_newest: true }).unwrap()
}

fn batch(rows: &[(RowKind, Row)]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|(_, row)| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|(_, row)| Some(row.1)).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|(_, row)| Some(row.2)).collect::<TimestampMillisecondArray>()),
    ];
    let kinds = rows.iter().map(|(kind, _)| *kind).collect();
    ChangeBatch::with_kinds(RecordBatch::try_new(side().to_arrow(), columns).unwrap(), kinds)
}

/// Kind, and the numbers of both rows.
fn given(out: &[ChangeBatch]) -> Vec<Given> {
    let mut rows = Vec::new();
    for batch in out {
        let value = |column: usize, row: usize| {
            let column = batch.rows.column(column).as_primitive::<Int64Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        rows.extend((0..batch.len()).map(|row| (batch.kind(row), value(1, row).unwrap(), value(4, row))));
    }
    rows
}

#[derive(Clone, Debug)]
enum Step {
    Row(usize, RowKind, Row),
    Watermark(i64),
}

/// Rows of both sides above the watermark of their time.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![1 => Just(None), 8 => (0_i64..3).prop_map(Some)];
    let raw = (0_usize..5, key, 1_i64..12, 0_u8..4, 0_i64..4);
    proptest::collection::vec(raw, 1..80).prop_map(|raw| {
        let mut watermark = 0;
        let mut steps = Vec::new();
        for (id, (what, key, ahead, kind, rise)) in raw.into_iter().enumerate() {
            let kind =
                [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete][usize::from(kind)];
            match what {
                0 => {
                    watermark += rise;
                    steps.push(Step::Watermark(watermark));
                }
                1 | 2 => steps.push(Step::Row(LEFT, kind, (key, (id % 5) as i64, watermark + ahead))),
                _ => steps.push(Step::Row(RIGHT, kind, (key, (id % 5) as i64, watermark + ahead))),
            }
        }
        steps
    })
}

/// What every left row meets, when all versions are known.
fn model(kind: JoinKind, condition: bool, steps: &[Step]) -> Vec<Given> {
    let rows = |wanted: usize| {
        steps.iter().filter_map(move |step| match step {
            Step::Row(side, kind, row) if *side == wanted => Some((*kind, *row)),
            _ => None,
        })
    };
    let mut wanted = Vec::new();
    for (left_kind, left) in rows(LEFT) {
        let versions = rows(RIGHT).enumerate().filter(|(_, (kind, row))| {
            *kind != RowKind::UpdateBefore && left.0.is_some() && row.0 == left.0 && row.2 <= left.2
        });
        let met = versions.max_by_key(|(arrival, (_, row))| (row.2, *arrival)).map(|(_, version)| version);
        let met = met.filter(|(kind, row)| kind.is_accumulate() && (!condition || left.1 < row.1));
        if met.is_some() || kind == JoinKind::Left {
            wanted.push((left_kind, left.1, met.map(|(_, row)| row.1)));
        }
    }
    wanted.sort_by_key(|row| (row.1, row.2, row.0 as u8));
    wanted
}

proptest! {
    #[test]
    fn rows_in_time_meet_the_version_of_their_time_also_from_a_snapshot_in_three_tasks(
        steps in steps(),
        kind in prop_oneof![Just(JoinKind::Inner), Just(JoinKind::Left)],
        condition in any::<bool>(),
        cut in 0_usize..80,
    ) {
        let mut operators = vec![join(kind, condition)];
        let keys = KeyEncoder::new(&side().to_arrow(), &[0]).unwrap();
        let mut out: Vec<ChangeBatch> = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            if index == cut {
                let state = operators[0].snapshot().unwrap().unwrap();
                operators = (0..3).map(|task| {
                    let mut fresh = join(kind, condition);
                    let groups = state.groups.iter().filter(|(group, _)| groups_of(task, 3).contains(group));
                    let groups = groups.map(|(group, bytes)| (*group, bytes.clone())).collect();
                    fresh.restore(KeyedState { groups }).unwrap();
                    fresh
                }).collect();
            }
            match step {
                Step::Watermark(watermark) => {
                    for operator in &mut operators {
                        operator.watermark(*watermark, &mut out).unwrap();
                    }
                }
                Step::Row(side, kind, row) => {
                    let one = batch(&[(*kind, *row)]);
                    let hash = hash_key(keys.encode(&one.rows).unwrap().key(0));
                    let task = task_of(key_group(hash), operators.len());
                    operators[task].process(*side, one, &mut out).unwrap();
                }
            }
        }
        for operator in &mut operators {
            operator.watermark(i64::MAX - 1, &mut out).unwrap();
        }
        let mut found = given(&out);
        found.sort_by_key(|row| (row.1, row.2, row.0 as u8));
        prop_assert_eq!(found, model(kind, condition, &steps));
        prop_assert_eq!(operators.iter().map(|operator| operator.waiting_for_tests()).sum::<usize>(), 0);
    }
}

const I: RowKind = RowKind::Insert;

#[test]
fn a_late_row_meets_what_was_not_cleaned_up() {
    let mut operator = join(JoinKind::Left, false);
    let mut out: Vec<ChangeBatch> = Vec::new();
    let versions = [(I, (Some(1), 10, 1)), (I, (Some(1), 20, 5)), (I, (Some(1), 30, 9))];
    operator.process(RIGHT, batch(&versions), &mut out).unwrap();
    operator.watermark(6, &mut out).unwrap();
    operator.process(LEFT, batch(&[(I, (Some(1), 0, 5)), (I, (Some(1), 1, 2))]), &mut out).unwrap();
    assert!(out.is_empty(), "they wait for the next watermark");
    operator.watermark(7, &mut out).unwrap();
    assert_eq!(given(&out), [(I, 0, Some(20)), (I, 1, None)]);
}

#[test]
fn nothing_is_left_of_a_key_that_was_deleted() {
    let mut operator = join(JoinKind::Inner, false);
    let mut out: Vec<ChangeBatch> = Vec::new();
    let versions = [(I, (Some(1), 10, 1)), (RowKind::Delete, (Some(1), 10, 5))];
    operator.process(RIGHT, batch(&versions), &mut out).unwrap();
    operator.watermark(2, &mut out).unwrap();
    assert_eq!(operator.size().rows, 2);
    operator.watermark(5, &mut out).unwrap();
    assert_eq!(operator.size(), join(JoinKind::Inner, false).size());
}

#[test]
fn a_key_that_nobody_wrote_to_is_forgotten_after_its_time() {
    let mut operator = join(JoinKind::Inner, false);
    operator.spec_for_tests().ttl_ms = [1000; 2];
    let mut out: Vec<ChangeBatch> = Vec::new();
    operator.expire(10_000);
    operator.process(RIGHT, batch(&[(I, (Some(1), 10, 1))]), &mut out).unwrap();
    operator.expire(10_500);
    operator.process(RIGHT, batch(&[(I, (Some(2), 20, 1))]), &mut out).unwrap();
    operator.expire(11_000);
    assert_eq!(operator.size().rows, 1);
    operator.process(LEFT, batch(&[(I, (Some(1), 0, 3)), (I, (Some(2), 1, 3))]), &mut out).unwrap();
    operator.watermark(4, &mut out).unwrap();
    assert_eq!(given(&out), [(I, 1, Some(20))]);
}
