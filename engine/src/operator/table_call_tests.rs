#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Rows of a function beside the rows that it is called for, against a naive join.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListBuilder, RecordBatch};
use arrow::datatypes::{DataType, Field as ArrowField, Int32Type};
use proptest::prelude::*;

use super::{Operator, TableCall};
use crate::change::{ChangeBatch, RowKind};
use crate::expr::Expr;
use crate::function::table::resolve_table;
use crate::function::{Argument, EvalContext};
use crate::types::{Field, LogicalType, Schema, Type};

/// The kind of a row, its id, and its elements.
type Row = (RowKind, i32, Option<Vec<Option<i32>>>);

fn schemas(outer: bool) -> (Schema, Schema) {
    let int = || Type::nullable(LogicalType::Int);
    let array = Type::nullable(LogicalType::Array(Box::new(int())));
    let input = Schema::new(vec![Field::new("id", int()), Field::new("tags", array)]);
    let mut output = input.clone();
    output.fields.push(Field::new("tag", int()));
    output.fields.push(Field::new("pos", Type::new(LogicalType::Int, outer)));
    (input, output)
}

fn batch(rows: &[Row], input: &Schema) -> ChangeBatch {
    let ids: Int32Array = rows.iter().map(|(_, id, _)| Some(*id)).collect();
    let mut lists = ListBuilder::new(Int32Array::builder(0)).with_field(ArrowField::new("item", DataType::Int32, true));
    for (_, _, elements) in rows {
        elements.iter().flatten().for_each(|element| lists.values().append_option(*element));
        lists.append(elements.is_some());
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(lists.finish())];
    let kinds = rows.iter().map(|(kind, ..)| *kind).collect();
    ChangeBatch::with_kinds(RecordBatch::try_new(input.to_arrow(), columns).unwrap(), kinds)
}

fn run(rows: &[Row], outer: bool, passed: &[usize]) -> Vec<ChangeBatch> {
    let (input, output) = schemas(outer);
    let tags = Expr::column(1, input.fields[1].ty.clone());
    let argument = Argument { ty: tags.ty.clone(), literal: None };
    let function = resolve_table("UNNEST WITH ORDINALITY", &[argument]).unwrap();
    let (args, context) = (vec![tags], EvalContext::default());
    let mut operator = TableCall::new(function, &args, passed, outer, &input, output.to_arrow(), context).unwrap();
    let mut out = Vec::new();
    operator.process(0, batch(rows, &input), &mut out).unwrap();
    out
}

type Result = (RowKind, Option<i32>, Option<i32>, Option<i32>);

fn read(out: &[ChangeBatch]) -> Vec<Result> {
    let column = |batch: &ChangeBatch, column: usize, row: usize| {
        let numbers = batch.rows.column(column).as_primitive::<Int32Type>();
        numbers.is_valid(row).then(|| numbers.value(row))
    };
    let rows = |batch: &ChangeBatch| {
        (0..batch.len())
            .map(|row| (batch.kind(row), column(batch, 0, row), column(batch, 2, row), column(batch, 3, row)))
            .collect::<Vec<Result>>()
    };
    out.iter().flat_map(rows).collect()
}

fn naive(rows: &[Row], outer: bool) -> Vec<Result> {
    let mut found = Vec::new();
    for (kind, id, elements) in rows {
        let elements = elements.clone().unwrap_or_default();
        if elements.is_empty() && outer {
            found.push((*kind, Some(*id), None, None));
        }
        for (position, element) in (1..).zip(elements) {
            found.push((*kind, Some(*id), element, Some(position)));
        }
    }
    found
}

fn any_row() -> impl Strategy<Value = Row> {
    let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
    let elements = prop::option::weighted(0.8, prop::collection::vec(prop::option::weighted(0.8, 0..9_i32), 0..5));
    (prop::sample::select(kinds.to_vec()), 0..100_i32, elements)
}

proptest! {
    #[test]
    fn every_element_comes_with_its_row_and_kind(rows in prop::collection::vec(any_row(), 1..40), outer in any::<bool>()) {
        prop_assert_eq!(read(&run(&rows, outer, &[0, 1])), naive(&rows, outer));
    }
}

#[test]
fn large_results_leave_in_pieces_and_in_order() {
    let rows: Vec<Row> = (0..2500).map(|id| (RowKind::Delete, id, Some(vec![Some(1); 9]))).collect();
    let out = run(&rows, true, &[0, 1]);
    assert!(out.iter().all(|batch| batch.len() <= super::CHUNK_ROWS), "a batch is too long");
    assert_eq!(read(&out), naive(&rows, true));
}

#[test]
fn columns_that_nobody_reads_are_null() {
    let rows = vec![(RowKind::Insert, 7, Some(vec![Some(1)]))];
    let out = run(&rows, false, &[0]);
    assert!(out[0].rows.column(1).is_null(0));
    assert_eq!(read(&out), naive(&rows, false));
}
