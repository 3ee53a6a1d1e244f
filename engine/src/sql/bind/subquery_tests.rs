//! Queries in queries, over random small tables, against an evaluation row by row.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::catalog::CatalogText;
use crate::change::ChangeBatch;
use crate::collect::{CollectSink, RowWriter};
use crate::connector::ConnectorContext;
use crate::plan::dataflow::plan;
use crate::plan::settings::Settings;
use crate::runtime::{ConnectorEndpoints, Run, RunCommitters, RunOptions};
use crate::sql::{bind, bind_all};

type Int = Option<i64>;
/// `a INT, b INT`
type Row = (Int, Int);

fn view(name: &str, rows: &[Row]) -> String {
    let number = |value: Int| value.map_or("CAST(NULL AS INT)".to_owned(), |value| value.to_string());
    let mut values: Vec<String> = rows.iter().map(|(a, b)| format!("({}, {}, TRUE)", number(*a), number(*b))).collect();
    // There is no VALUES without rows.
    values.push("(CAST(NULL AS INT), CAST(NULL AS INT), FALSE)".to_owned());
    format!(
        "CREATE TEMPORARY VIEW {name} AS SELECT a, b FROM (VALUES {}) AS v (a, b, there) WHERE there;",
        values.join(", ")
    )
}

/// The table that a script leaves, sorted by its text.
fn run(script: &str, parallelism: u32) -> Result<Vec<String>, String> {
    let bound = bind(script, &CatalogText::default()).map_err(|problems| format!("{problems:?}"))?;
    let schema = bound.sinks.last().unwrap().query.schema.clone();
    let table: Arc<Mutex<Vec<String>>> = Arc::default();
    let (writer, into) = (RowWriter::new(&schema), Arc::clone(&table));
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        let mut table = into.lock().unwrap();
        for row in 0..batch.len() {
            let text = Value::Array(writer.row(batch, row)).to_string();
            if batch.kind(row).is_accumulate() {
                table.push(text);
            } else {
                let at = table.iter().position(|held| *held == text).expect("what is taken back is there");
                table.remove(at);
            }
        }
        Ok(())
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let committers = Arc::new(RunCommitters::default());
    let context = ConnectorContext {
        file_roots: Vec::new(),
        identity: "test".to_owned(),
        start_at_ms: None,
        committers: committers.clone(),
        read_only: false,
        bad_records: None,
        batch_rows: 2,
        runtime: runtime.handle().clone(),
    };
    let endpoints = ConnectorEndpoints { context, collect: Some(Arc::new(collect)) };
    let settings = Settings { parallelism, ..Settings::default() };
    let dataflow = plan(&bound, &settings, &endpoints).map_err(|problems| format!("{problems:?}"))?;
    let options = RunOptions {
        store: None,
        run: "test".to_owned(),
        kept: 1,
        committers,
        restored: None,
        next_checkpoint: 1,
        batch_rows: 2,
        state: crate::state::StateOptions::default(),
    };
    let mut run = Run::inline(&dataflow, options).map_err(|error| error.message.clone())?;
    while run.round().map_err(|error| error.message.clone())?.is_none() {}
    let mut rows = table.lock().unwrap().clone();
    rows.sort();
    Ok(rows)
}

type Answer = fn(&Row, &[Row], &[Row]) -> Option<Vec<Value>>;

/// One question, and its answer for each row of `t`: the columns of the result, or no row.
struct Question {
    sql: &'static str,
    answer: Answer,
}

fn equal(left: Int, right: Int) -> Option<bool> {
    Some(left? == right?)
}

fn any_of(tests: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut found = Some(false);
    for test in tests {
        match test {
            Some(true) => return test,
            Some(false) => {}
            None => found = None,
        }
    }
    found
}

fn of_key(key: Int, u: &[Row]) -> impl Iterator<Item = &Row> {
    u.iter().filter(move |row| equal(row.0, key) == Some(true))
}

