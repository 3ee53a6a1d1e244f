//! Operators around tables that keep one row per key, against naive models.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef};
use proptest::prelude::*;

use super::Operator;
use super::normalize::{Normalize, NormalizeSpec};
use super::upsert_materialize::{UpsertMaterialize, UpsertMaterializeSpec};
use crate::change::{ChangeBatch, RowKind};
use crate::types::{Field, LogicalType, Schema, Type};

/// Key, value, and a column that nobody reads.
fn schema() -> SchemaRef {
    let field = |name: &str| Field::new(name, Type::nullable(LogicalType::BigInt));
    Schema::new(vec![field("k"), field("v"), field("unread")]).to_arrow()
}

fn batch(rows: &[(RowKind, i64, Option<i64>)]) -> ChangeBatch {
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)));
    let values: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>());
    let unread: ArrayRef = Arc::new(Int64Array::from(vec![None; rows.len()]));
    let batch = RecordBatch::try_new(schema(), vec![keys, values, unread]).unwrap();
    ChangeBatch::with_kinds(batch, rows.iter().map(|row| row.0).collect())
}

fn rows(batches: &[ChangeBatch]) -> Vec<(RowKind, i64, Option<i64>)> {
    let row = |batch: &ChangeBatch, row: usize| {
        let column = |index: usize| batch.rows.column(index).as_primitive::<Int64Type>().clone();
        let value = column(1);
        (batch.kind(row), column(0).value(row), value.is_valid(row).then(|| value.value(row)))
    };
    batches.iter().flat_map(|batch| (0..batch.len()).map(|at| row(batch, at)).collect::<Vec<_>>()).collect()
}

fn normalize(ttl_ms: i64) -> Normalize {
    Normalize::new(NormalizeSpec { keys: vec![0], columns: vec![0, 1], schema: schema(), ttl_ms }).unwrap()
}

fn materialize() -> UpsertMaterialize {
    UpsertMaterialize::new(&UpsertMaterializeSpec { keys: vec![0], schema: schema(), ttl_ms: 0 }).unwrap()
}

fn given(operator: &mut dyn Operator, changes: &[(RowKind, i64, Option<i64>)]) -> Vec<(RowKind, i64, Option<i64>)> {
    let mut out: Vec<ChangeBatch> = Vec::new();
    operator.process(0, batch(changes), &mut out).unwrap();
    rows(&out)
}

/// A fresh operator with the state of this one.
fn restored(mut from: Box<dyn Operator>, mut to: Box<dyn Operator>) -> Box<dyn Operator> {
    to.restore(from.snapshot().unwrap().unwrap()).unwrap();
    assert_eq!(from.size().rows, to.size().rows);
    to
}

use RowKind::{Delete as D, Insert as I, UpdateAfter as UA, UpdateBefore as UB};

#[test]
fn rows_that_replace_each_other_become_updates() {
    let mut operator = normalize(0);
    let changes = [(I, 1, Some(1)), (I, 2, Some(2)), (I, 1, Some(3)), (I, 1, Some(3)), (D, 2, None), (D, 9, None)];
    let expected = [(I, 1, Some(1)), (I, 2, Some(2)), (UB, 1, Some(1)), (UA, 1, Some(3)), (D, 2, Some(2))];
    assert_eq!(given(&mut operator, &changes), expected);
    assert_eq!(operator.size().rows, 1);
    assert_eq!(given(&mut operator, &[(I, 2, None)]), [(I, 2, None)], "after its deletion a key is new");
}

#[test]
fn forgotten_keys_are_new_again_and_equal_rows_keep_them() {
    let mut operator = normalize(100);
    operator.expire(0);
    given(&mut operator, &[(I, 1, Some(1)), (I, 2, Some(2))]);
    operator.expire(60);
    assert_eq!(given(&mut operator, &[(I, 1, Some(1))]), [(UB, 1, Some(1)), (UA, 1, Some(1))]);
    operator.expire(120);
    assert_eq!(operator.size().rows, 1, "key 2 was not touched");
    assert_eq!(given(&mut operator, &[(I, 2, Some(2))]), [(I, 2, Some(2))]);
}

#[test]
fn the_row_that_came_last_is_the_one_of_its_key() {
    let mut operator = materialize();
    let changes =
        [(I, 1, Some(1)), (I, 1, Some(2)), (D, 1, Some(1)), (I, 1, Some(3)), (UB, 1, Some(3)), (D, 1, Some(2))];
    let expected = [(I, 1, Some(1)), (UA, 1, Some(2)), (UA, 1, Some(3)), (UA, 1, Some(2)), (D, 1, Some(2))];
    assert_eq!(given(&mut operator, &changes), expected);
    assert_eq!(operator.size().rows, 0);
    assert_eq!(given(&mut operator, &[(D, 1, Some(7))]), []);
}

proptest! {
    /// The table that the changelog describes is the one that upserts make; what is taken back is there.
    #[test]
    fn normalized_changes_describe_the_table(
        steps in prop::collection::vec((0_i64..4, prop::option::of(0_i64..3)), 1..60),
        size in 1_usize..7,
        break_at in 0_usize..60,
    ) {
        let mut operator: Box<dyn Operator> = Box::new(normalize(0));
        let (mut model, mut table) = (BTreeMap::new(), BTreeMap::new());
        for (number, chunk) in steps.chunks(size).enumerate() {
            if number == break_at {
                operator = restored(operator, Box::new(normalize(0)));
            }
            let changes: Vec<_> =
                chunk.iter().map(|(key, value)| (if value.is_some() { I } else { D }, *key, *value)).collect();
            for (key, value) in chunk {
                match value {
                    Some(value) => drop(model.insert(*key, Some(*value))),
                    None => drop(model.remove(key)),
                }
            }
            for (kind, key, value) in given(&mut *operator, &changes) {
                if kind.is_accumulate() {
                    prop_assert_eq!(table.insert(key, value), None);
                } else {
                    prop_assert_eq!(table.remove(&key), Some(value));
                }
            }
            prop_assert_eq!(&table, &model);
        }
    }

    /// The sink holds a row of each key that has rows, and it is the last of them.
    #[test]
    fn materialized_changes_hold_the_last_row(
        steps in prop::collection::vec((0_i64..3, 0_i64..4, any::<bool>()), 1..60),
        size in 1_usize..7,
        break_at in 0_usize..60,
    ) {
        let mut operator: Box<dyn Operator> = Box::new(materialize());
        let (mut model, mut sink): (BTreeMap<i64, Vec<i64>>, BTreeMap<i64, i64>) = Default::default();
        for (number, chunk) in steps.chunks(size).enumerate() {
            if number == break_at {
                operator = restored(operator, Box::new(materialize()));
            }
            let mut changes = Vec::new();
            for (key, value, adds) in chunk {
                let rows = model.entry(*key).or_default();
                if *adds {
                    rows.push(*value);
                    changes.push((I, *key, Some(*value)));
                } else if let Some(at) = rows.iter().position(|row| row == value) {
                    rows.remove(at);
                    changes.push((D, *key, Some(*value)));
                }
            }
            for (kind, key, value) in given(&mut *operator, &changes) {
                match kind {
                    D => drop(sink.remove(&key)),
                    _ => drop(sink.insert(key, value.unwrap())),
                }
            }
            let last: BTreeMap<i64, i64> =
                model.iter().filter_map(|(key, rows)| Some((*key, *rows.last()?))).collect();
            prop_assert_eq!(&sink, &last);
        }
    }
}
