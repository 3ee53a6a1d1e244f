//! `…/logs`: found by words, fields and time; by nobody who may not see the job; and not lost with the server.

use std::time::Duration;

use millrace_backend::clock::{new_id, now_ms};
use millrace_backend::error::Result;
use millrace_backend::log::Origin;
use millrace_backend::store::run::RunRow;
use millrace_backend::{store, tasks, transact};
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::log::{LogLevel, LogLine};
use serde_json::{Value, json};

use crate::store::run_row;
use crate::support::{As, People, TestApp};
use crate::table::draft;

const WITHIN: Duration = Duration::from_secs(20);

struct Job {
    id: JobId,
    path: String,
    run: RunId,
}

/// A job with a run that no supervisor knows.
async fn job(test: &TestApp, people: &People, by: &As, name: &str) -> Job {
    // There from the second job on.
    test.post(&people.owner, &people.path("/tables"), draft("orders")).await;
    let sql = "INSERT INTO main.orders SELECT 1";
    let made = test.post(by, &people.path("/jobs"), json!({ "name": name, "sql": sql })).await.good();
    let id: JobId = made["id"].as_str().unwrap().parse().unwrap();
    let path = people.path(&format!("/jobs/{id}"));
    test.post(by, &format!("{path}/versions"), json!({})).await.good();
    let version = store::version::newest(&test.app.store, id).await.unwrap().unwrap();
    let run = RunId(new_id());
    let row: RunRow = run_row(people.team, id, version.summary.id, run, now_ms());
    let done: Result<()> = transact!(test.app.store, tx => { store::run::insert(tx, &row).await });
    done.unwrap();
    Job { id, path, run }
}

fn line(job: &Job, name: &str, level: LogLevel, message: &str) -> LogLine {
    LogLine {
        seq: 0,
        at: now_ms(),
        level,
        target: "kafka::source".to_owned(),
        message: message.to_owned(),
        job: Some(job.id),
        job_name: name.to_owned(),
        run: Some(job.run),
        attempt: 1,
        worker: "host-a".to_owned(),
        team: "whatever the worker says".to_owned(),
    }
}

async fn say(test: &TestApp, job: &Job, name: &str, messages: &[(LogLevel, &str)]) {
    let lines = messages.iter().map(|(level, message)| line(job, name, *level, message)).collect();
    test.app.logs.append(job.run, Origin { attempt: 1, frame: 0 }, lines).await.unwrap();
}

