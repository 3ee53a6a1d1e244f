//! What a sandbox takes the place of, and what it never does; the rules of comparison; SQL tests as a whole.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use millrace_wire::job_test::{ExpectedSink, RowOrder, TestDraft, TestInput, TestResult};
use millrace_wire::preview::{PreviewRow, ResultColumn, RowKind};
use millrace_wire::test_run::{ResultView, SuppliedRow};
use serde_json::{Value, json};

use super::*;
use crate::catalog::{CatalogText, TableRef};
use crate::connector::registry;
use crate::connector::testing::{context_on, table, with_options};
use crate::types::LogicalType;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn no_such_folder() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("millrace-sandbox-{}", std::process::id()))
}

fn tables() -> Vec<TableRef> {
    let columns = [("id", LogicalType::BigInt), ("name", LogicalType::String)];
    let kafka = table(
        &columns,
        &[("connector", "kafka"), ("topic", "t"), ("properties.bootstrap.servers", "127.0.0.1:1"), ("format", "json")],
    );
    let upsert =
        with_options(&kafka, &[("connector", "upsert-kafka"), ("key.format", "json"), ("value.format", "json")]);
    let database = [
        ("hostname", "127.0.0.1"),
        ("port", "1"),
        ("database-name", "d"),
        ("username", "u"),
        ("password", "p"),
        ("table-name", "t"),
    ];
    let postgres = with_options(&table(&columns, &database), &[("connector", "postgres")]);
    let keyed = |table: &TableRef| {
        let mut def = crate::catalog::TableDef::clone(table);
        def.primary_key = vec![0];
        Arc::new(def)
    };
    let folder = no_such_folder().display().to_string();
    let files = table(&columns, &[("connector", "filesystem"), ("path", &folder), ("format", "json")]);
    vec![
        with_options(&kafka, &[("format", "debezium-json")]),
        keyed(&{
            let mut def = crate::catalog::TableDef::clone(&upsert);
            def.options.remove("format");
            Arc::new(def)
        }),
        kafka,
        keyed(&postgres),
        postgres,
        with_options(&files, &[("format", "debezium-json")]),
        files,
        table(&columns, &[("connector", "print")]),
        table(&columns, &[("connector", "blackhole")]),
    ]
}

#[test]
fn a_sandbox_takes_what_the_real_sink_takes() {
    let runtime = runtime();
    for table in tables() {
        let connector = registry::find(table.connector()).unwrap();
        let real = connector.sink(&table, &context_on(runtime.handle().clone(), "real")).unwrap();
        assert_eq!(connector.takes(&table), real.accepts(), "{:?}", table.options);
    }
    assert!(!no_such_folder().exists(), "a sink that is only planned has made its folder");
}

#[test]
fn what_a_sandbox_gives_to_connectors_makes_no_sink_and_no_committer() {
    let runtime = runtime();
    // Whoever made the context wanted to write.
    let outside = Outside::to_read(context_on(runtime.handle().clone(), "sandbox"));
    let context = outside.connector_context().unwrap();
    assert!(context.committers.all().is_empty());
    let made = context.committers.get_or_insert("kafka:x", &|| panic!("a committer was made"));
    assert!(made.is_err());
    for table in tables().iter().filter(|table| !["print", "blackhole"].contains(&table.connector())) {
        let refused = registry::find(table.connector()).unwrap().sink(table, context);
        assert!(refused.is_err(), "{} makes sinks for a sandbox", table.connector());
    }
}

/// The promise of the module, by its text: connectors are asked for sources and lookups only.
#[test]
fn nothing_here_asks_a_connector_for_a_sink() {
    let sources = [
        include_str!("capture.rs"),
        include_str!("endpoints.rs"),
        include_str!("input_tap.rs"),
        include_str!("sql_test.rs"),
        include_str!("supplied.rs"),
        include_str!("../link/test_run.rs"),
    ];
    for source in sources {
        assert!(!source.contains(".sink(") && !source.contains("ConnectorEndpoints"), "{source}");
    }
}

fn changes(rows: &[(RowKind, Value)]) -> Vec<PreviewRow> {
    rows.iter().map(|(kind, values)| PreviewRow { kind: *kind, values: values.as_array().unwrap().clone() }).collect()
}

fn inserts(rows: &[Value]) -> Vec<PreviewRow> {
    changes(&rows.iter().map(|row| (RowKind::Insert, row.clone())).collect::<Vec<_>>())
}

fn columns() -> Vec<ResultColumn> {
    let column =
        |name: &str, data_type: &str, key| ResultColumn { name: name.to_owned(), data_type: data_type.to_owned(), key };
    vec![column("id", "INT", true), column("price", "DOUBLE", false), column("at", "TIMESTAMP(3)", false)]
}