fn both(row: &Row, value: impl serde::Serialize) -> Option<Vec<Value>> {
    Some(vec![json!(row.0), json!(row.1), json!(value)])
}

const QUESTIONS: &[Question] = &[
    Question {
        sql: "SELECT a, b, (SELECT MAX(b) FROM u) FROM t",
        answer: |row, _, u| both(row, u.iter().filter_map(|row| row.1).max()),
    },
    Question {
        sql: "SELECT a, b, (SELECT MAX(u.b) FROM u WHERE u.a = t.a) FROM t",
        answer: |row, _, u| both(row, of_key(row.0, u).filter_map(|row| row.1).max()),
    },
    Question {
        sql: "SELECT a, b, (SELECT COUNT(*) + 1 FROM u WHERE u.a = t.a AND b > 0) FROM t",
        answer: |row, _, u| both(row, of_key(row.0, u).filter(|row| row.1 > Some(0)).count() + 1),
    },
    Question {
        sql: "SELECT a, b, (SELECT COUNT(*) FROM u WHERE u.b < t.b) FROM t",
        answer: |row, _, u| {
            both(row, u.iter().filter(|other| other.1.zip(row.1).is_some_and(|(other, own)| other < own)).count())
        },
    },
    Question {
        sql: "SELECT a, b, (SELECT SUM(u.b) + t.b FROM u WHERE u.a = t.a HAVING COUNT(*) > 1) FROM t",
        answer: |row, _, u| {
            let values: Vec<Int> = of_key(row.0, u).map(|row| row.1).collect();
            let sum = values.iter().flatten().copied().reduce(|a, b| a + b);
            both(row, sum.zip(row.1).map(|(a, b)| a + b).filter(|_| values.len() > 1))
        },
    },
    Question {
        sql: "SELECT a, b, (SELECT u.b FROM u WHERE u.a = t.a AND u.b IS NOT NULL ORDER BY u.b DESC LIMIT 1) FROM t",
        answer: |row, _, u| both(row, of_key(row.0, u).filter_map(|row| row.1).max()),
    },
    Question {
        sql: "SELECT a, b, a IN (SELECT b FROM u) FROM t",
        answer: |row, _, u| both(row, any_of(u.iter().map(|other| equal(row.0, other.1)))),
    },
    Question {
        sql: "SELECT a, b, b NOT IN (SELECT u.b FROM u WHERE u.a = t.a) FROM t",
        answer: |row, _, u| both(row, any_of(of_key(row.0, u).map(|other| equal(row.1, other.1))).map(|found| !found)),
    },
    Question {
        sql: "SELECT a, b, CASE WHEN EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b > t.b) THEN 1 ELSE 0 END FROM t",
        answer: |row, _, u| {
            let found = of_key(row.0, u).any(|other| other.1.zip(row.1).is_some_and(|(other, own)| other > own));
            both(row, i64::from(found))
        },
    },
    Question {
        sql: "SELECT a, b, b > ALL (SELECT u.b FROM u WHERE u.a = t.a) FROM t",
        answer: |row, _, u| {
            let smaller = of_key(row.0, u).map(|other| Some(row.1? <= other.1?));
            both(row, any_of(smaller).map(|found| !found))
        },
    },
    Question {
        sql: "SELECT a, b, b <> ANY (SELECT b FROM u) FROM t",
        answer: |row, _, u| both(row, any_of(u.iter().map(|other| equal(row.1, other.1).map(|same| !same)))),
    },
    Question {
        sql: "SELECT a, b, 0 FROM t WHERE b = 1 OR a IN (SELECT a FROM u) OR NOT EXISTS (SELECT * FROM u WHERE u.b = t.b)",
        answer: |row, _, u| {
            let found = any_of(u.iter().map(|other| equal(row.0, other.0))) == Some(true);
            let lonely = !u.iter().any(|other| equal(row.1, other.1) == Some(true));
            if row.1 == Some(1) || found || lonely { both(row, 0) } else { None }
        },
    },
    Question {
        sql: "SELECT a, b, 0 FROM t WHERE b >= (SELECT MIN(b) FROM u) AND NOT (a IN (SELECT u.b FROM u WHERE u.a = t.a) OR b < 0)",
        answer: |row, _, u| {
            let least = u.iter().filter_map(|row| row.1).min();
            let inside = any_of(of_key(row.0, u).map(|other| equal(row.0, other.1)));
            let negative = row.1.map(|value| value < 0);
            let passes = row.1.zip(least).is_some_and(|(value, least)| value >= least)
                && inside == Some(false)
                && negative == Some(false);
            if passes { both(row, 0) } else { None }
        },
    },
    Question {
        sql: "SELECT a, b, 0 FROM t WHERE a IN (SELECT MAX(u.a) FROM u WHERE u.b = t.b)",
        answer: |row, _, u| {
            let greatest = u.iter().filter(|other| equal(other.1, row.1) == Some(true)).filter_map(|row| row.0).max();
            if equal(row.0, greatest) == Some(true) { both(row, 0) } else { None }
        },
    },
    Question {
        sql: "SELECT a, b, 0 FROM t WHERE EXISTS (SELECT u.a FROM u WHERE u.b = t.b GROUP BY u.a HAVING COUNT(*) > 1)",
        answer: |row, _, u| {
            let same: Vec<Int> =
                u.iter().filter(|other| equal(other.1, row.1) == Some(true)).map(|other| other.0).collect();
            let twice = same.iter().any(|key| same.iter().filter(|other| *other == key).count() > 1);
            if twice { both(row, 0) } else { None }
        },
    },
];

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = || prop_oneof![1 => Just(None), 5 => (-1_i64..3).prop_map(Some)];
    proptest::collection::vec((value(), value()), 0..6)
}

