//! What a server offers: tables and views with their comments, keys, and the steps of reaching it.

use std::collections::BTreeMap;

use super::*;
use crate::connector::{Connector, registry};

fn options(server: &Server, table: Option<&str>) -> BTreeMap<String, String> {
    let all = server.options(table.unwrap_or_default()).into_iter();
    all.filter(|(name, _)| table.is_some() || *name != "table-name")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn connector(server: &Server) -> &'static dyn Connector {
    registry::find(server.pick("postgres", "mysql")).unwrap()
}

#[test]
fn tables_and_views_are_listed_with_their_comments() {
    for server in servers("offered") {
        let alone = server.alone();
        if alone.is_mysql() {
            alone.run("CREATE TABLE orders (id INT PRIMARY KEY) COMMENT 'all orders'");
        } else {
            alone.run("CREATE TABLE orders (id INT PRIMARY KEY)");
            alone.run("COMMENT ON TABLE orders IS 'all orders'");
            alone.run("CREATE SCHEMA sales; CREATE TABLE sales.refunds (id INT)");
        }
        alone.run("CREATE VIEW newest AS SELECT id FROM orders");
        let context = alone.context("offered");
        let found = alone.runtime.block_on(connector(&alone).objects(&options(&alone, None), &context)).unwrap();
        let lines: Vec<String> = found
            .iter()
            .map(|object| format!("{}.{} {} {}", object.schema, object.name, object.kind, object.comment))
            .collect();
        let expected: &[&str] = alone.pick(
            &["public.newest view ", "public.orders table all orders", "sales.refunds table "],
            &[".newest view ", ".orders table all orders"],
        );
        assert_eq!(lines, expected);
    }
}

#[test]
fn key_and_comments_come_with_the_columns() {
    for server in servers("offered") {
        let alone = server.alone();
        if alone.is_mysql() {
            alone.run(
                "CREATE TABLE orders (shop INT COMMENT 'which shop', id BIGINT, note VARCHAR(10), PRIMARY KEY (id, shop)) COMMENT 'all orders'",
            );
        } else {
            alone.run("CREATE TABLE orders (shop INT, id BIGINT, note VARCHAR(10), PRIMARY KEY (id, shop))");
            alone.run("COMMENT ON TABLE orders IS 'all orders'; COMMENT ON COLUMN orders.shop IS 'which shop'");
        }
        let context = alone.context("offered");
        let options = options(&alone, Some("orders"));
        let fetched = alone.runtime.block_on(connector(&alone).fetch(&options, &context)).unwrap();
        assert_eq!(fetched.primary_key, ["id", "shop"]);
        assert_eq!(fetched.comment, "all orders");
        let columns: Vec<String> = fetched
            .columns
            .iter()
            .map(|column| format!("{} {} {} {}", column.name, column.data_type, column.nullable, column.comment))
            .collect();
        assert_eq!(columns, ["shop INT false which shop", "id BIGINT false ", "note VARCHAR(10) true "]);
    }
}

#[test]
fn a_probe_tells_how_far_it_came() {
    for server in servers("offered") {
        let context = server.context("offered");
        let probe = |options: &BTreeMap<String, String>| {
            let test = server.runtime.block_on(connector(&server).probe(options, &context));
            let steps: Vec<String> = test.steps.iter().map(|step| format!("{} {}", step.name, step.ok)).collect();
            (test.ok, steps)
        };
        let good = options(&server, None);
        let all = ["Resolve name true", "Connect true", "Sign in true", "May read true"];
        assert_eq!(probe(&good), (true, all.map(str::to_owned).to_vec()));
        let with = |name: &str, value: &str| {
            let mut changed = good.clone();
            changed.insert(name.to_owned(), value.to_owned());
            changed
        };
        let (ok, steps) = probe(&with("hostname", "no-such-host.invalid"));
        assert!(!ok && steps == ["Resolve name false"], "{steps:?}");
        let (ok, steps) = probe(&with("port", "1"));
        assert!(!ok && steps == ["Resolve name true", "Connect false"], "{steps:?}");
        let (ok, steps) = probe(&with("database-name", "no_such_database"));
        assert!(!ok && steps == ["Resolve name true", "Connect true", "Sign in false"], "{steps:?}");
        // Not to this machine, where the platform says so; unless an administrator allows it.
        let (ok, steps) = probe(&with(crate::connector::NO_LOCAL, "true"));
        assert!(!ok && steps == ["Resolve name false"], "{steps:?}");
        let on_server = ConnectorContext { file_roots: vec!["/nowhere".into()], ..context.clone() };
        let allowed = with(crate::connector::NO_LOCAL, "false");
        assert!(server.runtime.block_on(connector(&server).probe(&allowed, &on_server)).ok);
        assert!(!server.runtime.block_on(connector(&server).probe(&good, &on_server)).ok);
    }
}
