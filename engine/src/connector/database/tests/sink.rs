//! Writing at least once.

use std::time::Duration;

use super::*;
use crate::connector::{SinkWriter, registry};
use crate::types::LogicalType as L;

pub(super) fn writer(server: &Server, table: &TableRef) -> Box<dyn SinkWriter> {
    let sink = registry::find(table.connector()).unwrap().sink(table, &server.context("sink")).unwrap();
    sink.writer(0, 1, Vec::new()).unwrap()
}

#[test]
fn rows_are_replaced_and_deleted_by_key() {
    for server in servers("rows_are_replaced_and_deleted_by_key") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a bigint, b varchar(20), v int, PRIMARY KEY (a, b))"));
        let columns = [("v", L::Int), ("b", L::String), ("a", L::BigInt)];
        let table = server.table(&name, &columns, &["a", "b"]);
        let mut writer = writer(&server, &table);
        let big = "9007199254740993";
        let first = format!("+I{{\"a\":{big},\"b\":\"it's\",\"v\":1}}");
        let near = "+I{\"a\":9007199254740992,\"b\":\"it's\",\"v\":2}";
        let last = "+U{\"a\":1,\"b\":\"\\\\\",\"v\":4}";
        writer.write(&changes(&table, &[&first, near, "+I{\"a\":1,\"b\":\"\\\\\",\"v\":3}", last])).unwrap();
        writer
            .write(&changes(&table, &["+I{\"a\":2,\"b\":\"x\",\"v\":5}", "-D{\"a\":2,\"b\":\"x\",\"v\":5}"]))
            .unwrap();
        writer
            .write(&changes(&table, &["-D{\"a\":3,\"b\":\"x\",\"v\":5}", "+I{\"a\":3,\"b\":\"x\",\"v\":6}"]))
            .unwrap();
        writer.prepare(1).unwrap();
        let rows = || server.rows(&format!("SELECT a, b, v FROM {name} ORDER BY a, b"));
        let all = ["1,\\,4", "3,x,6", "9007199254740992,it's,2", "9007199254740993,it's,1"];
        assert_eq!(rows(), all);
        // Numbers near each other are told apart.
        writer.write(&changes(&table, &[&first.replace("+I", "-D"), "+U{\"a\":3,\"b\":\"x\"}"])).unwrap();
        writer.close().unwrap();
        assert_eq!(rows(), ["1,\\,4", "3,x,NULL", "9007199254740992,it's,2"]);
    }
}

#[test]
fn many_rows_and_a_key_of_all_columns() {
    for server in servers("many_rows_and_a_key_of_all_columns") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a int PRIMARY KEY)"));
        let table = server.table_with(&name, &[("a", L::Int)], &["a"], &[("sink.buffer-flush.max-rows", "0")]);
        let mut writer = writer(&server, &table);
        let rows: Vec<String> = (0..5000).map(|n| format!("+I{{\"a\":{}}}", n % 2500)).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        writer.write(&changes(&table, &rows)).unwrap();
        writer.prepare(1).unwrap();
        writer.write(&changes(&table, &rows[..10])).unwrap();
        writer.close().unwrap();
        assert_eq!(server.rows(&format!("SELECT count(*), sum(a) FROM {name}")), ["2500,3123750"]);
    }
}

#[test]
fn without_a_key_rows_are_inserted_when_it_is_time() {
    for server in servers("without_a_key_rows_are_inserted_when_it_is_time") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a int)"));
        let more = [("sink.buffer-flush.max-rows", "3"), ("sink.buffer-flush.interval", "300 ms")];
        let table = server.table_with(&name, &[("a", L::Int)], &[], &more);
        let mut writer = writer(&server, &table);
        let count = || server.rows(&format!("SELECT count(*) FROM {name}")).concat();
        writer.write(&changes(&table, &["+I{\"a\":1}", "+I{\"a\":1}"])).unwrap();
        assert_eq!(count(), "0");
        writer.write(&changes(&table, &["+I{\"a\":1}"])).unwrap();
        assert_eq!(count(), "3");
        writer.write(&changes(&table, &["+I{\"a\":1}"])).unwrap();
        writer.poll().unwrap();
        assert_eq!(count(), "3");
        crate::connector::waiting::rest(Duration::from_millis(350));
        writer.poll().unwrap();
        assert_eq!(count(), "4");
    }
}

#[test]
fn a_lost_connection_is_opened_again() {
    for shared in servers("a_lost_connection_is_opened_again") {
        let server = shared.alone();
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a int PRIMARY KEY)"));
        let table = server.table(&name, &[("a", L::Int)], &["a"]);
        let mut writer = writer(&server, &table);
        writer.write(&changes(&table, &["+I{\"a\":1}"])).unwrap();
        writer.prepare(1).unwrap();
        shared.kill_connections(&server);
        writer.write(&changes(&table, &["+I{\"a\":2}"])).unwrap();
        writer.prepare(2).unwrap();
        assert_eq!(server.rows(&format!("SELECT count(*) FROM {name}")), ["2"]);
    }
}

#[test]
fn what_cannot_work_is_refused() {
    for server in servers("what_cannot_work_is_refused") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a int, v int NOT NULL)"));
        let message = |table: &TableRef, row: &str| {
            let mut writer = writer(&server, table);
            let result = writer.write(&changes(table, &[row])).and_then(|()| writer.prepare(1));
            result.unwrap_err().message
        };
        let keyed = server.table(&name, &[("a", L::Int), ("v", L::Int)], &["a"]);
        assert!(message(&keyed, "+I{\"a\":1,\"v\":1}").contains("unique index on exactly (a)"));
        let plain = server.table(&name, &[("a", L::Int), ("v", L::Int)], &[]);
        assert!(message(&plain, "+I{\"a\":1}").contains("The database says"));
        let wrong = server.table(&name, &[("nope", L::Int)], &[]);
        assert!(message(&wrong, "+I{\"nope\":1}").contains("no column 'nope'"));
        if server.is_mysql() {
            let name = server.name();
            server.run(&format!("CREATE TABLE {name} (a int) ENGINE = MyISAM"));
            let exact = [("sink.delivery-guarantee", "exactly-once")];
            let table = server.table_with(&name, &[("a", L::Int)], &[], &exact);
            assert!(message(&table, "+I{\"a\":1}").contains("without transactions"));
        }
    }
}
