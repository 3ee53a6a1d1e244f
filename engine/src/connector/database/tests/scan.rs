//! Reading, side by side and from the middle on.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::connector::testing::{lines, read, read_all, reader, source};
use datafusion_common::ScalarValue;

use crate::connector::{
    ColumnTest, Comparison, RowFilter, SourceEvent, SplitId, SplitPosition, SplitStart, Test, registry,
};
use crate::expr::Value;
use crate::types::LogicalType as L;

/// Numbers 1 to `rows` as a sub-query with the column `n`.
fn numbers(server: &Server, rows: u32) -> String {
    if server.is_mysql() {
        format!("(SELECT seq AS n FROM seq_1_to_{rows}) AS s")
    } else {
        format!("generate_series(1, {rows}) AS s(n)")
    }
}

fn numbered(lines: &[String]) -> Vec<i64> {
    let number = |line: &String| {
        let row: serde_json::Value = serde_json::from_str(&line[2..]).unwrap();
        row["n"].as_i64().unwrap()
    };
    let mut all: Vec<i64> = lines.iter().map(number).collect();
    all.sort_unstable();
    all
}

#[test]
fn ranges_are_read_side_by_side() {
    for server in servers("ranges_are_read_side_by_side") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (n int PRIMARY KEY, d numeric(10,2), v varchar(20))"));
        let rows = numbers(&server, 5000);
        server.run(&format!("INSERT INTO {name} SELECT n, n / 4.0, concat('v', n) FROM {rows}"));
        let partitions = [
            ("scan.partition.column", "d"),
            ("scan.partition.num", "3"),
            ("scan.partition.lower-bound", "1"),
            ("scan.partition.upper-bound", "1000"),
        ];
        let columns = [("n", L::BigInt), ("d", L::Decimal { precision: 10, scale: 2 })];
        let table = server.table_with(&name, &columns, &[], &partitions);
        let context = server.context("scan");
        let source = source(&table, &context);
        let splits = source.splits().unwrap();
        assert_eq!(splits.len(), 3);
        let mut all = Vec::new();
        let mut sizes = Vec::new();
        for split in splits {
            let mut reader = source.reader(vec![SplitStart { split, position: None }]).unwrap();
            let found = read(&mut *reader, usize::MAX).unwrap();
            sizes.push(found.len());
            all.extend(found);
        }
        assert!(sizes.iter().all(|size| *size > 1300), "{sizes:?}");
        // Bounds are 1.00 to 1000.00, which is 4 to 4000; fractions between two ranges are not lost.
        assert_eq!(numbered(&all), (4..=4000).collect::<Vec<i64>>());
    }
}

/// Reads some batches, then goes on with a new reader from the positions as a checkpoint keeps them.
fn in_two_halves(server: &Server, table: &TableRef, change: impl FnOnce()) -> (Vec<String>, Vec<String>) {
    let context = server.context("scan");
    let source = source(table, &context);
    let mut first = reader(&*source, &[]);
    let mut found = Vec::new();
    while found.len() < 250 {
        match first.next(Duration::from_millis(500)).unwrap() {
            SourceEvent::Batch { batch, .. } => found.extend(lines(&batch)),
            SourceEvent::End => panic!("the table is too small"),
            _ => {}
        }
    }
    let text = serde_json::to_string(&first.positions()).unwrap();
    drop(first);
    change();
    let positions: Vec<(SplitId, SplitPosition)> = serde_json::from_str(&text).unwrap();
    let rest = read(&mut *reader(&*source, &positions), usize::MAX).unwrap();
    (found, rest)
}

