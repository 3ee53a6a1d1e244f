//! Passwords of tables that name their server themselves: taken out, sealed, kept, asked for again, erased.

use serde_json::{Value, json};

use crate::support::{People, TestApp};
use crate::table::draft;

const CANARY: &str = "canary-b81c44";

/// A table of PostgreSQL without a connection.
fn own(password: Option<&str>) -> Value {
    let mut table = draft("orders");
    table["connector"] = json!("postgres");
    table.as_object_mut().unwrap().remove("connection");
    table["options"] = json!({ "table-name": "orders", "hostname": "db.example", "username": "reader" });
    if let Some(password) = password {
        table["options"]["password"] = json!(password);
    }
    table
}

fn saved(mut draft: Value) -> Value {
    draft["accept_breaking"] = json!(true);
    draft
}

/// What a run would be given, as the fake engine shows it.
async fn given(test: &TestApp, people: &People, draft: Value) -> String {
    test.post(&people.developer, &people.path("/tables/test"), draft).await.good().to_string()
}

#[tokio::test]
async fn a_password_is_in_no_answer_trail_version_export_or_row() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let tables = people.path("/tables");
        let checked = test.post(&people.developer, &format!("{tables}/check"), own(Some(CANARY))).await.good();
        assert!(!checked.to_string().contains(CANARY), "{checked}");
        let made = test.post(&people.developer, &tables, own(Some(CANARY))).await.good();
        assert_eq!((&made["secrets_set"], &made["options"]["password"]), (&json!(["password"]), &Value::Null));
        let one = format!("{tables}/{}", made["id"].as_str().unwrap());
        let mut changed = own(None);
        changed["comment"] = json!("now with words");
        let kept = test.call(&people.developer, "PUT", &one, Some(saved(changed))).await.good();
        assert_eq!(kept["secrets_set"], json!(["password"]));
        let script = test.get(&people.viewer, &format!("{tables}/script")).await.good();
        assert!(script["sql"].as_str().unwrap().contains("\"password\": \"${password}\""), "{script}");
        for path in ["", "/versions", "/versions/1", "/versions/2", "/diff?from=1&to=2"] {
            let answer = test.get(&people.owner, &format!("{one}{path}")).await.good();
            assert!(!answer.to_string().contains(CANARY), "{path}: {answer}");
        }
        let trail = millrace_backend::store::audit::list(&test.app.store, 0, 1000).await.unwrap();
        assert!(trail.iter().all(|link| !format!("{link:?}").contains(CANARY)));
        let id = made["id"].as_str().unwrap().parse().unwrap();
        let row = millrace_backend::store::table::get(&test.app.store, people.team, id).await.unwrap().unwrap();
        assert!(!format!("{row:?}").contains(CANARY) && row.secrets.contains_key("password"));
        test.close().await;
    }
}

#[tokio::test]
async fn a_stored_password_goes_to_its_own_server_only() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let made = test.post(&people.developer, &people.path("/tables"), own(Some(CANARY))).await.good();
    let one = people.path(&format!("/tables/{}", made["id"].as_str().unwrap()));

    // Trying the form as it is uses what is stored.
    assert!(given(&test, &people, own(None)).await.contains(CANARY));
    // A form that leads elsewhere does not get it, and cannot be saved without it.
    for (option, value) in [("hostname", "elsewhere.example"), ("username", "admin"), ("port", "1")] {
        let mut moved = own(None);
        moved["options"][option] = json!(value);
        assert!(!given(&test, &people, moved.clone()).await.contains(CANARY), "{option}");
        let answer = test.call(&people.developer, "PUT", &one, Some(saved(moved.clone()))).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.body["field"], "options.password");
        moved["options"]["password"] = json!("of the other one");
        let tried = given(&test, &people, moved).await;
        assert!(tried.contains("of the other one") && !tried.contains("db.example"), "{tried}");
    }
    // Nor may a hint lead it there.
    let sql = json!({ "sql": "main.orders hostname=elsewhere.example" });
    let validation = test.post(&people.developer, &people.path("/sql/validate"), sql).await.good();
    assert_eq!(validation["diagnostics"][0]["code"], "not-on-server", "{validation}");
}

#[tokio::test]
async fn a_stored_password_is_replaced_and_erased() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let made = test.post(&people.developer, &people.path("/tables"), own(Some("first"))).await.good();
    let one = people.path(&format!("/tables/{}", made["id"].as_str().unwrap()));
    test.call(&people.developer, "PUT", &one, Some(saved(own(Some(CANARY))))).await.good();
    let tried = given(&test, &people, own(None)).await;
    assert!(tried.contains(CANARY) && !tried.contains("first"), "{tried}");
    let erased = test.call(&people.developer, "PUT", &one, Some(saved(own(Some(""))))).await.good();
    assert_eq!(erased["secrets_set"], json!([]));
    assert!(!given(&test, &people, own(None)).await.contains(CANARY));
}
