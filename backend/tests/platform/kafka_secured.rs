//! Apache Kafka over TLS and with a sign-in: what a connection's test says, and a job that writes and is read back.
//!
//! The broker is the one that `cargo xtask test` starts, with listeners for each; without it the tests say that they
//! were skipped.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::Server;

struct Secured {
    tls: String,
    sasl: String,
    authority: String,
}

fn secured() -> Option<Secured> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let found = variable("MILLRACE_TEST_KAFKA_TLS")
        .zip(variable("MILLRACE_TEST_KAFKA_SASL"))
        .zip(variable("MILLRACE_TEST_KAFKA_CA"));
    let Some(((tls, sasl), authority)) = found else {
        println!("skipped: no Apache Kafka with TLS (MILLRACE_TEST_KAFKA_TLS, _SASL and _CA are not set)");
        return None;
    };
    Some(Secured { tls, sasl, authority: std::fs::read_to_string(authority).unwrap() })
}

fn draft(server: &str, protocol: &str, user: Option<(&str, &str, &str)>, authority: Option<&str>) -> Value {
    let mut draft = json!({
        "name": "secured", "kind": "kafka", "secrets": {},
        "options": { "bootstrap.servers": server, "security.protocol": protocol },
    });
    if let Some((mechanism, user, password)) = user {
        draft["options"]["sasl.mechanism"] = json!(mechanism);
        draft["options"]["sasl.username"] = json!(user);
        draft["secrets"]["sasl.password"] = json!(password);
    }
    if let Some(authority) = authority {
        draft["secrets"]["ssl.ca.pem"] = json!(authority);
    }
    draft
}

/// `ok`, or what the last step says.
async fn verdict(server: &Server, draft: Value) -> String {
    let test = server.post("/connections/test", draft).await;
    if test["ok"] == true {
        return "ok".to_owned();
    }
    test["steps"].as_array().unwrap().last().unwrap()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_kafka_a_connection_says_what_is_wrong_with_its_security() {
    let Some(kafka) = secured() else { return };
    let Some(server) = Server::start(crate::server::NO_KAFKA).await else { return };
    let authority = Some(kafka.authority.as_str());
    assert_eq!(verdict(&server, draft(&kafka.tls, "SSL", None, authority)).await, "ok");
    let scram = |mechanism| Some((mechanism, "scram", "scram-secret"));
    for user in [scram("SCRAM-SHA-256"), scram("SCRAM-SHA-512"), Some(("PLAIN", "plain", "plain-secret"))] {
        assert_eq!(verdict(&server, draft(&kafka.sasl, "SASL_SSL", user, authority)).await, "ok", "{user:?}");
    }
    let cases = [
        ("no authority", draft(&kafka.tls, "SSL", None, None)),
        ("no encryption at a port with TLS", draft(&kafka.tls, "PLAINTEXT", None, None)),
        ("no sign-in where one is asked for", draft(&kafka.sasl, "SSL", None, authority)),
        ("wrong password", draft(&kafka.sasl, "SASL_SSL", Some(("SCRAM-SHA-512", "scram", "wrong")), authority)),
        ("unknown user", draft(&kafka.sasl, "SASL_SSL", Some(("SCRAM-SHA-512", "nobody", "wrong")), authority)),
        ("wrong password, PLAIN", draft(&kafka.sasl, "SASL_SSL", Some(("PLAIN", "plain", "wrong")), authority)),
    ];
    let mut said = String::new();
    for (case, draft) in cases {
        said.push_str(&format!("{case}: {}\n", verdict(&server, draft).await));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_kafka_a_job_writes_and_the_console_reads_over_tls_with_a_sign_in() {
    let Some(kafka) = secured() else { return };
    let Some(server) = Server::start(crate::server::NO_KAFKA).await else { return };
    let user = Some(("SCRAM-SHA-512", "scram", "scram-secret"));
    let connection = server.post("/connections", draft(&kafka.sasl, "SASL_SSL", user, Some(&kafka.authority))).await;
    let shown = connection.to_string();
    assert!(!shown.contains("scram-secret") && !shown.contains("BEGIN CERTIFICATE"), "{shown}");
    let id = connection["id"].as_str().unwrap();
    let topic = format!("secured-{}", uuid::Uuid::now_v7().simple());
    server.post(&format!("/connections/{id}/topics"), json!({ "name": topic, "partitions": 2 })).await;

    let columns = json!([{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }]);
    let kafka_options = json!({
        "topic": topic, "sink.delivery-guarantee": "exactly-once", "scan.startup.mode": "earliest-offset",
    });
    for table in [
        json!({ "name": "numbers", "connector": "datagen", "options": { "rows-per-second": "100" } }),
        json!({ "name": "there", "connector": "kafka", "connection": id, "format": "json", "options": kafka_options }),
    ] {
        let mut table = table;
        table["database"] = json!("main");
        table["columns"] = columns.clone();
        server.post("/tables", table).await;
    }
    let job = server.start_job("to secured", "INSERT INTO there SELECT n FROM numbers", &[]).await;
    server.until(&job, "with a checkpoint", |run| run["figures"]["checkpoint_at"].is_i64()).await;
    server.stop(&job, "savepoint").await;
    server.until_state(&job, "stopped").await;
    let messages = server.get(&format!("/connections/{id}/topics/{topic}/messages?limit=5")).await;
    assert_eq!(messages.as_array().or_else(|| messages["items"].as_array()).unwrap().len(), 5, "{messages}");
    let tables = server.get("/tables?q=there").await;
    let table = tables["items"][0]["id"].as_str().unwrap();
    let sample = server.get(&format!("/tables/{table}/sample?limit=5")).await;
    assert_eq!(sample["rows"].as_array().unwrap().len(), 5, "{sample}");
    let copy = "SELECT COUNT(*) FROM there";
    let validation = server.call(Method::POST, "/teams/tests/sql/validate", Some(json!({ "sql": copy }))).await.good();
    assert_eq!(validation["diagnostics"], json!([]));
}
