//! Shadow runs in real workers: the same version twice, a changed expression, and what cannot be told.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{NO_KAFKA, Server, server_binary};

/// 40 rows, by themselves without an end of their own.
const TABLES: &str = "CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '0',
      'fields.i.kind' = 'sequence', 'fields.i.start' = '1', 'fields.i.end' = '40');
    CREATE TABLE kinds (kind STRING NOT NULL, n BIGINT, PRIMARY KEY (kind) NOT ENFORCED) WITH ('connector' = 'print');
    CREATE TABLE big (i BIGINT, label STRING) WITH ('connector' = 'blackhole');\n";

fn script(least: u32, divisor: u32) -> String {
    let kind = format!("CASE WHEN MOD(i, {divisor}) = 0 THEN 'even' ELSE 'odd' END");
    format!(
        "{TABLES}INSERT INTO kinds SELECT {kind}, COUNT(*) FROM n GROUP BY {kind};
         INSERT INTO big SELECT i, 'n' FROM n WHERE i > {least};"
    )
}

async fn job(server: &Server, sql: &str) -> String {
    let job = server.post("/jobs", json!({ "name": "kinds", "sql": sql })).await;
    let path = format!("/jobs/{}", job["id"].as_str().unwrap());
    server.post(&format!("{path}/versions"), json!({})).await;
    path
}

async fn run(server: &Server, job: &str, request: Value) -> Value {
    let started = server.post(&format!("{job}/shadow-runs"), request).await;
    let path = format!("{job}/shadow-runs/{}", started["id"].as_str().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let run = server.get(&path).await;
        if run["state"] != "running" {
            return run;
        }
        assert!(Instant::now() < deadline, "{run}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_text_gives_the_same_rows_and_another_one_what_differs() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let job = job(&server, &script(38, 2)).await;
    let same = run(&server, &job, json!({ "from": "earliest" })).await;
    assert_eq!((&same["state"], &same["verdict"]), (&json!("finished"), &json!("same")), "{same}");
    assert_eq!((&same["old"]["version"], &same["new"]["version"]), (&json!(1), &Value::Null));
    assert_eq!((&same["old"]["records_read"], &same["new"]["records_read"]), (&json!(40), &json!(40)));
    assert_eq!((&same["sinks"][0]["same"], &same["sinks"][1]["same"]), (&json!(2), &json!(2)), "{same}");

    // Another expression: the counts of both kinds; another filter: one row more, and one that is gone by its key.
    let other = script(37, 4).replace("i, 'n' FROM", "i, CASE WHEN i = 40 THEN 'last' ELSE 'n' END FROM");
    let asked = json!({ "from": "earliest", "sql": other, "keys": { "big": ["i"] } });
    let found = run(&server, &job, asked).await;
    assert_eq!(found["verdict"], "different", "{found}");
    let kinds = &found["comparison"][0];
    assert_eq!((&kinds["table"], &kinds["by_key"], &kinds["complete"]), (&json!("kinds"), &json!(true), &json!(true)));
    let mut changed = kinds["changed"].as_array().unwrap().clone();
    changed.sort_by_key(|row| row["a"].to_string());
    assert_eq!(
        json!(changed),
        json!([
            { "a": ["even", 20], "b": ["even", 10], "columns": [1] },
            { "a": ["odd", 20], "b": ["odd", 30], "columns": [1] },
        ])
    );
    let big = &found["comparison"][1];
    assert_eq!((&big["same"], &big["only_a"], &big["only_b"]), (&json!(1), &json!([]), &json!([[38, "n"]])), "{big}");
    assert_eq!(big["changed"], json!([{ "a": [40, "n"], "b": [40, "last"], "columns": [1] }]));

    let listed = server.get(&format!("{job}/shadow-runs")).await;
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(2), &found["id"]));
    // What would be started is the draft, which the first one was of.
    let report = server.get(&format!("{job}/report")).await;
    assert_eq!(report["shadow_run"]["id"], same["id"], "{}", report["shadow_run"]);
    assert_eq!((&report["shadow_run"]["verdict"], &report["shadow_run"]["old"]), (&json!("same"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_leaves_it_unclear_and_a_version_that_does_not_run_is_named() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let job = job(&server, &script(0, 2)).await;
    let cut = run(&server, &job, json!({ "from": "earliest", "max_rows": 3 })).await;
    assert_eq!((&cut["state"], &cut["verdict"]), (&json!("finished"), &json!("unclear")), "{cut}");
    assert_eq!(cut["sinks"][1]["complete"], false, "{cut}");

    // Half of what there is, and both the same half.
    let half = run(&server, &job, json!({ "from": "earliest", "max_records": 20 })).await;
    assert_eq!((&half["verdict"], &half["new"]["records_read"]), (&json!("same"), &json!(20)), "{half}");

    let broken = run(&server, &job, json!({ "from": "earliest", "sql": "INSERT INTO nowhere SELECT 1" })).await;
    assert_eq!(broken["state"], "failed", "{broken}");
    assert!(broken["reason"].as_str().unwrap().starts_with("The new version: "), "{broken}");
    assert_eq!(broken["comparison"], json!([]));

    let wrong = json!({ "from": "earliest", "keys": { "big": ["nothing"] } });
    let wrong = run(&server, &job, wrong).await;
    assert_eq!(wrong["state"], "failed", "{wrong}");
    assert_eq!(wrong["reason"], "big has no column 'nothing' to match rows by.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_ends_with_1_when_something_differs() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    job(&server, &script(38, 2)).await;
    let token = crate::files::token(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.sql");
    std::fs::write(&file, script(39, 2)).unwrap();
    let shadow_run = |more: &[&str]| {
        let mut command = Command::new(server_binary());
        command.args(["jobs", "shadow-run", "kinds"]).args(more);
        command.env("MILLRACE_SERVER", server.origin()).env("MILLRACE_TEAM", "tests");
        command.env("MILLRACE_TOKEN", &token);
        command.output().unwrap()
    };
    let same = shadow_run(&[]);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    assert!(String::from_utf8_lossy(&same.stdout).contains("kinds: 2 the same"), "{same:?}");
    let different = shadow_run(&["--sql", &file.display().to_string(), "--key", "big=i"]);
    assert_eq!(different.status.code(), Some(1), "{different:?}");
    let said = String::from_utf8(different.stdout).unwrap();
    assert!(said.contains("- only old  i=39 label=\"n\""), "{said}");
}
