//! The topics of the Kafka that queries read from and write to.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

/// Large batches of records, as busy producers write them.
const BATCH_BYTES: &str = "1000000";

fn config(servers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("batch.size", BATCH_BYTES).set("linger.ms", "50");
    config
}

/// Whether it was not there before.
pub(crate) fn create(servers: &str, name: &str) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let admin: AdminClient<DefaultClientContext> = config(servers).create().unwrap();
    let new = NewTopic::new(name, 1, TopicReplication::Fixed(1));
    let made = runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap();
    match made.into_iter().next().unwrap() {
        Ok(_) => true,
        Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => false,
        Err(error) => panic!("{error:?}"),
    }
}

/// The three files into topics with one partition each, once for each broker.
pub(crate) fn fill(servers: &str, prefix: &str, folder: &Path) {
    for table in ["person", "auction", "bid"] {
        let topic = format!("{prefix}-{table}");
        if create(servers, &topic) {
            fill_one(servers, &topic, &folder.join(format!("{table}.json")));
        }
    }
}

fn fill_one(servers: &str, topic: &str, file: &Path) {
    let producer: ThreadedProducer<DefaultProducerContext> = config(servers).create().unwrap();
    for line in BufReader::new(File::open(file).unwrap()).lines() {
        let line = line.unwrap();
        let mut record = BaseRecord::<(), [u8]>::to(topic).payload(line.as_bytes());
        while let Err((error, back)) = producer.send(record) {
            let full = matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            assert!(full, "{error}");
            let _ = producer.flush(Duration::from_millis(100));
            record = back;
        }
    }
    let since = Instant::now();
    while producer.in_flight_count() > 0 && since.elapsed() < Duration::from_secs(120) {
        let _ = producer.flush(Duration::from_secs(1));
    }
    assert_eq!(producer.in_flight_count(), 0, "the topic {topic} could not be filled");
}
