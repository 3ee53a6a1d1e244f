#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Calls over constants, written as SQL would read: one line, one expected text.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema as ArrowSchema;
use datafusion_common::ScalarValue;

use super::{Argument, ResolveError, resolve_scalar};
use crate::expr::cast::Cast;
use crate::expr::lower::lower;
use crate::expr::{CastMode, Expr, ExprKind, Value};
use crate::function::EvalContext;
use crate::types::{LogicalType, Schema, Type};

fn text(value: &str) -> Expr {
    Expr::literal(Value::string(value), Type::not_null(LogicalType::String))
}

fn int(value: i32) -> Expr {
    Expr::literal(Value::int(value), Type::not_null(LogicalType::Int))
}

fn double(value: f64) -> Expr {
    Expr::literal(Value(ScalarValue::Float64(Some(value))), Type::not_null(LogicalType::Double))
}

fn decimal(unscaled: i128, precision: u8, scale: u8) -> Expr {
    let value = ScalarValue::Decimal128(Some(unscaled), precision, i8::try_from(scale).unwrap());
    Expr::literal(Value(value), Type::not_null(LogicalType::Decimal { precision, scale }))
}

fn null() -> Expr {
    Expr::literal(Value(ScalarValue::Null), Type::nullable(LogicalType::Null))
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    let arguments: Vec<Argument> = args
        .iter()
        .map(|arg| Argument {
            ty: arg.ty.clone(),
            literal: match &arg.kind {
                ExprKind::Literal(value) => Some(value.clone()),
                _ => None,
            },
        })
        .collect();
    let function = resolve_scalar(name, &arguments).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let wanted = function.arg_types.clone();
    let cast =
        |(arg, ty): (Expr, Type)| if arg.ty.logical == ty.logical { arg } else { arg.cast(ty, CastMode::Strict) };
    let args = args.into_iter().zip(wanted).map(cast).collect();
    let ty = function.return_type.clone();
    Expr { kind: ExprKind::Call { function: Arc::new(function), args }, ty, span: None }
}

fn evaluate(expr: &Expr) -> Result<ArrayRef, String> {
    let lowered = lower(expr, &Schema::default()).map_err(|error| error.to_string())?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(ArrowSchema::empty()), Vec::new(), &options).unwrap();
    let value = lowered.evaluate(&batch).map_err(|error| error.to_string())?;
    let array = value.into_array(1).map_err(|error| error.to_string())?;
    assert_eq!(array.data_type(), &expr.ty.logical.to_arrow(), "the type of {expr}");
    Ok(array)
}

/// The value as text, by our own cast.
fn shown(expr: &Expr) -> String {
    let array = match evaluate(expr) {
        Ok(array) => array,
        Err(message) => return format!("error: {message}"),
    };
    if array.is_null(0) {
        return "NULL".to_owned();
    }
    let cast = Cast {
        from: expr.ty.logical.clone(),
        to: LogicalType::String,
        mode: CastMode::Strict,
        context: EvalContext::default(),
    };
    cast.run(&array).unwrap().as_string::<i32>().value(0).to_owned()
}

fn check(name: &str, args: Vec<Expr>, expected: &str) {
    assert_eq!(shown(&call(name, args)), expected, "{name}");
}

#[test]
fn integers_wrap_and_truncate() {
    check("+", vec![int(i32::MAX), int(1)], "-2147483648");
    check("/", vec![int(-7), int(2)], "-3");
    check("MOD", vec![int(-7), int(2)], "-1");
    check("NEGATE", vec![int(i32::MIN)], "-2147483648");
    check("ABS", vec![int(i32::MIN)], "-2147483648");
    assert!(shown(&call("/", vec![int(1), int(0)])).contains("Division by zero"));
}

#[test]
fn floats_follow_ieee() {
    check("/", vec![double(1.0), double(0.0)], "Infinity");
    check("=", vec![double(0.0), double(-0.0)], "TRUE");
    check(">", vec![call("/", vec![double(0.0), double(0.0)]), double(1.0)], "FALSE");
    check("SIGN", vec![double(-2.5)], "-1.0");
}

#[test]
fn a_float_equals_itself_even_as_nan() {
    let nan = || call("/", vec![double(0.0), double(0.0)]);
    check("=", vec![nan(), nan()], "TRUE");
}

#[test]
fn decimals_keep_the_rules_of_precision() {
    let product = call("*", vec![decimal(1025, 10, 2), decimal(33333, 10, 4)]);
    assert_eq!(product.ty.logical, LogicalType::Decimal { precision: 21, scale: 6 });
    assert_eq!(shown(&product), "34.166325");
    let quotient = call("/", vec![decimal(1025, 10, 2), decimal(33333, 10, 4)]);
    assert_eq!(quotient.ty.logical, LogicalType::Decimal { precision: 25, scale: 13 });
    assert_eq!(shown(&quotient), "3.0750307503075");
    check("MOD", vec![decimal(1025, 10, 2), int(3)], "1.25");
}

#[test]
fn a_decimal_that_does_not_fit_is_null() {
    let large = decimal(99_999_999_999_999_999_999_999_999_999_999_999_999, 38, 0);
    check("*", vec![large.clone(), large], "NULL");
}

#[test]
fn rounding_goes_half_up_and_cuts() {
    check("ROUND", vec![double(2.45), int(1)], "2.5");
    check("TRUNCATE", vec![double(-2.45), int(1)], "-2.4");
    check("CEIL", vec![decimal(-245, 6, 2)], "-2");
    check("FLOOR", vec![decimal(-245, 6, 2)], "-3");
    check("TRUNCATE", vec![int(-27), int(-1)], "-20");
}

