//! `…/jobs`: drafts, versions, starting and stopping, as far as no worker speaks.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{People, TestApp};
use crate::table::draft;

const PATIENCE: Duration = Duration::from_secs(30);

/// A worker that takes its token and never says a word.
pub(crate) const SILENT: &str = "#!/bin/sh\nread -r token || exit 3\nexec sleep 600\n";

pub(crate) async fn with_worker(script: &str) -> (tempfile::TempDir, TestApp) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worker.sh");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let test = TestApp::with(&[("worker_binary", path.to_str().unwrap())]).await;
    test.app.worker_tables.belong_to(&test.app);
    (folder, test)
}

fn new_job(name: &str) -> Value {
    json!({ "name": name, "sql": "INSERT INTO main.orders SELECT 1", "tags": ["a"] })
}

fn id_of(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

async fn until_state(test: &TestApp, people: &People, job: &str, state: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let job = test.get(&people.viewer, job).await.good();
        if job["current"]["state"] == state {
            return job;
        }
        assert!(Instant::now() < deadline, "never {state}: {job}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn drafts_do_not_overwrite_each_other_and_versions_never_change() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let jobs = people.path("/jobs");
        test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
        let job = test.post(&people.developer, &jobs, new_job("count")).await.good();
        test.post(&people.developer, &jobs, new_job("count")).await.refused(409, "name_taken");
        let one = format!("{jobs}/{}", id_of(&job));
        assert_eq!(
            (&job["draft"]["revision"], &job["draft"]["differs"], &job["desired"]),
            (&json!(1), &json!(true), &json!("stopped"))
        );

        let versions = format!("{one}/versions");
        let first = test.post(&people.developer, &versions, json!({ "comment": "first" })).await.good();
        assert_eq!((&first["number"], &first["writes"]), (&json!(1), &json!(["main.orders"])));
        assert!(first["tables"]["main.orders"].as_str().unwrap().contains("CREATE TABLE orders"));
        // The same draft again gives the same version.
        let again = test.post(&people.developer, &versions, json!({})).await.good();
        assert_eq!(again["number"], 1);

        let mut save =
            json!({ "sql": "INSERT INTO main.orders SELECT 2", "settings": job["draft"]["settings"], "revision": 1 });
        let saved = test.call(&people.developer, "PUT", &format!("{one}/draft"), Some(save.clone())).await.good();
        assert_eq!((&saved["draft"]["revision"], &saved["draft"]["differs"]), (&json!(2), &json!(true)));
        test.call(&people.developer, "PUT", &format!("{one}/draft"), Some(save.clone()))
            .await
            .refused(409, "draft_changed");
        save["revision"] = json!(2);
        save["settings"]["parallelism"] = json!(0);
        test.call(&people.developer, "PUT", &format!("{one}/draft"), Some(save.clone()))
            .await
            .refused(400, "validation_failed");
        save["settings"]["parallelism"] = json!(1);
        save["sql"] = json!("SELECT 1");
        test.call(&people.developer, "PUT", &format!("{one}/draft"), Some(save)).await.good();
        test.post(&people.developer, &versions, json!({})).await.refused(422, "invalid_sql");

        assert_eq!(
            test.get(&people.viewer, &format!("{versions}/1")).await.good()["sql"],
            "INSERT INTO main.orders SELECT 1"
        );
        test.get(&people.viewer, &format!("{versions}/2")).await.refused(404, "not_found");
        let renamed = test.call(&people.developer, "PATCH", &one, Some(json!({ "name": "count more" }))).await.good();
        assert_eq!((&renamed["name"], &renamed["tags"]), (&json!("count more"), &json!(["a"])));
        let listed = test.get(&people.viewer, &format!("{jobs}?q=more&state=draft&tag=a")).await.good();
        assert_eq!(listed["total"], 1);
        assert_eq!(test.get(&people.viewer, &format!("{jobs}?state=running")).await.good()["total"], 0);
        test.call(&people.operator, "DELETE", &one, None).await.good();
        test.get(&people.viewer, &one).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn a_table_that_a_job_uses_is_not_deleted() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let table = test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let table = people.path(&format!("/tables/{}", id_of(&table)));
    let job = test.post(&people.developer, &people.path("/jobs"), new_job("count")).await.good();
    let job = people.path(&format!("/jobs/{}", id_of(&job)));
    test.post(&people.developer, &format!("{job}/versions"), json!({})).await.good();
    let refused = test.call(&people.developer, "DELETE", &table, None).await;
    refused.refused(409, "table_in_use");
    assert!(refused.body["message"].as_str().unwrap().contains("count"), "{}", refused.body);
    assert_eq!(test.get(&people.viewer, &table).await.good()["producers"][0]["name"], "count");
    test.call(&people.operator, "DELETE", &job, None).await.good();
    test.call(&people.developer, "DELETE", &table, None).await.good();
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_runs_once_and_a_start_can_be_stopped() {
    let (_folder, test) = with_worker(SILENT).await;
    let people = People::settle(&test.app).await;
    test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let made = test.post(&people.developer, &people.path("/jobs"), new_job("count")).await.good();
    let job = people.path(&format!("/jobs/{}", id_of(&made)));
    test.post(&people.operator, &format!("{job}/stop"), json!({ "mode": "cancel" })).await.refused(409, "wrong_state");
    test.post(&people.developer, &format!("{job}/start"), json!({ "from": "latest" }))
        .await
        .refused(403, "not_allowed");
    let started = test.post(&people.operator, &format!("{job}/start"), json!({ "from": "latest" })).await.good();
    assert_eq!((&started["desired"], &started["latest_version"]["number"]), (&json!("running"), &json!(1)));
    test.post(&people.operator, &format!("{job}/start"), json!({ "from": "latest" })).await.refused(409, "wrong_state");
    test.call(&people.operator, "DELETE", &job, None).await.refused(409, "wrong_state");
    test.call(&people.owner, "DELETE", &people.path(""), None).await.refused(409, "wrong_state");
    until_state(&test, &people, &job, "starting").await;
    test.post(&people.operator, &format!("{job}/savepoints"), json!({})).await.refused(409, "wrong_state");
    test.get(&people.viewer, &format!("{job}/figures")).await.refused(404, "not_found");

    test.post(&people.operator, &format!("{job}/stop"), json!({ "mode": "savepoint" })).await.good();
    let stopped = until_state(&test, &people, &job, "stopped").await;
    assert_eq!((&stopped["desired"], &stopped["runs"]), (&json!("stopped"), &json!(1)));
    let runs = test.get(&people.viewer, &format!("{job}/runs")).await.good();
    assert_eq!((&runs["items"][0]["state"], &runs["items"][0]["stop_mode"]), (&json!("stopped"), &json!("savepoint")));
    let events = test.get(&people.viewer, &format!("{job}/events?limit=2")).await.good();
    assert_eq!(events["items"].as_array().unwrap().len(), 2);
    let next = events["next"].as_str().unwrap();
    let older = test.get(&people.viewer, &format!("{job}/events?cursor={next}")).await.good();
    let oldest = older["items"].as_array().unwrap().last().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(oldest.contains("started version 1"), "{oldest}");
    let series = test.get(&people.viewer, &format!("{job}/metrics?points=10")).await.good();
    assert!(!series["marks"].as_array().unwrap().is_empty());
    assert!(test.get(&people.viewer, &format!("{job}/logs?run=1")).await.good()["lines"].as_array().unwrap().len() > 1);
    test.get(&people.viewer, &format!("{job}/logs?run=7")).await.refused(404, "not_found");
    test.call(&people.operator, "DELETE", &job, None).await.good();
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_worker_program_fails_the_run_with_a_reason() {
    let test = TestApp::new().await;
    test.app.worker_tables.belong_to(&test.app);
    let people = People::settle(&test.app).await;
    test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let made = test.post(&people.developer, &people.path("/jobs"), new_job("count")).await.good();
    let job = people.path(&format!("/jobs/{}", id_of(&made)));
    test.post(&people.operator, &format!("{job}/start"), json!({ "from": "fresh" })).await.good();
    let failed = until_state(&test, &people, &job, "failed").await;
    let reason = failed["current"]["reason"].as_str().unwrap();
    assert!(reason.contains("millrace-worker is not beside"), "{reason}");
    test.close().await;
}

/// Says that it has planned, sends a row, and waits for its end.
const PREVIEWING: &str = r#"#!/bin/sh
read -r assignment
echo '{"type":"started","columns":[{"name":"n","data_type":"BIGINT","key":false}],"note":"nothing is written"}'
echo '{"type":"rows","rows":[{"kind":"+I","values":[7]}]}'
exec sleep 600
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_is_its_teams_and_ends_when_it_is_cancelled() {
    let (_folder, test) = with_worker(PREVIEWING).await;
    let people = People::settle(&test.app).await;
    let request = json!({ "sql": "SELECT 1", "max_rows": 10, "max_seconds": 60 });
    let started = test.post(&people.developer, &people.path("/previews"), request.clone()).await.good();
    assert_eq!((&started["columns"][0]["name"], &started["note"]), (&json!("n"), &json!("nothing is written")));
    let preview = format!("/previews/{}", id_of(&started));
    let stream = test.get(&people.developer, &people.path(&format!("{preview}/events"))).await;
    assert_eq!(stream.status, 200);
    let elsewhere = format!("/teams/{}{preview}", people.other_slug);
    test.get(&people.outsider, &format!("{elsewhere}/events")).await.refused(404, "not_found");
    test.call(&people.outsider, "DELETE", &elsewhere, None).await.refused(404, "not_found");
    // A colleague may not see what the developer sees.
    test.get(&people.owner, &people.path(&format!("{preview}/events"))).await.refused(404, "not_found");
    test.call(&people.owner, "DELETE", &people.path(&preview), None).await.refused(404, "not_found");
    test.call(&people.developer, "DELETE", &people.path(&preview), None).await.good();

    let mut reader =
        test.app.previews.read(people.team, people.developer_id, id_of(&started).parse().unwrap()).unwrap();
    let mut events = Vec::new();
    while let Some((_, event)) = tokio::time::timeout(PATIENCE, reader.next()).await.unwrap() {
        events.push(event.to_string());
    }
    assert!(events[0].contains("[7]"), "{events:?}");
    assert!(events[1].contains("cancelled"), "{events:?}");

    // A user has a few at a time.
    for _ in 0..3 {
        test.post(&people.developer, &people.path("/previews"), request.clone()).await.good();
    }
    test.post(&people.developer, &people.path("/previews"), request).await.refused(429, "too_many_requests");
    test.close().await;
}
