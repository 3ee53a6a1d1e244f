//! Lookup joins from SQL to rows, on threads and on one.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use parking_lot::Mutex;

use super::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunOptions};
use crate::catalog::CatalogText;
use crate::change::ChangeBatch;
use crate::collect::{CollectSink, RowWriter};
use crate::connector::testing::context_on;
use crate::operator::LookupFigures;
use crate::plan::dataflow::plan;
use crate::plan::settings::Settings;
use crate::sql::bind;

const TABLES: &str = r#"
CREATE VIEW o AS SELECT id, k, kind, PROCTIME() AS pt FROM (VALUES
  (1, 'a', 'x'), (2, 'b', 'x'), (3, 'a', 'y'), (4, NULL, 'x'), (5, 'n', 'x')) AS v (id, k, kind);
CREATE TABLE d (k STRING, kind STRING, v INT, twice AS v * 2) WITH ('connector' = 'test-lookup', OPTIONS
  'rows' = '{"k": "a", "kind": "x", "v": 10}
{"k": "a", "kind": "y", "v": 20}
{"k": "b", "kind": "x", "v": 5}
{"k": "b", "kind": "y", "v": 50}');
"#;

fn script(options: &str, query: &str) -> String {
    format!("{}{query};", TABLES.replace("OPTIONS", options))
}

/// Rows of a bare SELECT, sorted, and the figures of its lookup join.
fn run(sql: &str, parallelism: u32) -> (Vec<String>, LookupFigures) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bound = bind(sql, &CatalogText::default()).unwrap();
    let (writer, rows) = (RowWriter::new(&bound.sinks[0].query.schema), Arc::new(Mutex::new(Vec::new())));
    let into = Arc::clone(&rows);
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        let row = |row| serde_json::Value::Array(writer.row(batch, row)).to_string();
        into.lock().extend((0..batch.len()).map(row));
        Ok(())
    });
    let context = context_on(runtime.handle().clone(), "lookup");
    let endpoints = ConnectorEndpoints { context, collect: Some(Arc::new(collect)) };
    let settings = Settings { parallelism, ..Settings::default() };
    let dataflow = plan(&bound, &settings, &endpoints).unwrap();
    let options = RunOptions {
        store: None,
        run: "lookup".to_owned(),
        kept: 1,
        committers: Arc::new(RunCommitters::default()),
        restored: None,
        next_checkpoint: 1,
        batch_rows: 100,
        state: crate::state::StateOptions::default(),
    };
    let run = Run::new(&dataflow, options).unwrap();
    let handle = run.handle();
    assert_eq!(run.run().unwrap(), Outcome::Finished);
    let figures = handle.metrics().unwrap().read();
    let lookup = figures.operators.iter().find_map(|operator| operator.lookup).unwrap();
    let mut rows = rows.lock().clone();
    rows.sort();
    (rows, lookup)
}

const LEFT: &str = "SELECT o.id, d.v, d.twice FROM o LEFT JOIN d FOR SYSTEM_TIME AS OF o.pt ON o.k = d.k";

#[test]
fn rows_meet_what_the_table_holds_whatever_the_cache() {
    for cache in ["NONE", "PARTIAL", "FULL"] {
        for parallelism in [1, 2] {
            let (rows, figures) =
                run(&script(&format!("'lookup.cache' = '{cache}', 'delay' = '2 ms',"), LEFT), parallelism);
            let expected = [
                "[1,10,20]",
                "[1,20,40]",
                "[2,5,10]",
                "[2,50,100]",
                "[3,10,20]",
                "[3,20,40]",
                "[4,null,null]",
                "[5,null,null]",
            ];
            assert_eq!(rows, expected, "{cache}");
            let (requests, entries) = (figures.requests, figures.entries);
            match cache {
                "NONE" => assert_eq!((requests, entries), (2, 0), "two keys a request"),
                "PARTIAL" => assert_eq!((requests, entries), (2, 3)),
                _ => assert_eq!((requests, entries), (0, 2)),
            }
        }
    }
}

