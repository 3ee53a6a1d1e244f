//! Savepoints by schedule, until when they are of use, and what a deployment report says of both and of tests.

use std::time::Duration;

use millrace_backend::app::savepoint_schedule;
use millrace_backend::clock::{new_id, now_ms};
use millrace_backend::error::Result;
use millrace_backend::store;
use millrace_backend::store::restore_point::RestorePointRow;
use millrace_backend::store::run::RunRow;
use millrace_backend::transact;
use millrace_wire::ids::{JobId, RunId, SavepointId};
use millrace_wire::run::{RestoreKind, RunState};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};

use crate::store::run_row;
use crate::support::{People, TestApp};
use crate::table::draft;

const MINUTE: i64 = 60_000;

struct Job {
    id: JobId,
    path: String,
}

/// A job with one version that writes `main.orders`.
async fn job(test: &TestApp, people: &People, sql: &str) -> Job {
    test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let job = json!({ "name": "j", "sql": sql });
    let job = test.post(&people.developer, &people.path("/jobs"), job).await.good();
    let id = job["id"].as_str().unwrap().to_owned();
    let path = people.path(&format!("/jobs/{id}"));
    test.post(&people.developer, &format!("{path}/versions"), json!({})).await.good();
    Job { id: id.parse().unwrap(), path }
}

fn minutely(keep: u32) -> Value {
    json!({ "cron": "* * * * *", "zone": "UTC", "enabled": true, "keep": keep })
}

async fn set(test: &TestApp, people: &People, job: &Job, schedule: Value) -> Value {
    test.call(&people.operator, "PUT", &format!("{}/savepoint-schedule", job.path), Some(schedule)).await.good()
}

/// A run of the newest version in this state, as no supervisor of this server knows it.
async fn run(test: &TestApp, people: &People, job: &Job, number: u32, state: RunState) -> RunRow {
    let version = store::version::newest(&test.app.store, job.id).await.unwrap().unwrap();
    let id = RunId(new_id());
    let ended_at = state.is_terminal().then(now_ms);
    let row = RunRow { number, state, ended_at, ..run_row(people.team, job.id, version.summary.id, id, now_ms()) };
    let done: Result<()> = transact!(test.app.store, tx => { store::run::insert(tx, &row).await });
    done.unwrap();
    if ended_at.is_some() {
        end(test, id).await;
    }
    row
}

async fn end(test: &TestApp, run: RunId) {
    let done: Result<()> = transact!(test.app.store, tx => {
        sqlx::query("UPDATE job_runs SET state = 'stopped', ended_at = 1 WHERE id = $1")
            .bind(run.to_string())
            .execute(&mut **tx)
            .await?;
        Ok(())
    });
    done.unwrap();
}

/// A point with a folder of its own.
async fn point(test: &TestApp, run: &RunRow, number: u64, scheduled: bool, at: i64) -> RestorePointRow {
    let path = test.folder.path().join("points").join(format!("{}-{number}", run.id));
    std::fs::create_dir_all(&path).unwrap();
    let row = RestorePointRow {
        id: SavepointId(new_id()),
        job: run.job,
        run: run.id,
        run_number: run.number,
        version: 1,
        kind: RestoreKind::Savepoint,
        number,
        path: path.display().to_string(),
        bytes: 1,
        ms: 1,
        at,
        by: "somebody".to_owned(),
        scheduled,
    };
    let done: Result<bool> = transact!(test.app.store, tx => { store::restore_point::insert(tx, &row).await });
    assert!(done.unwrap());
    row
}

