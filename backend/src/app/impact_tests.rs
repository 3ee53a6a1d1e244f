//! With the real engine: what a script stumbles over is told by planning it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use millrace_wire::connection::JobRef;
use millrace_wire::ids::JobId;

use super::*;
use crate::clock;
use crate::engine::front;

const BEFORE: &str = "CREATE TABLE orders (id BIGINT, amount DOUBLE, note STRING) WITH ('connector' = 'datagen')";

fn source(ddl: &str) -> TableSource {
    TableSource { ddl: ddl.to_owned(), hidden_options: BTreeMap::new() }
}

fn version(name: &str, sql: &str) -> UsingVersion {
    let job = JobRef { id: JobId(clock::new_id()), name: name.to_owned() };
    let (team, settings) = (TeamId(clock::new_id()), serde_json::json!({}));
    UsingVersion { team, job, number: 1, sql: sql.to_owned(), settings, running: false }
}

fn change(kind: SchemaChangeKind, name: &str) -> SchemaChange {
    SchemaChange { kind, name: name.to_owned(), before: String::new(), after: String::new() }
}

fn verdict(after: &str, changes: &[SchemaChange]) -> Vec<(String, Vec<String>)> {
    let sink = "CREATE TABLE totals (id BIGINT, total DOUBLE) WITH ('connector' = 'blackhole')";
    let catalog = CatalogText {
        default_database: "main".to_owned(),
        tables: Arc::new(BTreeMap::from([
            ("main.orders".to_owned(), source(BEFORE)),
            ("main.totals".to_owned(), source(sink)),
        ])),
        functions: BTreeMap::new(),
    };
    let versions = vec![
        version("reads amount", "INSERT INTO totals SELECT id, amount FROM orders"),
        version("reads id", "INSERT INTO totals (id) SELECT id FROM orders"),
        version("was broken before", "INSERT INTO totals SELECT id, nothing FROM orders"),
    ];
    let versions = versions.into_iter().map(|version| {
        let script = Filled::plain(&version.sql);
        (version, script)
    });
    let found = broken(front().as_ref(), &catalog, "main.orders", &source(after), versions.collect(), changes);
    found.into_iter().map(|job| (job.job.name, job.columns)).collect()
}

#[test]
fn a_removed_column_breaks_those_who_read_it() {
    let after = "CREATE TABLE orders (id BIGINT, note STRING) WITH ('connector' = 'datagen')";
    let removed = [change(SchemaChangeKind::ColumnRemoved, "amount")];
    assert_eq!(verdict(after, &removed), [("reads amount".to_owned(), vec!["amount".to_owned()])]);
}

#[test]
fn a_type_that_does_not_fit_any_more_breaks() {
    let after = "CREATE TABLE orders (id BIGINT, amount ARRAY<INT>, note STRING) WITH ('connector' = 'datagen')";
    let changed = [change(SchemaChangeKind::TypeChanged, "amount")];
    assert_eq!(verdict(after, &changed), [("reads amount".to_owned(), vec!["amount".to_owned()])]);
}

#[test]
fn what_nobody_reads_breaks_nobody() {
    let after = "CREATE TABLE orders (id BIGINT, amount DOUBLE) WITH ('connector' = 'datagen')";
    assert_eq!(verdict(after, &[change(SchemaChangeKind::ColumnRemoved, "note")]), []);
    assert_eq!(verdict(BEFORE, &[]), []);
}
