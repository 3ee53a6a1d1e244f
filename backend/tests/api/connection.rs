//! `…/connections`: what is kept, what is never shown, what is refused.

use serde_json::{Value, json};

use crate::support::{People, TestApp};

const CANARY: &str = "canary-5f2b7c";

/// An address that is allowed and does not answer.
pub(crate) fn draft(name: &str) -> Value {
    json!({ "name": name, "kind": "kafka", "options": { "bootstrap.servers": "10.255.255.1:9092" } })
}

fn secret_draft(name: &str) -> Value {
    json!({
        "name": name,
        "kind": "kafka",
        "options": {
            "bootstrap.servers": "10.255.255.1:9092",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.username": "reader",
        },
        "secrets": { "sasl.password": CANARY },
    })
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/connections");
        let made = test.post(&people.developer, &path, secret_draft("events")).await.good();
        assert_eq!(made["secrets_set"], json!(["sasl.password"]));
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let mut seen = vec![made.clone(), test.get(&people.viewer, &one).await.good()];
        seen.push(test.get(&people.viewer, &path).await.good());

        // Absent keeps it, empty removes it.
        let mut renamed = secret_draft("events 2");
        renamed.as_object_mut().unwrap().remove("secrets");
        let kept = test.call(&people.developer, "PUT", &one, Some(renamed)).await.good();
        assert_eq!(kept["secrets_set"], json!(["sasl.password"]));
        let plain = json!({ "name": "events 2", "kind": "kafka",
            "options": { "bootstrap.servers": "10.255.255.1:9092" }, "secrets": { "sasl.password": "" } });
        let removed = test.call(&people.developer, "PUT", &one, Some(plain)).await.good();
        assert_eq!(removed["secrets_set"], json!([]));
        seen.extend([kept, removed]);

        assert!(seen.iter().all(|answer| !answer.to_string().contains(CANARY)));
        let trail = millrace_backend::store::audit::list(&test.app.store, 0, 1000).await.unwrap();
        assert!(trail.len() >= 3 && trail.iter().all(|link| !format!("{link:?}").contains(CANARY)));
        test.close().await;
    }
}

#[tokio::test]
async fn the_database_file_holds_no_secret() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    test.post(&people.developer, &people.path("/connections"), secret_draft("events")).await.good();
    test.app.store.close().await;
    let mut looked_at = 0;
    for entry in std::fs::read_dir(test.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "{}", path.display());
        looked_at += bytes.len();
    }
    assert!(looked_at > 10_000, "the database was not where the test looks");
}

#[tokio::test]
async fn a_secret_does_not_follow_a_new_address() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let path = people.path("/connections");
    let made = test.post(&people.developer, &path, secret_draft("events")).await.good();
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let mut moved = secret_draft("events");
    moved["options"]["bootstrap.servers"] = json!("10.255.255.2:9092");
    moved.as_object_mut().unwrap().remove("secrets");
    let answer = test.call(&people.developer, "PUT", &one, Some(moved)).await;
    answer.refused(400, "validation_failed");
    assert_eq!(answer.body["field"], "secrets.sasl.password");
}

#[tokio::test]
async fn local_addresses_are_refused_unless_allowed() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    for address in ["127.0.0.1:9092", "localhost:9092", "169.254.169.254:80", "[::1]:9092", "0.0.0.0:1"] {
        let mut local = draft("local");
        local["options"]["bootstrap.servers"] = json!(address);
        let answer = test.post(&people.developer, &people.path("/connections"), local.clone()).await;
        answer.refused(400, "validation_failed");
        let tried = test.post(&people.developer, &people.path("/connections/test"), local).await.good();
        assert_eq!(tried["ok"], false, "{address}");
        assert_eq!(tried["steps"].as_array().unwrap().len(), 1, "nothing was connected to");
    }
    let test = TestApp::with(&[("allow_private_addresses", "true")]).await;
    let people = People::settle(&test.app).await;
    let mut local = draft("local");
    local["options"]["bootstrap.servers"] = json!("127.0.0.1:9092");
    test.post(&people.developer, &people.path("/connections"), local).await.good();
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let wrong = json!({
        "name": "",
        "kind": "kafka",
        "options": { "security.protocol": "SASL_TLS", "ssl.ca.location": "/etc/passwd", "sasl.username": "a\nb" },
        "secrets": { "ssl.key.location": "/etc/key" },
    });
    let answer = test.post(&people.developer, &people.path("/connections"), wrong).await;
    answer.refused(400, "validation_failed");
    let fields: Vec<&str> =
        answer.body["details"].as_array().unwrap().iter().map(|detail| detail["field"].as_str().unwrap()).collect();
    for field in [
        "name",
        "options.bootstrap.servers",
        "options.ssl.ca.location",
        "options.security.protocol",
        "options.sasl.username",
        "secrets.ssl.key.location",
        "secrets.sasl.password",
    ] {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
}

#[tokio::test]
async fn the_built_in_one_is_the_servers() {
    let test = TestApp::with(&[("kafka", "10.0.0.9:9092")]).await;
    let people = People::settle(&test.app).await;
    let path = people.path("/connections");
    let built_in = test.get(&people.viewer, &path).await.good()["items"][0].clone();
    assert_eq!(built_in["options"]["bootstrap.servers"], "10.0.0.9:9092");
    assert_eq!((&built_in["built_in"], &built_in["demo"]), (&json!(true), &json!(false)));
    let one = format!("{path}/{}", built_in["id"].as_str().unwrap());
    test.call(&people.owner, "PUT", &one, Some(draft("x"))).await.refused(403, "not_allowed");
    test.call(&people.owner, "DELETE", &one, None).await.refused(403, "not_allowed");
}

#[tokio::test]
async fn deleting_names_the_tables_that_use_it() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/connections");
        let made = test.post(&people.developer, &path, draft("events")).await.good();
        test.post(&people.developer, &path, draft("events")).await.refused(409, "name_taken");
        let mut table = crate::table::draft("orders");
        table["connector"] = json!("kafka");
        table["connection"] = made["id"].clone();
        table["options"] = json!({ "topic": "orders" });
        let table = test.post(&people.developer, &people.path("/tables"), table).await.good();
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let answer = test.call(&people.developer, "DELETE", &one, None).await;
        answer.refused(409, "connection_in_use");
        assert!(answer.body["message"].as_str().unwrap().contains("main.orders"), "{}", answer.body);
        let table = people.path(&format!("/tables/{}", table["id"].as_str().unwrap()));
        test.call(&people.developer, "DELETE", &table, None).await.good();
        test.call(&people.developer, "DELETE", &one, None).await.good();
        test.close().await;
    }
}