async fn messages(test: &TestApp, people: &People, job: &Job) -> Vec<String> {
    let events = test.get(&people.viewer, &format!("{}/events", job.path)).await.good();
    events["items"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

async fn numbers(test: &TestApp, people: &People, job: &Job) -> Vec<u64> {
    let points = test.get(&people.viewer, &format!("{}/savepoints", job.path)).await.good();
    points["items"].as_array().unwrap().iter().map(|point| point["number"].as_u64().unwrap()).collect()
}

const SQL: &str = "INSERT INTO main.orders SELECT n FROM main.input";

#[tokio::test]
async fn schedules_of_savepoints_are_checked_kept_and_removed() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, SQL).await;
        let path = format!("{}/savepoint-schedule", job.path);
        let nothing = test.get(&people.viewer, &path).await.good();
        assert_eq!((&nothing["schedule"], &nothing["next"]), (&Value::Null, &json!([])));
        test.call(&people.operator, "DELETE", &path, None).await.refused(404, "not_found");
        let put = async |who, body| test.call(who, "PUT", &path, Some(body)).await;
        put(&people.viewer, minutely(3)).await.refused(403, "not_allowed");
        put(&people.outsider, minutely(3)).await.refused(404, "not_found");
        for (field, wrong) in [
            ("cron", json!({ "cron": "often", "zone": "UTC", "enabled": true, "keep": 3 })),
            ("cron", json!({ "cron": "*/5 * * * * *", "zone": "UTC", "enabled": true, "keep": 3 })),
            ("zone", json!({ "cron": "* * * * *", "zone": "Mars", "enabled": true, "keep": 3 })),
            ("keep", minutely(0)),
            ("keep", minutely(101)),
        ] {
            let refused = put(&people.operator, wrong).await;
            refused.refused(400, "validation_failed");
            assert_eq!(refused.body["field"], field, "{}", refused.body);
        }
        let kept = put(&people.operator, minutely(3)).await.good();
        assert_eq!((&kept["schedule"]["keep"], kept["next"].as_array().unwrap().len()), (&json!(3), 5));
        let mut off = minutely(4);
        off["enabled"] = json!(false);
        put(&people.operator, off).await.good();
        let kept = test.get(&people.viewer, &path).await.good();
        assert_eq!((&kept["schedule"]["keep"], &kept["next"]), (&json!(4), &json!([])));
        test.call(&people.operator, "DELETE", &path, None).await.good();
        assert_eq!(test.get(&people.viewer, &path).await.good()["schedule"], Value::Null);
        test.close().await;
    }
}

#[tokio::test]
async fn a_time_that_cannot_be_kept_is_said_once() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, SQL).await;
        let first = set(&test, &people, &job, minutely(3)).await["next"][0].as_i64().unwrap();
        // Without a run there is nothing to be said of, and nothing fails.
        savepoint_schedule::tick(&test.app, first).await.unwrap();
        let row = run(&test, &people, &job, 1, RunState::Stopped).await;
        for time in 1..=3 {
            savepoint_schedule::tick(&test.app, first + time * MINUTE).await.unwrap();
        }
        assert_eq!(messages(&test, &people, &job).await, ["Scheduled savepoint skipped: the job did not run."]);
        drop(row);

        // A run that another server takes care of is left to it for a while, then the time is settled by one.
        run(&test, &people, &job, 2, RunState::Running).await;
        let due = first + 4 * MINUTE;
        savepoint_schedule::tick(&test.app, due + 1_000).await.unwrap();
        assert_eq!(messages(&test, &people, &job).await.len(), 1);
        let late = due + 30_000;
        let (one, other) =
            tokio::join!(savepoint_schedule::tick(&test.app, late), savepoint_schedule::tick(&test.app, late));
        one.and(other).unwrap();
        let said = messages(&test, &people, &job).await;
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("its worker was not linked"), "{said:?}");
        test.close().await;
    }
}

