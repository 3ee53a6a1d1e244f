//! A worker is killed by `kill -9` at random instants while it copies a topic, exactly once, on real Apache Kafka.
//!
//! The worker process is the real one; the test plays its server and starts the next attempt at once, without telling it
//! of any checkpoint: what is restored follows from the files and from what the cluster says was committed. A
//! read-committed reader has to find every number exactly once. Without `MILLRACE_TEST_KAFKA` it says that it was skipped:
//! stand-in brokers prove nothing about aborts. `MILLRACE_CRASH_ROUNDS` sets the kills (5), `MILLRACE_CRASH_SEED` repeats a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod worker_link;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use millrace_wire::job::{JobSettings, StopMode};
use millrace_wire::link::{Assignment, Command, Report, WorkerState};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use worker_link::{Server, assignment};

const PARTITIONS: i32 = 3;
const PER_ROUND: i64 = 2_000;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_is_there_exactly_once_however_often_the_worker_is_killed() {
    let Some(kafka) = std::env::var("MILLRACE_TEST_KAFKA").ok().filter(|address| !address.is_empty()) else {
        println!("skipped: no Apache Kafka (MILLRACE_TEST_KAFKA is not set)");
        return;
    };
    let rounds = number("MILLRACE_CRASH_ROUNDS", 5);
    let seed = number("MILLRACE_CRASH_SEED", rand::rng().random());
    println!("seed {seed}, {rounds} kills");
    let mut random = StdRng::seed_from_u64(seed);
    let topics = Topics::create(&kafka).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let plan = |attempt: u32| Assignment {
        attempt,
        identity: topics.identity.clone(),
        settings: JobSettings { checkpoint_interval_ms: 150, parallelism: 2, ..JobSettings::default() },
        ..topics.assignment(&kafka, server.run(), folder.path())
    };
    let mut produced = 0;
    let mut slowest = Duration::ZERO;
    for round in 1..=rounds {
        let attempt = u32::try_from(round).unwrap();
        let since = Instant::now();
        let mut worker = server.launch(attempt);
        let mut link = server.accept().await;
        link.send(Command::Start(Box::new(plan(attempt)))).await;
        topics.produce(produced..produced + PER_ROUND);
        produced += PER_ROUND;
        // Some are killed while they restore, most while they run, in every phase of a checkpoint.
        if random.random_bool(0.8) {
            link.until(|report| matches!(report, Report::State(WorkerState::Running { .. }))).await;
            slowest = slowest.max(since.elapsed());
        }
        let instant = Duration::from_micros(random.random_range(0..900_000));
        let _ = tokio::time::timeout(instant, link.until(|_| false)).await;
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    let attempt = u32::try_from(rounds).unwrap() + 1;
    let mut worker = server.launch(attempt);
    let mut link = server.accept().await;
    link.send(Command::Start(Box::new(plan(attempt)))).await;
    link.until(|report| {
        matches!(report, Report::Metrics(figures) if figures.sources.iter().flat_map(|source| &source.partitions)
        .map(|partition| partition.lag.unwrap_or(1)).sum::<u64>() == 0 && !figures.sources.is_empty()
        && figures.sources.iter().all(|source| source.partitions.len() == PARTITIONS as usize))
    })
    .await;
    link.send(Command::Stop { mode: StopMode::Savepoint }).await;
    link.until(|report| matches!(report, Report::State(WorkerState::Stopped { savepoint: Some(_) }))).await;
    assert!(worker.wait().unwrap().success());
    let seen = topics.read_committed();
    let lost = (0..produced).filter(|number| !seen.contains_key(number)).count();
    let doubled = seen.values().filter(|count| **count > 1).count();
    println!(
        "campaign engine, seed {seed}: {rounds} kills, {produced} records, {lost} lost, {doubled} doubled, at most {} ms \
         from launch to running",
        slowest.as_millis()
    );
    assert_exact(produced, &seen, seed);
    // The check itself notices one that is missing, and one that came twice.
    let mut lossy = seen.clone();
    lossy.remove(&(produced / 2));
    assert!(std::panic::catch_unwind(|| assert_exact(produced, &lossy, seed)).is_err());
    let mut doubled = seen;
    doubled.insert(produced / 3, 2);
    assert!(std::panic::catch_unwind(|| assert_exact(produced, &doubled, seed)).is_err());
}

fn assert_exact(produced: i64, seen: &BTreeMap<i64, u64>, seed: u64) {
    let lost: Vec<i64> = (0..produced).filter(|number| !seen.contains_key(number)).take(10).collect();
    let doubled: Vec<(&i64, &u64)> = seen.iter().filter(|(_, count)| **count > 1).take(10).collect();
    assert!(lost.is_empty() && doubled.is_empty(), "seed {seed}: lost {lost:?}, doubled {doubled:?}");
    assert_eq!(seen.len() as i64, produced, "seed {seed}: there are numbers that nobody produced");
}

struct Topics {
    kafka: String,
    input: String,
    output: String,
    identity: String,
}

impl Topics {
    async fn create(kafka: &str) -> Self {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let topics = Topics {
            kafka: kafka.to_owned(),
            input: format!("in-{id}"),
            output: format!("out-{id}"),
            identity: format!("crash-{id}"),
        };
        let admin: AdminClient<_> = topics.config().create().unwrap();
        let topic = |name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1));
        let made =
            admin.create_topics(&[topic(&topics.input), topic(&topics.output)], &AdminOptions::new()).await.unwrap();
        made.into_iter().for_each(|made| drop(made.unwrap()));
        topics
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.kafka);
        config
    }

    fn assignment(&self, kafka: &str, run: millrace_wire::ids::RunId, folder: &std::path::Path) -> Assignment {
        let table = |name: &str, topic: &str, more: &str| {
            format!(
                "CREATE TABLE {name} (n BIGINT) WITH ('connector' = 'kafka', 'topic' = '{topic}',
                 'properties.bootstrap.servers' = '{kafka}', 'format' = 'json', {more});"
            )
        };
        let sql = format!(
            "{}{}INSERT INTO numbers_out SELECT n FROM numbers_in;",
            table("numbers_in", &self.input, "'scan.startup.mode' = 'earliest-offset'"),
            table("numbers_out", &self.output, "'sink.delivery-guarantee' = 'exactly-once'")
        );
        Assignment { run, ..assignment(&sql, folder) }
    }

    fn produce(&self, numbers: std::ops::Range<i64>) {
        let producer: BaseProducer = self.config().set("enable.idempotence", "true").create().unwrap();
        for n in numbers {
            let value = format!(r#"{{"n":{n}}}"#);
            let record =
                BaseRecord::<(), str>::to(&self.input).partition((n % i64::from(PARTITIONS)) as i32).payload(&value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(Duration::from_secs(30)).unwrap();
    }

    /// How often each number is in the output.
    fn read_committed(&self) -> BTreeMap<i64, u64> {
        let mut config = self.config();
        config.set("group.id", "oracle").set("isolation.level", "read_committed").set("enable.partition.eof", "true");
        let consumer: BaseConsumer = config.create().unwrap();
        let mut partitions = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            partitions.add_partition_offset(&self.output, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&partitions).unwrap();
        let mut seen = BTreeMap::new();
        let mut ended = std::collections::BTreeSet::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        while ended.len() < PARTITIONS as usize {
            assert!(Instant::now() < deadline, "the output cannot be read to its end");
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    let value: serde_json::Value = serde_json::from_slice(message.payload().unwrap()).unwrap();
                    *seen.entry(value["n"].as_i64().unwrap()).or_default() += 1;
                }
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(partition))) => {
                    ended.insert(partition);
                }
                Some(Err(error)) => panic!("{error}"),
                None => {}
            }
        }
        seen
    }
}
