//! `…/topics` and `…/groups` on a real broker.
//!
//! Needs `MILLRACE_TEST_KAFKA`; without it the tests say that they were skipped.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::support::{People, TestApp};

struct Cluster {
    test: TestApp,
    people: People,
    /// Path of the built-in connection.
    path: String,
    bootstrap: String,
}

impl Cluster {
    async fn there() -> Option<Cluster> {
        let Some(bootstrap) = std::env::var("MILLRACE_TEST_KAFKA").ok().filter(|address| !address.is_empty()) else {
            println!("skipped: no Apache Kafka (MILLRACE_TEST_KAFKA is not set)");
            return None;
        };
        let test = TestApp::with(&[("kafka", bootstrap.as_str())]).await;
        let people = People::settle(&test.app).await;
        let connections = test.get(&people.viewer, &people.path("/connections")).await.good();
        let id = connections["items"][0]["id"].as_str().unwrap();
        let path = people.path(&format!("/connections/{id}"));
        Some(Cluster { test, people, path, bootstrap })
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config
    }

    async fn make_topic(&self, partitions: u32) -> String {
        let name = format!("orders-{}", uuid::Uuid::now_v7().simple());
        let wish = json!({ "name": name, "partitions": partitions });
        self.test.post(&self.people.developer, &format!("{}/topics", self.path), wish).await.good();
        name
    }

    /// Numbers 0 to `count`, one per second of record time from 1,000,000 on, alternating between partitions.
    async fn fill(&self, topic: &str, partitions: i32, count: i64) {
        let producer: FutureProducer = self.client().create().unwrap();
        for number in 0..count {
            let (key, value) = (format!("k{number}"), json!({ "n": number }).to_string());
            let partition = i32::try_from(number).unwrap() % partitions;
            let record = FutureRecord::to(topic).key(&key).payload(&value).partition(partition);
            producer.send(record.timestamp(1_000_000 + number * 1_000), Duration::from_secs(10)).await.unwrap();
        }
    }

