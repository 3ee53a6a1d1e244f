//! Roll-back, differences, deployment reports, schedules.

use millrace_backend::app::schedule;
use millrace_backend::clock::now_ms;
use serde_json::{Value, json};

use crate::support::{People, TestApp};
use crate::table::draft;

async fn job(test: &TestApp, people: &People, name: &str, sql: &str, kind: &str) -> String {
    let job = json!({ "name": name, "sql": sql, "kind": kind });
    let job = test.post(&people.developer, &people.path("/jobs"), job).await.good();
    people.path(&format!("/jobs/{}", job["id"].as_str().unwrap()))
}

async fn save(test: &TestApp, people: &People, job: &str, sql: &str, parallelism: u32) {
    let before = test.get(&people.viewer, job).await.good()["draft"].clone();
    let mut draft = json!({ "sql": sql, "settings": before["settings"], "revision": before["revision"] });
    draft["settings"]["parallelism"] = json!(parallelism);
    test.call(&people.developer, "PUT", &format!("{job}/draft"), Some(draft)).await.good();
}

async fn freeze(test: &TestApp, people: &People, job: &str) {
    test.post(&people.developer, &format!("{job}/versions"), json!({})).await.good();
}

#[tokio::test]
async fn rolling_back_makes_a_new_version() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
        let job = job(&test, &people, "j", "INSERT INTO main.orders SELECT 1", "stream").await;
        freeze(&test, &people, &job).await;
        save(&test, &people, &job, "INSERT INTO main.orders SELECT 2", 2).await;
        freeze(&test, &people, &job).await;
        save(&test, &people, &job, "not saved as a version", 2).await;
        let back = format!("{job}/versions/1/rollback");
        test.post(&people.viewer, &back, json!(null)).await.refused(403, "not_allowed");
        test.post(&people.developer, &format!("{job}/versions/9/rollback"), json!(null))
            .await
            .refused(404, "not_found");
        let made = test.post(&people.developer, &back, json!(null)).await.good();
        assert_eq!((&made["number"], &made["comment"]), (&json!(3), &json!("Rolled back to v1")));
        assert_eq!(made["sql"], "INSERT INTO main.orders SELECT 1");
        let now = test.get(&people.viewer, &job).await.good();
        assert_eq!((&now["draft"]["sql"], &now["draft"]["differs"]), (&made["sql"], &json!(false)));
        assert_eq!(now["versions"], 3);
        // What it would make is there already.
        test.post(&people.developer, &back, json!(null)).await.refused(409, "wrong_state");
        test.post(&people.developer, &format!("{job}/versions/3/rollback"), json!(null))
            .await
            .refused(409, "wrong_state");
        test.close().await;
    }
}

#[tokio::test]
async fn differences_name_settings_tables_and_what_is_wrong() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    for table in ["orders", "others"] {
        test.post(&people.developer, &people.path("/tables"), draft(table)).await.good();
    }
    let job = job(&test, &people, "j", "INSERT INTO main.orders SELECT 1", "stream").await;
    freeze(&test, &people, &job).await;
    save(&test, &people, &job, "INSERT INTO main.others SELECT 1", 2).await;
    let diff = test.get(&people.viewer, &format!("{job}/diff?from=1&to=draft")).await.good();
    let setting = json!({ "change": "changed", "name": "parallelism", "from": "1", "to": "2" });
    assert_eq!(diff["settings"], json!([setting]));
    let tables: Vec<(&Value, &Value)> =
        diff["tables"].as_array().unwrap().iter().map(|change| (&change["change"], &change["name"])).collect();
    assert_eq!(tables, [(&json!("removed"), &json!("main.orders")), (&json!("added"), &json!("main.others"))]);
    assert_eq!((&diff["from"], &diff["to"], &diff["problems"]), (&json!("v1"), &json!("draft"), &json!([])));
    test.get(&people.viewer, &format!("{job}/diff?from=7")).await.refused(404, "not_found");
    test.get(&people.viewer, &format!("{job}/diff?from=x")).await.refused(400, "validation_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_says_what_a_start_changes_and_stays_with_the_run() {
    for test in TestApp::on_each_database().await {
        test.app.worker_tables.belong_to(&test.app);
        let people = People::settle(&test.app).await;
        for table in ["orders", "others"] {
            test.post(&people.developer, &people.path("/tables"), draft(table)).await.good();
        }
        let reader = job(&test, &people, "reads", "SELECT 1", "stream").await;
        let reader_id = reader.rsplit('/').next().unwrap().parse().unwrap();
        crate::store::use_table(&test.app, people.team, reader_id, "main", "others").await;
        let job = job(&test, &people, "j", "INSERT INTO main.orders SELECT n FROM main.input", "stream").await;
        let report = test.get(&people.viewer, &format!("{job}/report")).await.good();
        assert_eq!((&report["version"], &report["against"]), (&Value::Null, &Value::Null));
        assert_eq!(report["state"]["sources"][0]["table"], "main.input");
        assert_eq!(report["state"]["sources"][0]["goes_on"], false);

        test.post(&people.operator, &format!("{job}/start"), json!({ "from": "latest" })).await.good();
        let kept = test.get(&people.viewer, &format!("{job}/runs/1/report")).await.good();
        assert_eq!((&kept["version"], &kept["difference"]["sql_to"]), (&json!(1), &report["difference"]["sql_to"]));
        test.get(&people.viewer, &format!("{job}/runs/2/report")).await.refused(404, "not_found");

        save(&test, &people, &job, "INSERT INTO main.others SELECT n FROM main.input", 1).await;
        let report = test.get(&people.viewer, &format!("{job}/report?from=fresh")).await.good();
        assert_eq!((&report["against"], &report["from"]), (&json!(1), &json!("fresh")));
        assert_eq!(report["lineage"]["writes_added"], json!(["main.others"]));
        assert_eq!(report["lineage"]["writes_removed"], json!(["main.orders"]));
        assert_eq!(report["downstream"][0]["readers"][0]["name"], "reads");
        assert_eq!(report["errors"], json!([]));
        test.get(&people.viewer, &format!("{job}/report?from=savepoint")).await.refused(400, "validation_failed");
        test.close().await;
    }
}

