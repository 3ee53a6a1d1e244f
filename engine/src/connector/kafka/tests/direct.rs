//! Reading straight from the brokers, beside the client library, which has to give the same.

use rdkafka::mocking::MockCoordinator;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;
use crate::connector::kafka::client::Reach;
use crate::connector::kafka::direct::Direct;

/// A setting that only the client library understands.
const BY_LIBRARY: (&str, &str) = ("properties.socket.keepalive.enable", "true");

impl Cluster {
    fn mocks(brokers: i32) -> Self {
        let mock = Mock::new(brokers).unwrap();
        Cluster { servers: mock.bootstrap_servers(), _mock: Some(mock), runtime: runtime() }
    }

    fn the_mock(&self) -> &Mock {
        self._mock.as_ref().unwrap()
    }

    fn is_read_directly(&self, table: &TableRef) -> bool {
        let config = client::properties(&table.options).unwrap();
        let consumer = client::consumer(&config, "direct").unwrap();
        Direct::new(&config, &consumer, Reach::Anywhere, self.runtime.handle()).is_some()
    }

    /// All rows, by both ways.
    pub(super) fn both(&self, table: &TableRef) -> Vec<String> {
        let by_library = with_options(table, &[BY_LIBRARY]);
        assert!(self.is_read_directly(table) && !self.is_read_directly(&by_library));
        let rows = read_all(table, &self.context("direct")).unwrap();
        assert_eq!(sorted(read_all(&by_library, &self.context("library")).unwrap()), sorted(rows.clone()));
        rows
    }
}

fn many(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| format!(r#"{{"id":{id},"name":"{}"}}"#, "x".repeat(id % 50))).collect()
}

fn as_str(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

#[test]
fn credentials_and_settings_that_are_not_known_are_left_to_the_client_library() {
    let cluster = Cluster::mock();
    let table = cluster.table("x", &[]);
    assert!(cluster.is_read_directly(&table));
    let with = |name: &str, value: &str| cluster.is_read_directly(&with_options(&table, &[(name, value)]));
    assert!(with("properties.security.protocol", "PLAINTEXT"));
    assert!(with("properties.fetch.min.bytes", "10"));
    assert!(!with("properties.security.protocol", "SSL"));
    assert!(!with("properties.client.rack", "r1"));
}

#[test]
fn every_compression_is_read() {
    let cluster = Cluster::mock();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = cluster.topic(codec, 1);
        let producer: BaseProducer =
            cluster.config().set("compression.type", codec).set("linger.ms", "100").create().unwrap();
        for value in &many(0..500) {
            producer.send(BaseRecord::<(), str>::to(&topic).payload(value)).unwrap();
        }
        producer.flush(Duration::from_secs(30)).unwrap();
        let rows = cluster.both(&cluster.bounded(&topic));
        let expected: Vec<String> = many(0..500).iter().map(|row| format!("+I{row}")).collect();
        assert_eq!(rows, expected, "{codec}");
    }
}

#[test]
fn small_answers_of_many_partitions_lose_nothing() {
    let cluster = Cluster::mocks(3);
    let topic = cluster.topic("small", 7);
    for partition in 0..7 {
        cluster.put(&topic, partition, &as_str(&many(0..300)));
    }
    let small = [("properties.max.partition.fetch.bytes", "1000")];
    assert_eq!(cluster.both(&with_options(&cluster.bounded(&topic), &small)).len(), 2100);
}

#[test]
fn reading_goes_on_when_leaders_move_and_brokers_come_and_go() {
    let cluster = Cluster::mocks(3);
    let topic = cluster.topic("moving", 2);
    let mock = cluster.the_mock();
    mock.coordinator(MockCoordinator::Group("moving".to_owned()), 3).unwrap();
    let source = source(&cluster.table(&topic, &[]), &cluster.context("moving"));
    let mut reading = reader(&*source, &[]);
    let mut expected = Vec::new();
    let mut rows = Vec::new();
    for round in 0..6 {
        match round % 3 {
            0 => [0, 1]
                .iter()
                .for_each(|partition| mock.partition_leader(&topic, *partition, Some(1 + round % 2)).unwrap()),
            1 => mock.broker_down(1 + round % 2).unwrap(),
            _ => [1, 2].iter().for_each(|broker| mock.broker_up(*broker).unwrap()),
        }
        if round % 3 != 1 {
            let values = many(usize::try_from(round).unwrap() * 100..usize::try_from(round + 1).unwrap() * 100);
            cluster.put(&topic, round % 2, &as_str(&values));
            expected.extend(values.iter().map(|row| format!("+I{row}")));
        }
        let missing = expected.len() - rows.len();
        rows.extend(read(&mut *reading, missing).unwrap());
    }
    assert_eq!(sorted(rows), sorted(expected));
}

#[test]
fn a_broker_that_answers_with_errors_for_a_while_is_asked_again() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("errors", 1);
    cluster.put(&topic, 0, &[r#"{"id":1}"#]);
    let errors = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    ];
    cluster.the_mock().request_errors(RDKafkaApiKey::Fetch, &errors);
    assert_eq!(read_all(&cluster.bounded(&topic), &cluster.context("errors")).unwrap(), [r#"+I{"id":1,"name":null}"#]);
}

#[test]
fn an_old_broker_is_read_by_the_client_library() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("old", 1);
    cluster.put(&topic, 0, &[r#"{"id":1}"#]);
    cluster.the_mock().apiversion(RDKafkaApiKey::Fetch, Some(4), Some(9)).unwrap();
    assert_eq!(read_all(&cluster.bounded(&topic), &cluster.context("old")).unwrap(), [r#"+I{"id":1,"name":null}"#]);
}

#[test]
fn an_offset_that_is_gone_is_an_error() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("gone", 1);
    cluster.put(&topic, 0, &[r#"{"id":1}"#]);
    let ahead = [("scan.startup.mode", "specific-offsets"), ("scan.startup.specific-offsets", "partition:0,offset:70")];
    let source = source(&cluster.table(&topic, &ahead), &cluster.context("gone"));
    let failed = read(&mut *reader(&*source, &[]), 1).unwrap_err();
    assert_eq!(failed.code, "offset_lost");
}
