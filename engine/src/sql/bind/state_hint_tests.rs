//! What is wrong with a hint about state.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::catalog::CatalogText;
use crate::sql::{bind_all, validate};

const TABLES: &str = "
CREATE TABLE t (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
CREATE TABLE u (id INT, k STRING, w INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
";

/// `text|message|hint` of the only problem.
fn problem(sql: &str) -> String {
    let script = format!("{TABLES}{sql}");
    let bound = bind_all(&script, &CatalogText::default());
    let [problem] = bound.problems.as_slice() else { panic!("{sql}: {:?}", bound.problems) };
    let span = problem.span.unwrap();
    format!("{}|{}|{}", &script[span.start..span.end], problem.message, problem.hint.clone().unwrap_or_default())
}

#[test]
fn what_is_wrong_is_said_where_it_stands() {
    let join =
        |hint: &str| problem(&format!("SELECT /*+ {hint} */ t.id FROM t JOIN u AS right_side ON t.id = right_side.id"));
    assert_eq!(
        join("STATE_TTL('rihgt_side' = '1d')"),
        "'rihgt_side'|The hint STATE_TTL names 'rihgt_side', which is no table or alias of this query.|\
         Did you mean 'right_side'?"
    );
    assert!(join("STATE_TTL('u' = '1d')").contains("no table or alias"), "an alias hides the name of its table");
    assert_eq!(
        join("STATE_TTL('t' = 'a while')"),
        "'a while'|STATE_TTL takes a duration such as '30d', not 'a while'.|"
    );
    assert!(join("STATE_CLEAN('t' = 'v + 1')").starts_with("'v + 1'|STATE_CLEAN needs a condition, and this is INT."));
    assert!(join("STATE_CLEAN('t' = 'right_side.w > 1')").starts_with("'right_side.w > 1'|There is no column"));
    assert!(join("STATE_CLEAN('t' = 'v >')").starts_with("'v >'|The statement ends too early"));
    assert!(join("STATE_CLEAN('t' = 'COUNT(*) > 1')").contains("The aggregate COUNT cannot stand in STATE_CLEAN."));
    assert!(join("SHUFFLE_HASH('t')").contains("The hint SHUFFLE_HASH is not supported yet."));
}

#[test]
fn a_hint_for_nothing_is_refused() {
    let none = "this SELECT keeps no state for it";
    assert!(problem("SELECT /*+ STATE_TTL('t' = '1d') */ id FROM t").contains(none));
    let joined = "(SELECT t.id FROM t JOIN u ON t.id = u.id)";
    assert!(problem(&format!("SELECT /*+ STATE_TTL('q' = '1d') */ id FROM {joined} AS q")).contains(none));
    assert!(
        problem("SELECT /*+ STATE_CLEAN('t' = 'v > 1 AND COUNT(*) > 1') */ k, COUNT(*) FROM t GROUP BY k")
            .starts_with("'t'|The column 'v' is neither grouped nor aggregated.")
    );
    let window = "SELECT /*+ STATE_TTL('t' = '1d') */ COUNT(*) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)";
    assert!(problem(window).contains("windows are freed when they have fired"));
    assert!(problem("SELECT /*+ STATE_CLEAN('t' = 'v > 1') */ DISTINCT k FROM t").contains("SELECT DISTINCT"));
}

#[test]
fn a_join_that_forgets_by_itself_takes_no_hint() {
    let interval = "SELECT /*+ STATE_TTL('t' = '1d') */ t.id FROM t JOIN u ON t.id = u.id
      AND t.ts BETWEEN u.ts - INTERVAL '1' HOUR AND u.ts";
    let validation = validate(&format!("{TABLES}{interval}"), &CatalogText::default(), 1);
    let [diagnostic] = validation.diagnostics.as_slice() else { panic!("{:?}", validation.diagnostics) };
    assert!(diagnostic.message.contains("forgets its rows by itself"), "{}", diagnostic.message);
    assert!(diagnostic.span.is_some(), "{:?}", diagnostic.span);
}