#[test]
fn rows_of_one_key_stand_side_by_side() {
    let expected = inserts(&[json!([1, 1.5, "a"]), json!([2, 2.0, "b"]), json!([3, 0.0, "c"])]);
    let actual = inserts(&[json!([2, 2.5, "b"]), json!([4, 0.0, "d"]), json!([1, 1.5, "a"])]);
    let found = compare(&expected, &actual, &columns(), &Rules::strict());
    assert_eq!((found.matched, found.passed()), (1, false));
    assert_eq!(found.missing, inserts(&[json!([3, 0.0, "c"])]));
    assert_eq!(found.unexpected, inserts(&[json!([4, 0.0, "d"])]));
    let pair = (inserts(&[json!([2, 2.0, "b"])]).remove(0), inserts(&[json!([2, 2.5, "b"])]).remove(0), vec![1]);
    assert_eq!(found.different, [pair]);
}

#[test]
fn tolerance_is_for_floating_point_columns_only() {
    let expected = inserts(&[json!([1, 100.0, "a"]), json!([2, 0.1, "b"])]);
    let actual = inserts(&[json!([2, 0.1001, "b"]), json!([1, 100.05, "a"])]);
    let rules = |float_tolerance| Rules { float_tolerance, ..Rules::strict() };
    assert!(compare(&expected, &actual, &columns(), &rules(0.001)).passed());
    assert!(!compare(&expected, &actual, &columns(), &rules(0.0001)).passed());
    let other_key = inserts(&[json!([1, 100.0, "a"]), json!([3, 0.1, "b"])]);
    assert!(!compare(&expected, &other_key, &columns(), &rules(10.0)).passed());
}

#[test]
fn columns_can_be_left_out_and_order_can_count() {
    let expected = inserts(&[json!([1, 0.0, "x"]), json!([2, 0.0, "x"]), json!([3, 0.0, "x"])]);
    let actual = inserts(&[json!([2, 0.0, "y"]), json!([3, 0.0, "y"]), json!([1, 0.0, "y"])]);
    let ignore = ["at".to_owned()];
    let any = Rules { ignore: &ignore, ..Rules::strict() };
    assert!(compare(&expected, &actual, &columns(), &any).passed());
    let exact = Rules { order: RowOrder::Exact, ..any };
    let found = compare(&expected, &actual, &columns(), &exact);
    assert!(found.reordered && !found.passed());
    // Only what has to move is named.
    assert_eq!(found.missing, inserts(&[json!([1, 0.0, "x"])]));
    assert_eq!(found.unexpected, inserts(&[json!([1, 0.0, "y"])]));
}

#[test]
fn a_doubled_row_is_noticed() {
    let expected = inserts(&[json!([1, 0.0, "x"])]);
    let actual = inserts(&[json!([1, 0.0, "x"]), json!([1, 0.0, "x"])]);
    let found = compare(&expected, &actual, &columns(), &Rules::strict());
    assert_eq!((found.matched, found.unexpected.len()), (1, 1));
}

const TABLES: &str = "CREATE TABLE orders (id INT NOT NULL, customer STRING, price DECIMAL(10, 2), ts TIMESTAMP(3), \
     WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) \
     WITH ('connector' = 'kafka', 'topic' = 'orders', 'properties.bootstrap.servers' = '127.0.0.1:1', 'format' = 'json');\n\
     CREATE TABLE customers (customer STRING, city STRING) \
     WITH ('connector' = 'postgres', 'hostname' = '127.0.0.1', 'port' = '1', 'database-name' = 'd', 'username' = 'u', \
     'password' = 'p', 'table-name' = 'customers');\n\
     CREATE TABLE totals (customer STRING NOT NULL, total DECIMAL(10, 2), PRIMARY KEY (customer) NOT ENFORCED) \
     WITH ('connector' = 'postgres', 'hostname' = '127.0.0.1', 'port' = '1', 'database-name' = 'd', 'username' = 'u', \
     'password' = 'p', 'table-name' = 'totals');\n\
     CREATE TABLE windows (w TIMESTAMP(3), n BIGINT) \
     WITH ('connector' = 'filesystem', 'path' = '/no/such/folder', 'format' = 'json');\n";

fn row(values: Value) -> SuppliedRow {
    SuppliedRow { kind: RowKind::Insert, at: None, values }
}

fn at(at: i64, values: Value) -> SuppliedRow {
    SuppliedRow { at: Some(at), ..row(values) }
}

fn expect(table: &str, view: ResultView, rows: Vec<SuppliedRow>) -> ExpectedSink {
    let (order, ignore) = (RowOrder::Any, Vec::new());
    ExpectedSink { table: table.to_owned(), view, order, float_tolerance: 0.0, ignore, rows }
}

fn input(table: &str, rows: Vec<SuppliedRow>) -> TestInput {
    TestInput { table: table.to_owned(), rows }
}

fn tested(sql: &str, inputs: Vec<TestInput>, expected: Vec<ExpectedSink>) -> TestResult {
    let runtime = runtime();
    run_test(&TestRequest {
        sql: format!("{TABLES}{sql}"),
        catalog: CatalogText { default_database: "main".to_owned(), ..CatalogText::default() },
        test: TestDraft { name: "t".to_owned(), inputs, expected, parallelism: 1 },
        runtime: runtime.handle().clone(),
    })
}

const TOTALS: &str = "INSERT INTO totals SELECT customer, SUM(price) FROM orders GROUP BY customer;";