#[test]
fn reading_goes_on_behind_the_last_row() {
    for server in servers("reading_goes_on_behind_the_last_row") {
        let bytes = server.pick("bytea", "varbinary(20)");
        let mood = server.pick("text", "enum('sad','ok','happy')");
        let of_number = |expression: &str, ty: &str| {
            if server.is_mysql() { expression.to_owned() } else { format!("({expression})::{ty}") }
        };
        let keys: Vec<(&str, String, String)> = vec![
            ("n int PRIMARY KEY", String::new(), String::new()),
            ("n int, k varchar(20), PRIMARY KEY (k, n)", ", k".to_owned(), ", concat('it''s ', n % 7)".to_owned()),
            ("n int, k decimal(20,3) PRIMARY KEY", ", k".to_owned(), ", n / 8.0".to_owned()),
            (
                "n int, k timestamp(6) PRIMARY KEY",
                ", k".to_owned(),
                server
                    .pick(
                        ", timestamp '2020-01-01' + n * interval '1.5 second'",
                        ", timestamp '2020-01-01 00:00:00' + interval n * 1.5 second",
                    )
                    .to_owned(),
            ),
            (
                "n int, k double precision PRIMARY KEY",
                ", k".to_owned(),
                format!(", {}", of_number("n / 7e0", "float8")),
            ),
        ];
        for (key, names, values) in keys {
            let name = server.name();
            server.run(&format!("CREATE TABLE {name} ({key})"));
            let rows = numbers(&server, 1000);
            server.run(&format!("INSERT INTO {name} (n{names}) SELECT n{values} FROM {rows}"));
            let table = server.table(&name, &[("n", L::Int)], &[]);
            let (first, rest) = in_two_halves(&server, &table, || ());
            assert_eq!(numbered(&[first, rest].concat()), (1..=1000).collect::<Vec<i64>>(), "{key}");
        }
        for (ty, value) in [
            (bytes, server.pick("decode(to_hex(n + 65536), 'hex')", "unhex(hex(n + 65536))")),
            (mood, server.pick("(array['sad','ok','happy'])[1 + n % 3]", "1 + n % 3")),
        ] {
            let name = server.name();
            server.run(&format!("CREATE TABLE {name} (n int, k {ty}, PRIMARY KEY (k, n))").replace("65536", "1048576"));
            let rows = numbers(&server, 600);
            let value = value.replace("65536", "1048576");
            server.run(&format!("INSERT INTO {name} (n, k) SELECT n, {value} FROM {rows}"));
            let table = server.table(&name, &[("n", L::Int)], &[]);
            let (first, rest) = in_two_halves(&server, &table, || ());
            assert_eq!(numbered(&[first, rest].concat()), (1..=600).collect::<Vec<i64>>(), "{ty}");
        }
    }
}

#[test]
fn a_key_holds_when_rows_before_it_go() {
    for server in servers("a_key_holds_when_rows_before_it_go") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (n int PRIMARY KEY)"));
        server.run(&format!("INSERT INTO {name} SELECT n FROM {}", numbers(&server, 1000)));
        let table = server.table(&name, &[("n", L::Int)], &[]);
        let (first, rest) =
            in_two_halves(&server, &table, || server.run(&format!("DELETE FROM {name} WHERE n <= 100")));
        assert_eq!(numbered(&[first, rest].concat()), (1..=1000).collect::<Vec<i64>>());
    }
}

#[test]
fn without_a_key_equal_rows_are_counted() {
    for server in servers("without_a_key_equal_rows_are_counted") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (n int, v varchar(10), j json)"));
        let rows = numbers(&server, 1000);
        let json = server.pick("'{\"a\":1}'::json", "'{\"a\":1}'");
        server.run(&format!(
            "INSERT INTO {name} SELECT n % 10, CASE WHEN n % 20 < 10 THEN 'a' ELSE 'A' END, {json} FROM {rows}"
        ));
        server.run(&format!("INSERT INTO {name} (n) VALUES (0)"));
        let table = server.table(&name, &[("n", L::Int), ("v", L::String), ("j", L::String)], &[]);
        let (first, rest) = in_two_halves(&server, &table, || ());
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        [first, rest].concat().into_iter().for_each(|line| *counts.entry(line).or_default() += 1);
        assert_eq!(counts.len(), 21, "{counts:?}");
        assert_eq!(counts.values().sum::<usize>(), 1001);
    }
}

#[test]
fn only_wanted_columns_are_asked_for() {
    for server in servers("only_wanted_columns_are_asked_for") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a int PRIMARY KEY, b int)"));
        server.run(&format!("INSERT INTO {name} VALUES (1, 10), (2, NULL)"));
        // A column that the database has not is no matter as long as nobody asks for it.
        let table = server.table(&name, &[("a", L::Int), ("x", L::Int), ("b", L::Int)], &[]);
        let context = server.context("scan");
        let connector = registry::find(table.connector()).unwrap();
        let source = connector.source(&table, &[2], &context).unwrap();
        assert_eq!(read(&mut *reader(&*source, &[]), 99).unwrap(), [r#"+I{"b":10}"#, r#"+I{"b":null}"#]);
        let none = connector.source(&table, &[], &context).unwrap();
        let mut none = reader(&*none, &[]);
        let SourceEvent::Batch { batch, .. } = none.next(Duration::from_secs(10)).unwrap() else { panic!("no batch") };
        assert_eq!(batch.len(), 2);
        let error = read_all(&table, &context).unwrap_err();
        assert!(error.message.contains("no column 'x'"), "{}", error.message);
        let missing = server.table("no_such_table", &[("a", L::Int)], &[]);
        let error = read_all(&missing, &context).unwrap_err();
        assert!(error.message.contains("no table 'no_such_table'") && !error.retry, "{}", error.message);
    }
}

