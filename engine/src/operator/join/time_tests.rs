//! Interval and window joins against all pairs of rows.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;

use super::*;
use crate::plan::logical::{JoinKey, TimeBound};
use crate::types::{Field, LogicalType, Schema, Type};

/// Key, number, time (or end of the window).
type Row = (Option<i64>, i64, i64);

fn side() -> Schema {
    let field = |name: &str, ty| Field::new(name, Type::nullable(ty));
    Schema::new(vec![
        field("k", LogicalType::BigInt),
        field("id", LogicalType::BigInt),
        field("ts", LogicalType::Timestamp(3)),
    ])
}

fn spec(kind: JoinKind, keys: Vec<JoinKey>) -> JoinSpec {
    let both: Vec<Field> = side().fields.iter().chain(&side().fields).cloned().collect();
    let only_left = matches!(kind, JoinKind::Semi | JoinKind::Anti);
    let output = if only_left { side() } else { Schema::new(both) };
    let (left, right) = (side().to_arrow(), side().to_arrow());
    JoinSpec { kind, keys, condition: None, left, right, output: output.to_arrow(), ttl_ms: [0; 2], at_end: false }
}

fn key() -> JoinKey {
    JoinKey { left: 0, right: 0, null_safe: false }
}

fn batch(row: &Row) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![row.0])),
        Arc::new(Int64Array::from(vec![row.1])),
        Arc::new(TimestampMillisecondArray::from(vec![row.2])),
    ];
    ChangeBatch::inserts(RecordBatch::try_new(side().to_arrow(), columns).unwrap())
}

