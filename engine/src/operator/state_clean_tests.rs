//! Conditions that free state, against models that keep all rows.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;

use super::{CleanTest, GroupAggregate, GroupAggregateSpec, GroupCleaner, Join, JoinSpec, Operator};
use crate::change::{ChangeBatch, RowKind};
use crate::expr::{Expr, ExprKind, Value};
use crate::function::{Argument, EvalContext, resolve_scalar};
use crate::plan::logical::{AggregateCall, AggregateFunction, JoinKey, JoinKind};
use crate::state::{StateHome, StateOptions, StatePlace, hashes_of};
use crate::types::{Field, LogicalType, Schema, Type};

/// Key, value, and whether the state of its key ends with it.
type Row = (i64, i64, Option<bool>);

type Results = Vec<Vec<i64>>;

fn bigint() -> Type {
    Type::nullable(LogicalType::BigInt)
}

fn input() -> Schema {
    let flag = Field::new("done", Type::nullable(LogicalType::Boolean));
    Schema::new(vec![Field::new("k", bigint()), Field::new("v", bigint()), flag])
}

fn batch(rows: &[(RowKind, Row)]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, row)| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, row)| row.1))),
        Arc::new(rows.iter().map(|(_, row)| row.2).collect::<BooleanArray>()),
    ];
    let kinds = rows.iter().map(|(kind, _)| *kind).collect();
    ChangeBatch::with_kinds(RecordBatch::try_new(input().to_arrow(), columns).unwrap(), kinds)
}

/// `k, COUNT(*), SUM(v)`
fn output() -> Schema {
    Schema::new(["k", "n", "s"].map(|name| Field::new(name, bigint())).to_vec())
}

fn aggregate(clean: GroupCleaner) -> GroupAggregate {
    let call = |function, args: &[usize]| AggregateCall {
        function,
        args: args.to_vec(),
        distinct: false,
        filter: None,
        constants: Vec::new(),
        return_type: bigint(),
        user: None,
    };
    let spec = GroupAggregateSpec {
        group: vec![0],
        calls: vec![call(AggregateFunction::Count, &[]), call(AggregateFunction::Sum, &[1])],
        input: input().to_arrow(),
        output: output().to_arrow(),
        retracts: true,
        ttl_ms: 0,
        at_end: false,
    };
    GroupAggregate::new(spec).unwrap().with_clean(Some(clean))
}

/// `$column >= number`
fn at_least(column: usize, number: i64) -> Expr {
    let number = Expr::literal(Value::big_int(number), Type::not_null(LogicalType::BigInt));
    let args = vec![Expr::column(column, bigint()), number];
    let arguments: Vec<Argument> = args.iter().map(|arg| Argument { ty: arg.ty.clone(), literal: None }).collect();
    let function = resolve_scalar(">=", &arguments).unwrap_or_else(|_| panic!("a comparison"));
    let ty = function.return_type.clone();
    Expr { kind: ExprKind::Call { function: Arc::new(function), args }, ty, span: None }
}

