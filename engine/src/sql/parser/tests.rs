//! What is read, and where what cannot be read is said to be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

/// The place and text of the first problem, as `line:column`-like byte offset and the offending text.
fn problem(sql: &str) -> String {
    let parsed = parse(sql);
    let problem = parsed.problems.first().unwrap_or_else(|| panic!("no problem in {sql}"));
    let span = problem.span.unwrap();
    format!("{}:{}", span.start, &sql[span.start..span.end])
}

#[test]
fn problems_stand_at_the_token_that_does_not_fit() {
    for (sql, expected) in [
        ("SELECT id AS order FROM t", "13:order"),
        ("SELECT id, FROM t", "11:FROM"),
        ("SELECT (id + 1 FROM t", "15:FROM"),
        ("SELECT 'abc FROM t", "7:'abc FROM t"),
        ("SELECT a FROM", "13:"),
        ("CREATE TABLE x (a NOPE)", "18:NOPE"),
        ("SELECT 1; SELEC 2", "10:SELEC"),
    ] {
        assert_eq!(problem(sql), expected, "{sql}");
    }
}

#[test]
fn every_statement_is_read_though_one_is_wrong() {
    let parsed = parse("SELECT 1; SELECT FROM; INSERT INTO a SELECT * FROM b; SELECT 'x;y'");
    assert_eq!((parsed.statements.len(), parsed.problems.len()), (3, 1));
}

#[test]
fn depth_is_bounded_and_long_chains_are_not_deep() {
    let nested = format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(crate::sql::parse(&nested).len(), 1);
    let sum = format!("SELECT 1{}", " + 1".repeat(100_000));
    assert_eq!(crate::sql::parse(&sum).len(), 1);
    let chain = format!("SELECT a = 1{}", " OR a = 2".repeat(50_000));
    assert_eq!(crate::sql::parse(&chain).len(), 0);
    let unions = format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(5_000));
    assert_eq!(crate::sql::parse(&unions).len(), 0);
}
