//! `…/connections` of other kinds than Kafka: what is kept, what tables get of them, what is refused.

use serde_json::{Value, json};

use crate::support::{People, TestApp};
use crate::table::draft;

const CANARY: &str = "canary-77e1d0";

fn server(name: &str, host: &str) -> Value {
    json!({
        "name": name, "kind": "postgresql",
        "options": { "hostname": host, "database-name": "shop", "username": "reader", "ssl.mode": "require" },
        "secrets": { "password": CANARY },
    })
}

fn of_server(name: &str, connection: &Value) -> Value {
    let mut table = draft(name);
    table["connector"] = json!("postgres");
    table["connection"] = connection["id"].clone();
    table["options"] = json!({ "table-name": "orders" });
    table
}

#[tokio::test]
async fn a_tables_password_lies_in_the_connection() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let made =
            test.post(&people.developer, &people.path("/connections"), server("shop", "10.255.255.1")).await.good();
        assert_eq!(made["secrets_set"], json!(["password"]));
        assert!(!made.to_string().contains(CANARY));
        let table = test.post(&people.developer, &people.path("/tables"), of_server("orders", &made)).await.good();
        assert!(!table.to_string().contains(CANARY) && !table.to_string().contains("10.255"), "{table}");

        // The connector itself gets all of it; this fake one answers with what it was given.
        let fetch = json!({ "connector": "postgres", "connection": made["id"], "options": { "table-name": "orders" } });
        let fetched = test.post(&people.developer, &people.path("/tables/fetch"), fetch).await.good();
        let given = fetched["origin"].as_str().unwrap();
        for part in [
            CANARY,
            "10.255.255.1",
            "\"port\": \"5432\"",
            "\"ssl.mode\": \"require\"",
            "no-local-addresses\": \"true\"",
        ] {
            assert!(given.contains(part), "{part} in {given}");
        }

        let one = people.path(&format!("/connections/{}", made["id"].as_str().unwrap()));
        let answer = test.call(&people.developer, "DELETE", &one, None).await;
        answer.refused(409, "connection_in_use");
        assert!(answer.body["message"].as_str().unwrap().contains("main.orders"));
        let trail = millrace_backend::store::audit::list(&test.app.store, 0, 1000).await.unwrap();
        assert!(trail.iter().all(|link| !format!("{link:?}").contains(CANARY)));
        test.close().await;
    }
}

#[tokio::test]
async fn what_the_connection_fills_in_is_not_given_twice() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let connections = people.path("/connections");
    let made = test.post(&people.developer, &connections, server("shop", "10.255.255.1")).await.good();
    let mut table = of_server("orders", &made);
    table["options"]["hostname"] = json!("elsewhere.example");
    let answer = test.post(&people.developer, &people.path("/tables"), table).await;
    answer.refused(400, "validation_failed");
    assert_eq!(answer.body["field"], "options.hostname");
    // A cluster is no database.
    let kafka = test.post(&people.developer, &connections, crate::connection::draft("events")).await.good();
    test.post(&people.developer, &people.path("/tables"), of_server("orders", &kafka))
        .await
        .refused(400, "validation_failed");
    // Without a connection the table names the server itself, as before there were connections.
    let mut own = of_server("orders", &made);
    own.as_object_mut().unwrap().remove("connection");
    own["options"] = json!({ "table-name": "orders", "hostname": "db.example", "password": "x" });
    test.post(&people.developer, &people.path("/tables"), own).await.good();
    // Nor may a script lead its password elsewhere.
    test.post(&people.developer, &people.path("/tables"), of_server("kept", &made)).await.good();
    let sql = json!({ "sql": "main.kept hostname=elsewhere.example" });
    let validation = test.post(&people.viewer, &people.path("/sql/validate"), sql).await.good();
    assert_eq!(validation["diagnostics"][0]["code"], "not-on-server", "{validation}");
}

#[tokio::test]
async fn a_kind_stays_and_a_password_does_not_follow() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let path = people.path("/connections");
    let made = test.post(&people.developer, &path, server("shop", "10.255.255.1")).await.good();
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let mut moved = server("shop", "10.255.255.2");
    moved.as_object_mut().unwrap().remove("secrets");
    let answer = test.call(&people.developer, "PUT", &one, Some(moved.clone())).await;
    answer.refused(400, "validation_failed");
    assert_eq!(answer.body["field"], "secrets.password");
    let mut other = server("shop", "10.255.255.1");
    other["kind"] = json!("mysql");
    assert_eq!(test.call(&people.developer, "PUT", &one, Some(other)).await.body["field"], "kind");
    moved["secrets"] = json!({ "password": "again" });
    test.call(&people.developer, "PUT", &one, Some(moved)).await.good();
}

