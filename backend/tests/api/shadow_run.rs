//! Shadow runs: what is refused, what they count for, how they end, and who sees them.
//!
//! The worker is a script that says what a worker would say; what a real one does is in `tests/platform`.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{As, People, TestApp};

/// Two rows for what says `old`, others for what does not; waits to be killed where the limit is 99 seconds. The second
/// one says only then what it reads when it was told what the first one settled on.
const WORKER: &str = r#"#!/bin/sh
read -r assignment
column() { printf '{"name":"%s","data_type":"%s","key":%s}' "$1" "$2" "$3"; }
columns="[$(column id INT true),$(column n BIGINT false)]"
sink="{\"table\":\"main.out\",\"connector\":\"kafka\",\"columns\":$columns,\"words\":\"\",\"changes\":0,\"kept\":0}"
source='{"table":"main.in","supplied":false,"words":"main.in is read."}'
row() { printf '{"kind":"%s","values":[%s,%s]}' "$1" "$2" "$3"; }
case "$assignment" in
*"'old'"*) rows="[$(row +I 1 10),$(row +I 2 20)]"; range='{"in/0":{"position":{"offset":7}}}' ;;
*'"ranges":{"main.in":{"in/0":{"position":{"offset":7}}}}'*)
    rows="[$(row +I 1 10),$(row +I 2 21)]"; range='{"in/0":{"position":{"offset":7}}}' ;;
*) exit 1 ;;
esac
echo "{\"type\":\"settled\",\"ranges\":{\"main.in\":$range}}"
echo "{\"type\":\"planned\",\"sinks\":[$sink],\"sources\":[$source]}"
echo "{\"type\":\"rows\",\"sink\":0,\"rows\":$rows}"
case "$assignment" in *'"max_seconds":99,'*) cat > /dev/null; exit 1 ;; esac
echo '{"type":"end","reason":"finished","progress":{"elapsed_ms":5,"records_read":7,"changes":[2],"waiting_for":""}}'
"#;

async fn with_worker() -> TestApp {
    let folder = tempfile::tempdir().unwrap().keep();
    let worker = folder.join("worker");
    std::fs::write(&worker, WORKER).unwrap();
    std::fs::set_permissions(&worker, std::fs::Permissions::from_mode(0o755)).unwrap();
    TestApp::with(&[("worker_binary", &worker.display().to_string())]).await
}

/// The path of a job with one version, and a draft that is another text.
async fn job(test: &TestApp, people: &People) -> String {
    let job = json!({ "name": "orders", "sql": "INSERT INTO main.out SELECT 'old'" });
    let job = test.post(&people.developer, &people.path("/jobs"), job).await.good();
    let path = people.path(&format!("/jobs/{}", job["id"].as_str().unwrap()));
    test.post(&people.developer, &format!("{path}/versions"), json!({})).await.good();
    let draft = json!({
        "sql": "INSERT INTO main.out SELECT 'new'",
        "settings": job["draft"]["settings"], "revision": job["draft"]["revision"],
    });
    test.call(&people.developer, "PUT", &format!("{path}/draft"), Some(draft)).await.good();
    path
}

async fn until(test: &TestApp, who: &As, path: &str, is: impl Fn(&Value) -> bool) -> Value {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let run = test.get(who, path).await.good();
        if is(&run) {
            return run;
        }
        assert!(std::time::Instant::now() < deadline, "{run}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn start(test: &TestApp, people: &People, job: &str, seconds: u32) -> String {
    let asked = json!({ "from": "earliest", "max_seconds": seconds });
    let started = test.post(&people.developer, &format!("{job}/shadow-runs"), asked).await.good();
    format!("{job}/shadow-runs/{}", started["id"].as_str().unwrap())
}

#[tokio::test]
async fn the_second_reads_what_the_first_settled_on_and_both_are_compared_and_kept() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people).await;
    let path = start(&test, &people, &job, 5).await;
    let run = until(&test, &people.developer, &path, |run| run["state"] != "running").await;
    assert_eq!((&run["state"], &run["verdict"]), (&json!("finished"), &json!("different")), "{run}");
    assert_eq!((&run["old"]["version"], &run["new"].get("version")), (&json!(1), &None));
    assert_eq!((&run["new"]["records_read"], &run["new"]["reason"]), (&json!(7), &json!("finished")));
    assert_eq!(run["notes"], json!([]));
    let sink = &run["comparison"][0];
    assert_eq!((&sink["same"], &sink["by_key"], &sink["complete"]), (&json!(1), &json!(true), &json!(true)));
    assert_eq!(sink["changed"], json!([{ "a": [2, 20], "b": [2, 21], "columns": [1] }]));
    assert_eq!((&run["max_records"], &run["limits"]["max_rows"]), (&json!(10_000), &json!(10_000)));

    // Each of the two is a test run like any other.
    let side = people.path(&format!("/test-runs/{}", run["new"]["run"].as_str().unwrap()));
    assert_eq!(test.get(&people.developer, &side).await.good()["job_name"], "orders");
    let report = test.get(&people.developer, &format!("{job}/report")).await.good();
    assert_eq!(
        (&report["shadow_run"]["id"], &report["shadow_run"]["differences"]),
        (&run["id"], &json!(1)),
        "{report}"
    );
    let of_old = test.get(&people.developer, &format!("{job}/report?version=1")).await.good();
    assert_eq!(of_old.get("shadow_run"), None);
    test.close().await;
}

