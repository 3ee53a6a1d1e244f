//! Test runs: history, rows in both views, comparison, limits, cancelling, and what other teams see of them: nothing.
//!
//! The worker is a script that says what a worker would say; what a real one does is in `tests/platform`.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{People, TestApp};

/// Says the rows that the assignment's `max_seconds` selects, then ends, or with 99 waits to be killed.
const WORKER: &str = r#"#!/bin/sh
read -r assignment
column() { printf '{"name":"%s","data_type":"%s","key":%s}' "$1" "$2" "$3"; }
columns="[$(column id INT true),$(column n BIGINT false)]"
sink="{\"table\":\"main.out\",\"connector\":\"kafka\",\"columns\":$columns,\"words\":\"main.out (kafka, topic out) was replaced by a sandbox table.\",\"changes\":0,\"kept\":0}"
source='{"table":"main.in","supplied":false,"words":"main.in is read."}'
echo "{\"type\":\"planned\",\"sinks\":[$sink],\"sources\":[$source]}"
row() { printf '{"kind":"%s","values":[%s,%s]}' "$1" "$2" "$3"; }
case "$assignment" in
*'"max_seconds":1,'*) rows="[$(row +I 1 10),$(row +I 2 20),$(row +U 1 11)]" ;;
*) rows="[$(row +I 1 11),$(row +I 2 21),$(row +I 3 30)]" ;;
esac
echo "{\"type\":\"rows\",\"sink\":0,\"rows\":$rows}"
case "$assignment" in *'"max_seconds":99,'*) cat > /dev/null; exit 1 ;; esac
echo '{"type":"inputs","rows":{"main.in":[{"kind":"+I","values":{"id":1}}]}}'
echo '{"type":"end","reason":"finished","progress":{"elapsed_ms":5,"records_read":7,"changes":[9],"waiting_for":""}}'
"#;

pub(crate) async fn with_worker() -> TestApp {
    let folder = tempfile::tempdir().unwrap().keep();
    let worker = folder.join("worker");
    std::fs::write(&worker, WORKER).unwrap();
    std::fs::set_permissions(&worker, std::fs::Permissions::from_mode(0o755)).unwrap();
    TestApp::with(&[("worker_binary", &worker.display().to_string())]).await
}

fn request(seconds: u32) -> Value {
    json!({ "sql": "INSERT INTO main.out SELECT 1", "from": "earliest", "max_seconds": seconds })
}

/// Starts one and waits for its end, which the stream tells.
async fn finished(test: &TestApp, people: &People, seconds: u32) -> Value {
    let started = test.post(&people.developer, &people.path("/test-runs"), request(seconds)).await.good();
    until(test, people, started["id"].as_str().unwrap(), |run| run["state"] != "running").await
}

pub(crate) async fn until(test: &TestApp, people: &People, id: &str, is: impl Fn(&Value) -> bool) -> Value {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let run = test.get(&people.developer, &people.path(&format!("/test-runs/{id}"))).await.good();
        if is(&run) {
            return run;
        }
        assert!(std::time::Instant::now() < deadline, "{run}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_test_run_is_kept_with_its_rows_and_counts() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let job = json!({ "name": "orders", "sql": "INSERT INTO main.out SELECT 2" });
    let job = test.post(&people.developer, &people.path("/jobs"), job).await.good()["id"].clone();
    let asked = json!({ "job": job, "from": "table", "max_seconds": 1 });
    let started = test.post(&people.developer, &people.path("/test-runs"), asked).await.good();
    assert_eq!((&started["job_name"], &started["sql"]), (&json!("orders"), &json!("INSERT INTO main.out SELECT 2")));
    let run = until(&test, &people, started["id"].as_str().unwrap(), |run| run["state"] != "running").await;
    assert_eq!((&run["state"], &run["reason"]), (&json!("finished"), &json!("finished")));
    assert_eq!(run["sinks"][0]["words"], "main.out (kafka, topic out) was replaced by a sandbox table.");
    assert_eq!((&run["sinks"][0]["kept"], &run["sinks"][0]["changes"]), (&json!(3), &json!(9)));
    assert_eq!(run["inputs"], json!({ "main.in": [{ "kind": "+I", "values": { "id": 1 } }] }));
    assert_eq!(run["limits"], json!({ "max_rows": 1000, "max_seconds": 1, "memory_mb": 512 }));

    let path = people.path(&format!("/test-runs/{}/sinks/main.out/rows", run["id"].as_str().unwrap()));
    let log = test.get(&people.developer, &format!("{path}?offset=1&limit=1")).await.good();
    assert_eq!((&log["total"], &log["rows"]), (&json!(3), &json!([{ "kind": "+I", "values": [2, 20] }])));
    assert_eq!(log["note"], "The first 3 of 9 changes.");
    let state = test.get(&people.developer, &format!("{path}?view=state")).await.good();
    let values: Vec<&Value> = state["rows"].as_array().unwrap().iter().map(|row| &row["values"]).collect();
    assert_eq!(values, [&json!([1, 11]), &json!([2, 20])]);
    let none = path.replace("main.out", "main.other");
    test.get(&people.developer, &none).await.refused(404, "not_found");

    let of_job = |id: &str| people.path(&format!("/test-runs?job={id}"));
    let listed = test.get(&people.developer, &of_job(job.as_str().unwrap())).await.good();
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &run["id"]));
    let others = test.get(&people.developer, &of_job(&uuid::Uuid::now_v7().to_string())).await.good();
    assert_eq!(others["total"], 0);
    test.close().await;
}