#[tokio::test]
async fn addresses_of_this_machine_are_denied() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let path = people.path("/connections");
    for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"] {
        let answer = test.post(&people.developer, &path, server("local", host)).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.body["field"], "options.hostname", "{}", answer.body);
    }
    let registry = json!({ "name": "r", "kind": "schema_registry", "options": { "url": "http://127.0.0.1:8081" } });
    let answer = test.post(&people.developer, &path, registry).await;
    answer.refused(400, "validation_failed");
    assert_eq!(answer.body["field"], "options.url");
}

#[tokio::test]
async fn a_server_is_tried_and_asked_what_it_holds() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let path = people.path("/connections");
    let tried = test.post(&people.developer, &format!("{path}/test"), server("shop", "10.255.255.1")).await.good();
    assert_eq!((&tried["ok"], &tried["steps"][0]["name"]), (&json!(true), &json!("Sign in")));
    let made = test.post(&people.developer, &path, server("shop", "10.255.255.1")).await.good();
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(test.post(&people.developer, &format!("{one}/test"), json!({})).await.good()["ok"], true);
    let objects = test.get(&people.developer, &format!("{one}/objects")).await.good();
    assert!(objects["items"][0]["name"].as_str().unwrap().contains("10.255.255.1"), "{objects}");
    test.get(&people.viewer, &format!("{one}/objects")).await.refused(403, "not_allowed");
    // It has no topics.
    test.get(&people.viewer, &format!("{one}/topics")).await.refused(404, "not_found");
}

/// A registry of one subject, on this machine.
async fn registry(schema: Value) -> String {
    use axum::extract::Path;
    use axum::http::{HeaderMap, StatusCode};
    let subjects = axum::routing::get(|headers: HeaderMap| async move {
        let signed = headers.get("authorization").is_some_and(|value| value == "Basic cmVhZGVyOmh1c2g=");
        if signed { Ok(axum::Json(json!(["orders-value"]))) } else { Err(StatusCode::UNAUTHORIZED) }
    });
    let newest = axum::routing::get(move |Path(subject): Path<String>| async move {
        if subject == "orders-value" { Ok(axum::Json(schema)) } else { Err(StatusCode::NOT_FOUND) }
    });
    let router = axum::Router::new().route("/subjects", subjects).route("/subjects/{subject}/versions/latest", newest);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn columns_come_from_a_registry() {
    let test = TestApp::with(&[("allow_private_addresses", "true")]).await;
    let people = People::settle(&test.app).await;
    let avro = json!({ "type": "record", "name": "order", "fields": [
        { "name": "id", "type": "long", "doc": "Unique." },
        { "name": "at", "type": ["null", { "type": "long", "logicalType": "timestamp-millis" }] },
    ]});
    let url = registry(json!({ "subject": "orders-value", "version": 3, "id": 7, "schema": avro.to_string() })).await;
    let path = people.path("/connections");
    let connection = |password: &str| {
        json!({ "name": "registry", "kind": "schema_registry",
            "options": { "url": url, "username": "reader" }, "secrets": { "password": password } })
    };
    let wrong = test.post(&people.developer, &format!("{path}/test"), connection("wrong")).await.good();
    assert_eq!((&wrong["ok"], &wrong["steps"][1]["ok"]), (&json!(false), &json!(false)), "{wrong}");
    let made = test.post(&people.developer, &path, connection("hush")).await.good();
    let objects = test.get(&people.developer, &format!("{path}/{}/objects", made["id"].as_str().unwrap())).await.good();
    assert_eq!(objects["items"][0]["name"], "orders-value");

    let fetch = |subject: &str| json!({ "connector": "kafka", "options": { "topic": "orders" }, "registry": made["id"], "subject": subject });
    // The topic's values are what is meant when no subject is named.
    let fetched = test.post(&people.developer, &people.path("/tables/fetch"), fetch("")).await.good();
    assert_eq!(fetched["format"], "avro-confluent");
    assert_eq!(
        fetched["columns"][0],
        json!({
        "name": "id", "data_type": "BIGINT", "kind": "physical", "nullable": false, "comment": "Unique." })
    );
    assert_eq!(
        (&fetched["columns"][1]["data_type"], &fetched["columns"][1]["nullable"]),
        (&json!("TIMESTAMP_LTZ(3)"), &json!(true))
    );
    assert_eq!(fetched["options"]["avro-confluent.timestamp_mapping.legacy"], "false");
    let missing = test.post(&people.developer, &people.path("/tables/fetch"), fetch("nothing")).await;
    assert_eq!(missing.body["field"], "subject");
}