fn texts(mut rows: Vec<Vec<Value>>) -> Vec<String> {
    let mut texts: Vec<String> = rows.drain(..).map(|row| Value::Array(row).to_string()).collect();
    texts.sort();
    texts
}

/// How often each row is there.
fn counted(rows: &[Row], row: &Row) -> usize {
    rows.iter().filter(|other| *other == row).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn queries_in_queries_give_what_each_row_asks_for(t in rows(), u in rows(), batch in any::<bool>(), wide in any::<bool>()) {
        let mode = if batch { "SET 'execution.runtime-mode' = 'batch';" } else { "" };
        for Question { sql, answer } in QUESTIONS {
            let script = format!("{mode}{}{}{sql};", view("t", &t), view("u", &u));
            let expected = texts(t.iter().filter_map(|row| answer(row, &t, &u)).collect());
            prop_assert_eq!(run(&script, if wide { 3 } else { 1 }), Ok(expected), "{}", script);
        }
    }

    #[test]
    fn rows_are_counted_by_intersect_all_and_except_all(t in rows(), u in rows(), batch in any::<bool>()) {
        let mode = if batch { "SET 'execution.runtime-mode' = 'batch';" } else { "" };
        for (operator, intersects) in [("INTERSECT ALL", true), ("EXCEPT ALL", false)] {
            let script =
                format!("{mode}{}{}SELECT a, b FROM t {operator} SELECT a, b FROM u;", view("t", &t), view("u", &u));
            let mut distinct = t.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let times = |row: &Row| {
                let (left, right) = (counted(&t, row), counted(&u, row));
                if intersects { left.min(right) } else { left.saturating_sub(right) }
            };
            let expected = distinct.iter().flat_map(|row| vec![vec![json!(row.0), json!(row.1)]; times(row)]);
            prop_assert_eq!(run(&script, 1), Ok(texts(expected.collect())), "{}", script);
        }
    }

    #[test]
    fn queries_stand_above_groups_and_below_them(t in rows(), u in rows(), batch in any::<bool>()) {
        let mode = if batch { "SET 'execution.runtime-mode' = 'batch';" } else { "" };
        let views = format!("{mode}{}{}", view("t", &t), view("u", &u));
        let mut keys: Vec<Int> = t.iter().map(|row| row.0).collect();
        keys.sort_unstable();
        keys.dedup();
        let size = |key: Int| t.iter().filter(|row| row.0 == key).count();
        // Above: the group's key is what the query refers to.
        let above = "SELECT a, COUNT(*) + (SELECT COUNT(*) FROM u WHERE u.a = t.a) FROM t GROUP BY a
          HAVING COUNT(*) >= (SELECT COUNT(*) FROM u WHERE u.a = t.a)";
        let expected = keys.iter().filter(|key| size(**key) >= of_key(**key, &u).count());
        let expected = expected.map(|key| vec![json!(key), json!(size(*key) + of_key(*key, &u).count())]).collect();
        prop_assert_eq!(run(&format!("{views}{above};"), 1), Ok(texts(expected)), "{}{}", views, above);
        // Below: an argument of the aggregate.
        let below = "SELECT a, SUM((SELECT COUNT(*) FROM u WHERE u.b = t.b)) FROM t GROUP BY a";
        let of_value = |value: Int| u.iter().filter(|row| equal(row.1, value) == Some(true)).count();
        let sum = |key: Int| t.iter().filter(|row| row.0 == key).map(|row| of_value(row.1)).sum::<usize>();
        let expected = keys.iter().map(|key| vec![json!(key), json!(sum(*key))]).collect();
        prop_assert_eq!(run(&format!("{views}{below};"), 1), Ok(texts(expected)), "{}{}", views, below);
    }
}

