//! The two topics of a run: numbers go into one, and are read back, committed only, from the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset};

use super::oracle::{Seen, partition_of};

/// Slow enough to be still producing when the last round ends, fast enough to fill every checkpoint.
const PER_SECOND: u64 = 2_000;

pub(crate) struct Log {
    pub(crate) bootstrap: String,
    pub(crate) input: String,
    pub(crate) output: String,
    partitions: i32,
}

impl Log {
    pub(crate) async fn create(bootstrap: &str, partitions: i32) -> Self {
        let name = uuid::Uuid::now_v7().simple().to_string();
        let log = Log {
            bootstrap: bootstrap.to_owned(),
            input: format!("crash-in-{name}"),
            output: format!("crash-out-{name}"),
            partitions,
        };
        let admin: AdminClient<DefaultClientContext> = log.client().create().unwrap();
        let topics =
            [&log.input, &log.output].map(|topic| NewTopic::new(topic, partitions, TopicReplication::Fixed(1)));
        for created in admin.create_topics(&topics, &AdminOptions::new()).await.unwrap() {
            created.unwrap();
        }
        log
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config
    }

    /// Reads the output from its start until as many records as were produced have been seen and no more come, or
    /// until the time is over.
    pub(crate) async fn read_committed(&self, expected: u64, within: Duration) -> Seen {
        let mut config = self.client();
        config
            .set("group.id", "crash-reader")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed");
        let consumer: BaseConsumer = config.create().unwrap();
        let mut assignment = TopicPartitionList::new();
        for partition in 0..self.partitions {
            assignment.add_partition_offset(&self.output, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&assignment).unwrap();
        let deadline = Instant::now() + within;
        tokio::task::spawn_blocking(move || {
            let mut seen = Seen::new();
            let mut quiet_since = Instant::now();
            // A doubled record may come after the last one that is missing: wait for silence as well.
            while Instant::now() < deadline {
                match consumer.poll(Duration::from_millis(200)) {
                    Some(message) => {
                        let message = message.unwrap();
                        let value: serde_json::Value = serde_json::from_slice(message.payload().unwrap()).unwrap();
                        seen.push((message.partition(), value["n"].as_u64().unwrap()));
                        quiet_since = Instant::now();
                    }
                    None if seen.len() as u64 >= expected && quiet_since.elapsed() > Duration::from_secs(3) => break,
                    None => {}
                }
            }
            seen
        })
        .await
        .unwrap()
    }
}

/// Produces 0, 1, 2, … on a thread of its own until it is stopped.
pub(crate) struct Producer {
    produced: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Producer {
    pub(crate) fn start(log: &Log) -> Self {
        let mut config = log.client();
        config.set("enable.idempotence", "true");
        let producer: BaseProducer = config.create().unwrap();
        let topic = log.input.clone();
        let (produced, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, stopped) = (Arc::clone(&produced), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let started = Instant::now();
            let mut number = 0;
            while !stopped.load(Ordering::Relaxed) {
                let due = u64::try_from(started.elapsed().as_millis()).unwrap() * PER_SECOND / 1000;
                while number < due {
                    send(&producer, &topic, number);
                    number += 1;
                    counter.store(number, Ordering::Relaxed);
                }
                producer.poll(Duration::from_millis(5));
            }
            producer.flush(Duration::from_secs(30)).unwrap();
        });
        Producer { produced, stop, thread }
    }

    pub(crate) fn produced(&self) -> u64 {
        self.produced.load(Ordering::Relaxed)
    }

    /// How many there are, all of them acknowledged.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.produced.load(Ordering::Relaxed)
    }
}

fn send(producer: &BaseProducer, topic: &str, number: u64) {
    let payload = format!(r#"{{"n":{number},"p":{}}}"#, partition_of(number));
    let key = partition_of(number).to_string();
    loop {
        let record = BaseRecord::to(topic).partition(partition_of(number)).key(&key).payload(&payload);
        match producer.send(record) {
            Ok(()) => return,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                producer.poll(Duration::from_millis(20));
            }
            Err((error, _)) => panic!("{error}"),
        }
    }
}
