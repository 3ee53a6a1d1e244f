//! Rows by key.

use arrow::array::RecordBatch;

use super::*;
use crate::connector::testing::lines;
use crate::connector::{Lookup, LookupColumns, registry};
use crate::types::LogicalType as L;

fn lookup(server: &Server, table: &TableRef, keys: &[usize], columns: &[usize]) -> Arc<dyn Lookup> {
    let columns = LookupColumns { keys: keys.to_vec(), columns: columns.to_vec() };
    registry::find(table.connector()).unwrap().lookup(table, &columns, &server.context("lookup")).unwrap()
}

/// The rows of keys given as JSON, each with the number of its key, in order.
fn find(server: &Server, lookup: &dyn Lookup, keys: &[(&str, LogicalType)], rows: &[&str]) -> Vec<String> {
    let keys: RecordBatch = batch(&table(keys, &[]), rows).rows;
    let found = server.runtime.block_on(lookup.find(keys)).unwrap();
    assert_eq!(found.rows.num_rows(), found.key_of.len());
    let texts = lines(&ChangeBatch::inserts(found.rows));
    let mut all: Vec<String> = found.key_of.iter().zip(texts).map(|(key, row)| format!("{key} {row}")).collect();
    all.sort();
    all
}

#[test]
fn rows_are_found_by_their_keys() {
    for server in servers("rows_are_found_by_their_keys") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a bigint, b varchar(10), v int)"));
        server.run(&format!(
            "INSERT INTO {name} VALUES (1, 'x', 10), (1, 'y', 11), (2, 'it''s', 20), (9007199254740993, 'x', 30), (NULL, 'x', 40)"
        ));
        let table = server.table(&name, &[("b", L::String), ("a", L::BigInt), ("v", L::Int)], &[]);
        let by_number = lookup(&server, &table, &[1], &[1, 2]);
        let keys = [("a", L::BigInt)];
        let asked =
            [r#"{"a":2}"#, r#"{"a":9007199254740993}"#, r#"{"a":7}"#, r#"{"a":1}"#, r#"{"a":9007199254740992}"#];
        let expected = [
            r#"0 +I{"a":2,"v":20}"#,
            r#"1 +I{"a":9007199254740993,"v":30}"#,
            r#"3 +I{"a":1,"v":10}"#,
            r#"3 +I{"a":1,"v":11}"#,
        ];
        assert_eq!(find(&server, &*by_number, &keys, &asked), expected);
        // The same connection serves the next request.
        assert_eq!(find(&server, &*by_number, &keys, &asked[2..3]), Vec::<String>::new());

        let by_both = lookup(&server, &table, &[0, 1], &[2, 0, 1]);
        let keys = [("b", L::String), ("a", L::BigInt)];
        let asked = [r#"{"b":"it's","a":2}"#, r#"{"b":"x","a":1}"#, r#"{"b":"x","a":2}"#];
        let expected = [r#"0 +I{"v":20,"b":"it's","a":2}"#, r#"1 +I{"v":10,"b":"x","a":1}"#];
        assert_eq!(find(&server, &*by_both, &keys, &asked), expected);
    }
}

#[test]
fn the_server_says_what_is_equal() {
    for server in servers("the_server_says_what_is_equal") {
        let name = server.name();
        let ty = server.pick("uuid", "varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
        server.run(&format!("CREATE TABLE {name} (k {ty} PRIMARY KEY, v int)"));
        server.run(&format!("INSERT INTO {name} VALUES ('0190a2b4-0000-7000-8000-00000000000a', 1)"));
        let table = server.table(&name, &[("k", L::String), ("v", L::Int)], &[]);
        let lookup = lookup(&server, &table, &[0], &[0, 1]);
        let asked = [
            r#"{"k":"0190A2B4-0000-7000-8000-00000000000A"}"#,
            r#"{"k":"0190a2b4-0000-7000-8000-00000000000a"}"#,
            r#"{"k":"0190a2b4-0000-7000-8000-00000000000b"}"#,
        ];
        let row = r#"+I{"k":"0190a2b4-0000-7000-8000-00000000000a","v":1}"#;
        let expected = [format!("0 {row}"), format!("1 {row}")];
        assert_eq!(find(&server, &*lookup, &[("k", L::String)], &asked), expected);
    }
}

#[test]
fn the_whole_table_is_loaded_in_pieces() {
    for server in servers("the_whole_table_is_loaded_in_pieces") {
        let name = server.name();
        server.run(&format!("CREATE TABLE {name} (a int)"));
        let numbers = server.pick("generate_series(1, 10000) AS s(n)", "(SELECT seq AS n FROM seq_1_to_10000) AS s");
        server.run(&format!("INSERT INTO {name} SELECT n FROM {numbers}"));
        let table = server.table(&name, &[("a", L::Int)], &[]);
        let lookup = lookup(&server, &table, &[0], &[0]);
        let mut sizes = Vec::new();
        let mut take = |rows: RecordBatch| {
            sizes.push(rows.num_rows());
            Ok(())
        };
        server.runtime.block_on(lookup.load(&mut take)).unwrap();
        assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (3, 10_000));
    }
}

#[test]
fn a_closed_connection_is_replaced() {
    for shared in servers("a_closed_connection_is_replaced") {
        let server = shared.alone();
        server.run("CREATE TABLE t (a int)");
        server.run("INSERT INTO t VALUES (1)");
        let table = server.table("t", &[("a", L::Int)], &[]);
        let lookup = lookup(&server, &table, &[0], &[0]);
        let keys = [("a", L::Int)];
        let expected = [r#"0 +I{"a":1}"#];
        assert_eq!(find(&server, &*lookup, &keys, &[r#"{"a":1}"#]), expected);
        shared.kill_connections(&server);
        let rows = batch(&table, &[r#"{"a":1}"#]).rows;
        let error = server.runtime.block_on(lookup.find(rows)).unwrap_err();
        // The operator asks again.
        assert!(error.retry, "{error:?}");
        assert_eq!(find(&server, &*lookup, &keys, &[r#"{"a":1}"#]), expected);
    }
}