#[test]
fn the_catalog_is_fetched_and_a_table_tested() {
    for server in servers("the_catalog_is_fetched_and_a_table_tested") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a int PRIMARY KEY, at timestamp(3) NULL)"));
        server.run(&format!("INSERT INTO {name} (a) VALUES (1)"));
        let context = server.context("fetch");
        let connector = registry::find(server.pick("postgres", "mysql")).unwrap();
        let mut options = server.table(&name, &[], &[]).options.clone();
        let found = server.runtime.block_on(connector.fetch(&options, &context)).unwrap();
        let columns: Vec<(&str, &str)> =
            found.columns.iter().map(|column| (column.name.as_str(), column.data_type.as_str())).collect();
        assert_eq!(columns, [("a", "INT"), ("at", server.pick("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"))]);
        assert!(found.origin.contains("(a)"), "{}", found.origin);
        assert_eq!(found.event_time.unwrap().column, "at");
        options.remove("table-name");
        let error = server.runtime.block_on(connector.fetch(&options, &context)).unwrap_err();
        assert!(error.message.contains("'table-name' is missing"), "{}", error.message);

        let table = server.table(&name, &[("a", L::Int)], &[]);
        let tested = server.runtime.block_on(connector.test(&table, &context));
        assert!(tested.ok && tested.steps.len() == 3, "{tested:?}");
        let wrong = server.table_with(&name, &[("a", L::Int)], &[], &[("username", "nobody"), ("password", "x")]);
        let tested = server.runtime.block_on(connector.test(&wrong, &context));
        assert!(!tested.ok && tested.steps.len() == 1, "{tested:?}");
        let local = server.table_with(&name, &[("a", L::Int)], &[], &[(crate::connector::NO_LOCAL, "true")]);
        let tested = server.runtime.block_on(connector.test(&local, &context));
        assert!(tested.steps[0].detail.contains("local-only"), "{tested:?}");
        // As on a server of the platform.
        let context = ConnectorContext { file_roots: vec!["/srv".into()], ..context };
        assert!(read_all(&table, &context).unwrap_err().message.contains("local-only"));
    }
}

#[test]
fn a_range_that_was_read_is_only_told() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = [
        ("connector", "postgres"),
        // Nobody is asked.
        ("hostname", "127.0.0.1"),
        ("port", "1"),
        ("database-name", "d"),
        ("table-name", "t"),
        ("scan.partition.column", "n"),
        ("scan.partition.num", "2"),
        ("scan.partition.lower-bound", "0"),
        ("scan.partition.upper-bound", "9"),
    ];
    let table = table(&[("n", L::Int)], &options);
    let source = source(&table, &context(&runtime, "scan"));
    let done = SplitPosition(serde_json::json!({ "rows": 5, "done": true }));
    let positions: Vec<(SplitId, SplitPosition)> =
        source.splits().unwrap().into_iter().map(|split| (split, done.clone())).collect();
    let mut reader = reader(&*source, &positions);
    for _ in 0..2 {
        assert!(matches!(reader.next(Duration::ZERO).unwrap(), SourceEvent::SplitEnd { .. }));
    }
    assert!(matches!(reader.next(Duration::ZERO).unwrap(), SourceEvent::End));
    assert_eq!(reader.positions(), positions);
}

#[test]
fn rows_that_no_query_asks_for_stay_on_the_server() {
    for server in servers("rows_that_no_query_asks_for_stay_on_the_server") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (n int PRIMARY KEY, v varchar(20), d date, x double precision)"));
        let rows = numbers(&server, 1000);
        let day = server.pick("date '2020-01-01' + n", "date '2020-01-01' + interval n day");
        server.run(&format!("INSERT INTO {name} SELECT n, concat('v', n % 10), {day}, n FROM {rows}"));
        let columns = [("n", L::BigInt), ("v", L::String), ("d", L::Date), ("x", L::Double)];
        let table = server.table_with(&name, &columns, &[], &[]);
        let context = server.context("scan");
        let whole = source(&table, &context);
        let compare = |column: &str, comparison, value| ColumnTest {
            column: column.to_owned(),
            test: Test::Compare(comparison, value),
        };
        let day = |days: i32| Value(ScalarValue::Date32(Some(days)));
        let one = vec![
            compare("n", Comparison::LessOrEqual, Value::big_int(100)),
            compare("v", Comparison::Equal, Value::string("v3")),
            compare("x", Comparison::Equal, Value::big_int(7)),
        ];
        // 2020-01-01 is day 18262.
        let other = vec![compare("d", Comparison::Greater, day(18_262 + 998))];
        let filtered = whole.filtered(&RowFilter { uses: vec![one, other] }).unwrap();
        let mut reader = reader(&*filtered, &[]);
        let found = read(&mut *reader, usize::MAX).unwrap();
        let expected: Vec<i64> = (0..10).map(|tens| tens * 10 + 3).chain([999, 1000]).collect();
        assert_eq!(numbered(&found), expected);
    }
}
