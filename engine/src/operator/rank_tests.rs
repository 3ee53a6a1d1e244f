//! Top-N and its relatives against a model that sorts the live rows anew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;

use super::{
    FirstRow, FirstRowSpec, NumberColumn, Operator, Rank, RankSpec, TimeSort, TimeSortSpec, WindowRank, WindowRankSpec,
};
use crate::change::{ChangeBatch, RowKind};
use crate::plan::logical::SortKey;
use crate::types::{Field, LogicalType, Schema, Type};

/// Key, value, and a number that no other row has.
type Row = (i64, i64, i64);

fn schema(numbered: bool) -> Schema {
    let field = |name: &str, ty| Field::new(name, Type::nullable(ty));
    let mut fields = vec![
        field("k", LogicalType::BigInt),
        field("v", LogicalType::BigInt),
        field("id", LogicalType::BigInt),
        field("ts", LogicalType::Timestamp(3)),
    ];
    if numbered {
        fields.push(field("rn", LogicalType::BigInt));
    }
    Schema::new(fields)
}

/// The value is the event time as well.
fn batch(rows: &[(RowKind, Row)]) -> ChangeBatch {
    let column = |value: fn(&Row) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, row)| value(row))))
    };
    let times = TimestampMillisecondArray::from_iter_values(rows.iter().map(|(_, row)| row.1));
    let columns = vec![column(|row| row.0), column(|row| row.1), column(|row| row.2), Arc::new(times) as ArrayRef];
    let all = RecordBatch::try_new(schema(false).to_arrow(), columns).unwrap();
    ChangeBatch::with_kinds(all, rows.iter().map(|(kind, _)| *kind).collect())
}

fn descending() -> Vec<SortKey> {
    vec![SortKey { column: 1, ascending: false, nulls_first: false }]
}

fn rank(from: u64, to: u64, number: NumberColumn, by_place: bool, retracts: bool, at_end: bool) -> Rank {
    Rank::new(RankSpec {
        partition: vec![0],
        sort: descending(),
        from,
        to,
        number,
        latest_first: false,
        by_place,
        input: schema(false).to_arrow(),
        output: schema(true).to_arrow(),
        retracts,
        ttl_ms: 0,
        at_end,
    })
    .unwrap()
}

/// Key, value, id and number of every row; what is taken back must be there.
fn apply(table: &mut Vec<[i64; 4]>, changes: &[ChangeBatch]) {
    for change in changes {
        for row in 0..change.len() {
            let value = |column: usize| {
                let column = change.rows.column(column).as_primitive::<Int64Type>();
                if column.is_valid(row) { column.value(row) } else { 0 }
            };
            let values = [value(0), value(1), value(2), value(4)];
            if change.kind(row).is_accumulate() {
                table.push(values);
            } else {
                let at = table.iter().position(|held| *held == values);
                table.remove(at.unwrap_or_else(|| panic!("{values:?} is taken back, but only {table:?} is there")));
            }
        }
    }
    table.sort_unstable();
}

fn model(live: &[Row], from: u64, to: u64, numbered: bool) -> Vec<[i64; 4]> {
    let mut by_key: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    live.iter().for_each(|row| by_key.entry(row.0).or_default().push(*row));
    let mut rows = Vec::new();
    for of_key in by_key.values_mut() {
        of_key.sort_by_key(|row| -row.1);
        for (place, row) in of_key.iter().enumerate() {
            let number = place as u64 + 1;
            if (from..=to).contains(&number) {
                rows.push([row.0, row.1, row.2, if numbered { number as i64 } else { 0 }]);
            }
        }
    }
    rows.sort_unstable();
    rows
}

fn changelog(retracts: bool) -> impl Strategy<Value = Vec<Vec<(RowKind, Row)>>> {
    let step = (0_i64..3, 0_i64..6, any::<u16>(), 0_u8..3);
    (proptest::collection::vec(step, 1..60), 1_usize..5).prop_map(move |(steps, size)| {
        let (mut live, mut changes): (Vec<Row>, Vec<(RowKind, Row)>) = Default::default();
        for (id, (key, value, pick, what)) in steps.into_iter().enumerate() {
            if retracts && what == 0 && !live.is_empty() {
                changes.push((RowKind::Delete, live.remove(usize::from(pick) % live.len())));
            } else {
                live.push((key, value, id as i64));
                changes.push((RowKind::Insert, (key, value, id as i64)));
            }
        }
        changes.chunks(size).map(<[_]>::to_vec).collect()
    })
}