#[tokio::test]
async fn old_ones_of_the_schedule_go_and_others_stay() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, SQL).await;
        set(&test, &people, &job, minutely(2)).await;
        let past = run(&test, &people, &job, 1, RunState::Stopped).await;
        let by_hand = point(&test, &past, 1, false, 1_000).await;
        let oldest = point(&test, &past, 2, true, 2_000).await;
        let restored_from = point(&test, &past, 3, true, 3_000).await;
        // The live run began with the third one, and has one of its own since.
        let live = run(&test, &people, &job, 2, RunState::Running).await;
        let done: Result<()> = transact!(test.app.store, tx => {
            sqlx::query("UPDATE job_runs SET restored_from = 'from savepoint 3 of run 1' WHERE id = $1")
                .bind(live.id.to_string())
                .execute(&mut **tx)
                .await?;
            store::savepoint_schedule::ask(tx, job.id, live.id, 10_000).await
        });
        done.unwrap();
        savepoint_schedule::tick(&test.app, 10_500).await.unwrap();
        assert_eq!(numbers(&test, &people, &job).await.len(), 3, "nothing goes before the new one is there");
        point(&test, &live, 4, true, 10_600).await;
        point(&test, &live, 5, true, 10_700).await;
        savepoint_schedule::tick(&test.app, 11_000).await.unwrap();
        assert_eq!(numbers(&test, &people, &job).await, [5, 4, 3, 1]);
        let is_there = |row: &RestorePointRow| std::path::Path::new(&row.path).exists();
        assert!(is_there(&by_hand) && is_there(&restored_from) && !is_there(&oldest));
        let said = messages(&test, &people, &job).await;
        assert_eq!(said, ["Savepoint 2 of run 1 removed: the schedule keeps 2."]);

        // The run is over: with the next one the third may go, too.
        let ask: Result<()> =
            transact!(test.app.store, tx => { store::savepoint_schedule::ask(tx, job.id, live.id, 20_000).await });
        ask.unwrap();
        end(&test, live.id).await;
        point(&test, &live, 6, true, 20_100).await;
        savepoint_schedule::tick(&test.app, 21_000).await.unwrap();
        assert_eq!(numbers(&test, &people, &job).await, [6, 5, 1]);
        test.close().await;
    }
}

#[tokio::test]
async fn one_that_does_not_come_is_said_to_have_failed() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, SQL).await;
        set(&test, &people, &job, minutely(2)).await;
        let live = run(&test, &people, &job, 1, RunState::Running).await;
        let ask = async |at: i64| {
            let done: Result<()> =
                transact!(test.app.store, tx => { store::savepoint_schedule::ask(tx, job.id, live.id, at).await });
            done.unwrap();
        };
        ask(1_000).await;
        savepoint_schedule::tick(&test.app, 2_000).await.unwrap();
        assert!(messages(&test, &people, &job).await.is_empty());
        savepoint_schedule::tick(&test.app, 1_000 + 11 * MINUTE).await.unwrap();
        ask(1_000 + 12 * MINUTE).await;
        end(&test, live.id).await;
        savepoint_schedule::tick(&test.app, 2_000 + 12 * MINUTE).await.unwrap();
        savepoint_schedule::tick(&test.app, 3_000 + 12 * MINUTE).await.unwrap();
        let said = messages(&test, &people, &job).await;
        let expected = [
            "Scheduled savepoint failed: the run ended before it was there.",
            "Scheduled savepoint failed: it was not there after ten minutes.",
        ];
        assert_eq!(said, expected);
        test.close().await;
    }
}

#[tokio::test]
async fn a_report_names_the_results_of_tests_for_what_starts() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, SQL).await;
        for name in ["first", "second"] {
            test.post(&people.developer, &format!("{}/tests", job.path), crate::job_test::draft(name)).await.good();
        }
        let tests = async |query: &str| {
            let report = test.get(&people.viewer, &format!("{}/report?{query}", job.path)).await.good();
            let named = report["tests"].as_array().unwrap().iter();
            named.map(|test| (test["name"].clone(), test["result"]["passed"].clone())).collect::<Vec<_>>()
        };
        let (first, second) = (json!("first"), json!("second"));
        let not_run = [(first.clone(), Value::Null), (second.clone(), Value::Null)];
        assert_eq!(tests("version=1").await, not_run);
        let run = json!({ "version": 1 });
        let ran = test.post(&people.developer, &format!("{}/tests/run", job.path), run).await.good();
        let passed = ran["results"][0]["passed"].clone();
        assert!(passed.is_boolean());
        assert_eq!(tests("version=1").await, [(first, passed.clone()), (second, passed)]);
        assert_eq!(tests("from=latest").await, not_run, "the draft was not tested");
        test.close().await;
    }
}