#[test]
fn constants_and_several_columns_are_keys_and_other_conditions_are_tested() {
    let inner = |on: &str| {
        let query = format!("SELECT o.id, d.v FROM o JOIN d FOR SYSTEM_TIME AS OF o.pt ON {on}");
        run(&script("", &query), 1).0
    };
    assert_eq!(inner("o.k = d.k AND o.kind = d.kind"), ["[1,10]", "[2,5]", "[3,20]"]);
    assert_eq!(inner("o.k = d.k AND d.kind = 'y'"), ["[1,20]", "[2,50]", "[3,20]"]);
    assert_eq!(inner("o.k = d.k AND d.v > o.id * 9"), ["[1,10]", "[1,20]", "[2,50]"]);
    assert_eq!(inner("d.k = 'b' AND d.v = 5 AND o.id < 3"), ["[1,5]", "[2,5]"]);
    assert_eq!(inner("o.k = d.k AND d.twice = 20"), ["[1,10]", "[3,10]"]);
}

#[test]
fn the_hint_says_how_the_table_is_asked() {
    let hint = "/*+ LOOKUP('table' = 'd', 'output-mode' = 'allow_unordered', 'capacity' = '2', 'timeout' = '20 s', \
                'retry-predicate' = 'lookup_miss', 'retry-strategy' = 'fixed_delay', 'fixed-delay' = '1 ms', \
                'max-attempts' = '3', 'shuffle' = 'true') */";
    let query = LEFT.replace("SELECT", &format!("SELECT {hint}"));
    let (rows, figures) = run(&script("'misses' = '1', 'fails' = '2',", &query), 1);
    assert_eq!(rows.len(), 8, "{rows:?}");
    assert_eq!(figures.retries, 2);
    assert!(figures.requests > 3, "keys without rows were asked for again: {figures:?}");
}

#[test]
fn without_a_key_nothing_can_be_asked() {
    let query = "SELECT o.id FROM o JOIN d FOR SYSTEM_TIME AS OF o.pt ON o.id < d.v";
    let bound = bind(&script("", query), &CatalogText::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let context = context_on(runtime.handle().clone(), "lookup");
    let endpoints = ConnectorEndpoints { context, collect: Some(Arc::new(CollectSink::new(|_| Ok(())))) };
    let problems = plan(&bound, &Settings::default(), &endpoints).err().unwrap();
    assert!(problems[0].message.contains("needs a key"), "{}", problems[0].message);
}

#[test]
fn files_are_looked_up_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    for (day, text) in [("1", "a,10\nb,5\n"), ("2", "a,20\n")] {
        let day = folder.path().join(format!("day={day}"));
        std::fs::create_dir(&day).unwrap();
        std::fs::write(day.join("part.csv"), text).unwrap();
    }
    let table = |options: &str| {
        format!(
            "{} CREATE TABLE f (k STRING, v INT, `day` INT, twice AS v * 2) PARTITIONED BY (`day`) WITH
               ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv' {options});",
            TABLES.replace("OPTIONS", ""),
            folder.path().display()
        )
    };
    let query = "SELECT o.id, f.v, f.twice, f.`day` FROM o LEFT JOIN f FOR SYSTEM_TIME AS OF o.pt ON o.k = f.k;";
    for options in ["", ", 'lookup.cache' = 'FULL'", ", 'source.monitor-interval' = '1 s'"] {
        for parallelism in [1, 2] {
            let (rows, figures) = run(&format!("{}{query}", table(options)), parallelism);
            let expected = [
                "[1,10,20,1]",
                "[1,20,40,2]",
                "[2,5,10,1]",
                "[3,10,20,1]",
                "[3,20,40,2]",
                "[4,null,null,null]",
                "[5,null,null,null]",
            ];
            assert_eq!(rows, expected, "{options} at parallelism {parallelism}");
            assert_eq!(figures.entries, 2);
        }
    }

    let refused = |options: &str| {
        let problems = bind(&format!("{}{query}", table(options)), &CatalogText::default()).unwrap_err();
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join(" ")
    };
    assert!(refused(", 'lookup.cache' = 'PARTIAL'").contains("lookup.cache"));
    let changelog = table("").replace("'csv'", "'debezium-json'");
    let problems = bind(&format!("{changelog}{query}"), &CatalogText::default()).unwrap_err();
    assert!(problems.iter().any(|problem| problem.message.contains("cannot be asked for rows by key")), "{problems:?}");
}