#[test]
fn a_second_row_fails_a_query_as_a_value() {
    let rows = [(Some(1), Some(1)), (Some(1), Some(2))];
    let views = format!("{}{}", view("t", &rows[..1]), view("u", &rows));
    let all = run(&format!("{views}SELECT (SELECT b FROM u) FROM t;"), 1).unwrap_err();
    assert!(all.contains("more than one row"), "{all}");
    assert!(run(&format!("{views}SELECT (SELECT u.b FROM u WHERE u.a = t.a) FROM t;"), 1).is_err());
    assert_eq!(run(&format!("{views}SELECT (SELECT u.b FROM u WHERE u.b = t.a) FROM t;"), 1).unwrap(), ["[1]"]);
    assert_eq!(run(&format!("{views}SELECT a, (SELECT t.a + 1) FROM t;"), 1).unwrap(), ["[1,2]"]);
}

/// `text|message` of the only problem.
fn problem(sql: &str) -> String {
    let script = format!("{}{}{sql}", view("t", &[]), view("u", &[]));
    let bound = bind_all(&script, &CatalogText::default());
    let [problem] = bound.problems.as_slice() else { panic!("{sql}: {:?}", bound.problems) };
    let span = problem.span.unwrap();
    format!("{}|{}", &script[span.start..span.end], problem.message)
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    assert_eq!(
        problem("SELECT (SELECT a, b FROM u) FROM t"),
        "(SELECT a, b FROM u)|A query as a value gives one column, and this one gives 2."
    );
    assert!(
        problem("SELECT COUNT(*) FROM t GROUP BY (SELECT MAX(a) FROM u)").contains("A query as a value in GROUP BY")
    );
    assert!(problem("SELECT t.a FROM t LEFT JOIN u ON t.a = (SELECT 1)").contains("ON of an outer join"));
    assert!(
        problem("SELECT (SELECT MAX(b) FROM u WHERE u.a = t.nope) FROM t").starts_with("t.nope|There is no column")
    );
    let far = "SELECT a FROM t WHERE b = (SELECT MAX(b) FROM u WHERE u.a IN (SELECT v.a FROM u AS v WHERE v.b = t.b))";
    assert!(problem(far).starts_with("t.b|A reference to a row further around"), "{}", problem(far));
    let grouped = "SELECT a, (SELECT MAX(u.b) FROM u WHERE u.b = t.b) FROM t GROUP BY a";
    assert!(problem(grouped).contains("The column 'b' is neither grouped nor aggregated."));
}
