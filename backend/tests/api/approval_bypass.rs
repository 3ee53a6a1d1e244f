//! Ways around the approval of starts that must not be there.

use millrace_backend::app::schedule;
use serde_json::{Value, json};

use crate::approval::{approve, ask, freeze, job, require, save};
use crate::support::{Answer, As, People, TestApp};
use crate::table::draft;

async fn start(test: &TestApp, who: &As, job: &str, start: Value) -> Answer {
    test.post(who, &format!("{job}/start"), start).await
}

async fn bulk(test: &TestApp, people: &People, job: &str, action: &str) -> Value {
    let id = job.rsplit_once('/').unwrap().1;
    let body = json!({ "action": action, "jobs": [id] });
    test.post(&people.operator, &people.path("/jobs/bulk"), body).await.good()["items"][0].clone()
}

async fn runs(test: &TestApp, people: &People, job: &str) -> Value {
    test.get(&people.viewer, &format!("{job}/runs")).await.good()["total"].clone()
}

#[tokio::test]
async fn nobody_decides_on_their_own_request_nor_does_a_token() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, "stream").await;
        let yes = json!({ "approve": true });
        // The owner asks by a token, and tries as a person and by the token.
        let asked = json!({ "from": "latest", "reason": "mine" });
        let made = test.post(&people.owner_token, &format!("{job}/approvals"), asked).await.good();
        let request = format!("{job}/approvals/{}", made["id"].as_str().unwrap());
        for who in [&people.owner, &people.owner_token] {
            test.post(who, &request, yes.clone()).await.refused(403, "own_request");
            test.post(who, &request, json!({ "approve": false, "answer": "x" })).await.refused(403, "own_request");
        }
        for who in [&people.viewer, &people.developer] {
            test.post(who, &request, yes.clone()).await.refused(403, "not_allowed");
        }
        test.post(&people.outsider, &request, yes.clone()).await.refused(404, "not_found");
        test.call(&people.owner, "DELETE", &request, None).await.good();

        // Somebody else's request is not decided by a token either: a program is no pair of eyes.
        let request = ask(&test, &people, &job, json!({})).await;
        test.post(&people.owner_token, &request, yes.clone()).await.refused(403, "not_allowed");
        // Under another job it is not there.
        let other = json!({ "name": "other", "sql": "SELECT 1" });
        let other = test.post(&people.developer, &people.path("/jobs"), other).await.good();
        let elsewhere = request.replace(job.rsplit_once('/').unwrap().1, other["id"].as_str().unwrap());
        test.post(&people.owner, &elsewhere, yes.clone()).await.refused(404, "not_found");
        assert_eq!(runs(&test, &people, &job).await, 0);
        test.post(&people.owner, &request, yes).await.good();
        test.close().await;
    }
}

#[tokio::test]
async fn every_way_to_start_asks_for_the_approval() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, "stream").await;
        for who in [&people.operator, &people.owner, &people.owner_token] {
            for from in ["latest", "fresh"] {
                let refused = start(&test, who, &job, json!({ "from": from })).await;
                refused.refused(409, "approval_needed");
                assert!(refused.body["hint"].as_str().unwrap().contains("Ask for approval"), "{}", refused.body);
            }
        }
        for action in ["start", "restart"] {
            let item = bulk(&test, &people, &job, action).await;
            assert_eq!((&item["done"], &item["code"]), (&json!(false), &json!("approval_needed")), "{item}");
        }
        // A refused start leaves no version behind; a version that is there does not start either.
        assert_eq!(test.get(&people.viewer, &job).await.good()["versions"], 0);
        freeze(&test, &people, &job).await;
        start(&test, &people.operator, &job, json!({ "version": 1, "from": "fresh" }))
            .await
            .refused(409, "approval_needed");
        start(&test, &people.operator, &job, json!({ "from": "fresh" })).await.refused(409, "approval_needed");
        assert_eq!(runs(&test, &people, &job).await, 0);
        test.close().await;
    }
}

