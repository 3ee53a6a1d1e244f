//! Macros and functions of the catalog, as they are bound.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use millrace_wire::function::{FunctionBody, FunctionKind, FunctionSource};

use crate::catalog::CatalogText;
use crate::plan::logical::RelNode;
use crate::sql::{Problem, bind_all, complete, format_sql, validate};
use crate::udf::{check, check_in};

const TABLE: &str = "CREATE TABLE t (id INT, x DOUBLE, k STRING, ts TIMESTAMP(3)) WITH ('connector' = 'datagen');\n";

fn source(definition: &str) -> FunctionSource {
    FunctionSource { kind: FunctionKind::Scalar, body: FunctionBody::Sql { definition: definition.to_owned() } }
}

fn catalog(functions: &[(&str, &str)]) -> CatalogText {
    let functions: BTreeMap<_, _> =
        functions.iter().map(|(name, definition)| ((*name).to_owned(), source(definition))).collect();
    CatalogText { default_database: "d".to_owned(), functions, ..CatalogText::default() }
}

/// The expressions of a SELECT from `t`.
fn exprs(functions: &[(&str, &str)], sql: &str) -> Vec<String> {
    let catalog = catalog(functions);
    let bound = bind_all(
        &format!(
            "CREATE TEMPORARY TABLE t (id INT, x DOUBLE, k STRING, ts TIMESTAMP(3)) WITH ('connector' = 'datagen');\n{sql}"
        ),
        &catalog,
    );
    assert!(bound.problems.is_empty(), "{sql}: {:?}", bound.problems);
    match &bound.script.sinks.last().unwrap().query.node {
        RelNode::Project { exprs, .. } => exprs.iter().map(|expr| format!("{expr} {}", expr.ty.logical)).collect(),
        other => panic!("{other:?}"),
    }
}

fn problem(functions: &[(&str, &str)], sql: &str) -> (Problem, String) {
    let script = format!("{TABLE}{sql}");
    let problem = bind_all(&script, &catalog(functions)).problems.into_iter().next().unwrap();
    let span = problem.span.unwrap();
    let at = script[span.start..span.end].to_owned();
    (problem, at)
}

#[test]
fn a_call_becomes_the_expression() {
    let plus = [("plus_one", "(x INT) RETURNS BIGINT RETURN x + 1")];
    assert_eq!(exprs(&plus, "SELECT plus_one(id) FROM t"), ["CAST(($0 + 1) AS BIGINT) BIGINT"]);
    // In any case, with what is widened by itself, and constants computed.
    assert_eq!(
        exprs(&plus, "SELECT PLUS_ONE(CAST(id AS SMALLINT)), plus_one(2) FROM t"),
        ["CAST((CAST(CAST($0 AS SMALLINT) AS INT) + 1) AS BIGINT) BIGINT", "3 BIGINT",]
    );
    let several = [("half", "(x DOUBLE) RETURN x / 2"), ("quarter", "(y DOUBLE) RETURNS DOUBLE RETURN half(half(y))")];
    assert_eq!(exprs(&several, "SELECT quarter(x) FROM t"), ["(($1 / 2) / 2) DOUBLE"]);
    assert_eq!(exprs(&[("nil", "() RETURNS INT RETURN NULL")], "SELECT nil() FROM t"), ["NULL INT"]);
}