fn follow(live: &mut Vec<Row>, changes: &[(RowKind, Row)]) {
    for (kind, row) in changes {
        if kind.is_accumulate() {
            live.push(*row);
        } else {
            live.retain(|held| held != row);
        }
    }
}

proptest! {
    #[test]
    fn the_first_rows_of_each_key_are_kept_up_to_date(
        batches in changelog(true),
        (from, to) in prop_oneof![Just((1_u64, 1_u64)), Just((1, 3)), Just((2, 3)), Just((1, 0))],
        numbered in any::<bool>(),
        cut in 0_usize..20,
    ) {
        let number = if numbered { NumberColumn::Given } else { NumberColumn::Unread };
        let fresh = || rank(from, to, number, numbered || from > 1, true, false);
        let (mut operator, mut table, mut live) = (fresh(), Vec::new(), Vec::new());
        for (index, rows) in batches.iter().enumerate() {
            if index == cut {
                let state = operator.snapshot().unwrap().unwrap();
                operator = fresh();
                operator.restore(state).unwrap();
            }
            let mut out: Vec<ChangeBatch> = Vec::new();
            operator.process(0, batch(rows), &mut out).unwrap();
            apply(&mut table, &out);
            follow(&mut live, rows);
            prop_assert_eq!(&table, &model(&live, from, to, numbered));
            prop_assert_eq!(operator.size().rows, live.len() as u64);
        }
    }

    #[test]
    fn without_retraction_only_rows_that_can_count_are_kept(batches in changelog(false), at_end in any::<bool>()) {
        let mut operator = rank(1, 2, NumberColumn::Given, true, false, at_end);
        let (mut table, mut live) = (Vec::new(), Vec::new());
        let mut out: Vec<ChangeBatch> = Vec::new();
        for rows in &batches {
            operator.process(0, batch(rows), &mut out).unwrap();
            follow(&mut live, rows);
        }
        prop_assert!(operator.size().rows <= 6);
        operator.end(&mut out).unwrap();
        apply(&mut table, &out);
        prop_assert_eq!(table, model(&live, 1, 2, true));
    }

    #[test]
    fn the_first_row_of_a_key_is_the_earliest_that_is_not_late(
        rows in proptest::collection::vec((0_i64..3, 0_i64..40, 0_i64..6), 1..50),
        cut in 0_usize..50,
    ) {
        let fresh = || FirstRow::new(FirstRowSpec {
            keys: vec![0],
            time_column: 3,
            input: schema(false).to_arrow(),
            number: NumberColumn::Unread,
            output: schema(true).to_arrow(),
            ttl_ms: 0,
        }).unwrap();
        let mut operator = fresh();
        let mut firsts: BTreeMap<i64, (Row, bool)> = BTreeMap::new();
        let (mut out, mut watermark): (Vec<ChangeBatch>, i64) = (Vec::new(), i64::MIN);
        for (id, (key, time, delay)) in rows.iter().enumerate() {
            if id == cut {
                let state = operator.snapshot().unwrap().unwrap();
                operator = fresh();
                operator.restore(state).unwrap();
                operator.watermark(watermark, &mut out).unwrap();
            }
            let row = (*key, *time, id as i64);
            if *time > watermark {
                let first = firsts.entry(*key).or_insert((row, false));
                if !first.1 && row.1 < first.0.1 {
                    first.0 = row;
                }
            }
            operator.process(0, batch(&[(RowKind::Insert, row)]), &mut out).unwrap();
            watermark = watermark.max(time - delay);
            operator.watermark(watermark, &mut out).unwrap();
            firsts.values_mut().for_each(|first| first.1 |= first.0.1 <= watermark);
        }
        operator.watermark(i64::MAX, &mut out).unwrap();
        prop_assert!(out.iter().all(|batch| batch.kinds.is_none()));
        let mut table = Vec::new();
        apply(&mut table, &out);
        let wanted: Vec<[i64; 4]> = firsts.values().map(|((key, time, id), _)| [*key, *time, *id, 0]).collect();
        prop_assert_eq!(table, wanted);
    }

    #[test]
    fn rows_leave_a_sort_by_time_in_order_and_none_behind_another(
        rows in proptest::collection::vec((0_i64..40, 0_i64..6), 1..50),
        cut in 0_usize..50,
    ) {
        let sort = vec![SortKey { column: 3, ascending: true, nulls_first: true }];
        let fresh = || {
            let schema = schema(false).to_arrow();
            TimeSort::new(TimeSortSpec { sort: sort.clone(), time_column: 3, schema }).unwrap()
        };
        let mut operator = fresh();
        let (mut out, mut watermark): (Vec<ChangeBatch>, i64) = (Vec::new(), i64::MIN);
        let (mut wanted, mut waiting) = (Vec::<(i64, i64)>::new(), Vec::<(i64, i64)>::new());
        for (id, (time, delay)) in rows.iter().enumerate() {
            if id == cut {
                let state = operator.snapshot().unwrap().unwrap();
                operator = fresh();
                operator.restore(state).unwrap();
            }
            if wanted.last().is_none_or(|(last, _)| time > last) {
                waiting.push((*time, id as i64));
            }
            operator.process(0, batch(&[(RowKind::Insert, (0, *time, id as i64))]), &mut out).unwrap();
            watermark = watermark.max(time - delay);
            operator.watermark(watermark, &mut out).unwrap();
            waiting.sort_unstable();
            let ripe = waiting.iter().take_while(|(time, _)| *time <= watermark).count();
            wanted.extend(waiting.drain(..ripe));
        }
        operator.watermark(i64::MAX, &mut out).unwrap();
        wanted.append(&mut waiting);
        let column = |batch: &ChangeBatch, column: usize| batch.rows.column(column).as_primitive::<Int64Type>().values().to_vec();
        let given: Vec<(i64, i64)> =
            out.iter().flat_map(|batch| column(batch, 1).into_iter().zip(column(batch, 2))).collect();
        prop_assert_eq!(given, wanted);
    }
}

