//! What the engine and the server rely on when the demo broker stands in for Apache Kafka.
//!
//! Each test starts a broker of its own. `MILLRACE_BROKER_BINARY` names the program; `cargo xtask
//! test` builds it and sets the variable. What comes out is written down in `docs/demo-broker.md`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WAIT: Duration = Duration::from_secs(20);
const TOPIC: &str = "orders";
/// Timestamp of the first record. Real time, since the broker drops what is older than a week.
fn epoch() -> i64 {
    use std::time::SystemTime;
    static EPOCH: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    *EPOCH.get_or_init(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64)
}

/// A broker on a free port with a directory that outlives it.
struct Broker {
    process: Child,
    port: u16,
    data: TempDir,
}

impl Broker {
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = tempfile::tempdir().unwrap();
        let process = spawn(port, data.path())?;
        let broker = Self { process, port, data };
        broker.wait_until_present();
        Some(broker)
    }

    /// Kills it as a power cut would, and starts it on the same directory and port.
    fn kill_and_start_again(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        // The file stays after a kill: the next broker writes it anew.
        std::fs::remove_file(self.data.path().join("broker.json")).unwrap();
        self.process = spawn(self.port, self.data.path()).unwrap();
        self.wait_until_present();
    }

    fn wait_until_present(&self) {
        let file = self.data.path().join("broker.json");
        eventually("broker.json appears", || file.is_file().then_some(()));
    }

    fn presence(&self) -> serde_json::Value {
        let text = std::fs::read(self.data.path().join("broker.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", format!("127.0.0.1:{}", self.port));
        config
    }

    fn create_topic(&self, partitions: i32) {
        let admin: AdminClient<DefaultClientContext> = self.config().create().unwrap();
        let topic = NewTopic::new(TOPIC, partitions, TopicReplication::Fixed(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let results = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
        assert_eq!(results, [Ok(TOPIC.to_owned())]);
    }

    /// Writes `count` records to partition 0, in one batch; record i is stamped `epoch() + 10 i`.
    fn produce(&self, count: i64) {
        let mut config = self.config();
        config.set("linger.ms", "200").set("enable.idempotence", "true");
        let producer: BaseProducer = config.create().unwrap();
        for i in 0..count {
            let (key, value) = (format!("k{i}"), format!("v{i}"));
            let record = BaseRecord::to(TOPIC).partition(0).timestamp(epoch() + 10 * i);
            producer.send(record.key(&key).payload(&value)).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(WAIT).unwrap();
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        let mut config = self.config();
        config.set("group.id", group).set("enable.auto.commit", "false");
        config.set("auto.offset.reset", "earliest").set("fetch.wait.max.ms", "50");
        config.create().unwrap()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// None where the program was not named; the reason is printed.
fn spawn(port: u16, data: &Path) -> Option<Child> {
    let Some(program) = std::env::var_os("MILLRACE_BROKER_BINARY") else {
        eprintln!("skipped: MILLRACE_BROKER_BINARY is not set; run by cargo xtask test");
        return None;
    };
    let mut command = Command::new(program);
    command.args(["--listen", &format!("127.0.0.1:{port}"), "--data"]).arg(data);
    Some(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + WAIT;
    while Instant::now() < deadline {
        if let Some(found) = look() {
            return found;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("not within {WAIT:?}: {what}")
}

fn one_partition(offset: Offset) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(TOPIC, 0, offset).unwrap();
    list
}

/// The next `count` records as (offset, value).
fn read(consumer: &BaseConsumer, count: usize) -> Vec<(i64, String)> {
    let mut records = Vec::new();
    eventually("all records arrive", || {
        while let Some(message) = consumer.poll(Duration::from_millis(50)) {
            let message = message.unwrap();
            let value = String::from_utf8_lossy(message.payload().unwrap()).into_owned();
            records.push((message.offset(), value));
        }
        (records.len() >= count).then_some(())
    });
    records
}

#[test]
fn a_topic_has_the_partitions_it_was_created_with() {
    let Some(broker) = Broker::start() else { return };
    broker.create_topic(3);
    let metadata = broker.consumer("g").fetch_metadata(Some(TOPIC), WAIT).unwrap();
    assert_eq!(metadata.topics()[0].partitions().len(), 3);
}

#[test]
fn reading_may_start_in_the_middle_of_a_batch() {
    let Some(broker) = Broker::start() else { return };
    broker.create_topic(1);
    broker.produce(100);
    let consumer = broker.consumer("g");
    consumer.assign(&one_partition(Offset::Offset(37))).unwrap();
    let records = read(&consumer, 63);
    let expected: Vec<_> = (37..100).map(|i| (i, format!("v{i}"))).collect();
    assert_eq!(records, expected);
}

#[test]
fn watermarks_are_the_first_and_the_next_offset() {
    let Some(broker) = Broker::start() else { return };
    broker.create_topic(1);
    broker.produce(100);
    assert_eq!(broker.consumer("g").fetch_watermarks(TOPIC, 0, WAIT).unwrap(), (0, 100));
}

/// The engine must not look for the name of a checkpoint here. If this test fails because the metadata
/// came back, the broker has learned it, and `docs/demo-broker.md` can be changed.
#[test]
fn a_committed_offset_survives_a_killed_broker_but_its_metadata_is_lost() {
    let Some(mut broker) = Broker::start() else { return };
    broker.create_topic(1);
    broker.produce(100);
    let list = one_partition(Offset::Offset(42));
    list.find_partition(TOPIC, 0).unwrap().set_metadata("checkpoint-7");
    broker.consumer("g").commit(&list, CommitMode::Sync).unwrap();

    for round in ["at once", "after a kill"] {
        let found = broker.consumer("g").committed_offsets(one_partition(Offset::Invalid), WAIT).unwrap();
        let element = found.find_partition(TOPIC, 0).unwrap();
        assert_eq!(element.offset(), Offset::Offset(42), "{round}");
        assert_eq!(element.metadata(), "", "{round}");
        if round == "at once" {
            broker.kill_and_start_again();
        }
    }
}

#[test]
fn records_survive_a_killed_broker() {
    let Some(mut broker) = Broker::start() else { return };
    broker.create_topic(1);
    broker.produce(100);
    broker.kill_and_start_again();
    broker.produce(10);
    let consumer = broker.consumer("g");
    consumer.assign(&one_partition(Offset::Beginning)).unwrap();
    let offsets: Vec<i64> = read(&consumer, 110).into_iter().map(|(offset, _)| offset).collect();
    assert_eq!(offsets, (0..110).collect::<Vec<_>>());
}

#[test]
fn a_client_that_stays_connected_goes_on_after_the_broker_came_back() {
    let Some(mut broker) = Broker::start() else { return };
    broker.create_topic(1);
    broker.produce(10);
    let consumer = broker.consumer("g");
    consumer.assign(&one_partition(Offset::Beginning)).unwrap();
    assert_eq!(read(&consumer, 10).len(), 10);
    broker.kill_and_start_again();
    broker.produce(10);
    let mut seen = Vec::new();
    eventually("the records written later arrive", || {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            seen.push(message.offset());
        }
        (seen.len() == 10).then_some(())
    });
    assert_eq!(seen, (10..20).collect::<Vec<_>>());
}

#[test]
fn a_group_shares_the_partitions_among_its_members() {
    let Some(broker) = Broker::start() else { return };
    broker.create_topic(2);
    let members = [broker.consumer("g"), broker.consumer("g")];
    for member in &members {
        member.subscribe(&[TOPIC]).unwrap();
    }
    eventually("each member has one partition", || {
        let counts: Vec<usize> = members
            .iter()
            .map(|member| {
                let _ = member.poll(Duration::from_millis(50));
                member.assignment().map_or(0, |list| list.count())
            })
            .collect();
        (counts == [1, 1]).then_some(())
    });
}

#[test]
fn offsets_are_found_by_time() {
    let Some(broker) = Broker::start() else { return };
    broker.create_topic(1);
    broker.produce(100);
    broker.produce(100);
    let consumer = broker.consumer("g");
    let offset_at = |time: i64| {
        let found = consumer.offsets_for_times(one_partition(Offset::Offset(time)), WAIT).unwrap();
        found.find_partition(TOPIC, 0).unwrap().offset()
    };
    assert_eq!(offset_at(0), Offset::Offset(0));
    assert_eq!(offset_at(epoch() + 500), Offset::Offset(50), "the first record at that time");
    assert_eq!(offset_at(epoch() + 505), Offset::Offset(51), "else the first one later");
    assert_eq!(offset_at(epoch() + 990), Offset::Offset(99));
    assert_eq!(offset_at(epoch() + 3_600_000), Offset::End);
}

#[test]
fn transactions_are_refused_at_once() {
    let Some(broker) = Broker::start() else { return };
    let mut config = broker.config();
    config.set("transactional.id", "t1");
    let producer: BaseProducer = config.create().unwrap();
    let Err(KafkaError::Transaction(error)) = producer.init_transactions(WAIT) else {
        panic!("the broker took a transactional producer");
    };
    assert_eq!(error.code(), RDKafkaErrorCode::TransactionalIdAuthorizationFailed);
    assert!(error.is_fatal());
}

#[test]
fn a_second_broker_on_the_same_directory_is_refused() {
    let Some(broker) = Broker::start() else { return };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut second = spawn(port, broker.data.path()).unwrap();
    let status = eventually("the second broker ends", || second.try_wait().unwrap());
    assert!(!status.success());
    assert_eq!(broker.presence()["listen"], format!("127.0.0.1:{}", broker.port));
}

#[test]
fn the_presence_file_names_the_process_that_answers() {
    let Some(broker) = Broker::start() else { return };
    let presence = broker.presence();
    assert_eq!(presence["pid"], broker.process.id());
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", broker.process.id())).unwrap();
    let started = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    assert_eq!(presence["start_ticks"].to_string(), started);
}