#[tokio::test]
async fn two_runs_are_compared_by_key() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let (a, b) = (finished(&test, &people, 1).await, finished(&test, &people, 2).await);
    let (a, b) = (a["id"].as_str().unwrap(), b["id"].as_str().unwrap());
    let found = test.get(&people.developer, &people.path(&format!("/test-runs/{a}/compare/{b}"))).await.good();
    let sink = &found["sinks"][0];
    assert_eq!((&sink["same"], &sink["by_key"]), (&json!(1), &json!(true)));
    assert_eq!((&sink["only_a"], &sink["only_b"]), (&json!([]), &json!([[3, 30]])));
    assert_eq!(sink["changed"], json!([{ "a": [2, 20], "b": [2, 21], "columns": [1] }]));
    assert!(sink["note"].as_str().unwrap().contains("Not all changes"));
    test.close().await;
}

#[tokio::test]
async fn cancelling_ends_the_process_and_keeps_what_came() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let started = test.post(&people.developer, &people.path("/test-runs"), request(99)).await.good();
    let id = started["id"].as_str().unwrap();
    until(&test, &people, id, |run| run["sinks"][0]["kept"] == 3).await;
    let path = people.path(&format!("/test-runs/{id}"));
    let answer = test.call(&people.developer, "DELETE", &path, None).await;
    assert_eq!(answer.status, 204);
    let run = until(&test, &people, id, |run| run["ended_at"].is_i64()).await;
    assert_eq!((&run["state"], &run["sinks"][0]["kept"]), (&json!("cancelled"), &json!(3)));
    test.close().await;
}

#[tokio::test]
async fn a_team_has_so_many_at_a_time_and_others_see_none_of_them() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let mut first = Value::Null;
    for _ in 0..4 {
        first = test.post(&people.developer, &people.path("/test-runs"), request(99)).await.good();
    }
    let refused = test.post(&people.operator, &people.path("/test-runs"), request(99)).await;
    refused.refused(429, "too_many_requests");

    let id = first["id"].as_str().unwrap();
    for rest in ["", "/events", "/sinks/main.out/rows"] {
        let path = format!("/teams/{}/test-runs/{id}{rest}", people.other_slug);
        test.get(&people.outsider, &path).await.refused(404, "not_found");
    }
    let path = format!("/teams/{}/test-runs/{id}", people.other_slug);
    test.call(&people.outsider, "DELETE", &path, None).await.refused(404, "not_found");
    let listed = test.get(&people.outsider, &format!("/teams/{}/test-runs", people.other_slug)).await.good();
    assert_eq!(listed["total"], 0);
    let still = test.get(&people.developer, &people.path(&format!("/test-runs/{id}"))).await.good();
    assert_eq!(still["state"], "running");
    test.close().await;
}

#[tokio::test]
async fn limits_are_limits() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let path = people.path("/test-runs");
    for (field, value) in [("max_rows", 10_001), ("max_seconds", 1_801), ("memory_mb", 4_096), ("parallelism", 9)] {
        let mut wrong = request(1);
        wrong[field] = json!(value);
        let answer = test.post(&people.developer, &path, wrong).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.body["field"], field);
    }
    let timeless = json!({ "sql": "INSERT INTO main.out SELECT 1", "from": "time" });
    assert_eq!(test.post(&people.developer, &path, timeless).await.body["field"], "at_ms");
    assert_eq!(test.post(&people.developer, &path, json!({ "from": "table" })).await.body["field"], "sql");
    assert_eq!(test.get(&people.developer, &path).await.good()["total"], 0);
    test.close().await;
}

#[tokio::test]
async fn results_are_for_whoever_started_it_and_those_who_see_the_job() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let job = json!({ "name": "orders", "sql": "INSERT INTO main.out SELECT 2" });
    let job = test.post(&people.owner, &people.path("/jobs"), job).await.good()["id"].clone();
    let of_job = json!({ "job": job, "from": "table", "max_seconds": 1 });
    let of_job = test.post(&people.developer, &people.path("/test-runs"), of_job.clone()).await.good();
    let alone = finished(&test, &people, 1).await;
    let path = |run: &Value| people.path(&format!("/test-runs/{}", run["id"].as_str().unwrap()));
    let total = async |who| test.get(who, &people.path("/test-runs")).await.good()["total"].clone();
    test.get(&people.operator, &path(&of_job)).await.good();
    assert_eq!((total(&people.operator).await, total(&people.developer).await), (json!(1), json!(2)));

    let change = json!({ "restricted": true });
    let permissions = people.path(&format!("/jobs/{}/permissions", job.as_str().unwrap()));
    test.call(&people.owner, "PATCH", &permissions, Some(change)).await.good();
    let (shut, other) = (path(&of_job), path(&alone));
    for hidden in [
        shut.clone(),
        format!("{shut}/events"),
        format!("{shut}/sinks/main.out/rows"),
        format!("{shut}/compare/{}", alone["id"].as_str().unwrap()),
        other.clone(),
    ] {
        test.get(&people.operator, &hidden).await.refused(404, "not_found");
    }
    test.call(&people.operator, "DELETE", &shut, None).await.refused(404, "not_found");
    assert_eq!((total(&people.operator).await, total(&people.developer).await), (json!(0), json!(2)));
    test.get(&people.developer, &shut).await.good();
    let again = json!({ "job": job, "from": "table", "max_seconds": 1 });
    test.post(&people.operator, &people.path("/test-runs"), again).await.refused(404, "not_found");
    test.close().await;
}