/// Asks until so many lines are there: the index follows within a second or two.
async fn total(test: &TestApp, who: &As, path: &str, wanted: u64) -> Value {
    let begun = std::time::Instant::now();
    loop {
        let found = test.get(who, path).await.good();
        if found["total"] == wanted || begun.elapsed() > WITHIN {
            assert_eq!(found["total"], wanted, "{path}: {found}");
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn messages(page: &Value) -> Vec<&str> {
    page["hits"].as_array().unwrap().iter().map(|hit| hit["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn found_by_words_and_fields_with_counts_context_and_a_file() {
    for test in TestApp::on_each_database().await {
        tasks::index_logs(&test.app);
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, &people.developer, "orders per minute").await;
        let said = [
            (LogLevel::Info, "partition 3 assigned"),
            (LogLevel::Error, "connection to broker lost"),
            (LogLevel::Warn, "broker answers slowly"),
        ];
        say(&test, &job, "orders per minute", &said).await;
        let counts = total(&test, &people.viewer, &people.path("/logs/counts?q="), 3).await;
        let names: Vec<&str> =
            counts["facets"].as_array().unwrap().iter().map(|facet| facet["facet"].as_str().unwrap()).collect();
        assert_eq!(names, ["level", "job_name", "run", "worker", "operator", "source", "version"]);
        assert_eq!(counts["facets"][1]["values"], json!([{ "value": "orders per minute", "count": 3 }]));
        assert_eq!(counts["facets"][6]["values"][0]["value"], "1", "the version that ran");
        let in_buckets: u64 = counts["histogram"]["buckets"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|bucket| bucket.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()))
            .sum();
        assert_eq!(in_buckets, 3);

        let found = test.get(&people.viewer, &people.path("/logs?q=broker+level:%3E%3Dwarn")).await.good();
        assert_eq!(messages(&found), ["broker answers slowly", "connection to broker lost"]);
        assert_eq!(found["hits"][0]["marks"], json!([[0, 6]]));
        assert_eq!(found["hits"][0]["job"], json!(job.id.to_string()));
        let first = test.get(&people.viewer, &people.path("/logs?limit=2&order=oldest")).await.good();
        let next = first["next"].as_str().unwrap();
        let second = people.path(&format!("/logs?limit=2&order=oldest&cursor={next}"));
        let second = test.get(&people.viewer, &second).await.good();
        assert_eq!((messages(&second), second["next"].is_null()), (vec!["broker answers slowly"], true));

        let id = found["hits"][1]["id"].as_str().unwrap();
        let around = people.path(&format!("/logs/lines/{id}?before=5&after=5"));
        let around = test.get(&people.viewer, &around).await.good();
        assert_eq!(around["line"]["message"], "connection to broker lost");
        assert_eq!((&around["before"][0]["seq"], &around["after"][0]["seq"]), (&json!(0), &json!(2)));
        let groups = test.get(&people.viewer, &people.path("/logs/groups")).await.good();
        assert_eq!(groups["items"][0]["versions"], json!([["1", 1]]), "{groups}");
        let group = groups["items"][0]["group"].as_str().unwrap();
        let of_group = test.get(&people.viewer, &people.path(&format!("/logs?q=group:{group}"))).await.good();
        assert_eq!(messages(&of_group), ["connection to broker lost"]);

        let refused = test.get(&people.viewer, &people.path("/logs?q=level:%3E%3Dloud")).await;
        refused.refused(400, "validation_failed");
        assert_eq!(refused.body["field"], "q", "{}", refused.body);
        test.get(&people.viewer, &people.path("/logs?cursor=x")).await.refused(400, "validation_failed");
        test.get(&people.viewer, &people.path("/logs/lines/nothing")).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn nobody_finds_what_they_may_not_see() {
    for test in TestApp::on_each_database().await {
        tasks::index_logs(&test.app);
        let people = People::settle(&test.app).await;
        let open = job(&test, &people, &people.developer, "open").await;
        let shut = job(&test, &people, &people.developer, "shut").await;
        say(&test, &open, "open", &[(LogLevel::Error, "canary of the open one")]).await;
        say(&test, &shut, "shut", &[(LogLevel::Error, "canary of the shut one")]).await;
        let counts = people.path("/logs/counts?q=canary");
        total(&test, &people.viewer, &counts, 2).await;
        let restrict = json!({ "restricted": true });
        let permissions = format!("{}/permissions", shut.path);
        test.call(&people.owner, "PATCH", &permissions, Some(restrict)).await.good();
        assert_eq!(test.get(&people.viewer, &counts).await.good()["total"], 1);
        assert_eq!(test.get(&people.owner, &counts).await.good()["total"], 2, "owners see all");
        assert_eq!(test.get(&people.developer, &counts).await.good()["total"], 2, "it is theirs");
        let hit = test.get(&people.owner, &people.path("/logs?q=shut")).await.good()["hits"][0].clone();
        let permalink = people.path(&format!("/logs/lines/{}", hit["id"].as_str().unwrap()));
        test.get(&people.owner, &permalink).await.good();
        for who in [&people.viewer, &people.operator] {
            test.get(who, &permalink).await.refused(404, "not_found");
            for rest in ["/logs?q=shut", "/logs/groups?q=canary", "/logs/counts?q=canary"] {
                let found = test.get(who, &people.path(rest)).await.good().to_string();
                assert!(!found.contains("shut"), "{rest}: {found}");
            }
        }
        // Another team's search finds nothing of this one, whatever it asks for.
        let theirs = format!("/teams/{}/logs", people.other_slug);
        for query in ["canary", &format!("team:{}", people.team), &format!("run:{} OR canary", open.run)] {
            let query: String = form(query);
            let found = test.get(&people.outsider, &format!("{theirs}?q={query}")).await.good();
            assert_eq!(found["hits"], json!([]), "{query}");
        }
        let beside = format!("{theirs}/lines/{}", hit["id"].as_str().unwrap());
        test.get(&people.outsider, &beside).await.refused(404, "not_found");
        test.get(&people.outsider, &people.path("/logs")).await.refused(404, "not_found");

        // Gone for good: for everybody.
        end(&test, &shut).await;
        test.call(&people.owner, "DELETE", &shut.path, None).await.good();
        assert_eq!(test.get(&people.owner, &counts).await.good()["total"], 2, "in the bin it can still be looked into");
        let bin = people.path(&format!("/jobs/bin/{}?name=shut", shut.id));
        test.call(&people.owner, "DELETE", &bin, None).await.good();
        assert_eq!(test.get(&people.owner, &counts).await.good()["total"], 1);
        test.get(&people.owner, &permalink).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn the_servers_own_lines_are_for_administrators() {
    let test = TestApp::new().await;
    tasks::index_logs(&test.app);
    let people = People::settle(&test.app).await;
    let own = LogLine {
        job: None,
        run: None,
        ..line(&job(&test, &people, &people.developer, "j").await, "", LogLevel::Warn, "the disk is nearly full")
    };
    test.app.log_search.own_line(own);
    total(&test, &people.administrator, "/logs/counts?q=%22nearly+full%22", 1).await;
    test.get(&people.owner, "/logs").await.refused(403, "not_allowed");
    assert_eq!(test.get(&people.owner, &people.path("/logs?q=nearly")).await.good()["hits"], json!([]));
}

#[tokio::test]
async fn lines_from_before_the_index_and_from_another_server_are_found() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people, &people.developer, "j").await;
    // Written while nobody brings lines into the index, such as by an older version.
    say(&test, &job, "j", &[(LogLevel::Info, "before"), (LogLevel::Info, "also before")]).await;
    tasks::index_logs(&test.app);
    let path = people.path("/logs/counts?q=before");
    total(&test, &people.viewer, &path, 2).await;
    say(&test, &job, "j", &[(LogLevel::Info, "not before long")]).await;
    total(&test, &people.viewer, &path, 3).await;
}

fn form(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn end(test: &TestApp, job: &Job) {
    let run = job.run.to_string();
    let done: Result<()> = transact!(test.app.store, tx => {
        sqlx::query("UPDATE job_runs SET state = 'stopped', ended_at = 1 WHERE id = $1").bind(run.clone()).execute(&mut **tx).await?;
        Ok(())
    });
    done.unwrap();
}