#[test]
fn text_is_counted_in_characters() {
    check("SUBSTRING", vec![text("añb漢😀c"), int(2), int(3)], "ñb漢");
    check("SUBSTRING", vec![text("abc"), int(0)], "abc");
    check("SUBSTRING", vec![text("abc"), int(-2)], "bc");
    check("POSITION", vec![text("漢"), text("añb漢😀c")], "4");
    check("OVERLAY", vec![text("Hello World"), text("XY"), int(3), int(4)], "HeXYWorld");
    check("LPAD", vec![text("añb"), int(5), text("*-")], "*-añb");
    check("TRIM", vec![text("  x ")], "x");
    check("CONCAT_WS", vec![text("-"), text("a"), null(), text("b")], "a-b");
}

#[test]
fn like_knows_its_escape() {
    check("LIKE", vec![text("a%b"), text("a!%b"), text("!")], "TRUE");
    check("LIKE", vec![text("Banana"), text("_anana")], "TRUE");
    check("LIKE", vec![text("a\nb"), text("a%b")], "TRUE");
    check("LIKE", vec![text("abc"), text("b%")], "FALSE");
}

#[test]
fn a_bad_pattern_gives_null() {
    check("REGEXP_EXTRACT", vec![text("abc"), text("(")], "NULL");
    check("REGEXP_REPLACE", vec![text("a1b"), text("[0-9]"), text("$0")], "a$0b");
    check("REGEXP", vec![text("abc"), text("")], "FALSE");
}

#[test]
fn times_are_read_and_written() {
    check("TO_TIMESTAMP", vec![text("2020-1-2 3:4:5")], "2020-01-02 03:04:05.000");
    check("TO_TIMESTAMP", vec![text("2020-01-02T03:04:05")], "NULL");
    check("TO_TIMESTAMP", vec![text("20200102030405"), text("yyyyMMddHHmmss")], "2020-01-02 03:04:05.000");
    check("TO_DATE", vec![text("2021-02-29")], "NULL");
    check("UNIX_TIMESTAMP", vec![text("2020-12-31 23:59:59")], "1609459199");
    let leap = || call("TO_TIMESTAMP", vec![text("2020-02-29 23:59:59.999")]);
    check("DATE_FORMAT", vec![leap(), text("EEE, d MMM yyyy h:mm a")], "Sat, 29 Feb 2020 11:59 PM");
    check("EXTRACT", vec![text("WEEK"), leap()], "9");
    check("EXTRACT", vec![text("DOW"), leap()], "7");
    check("FLOOR", vec![leap(), text("MONTH")], "2020-02-01 00:00:00.000");
    check("CEIL", vec![leap(), text("HOUR")], "2020-03-01 00:00:00.000");
    check("TIMESTAMPADD", vec![text("MONTH"), int(-12), leap()], "2019-02-28 23:59:59.999");
    check("TIMESTAMPDIFF", vec![text("MONTH"), call("TO_TIMESTAMP", vec![text("2020-01-31")]), leap()], "1");
}

#[test]
fn casts_follow_java() {
    let cast = |expr: Expr, to: LogicalType, mode| shown(&expr.cast(Type::nullable(to), mode));
    assert_eq!(cast(int(1000), LogicalType::TinyInt, CastMode::Strict), "-24");
    assert_eq!(cast(double(-2.9), LogicalType::Int, CastMode::Strict), "-2");
    assert_eq!(cast(double(1e20), LogicalType::String, CastMode::Strict), "1.0E20");
    assert_eq!(cast(double(0.00012), LogicalType::String, CastMode::Strict), "1.2E-4");
    assert_eq!(cast(double(123456.5), LogicalType::String, CastMode::Strict), "123456.5");
    assert_eq!(cast(text(" 1.5 "), LogicalType::Int, CastMode::Try), "1");
    assert_eq!(cast(text("abc"), LogicalType::Int, CastMode::Try), "NULL");
    assert!(cast(text("abc"), LogicalType::Int, CastMode::Strict).contains("cannot be cast"));
    assert_eq!(cast(text("12.345"), LogicalType::Decimal { precision: 5, scale: 2 }, CastMode::Strict), "12.35");
    assert_eq!(cast(text("abcdef"), LogicalType::VarChar(3), CastMode::Strict), "abc");
    assert_eq!(
        cast(text("2020-01-02 03:04:05.123456"), LogicalType::Timestamp(3), CastMode::Strict),
        "2020-01-02 03:04:05.123"
    );
}

#[test]
fn conditionals_evaluate_only_what_they_need() {
    let fails = || call("/", vec![int(1), call("-", vec![int(1), int(1)])]);
    check("IF", vec![call("=", vec![int(1), int(1)]), int(7), fails()], "7");
    check("COALESCE", vec![null(), int(3), int(4)], "3");
    check("NULLIF", vec![int(2), int(2)], "NULL");
    check("GREATEST", vec![int(2), int(9), int(4)], "9");
    check("LEAST", vec![int(2), null()], "NULL");
}

#[test]
fn wrong_calls_say_what_would_be_right() {
    let argument = |logical| Argument { ty: Type::nullable(logical), literal: None };
    let wrong = resolve_scalar("upper", &[argument(LogicalType::Int)]).unwrap_err();
    assert_eq!(
        wrong,
        ResolveError::WrongArguments { message: "UPPER does not take (INT). It takes UPPER(STRING).".to_owned() }
    );
    let unknown = resolve_scalar("UPPPER", &[]).unwrap_err();
    assert_eq!(unknown, ResolveError::UnknownFunction { suggestion: Some("UPPER".to_owned()) });
}

#[test]
fn every_entry_is_listed_once() {
    let names: Vec<String> = super::list().into_iter().map(|function| function.name).collect();
    let mut unique = names.clone();
    unique.dedup();
    assert_eq!(names, unique);
    assert!(names.len() > 100, "{} functions", names.len());
}