#[tokio::test]
async fn a_shadow_run_counts_twice_and_cancelling_ends_both() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people).await;
    let paths = [start(&test, &people, &job, 99).await, start(&test, &people, &job, 99).await];
    let third = test.post(&people.developer, &format!("{job}/shadow-runs"), json!({ "from": "earliest" })).await;
    third.refused(429, "too_many_requests");
    for path in &paths {
        let run = test.get(&people.developer, path).await.good();
        assert_eq!(test.call(&people.developer, "DELETE", path, None).await.status, 204);
        let ended = until(&test, &people.developer, path, |run| run["ended_at"].is_i64()).await;
        assert_eq!((&ended["state"], &ended["comparison"]), (&json!("cancelled"), &json!([])), "{ended}");
        for side in ["old", "new"] {
            let side = people.path(&format!("/test-runs/{}", run[side]["run"].as_str().unwrap()));
            let side = until(&test, &people.developer, &side, |run| run["ended_at"].is_i64()).await;
            assert_ne!(side["state"], "finished", "{side}");
        }
    }
    test.close().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_starts_nothing() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people).await;
    let path = format!("{job}/shadow-runs");
    for (field, value) in [
        ("max_records", json!(1_000_001)),
        ("max_rows", json!(10_001)),
        ("max_seconds", json!(1_801)),
        ("offsets", json!({ "main.in": "partition:0,offset:1" })),
        ("keys", json!({ "main.out": [] })),
    ] {
        let mut wrong = json!({ "from": "earliest" });
        wrong[field] = value;
        let answer = test.post(&people.developer, &path, wrong).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.body["field"], field);
    }
    let both = json!({ "from": "earliest", "new": 1, "sql": "SELECT 1" });
    assert_eq!(test.post(&people.developer, &path, both).await.body["field"], "new");
    test.post(&people.developer, &path, json!({ "from": "earliest", "old": 9 })).await.refused(404, "not_found");
    let bare = json!({ "name": "bare", "sql": "INSERT INTO main.out SELECT 'old'" });
    let bare = test.post(&people.developer, &people.path("/jobs"), bare).await.good();
    let bare = people.path(&format!("/jobs/{}/shadow-runs", bare["id"].as_str().unwrap()));
    assert_eq!(test.post(&people.developer, &bare, json!({ "from": "earliest" })).await.body["field"], "old");
    assert_eq!(test.get(&people.developer, &path).await.good()["total"], 0);
    assert_eq!(test.get(&people.developer, &people.path("/test-runs")).await.good()["total"], 0);
    test.close().await;
}

#[tokio::test]
async fn only_those_who_may_edit_the_job_see_its_rows() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people).await;
    let path = start(&test, &people, &job, 5).await;
    let run = until(&test, &people.developer, &path, |run| run["state"] != "running").await;
    test.get(&people.viewer, &path).await.refused(403, "not_allowed");
    test.get(&people.outsider, &path).await.refused(404, "not_found");
    // Under another job of one's own team, or in another team, it is nothing.
    let id = run["id"].as_str().unwrap();
    let other = json!({ "name": "other", "sql": "SELECT 1" });
    let other = test.post(&people.developer, &people.path("/jobs"), other).await.good();
    let other = people.path(&format!("/jobs/{}/shadow-runs/{id}", other["id"].as_str().unwrap()));
    test.get(&people.developer, &other).await.refused(404, "not_found");
    test.call(&people.developer, "DELETE", &other, None).await.refused(404, "not_found");
    let change = json!({ "restricted": true });
    test.call(&people.owner, "PATCH", &format!("{job}/permissions"), Some(change)).await.good();
    test.get(&people.operator, &path).await.refused(404, "not_found");
    test.get(&people.operator, &format!("{job}/shadow-runs")).await.refused(404, "not_found");
    test.get(&people.owner, &path).await.good();
    test.close().await;
}