#[tokio::test]
async fn a_batch_job_must_come_to_an_end() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let sql = "INSERT INTO main.orders SELECT n FROM main.topic";
    let endless = job(&test, &people, "endless", sql, "batch").await;
    let refused = test.post(&people.developer, &format!("{endless}/versions"), json!({})).await;
    refused.refused(422, "invalid_sql");
    assert!(refused.body["message"].as_str().unwrap().contains("main.topic"), "{}", refused.body);
    test.call(&people.developer, "PATCH", &endless, Some(json!({ "kind": "stream" }))).await.good();
    freeze(&test, &people, &endless).await;
    let ends = job(&test, &people, "ends", "INSERT INTO main.orders SELECT n FROM main.file", "batch").await;
    freeze(&test, &people, &ends).await;
    let listed = test.get(&people.viewer, &people.path("/jobs?kind=batch")).await.good();
    assert_eq!((&listed["total"], &listed["items"][0]["kind"]), (&json!(1), &json!("batch")));
}

fn every_minute(catch_up: &str, retries: u32) -> Value {
    json!({
        "cron": "* * * * *", "zone": "UTC", "enabled": true, "catch_up": catch_up, "catch_up_most": 5,
        "retry_attempts": retries, "retry_delay_ms": 1000,
    })
}

async fn fires(test: &TestApp, people: &People, job: &str) -> Vec<(String, u64, String)> {
    let fires = test.get(&people.viewer, &format!("{job}/fires")).await.good();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fires = fires["items"].as_array().unwrap().iter().rev();
    fires.map(|fire| (text(&fire["outcome"]), fire["attempt"].as_u64().unwrap(), text(&fire["detail"]))).collect()
}

