//! A team with 5,000 tables among 20,000: lists, searches and what the editor asks with every key stroke.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use millrace_backend::transact;
use millrace_backend::{clock, store};
use millrace_wire::ids::{DatabaseId, TableId, TeamId};
use millrace_wire::table::{Database, TableDraft};
use millrace_wire::table_version::Compatibility;
use serde_json::{Value, json};

use crate::support::{People, TestApp};

const OWN: usize = 5_000;
const OTHERS: usize = 15_000;
/// Far above what was measured, so that a busy machine does not fail, and far below what reading all tables takes.
const BEARABLE: Duration = Duration::from_millis(400);

fn draft(number: usize) -> TableDraft {
    let column = |at: usize| json!({ "name": format!("column_{at}"), "data_type": "STRING", "kind": "physical", "nullable": true });
    let mut columns: Vec<Value> = (0..20).map(column).collect();
    columns.push(
        json!({ "name": format!("special_{number}"), "data_type": "BIGINT", "kind": "physical", "nullable": true }),
    );
    let draft = json!({
        "database": format!("db_{}", number % 20), "name": format!("table_{number}"), "connector": "blackhole",
        "comment": "One of many.", "options": {}, "columns": columns,
    });
    serde_json::from_value(draft).unwrap()
}

/// Written straight into the store, many at a time.
async fn fill(test: &TestApp, team: TeamId, count: usize) {
    let now = clock::now_ms();
    let ids: Vec<DatabaseId> = (0..20).map(|_| DatabaseId(clock::new_id())).collect();
    let rows: Vec<store::table::TableRow> = (0..count)
        .map(|number| {
            let draft = draft(number);
            let ddl = test.app.engine.write_ddl(&draft);
            let resolved = draft
                .columns
                .iter()
                .map(|column| {
                    json!({ "name": column.name, "data_type": column.data_type, "kind": "physical",
                        "event_time": false, "key": false, "comment": "" })
                })
                .collect::<Vec<_>>();
            store::table::TableRow {
                id: TableId(clock::new_id()),
                team,
                draft,
                secrets: BTreeMap::new(),
                ddl,
                resolved: serde_json::from_value(json!(resolved)).unwrap(),
                owner: String::new(),
                tags: Vec::new(),
                sharers: Vec::new(),
                compatibility: Compatibility::None,
                topic: String::new(),
                built_in: false,
                revision: 1,
                created_at: now,
                updated_at: now,
                updated_by: String::new(),
                owner_id: None,
                restricted: false,
                listed: false,
                connection_name: String::new(),
            }
        })
        .collect();
    let done: millrace_backend::error::Result<()> = transact!(test.app.store, tx => {
        for (at, id) in ids.iter().enumerate() {
            let (name, description) = (format!("db_{at}"), String::new());
            let database = Database { id: *id, name, description, tables: 0, built_in: false };
            store::database::insert(tx, team, &database, now).await?;
        }
        for (number, row) in rows.iter().enumerate() {
            store::table::insert(tx, row, ids[number % 20]).await?;
        }
        Ok(())
    });
    done.unwrap();
}

#[tokio::test]
async fn thousands_of_tables_stay_fast() {
    let test = TestApp::with_real_engine().await;
    let people = People::settle(&test.app).await;
    let others = People::settle(&test.app).await;
    fill(&test, people.team, OWN).await;
    fill(&test, others.team, OTHERS).await;

    let mut slow = Vec::new();
    let mut measured = |what: &str, times: Vec<Duration>| {
        let slowest = times.into_iter().max().unwrap();
        println!("{what}: {} ms", slowest.as_millis());
        if slowest > BEARABLE {
            slow.push(format!("{what}: {slowest:?}"));
        }
    };
    for (what, path, total) in [
        ("first page", "/tables", Some(OWN)),
        ("last page", "/tables?cursor=4900", Some(OWN)),
        ("one database", "/tables?database=db_7&limit=1000", Some(OWN / 20)),
        ("search for a column", "/tables?q=special_4321", Some(1)),
        ("search for what all have", "/tables?q=column_3", Some(OWN)),
        ("newest first", "/tables?sort=changed", Some(OWN)),
        ("palette", "/search?q=table_4321", None),
    ] {
        let mut times = Vec::new();
        for _ in 0..3 {
            let started = Instant::now();
            let page = test.get(&people.viewer, &people.path(path)).await.good();
            times.push(started.elapsed());
            match total {
                Some(total) => assert_eq!(page["total"], total, "{what}"),
                None => assert_eq!(page["items"][0]["title"], "db_1.table_4321", "{what}"),
            }
        }
        measured(what, times);
    }

    // The first one reads all tables; those that follow do not.
    let good = "SELECT a.special_1, b.column_3 FROM db_1.table_1 AS a, db_2.table_2 AS b";
    let wrong = "SELECT 1 FROM db_1.table_4322";
    for (what, sql) in [("validate, first", good), ("validate", good), ("validate, unknown table", wrong)] {
        let mut times = Vec::new();
        for _ in 0..5 {
            let started = Instant::now();
            let answer = test.post(&people.viewer, &people.path("/sql/validate"), json!({ "sql": sql })).await.good();
            times.push(started.elapsed());
            let hint = answer["diagnostics"][0]["hint"].as_str().unwrap_or_default();
            // A near name is suggested among all of them.
            assert_eq!(hint.contains("table_4"), sql == wrong, "{answer}");
        }
        measured(what, times);
    }
    let mut times = Vec::new();
    for _ in 0..5 {
        let text = "SELECT * FROM db_1.table_43";
        let started = Instant::now();
        let caret = json!({ "sql": text, "offset": text.len() });
        let answer = test.post(&people.viewer, &people.path("/sql/complete"), caret).await.good();
        times.push(started.elapsed());
        assert!(answer["items"].as_array().unwrap().iter().any(|item| item["label"] == "table_4321"), "{answer}");
    }
    measured("complete", times);
    assert!(slow.is_empty(), "{slow:?}");
}
