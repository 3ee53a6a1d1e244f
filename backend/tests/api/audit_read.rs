//! Reading the trail: by team, by the server's administrator, as a file, and whether it is unbroken.

use serde_json::{Value, json};

use crate::support::{As, People, TestApp};

async fn make_table(test: &TestApp, people: &People, name: &str) {
    test.post(&people.developer, &people.path("/tables"), crate::table::draft(name)).await.good();
}

fn numbers(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn an_owner_reads_the_own_team_and_nothing_else() {
    for test in TestApp::on_each_database().await {
        let (people, others) = (People::settle(&test.app).await, People::settle(&test.app).await);
        make_table(&test, &people, "orders").await;
        make_table(&test, &others, "theirs").await;
        let seen = test.get(&people.owner, &people.path("/audit")).await.good();
        assert_eq!(seen["total"], 1, "{seen}");
        let entry = &seen["items"][0];
        assert_eq!(
            (&entry["what"], &entry["outcome"], &entry["team"]),
            (&json!("Make a table."), &json!("done"), &json!(people.slug))
        );
        assert_eq!(entry["detail"]["after"]["name"], "orders");
        assert!(!seen.to_string().contains("theirs"));
        let all = test.get(&people.administrator, "/audit").await.good();
        assert_eq!(all["total"], 2, "{all}");
        test.close().await;
    }
}

#[tokio::test]
async fn filters_and_pages() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        for name in ["a", "b", "c_1", "cx1"] {
            make_table(&test, &people, name).await;
        }
        test.call(&people.viewer, "POST", &people.path("/tables"), Some(json!({}))).await.refused(403, "not_allowed");
        let path = |query: &str| people.path(&format!("/audit?{query}"));
        let ask = async |query: &str| test.get(&people.owner, &path(query)).await.good();

        let refused = ask("outcome=refused").await;
        assert_eq!((refused["total"].as_u64(), &refused["items"][0]["outcome"]), (Some(1), &json!("not_allowed")));
        assert_eq!(ask("outcome=done").await["total"], 4);
        let who = refused["items"][0]["person"].as_str().unwrap().to_owned();
        assert_eq!(ask(&format!("person={who}")).await["total"], 1);
        assert_eq!(ask("q=NOT_ALLOWED").await["total"], 1);
        // What LIKE takes for any letter is a letter here.
        assert_eq!(ask("q=not%25allowed").await["total"], 0);
        assert_eq!(ask("q=not-allowed").await["total"], 0);

        let first = ask("limit=2").await;
        let second = ask(&format!("limit=2&cursor={}", first["next"].as_str().unwrap())).await;
        let third = ask(&format!("limit=2&cursor={}", second["next"].as_str().unwrap())).await;
        assert_eq!(third["next"], Value::Null);
        let mut seen = [numbers(&first), numbers(&second), numbers(&third)].concat();
        assert_eq!(seen.len(), 5);
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first: {seen:?}");
        seen.dedup();
        assert_eq!(seen.len(), 5);

        let at = first["items"][1]["at"].as_i64().unwrap();
        assert_eq!(ask(&format!("from={}", at + 60_000)).await["total"], 0);
        assert_eq!(ask(&format!("to={at}")).await["total"].as_u64().map(|total| total <= 3), Some(true));
        test.get(&people.owner, &path("outcome=perhaps")).await.refused(400, "validation_failed");
        test.get(&people.owner, &path("cursor=x")).await.refused(400, "validation_failed");
        test.close().await;
    }
}

#[tokio::test]
async fn the_file_holds_all_entries_of_the_team() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make_table(&test, &people, "orders").await;
    test.post(&As::Nobody, &people.path("/tables"), json!({})).await.refused(401, "not_signed_in");
    let csv = test.get(&people.owner, &people.path("/audit/export")).await;
    let disposition = csv.headers["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(disposition, format!("attachment; filename=audit-{}.csv", people.slug));
    let text = csv.good().as_str().unwrap().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    // A head, two calls, and this export, which is in the trail before its content is read.
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("seq,at,person,via,team,what,action") && lines[1].contains("Make a table."), "{text}");

    let lines = test.get(&people.owner, &people.path("/audit/export?format=jsonl&outcome=refused")).await.good();
    // One object alone is what the test's reader takes for JSON. The export before is an entry of its own.
    assert_eq!(lines["outcome"], "not_signed_in");
    let trail = test.get(&people.owner, &people.path("/audit?q=export")).await.good();
    assert_eq!(trail["total"], 2, "what leaves the server is kept: {trail}");
}

#[tokio::test]
async fn a_changed_entry_shows() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    for name in ["a", "b", "c"] {
        make_table(&test, &people, name).await;
    }
    let whole = test.get(&people.owner, &people.path("/audit/verify")).await.good();
    assert_eq!((&whole["entries"], whole.get("broken_at")), (&json!(3), None));
    assert_eq!(whole["last_hash"].as_str().unwrap().len(), 64);
    sqlx::query("UPDATE audit_entries SET outcome = 'refused' WHERE seq = 2")
        .execute(test.app.store.writer())
        .await
        .unwrap();
    let broken = test.get(&people.administrator, "/audit/verify").await.good();
    assert_eq!(broken["broken_at"], 2);
}

#[tokio::test]
async fn a_team_that_takes_an_old_name_does_not_see_what_was_before() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make_table(&test, &people, "orders").await;
    test.call(&people.owner, "DELETE", &people.path(""), None).await.good();
    let again = json!({ "slug": people.slug, "name": "Another" });
    test.post(&people.administrator, "/teams", again).await.good();
    let seen = test.get(&people.administrator, &people.path("/audit")).await.good();
    assert!(!seen.to_string().contains("orders"), "{seen}");
}