fn three_orders() -> Vec<TestInput> {
    vec![input(
        "orders",
        vec![
            at(0, json!({"id": 1, "customer": "a", "price": "1.50"})),
            at(1_000, json!({"id": 2, "customer": "b", "price": 2})),
            // In the order of the columns, and with a time as results show it.
            row(json!([3, "a", 0.25, "2020-01-01T00:00:00.000"])),
        ],
    )]
}

#[test]
fn a_test_passes_by_state_and_by_changelog() {
    let state = vec![row(json!({"customer": "a", "total": 1.75})), row(json!({"customer": "b", "total": "2.00"}))];
    let expected = vec![
        expect("totals", ResultView::State, state),
        ExpectedSink { table: "main.totals".to_owned(), ..expected_log() },
    ];
    let result = tested(TOTALS, three_orders(), expected);
    // The second one names a table that is not there: the script's own table has no database.
    assert!(!result.passed);
    assert!(result.sinks[0].passed, "{:?}", result.sinks[0]);
    assert_eq!(result.sinks[1].note, "The script does not write main.totals.");
    let result = tested(TOTALS, three_orders(), vec![expected_log()]);
    assert!(result.passed, "{result:?}");
}

fn expected_log() -> ExpectedSink {
    let change = |kind, customer: &str, total: f64| SuppliedRow { kind, ..row(json!([customer, total])) };
    let log = vec![
        change(RowKind::Insert, "a", 1.5),
        change(RowKind::Insert, "b", 2.0),
        // As the plan has it for this key: the old row goes before the new one comes.
        change(RowKind::Delete, "a", 1.5),
        change(RowKind::UpdateAfter, "a", 1.75),
    ];
    ExpectedSink { order: RowOrder::Exact, ..expect("totals", ResultView::Changelog, log) }
}

#[test]
fn a_failed_test_names_the_row_and_the_column() {
    let state = vec![row(json!({"customer": "a", "total": 9})), row(json!({"customer": "b", "total": 2}))];
    let result = tested(TOTALS, three_orders(), vec![expect("totals", ResultView::State, state)]);
    assert!(!result.passed && result.error.is_none());
    let sink = &result.sinks[0];
    assert_eq!((sink.matched, sink.missing.len(), sink.unexpected.len()), (1, 0, 0));
    assert_eq!((sink.different.len(), sink.different[0].columns.clone()), (1, vec![1]));
    assert_eq!(json!(sink.different[0].actual.values), json!(["a", "1.75"]));
    assert_eq!(sink.actual.len(), 2);
}

#[test]
fn event_times_of_rows_drive_windows_and_late_rows_are_dropped() {
    let minute = 60_000;
    let rows = vec![
        at(0, json!({"id": 1})),
        at(30_000, json!({"id": 2})),
        at(2 * minute, json!({"id": 3})),
        at(31_000, json!({"id": 4})),
    ];
    let sql = "INSERT INTO windows SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), \
               INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;";
    let expected =
        vec![row(json!({"w": "1970-01-01 00:00:00", "n": 2})), row(json!({"w": "1970-01-01T00:02:00", "n": 1}))];
    let result = tested(sql, vec![input("orders", rows)], vec![expect("windows", ResultView::Changelog, expected)]);
    assert!(result.passed, "{result:?}");
}

#[test]
fn tables_that_are_looked_up_are_supplied_too() {
    let sql = "INSERT INTO totals SELECT c.city, o.price FROM (SELECT *, PROCTIME() AS p FROM orders) AS o \
               JOIN customers FOR SYSTEM_TIME AS OF o.p AS c ON o.customer = c.customer;";
    let mut inputs = three_orders();
    inputs.push(input("customers", vec![row(json!({"customer": "b", "city": "Oslo"}))]));
    let expected = vec![expect("totals", ResultView::State, vec![row(json!(["Oslo", 2]))])];
    let result = tested(sql, inputs, expected);
    assert!(result.passed, "{result:?}");
    let result = tested(sql, three_orders(), Vec::new());
    let message = result.error.unwrap().message;
    assert_eq!(message, "The test gives no rows for customers, which the script reads.");
}

#[test]
fn what_is_wrong_with_a_test_is_said() {
    let wrong = |sql: &str, rows: Vec<SuppliedRow>| {
        let result = tested(sql, vec![input("orders", rows)], Vec::new());
        assert!(!result.passed);
        result.error.unwrap()
    };
    let bad = wrong(TOTALS, vec![row(json!({"id": 1})), row(json!({"nmae": 1}))]);
    assert_eq!(bad.message, "Row 2 of orders does not fit: there is no column nmae.");
    let bad = wrong(TOTALS, vec![row(json!({"id": 1, "price": "much"}))]);
    assert!(bad.message.starts_with("Row 1 of orders does not fit:"), "{}", bad.message);
    let bad = wrong(TOTALS, vec![SuppliedRow { kind: RowKind::Delete, ..row(json!({"id": 1})) }]);
    assert!(bad.message.contains("new rows only"), "{}", bad.message);
    let bad = wrong("INSERT INTO totals SELECT customer, nothing FROM orders;", Vec::new());
    assert!(bad.span.is_some() && bad.message.contains("nothing"), "{bad:?}");
}
