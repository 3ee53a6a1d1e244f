#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Calls over constants: what each gives, as text.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, Int32Builder, ListArray, MapBuilder, MapFieldNames, StringArray, StringBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;

use super::resolve_table;
use crate::function::{Argument, EvalContext, ResolveError};
use crate::types::{Field, LogicalType, Type};

fn text(value: &str) -> (LogicalType, ScalarValue) {
    (LogicalType::String, ScalarValue::from(value))
}

fn number(value: i64) -> (LogicalType, ScalarValue) {
    (LogicalType::BigInt, ScalarValue::from(value))
}

fn int(value: i32) -> (LogicalType, ScalarValue) {
    (LogicalType::Int, ScalarValue::from(value))
}

/// The rows that one call gives for one row, fields parted by a bar.
fn rows(name: &str, args: Vec<(LogicalType, ScalarValue)>) -> String {
    let arguments: Vec<Argument> =
        args.iter().map(|(ty, _)| Argument { ty: Type::nullable(ty.clone()), literal: None }).collect();
    let function = resolve_table(name, &arguments).unwrap();
    let values: Vec<ColumnarValue> = args.into_iter().map(|(_, value)| ColumnarValue::Scalar(value)).collect();
    let made = match function.call(&values, 1, EvalContext::default()) {
        Ok(made) => made,
        Err(error) => return format!("error: {error}"),
    };
    for (column, field) in made.columns.iter().zip(function.columns()) {
        assert_eq!(column.data_type(), &field.ty.logical.to_arrow(), "{name}.{}", field.name);
        assert_eq!(column.len(), made.parents.len());
    }
    let options = FormatOptions::new().with_null("NULL");
    let shown: Vec<ArrayFormatter> =
        made.columns.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |row: usize| shown.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|");
    (0..made.parents.len()).map(row).collect::<Vec<_>>().join(" ")
}

#[test]
fn texts_are_split_into_rows() {
    assert_eq!(rows("SPLIT_TO_ROWS", vec![text("a,,b"), text(",")]), "a|1 |2 b|3");
    assert_eq!(rows("SPLIT_TO_ROWS", vec![text("añ"), text("")]), "a|1 ñ|2");
    assert_eq!(rows("SPLIT_TO_ROWS", vec![text(""), text(",")]), "");
    assert_eq!(rows("REGEXP_TO_ROWS", vec![text("a1b22"), text("[0-9]+")]), "1|1 22|2");
    assert_eq!(rows("REGEXP_TO_ROWS", vec![text("k=v;x=y"), text("(\\w)=(\\w)"), int(2)]), "v|1 y|2");
    assert_eq!(rows("REGEXP_TO_ROWS", vec![text("a"), text("(")]), "");
    assert_eq!(rows("CSV_TO_ROWS", vec![text("a,\"b,c\"\n1,\"x\"\"y\"\n")]), "[a, b,c]|1 [1, x\"y]|2");
    assert_eq!(rows("CSV_TO_ROWS", vec![text("a;b"), text(";")]), "[a, b]|1");
    assert!(rows("CSV_TO_ROWS", vec![text("a"), text("--")]).starts_with("error: "));
}

#[test]
fn series_have_an_end() {
    assert_eq!(rows("GENERATE_SERIES", vec![number(1), number(3)]), "1 2 3");
    assert_eq!(rows("GENERATE_SERIES", vec![number(5), number(1), number(-2)]), "5 3 1");
    assert_eq!(rows("GENERATE_SERIES", vec![number(i64::MAX - 1), number(i64::MAX)]).split(' ').count(), 2);
    assert_eq!(rows("GENERATE_SERIES", vec![number(3), number(1)]), "");
    assert!(rows("GENERATE_SERIES", vec![number(1), number(2), number(0)]).contains("step"));
    assert!(rows("GENERATE_SERIES", vec![number(i64::MIN), number(i64::MAX)]).contains("more than"));
}

#[test]
fn unknown_functions_are_told_the_nearest() {
    let unknown = resolve_table("SPLIT_TO_ROW", &[]).unwrap_err();
    assert_eq!(unknown, ResolveError::UnknownFunction { suggestion: Some("SPLIT_TO_ROWS".to_owned()) });
    assert!(matches!(resolve_table("split_to_rows", &[]), Err(ResolveError::WrongArguments { .. })));
}

#[test]
fn a_multiset_gives_its_elements_as_often_as_it_has_them() {
    let names = MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut counts = MapBuilder::new(Some(names), StringBuilder::new(), Int32Builder::new());
    for (element, count) in [("a", 2), ("b", 1), ("c", 0)] {
        counts.keys().append_value(element);
        counts.values().append_value(count);
    }
    counts.append(true).unwrap();
    let ty = LogicalType::Multiset(Box::new(Type::not_null(LogicalType::String)));
    let value = ScalarValue::try_from_array(&counts.finish(), 0).unwrap();
    assert_eq!(rows("UNNEST", vec![(ty.clone(), value.clone())]), "a a b");
    assert_eq!(rows("UNNEST WITH ORDINALITY", vec![(ty, value)]), "a|1 a|2 b|3");
}

#[test]
fn rows_in_an_array_give_their_fields() {
    let fields = vec![
        Field::new("sku", Type::nullable(LogicalType::String)),
        Field::new("qty", Type::nullable(LogicalType::Int)),
    ];
    let row = LogicalType::Row(fields);
    let ty = LogicalType::Array(Box::new(Type::nullable(row.clone())));
    let DataType::Struct(columns) = row.to_arrow() else { panic!("no row") };
    let values: Vec<ArrayRef> =
        vec![Arc::new(StringArray::from(vec!["s1", "hidden"])), Arc::new(Int32Array::from(vec![None, Some(9)]))];
    let rows_array = StructArray::new(columns, values, Some(vec![true, false].into()));
    let DataType::List(item) = ty.to_arrow() else { panic!("no array") };
    let lists = ListArray::new(item, OffsetBuffer::from_lengths([2]), Arc::new(rows_array), None);
    let value = ScalarValue::try_from_array(&lists, 0).unwrap();
    assert_eq!(rows("UNNEST", vec![(ty, value)]), "s1|NULL NULL|NULL");
}

#[test]
fn json_becomes_rows() {
    assert_eq!(rows("JSON_ARRAY_TO_ROWS", vec![text("[1,\"a\",null,{\"b\":[]}]")]), "1|1 a|2 NULL|3 {\"b\":[]}|4");
    assert_eq!(rows("JSON_ARRAY_TO_ROWS", vec![text("{\"x\":[true]}"), text("$.x")]), "true|1");
    assert_eq!(rows("JSON_ARRAY_TO_ROWS", vec![text("{}")]), "");
    assert_eq!(rows("JSON_OBJECT_TO_ROWS", vec![text("{\"b\":1,\"a\":null}")]), "b|1 a|NULL");
    assert_eq!(rows("JSON_OBJECT_TO_ROWS", vec![text("no json")]), "");
}
