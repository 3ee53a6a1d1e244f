//! What the editor keeps: previews that ended, snippets, and the templates.

use std::time::Duration;

use serde_json::{Value, json};

use crate::job::with_worker;
use crate::support::{As, People, TestApp};

/// Answers by what the script holds; the words stand in no built-in table.
const WORKER: &str = r#"#!/bin/sh
read -r assignment
echo '{"type":"started","columns":[{"name":"k","data_type":"STRING","key":true},{"name":"n","data_type":"BIGINT","key":false}],"note":""}'
case "$assignment" in
  *aardvark*) echo '{"type":"rows","rows":[{"kind":"+I","values":["a",1]},{"kind":"+I","values":["b",2]},{"kind":"-U","values":["a",1]},{"kind":"+U","values":["a",5]}]}' ;;
  *badger*) echo '{"type":"rows","rows":[{"kind":"+I","values":["a",6]},{"kind":"+I","values":["c",3]}]}' ;;
  *caiman*) echo '{"type":"failed","diagnostic":{"severity":"error","code":"cast","message":"It broke."}}'; exit 0 ;;
esac
echo '{"type":"end","reason":"finished","progress":{"elapsed_ms":7,"records_read":9,"rows":4,"waiting_for":""}}'
"#;

fn id_of(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

/// Runs it and waits until it is in the history of the developer.
async fn preview(test: &TestApp, people: &People, sql: &str) -> String {
    let started = test.post(&people.developer, &people.path("/previews"), json!({ "sql": sql })).await.good();
    let id = id_of(&started);
    let path = people.path(&format!("/preview-history/{id}"));
    for _ in 0..600 {
        if test.get(&people.developer, &path).await.status == 200 {
            return id;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the preview is not in the history");
}

async fn ids(test: &TestApp, who: &As, people: &People) -> Vec<String> {
    let list = test.get(who, &people.path("/preview-history")).await.good();
    list["items"].as_array().unwrap().iter().map(id_of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn previews_are_kept_with_their_rows_and_two_are_compared() {
    let (_folder, test) = with_worker(WORKER).await;
    let people = People::settle(&test.app).await;
    let first = preview(&test, &people, "SELECT 'aardvark'").await;
    let second = preview(&test, &people, "SELECT 'badger'").await;
    let broken = preview(&test, &people, "SELECT 'caiman'").await;
    assert_eq!(ids(&test, &people.developer, &people).await, [broken.clone(), second.clone(), first.clone()]);

    let one = |id: &str| people.path(&format!("/preview-history/{id}"));
    let seen = test.get(&people.developer, &one(&first)).await.good();
    assert_eq!(seen["rows"].as_array().unwrap().len(), 4);
    assert_eq!((&seen["rows"][3]["kind"], &seen["rows"][3]["values"]), (&json!("+U"), &json!(["a", 5])));
    let about = &seen["preview"];
    assert_eq!((&about["sql"], &about["outcome"]), (&json!("SELECT 'aardvark'"), &json!("finished")));
    assert_eq!((&about["duration_ms"], &about["records_read"], &about["row_count"]), (&json!(7), &json!(9), &json!(4)));
    let failed = test.get(&people.developer, &one(&broken)).await.good();
    assert_eq!((&failed["preview"]["outcome"], &failed["preview"]["reason"]), (&json!("failed"), &json!("It broke.")));

    let compared = test.get(&people.developer, &format!("{}/compare/{second}", one(&first))).await.good();
    assert_eq!((&compared["by_key"], &compared["same"]), (&json!(true), &json!(0)));
    assert_eq!((&compared["only_a"], &compared["only_b"]), (&json!([["b", 2]]), &json!([["c", 3]])));
    let changed = &compared["changed"][0];
    assert_eq!((&changed["a"], &changed["b"], &changed["columns"]), (&json!(["a", 5]), &json!(["a", 6]), &json!([1])));

    // Of the person, and of nobody else.
    assert!(ids(&test, &people.owner, &people).await.is_empty());
    test.get(&people.owner, &one(&first)).await.refused(404, "not_found");
    test.get(&people.owner, &format!("{}/compare/{second}", one(&first))).await.refused(404, "not_found");
    test.call(&people.owner, "DELETE", &one(&first), None).await.refused(404, "not_found");
    assert_eq!(test.get(&people.outsider, &one(&first)).await.status, 404);
    test.call(&people.developer, "DELETE", &one(&first), None).await.good();
    assert_eq!(ids(&test, &people.developer, &people).await, [broken, second]);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_table_that_was_closed_are_shown_no_more() {
    let (_folder, test) = with_worker(WORKER).await;
    let people = People::settle(&test.app).await;
    let table = test.post(&people.owner, &people.path("/tables"), crate::table::draft("orders")).await.good();
    // The engine of these tests reads every table that it knows.
    let kept = preview(&test, &people, "SELECT 'aardvark'").await;
    let path = people.path(&format!("/preview-history/{kept}"));
    let permissions = people.path(&format!("/tables/{}/permissions", id_of(&table)));
    let restrict = async |restricted: bool| {
        let change = json!({ "restricted": restricted });
        test.call(&people.owner, "PATCH", &permissions, Some(change)).await.good();
    };
    restrict(true).await;
    test.get(&people.developer, &path).await.refused(404, "not_found");
    test.get(&people.developer, &format!("{path}/compare/{kept}")).await.refused(404, "not_found");
    assert!(ids(&test, &people.developer, &people).await.is_empty());
    restrict(false).await;
    test.get(&people.developer, &path).await.good();
    test.close().await;
}

#[tokio::test]
async fn only_the_newest_previews_stay() {
    use millrace_backend::store::kept_preview::{self, KeptRow};
    use millrace_wire::preview_history::{KeptPreview, PreviewOutcome};
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let (team, user) = (people.team, people.developer_id);
        for started_at in 0..5 {
            let preview = KeptPreview {
                id: millrace_wire::ids::PreviewId(uuid::Uuid::now_v7()),
                sql: format!("SELECT {started_at}"),
                started_at,
                duration_ms: 1,
                records_read: 1,
                outcome: PreviewOutcome::Finished,
                reason: "finished".to_owned(),
                row_count: 0,
            };
            let row = KeptRow { preview, tables: Default::default() };
            millrace_backend::transact!(test.app.store, tx => {
                kept_preview::insert(tx, team, user, &row, &[], "[]").await?;
                kept_preview::keep_newest(tx, team, user, 3).await
            })
            .unwrap();
        }
        let list = test.get(&people.developer, &people.path("/preview-history")).await.good();
        let times: Vec<_> = list["items"].as_array().unwrap().iter().map(|kept| kept["started_at"].clone()).collect();
        assert_eq!(times, [json!(4), json!(3), json!(2)]);
        test.close().await;
    }
}

#[tokio::test]
async fn snippets_are_the_teams_and_are_completed() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/snippets");
        let draft = json!({ "name": "dedup", "description": "Keeps the first", "sql": "SELECT 1 AS ${x}" });
        let made = test.post(&people.developer, &path, draft.clone()).await.good();
        let one = people.path(&format!("/snippets/{}", id_of(&made)));
        test.post(&people.developer, &path, draft.clone()).await.refused(409, "name_taken");
        test.post(&people.viewer, &path, draft.clone()).await.refused(403, "not_allowed");
        for (draft, field) in [
            (json!({ "name": "", "sql": "SELECT 1" }), "name"),
            (json!({ "name": "x", "sql": "  " }), "sql"),
            (json!({ "name": "x", "sql": "y".repeat(70_000) }), "sql"),
        ] {
            let answer = test.post(&people.developer, &path, draft).await;
            answer.refused(400, "validation_failed");
            assert_eq!(answer.body["field"], field);
        }
        let seen = test.get(&people.viewer, &one).await.good();
        assert_eq!((&seen["sql"], &seen["name"]), (&json!("SELECT 1 AS ${x}"), &json!("dedup")));

        let complete = json!({ "sql": "WITH a AS (de", "offset": 13 });
        let offered = test.post(&people.viewer, &people.path("/sql/complete"), complete).await.good();
        let item = &offered["items"][0];
        assert_eq!((&item["label"], &item["insert"]), (&json!("dedup"), &json!("SELECT 1 AS ${x}")));
        assert_eq!((&item["kind"], &item["replace_from"]), (&json!("snippet"), &json!(11)));

        let renamed = json!({ "name": "distinct", "sql": "SELECT 2" });
        test.call(&people.viewer, "PUT", &one, Some(renamed.clone())).await.refused(403, "not_allowed");
        let renamed = test.call(&people.developer, "PUT", &one, Some(renamed)).await.good();
        assert_eq!((&renamed["name"], &renamed["sql"]), (&json!("distinct"), &json!("SELECT 2")));
        assert_eq!(test.get(&people.outsider, &one).await.status, 404);
        test.call(&people.viewer, "DELETE", &one, None).await.refused(403, "not_allowed");
        test.call(&people.developer, "DELETE", &one, None).await.good();
        test.get(&people.viewer, &one).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn templates_are_there_for_everybody_who_is_signed_in() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let all = test.get(&people.viewer, "/templates").await.good();
    let templates = all["items"].as_array().unwrap();
    let top = templates.iter().find(|template| template["name"] == "Top-N").unwrap();
    assert!(top["sql"].as_str().unwrap().contains("ROW_NUMBER()"), "{top}");
    // What a team has to make itself is no part of a script.
    assert!(templates.iter().all(|template| !template["sql"].as_str().unwrap().contains("--+")));
}
