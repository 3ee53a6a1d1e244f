//! `…/databases` and `…/tables`.

use millrace_wire::ids::{JobId, TableId};
use serde_json::{Value, json};

use crate::support::{People, TestApp};

pub(crate) fn draft(name: &str) -> Value {
    json!({
        "database": "main",
        "name": name,
        "comment": "",
        "connector": "datagen",
        "options": {},
        "columns": [{ "name": "id", "data_type": "BIGINT", "kind": "physical" }],
    })
}

fn id_of(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

#[tokio::test]
async fn tables_are_made_changed_found_and_deleted() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/tables");
        let made = test.post(&people.developer, &path, draft("orders")).await.good();
        assert_eq!((&made["revision"], &made["database"]), (&json!(1), &json!("main")));
        assert_eq!(made["resolved"][0]["name"], "id");
        test.post(&people.developer, &path, draft("orders")).await.refused(409, "name_taken");

        let one = format!("{path}/{}", id_of(&made));
        let mut changed = draft("orders");
        changed["comment"] = json!("All orders of the shop");
        let changed = test.call(&people.developer, "PUT", &one, Some(changed)).await.good();
        assert_eq!(changed["revision"], 2);
        let listed = test.get(&people.viewer, &format!("{path}?q=shop&database=main")).await.good();
        assert_eq!((&listed["total"], &listed["items"][0]["name"]), (&json!(1), &json!("orders")));
        assert_eq!(test.get(&people.viewer, &format!("{path}?database=other")).await.good()["total"], 0);
        let found = test.get(&people.viewer, &people.path("/search?q=orders")).await.good();
        assert_eq!(found["items"][0]["kind"], "table");
        assert_eq!(found["items"][0]["href"], format!("/t/{}/tables/{}", people.slug, id_of(&made)));

        test.call(&people.developer, "DELETE", &one, None).await.good();
        test.get(&people.viewer, &one).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn checking_tells_every_problem_and_saves_nothing() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let mut wrong = draft("2 bad");
    wrong["database"] = json!("nowhere");
    wrong["connector"] = json!("kafka");
    wrong["columns"] = json!([]);
    wrong["options"] = json!({ "properties.bootstrap.servers": "127.0.0.1:22", "properties.ssl.ca.location": "/x" });
    let check = test.post(&people.developer, &people.path("/tables/check"), wrong.clone()).await.good();
    let fields: Vec<&str> =
        check["problems"].as_array().unwrap().iter().map(|problem| problem["field"].as_str().unwrap()).collect();
    for field in [
        "name",
        "database",
        "connection",
        "columns",
        // Only a connection may say where to connect.
        "options.properties.bootstrap.servers",
        "options.properties.ssl.ca.location",
    ] {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
    test.post(&people.developer, &people.path("/tables"), wrong).await.refused(400, "validation_failed");
    assert_eq!(test.get(&people.viewer, &people.path("/tables")).await.good()["total"], 0);
}

#[tokio::test]
async fn topics_of_the_platform_stay_with_their_team() {
    let test = TestApp::with(&[("kafka", "10.0.0.9:9092")]).await;
    let people = People::settle(&test.app).await;
    let built_in = test.get(&people.viewer, &people.path("/connections")).await.good()["items"][0].clone();
    let with_topic = |topic: String| {
        let mut table = draft("logs");
        table["connector"] = json!("kafka");
        table["connection"] = built_in["id"].clone();
        table["options"] = json!({ "topic": topic });
        table
    };
    let path = people.path("/tables");
    for topic in
        ["millrace.logs.other".to_owned(), "millrace.server.logs".to_owned(), "a;millrace.metrics.x".to_owned()]
    {
        test.post(&people.developer, &path, with_topic(topic)).await.refused(400, "validation_failed");
    }
    test.post(&people.developer, &path, with_topic(format!("millrace.logs.{}", people.slug))).await.good();
}

#[tokio::test]
async fn the_form_never_shows_what_the_connection_hides() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let connection = json!({
        "name": "events", "kind": "kafka",
        "options": { "bootstrap.servers": "10.255.255.1:9092", "security.protocol": "SASL_PLAINTEXT", "sasl.username": "u" },
        "secrets": { "sasl.password": "hush-hush" },
    });
    let connection = test.post(&people.developer, &people.path("/connections"), connection).await.good();
    let mut table = draft("orders");
    table["connector"] = json!("kafka");
    table["connection"] = connection["id"].clone();
    table["options"] = json!({ "topic": "orders" });
    let table = test.post(&people.developer, &people.path("/tables"), table).await.good();
    assert!(!table.to_string().contains("hush-hush") && !table.to_string().contains("10.255"), "{table}");
    // The connector itself gets all of it; this fake one answers with what it was given.
    let fetch = json!({ "connector": "kafka", "connection": connection["id"], "options": { "topic": "orders" } });
    let fetched = test.post(&people.developer, &people.path("/tables/fetch"), fetch).await.good();
    let given = fetched["origin"].as_str().unwrap();
    assert!(given.contains("properties.sasl.password") && given.contains("hush-hush"), "{given}");
}

