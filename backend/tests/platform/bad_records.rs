//! Bad records as objects: what a worker cannot decode arrives with its bytes and its place, once, whatever becomes of
//! the worker; it is decoded again and replayed.
//!
//! The demo broker is enough; `MILLRACE_TEST_KAFKA` names the one that is used.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use reqwest::Method;
use serde_json::{Value, json};

use crate::process;
use crate::server::Server;

const BROKEN: &[u8] = b"{\"n\":";
const WORD: &[u8] = b"{\"n\":\"abc\"}";
const BINARY: &[u8] = &[0xff, 0x00, 0x7b];

#[tokio::test(flavor = "multi_thread")]
async fn on_kafka_a_bad_record_is_kept_once_decoded_again_and_replayed() {
    let Some(kafka) = std::env::var("MILLRACE_TEST_KAFKA").ok().filter(|address| !address.is_empty()) else {
        println!("skipped: no Kafka (MILLRACE_TEST_KAFKA is not set)");
        return;
    };
    let Some(server) = Server::start(&kafka).await else { return };
    let topic = topic_with(&kafka, &[b"{\"n\":1}", BROKEN, WORD, BINARY, b"{\"n\":2}"]).await;
    let (table, mut draft) = table(&server, &topic).await;
    let id = table["id"].as_str().unwrap();
    let list = format!("/tables/{id}/bad-records");

    // Its only checkpoint would be in an hour: a new attempt reads everything again.
    let sql = "INSERT INTO nowhere SELECT n FROM events";
    let job = server.start_job("reader", sql, &[("checkpoint_interval_ms", 3_600_000)]).await;
    let page = until(&server, &list, "three bad records", |page| page["total"] == 3).await;
    let seen: Vec<(i64, Vec<u8>)> = {
        let mut seen = Vec::new();
        for record in page["items"].as_array().unwrap() {
            assert_eq!((&record["split"], &record["job"]["name"]), (&json!(format!("{topic}/0")), &json!("reader")));
            let detail = server.get(&format!("{list}/{}", record["id"].as_str().unwrap())).await;
            assert_eq!(detail["key"]["text"], "k");
            let bytes = BASE64.decode(detail["value"]["base64"].as_str().unwrap()).unwrap();
            seen.push((record["offset"].as_i64().unwrap(), bytes));
        }
        seen.sort();
        seen
    };
    assert_eq!(seen, [(1, BROKEN.to_vec()), (2, WORD.to_vec()), (3, BINARY.to_vec())]);
    let causes = server.get(&format!("{list}/causes")).await;
    let names: Vec<&str> =
        causes["items"].as_array().unwrap().iter().map(|one| one["cause"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3, "{causes}");
    assert!(names.contains(&"field 'n': '…' is no BIGINT"), "{causes}");

    // A worker that is killed comes again and meets the same records.
    let killed = server.workers_of(&job);
    killed.iter().copied().for_each(process::kill);
    let read_again = |run: &Value| {
        run["state"] == "running" && run["attempt"] == 2 && run["figures"]["bad_records"].as_u64() == Some(3)
    };
    server.until(&job, "reading again", read_again).await;
    let figures = format!("/jobs/{job}/figures");
    let has_read = |rows: u64| move |report: &Value| report["sources"][0]["records"].as_u64() == Some(rows);
    until(&server, &figures, "both good records", has_read(2)).await;
    let again = server.get(&list).await;
    assert_eq!(ids(&again), ids(&page), "the same records, once");
    assert_eq!(server.get(&format!("{list}/causes")).await, causes);

    // With the format changed the word can be decoded, the others cannot.
    let word = record_at(&page, 2);
    let decode = format!("{list}/{word}/decode");
    let before = server.post(&decode, json!({})).await;
    assert_eq!(before["reason"], "field 'n': 'abc' is no BIGINT");
    let cause = json!({ "cause": "field 'n': '…' is no BIGINT" });
    let counts = server.post(&format!("{list}/decode"), cause.clone()).await;
    assert_eq!((&counts["decoded"], &counts["failed"]), (&json!(0), &json!(1)));
    draft["columns"][0]["data_type"] = json!("STRING");
    draft["accept_breaking"] = json!(true);
    server.call(Method::PUT, &format!("/teams/tests/tables/{id}"), Some(draft)).await.good();
    let after = server.post(&decode, json!({})).await;
    assert_eq!((&after["rows"], &after["columns"][0]["name"]), (&json!([["abc"]]), &json!("n")), "{after}");
    let counts = server.post(&format!("{list}/decode"), cause).await;
    assert_eq!((&counts["decoded"], &counts["failed"]), (&json!(1), &json!(0)));

    // Replayed as it came, and with the bytes that a person gives, which the job can read.
    let replay = format!("{list}/{word}/replay");
    let to = server.post(&replay, json!({})).await;
    assert_eq!((&to["partition"], &to["offset"]), (&json!(0), &json!(5)));
    assert_eq!(server.try_post(&replay, json!({})).await.status, 409, "not twice without saying so");
    let edited = BASE64.encode(b"{\"n\":7}");
    let broken = record_at(&page, 1);
    server.post(&format!("{list}/{broken}/replay"), json!({ "value": edited })).await;
    until(&server, &figures, "the replayed record", has_read(3)).await;
    let written = messages(&server, &topic).await;
    let value = |offset: i64| &written.iter().find(|message| message["offset"] == offset).unwrap()["value"];
    assert_eq!((value(5), value(6)), (&json!("{\"n\":\"abc\"}"), &json!("{\"n\":7}")));
    let from = |offset: i64| {
        written.iter().find(|message| message["offset"] == offset).unwrap()["headers"]["millrace-replayed-from"].clone()
    };
    assert_eq!((from(5), from(6)), (json!(format!("{topic}/0/2")), json!(format!("{topic}/0/1"))));
    // Replayed as it was, it is as bad as before for the job's own version: a record of its own.
    until(&server, &list, "the replayed record", |page| page["total"] == 4).await;
    let marked = server.get(&format!("{list}/{broken}")).await["record"]["replayed"].clone();
    assert_eq!((&marked["edited"], &marked["times"], &marked["by"]), (&json!(true), &json!(1), &json!("Test")));

    let cause = "/bad-records?cause=it%20is%20no";
    let unknown = server.call(Method::DELETE, &format!("/teams/tests/tables/{id}{cause}"), None).await;
    assert_eq!(unknown.status, 404, "{}", unknown.body);
    server.call(Method::DELETE, &format!("/teams/tests{list}/{broken}"), None).await.good();
    assert_eq!(server.get(&list).await["total"], 3);
    let lines = server.call(Method::GET, &format!("/teams/tests{list}/export"), None).await.good();
    assert_eq!(lines.as_str().unwrap().lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_file_is_kept_also_when_it_ends_the_job() {
    let Some(server) = Server::start(crate::server::NO_KAFKA).await else { return };
    std::fs::create_dir_all(server.files()).unwrap();
    std::fs::write(server.files().join("in.csv"), "1\nabc\n2\n").unwrap();
    let path = server.files().join("in.csv").display().to_string();
    let mut lists = Vec::new();
    for (name, on_error) in [("skipping", "skip"), ("failing", "fail")] {
        let table = json!({
            "database": "main", "name": name, "connector": "filesystem", "format": "csv",
            "options": { "path": path, "decode.on-error": on_error },
            "columns": [{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }],
        });
        let made = server.post("/tables", table).await;
        lists.push((name, format!("/tables/{}/bad-records", made["id"].as_str().unwrap())));
    }
    let columns = json!([{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }]);
    let sink =
        json!({ "database": "main", "name": "nowhere", "connector": "blackhole", "options": {}, "columns": columns });
    server.post("/tables", sink).await;
    for (name, list) in lists {
        let sql = format!("INSERT INTO nowhere SELECT n FROM {name}");
        let job = server.start_job(name, &sql, &[("restart_attempts", 0)]).await;
        server.until_state(&job, if name == "failing" { "failed" } else { "finished" }).await;
        let page = until(&server, &list, "a bad record", |page| page["total"] == 1).await;
        let record = &page["items"][0];
        assert_eq!((&record["split"], &record["offset"]), (&json!(path), &json!(2)));
        assert_eq!(record["excerpt"], "abc");
        let detail = server.get(&format!("{list}/{}", record["id"].as_str().unwrap())).await;
        assert_eq!((&detail["value"]["hex"], &detail["value"]["is_text"]), (&json!("616263"), &json!(true)));
        let refused = server.try_post(&format!("{list}/{}/replay", record["id"].as_str().unwrap()), json!({})).await;
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert_eq!(refused.body["message"], detail["no_replay"]);
        assert!(refused.body["message"].as_str().unwrap().contains("only a Kafka topic"), "{}", refused.body);
    }
}

async fn topic_with(kafka: &str, values: &[&[u8]]) -> String {
    let topic = format!("bad-{}", uuid::Uuid::now_v7().simple());
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka);
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let new = NewTopic::new(&topic, 1, TopicReplication::Fixed(1));
    for created in admin.create_topics(&[new], &AdminOptions::new()).await.unwrap() {
        created.unwrap();
    }
    let producer: FutureProducer = config.create().unwrap();
    for value in values {
        let record = FutureRecord::to(&topic).key("k").payload(*value).partition(0);
        producer.send(record, Timeout::After(Duration::from_secs(10))).await.unwrap();
    }
    topic
}

async fn connection(server: &Server) -> Value {
    let connections = server.get("/connections").await;
    let mut connections = connections["items"].as_array().unwrap().iter();
    connections.find(|item| item["built_in"] == true).unwrap()["id"].clone()
}

/// As it was made, and as it was asked for.
async fn table(server: &Server, topic: &str) -> (Value, Value) {
    let columns = json!([{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }]);
    let sink =
        json!({ "database": "main", "name": "nowhere", "connector": "blackhole", "options": {}, "columns": columns });
    server.post("/tables", sink).await;
    let options = json!({ "topic": topic, "scan.startup.mode": "earliest-offset", "decode.on-error": "skip" });
    let draft = json!({
        "database": "main", "name": "events", "connector": "kafka", "connection": connection(server).await,
        "format": "json", "options": options, "columns": columns,
    });
    (server.post("/tables", draft.clone()).await, draft)
}

async fn messages(server: &Server, topic: &str) -> Vec<Value> {
    let connection = connection(server).await;
    let path = format!("/connections/{}/topics/{topic}/messages?mode=oldest", connection.as_str().unwrap());
    server.get(&path).await["items"].as_array().unwrap().clone()
}

async fn until(server: &Server, path: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let page = server.get(path).await;
        if fits(&page) {
            return page;
        }
        assert!(Instant::now() < deadline, "never {what}: {page}\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn ids(page: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn record_at(page: &Value, offset: i64) -> String {
    let mut records = page["items"].as_array().unwrap().iter();
    let found = records.find(|record| record["offset"] == offset).unwrap();
    found["id"].as_str().unwrap().to_owned()
}