#[tokio::test]
async fn another_version_than_the_approved_one_does_not_start() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, "stream").await;
        let request = ask(&test, &people, &job, json!({})).await;
        approve(&test, &people, &request).await;
        // Other SQL, then other settings, in the draft alone.
        let changed = "INSERT INTO main.orders SELECT 2";
        save(&test, &people, &job, changed, 1).await;
        start(&test, &people.operator, &job, json!({ "from": "latest" })).await.refused(409, "approval_needed");
        save(&test, &people, &job, "INSERT INTO main.orders SELECT 1", 8).await;
        start(&test, &people.operator, &job, json!({ "from": "latest" })).await.refused(409, "approval_needed");
        // A newer version ends the approval of the one before it.
        freeze(&test, &people, &job).await;
        for version in [1, 2] {
            let body = json!({ "version": version, "from": "latest" });
            start(&test, &people.operator, &job, body).await.refused(409, "approval_needed");
        }
        // Rolling back makes one more version, which nobody approved.
        test.post(&people.developer, &format!("{job}/versions/1/rollback"), json!(null)).await.good();
        start(&test, &people.operator, &job, json!({ "from": "latest" })).await.refused(409, "approval_needed");
        assert_eq!(runs(&test, &people, &job).await, 0);
        test.close().await;
    }
}

#[tokio::test]
async fn another_choice_than_the_approved_one_does_not_start() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people, "stream").await;
    let request = ask(&test, &people, &job, json!({ "from": "fresh", "at_ms": 1_000 })).await;
    approve(&test, &people, &request).await;
    for other in [json!({ "from": "fresh" }), json!({ "from": "fresh", "at_ms": 2_000 }), json!({ "from": "latest" })] {
        start(&test, &people.operator, &job, other).await.refused(409, "approval_needed");
    }
    start(&test, &people.operator, &job, json!({ "from": "fresh", "at_ms": 1_000 })).await.good();
}

#[tokio::test]
async fn a_connection_that_leads_elsewhere_ends_the_approval() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let connection = crate::connection::draft("events");
    let made = test.post(&people.developer, &people.path("/connections"), connection.clone()).await.good();
    let mut table = draft("clicks");
    table["connector"] = json!("kafka");
    table["connection"] = made["id"].clone();
    table["options"] = json!({ "topic": "clicks" });
    test.post(&people.developer, &people.path("/tables"), table).await.good();
    let job = job(&test, &people, "stream").await;
    save(&test, &people, &job, "INSERT INTO main.clicks SELECT 1", 1).await;
    let change = async |servers: &str, name: &str| {
        let mut changed = connection.clone();
        changed["options"]["bootstrap.servers"] = json!(servers);
        changed["name"] = json!(name);
        let path = people.path(&format!("/connections/{}", made["id"].as_str().unwrap()));
        test.call(&people.developer, "PUT", &path, Some(changed)).await.good();
    };

    // Between asking and deciding.
    let request = ask(&test, &people, &job, json!({})).await;
    change("10.255.255.2:9092", "events").await;
    test.post(&people.owner, &request, json!({ "approve": true })).await.refused(409, "conflict");
    test.call(&people.operator, "DELETE", &request, None).await.good();
    // After it. A name means nothing, an address does.
    let request = ask(&test, &people, &job, json!({})).await;
    approve(&test, &people, &request).await;
    change("10.255.255.3:9092", "events").await;
    start(&test, &people.operator, &job, json!({ "from": "latest" })).await.refused(409, "approval_needed");
    change("10.255.255.2:9092", "other name").await;
    start(&test, &people.operator, &job, json!({ "from": "latest" })).await.good();
}

#[tokio::test]
async fn a_table_with_its_own_password_that_leads_elsewhere_ends_the_approval() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let mut table = draft("clicks");
    table["connector"] = json!("postgres");
    table.as_object_mut().unwrap().remove("connection");
    table["options"] = json!({ "table-name": "clicks", "hostname": "good.example", "password": "of the good one" });
    let made = test.post(&people.developer, &people.path("/tables"), table.clone()).await.good();
    let job = job(&test, &people, "stream").await;
    save(&test, &people, &job, "INSERT INTO main.clicks SELECT 1", 1).await;
    let request = ask(&test, &people, &job, json!({})).await;
    approve(&test, &people, &request).await;

    table["options"]["hostname"] = json!("evil.example");
    table["options"]["password"] = json!("of another one");
    table["accept_breaking"] = json!(true);
    let path = people.path(&format!("/tables/{}", made["id"].as_str().unwrap()));
    test.call(&people.developer, "PUT", &path, Some(table)).await.good();
    start(&test, &people.operator, &job, json!({ "from": "latest" })).await.refused(409, "approval_needed");
}

