//! Starts that somebody else approves first: switching it on, asking, deciding, what becomes of requests.

use millrace_backend::app::approval;
use millrace_backend::clock::now_ms;
use millrace_backend::store::approval::Verdict;
use millrace_backend::{store, transact};
use millrace_wire::approval::ApprovalState;
use serde_json::{Value, json};

use crate::support::{As, People, TestApp};
use crate::table::draft;

const SCRIPT: &str = "INSERT INTO main.orders SELECT 1";

pub(crate) async fn require(test: &TestApp, people: &People, mode: &str) {
    let body = Some(json!({ "mode": mode }));
    test.call(&people.owner, "PUT", &people.path("/approval-mode"), body).await.good();
}

/// A job in a team that asks for approvals; its path.
pub(crate) async fn job(test: &TestApp, people: &People, kind: &str) -> String {
    test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let job = json!({ "name": "orders", "sql": SCRIPT, "kind": kind });
    let job = test.post(&people.developer, &people.path("/jobs"), job).await.good();
    require(test, people, "required").await;
    people.path(&format!("/jobs/{}", job["id"].as_str().unwrap()))
}

/// By the operator; the path of the request. It is not started by itself.
pub(crate) async fn ask(test: &TestApp, people: &People, job: &str, start: Value) -> String {
    let mut asked = json!({ "from": "latest", "reason": "release 7", "start_when_approved": false });
    asked.as_object_mut().unwrap().extend(start.as_object().unwrap().clone());
    let made = test.post(&people.operator, &format!("{job}/approvals"), asked).await.good();
    assert_eq!((&made["state"], &made["own"]), (&json!("open"), &json!(true)));
    format!("{job}/approvals/{}", made["id"].as_str().unwrap())
}

pub(crate) async fn approve(test: &TestApp, people: &People, request: &str) -> Value {
    test.post(&people.owner, request, json!({ "approve": true })).await.good()
}

pub(crate) async fn save(test: &TestApp, people: &People, job: &str, sql: &str, parallelism: u32) {
    let before = test.get(&people.viewer, job).await.good()["draft"].clone();
    let mut draft = json!({ "sql": sql, "settings": before["settings"], "revision": before["revision"] });
    draft["settings"]["parallelism"] = json!(parallelism);
    test.call(&people.developer, "PUT", &format!("{job}/draft"), Some(draft)).await.good();
}

pub(crate) async fn freeze(test: &TestApp, people: &People, job: &str) {
    test.post(&people.developer, &format!("{job}/versions"), json!({})).await.good();
}

async fn inbox(test: &TestApp, who: &As) -> Value {
    test.get(who, "/notices").await.good()
}

async fn newest(test: &TestApp, people: &People, job: &str) -> Value {
    test.get(&people.viewer, &format!("{job}/approvals")).await.good()["items"][0].clone()
}

