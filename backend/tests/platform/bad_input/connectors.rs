//! Tables and connections that cannot work: what the form is told, and that nobody waits for ever.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{in_words, table};
use crate::server::{NO_KAFKA, Server};

const COLUMNS: &[(&str, &str)] = &[("n", "BIGINT")];

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_work_are_refused_field_by_field() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let file = |options: serde_json::Value| table("t", "filesystem", options, COLUMNS);
    let cases = [
        ("unknown connector", table("t", "kafak", json!({}), COLUMNS)),
        ("unknown option", table("t", "datagen", json!({ "rows-per-sceond": "5" }), COLUMNS)),
        ("wrong value", table("t", "datagen", json!({ "rows-per-second": "many" }), COLUMNS)),
        ("missing option", file(json!({ "format": "json" }))),
        ("unknown format", file(json!({ "path": "x", "format": "jsno" }))),
        ("unknown policy", file(json!({ "path": "x", "format": "json", "decode.on-error": "ignore" }))),
        (
            "dead letters without a place",
            file(json!({ "path": "x", "format": "json", "decode.on-error": "dead-letter" })),
        ),
        ("unknown type", table("t", "blackhole", json!({}), &[("n", "NUMBER")])),
        ("two columns of one name", table("t", "blackhole", json!({}), &[("n", "INT"), ("n", "INT")])),
        ("no column", table("t", "blackhole", json!({}), &[])),
        ("no connection", table("t", "kafka", json!({ "topic": "x", "format": "json" }), COLUMNS)),
        ("a name with a space", table("my table", "datagen", json!({}), COLUMNS)),
    ];
    let mut said = String::new();
    for (case, draft) in cases {
        let answer = server.try_post("/tables", draft).await;
        said.push_str(&format!("{case}: {}\n", in_words(&answer)));
        assert_eq!(answer.status, 400, "{case}: {}", answer.body);
    }
    insta::assert_snapshot!(said);
}

/// Whether there is such a file outside of the team's folder is not told.
#[tokio::test(flavor = "multi_thread")]
async fn files_outside_of_the_folder_are_not_looked_at() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let mut said = String::new();
    for path in ["../../etc/passwd", "/etc/passwd", "/etc/nothing", "..", "nothing"] {
        let fetch = json!({ "connector": "filesystem", "format": "json", "options": { "path": path } });
        said.push_str(&format!("{path}: {}\n", in_words(&server.try_post("/tables/fetch", fetch).await)));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_is_told_in_time_and_by_step() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    // A port that takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let draft = |servers: &str| json!({ "name": "away", "kind": "kafka", "options": { "bootstrap.servers": servers } });
    let mut said = String::new();
    for (case, servers) in [
        ("nobody listens", "127.0.0.1:1"),
        ("nobody answers", silent.as_str()),
        ("a name that nobody has", "nobody.invalid:9092"),
    ] {
        let began = Instant::now();
        let test = server.post("/connections/test", draft(servers)).await;
        assert!(began.elapsed() < Duration::from_secs(15), "{case}: {:?}", began.elapsed());
        assert_eq!(test["ok"], false);
        for step in test["steps"].as_array().unwrap() {
            said.push_str(&format!("{case}: {} {}: {}\n", step["name"], step["ok"], step["detail"]));
        }
    }
    for (case, servers) in [("no port", "localhost"), ("a protocol", "PLAINTEXT://localhost:1"), ("nothing", " ")] {
        let answer = server.try_post("/connections/test", draft(servers)).await;
        let step = answer.body["steps"][0]["detail"].as_str().map(str::to_owned);
        said.push_str(&format!("{case}: {}\n", step.unwrap_or_else(|| in_words(&answer))));
    }
    let mut with_file = draft("127.0.0.1:1");
    with_file["options"]["ssl.ca.location"] = json!("/etc/passwd");
    with_file["secrets"] = json!({ "ssl.key.pem": "no key" });
    with_file["options"]["security.protocol"] = json!("SSL");
    said.push_str(&format!("files and no keys: {}\n", in_words(&server.try_post("/connections", with_file).await)));
    insta::assert_snapshot!(said);
}

/// The job of an unreachable broker says so, and tries again rather than hang.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_broker_is_not_there_says_so() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let connections = server.get("/connections").await;
    let connection = connections["items"][0]["id"].clone();
    let mut away = table("away", "kafka", json!({ "topic": "x", "format": "json" }), COLUMNS);
    away["connection"] = connection;
    server.post("/tables", away).await;
    server.post("/tables", table("nothing", "blackhole", json!({}), COLUMNS)).await;
    let job = server.start_job("away", "INSERT INTO nothing SELECT n FROM away", &[("restart_attempts", 1)]).await;
    let run = server.until_state(&job, "failed").await;
    insta::assert_snapshot!(run["reason"].as_str().unwrap());
}