fn every_minute() -> Value {
    json!({ "cron": "* * * * *", "zone": "UTC", "enabled": true, "catch_up": "skip", "catch_up_most": 1,
        "retry_attempts": 0, "retry_delay_ms": 1_000 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_starts_no_version_that_nobody_approved() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, "batch").await;
        freeze(&test, &people, &job).await;
        let path = format!("{job}/schedule");
        let set = test.call(&people.operator, "PUT", &path, Some(every_minute())).await.good();
        let first = set["next"][0].as_i64().unwrap();
        let fires = async || test.get(&people.viewer, &format!("{job}/fires")).await.good()["items"].clone();
        schedule::tick(&test.app, first).await.unwrap();
        let refused = fires().await;
        assert_eq!(refused[0]["outcome"], "refused");
        assert_eq!(refused[0]["detail"], "Nobody has approved the start of version 1.");

        let request = ask(&test, &people, &job, json!({ "from": "latest" })).await;
        approve(&test, &people, &request).await;
        schedule::tick(&test.app, first + 60_000).await.unwrap();
        assert_eq!(fires().await[0]["outcome"], "started");
        assert_eq!(runs(&test, &people, &job).await, 1);
        let run = test.get(&people.viewer, &format!("{job}/runs")).await.good()["items"][0].clone();
        assert_eq!((&run["cause"], &run["approval"]["by"]), (&json!("schedule"), &json!("Somebody")));
        test.close().await;
    }
}

#[tokio::test]
async fn what_runs_can_be_stopped_and_is_not_stopped_for_a_restart_that_may_not_be() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people, "stream").await;
    require(&test, &people, "off").await;
    start(&test, &people.operator, &job, json!({ "from": "fresh" })).await.good();
    require(&test, &people, "required").await;
    let item = bulk(&test, &people, &job, "restart").await;
    assert_eq!((&item["done"], &item["code"]), (&json!(false), &json!("approval_needed")), "{item}");
    let now = test.get(&people.viewer, &job).await.good();
    assert_eq!(now["desired"], "running", "{now}");

    // A version that was made meanwhile does not keep what runs from being approved and restarted.
    save(&test, &people, &job, "INSERT INTO main.orders SELECT 2", 1).await;
    freeze(&test, &people, &job).await;
    let request = ask(&test, &people, &job, json!({ "version": 1 })).await;
    approve(&test, &people, &request).await;
    let item = bulk(&test, &people, &job, "restart").await;
    assert_eq!(item["done"], true, "{item}");
    test.post(&people.operator, &format!("{job}/stop"), json!({ "mode": "cancel" })).await.good();
}

#[tokio::test]
async fn a_job_that_is_hidden_stays_hidden_and_guests_do_not_decide() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people, "stream").await;
    let maker = people.maker(&test.app).await;
    let restrict = Some(json!({ "restricted": true }));
    test.call(&people.owner, "PATCH", &format!("{job}/permissions"), restrict).await.good();
    let asked = json!({ "from": "latest", "reason": "hidden" });
    let made = test.post(&people.owner, &format!("{job}/approvals"), asked.clone()).await.good();
    let request = format!("{job}/approvals/{}", made["id"].as_str().unwrap());
    // The operator does not see the job: neither told, nor asked, nor heard.
    let unread = test.get(&people.operator, "/notices").await.good()["to_decide"].clone();
    assert_eq!(unread, 0);
    assert_eq!(test.get(&people.operator, "/requests").await.good()["starts_to_decide"], json!([]));
    for path in [format!("{job}/approvals"), format!("{job}/approvals/needed"), format!("{request}/report")] {
        test.get(&people.operator, &path).await.refused(404, "not_found");
    }
    test.post(&people.operator, &request, json!({ "approve": true })).await.refused(404, "not_found");
    test.post(&people.operator, &format!("{job}/approvals"), asked).await.refused(404, "not_found");

    // A guest who may operate the job may ask, and decides nothing.
    let email = test.get(&people.outsider, "/session").await.good()["user"]["email"].clone();
    let grant = Some(json!({ "email": email, "level": "manage" }));
    test.call(&people.owner, "PUT", &format!("{job}/grants"), grant).await.good();
    test.post(&people.outsider, &request, json!({ "approve": true })).await.refused(403, "not_allowed");
    assert_eq!(test.get(&people.outsider, "/requests").await.good()["starts_to_decide"], json!([]));
    start(&test, &people.outsider, &job, json!({ "from": "latest" })).await.refused(409, "approval_needed");
    // Another owner sees it and decides.
    test.post(&maker, &request, json!({ "approve": true })).await.good();
    let runs = test.get(&people.owner, &format!("{job}/runs")).await.good();
    assert_eq!(runs["items"][0]["approval"]["by"], "Somebody");
}