#[tokio::test]
async fn what_sources_tell_of_no_limit_is_said() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    test.post(&people.developer, &people.path("/tables"), draft("input")).await.good();
    let job = job(&test, &people, SQL).await;
    let path = format!("{}/restorable", job.path);
    assert_eq!(test.get(&people.viewer, &path).await.good()["total"], 0);
    test.get(&people.outsider, &path).await.refused(404, "not_found");
    let row = run(&test, &people, &job, 1, RunState::Stopped).await;
    point(&test, &row, 1, false, 1_000).await;
    let found = test.get(&people.viewer, &path).await.good();
    assert_eq!(found["items"][0]["restorable"]["kind"], "no_limit");
    let reason = found["items"][0]["restorable"]["reason"].as_str().unwrap();
    assert!(reason.contains("main.input") && reason.contains("datagen"), "{reason}");
    let report = test.get(&people.viewer, &format!("{}/report", job.path)).await.good();
    assert_eq!(report["restorable"]["kind"], "no_limit");
    let fresh = test.get(&people.viewer, &format!("{}/report?from=fresh", job.path)).await.good();
    assert_eq!(fresh["restorable"], Value::Null);
}

/// Needs `MILLRACE_TEST_KAFKA`.
#[tokio::test(flavor = "multi_thread")]
async fn the_topic_tells_until_when() {
    let Some(bootstrap) = std::env::var("MILLRACE_TEST_KAFKA").ok().filter(|address| !address.is_empty()) else {
        println!("skipped: no Apache Kafka (MILLRACE_TEST_KAFKA is not set)");
        return;
    };
    let test = TestApp::with(&[("kafka", bootstrap.as_str())]).await;
    let people = People::settle(&test.app).await;
    let topic = format!("kept-{}", new_id().simple());
    let mut client = rdkafka::ClientConfig::new();
    client.set("bootstrap.servers", &bootstrap);
    let admin: AdminClient<DefaultClientContext> = client.create().unwrap();
    let wanted = NewTopic::new(&topic, 1, TopicReplication::Fixed(1)).set("retention.ms", "3600000");
    admin.create_topics([&wanted], &AdminOptions::new()).await.unwrap()[0].clone().unwrap();
    let written_at = now_ms() - 10 * MINUTE;
    let producer: FutureProducer = client.create().unwrap();
    for number in 0..5 {
        let (key, value) = (number.to_string(), json!({ "id": number }).to_string());
        let record = FutureRecord::to(&topic).key(&key).payload(&value).partition(0).timestamp(written_at);
        producer.send(record, Duration::from_secs(10)).await.unwrap();
    }
    let connections = test.get(&people.viewer, &people.path("/connections")).await.good();
    let mut input = draft("input");
    input["connector"] = json!("kafka");
    input["connection"] = connections["items"][0]["id"].clone();
    input["options"] = json!({ "topic": topic });
    input["format"] = json!("json");
    test.post(&people.developer, &people.path("/tables"), input).await.good();
    let job = job(&test, &people, SQL).await;
    let row = run(&test, &people, &job, 1, RunState::Stopped).await;
    for (number, offset) in [(1, 2), (2, 99)] {
        let point = point(&test, &row, number, false, now_ms() + i64::try_from(number).unwrap()).await;
        let positions = format!("main.input {topic}/0 {offset}");
        std::fs::write(std::path::Path::new(&point.path).join("positions"), positions).unwrap();
    }
    let found = test.get(&people.viewer, &format!("{}/restorable", job.path)).await.good();
    let of = |number: u64| {
        let items = found["items"].as_array().unwrap();
        items.iter().find(|item| item["number"] == number).unwrap()["restorable"].clone()
    };
    assert_eq!(of(1)["kind"], "until", "{found}");
    assert_eq!(of(1)["until"].as_i64().unwrap(), written_at + 3_600_000, "an hour after the record was written");
    assert_eq!(of(2)["kind"], "gone", "{found}");
    // The newest one is what a start would go on from.
    let report = test.get(&people.viewer, &format!("{}/report", job.path)).await.good();
    let warned = report["warnings"].as_array().unwrap().iter();
    assert!(warned.clone().any(|line| line.as_str().unwrap().contains("no longer restorable")), "{report}");
}