#[tokio::test]
async fn a_table_that_a_job_uses_is_neither_deleted_nor_renamed() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let table = test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
        let job = test
            .post(&people.developer, &people.path("/jobs"), json!({ "name": "Daily sums", "sql": "x" }))
            .await
            .good();
        crate::store::use_table(&test.app, people.team, id_of(&job).parse::<JobId>().unwrap(), "main", "orders").await;

        let one = people.path(&format!("/tables/{}", id_of(&table)));
        let shown = test.get(&people.viewer, &one).await.good();
        assert_eq!(shown["consumers"][0]["name"], "Daily sums");
        let answer = test.call(&people.developer, "DELETE", &one, None).await;
        answer.refused(409, "table_in_use");
        assert!(answer.body["message"].as_str().unwrap().contains("Daily sums"), "{}", answer.body);
        test.call(&people.developer, "PUT", &one, Some(draft("renamed"))).await.refused(409, "table_in_use");
        // What keeps its name may change.
        test.call(&people.developer, "PUT", &one, Some(draft("orders"))).await.good();
        test.close().await;
    }
}

#[tokio::test]
async fn databases_with_tables_and_the_first_one_stay() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/databases");
        test.post(&people.developer, &path, json!({ "name": "shop" })).await.good();
        test.post(&people.developer, &path, json!({ "name": "shop" })).await.refused(409, "name_taken");
        test.post(&people.developer, &path, json!({ "name": "a.b" })).await.refused(400, "validation_failed");
        let mut table = draft("orders");
        table["database"] = json!("shop");
        let table = test.post(&people.developer, &people.path("/tables"), table).await.good();
        test.call(&people.developer, "DELETE", &format!("{path}/shop"), None).await.refused(409, "database_in_use");
        let table: TableId = id_of(&table).parse().unwrap();
        test.call(&people.developer, "DELETE", &people.path(&format!("/tables/{table}")), None).await.good();
        test.call(&people.developer, "DELETE", &format!("{path}/shop"), None).await.good();
        test.call(&people.developer, "DELETE", &format!("{path}/main"), None).await.refused(403, "not_allowed");
        test.close().await;
    }
}

#[tokio::test]
async fn scripts_use_tables_as_they_are_described() {
    let test = TestApp::with(&[("kafka", "10.0.0.9:9092")]).await;
    let people = People::settle(&test.app).await;
    let built_in = test.get(&people.viewer, &people.path("/connections")).await.good()["items"][0].clone();
    let mut table = draft("orders");
    table["connector"] = json!("kafka");
    table["connection"] = built_in["id"].clone();
    table["options"] = json!({ "topic": "orders" });
    test.post(&people.developer, &people.path("/tables"), table).await.good();
    let verdict = async |sql: &str| {
        let validation = test.post(&people.viewer, &people.path("/sql/validate"), json!({ "sql": sql })).await.good();
        validation["diagnostics"].as_array().unwrap().iter().all(|found| found["code"] != "not-on-server")
    };
    assert!(verdict("main.orders topic=orders").await);
    assert!(verdict("mine connector=datagen").await);
    let ways_out = [
        "mine connector=kafka properties.bootstrap.servers=127.0.0.1:22",
        "main.orders properties.bootstrap.servers=127.0.0.1:22",
        "main.orders topic=millrace.server.logs",
    ];
    for sql in ways_out {
        assert!(!verdict(sql).await, "{sql}");
        let preview = json!({ "sql": sql });
        test.post(&people.developer, &people.path("/previews"), preview).await.refused(422, "invalid_sql");
    }
}

#[test]
fn teams_have_folders_of_their_own_below_the_servers_root() {
    let folder = tempfile::tempdir().unwrap();
    let load = |settings: &[(&str, &str)]| {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        millrace_backend::config::Config::from_sources(None, settings).unwrap().file_roots
    };
    let data_dir = folder.path().display().to_string();
    let own = load(&[("data_dir", &data_dir)]);
    assert_eq!(own.of_team("a"), [folder.path().join("files/a")]);
    assert_ne!(own.of_team("a"), own.of_team("b"));
    assert!(folder.path().join("files/a").is_dir());
    let named = load(&[("data_dir", &data_dir), ("file_roots", "/srv/in:/srv/out")]);
    assert_eq!(named.of_team("a"), named.of_team("b"));
    assert_eq!(named.of_team("a").len(), 2);
}