fn apply(table: &mut Vec<Vec<i64>>, changes: &[ChangeBatch]) {
    for change in changes {
        let columns: Vec<&Int64Array> =
            change.rows.columns().iter().map(|column| column.as_primitive::<Int64Type>()).collect();
        for row in 0..change.len() {
            let values: Vec<i64> = columns.iter().map(|column| column.value(row)).collect();
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

/// Rows, some of them taken back while their key goes on.
fn changes() -> impl Strategy<Value = Vec<(RowKind, Row)>> {
    let flag = prop_oneof![1 => Just(Some(true)), 4 => Just(Some(false)), 1 => Just(None)];
    let step = ((0_i64..3, -5_i64..5, flag), any::<u16>(), 0_u8..4);
    proptest::collection::vec(step, 1..60).prop_map(|steps| {
        let (mut live, mut changes): (Vec<Row>, Vec<(RowKind, Row)>) = Default::default();
        for (row, pick, what) in steps {
            if what == 0 && !live.is_empty() {
                let gone = live.remove(usize::from(pick) % live.len());
                changes.push((RowKind::UpdateBefore, gone));
                continue;
            }
            changes.push((RowKind::Insert, row));
            // What came before the end of its key is not taken back: it is not known any more.
            if row.2 == Some(true) {
                live.retain(|held| held.0 != row.0);
            } else {
                live.push(row);
            }
        }
        changes
    })
}

/// Rows in each key's state, and the results of states that ended.
fn model(changes: &[(RowKind, Row)]) -> Vec<Vec<i64>> {
    let (mut open, mut results): (BTreeMap<i64, Vec<i64>>, Vec<Vec<i64>>) = Default::default();
    let result = |key: i64, values: &[i64]| vec![key, values.len() as i64, values.iter().sum()];
    for (kind, (key, value, ends)) in changes {
        let values = open.entry(*key).or_default();
        if !kind.is_accumulate() {
            let at = values.iter().position(|held| held == value).unwrap();
            values.remove(at);
            continue;
        }
        values.push(*value);
        if *ends == Some(true) {
            results.push(result(*key, values));
            values.clear();
        }
    }
    let rest = open.iter().filter(|(_, values)| !values.is_empty());
    results.extend(rest.map(|(key, values)| result(*key, values)));
    results.sort();
    results
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_group_starts_anew_behind_the_row_that_ends_it(changes in changes(), size in 1_usize..9) {
        let mut operator = aggregate(GroupCleaner::Row(2));
        let mut table = Vec::new();
        for rows in changes.chunks(size) {
            let mut out: Vec<ChangeBatch> = Vec::new();
            operator.process(0, batch(rows), &mut out).unwrap();
            apply(&mut table, &out);
            // As in any restart: what is forgotten stays forgotten.
            let state = operator.snapshot().unwrap().unwrap();
            operator = aggregate(GroupCleaner::Row(2));
            operator.restore(state).unwrap();
        }
        prop_assert_eq!(table, model(&changes));
    }

    #[test]
    fn a_join_does_not_keep_rows_of_which_the_condition_is_true(
        rows in proptest::collection::vec((0_usize..2, (0_i64..3, 0_i64..4, proptest::option::of(any::<bool>()))), 1..40),
    ) {
        let mut operator = join();
        let (mut kept, mut expected, mut table): ([Vec<Row>; 2], Results, Results) = Default::default();
        for (side, row) in rows {
            let mut out: Vec<ChangeBatch> = Vec::new();
            operator.process(side, batch(&[(RowKind::Insert, row)]), &mut out).unwrap();
            apply(&mut table, &out.iter().map(values_only).collect::<Vec<_>>());
            let other = kept[1 - side].iter().filter(|other| other.0 == row.0);
            let pairs = other.map(|other| if side == 0 { (row, *other) } else { (*other, row) });
            expected.extend(pairs.map(|(left, right)| vec![left.0, left.1, right.0, right.1]));
            // Left rows go by their flag, right ones by their value.
            let goes = if side == 0 { row.2 == Some(true) } else { row.1 >= 3 };
            if !goes {
                kept[side].push(row);
            }
        }
        expected.sort();
        prop_assert_eq!(table, expected);
        let distinct = |rows: &[Row]| rows.iter().collect::<std::collections::BTreeSet<_>>().len() as u64;
        prop_assert_eq!(operator.size().rows, distinct(&kept[0]) + distinct(&kept[1]));
    }
}

fn join() -> Join {
    let both: Vec<Field> = input().fields.iter().chain(&input().fields).cloned().collect();
    let spec = JoinSpec {
        kind: JoinKind::Inner,
        keys: vec![JoinKey { left: 0, right: 0, null_safe: false }],
        condition: None,
        left: input().to_arrow(),
        right: input().to_arrow(),
        output: Schema::new(both).to_arrow(),
        ttl_ms: [0; 2],
        at_end: false,
    };
    let test = |expr: &Expr| Some(CleanTest::new(expr, &input(), EvalContext::default()).unwrap());
    let flag = Expr::column(2, Type::nullable(LogicalType::Boolean));
    Join::new(spec).unwrap().with_clean([test(&flag), test(&at_least(1, 3))])
}

/// Without the flags.
fn values_only(batch: &ChangeBatch) -> ChangeBatch {
    let rows = batch.rows.project(&[0, 1, 3, 4]).unwrap();
    ChangeBatch { rows, kinds: batch.kinds.clone() }
}

#[test]
fn a_group_goes_when_its_results_say_so() {
    let test = CleanTest::new(&at_least(1, 2), &output(), EvalContext::default()).unwrap();
    let mut operator = aggregate(GroupCleaner::Result(test));
    let mut table = Vec::new();
    let mut add = |key, value| {
        let mut out: Vec<ChangeBatch> = Vec::new();
        operator.process(0, batch(&[(RowKind::Insert, (key, value, None))]), &mut out).unwrap();
        apply(&mut table, &out);
        operator.size().rows
    };
    assert_eq!([add(1, 5), add(2, 7), add(1, 6)], [1, 2, 1], "the second row of a group is its last");
    assert_eq!(add(1, 9), 2);
    assert_eq!(table, [vec![1, 1, 9], vec![1, 2, 11], vec![2, 1, 7]]);
}

/// `CURRENT_TIMESTAMP IS NOT NULL`: a condition that is looked at again without any row, and is TRUE then.
fn always() -> Expr {
    let now = resolve_scalar("CURRENT_TIMESTAMP", &[]).unwrap_or_else(|_| panic!("the time"));
    let ty = now.return_type.clone();
    let now = Expr { kind: ExprKind::Call { function: Arc::new(now), args: Vec::new() }, ty: ty.clone(), span: None };
    let present = resolve_scalar("IS NOT NULL", &[Argument { ty, literal: None }]).unwrap_or_else(|_| panic!("a test"));
    let ty = present.return_type.clone();
    let test = Expr { kind: ExprKind::Call { function: Arc::new(present), args: vec![now] }, ty, span: None };
    assert!(test.is_volatile());
    test
}

fn join_that_always_cleans(join: Join) -> Join {
    join.with_clean([Some(CleanTest::new(&always(), &input(), EvalContext::default()).unwrap()), None])
}

fn groups_that_always_clean(groups: GroupAggregate) -> GroupAggregate {
    let test = CleanTest::new(&always(), &output(), EvalContext::default()).unwrap();
    groups.with_clean(Some(GroupCleaner::Result(test)))
}

#[test]
fn a_condition_on_the_time_is_looked_at_again() {
    let mut side = join();
    side.process(0, batch(&[(RowKind::Insert, (1, 1, None))]), &mut Vec::new()).unwrap();
    let mut side = join_that_always_cleans(side);
    assert_eq!(side.size().rows, 1);
    side.sweep().unwrap();
    assert_eq!(side.size().rows, 0);
    let mut groups = aggregate(GroupCleaner::Row(2));
    groups.process(0, batch(&[(RowKind::Insert, (1, 1, None))]), &mut Vec::new()).unwrap();
    let mut groups = groups_that_always_clean(groups);
    assert_eq!(groups.size().rows, 1);
    groups.sweep().unwrap();
    assert_eq!(groups.size().rows, 0);
}

/// What is on disk only has its turn as well.
#[test]
fn a_condition_on_the_time_reaches_what_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let fill = |operator: &mut dyn Operator, name: &str| {
        let directory = Some(folder.path().join(name));
        let memory = StateOptions {
            memory: Some(4000),
            whole_below: 0,
            flush_bytes: 500,
            inline: true,
            directory,
            ..StateOptions::default()
        };
        operator.attach(StatePlace { home: StateHome::new(memory), hashes: hashes_of(0, 1) });
        for key in 0..600 {
            operator.process(0, batch(&[(RowKind::Insert, (key, 1, None))]), &mut Vec::new()).unwrap();
        }
        let size = operator.size();
        assert!(size.rows >= 600 && size.bytes < 40_000, "{size:?}");
    };
    let (mut side, mut groups) = (join(), aggregate(GroupCleaner::Row(2)));
    fill(&mut side, "join");
    fill(&mut groups, "groups");
    let (mut side, mut groups) = (join_that_always_cleans(side), groups_that_always_clean(groups));
    side.sweep().unwrap();
    groups.sweep().unwrap();
    assert_eq!((side.size().rows, groups.size().rows), (0, 0));
}