    async fn messages(&self, topic: &str, query: &str) -> Vec<i64> {
        let path = format!("{}/topics/{topic}/messages{query}", self.path);
        let page = self.test.get(&self.people.viewer, &path).await.good();
        let number = |message: &Value| {
            let value: Value = serde_json::from_str(message["value"].as_str().unwrap()).unwrap();
            value["n"].as_i64().unwrap()
        };
        page["items"].as_array().unwrap().iter().map(number).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_found_from_every_end() {
    let Some(cluster) = Cluster::there().await else { return };
    let topic = cluster.make_topic(2).await;
    assert!(cluster.messages(&topic, "").await.is_empty());
    cluster.fill(&topic, 2, 20).await;
    assert_eq!(cluster.messages(&topic, "?limit=3").await, [19, 18, 17]);
    assert_eq!(cluster.messages(&topic, "?mode=oldest&limit=3").await, [0, 1, 2]);
    assert_eq!(cluster.messages(&topic, "?mode=offset&partition=1&offset=8&limit=9").await, [17, 19]);
    assert_eq!(cluster.messages(&topic, "?mode=time&at=1015000&limit=9").await, [15, 16, 17, 18, 19]);
    assert_eq!(cluster.messages(&topic, "?mode=time&at=9999999999999").await, [0i64; 0]);
    assert_eq!(cluster.messages(&topic, "?contains=%22n%22:7%7D").await, [7]);
    assert_eq!(cluster.messages(&topic, "?contains=K7&mode=oldest").await, [7]);
    let (test, viewer) = (&cluster.test, &cluster.people.viewer);
    let at = |query: &str| format!("{}/topics/{topic}/messages{query}", cluster.path);
    test.get(viewer, &at("?mode=offset")).await.refused(400, "validation_failed");
    test.get(viewer, &at("?mode=sideways")).await.refused(400, "validation_failed");
    test.get(viewer, &at("?partition=7")).await.refused(404, "not_found");
    let nothing = format!("{}/topics/nothing-{topic}/messages", cluster.path);
    test.get(viewer, &nothing).await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_show_how_far_they_are_behind() {
    let Some(cluster) = Cluster::there().await else { return };
    let topic = cluster.make_topic(1).await;
    cluster.fill(&topic, 1, 10).await;
    let group = format!("readers-{topic}");
    let consumer: BaseConsumer = cluster.client().set("group.id", &group).create().unwrap();
    let mut committed = TopicPartitionList::new();
    committed.add_partition_offset(&topic, 0, Offset::Offset(4)).unwrap();
    consumer.commit(&committed, CommitMode::Sync).unwrap();

    let detail = cluster.test.get(&cluster.people.viewer, &format!("{}/topics/{topic}", cluster.path)).await.good();
    assert_eq!((&detail["partitions"][0]["low"], &detail["partitions"][0]["high"]), (&json!(0), &json!(10)));
    assert_eq!((&detail["groups"][0]["group"], &detail["groups"][0]["lag"]), (&json!(group), &json!(6)));
    let groups = cluster.test.get(&cluster.people.viewer, &format!("{}/groups?q={group}", cluster.path)).await.good();
    assert_eq!(groups["items"][0]["partitions"][0]["committed"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_made_listed_and_tied_to_tables() {
    let Some(cluster) = Cluster::there().await else { return };
    let (test, people) = (&cluster.test, &cluster.people);
    let topic = cluster.make_topic(3).await;
    let topics = format!("{}/topics", cluster.path);
    let again = json!({ "name": topic, "partitions": 3 });
    test.post(&people.developer, &topics, again).await.refused(409, "name_taken");
    for (name, partitions) in [("a b", 1), ("", 1), ("..", 1), ("fine", 0), ("fine", 5000), ("millrace.logs.x", 1)] {
        let wish = json!({ "name": name, "partitions": partitions });
        test.post(&people.developer, &topics, wish).await.refused(400, "validation_failed");
    }
    let connection = test.get(&people.viewer, &cluster.path).await.good();
    let mut table = crate::table::draft("orders");
    table["connector"] = json!("kafka");
    table["connection"] = connection["id"].clone();
    table["options"] = json!({ "topic": topic });
    test.post(&people.developer, &people.path("/tables"), table).await.good();
    let listed = test.get(&people.viewer, &format!("{topics}?q={topic}")).await.good();
    assert_eq!(listed["items"][0]["partitions"], 3);
    assert_eq!(listed["items"][0]["tables"][0]["name"], "main.orders");
    let tried = test.call(&people.developer, "POST", &format!("{}/test", cluster.path), None).await.good();
    assert_eq!(tried["ok"], true, "{tried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_of_the_platform_are_shown_to_their_team_only() {
    let Some(cluster) = Cluster::there().await else { return };
    let other = People::settle(&cluster.test.app).await;
    let own = format!("millrace.logs.{}", cluster.people.slug);
    // As the platform makes it for a new team.
    let client = cluster.bootstrap.clone();
    millrace_backend::watch::topics::ensure([("bootstrap.servers", client.as_str())], std::slice::from_ref(&own), 1)
        .await
        .unwrap();
    let see = async |people: &People| {
        let connections = cluster.test.get(&people.viewer, &people.path("/connections")).await.good();
        let path = people.path(&format!("/connections/{}/topics", connections["items"][0]["id"].as_str().unwrap()));
        let listed = cluster.test.get(&people.viewer, &format!("{path}?q={own}")).await.good();
        let read = cluster.test.get(&people.viewer, &format!("{path}/{own}/messages")).await.status.as_u16();
        (listed["total"].as_u64().unwrap(), read)
    };
    assert_eq!(see(&cluster.people).await, (1, 200));
    assert_eq!(see(&other).await, (0, 404));
}

#[tokio::test]
async fn a_broker_that_is_away_is_told_in_time() {
    // Nothing listens on this port of this machine.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let test = TestApp::with(&[("kafka", &format!("127.0.0.1:{port}"))]).await;
    let people = People::settle(&test.app).await;
    let connections = test.get(&people.viewer, &people.path("/connections")).await.good();
    let path = people.path(&format!("/connections/{}", connections["items"][0]["id"].as_str().unwrap()));
    let asked = std::time::Instant::now();
    let answer = test.get(&people.viewer, &format!("{path}/topics")).await;
    answer.refused(422, "external_failed");
    assert!(asked.elapsed() < Duration::from_secs(15));
    let tried = test.call(&people.developer, "POST", &format!("{path}/test"), None).await.good();
    assert_eq!((&tried["ok"], &tried["steps"][1]["ok"]), (&json!(false), &json!(false)));
}
