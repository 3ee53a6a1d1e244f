//! `…/jobs/bin`, bulk actions, and calls that carry a key.

use axum::body::Body;
use axum::http::{Request, header};
use millrace_backend::app::{bin, start};
use millrace_backend::clock::now_ms;
use serde_json::{Value, json};

use crate::support::{Answer, As, HOST, People, TestApp};
use crate::table::draft;

async fn make(test: &TestApp, people: &People, name: &str, sql: &str) -> String {
    let job = json!({ "name": name, "sql": sql });
    let job = test.post(&people.developer, &people.path("/jobs"), job).await.good();
    job["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_job_in_the_bin_is_nowhere_else_and_comes_back() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let jobs = people.path("/jobs");
        let table = test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
        let table = people.path(&format!("/tables/{}", table["id"].as_str().unwrap()));
        let id = make(&test, &people, "count", "INSERT INTO main.orders SELECT 1").await;
        let one = format!("{jobs}/{id}");
        test.post(&people.developer, &format!("{one}/versions"), json!({})).await.good();
        assert_eq!(test.get(&people.viewer, &table).await.good()["producers"][0]["name"], "count");

        test.call(&people.developer, "DELETE", &one, None).await.refused(403, "not_allowed");
        test.call(&people.operator, "DELETE", &one, None).await.good();
        test.get(&people.viewer, &one).await.refused(404, "not_found");
        test.call(&people.operator, "DELETE", &one, None).await.refused(404, "not_found");
        test.post(&people.operator, &format!("{one}/start"), json!({ "from": "latest" }))
            .await
            .refused(404, "not_found");
        assert_eq!(test.get(&people.viewer, &jobs).await.good()["total"], 0);
        assert_eq!(test.get(&people.viewer, &people.path("/search?q=count")).await.good()["total"], 0);
        assert_eq!(test.get(&people.viewer, &people.path("/overview")).await.good()["jobs"], 0);
        assert_eq!(test.get(&people.viewer, &table).await.good()["producers"], json!([]));
        let binned = test.get(&people.viewer, &format!("{jobs}/bin")).await.good();
        let item = &binned["items"][0];
        assert_eq!(
            (&item["name"], &item["deleted_by"], &item["versions"]),
            (&json!("count"), &json!("Somebody"), &json!(1))
        );
        let days = (item["purge_at"].as_i64().unwrap() - item["deleted_at"].as_i64().unwrap()) / 86_400_000;
        assert_eq!(days, 30);

        // Its name is free, and taken when it comes back.
        make(&test, &people, "count", "SELECT 2").await;
        let restore = format!("{jobs}/bin/{id}/restore");
        let refused = test.post(&people.operator, &restore, json!({})).await;
        refused.refused(409, "name_taken");
        assert!(refused.body["hint"].as_str().unwrap().contains("\"count (restored)\""), "{}", refused.body);
        test.post(&people.developer, &restore, json!({})).await.refused(403, "not_allowed");
        let back = test.post(&people.operator, &restore, json!({ "name": "count (restored)" })).await.good();
        assert_eq!(
            (&back["name"], &back["versions"], &back["id"]),
            (&json!("count (restored)"), &json!(1), &json!(id))
        );
        assert_eq!(test.get(&people.viewer, &jobs).await.good()["total"], 2);
        assert_eq!(test.get(&people.viewer, &format!("{jobs}/bin")).await.good()["total"], 0);
        assert_eq!(test.get(&people.viewer, &table).await.good()["producers"][0]["name"], "count (restored)");
        test.post(&people.operator, &restore, json!({})).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn for_good_asks_for_the_name_and_the_bin_empties_itself() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let jobs = people.path("/jobs");
        let (first, second) =
            (make(&test, &people, "one & only", "SELECT 1").await, make(&test, &people, "two", "SELECT 1").await);
        for id in [&first, &second] {
            test.call(&people.operator, "DELETE", &format!("{jobs}/{id}"), None).await.good();
        }
        let bin = format!("{jobs}/bin");
        test.call(&people.operator, "DELETE", &format!("{bin}/{first}"), None).await.refused(400, "validation_failed");
        test.call(&people.operator, "DELETE", &format!("{bin}/{first}?name=two"), None)
            .await
            .refused(400, "validation_failed");
        test.call(&people.operator, "DELETE", &format!("{bin}/{first}?name=one%20%26%20only"), None).await.good();
        assert_eq!(test.get(&people.viewer, &bin).await.good()["total"], 1);
        let keep = bin::keep_ms(&test.app);
        assert_eq!(bin::purge(&test.app, now_ms() + keep - 60_000).await.unwrap(), 0);
        assert_eq!(bin::purge(&test.app, now_ms() + keep + 60_000).await.unwrap(), 1);
        assert_eq!(test.get(&people.viewer, &bin).await.good()["total"], 0);
        test.close().await;
    }
}