#[test]
fn a_window_gives_its_first_rows_once_also_after_a_restore() {
    let fresh = || {
        WindowRank::new(WindowRankSpec {
            partition: vec![0],
            end: 3,
            zone: None,
            sort: descending(),
            from: 1,
            to: 2,
            number: NumberColumn::Given,
            latest_first: false,
            input: schema(false).to_arrow(),
            output: schema(true).to_arrow(),
        })
        .unwrap()
    };
    // The time column stands for the end of the window: windows end at 10 and 20.
    let row = |key: i64, value: i64, id: i64, end: i64| {
        let column = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        let ends = Arc::new(TimestampMillisecondArray::from(vec![end])) as ArrayRef;
        let columns = vec![column(key), column(value), column(id), ends];
        ChangeBatch::inserts(RecordBatch::try_new(schema(false).to_arrow(), columns).unwrap())
    };
    let (mut operator, mut out) = (fresh(), Vec::new());
    for (key, value, id, end) in [(1, 5, 1, 10), (1, 7, 2, 10), (1, 6, 3, 10), (2, 1, 4, 10), (1, 9, 5, 20)] {
        operator.process(0, row(key, value, id, end), &mut out).unwrap();
    }
    assert!(out.is_empty());
    let state = operator.snapshot().unwrap().unwrap();
    let mut operator = fresh();
    operator.restore(state).unwrap();
    operator.watermark(8, &mut out).unwrap();
    assert!(out.is_empty());
    operator.watermark(9, &mut out).unwrap();
    let mut table = Vec::new();
    apply(&mut table, &out);
    assert_eq!(table, [[1, 6, 3, 2], [1, 7, 2, 1], [2, 1, 4, 1]]);
    operator.process(0, row(1, 1, 6, 10), &mut out).unwrap();
    assert_eq!((operator.late(), operator.size().rows), (1, 1));
}
