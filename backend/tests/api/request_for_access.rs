//! The catalogue over all teams, asking for access and ingestion, deciding, notices.

use serde_json::{Value, json};

use crate::support::{As, People, TestApp};
use crate::table::draft;

fn id_of(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

/// A listed table of the team; its path.
async fn listed(test: &TestApp, people: &People, name: &str) -> String {
    let mut draft = draft(name);
    draft["options"] = json!({ "rows-per-second": "secret-option" });
    let table = test.post(&people.owner, &people.path("/tables"), draft).await.good();
    let path = people.path(&format!("/tables/{}", id_of(&table)));
    let list = json!({ "listed": true });
    test.call(&people.operator, "PATCH", &format!("{path}/permissions"), Some(list)).await.good();
    path
}

async fn inbox(test: &TestApp, who: &As) -> Value {
    test.get(who, "/notices").await.good()
}

#[tokio::test]
async fn the_catalogue_shows_what_is_listed_and_no_more_of_it() {
    for test in TestApp::on_each_database().await {
        let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
        listed(&test, &theirs, "clicks").await;
        test.post(&theirs.owner, &theirs.path("/tables"), draft("unlisted")).await.good();
        let found = test.get(&ours.viewer, "/catalogue?q=clicks").await.good();
        assert_eq!((&found["total"], &found["items"][0]["open"]), (&json!(1), &json!(false)), "{found}");
        assert_eq!(found["items"][0]["columns"][0]["name"], "id");
        let all = test.get(&ours.viewer, "/catalogue").await.good().to_string();
        for hidden in ["unlisted", "secret-option", "datagen", "ddl", "options"] {
            assert!(!all.contains(hidden), "{hidden} in {all}");
        }
        let own = test.get(&theirs.viewer, "/catalogue").await.good();
        assert_eq!(own["items"][0]["open"], true);
        test.get(&As::Nobody, "/catalogue").await.refused(401, "not_signed_in");
        test.close().await;
    }
}

#[tokio::test]
async fn asked_for_approved_with_less_and_usable() {
    for test in TestApp::on_each_database().await {
        let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
        let table = listed(&test, &theirs, "clicks").await;
        let id = table.rsplit_once('/').unwrap().1.to_owned();
        let ask = format!("/catalogue/{id}/requests");
        let asked = json!({ "level": "write", "reason": "a report", "for_team": ours.slug });
        test.post(&ours.developer, &ask, json!({ "level": "read", "reason": " " }))
            .await
            .refused(400, "validation_failed");
        let not_mine = json!({ "level": "read", "reason": "x", "for_team": theirs.slug });
        test.post(&ours.developer, &ask, not_mine).await.refused(400, "validation_failed");
        test.post(&ours.developer, &ask, asked.clone()).await.good();
        test.post(&ours.developer, &ask, asked).await.refused(409, "conflict");

        // Those who may decide are told, others are not.
        for who in [&theirs.operator, &theirs.owner] {
            let told = inbox(&test, who).await;
            assert_eq!((&told["unread"], &told["to_decide"]), (&json!(1), &json!(1)), "{told}");
        }
        assert_eq!(inbox(&test, &theirs.developer).await["to_decide"], 0);
        assert_eq!(test.get(&theirs.developer, "/requests").await.good()["to_decide"], json!([]));
        let requests = test.get(&theirs.operator, "/requests").await.good();
        let request = &requests["to_decide"][0];
        assert_eq!((&request["title"], &request["level"]), (&json!("main.clicks"), &json!("write")));

        let decide = format!("{table}/requests/{}", id_of(request));
        let accept = json!({ "accept": true, "level": "read", "answer": "rows only" });
        test.post(&theirs.developer, &decide, accept.clone()).await.refused(403, "not_allowed");
        test.post(&ours.developer, &decide, accept.clone()).await.refused(404, "not_found");
        let too_much = json!({ "accept": true, "level": "manage" });
        test.post(&theirs.operator, &decide, too_much).await.refused(400, "validation_failed");
        test.post(&theirs.operator, &decide, accept.clone()).await.good();
        test.post(&theirs.owner, &decide, accept).await.refused(404, "not_found");

        let told = inbox(&test, &ours.developer).await;
        assert_eq!((&told["unread"], &told["notices"][0]["body"]), (&json!(1), &json!("rows only")), "{told}");
        test.call(&ours.developer, "POST", "/notices/read", None).await.good();
        assert_eq!(inbox(&test, &ours.developer).await["unread"], 0);
        let mine = test.get(&ours.developer, "/requests").await.good();
        assert_eq!((&mine["mine"][0]["state"], &mine["mine"][0]["level"]), (&json!("accepted"), &json!("read")));
        // The whole team may read it in SQL now.
        let script = json!({ "sql": "SELECT 1" });
        let reads = test.post(&ours.viewer, &ours.path("/sql/validate"), script).await.good();
        assert!(reads["reads"].to_string().contains(&format!("{}.main.clicks", theirs.slug)), "{reads}");
        test.close().await;
    }
}

#[tokio::test]
async fn declining_takes_a_word_and_gives_nothing() {
    let test = TestApp::new().await;
    let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
    let table = listed(&test, &theirs, "clicks").await;
    let id = table.rsplit_once('/').unwrap().1.to_owned();
    let asked = json!({ "level": "read", "reason": "x" });
    test.post(&ours.viewer, &format!("/catalogue/{id}/requests"), asked).await.good();
    let requests = test.get(&theirs.owner, "/requests").await.good();
    let decide = format!("{table}/requests/{}", id_of(&requests["to_decide"][0]));
    test.post(&theirs.owner, &decide, json!({ "accept": false })).await.refused(400, "validation_failed");
    test.post(&theirs.owner, &decide, json!({ "accept": false, "answer": "not yet" })).await.good();
    test.get(&ours.viewer, &table).await.refused(404, "not_found");
    assert_eq!(inbox(&test, &ours.viewer).await["notices"][0]["body"], "not yet");
}

#[tokio::test]
async fn what_is_not_listed_cannot_be_asked_for() {
    let test = TestApp::new().await;
    let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
    let table = test.post(&theirs.owner, &theirs.path("/tables"), draft("quiet")).await.good();
    let asked = json!({ "level": "read", "reason": "x" });
    let ask = |id: String| format!("/catalogue/{id}/requests");
    let there = test.post(&ours.viewer, &ask(id_of(&table)), asked.clone()).await;
    let not_there = test.post(&ours.viewer, &ask(uuid::Uuid::now_v7().to_string()), asked).await;
    there.refused(404, "not_found");
    assert_eq!(there.body["message"], not_there.body["message"]);
}

#[tokio::test]
async fn ingestions_are_asked_for_accepted_and_wait_in_a_list() {
    let test = TestApp::new().await;
    let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
    let ask = |team: &str| json!({ "team": team, "kind": "MySQL table", "address": "db1", "table": "orders", "purpose": "report" });
    test.post(&ours.viewer, "/ingestion-requests", ask("no-such-team")).await.refused(400, "validation_failed");
    test.post(&ours.viewer, "/ingestion-requests", ask(&theirs.slug)).await.good();
    let requests = test.get(&theirs.operator, "/requests").await.good();
    let request = &requests["to_decide"][0];
    assert_eq!((&request["title"], &request["source"]["address"]), (&json!("orders"), &json!("db1")));
    let decide = theirs.path(&format!("/ingestion-requests/{}", id_of(request)));
    test.post(&theirs.developer, &decide, json!({ "accept": true })).await.refused(403, "not_allowed");
    test.post(&theirs.operator, &decide, json!({ "accept": true })).await.good();
    let requests = test.get(&theirs.owner, "/requests").await.good();
    assert_eq!((&requests["to_decide"], &requests["to_ingest"][0]["title"]), (&json!([]), &json!("orders")));
    assert_eq!(inbox(&test, &ours.viewer).await["unread"], 1);
}