#[tokio::test]
async fn owners_switch_it_on_and_those_who_approve_are_told() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/approval-mode");
        assert_eq!(test.get(&people.viewer, &path).await.good()["mode"], "off");
        let on = json!({ "mode": "required" });
        test.call(&people.operator, "PUT", &path, Some(on.clone())).await.refused(403, "not_allowed");
        let set = test.call(&people.owner, "PUT", &path, Some(on.clone())).await.good();
        assert_eq!((&set["mode"], &set["changed_by"]), (&json!("required"), &json!("Somebody")));
        // Once more changes nothing and tells nobody.
        test.call(&people.owner, "PUT", &path, Some(on)).await.good();
        assert_eq!(inbox(&test, &people.operator).await["unread"], 1);
        assert_eq!(inbox(&test, &people.developer).await["unread"], 0);
        require(&test, &people, "off").await;
        let told = inbox(&test, &people.operator).await;
        assert!(told["notices"][0]["title"].as_str().unwrap().contains("no approval any more"), "{told}");
        let trail = test.get(&people.owner, &people.path("/audit?q=approval-mode")).await.good().to_string();
        assert!(trail.contains("required"), "{trail}");
        test.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_for_approved_by_another_and_started_at_once() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, "stream").await;
        let path = format!("{job}/approvals");
        let asked = json!({ "from": "fresh", "reason": "release 7" });
        test.post(&people.developer, &path, asked.clone()).await.refused(403, "not_allowed");
        let no_reason = json!({ "from": "fresh", "reason": " " });
        test.post(&people.operator, &path, no_reason).await.refused(400, "validation_failed");
        let made = test.post(&people.operator, &path, asked.clone()).await.good();
        assert_eq!((&made["version"], &made["start_when_approved"]), (&json!(1), &json!(true)));
        test.post(&people.operator, &path, asked).await.refused(409, "conflict");
        let need = test.get(&people.operator, &format!("{path}/needed?from=fresh")).await.good();
        assert_eq!(
            (&need["required"], &need["version"], &need["open"]["own"]),
            (&json!(true), &json!(1), &json!(true))
        );
        assert!(need["approved"].is_null() && !need["refusal"].as_str().unwrap().is_empty(), "{need}");

        // Those who may decide are told, others are not; nor is who asked.
        let told = inbox(&test, &people.owner).await;
        assert_eq!((&told["unread"], &told["to_decide"]), (&json!(1), &json!(1)), "{told}");
        assert!(told["notices"][0]["title"].as_str().unwrap().contains("start orders, version 1"), "{told}");
        for who in [&people.operator, &people.developer, &people.viewer] {
            assert_eq!(inbox(&test, who).await["to_decide"], 0);
        }
        let requests = test.get(&people.owner, "/requests").await.good();
        assert_eq!(requests["starts_to_decide"][0]["id"], made["id"]);
        assert_eq!(test.get(&people.operator, "/requests").await.good()["my_starts"][0]["id"], made["id"]);
        let request = format!("{path}/{}", made["id"].as_str().unwrap());
        let report = test.get(&people.owner, &format!("{request}/report")).await.good();
        assert_eq!((&report["version"], &report["from"]), (&json!(1), &json!("fresh")));

        test.post(&people.owner, &request, json!({ "approve": false })).await.refused(400, "validation_failed");
        let yes = json!({ "approve": true, "answer": "looks good" });
        let decided = test.post(&people.owner, &request, yes.clone()).await.good();
        assert_eq!((&decided["state"], &decided["not_started"]), (&json!("approved"), &json!("")), "{decided}");
        test.post(&people.owner, &request, yes).await.refused(409, "wrong_state");
        let told = inbox(&test, &people.operator).await;
        assert!(told["notices"][0]["title"].as_str().unwrap().contains("approved the start of orders"), "{told}");
        assert_eq!(told["notices"][0]["body"], "looks good");

        let runs = test.get(&people.viewer, &format!("{job}/runs")).await.good();
        let run = &runs["items"][0];
        assert_eq!((&runs["total"], &run["version"], &run["cause"]), (&json!(1), &json!(1), &json!("manual")));
        assert_eq!((&run["approval"]["by"], &run["approval"]["at"]), (&json!("Somebody"), &decided["decided_at"]));
        let report = test.get(&people.viewer, &format!("{job}/runs/1/report")).await.good();
        assert_eq!(report["approval"]["at"], decided["decided_at"]);
        test.close().await;
    }
}

#[tokio::test]
async fn what_was_declined_or_withdrawn_does_not_start() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people, "stream").await;
    let request = ask(&test, &people, &job, json!({})).await;
    let no = json!({ "approve": false, "answer": "not on a Friday" });
    test.post(&people.owner, &request, no).await.good();
    assert_eq!(inbox(&test, &people.operator).await["notices"][0]["body"], "not on a Friday");
    let start = format!("{job}/start");
    test.post(&people.operator, &start, json!({ "from": "latest" })).await.refused(409, "approval_needed");

    let request = ask(&test, &people, &job, json!({})).await;
    test.call(&people.owner, "DELETE", &request, None).await.refused(403, "not_allowed");
    let withdrawn = test.call(&people.operator, "DELETE", &request, None).await.good();
    assert_eq!(withdrawn["state"], "withdrawn");
    test.post(&people.owner, &request, json!({ "approve": true })).await.refused(409, "wrong_state");
    test.post(&people.operator, &start, json!({ "from": "latest" })).await.refused(409, "approval_needed");
    // It can be asked for again.
    let request = ask(&test, &people, &job, json!({})).await;
    approve(&test, &people, &request).await;
    let again = json!({ "from": "latest", "reason": "again" });
    test.post(&people.operator, &format!("{job}/approvals"), again).await.refused(409, "wrong_state");
    test.post(&people.operator, &start, json!({ "from": "latest" })).await.good();
    // Where nothing is asked for, there is nothing to ask for.
    require(&test, &people, "off").await;
    let off = json!({ "from": "latest", "reason": "off" });
    test.post(&people.operator, &format!("{job}/approvals"), off).await.refused(409, "wrong_state");
}

