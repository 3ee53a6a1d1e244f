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

fn argument_of(arg: &Expr) -> Argument {
    let literal = match &arg.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        _ => None,
    };
    Argument { ty: arg.ty.clone(), literal }
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    let arguments: Vec<Argument> = args.iter().map(argument_of).collect();
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
    check("REGEXP_EXTRACT", vec![text("abc"), text("(x)|b(c)"), int(1)], "NULL");
    check("REGEXP_EXTRACT", vec![text("abc"), text("(x)|b(c)"), int(2)], "c");
    check("REGEXP_EXTRACT", vec![text("abc"), text("(x)|b(c)"), int(3)], "NULL");
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
    check("DATE_FORMAT", vec![leap(), text("yyyyy/yy H.n SSS k K")], "02020/20 23.999000000 999 23 11");
    let early = call("TO_TIMESTAMP", vec![text("0099-01-02 00:05:06")]);
    check("DATE_FORMAT", vec![early, text("yyyy-M-dd H:m:ss")], "0099-1-02 0:5:06");
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

/// Values of every kind: the extremes, what is empty, NULLs with a type and without, collections and rows.
fn any_values() -> Vec<Expr> {
    let array = |items: Vec<Expr>| call("ARRAY", items);
    let null_of = |logical: LogicalType| null().cast(Type::nullable(logical), CastMode::Strict);
    let timestamp = call("TO_TIMESTAMP", vec![text("2020-02-29 23:59:59.999")]);
    vec![
        null(),
        text(""),
        text("a"),
        text("añ漢😀"),
        text("{\"a\":[1,{\"b\":null}]}"),
        text("$.a[0]"),
        text("%5.2f %s %d %"),
        text("2020-02-29 23:59:59"),
        text("UTC"),
        text("YEAR"),
        text("("),
        text("NULL 01"),
        text("9999999999999999999999"),
        int(0),
        int(1),
        int(-1),
        int(i32::MAX),
        int(i32::MIN),
        Expr::literal(Value::big_int(i64::MIN), Type::not_null(LogicalType::BigInt)),
        Expr::literal(Value::big_int(i64::MAX), Type::not_null(LogicalType::BigInt)),
        double(f64::NAN),
        double(f64::INFINITY),
        double(-0.0),
        double(1e308),
        decimal(-99_999_999_999_999_999_999_999_999_999_999_999_999, 38, 10),
        Expr::literal(Value::boolean(true), Type::not_null(LogicalType::Boolean)),
        call("ENCODE", vec![text("x"), text("UTF-8")]),
        timestamp.clone(),
        timestamp.cast(Type::nullable(LogicalType::Date), CastMode::Strict),
        null_of(LogicalType::Int),
        null_of(LogicalType::String),
        array(vec![int(1), null_of(LogicalType::Int), int(i32::MIN)]),
        array(vec![text("b"), null_of(LogicalType::String), text("")]),
        array(vec![array(vec![int(1)])]),
        array(vec![call("ROW", vec![text("k"), double(1.5)])]),
        null_of(LogicalType::Array(Box::new(Type::nullable(LogicalType::Int)))),
        call("MAP", vec![text("a"), int(1), text("b"), null_of(LogicalType::Int)]),
        call("MAP", vec![int(1), array(vec![text("x")])]),
        call("ROW", vec![int(1), text("x")]),
    ]
}

/// A call if the function takes these arguments; whether it gives a value or an error does not matter.
fn try_call(name: &str, args: Vec<Expr>) {
    let arguments: Vec<Argument> = args.iter().map(argument_of).collect();
    let Ok(function) = resolve_scalar(name, &arguments) else { return };
    let wanted = function.arg_types.clone();
    let castable = |(arg, ty): &(Expr, Type)| {
        arg.ty.logical == ty.logical || crate::expr::cast::is_castable(&arg.ty.logical, &ty.logical)
    };
    let pairs: Vec<(Expr, Type)> = args.into_iter().zip(wanted).collect();
    assert!(pairs.iter().all(castable), "{name} wants what cannot be cast");
    let cast =
        |(arg, ty): (Expr, Type)| if arg.ty.logical == ty.logical { arg } else { arg.cast(ty, CastMode::Strict) };
    let args = pairs.into_iter().map(cast).collect();
    let ty = function.return_type.clone();
    let _ = evaluate(&Expr { kind: ExprKind::Call { function: Arc::new(function), args }, ty, span: None });
}

/// Every function with many lists of arguments, the same ones in every run.
#[test]
fn no_function_panics_on_any_arguments() {
    use rand::{Rng, SeedableRng};
    let values = any_values();
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    let mut panicked = std::collections::BTreeSet::new();
    for name in super::registry::names() {
        for _ in 0..150 {
            let count = random.random_range(0..5);
            let args = (0..count).map(|_| values[random.random_range(0..values.len())].clone()).collect();
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| try_call(name, args))).is_err() {
                panicked.insert(name);
            }
        }
    }
    assert!(panicked.is_empty(), "these panic: {panicked:?}");
}

