//! Every kind of join against a model that joins the live rows of both sides anew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion_expr::Operator as Sign;
use datafusion_physical_expr::expressions::{BinaryExpr, Column};
use proptest::prelude::*;

use super::*;
use crate::plan::logical::JoinKey;
use crate::state::groups_of;
use crate::types::{Field, LogicalType, Schema, Type};

/// Key and value.
type Row = (Option<i64>, i64);

#[derive(Clone, Debug)]
struct Step {
    side: usize,
    rows: Vec<(RowKind, Row)>,
}

fn side_schema() -> Schema {
    let field = |name: &str| Field::new(name, Type::nullable(LogicalType::BigInt));
    Schema::new(vec![field("k"), field("v")])
}

fn join(kind: JoinKind, null_safe: bool, condition: bool, at_end: bool) -> Join {
    let both: Vec<Field> = side_schema().fields.iter().chain(&side_schema().fields).cloned().collect();
    let only_left = matches!(kind, JoinKind::Semi | JoinKind::Anti);
    let output = if only_left { side_schema() } else { Schema::new(both) };
    let less = || -> Arc<dyn PhysicalExpr> {
        Arc::new(BinaryExpr::new(Arc::new(Column::new("v", 1)), Sign::Lt, Arc::new(Column::new("v", 3))))
    };
    Join::new(JoinSpec {
        kind,
        keys: vec![JoinKey { left: 0, right: 0, null_safe }],
        condition: condition.then(less),
        left: side_schema().to_arrow(),
        right: side_schema().to_arrow(),
        output: output.to_arrow(),
        ttl_ms: [0; 2],
        at_end,
    })
    .unwrap()
}

fn batch(rows: &[(RowKind, Row)]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|(_, (key, _))| *key).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|(_, (_, value))| Some(*value)).collect::<Int64Array>()),
    ];
    let rows_of = RecordBatch::try_new(side_schema().to_arrow(), columns).unwrap();
    ChangeBatch::with_kinds(rows_of, rows.iter().map(|(kind, _)| *kind).collect())
}

/// Rows as lists of values; what is taken back must be there.
fn apply(table: &mut Vec<Vec<Option<i64>>>, changes: &[ChangeBatch]) {
    for change in changes {
        for row in 0..change.len() {
            let value = |column: &ArrayRef| {
                let column = column.as_any().downcast_ref::<Int64Array>().unwrap();
                column.is_valid(row).then(|| column.value(row))
            };
            let values: Vec<Option<i64>> = change.rows.columns().iter().map(value).collect();
            if change.kind(row).is_accumulate() {
                table.push(values);
            } else {
                let at = table.iter().position(|held| *held == values);
                table.remove(at.unwrap_or_else(|| panic!("{values:?} is taken back, but only {table:?} is there")));
            }
        }
    }
    table.sort();
}

fn model(kind: JoinKind, null_safe: bool, condition: bool, live: &[Vec<Row>; 2]) -> Vec<Vec<Option<i64>>> {
    let matches = |left: &Row, right: &Row| {
        let key = left.0 == right.0 && (null_safe || left.0.is_some());
        key && (!condition || left.1 < right.1)
    };
    let mut rows = Vec::new();
    for left in &live[0] {
        let matched: Vec<&Row> = live[1].iter().filter(|right| matches(left, right)).collect();
        match kind {
            JoinKind::Semi if !matched.is_empty() => rows.push(vec![left.0, Some(left.1)]),
            JoinKind::Anti if matched.is_empty() => rows.push(vec![left.0, Some(left.1)]),
            JoinKind::Semi | JoinKind::Anti => {}
            JoinKind::Left | JoinKind::Full if matched.is_empty() => {
                rows.push(vec![left.0, Some(left.1), None, None]);
            }
            _ => rows.extend(matched.iter().map(|right| vec![left.0, Some(left.1), right.0, Some(right.1)])),
        }
    }
    for right in &live[1] {
        let matched = live[0].iter().any(|left| matches(left, right));
        if !matched && matches!(kind, JoinKind::Right | JoinKind::Full) {
            rows.push(vec![None, None, right.0, Some(right.1)]);
        }
    }
    rows.sort();
    rows
}

/// Insertions, and deletions of what came before, of one side per step.
fn steps(retracts: bool) -> impl Strategy<Value = Vec<Step>> {
    let row = (prop_oneof![1 => Just(None), 5 => (0_i64..3).prop_map(Some)], 0_i64..4);
    let step = (0_usize..2, proptest::collection::vec((row, any::<u16>(), 0_u8..3), 1..5));
    proptest::collection::vec(step, 1..24).prop_map(move |raw| {
        let mut live: [Vec<Row>; 2] = Default::default();
        let mut steps = Vec::new();
        for (side, changes) in raw {
            let mut rows = Vec::new();
            for (row, pick, what) in changes {
                if retracts && what == 0 && !live[side].is_empty() {
                    let at = usize::from(pick) % live[side].len();
                    let gone = live[side].remove(at);
                    rows.push((if pick % 2 == 0 { RowKind::Delete } else { RowKind::UpdateBefore }, gone));
                } else {
                    live[side].push(row);
                    rows.push((if pick % 2 == 0 { RowKind::Insert } else { RowKind::UpdateAfter }, row));
                }
            }
            steps.push(Step { side, rows });
        }
        steps
    })
}