#[tokio::test]
async fn schedules_are_checked_kept_and_removed() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
        let stream = job(&test, &people, "stream", "INSERT INTO main.orders SELECT 1", "stream").await;
        let put = async |job: &str, who, body| test.call(who, "PUT", &format!("{job}/schedule"), Some(body)).await;
        put(&stream, &people.operator, every_minute("skip", 0)).await.refused(409, "wrong_state");
        let batch = job(&test, &people, "batch", "INSERT INTO main.orders SELECT 1", "batch").await;
        put(&batch, &people.developer, every_minute("skip", 0)).await.refused(403, "not_allowed");
        for (field, value) in
            [("cron", json!("every day")), ("zone", json!("Nowhere")), ("retry_attempts", json!(1_000))]
        {
            let mut wrong = every_minute("skip", 0);
            wrong[field] = value;
            let refused = put(&batch, &people.operator, wrong).await;
            refused.refused(400, "validation_failed");
            assert_eq!(refused.body["field"], field);
        }
        let kept = put(&batch, &people.operator, every_minute("skip", 0)).await.good();
        let next: Vec<i64> = kept["next"].as_array().unwrap().iter().map(|at| at.as_i64().unwrap()).collect();
        assert!(next.len() == 5 && next[0] > now_ms() - 1_000 && next[1] - next[0] == 60_000, "{next:?}");
        let check = json!({ "cron": "0 6 * * 1-5", "zone": "Europe/Berlin" });
        let times = test.post(&people.viewer, &format!("{batch}/schedule/check"), check).await.good();
        assert_eq!(times["next"].as_array().unwrap().len(), 5);
        let never = json!({ "cron": "0 0 30 2 *", "zone": "UTC" });
        test.post(&people.viewer, &format!("{batch}/schedule/check"), never).await.refused(400, "validation_failed");
        test.call(&people.operator, "DELETE", &format!("{batch}/schedule"), None).await.good();
        assert_eq!(test.get(&people.viewer, &format!("{batch}/schedule")).await.good()["next"], json!([]));
        test.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_fire_a_time_once_and_the_rest_by_policy() {
    for test in TestApp::on_each_database().await {
        test.app.worker_tables.belong_to(&test.app);
        let people = People::settle(&test.app).await;
        test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
        let job = job(&test, &people, "batch", "INSERT INTO main.orders SELECT 1", "batch").await;
        let put = async |body| test.call(&people.operator, "PUT", &format!("{job}/schedule"), Some(body)).await.good();
        let first = put(every_minute("skip", 0)).await["next"][0].as_i64().unwrap();
        schedule::tick(&test.app, first - 1).await.unwrap();
        assert!(fires(&test, &people, &job).await.is_empty());

        // No version yet: it says so.
        schedule::tick(&test.app, first).await.unwrap();
        let refused = fires(&test, &people, &job).await;
        assert_eq!((refused.len(), refused[0].0.as_str()), (1, "refused"));
        assert!(refused[0].2.contains("no version"), "{refused:?}");
        freeze(&test, &people, &job).await;

        // Two servers look at the same instant.
        let (one, other) =
            tokio::join!(schedule::tick(&test.app, first + 60_000), schedule::tick(&test.app, first + 60_000));
        one.unwrap();
        other.unwrap();
        let now = test.get(&people.viewer, &job).await.good();
        assert_eq!((&now["runs"], fires(&test, &people, &job).await.len()), (&json!(1), 2));
        let runs = test.get(&people.viewer, &format!("{job}/runs")).await.good();
        assert_eq!((&runs["items"][0]["cause"], &runs["items"][0]["version"]), (&json!("schedule"), &json!(1)));

        // Ten minutes of downtime: only the time of this minute is met, the others are noted.
        schedule::tick(&test.app, first + 60_000 * 11 + 90_000).await.unwrap();
        let missed = fires(&test, &people, &job).await.iter().filter(|fire| fire.0 == "missed").count();
        assert_eq!(missed, 10);
        // Switched off, or no batch job any more, nothing comes.
        test.call(&people.developer, "PATCH", &job, Some(json!({ "kind": "stream" }))).await.good();
        let before = fires(&test, &people, &job).await.len();
        schedule::tick(&test.app, first + 60_000 * 30).await.unwrap();
        assert_eq!(fires(&test, &people, &job).await.len(), before);
        test.close().await;
    }
}

/// Without a worker program each run fails at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_run_of_a_schedule_is_tried_again_so_often() {
    let test = TestApp::new().await;
    test.app.worker_tables.belong_to(&test.app);
    let people = People::settle(&test.app).await;
    test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let job = job(&test, &people, "batch", "INSERT INTO main.orders SELECT 1", "batch").await;
    freeze(&test, &people, &job).await;
    let put =
        test.call(&people.operator, "PUT", &format!("{job}/schedule"), Some(every_minute("skip", 2))).await.good();
    let mut now = put["next"][0].as_i64().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    for runs in 1..=3 {
        // Until this try has started and failed: then the next one is due a second later.
        loop {
            schedule::tick(&test.app, now).await.unwrap();
            let seen = test.get(&people.viewer, &job).await.good();
            if seen["runs"].as_u64().unwrap() >= runs && seen["current"]["state"] == "failed" {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{seen}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        now += 2_000;
    }
    schedule::tick(&test.app, now).await.unwrap();
    schedule::tick(&test.app, now + 2_000).await.unwrap();
    let tried: Vec<(String, u64)> =
        fires(&test, &people, &job).await.into_iter().map(|(outcome, attempt, _)| (outcome, attempt)).collect();
    let started = |attempt| ("started".to_owned(), attempt);
    assert_eq!(tried, [started(0), started(1), started(2)], "no third try");
    let runs = test.get(&people.viewer, &format!("{job}/runs")).await.good();
    assert_eq!(runs["items"][0]["cause"], "retry");
}