#[test]
fn numbers_and_texts_are_told_apart() {
    check("IS_ALPHA", vec![text("añ")], "TRUE");
    check("IS_ALPHA", vec![text("a1")], "FALSE");
    check("IS_ALPHA", vec![text("")], "FALSE");
    check("IS_DIGIT", vec![int(5)], "TRUE");
    check("IS_DIGIT", vec![text("12a")], "FALSE");
    check("IS_DECIMAL", vec![text("-1.5e3")], "TRUE");
    check("IS_DECIMAL", vec![text("x")], "FALSE");
    check("TYPEOF", vec![int(1)], "INT NOT NULL");
    check("TYPEOF", vec![call("ARRAY", vec![int(1)])], "ARRAY<INT NOT NULL> NOT NULL");
}

#[test]
fn parts_of_texts_are_picked() {
    check("ELT", vec![int(2), text("a"), text("b")], "b");
    check("ELT", vec![int(0), text("a")], "NULL");
    check("SUBSTRING_INDEX", vec![text("www.apache.org"), text("."), int(2)], "www.apache");
    check("SUBSTRING_INDEX", vec![text("www.apache.org"), text("."), int(-2)], "apache.org");
    check("SUBSTRING_INDEX", vec![text("www"), text("."), int(9)], "www");
    check("PRINTF", vec![text("%s-%03d"), text("a"), int(7)], "a-007");
    check("URL_DECODE_RECURSIVE", vec![text("%2525")], "%");
}

#[test]
fn collections_have_a_text() {
    let shown = |expr: Expr| shown(&expr.cast(Type::nullable(LogicalType::String), CastMode::Strict));
    let missing = || null().cast(Type::nullable(LogicalType::Int), CastMode::Strict);
    assert_eq!(shown(call("ARRAY", vec![int(1), missing()])), "[1, NULL]");
    assert_eq!(shown(call("MAP", vec![text("a"), int(1), text("b"), missing()])), "{a=1, b=NULL}");
    assert_eq!(shown(call("ROW", vec![int(1), call("ARRAY", vec![text("x")])])), "(1, [x])");
}

#[test]
fn values_become_json() {
    let array = || call("ARRAY", vec![int(1), null().cast(Type::nullable(LogicalType::Int), CastMode::Strict)]);
    check("JSON_STRING", vec![array()], "[1,null]");
    check("JSON_STRING", vec![text("a\"b")], "\"a\\\"b\"");
    check("JSON_STRING", vec![double(1.5e20)], "1.5E+20");
    check(
        "JSON_STRING",
        vec![call("TO_TIMESTAMP", vec![text("1990-06-02 13:37:42.001")])],
        "\"1990-06-02T13:37:42.001\"",
    );
    check("JSON_STRING", vec![null().cast(Type::nullable(LogicalType::Int), CastMode::Strict)], "NULL");
    check("JSON_STRING", vec![call("ROW", vec![int(1), array()])], "{\"EXPR$0\":1,\"EXPR$1\":[1,null]}");
    check("JSON_QUOTE", vec![text("a/\"é\n")], "\"a\\/\\\"\\u00e9\\n\"");
    check("JSON_UNQUOTE", vec![text("\"a\\u00e9\\n\"")], "aé\n");
    check("JSON_UNQUOTE", vec![text("\"a")], "\"a");
    check("JSON_UNQUOTE", vec![text("[1]")], "[1]");
    check("JSON_LENGTH", vec![text("{\"a\":[1,2]}"), text("$.a")], "2");
    check("JSON_LENGTH", vec![text("{\"a\":[1,2]}"), text("$.b")], "NULL");
    check("JSON", vec![text(" {\"b\":1, \"a\":2} ")], "{\"a\":2,\"b\":1}");
    check("MAP_TO_JSON", vec![call("MAP", vec![text("b"), int(1), text("a"), int(2)])], "{\"a\":2,\"b\":1}");
    let map = call("JSON_TO_MAP", vec![text("{\"a\":1,\"b\":{\"c\":[true]},\"d\":null}")]);
    check("ITEM", vec![map.clone(), text("b")], "{\"c\":[true]}");
    check("ITEM", vec![map, text("d")], "NULL");
}

#[test]
fn instants_are_read_from_texts_and_numbers() {
    check("TO_TIMESTAMP_LTZ", vec![text("2020-01-02 03:04:05.678")], "2020-01-02 03:04:05.678");
    check("TO_TIMESTAMP_LTZ", vec![text("02/01/2020 03"), text("dd/MM/yyyy HH")], "2020-01-02 03:00:00.000");
    let berlin = vec![text("2020-01-02 03:04:05"), text("yyyy-MM-dd HH:mm:ss"), text("Europe/Berlin")];
    check("TO_TIMESTAMP_LTZ", berlin, "2020-01-02 02:04:05.000");
    check("TO_TIMESTAMP_LTZ", vec![double(1.5), int(0)], "1970-01-01 00:00:01.500");
    check("TO_TIMESTAMP_LTZ", vec![text("x")], "NULL");
}