#[tokio::test]
async fn what_depends_on_a_job_is_named() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let writer = make(&test, &people, "writes", "INSERT INTO main.orders SELECT 1").await;
    test.post(&people.developer, &people.path(&format!("/jobs/{writer}/versions")), json!({})).await.good();
    let reader = make(&test, &people, "reads", "SELECT 1").await;
    crate::store::use_table(&test.app, people.team, reader.parse().unwrap(), "main", "orders").await;
    let dependents = test.get(&people.viewer, &people.path(&format!("/jobs/{writer}/dependents"))).await.good();
    assert_eq!(
        dependents,
        json!({ "tables": [{ "table": "main.orders", "readers": [{ "id": reader, "name": "reads" }] }] })
    );
    // A second writer keeps the table alive.
    let other = make(&test, &people, "writes too", "INSERT INTO main.orders SELECT 2").await;
    test.post(&people.developer, &people.path(&format!("/jobs/{other}/versions")), json!({})).await.good();
    let dependents = test.get(&people.viewer, &people.path(&format!("/jobs/{writer}/dependents"))).await.good();
    assert_eq!(dependents, json!({ "tables": [] }));
}

#[tokio::test]
async fn bulk_does_what_it_can_and_says_what_not() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let jobs = people.path("/jobs");
        let bulk = format!("{jobs}/bulk");
        let (one, two) = (make(&test, &people, "one", "SELECT 1").await, make(&test, &people, "two", "SELECT 1").await);
        let nothing = uuid::Uuid::now_v7().to_string();
        let tag = json!({ "action": "tag", "jobs": [one, nothing, two, one], "tag": "new" });
        let report = test.post(&people.developer, &bulk, tag).await.good();
        let seen: Vec<(&str, bool, &Value)> = report["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["name"].as_str().unwrap(), item["done"].as_bool().unwrap(), &item["code"]))
            .collect();
        assert_eq!(seen, [("one", true, &Value::Null), ("", false, &json!("not_found")), ("two", true, &Value::Null)]);
        assert_eq!((&report["done"], &report["refused"]), (&json!(2), &json!(1)));
        assert_eq!(test.get(&people.viewer, &format!("{jobs}?tag=new")).await.good()["total"], 2);

        // All that a filter admits.
        let untag = json!({ "action": "untag", "filter": { "q": "two" }, "tag": "new" });
        assert_eq!(test.post(&people.developer, &bulk, untag).await.good()["done"], 1);
        assert_eq!(test.get(&people.viewer, &format!("{jobs}?tag=new")).await.good()["total"], 1);

        let stop = json!({ "action": "stop", "jobs": [one] });
        let refused = test.post(&people.developer, &bulk, stop.clone()).await.good();
        let item = &refused["items"][0];
        assert_eq!((&refused["done"], &item["code"]), (&json!(0), &json!("not_allowed")), "{refused}");
        let report = test.post(&people.operator, &bulk, stop).await.good();
        assert_eq!(
            (&report["items"][0]["code"], &report["items"][0]["message"]),
            (&json!("wrong_state"), &json!("The job does not run."))
        );
        let start = json!({ "action": "start", "jobs": [one] });
        assert_eq!(test.post(&people.operator, &bulk, start).await.good()["items"][0]["code"], "invalid_sql");
        let delete = json!({ "action": "delete", "filter": {} });
        assert_eq!(test.post(&people.operator, &bulk, delete).await.good()["done"], 2);
        assert_eq!(test.get(&people.viewer, &format!("{jobs}/bin")).await.good()["total"], 2);
        for (body, field) in [
            (json!({ "action": "tag", "jobs": [one], "tag": " " }), "tag"),
            (json!({ "action": "delete" }), "jobs"),
            (json!({ "action": "delete", "jobs": [one], "filter": {} }), "filter"),
            (json!({ "action": "start", "jobs": [one], "from": "savepoint" }), "from"),
        ] {
            let refused = test.post(&people.operator, &bulk, body).await;
            refused.refused(400, "validation_failed");
            assert_eq!(refused.body["field"], field);
        }
        test.close().await;
    }
}