/// The numbers of left and right row of all that was given.
fn given(out: &[ChangeBatch], columns: [usize; 2]) -> Vec<(Option<i64>, Option<i64>)> {
    let mut rows = Vec::new();
    for batch in out {
        assert!(batch.kinds.is_none(), "insertions only");
        let value = |column: usize, row: usize| {
            let column = batch.rows.columns().get(column)?.as_primitive::<Int64Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        rows.extend((0..batch.len()).map(|row| (value(columns[0], row), value(columns[1], row))));
    }
    rows.sort_unstable();
    rows
}

fn model(
    kind: JoinKind,
    rows: &[(usize, Row)],
    matches: impl Fn(&Row, &Row) -> bool,
) -> Vec<(Option<i64>, Option<i64>)> {
    let of = |side: usize| rows.iter().filter(move |(of, _)| *of == side).map(|(_, row)| row);
    let mut wanted = Vec::new();
    for left in of(LEFT) {
        let found: Vec<&Row> = of(RIGHT).filter(|right| matches(left, right)).collect();
        match kind {
            JoinKind::Semi | JoinKind::Anti => {
                if found.is_empty() == (kind == JoinKind::Anti) {
                    wanted.push((Some(left.1), None));
                }
            }
            _ => wanted.extend(found.iter().map(|right| (Some(left.1), Some(right.1)))),
        }
        if found.is_empty() && is_outer(kind, LEFT) {
            wanted.push((Some(left.1), None));
        }
    }
    for right in of(RIGHT) {
        if is_outer(kind, RIGHT) && !of(LEFT).any(|left| matches(left, right)) {
            wanted.push((None, Some(right.1)));
        }
    }
    wanted.sort_unstable();
    wanted
}

/// Rows of both sides whose times rise, except that each may be up to 5 too early.
fn rows() -> impl Strategy<Value = Vec<(usize, Row)>> {
    let key = prop_oneof![1 => Just(None), 6 => (0_i64..3).prop_map(Some)];
    proptest::collection::vec((0_usize..2, key, 0_i64..4, 0_i64..6), 1..60).prop_map(|raw| {
        let mut clock = 0;
        let row = |(id, (side, key, step, early)): (usize, (usize, Option<i64>, i64, i64))| {
            clock += step;
            (side, (key, id as i64, clock - early))
        };
        raw.into_iter().enumerate().map(row).collect()
    })
}

/// Gives the rows with the watermark that their order allows, through a restore at `cut`.
fn run(
    make: &dyn Fn() -> Box<dyn Operator>,
    rows: &[(usize, Row)],
    cut: usize,
) -> (Vec<ChangeBatch>, Box<dyn Operator>) {
    let (mut operator, mut out, mut highest) = (make(), Vec::new(), i64::MIN + 1000);
    for (index, (side, row)) in rows.iter().enumerate() {
        if index == cut {
            let state = operator.snapshot().unwrap().unwrap();
            operator = make();
            operator.restore(state).unwrap();
        }
        operator.process(*side, batch(row), &mut out).unwrap();
        highest = highest.max(row.2);
        operator.watermark(highest - 6, &mut out).unwrap();
    }
    operator.watermark(i64::MAX, &mut out).unwrap();
    (out, operator)
}

proptest! {
    #[test]
    fn an_interval_join_gives_every_pair_that_is_close_enough_and_keeps_nothing(
        rows in rows(),
        kind in prop_oneof![Just(JoinKind::Inner), Just(JoinKind::Left), Just(JoinKind::Right), Just(JoinKind::Full)],
        (low, high) in prop_oneof![Just((0_i64, 0_i64)), Just((-4, 0)), Just((0, 3)), Just((-3, 5)), Just((2, 6)), Just((-6, -2))],
        cut in 0_usize..60,
    ) {
        let time = TimeBound { left: 2, right: 2, low, high };
        let make = || Box::new(IntervalJoin::new(spec(kind, vec![key()]), time).unwrap()) as Box<dyn Operator>;
        let (out, operator) = run(&make, &rows, cut);
        let matches = |left: &Row, right: &Row| {
            left.0.is_some() && left.0 == right.0 && (low..=high).contains(&(left.2 - right.2))
        };
        prop_assert_eq!(given(&out, [1, 4]), model(kind, &rows, matches));
        prop_assert_eq!(operator.size().rows, 0);
    }

    #[test]
    fn a_window_join_gives_every_pair_of_a_window_and_keeps_nothing(
        rows in rows(),
        kind in prop_oneof![
            Just(JoinKind::Inner), Just(JoinKind::Left), Just(JoinKind::Right), Just(JoinKind::Full),
            Just(JoinKind::Semi), Just(JoinKind::Anti)
        ],
        cut in 0_usize..60,
    ) {
        // The time becomes the end of a window of ten.
        let rows: Vec<(usize, Row)> =
            rows.into_iter().map(|(side, row)| (side, (row.0, row.1, row.2.div_euclid(10) * 10 + 10))).collect();
        let make = || {
            let join = spec(kind, vec![key(), JoinKey { left: 2, right: 2, null_safe: false }]);
            Box::new(WindowJoin::new(WindowJoinSpec { join, ends: [2, 2], zone: None }).unwrap()) as Box<dyn Operator>
        };
        let (mut operator, mut out) = (make(), Vec::new());
        let mut lowest_open: Vec<i64> = rows.iter().rev().scan(i64::MAX, |least, (_, row)| {
            *least = (*least).min(row.2);
            Some(*least)
        }).collect();
        lowest_open.reverse();
        for (index, (side, row)) in rows.iter().enumerate() {
            if index == cut {
                let state = operator.snapshot().unwrap().unwrap();
                operator = make();
                operator.restore(state).unwrap();
            }
            operator.process(*side, batch(row), &mut out).unwrap();
            // No window closes before its last row.
            let next = lowest_open.get(index + 1).copied().unwrap_or(i64::MAX);
            operator.watermark(next.saturating_sub(2), &mut out).unwrap();
        }
        operator.watermark(i64::MAX, &mut out).unwrap();
        let matches = |left: &Row, right: &Row| left.0.is_some() && left.0 == right.0 && left.2 == right.2;
        let columns = if matches!(kind, JoinKind::Semi | JoinKind::Anti) { [1, 99] } else { [1, 4] };
        prop_assert_eq!(given(&out, columns), model(kind, &rows, matches));
        prop_assert_eq!((operator.size().rows, operator.late()), (0, 0));
    }
}