fn kinds() -> impl Strategy<Value = JoinKind> {
    use JoinKind as K;
    prop_oneof![Just(K::Inner), Just(K::Left), Just(K::Right), Just(K::Full), Just(K::Semi), Just(K::Anti)]
}

fn follow(live: &mut [Vec<Row>; 2], step: &Step) {
    for (kind, row) in &step.rows {
        if kind.is_accumulate() {
            live[step.side].push(*row);
        } else {
            let at = live[step.side].iter().position(|held| held == row).unwrap();
            live[step.side].remove(at);
        }
    }
}

proptest! {
    #[test]
    fn a_join_follows_every_change_of_both_sides_and_goes_on_from_its_snapshot(
        steps in steps(true),
        kind in kinds(),
        null_safe in any::<bool>(),
        condition in any::<bool>(),
        cut in 0_usize..24,
    ) {
        let mut operators = vec![join(kind, null_safe, condition, false)];
        let (mut live, mut table): ([Vec<Row>; 2], Vec<Vec<Option<i64>>>) = Default::default();
        for (index, step) in steps.iter().enumerate() {
            if index == cut {
                // Restored in three tasks; keys find their own.
                let state = operators[0].snapshot().unwrap().unwrap();
                operators = (0..3)
                    .map(|task| {
                        let mut fresh = join(kind, null_safe, condition, false);
                        let own = groups_of(task, 3);
                        let groups = state.groups.iter().filter(|(group, _)| own.contains(group));
                        let groups = groups.map(|(group, bytes)| (*group, bytes.clone())).collect();
                        fresh.restore(KeyedState { groups }).unwrap();
                        fresh
                    })
                    .collect();
            }
            let keys = KeyEncoder::new(&side_schema().to_arrow(), &[0]).unwrap();
            for row in &step.rows {
                let one = batch(std::slice::from_ref(row));
                let hash = crate::state::hash_key(keys.encode(&one.rows).unwrap().key(0));
                let task = crate::state::task_of(crate::state::key_group(hash), operators.len());
                let mut out: Vec<ChangeBatch> = Vec::new();
                operators[task].process(step.side, one, &mut out).unwrap();
                apply(&mut table, &out);
            }
            follow(&mut live, step);
            prop_assert_eq!(&table, &model(kind, null_safe, condition, &live));
        }
    }

    #[test]
    fn batches_of_several_rows_give_the_same_table(
        steps in steps(true),
        kind in kinds(),
        condition in any::<bool>(),
    ) {
        let mut operator = join(kind, false, condition, false);
        let (mut live, mut table): ([Vec<Row>; 2], Vec<Vec<Option<i64>>>) = Default::default();
        for step in &steps {
            let mut out: Vec<ChangeBatch> = Vec::new();
            operator.process(step.side, batch(&step.rows), &mut out).unwrap();
            apply(&mut table, &out);
            follow(&mut live, step);
            prop_assert_eq!(&table, &model(kind, false, condition, &live));
        }
    }

    #[test]
    fn over_bounded_input_only_rows_that_stay_are_given(
        steps in steps(false),
        kind in kinds(),
        condition in any::<bool>(),
    ) {
        let mut operator = join(kind, false, condition, kind != JoinKind::Inner);
        let mut live: [Vec<Row>; 2] = Default::default();
        let mut out: Vec<ChangeBatch> = Vec::new();
        for step in &steps {
            let inserts: Vec<(RowKind, Row)> = step.rows.iter().map(|(_, row)| (RowKind::Insert, *row)).collect();
            operator.process(step.side, batch(&inserts), &mut out).unwrap();
            follow(&mut live, step);
        }
        operator.end(&mut out).unwrap();
        prop_assert!(out.iter().all(|batch| batch.kinds.is_none()), "insertions only");
        let mut table = Vec::new();
        apply(&mut table, &out);
        prop_assert_eq!(table, model(kind, false, condition, &live));
    }
}

#[test]
fn rows_that_are_not_written_again_are_forgotten_after_their_time() {
    let mut operator = join(JoinKind::Inner, false, false, false);
    operator.spec.ttl_ms = [1000; 2];
    let mut out: Vec<ChangeBatch> = Vec::new();
    operator.expire(10_000);
    operator.process(LEFT, batch(&[(RowKind::Insert, (Some(1), 1))]), &mut out).unwrap();
    operator.expire(10_500);
    operator.process(LEFT, batch(&[(RowKind::Insert, (Some(1), 2))]), &mut out).unwrap();
    operator.expire(11_000);
    assert_eq!(operator.size().rows, 1);
    operator.process(RIGHT, batch(&[(RowKind::Insert, (Some(1), 7))]), &mut out).unwrap();
    let mut table = Vec::new();
    apply(&mut table, &out);
    assert_eq!(table, [vec![Some(1), Some(2), Some(1), Some(7)]]);
}
