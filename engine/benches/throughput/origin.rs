//! Where the records are read from: a topic of a real Kafka, or a file.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use super::bids::Bids;

/// Large batches of records, as busy producers write them.
const BATCH_BYTES: &str = "1000000";

pub(crate) enum Origin {
    File { path: PathBuf, _folder: tempfile::TempDir },
    Kafka { servers: String, topic: String },
}

impl Origin {
    /// `MILLRACE_TEST_KAFKA` names the broker, as `cargo xtask kafka` prints it; without it a file is written.
    pub(crate) fn fill(bids: &Bids, runtime: &tokio::runtime::Runtime) -> Self {
        let Ok(servers) = std::env::var("MILLRACE_TEST_KAFKA") else {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("bids.json");
            std::fs::write(&path, bids.text()).unwrap();
            return Origin::File { path, _folder: folder };
        };
        let topic = format!("throughput-{}", std::process::id());
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &servers).set("batch.size", BATCH_BYTES).set("linger.ms", "50");
        let admin: AdminClient<_> = config.create().unwrap();
        let new = NewTopic::new(&topic, 1, TopicReplication::Fixed(1));
        let made = runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap();
        made.into_iter().for_each(|made| assert!(made.is_ok(), "{made:?}"));
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().unwrap();
        for record in bids.records() {
            let mut record = BaseRecord::<(), [u8]>::to(&topic).payload(record);
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
        assert_eq!(producer.in_flight_count(), 0, "the topic could not be filled");
        Origin::Kafka { servers, topic }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Origin::File { .. } => "a file",
            Origin::Kafka { .. } => "Kafka",
        }
    }

    /// The options of the table that reads it all and ends.
    pub(crate) fn options(&self) -> String {
        match self {
            Origin::File { path, .. } => {
                format!("'connector' = 'filesystem', 'path' = '{}', 'format' = 'json'", path.display())
            }
            Origin::Kafka { servers, topic } => format!(
                "'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{servers}', \
                 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json'"
            ),
        }
    }
}