async fn keyed(test: &TestApp, who: &As, path: &str, key: &str, body: &Value) -> Answer {
    let As::Session(cookie) = who else { panic!("a session") };
    let request = Request::post(format!("/api/v1{path}"))
        .header(header::HOST, HOST)
        .header("x-millrace", "1")
        .header(header::ORIGIN, format!("http://{HOST}"))
        .header(header::COOKIE, format!("millrace={cookie}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body.to_string()));
    test.send(request.unwrap()).await
}

#[tokio::test]
async fn the_same_call_under_the_same_key_is_done_once() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let jobs = people.path("/jobs");
        let body = json!({ "name": "once", "sql": "SELECT 1" });
        let first = keyed(&test, &people.developer, &jobs, "k1", &body).await;
        assert!(first.headers.get("idempotency-replayed").is_none());
        let again = keyed(&test, &people.developer, &jobs, "k1", &body).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(first.good()["id"], again.good()["id"]);
        assert_eq!(test.get(&people.viewer, &jobs).await.good()["total"], 1);
        // Another body under it is a mistake; another person's key is another key.
        let other = json!({ "name": "twice", "sql": "SELECT 1" });
        keyed(&test, &people.developer, &jobs, "k1", &other).await.refused(409, "conflict");
        keyed(&test, &people.operator, &jobs, "k1", &other).await.good();
        // Refusals are answers as well, and a viewer's call never gets so far.
        keyed(&test, &people.developer, &jobs, "k2", &body).await.refused(409, "name_taken");
        let replayed = keyed(&test, &people.developer, &jobs, "k2", &body).await;
        replayed.refused(409, "name_taken");
        assert_eq!(replayed.headers["idempotency-replayed"], "true");
        keyed(&test, &people.viewer, &jobs, "k1", &body).await.refused(403, "not_allowed");
        keyed(&test, &people.developer, &jobs, "", &body).await.refused(400, "validation_failed");
        test.close().await;
    }
}

#[tokio::test]
async fn of_calls_at_once_under_one_key_one_is_done() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let jobs = people.path("/jobs");
    let body = json!({ "name": "race", "sql": "SELECT 1" });
    let calls = (0..6).map(|_| keyed(&test, &people.developer, &jobs, "k", &body));
    let answers = futures::future::join_all(calls).await;
    let made = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert!(made >= 1 && answers.iter().all(|answer| answer.status.is_success() || answer.code() == "conflict"));
    assert_eq!(test.get(&people.viewer, &jobs).await.good()["total"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_a_stop_and_a_start_of_the_same_version() {
    let (_folder, test) = crate::job::with_worker(crate::job::SILENT).await;
    let people = People::settle(&test.app).await;
    test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let id = make(&test, &people, "again", "INSERT INTO main.orders SELECT 1").await;
    let one = people.path(&format!("/jobs/{id}"));
    test.post(&people.operator, &format!("{one}/start"), json!({ "from": "latest" })).await.good();
    // What is edited meanwhile is not what runs.
    let settings = test.get(&people.viewer, &one).await.good()["draft"]["settings"].clone();
    let edited = json!({ "sql": "INSERT INTO main.orders SELECT 2", "settings": settings, "revision": 1 });
    test.call(&people.developer, "PUT", &format!("{one}/draft"), Some(edited)).await.good();

    let bulk = json!({ "action": "restart", "jobs": [id] });
    let report = test.post(&people.operator, &people.path("/jobs/bulk"), bulk).await.good();
    assert_eq!(report["items"][0]["message"], "stops, then starts again");
    assert_eq!(test.get(&people.viewer, &one).await.good()["desired"], "running");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let runs = loop {
        // Two servers would both look.
        let (first, second) = tokio::join!(start::start_again(&test.app), start::start_again(&test.app));
        first.unwrap();
        second.unwrap();
        let runs = test.get(&people.viewer, &format!("{one}/runs")).await.good();
        if runs["total"] == 2 {
            break runs;
        }
        assert!(std::time::Instant::now() < deadline, "{runs}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!((&runs["items"][0]["cause"], &runs["items"][0]["version"]), (&json!("restart"), &json!(1)));
    assert_eq!(runs["items"][1]["stop_mode"], "savepoint");
    test.close().await;
}