#[test]
fn a_script_makes_its_own() {
    let made = "CREATE TEMPORARY FUNCTION inc(x INT) RETURNS INT RETURN x + 1; SELECT inc(inc(id)) FROM t";
    assert_eq!(exprs(&[], made), ["(($0 + 1) + 1) INT"]);
    let twice =
        "CREATE TEMPORARY FUNCTION inc(x INT) RETURN x; CREATE TEMPORARY FUNCTION Inc(x INT) RETURN x; SELECT 1";
    assert_eq!(problem(&[], twice).0.code, "exists-already");
    let quiet = "CREATE TEMPORARY FUNCTION inc(x INT) RETURN x + 1; CREATE TEMPORARY FUNCTION IF NOT EXISTS inc(x INT) RETURN x; SELECT inc(id) FROM t";
    assert_eq!(exprs(&[], quiet), ["($0 + 1) INT"]);
    let dropped = "CREATE TEMPORARY FUNCTION inc(x INT) RETURN x; DROP TEMPORARY FUNCTION inc; SELECT inc(1)";
    let (problem_, at) = problem(&[], dropped);
    assert_eq!((problem_.code, at.as_str()), ("unknown-function", "inc(1)"));
    let again = "CREATE TEMPORARY FUNCTION inc(x INT) RETURN x; DROP TEMPORARY FUNCTION inc; CREATE TEMPORARY FUNCTION inc(x INT) RETURN -x; SELECT 1";
    assert!(problem(&[], again).0.message.contains("another function"));
    assert!(exprs(&[], "DROP TEMPORARY FUNCTION IF EXISTS nothing; SELECT id FROM t").len() == 1);
}

#[test]
fn what_is_wrong_is_told_at_the_call() {
    let functions = [
        ("loop_a", "(x INT) RETURN loop_b(x)"),
        ("loop_b", "(x INT) RETURN loop_a(x)"),
        ("broken", "(x INT) RETURN y + 1"),
        ("wrong", "(x INT) RETURNS TIMESTAMP(3) RETURN x"),
        ("unread", "x INT RETURN"),
        ("summed", "(x INT) RETURN SUM(x)"),
        ("asked", "(x INT) RETURN (SELECT 1)"),
        ("twice", "(x INT) RETURN x + x"),
        ("outside", "(x INT) RETURN id"),
    ];
    for (call, told) in [
        ("loop_a(1)", "calls itself"),
        ("broken(1)", "'y'"),
        ("wrong(1)", "gives INT, and says that it returns TIMESTAMP(3)"),
        ("unread(1)", "Expected '('"),
        ("summed(1)", "SUM"),
        ("asked(1)", "the function asked"),
        ("outside(1)", "'id'"),
        ("twice('a')", "twice does not take (CHAR(1)). It is twice(x INT) → INT."),
        ("twice()", "twice does not take ()"),
        ("twice(CAST(RAND() AS INT))", "never the same twice"),
        ("twice(DISTINCT 1)", "is no aggregate"),
        ("twize(1)", "There is no function 'TWIZE'"),
    ] {
        let (problem, at) = problem(&functions, &format!("SELECT {call} FROM t"));
        let said = problem.message.to_lowercase();
        assert!(said.contains(&told.to_lowercase()), "{call}: {problem:?}");
        assert_eq!(at, call, "{problem:?}");
    }
    let (problem, at) = problem(&functions, "SELECT * FROM t, LATERAL TABLE(twice(id))");
    assert_eq!((problem.message.as_str(), at.as_str()), ("twice gives a value, not rows.", "twice(id)"));
}

/// Each of forty macros calls the one before it twice: written out, that would be 2^40 parts.
#[test]
fn macros_that_grow_without_end_are_refused() {
    let mut script = TABLE.to_owned() + "CREATE TEMPORARY FUNCTION m0(x INT) RETURN x + x;";
    for level in 1..40 {
        script += &format!("CREATE TEMPORARY FUNCTION m{level}(x INT) RETURN m{0}(x) + m{0}(x);", level - 1);
    }
    script += "SELECT m39(1)";
    let problems = bind_all(&script, &catalog(&[])).problems;
    assert!(problems[0].message.contains("becomes too large"), "{problems:?}");
}