#[tokio::test]
async fn a_newer_version_or_the_bin_makes_a_request_stale() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, "stream").await;
        let request = ask(&test, &people, &job, json!({})).await;
        save(&test, &people, &job, "INSERT INTO main.orders SELECT 2", 1).await;
        assert_eq!(newest(&test, &people, &job).await["state"], "open", "a draft is no version");
        freeze(&test, &people, &job).await;
        assert_eq!(newest(&test, &people, &job).await["state"], "stale");
        assert_eq!(inbox(&test, &people.operator).await["notices"][0]["body"], "Version 2 was made.");
        let late = test.post(&people.owner, &request, json!({ "approve": true })).await;
        late.refused(409, "wrong_state");
        assert!(late.body["message"].as_str().unwrap().contains("out of date"), "{}", late.body);
        let old = json!({ "version": 1, "from": "latest", "reason": "the old one" });
        test.post(&people.operator, &format!("{job}/approvals"), old).await.refused(409, "wrong_state");

        ask(&test, &people, &job, json!({})).await;
        test.call(&people.owner, "DELETE", &job, None).await.good();
        let mine = test.get(&people.operator, "/requests").await.good();
        let (state, name) = (&mine["my_starts"][0]["state"], &mine["my_starts"][0]["job_name"]);
        assert_eq!((state, name), (&json!("stale"), &json!("orders")));
        assert_eq!(test.get(&people.owner, "/requests").await.good()["starts_to_decide"], json!([]));
        test.close().await;
    }
}

#[tokio::test]
async fn without_a_second_person_it_says_so() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people, "stream").await;
    let path = people.path(&format!("/members/{}", people.operator_id));
    test.call(&people.owner, "DELETE", &path, None).await.good();
    let alone = json!({ "from": "latest", "reason": "alone" });
    let refused = test.post(&people.owner, &format!("{job}/approvals"), alone).await;
    refused.refused(409, "conflict");
    assert!(refused.body["hint"].as_str().unwrap().contains("operator"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_had_no_time_to_start_is_started_once() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = job(&test, &people, "stream").await;
        let request = ask(&test, &people, &job, json!({ "start_when_approved": true })).await;
        let id = request.rsplit_once('/').unwrap().1.parse().unwrap();
        let (state, by) = (ApprovalState::Approved, people.owner_id);
        let verdict = Verdict { state, by, name: "Somebody".to_owned(), at: now_ms(), answer: String::new() };
        // As if the server had ended right after the decision.
        let decided = transact!(test.app.store, tx => { store::approval::decide(tx, id, &verdict).await });
        assert!(decided.unwrap());
        let (one, other) = tokio::join!(approval::start_due(&test.app), approval::start_due(&test.app));
        one.unwrap();
        other.unwrap();
        let runs = test.get(&people.viewer, &format!("{job}/runs")).await.good();
        assert_eq!(runs["total"], 1, "{runs}");
        assert_eq!(newest(&test, &people, &job).await["not_started"], "");
        test.close().await;
    }
}

#[tokio::test]
async fn who_may_not_start_any_more_starts_nothing_by_an_approval() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let job = job(&test, &people, "stream").await;
    let request = ask(&test, &people, &job, json!({ "start_when_approved": true })).await;
    let members = test.get(&people.owner, &people.path("/members")).await.good();
    let operator = people.operator_id.to_string();
    let member = members["items"].as_array().unwrap().iter().find(|member| member["user"] == operator.as_str());
    let demoted = json!({ "email": member.unwrap()["email"], "role": "viewer" });
    test.call(&people.owner, "PUT", &people.path("/members"), Some(demoted)).await.good();
    let decided = approve(&test, &people, &request).await;
    assert!(decided["not_started"].as_str().unwrap().contains("may not start"), "{decided}");
    assert_eq!(test.get(&people.viewer, &format!("{job}/runs")).await.good()["total"], 0);
    let told = inbox(&test, &people.operator).await;
    assert!(told["notices"][0]["title"].as_str().unwrap().contains("did not start"), "{told}");
}

#[tokio::test]
async fn who_is_switched_off_counts_as_nobody_who_could_decide() {
    use millrace_backend::clock::new_id;
    use millrace_backend::store::user::UserRow;
    use millrace_wire::ids::{JobId, UserId};
    use millrace_wire::team::Role;

    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = job(&test, &people, "stream").await;
        let job: JobId = path.rsplit_once('/').unwrap().1.parse().unwrap();
        let id = UserId(new_id());
        let off = UserRow {
            id,
            name: "Away".to_owned(),
            email: format!("{id}@example.org"),
            password_hash: String::new(),
            administrator: false,
            disabled: true,
            created_at: now_ms(),
        };
        let found: millrace_backend::error::Result<_> = transact!(test.app.store, tx => {
            store::user::insert(tx, &off).await?;
            store::team::set_member(tx, people.team, id, Role::Operator, now_ms()).await?;
            let of_starts = store::approval::deciders(tx, job, people.operator_id).await?;
            Ok((of_starts, store::request::deciders(tx, people.team, None).await?))
        });
        let (of_starts, of_requests) = found.unwrap();
        assert!(of_starts.contains(&people.owner_id) && !of_starts.contains(&id), "{of_starts:?}");
        assert!(of_requests.contains(&people.owner_id) && !of_requests.contains(&id), "{of_requests:?}");
        test.close().await;
    }
}