#[test]
fn problems_in_a_definition_of_the_script_stand_there() {
    let (problem, at) = problem(&[], "CREATE TEMPORARY FUNCTION f(x INT) RETURN x + nope; SELECT f(1) FROM t");
    assert_eq!((problem.code, at.as_str()), ("unknown-column", "nope"));
    for (sql, told) in [
        ("CREATE FUNCTION f(x INT) RETURN x", "CREATE FUNCTION is not supported"),
        ("CREATE TEMPORARY FUNCTION f AS 'com.Foo'", "LANGUAGE"),
        ("CREATE TEMPORARY FUNCTION f AS 'com.Foo' LANGUAGE JAVA USING JAR 'x.jar'", "Functions in JAVA"),
        ("CREATE TEMPORARY FUNCTION f(x INT, x INT) RETURN x", "is there twice"),
        ("CREATE TEMPORARY FUNCTION sum(x INT) RETURN x", "built-in function SUM"),
        ("CREATE TEMPORARY FUNCTION d.f(x INT) RETURN x", "no database"),
        ("DROP TEMPORARY FUNCTION nope", "There is no function 'nope'"),
    ] {
        let found = bind_all(sql, &catalog(&[])).problems;
        assert!(found[0].message.contains(told), "{sql}: {found:?}");
    }
}

#[test]
fn who_uses_what_is_told() {
    let functions =
        [("Within", "(x INT) RETURN x"), ("around", "(x INT) RETURN within(x)"), ("idle", "(x INT) RETURN x")];
    let catalog = catalog(&functions);
    let validation = validate("SELECT AROUND(1)", &catalog, 1);
    assert_eq!(validation.diagnostics, vec![]);
    assert_eq!(validation.functions, ["Within", "around"]);
    assert!(validate("SELECT ABS(1)", &catalog, 1).functions.is_empty());
}

#[test]
fn definitions_are_checked_before_they_are_kept() {
    let signature = |name: &str, definition: &str| {
        check(name, &source(definition)).map(|info| info.signature).map_err(|problems| problems[0].message.clone())
    };
    let hypot = "(x DOUBLE, y DOUBLE) RETURNS DOUBLE RETURN SQRT(x*x + y*y)";
    assert_eq!(signature("hypot2", hypot).unwrap(), "hypot2(x DOUBLE, y DOUBLE) → DOUBLE");
    for (name, definition, told) in [
        ("abs", hypot, "built-in function ABS"),
        ("f", "(x INT) RETURN f(x)", "calls itself"),
        ("f", "(x INT) RETURN other(x)", "no function 'OTHER'"),
        ("f", "(x INT) RETURN x; DROP TABLE t", "the end"),
        ("select", hypot, "SELECT"),
        ("1f", hypot, "cannot be the name"),
    ] {
        let error = signature(name, definition).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    let kept = catalog(&[("other", "(x INT) RETURN x")]);
    assert_eq!(check_in("f", &source("(x INT) RETURN other(x)"), &kept).unwrap().signature, "f(x INT) → INT");
    let mut table = source(hypot);
    table.kind = FunctionKind::Table;
    assert!(check("f", &table).unwrap_err()[0].message.contains("Only scalar functions"));
}

#[test]
fn functions_are_completed_with_how_they_are_called() {
    let kept = catalog(&[("revenue", "(x INT) RETURN x * 2"), ("broken", "(x INT) RETURN y")]);
    let sql = format!("{TABLE}CREATE TEMPORARY FUNCTION review(x INT) RETURN x; SELECT rev FROM t");
    let items = complete(&sql, sql.len() - " FROM t".len(), &kept);
    let found: Vec<_> = items
        .iter()
        .filter(|item| item.label.starts_with("rev"))
        .map(|item| (item.insert.as_str(), item.detail.as_str()))
        .collect();
    assert_eq!(found, [("revenue(", "revenue(x INT) → INT"), ("review(", "review(x INT) → INT")]);
    let sql = "SELECT bro";
    assert!(complete(sql, sql.len(), &kept).iter().all(|item| item.label != "broken"));
}

#[test]
fn definitions_are_formatted() {
    let written = "create temporary function f(x int, return_ int) returns int return case when x > 1 and x < 3 then x else return_ end; select f(1, 2)";
    let formatted = format_sql(written).unwrap();
    assert_eq!(
        formatted,
        "CREATE TEMPORARY FUNCTION f(x int, return_ int)\n  RETURNS int\n  RETURN CASE WHEN x > 1 AND x < 3 THEN x ELSE return_ END;\n\nSELECT f(1, 2)\n"
    );
    assert_eq!(format_sql(&formatted).unwrap(), formatted);
}
