//! Behaviour of the client against librdkafka's mock cluster, and transactions against Apache Kafka.
//!
//! The mock cluster knows nothing of aborted transactions; those tests need `MILLRACE_TEST_KAFKA=host:port` and say so
//! when it is not set.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod direct;
mod format;
mod upsert;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::*;
use crate::catalog::TableRef;
use crate::connector::testing::{batch, context, read, read_all, reader, source, table, with_metadata, with_options};
use crate::connector::{ConnectorContext, SinkWriter, SplitStart};
use crate::types::LogicalType as L;

type Mock = MockCluster<'static, rdkafka::producer::DefaultProducerContext>;

struct Cluster {
    servers: String,
    _mock: Option<Mock>,
    runtime: tokio::runtime::Runtime,
}

impl Cluster {
    fn mock() -> Self {
        let mock = Mock::new(1).unwrap();
        Cluster { servers: mock.bootstrap_servers(), _mock: Some(mock), runtime: runtime() }
    }

    /// Apache Kafka, when the environment names one.
    fn real(test: &str) -> Option<Self> {
        match std::env::var("MILLRACE_TEST_KAFKA") {
            Ok(servers) => Some(Cluster { servers, _mock: None, runtime: runtime() }),
            Err(_) => {
                println!("skipped: no Apache Kafka ({test}); set MILLRACE_TEST_KAFKA=host:port");
                None
            }
        }
    }

    fn topic(&self, name: &str, partitions: i32) -> String {
        let name = format!("{name}-{}", uuid::Uuid::now_v7().simple());
        if let Some(mock) = &self._mock {
            mock.create_topic(&name, partitions, 1).unwrap();
        } else {
            let admin: AdminClient<DefaultClientContext> = self.config().create().unwrap();
            let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
            let made = self.runtime.block_on(admin.create_topics(&[topic], &AdminOptions::new())).unwrap();
            made.into_iter().for_each(|topic| drop(topic.unwrap()));
        }
        name
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.servers);
        config
    }

    fn put(&self, topic: &str, partition: i32, values: &[&str]) {
        let producer: BaseProducer = self.config().create().unwrap();
        for value in values {
            producer.send(BaseRecord::<(), str>::to(topic).partition(partition).payload(value)).unwrap();
        }
        producer.flush(Duration::from_secs(30)).unwrap();
    }

    fn table(&self, topic: &str, options: &[(&str, &str)]) -> TableRef {
        let base = [
            ("connector", "kafka"),
            ("topic", topic),
            ("properties.bootstrap.servers", self.servers.as_str()),
            ("format", "json"),
            ("scan.startup.mode", "earliest-offset"),
        ];
        with_options(&table(&[("id", L::Int), ("name", L::String)], &base), options)
    }

    fn bounded(&self, topic: &str) -> TableRef {
        self.table(topic, &[("scan.bounded.mode", "latest-offset")])
    }

    fn context(&self, identity: &str) -> ConnectorContext {
        context(&self.runtime, identity)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn writer(table: &TableRef, context: &ConnectorContext) -> Box<dyn SinkWriter> {
    Kafka.sink(table, context).unwrap().writer(0, 1, Vec::new()).unwrap()
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

#[test]
fn a_bounded_read_ends_with_all_rows_of_all_partitions() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("bounded", 3);
    cluster.put(&topic, 0, &[r#"{"id":1,"name":"a"}"#, r#"{"id":2}"#]);
    cluster.put(&topic, 2, &[r#"{"id":3}"#]);
    let rows = read_all(&cluster.bounded(&topic), &cluster.context("j1")).unwrap();
    let expected = [r#"+I{"id":1,"name":"a"}"#, r#"+I{"id":2,"name":null}"#, r#"+I{"id":3,"name":null}"#];
    assert_eq!(sorted(rows), expected);
}

#[test]
fn reading_goes_on_from_a_position() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("positions", 2);
    cluster.put(&topic, 0, &[r#"{"id":1}"#, r#"{"id":2}"#]);
    let table = cluster.table(&topic, &[]);
    let first = source(&table, &cluster.context("j1"));
    let mut reading = reader(&*first, &[]);
    assert_eq!(read(&mut *reading, 2).unwrap().len(), 2);
    let positions = reading.positions();
    assert_eq!(positions.len(), 2, "a partition without records has a position too");
    drop(reading);
    cluster.put(&topic, 0, &[r#"{"id":3}"#]);
    cluster.put(&topic, 1, &[r#"{"id":4}"#]);
    let again = source(&cluster.bounded(&topic), &cluster.context("j1"));
    let rows = read(&mut *reader(&*again, &positions), usize::MAX).unwrap();
    assert_eq!(sorted(rows), [r#"+I{"id":3,"name":null}"#, r#"+I{"id":4,"name":null}"#]);
}

#[test]
fn a_range_ends_after_a_restart_where_it_was_to_end_before() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("range", 1);
    cluster.put(&topic, 0, &[r#"{"id":1}"#, r#"{"id":2}"#]);
    let table = cluster.bounded(&topic);
    let first = source(&table, &cluster.context("range"));
    let before = reader(&*first, &[]).positions();
    cluster.put(&topic, 0, &[r#"{"id":3}"#]);
    let again = source(&table, &cluster.context("range"));
    assert_eq!(read(&mut *reader(&*again, &before), usize::MAX).unwrap().len(), 2);
    // With another end the stored one means nothing.
    let other = [("scan.bounded.mode", "specific-offsets"), ("scan.bounded.specific-offsets", "partition:0,offset:1")];
    let changed = source(&with_options(&table, &other), &cluster.context("range"));
    assert_eq!(read(&mut *reader(&*changed, &before), usize::MAX).unwrap().len(), 1);
}

#[test]
fn a_range_up_to_the_offsets_of_a_group_needs_a_group_with_offsets() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("range-group", 1);
    cluster.put(&topic, 0, &[r#"{"id":1}"#]);
    let table = with_options(&cluster.bounded(&topic), &[("scan.bounded.mode", "group-offsets")]);
    let source = source(&table, &cluster.context("range-group"));
    let start = |split| crate::connector::SplitStart { split, position: None };
    let wrong = source.reader(source.splits().unwrap().into_iter().map(start).collect()).err().unwrap();
    assert_eq!(wrong.code, "no_group_offset");
}

#[test]
fn start_modes_choose_where_reading_begins() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("starts", 1);
    cluster.put(&topic, 0, &[r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    let ids = |options: &[(&str, &str)]| {
        let table = with_options(&cluster.bounded(&topic), options);
        read_all(&table, &cluster.context("j2")).unwrap().len()
    };
    assert_eq!(ids(&[]), 3);
    assert_eq!(ids(&[("scan.startup.mode", "latest-offset")]), 0);
    assert_eq!(
        ids(&[("scan.startup.mode", "specific-offsets"), ("scan.startup.specific-offsets", "partition:0,offset:1")]),
        2
    );
    let end = ("scan.bounded.specific-offsets", "partition:0,offset:2");
    assert_eq!(ids(&[("scan.bounded.mode", "specific-offsets"), end]), 2);
    assert_eq!(ids(&[("scan.startup.mode", "group-offsets")]), 3, "a group without offsets begins at the beginning");
}

#[test]
fn metadata_and_keys_are_columns() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("metadata", 1);
    let options = [("format", ""), ("value.format", "json"), ("key.format", "raw"), ("key.fields", "name")];
    let options =
        options.into_iter().chain([("value.fields-include", "EXCEPT_KEY"), ("scan.bounded.mode", "latest-offset")]);
    let mut plain = crate::catalog::TableDef::clone(&cluster.table(&topic, &options.collect::<Vec<_>>()));
    plain.options.remove("format");
    let headers = L::Map(Box::new(L::String.into()), Box::new(L::Bytes.into()));
    let all = with_metadata(&Arc::new(plain), &[("at", L::TimestampLtz(3), "timestamp"), ("h", headers, "headers")]);
    let row = r#"{"id":1,"name":"k","at":"2020-01-02 03:04:05.678Z","h":{"a":"eA=="}}"#;
    let mut writing = writer(&all, &cluster.context("j3"));
    writing.write(&batch(&all, &[row])).unwrap();
    writing.prepare(1).unwrap();
    assert_eq!(read_all(&all, &cluster.context("j3")).unwrap(), [format!("+I{row}")]);
    let offsets =
        with_metadata(&all, &[("o", L::BigInt, "offset"), ("t", L::String, "topic"), ("p", L::Int, "partition")]);
    let rows = read_all(&offsets, &cluster.context("j3")).unwrap();
    assert!(rows[0].ends_with(&format!(r#""o":0,"t":"{topic}","p":0}}"#)), "{rows:?}");
}

#[test]
fn broken_records_follow_the_policy() {
    let cluster = Cluster::mock();
    let (topic, dead) = (cluster.topic("poison", 1), cluster.topic("dead", 1));
    cluster.put(&topic, 0, &[r#"{"id":1}"#, "{broken", r#"{"id":"x"}"#, r#"{"id":4}"#]);
    let failed = read_all(&cluster.bounded(&topic), &cluster.context("j4")).unwrap_err();
    assert_eq!(failed.code, "bad_record");
    assert!(failed.message.contains(&format!("{topic}/0 at 1")), "{}", failed.message);
    let skipping = with_options(&cluster.bounded(&topic), &[("decode.on-error", "skip")]);
    let kept = read_all(&skipping, &cluster.context("j4")).unwrap();
    assert_eq!(kept, [r#"+I{"id":1,"name":null}"#, r#"+I{"id":4,"name":null}"#]);
    let letters = [("decode.on-error", "dead-letter"), ("decode.dead-letter.topic", dead.as_str())];
    let lettering = with_options(&cluster.bounded(&topic), &letters);
    let lettering = source(&lettering, &cluster.context("j4"));
    let mut reading = reader(&*lettering, &[]);
    assert_eq!(read(&mut *reading, usize::MAX).unwrap().len(), 2);
    assert_eq!(reading.bad_records(), 2);
    let raw = table(&[("v", L::String)], &[]);
    let raw = with_options(
        &raw,
        &[("connector", "kafka"), ("topic", &dead), ("properties.bootstrap.servers", &cluster.servers)],
    );
    let raw = with_options(&raw, &[("format", "raw"), ("scan.bounded.mode", "latest-offset")]);
    let raw = with_metadata(&raw, &[("h", L::Map(Box::new(L::String.into()), Box::new(L::Bytes.into())), "headers")]);
    let rows = read_all(&raw, &cluster.context("j4")).unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].starts_with(r#"+I{"v":"{broken","h":{"millrace.reason":"#), "{}", rows[0]);
}

#[test]
fn new_partitions_are_read_from_their_beginning() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("discovery", 2);
    cluster.put(&topic, 0, &[r#"{"id":1}"#]);
    let table = cluster.table(&topic, &[("scan.startup.mode", "latest-offset")]);
    let source = source(&table, &cluster.context("j5"));
    let mut reading = source.reader(vec![SplitStart { split: format!("{topic}/0").into(), position: None }]).unwrap();
    cluster.put(&topic, 0, &[r#"{"id":2}"#]);
    cluster.put(&topic, 1, &[r#"{"id":3}"#]);
    assert_eq!(read(&mut *reading, 1).unwrap(), [r#"+I{"id":2,"name":null}"#]);
    reading.add_splits(vec![SplitStart { split: format!("{topic}/1").into(), position: None }]).unwrap();
    assert_eq!(read(&mut *reading, 1).unwrap(), [r#"+I{"id":3,"name":null}"#]);
}

#[test]
fn lag_and_group_offsets_are_told() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("lag", 1);
    cluster.put(&topic, 0, &[r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    let mut one_by_one = cluster.context("j6");
    one_by_one.batch_rows = 1;
    let source = source(&cluster.table(&topic, &[]), &one_by_one);
    let mut reading = reader(&*source, &[]);
    read(&mut *reading, 2).unwrap();
    let lag = reading.lag();
    assert_eq!((lag[0].position, lag[0].end), (2, Some(3)));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let age = now - reading.newest_record().unwrap();
    assert!((0..60_000).contains(&age), "{age}");
    reading.checkpoint_complete(&reading.positions()).unwrap();
    let consumer = client::consumer(&cluster.config(), "j6").unwrap();
    let partition = offset::Partition { topic: topic.clone(), number: 0 };
    let deadline = Instant::now() + Duration::from_secs(20);
    while offset::committed(&consumer, std::slice::from_ref(&partition)).unwrap().get(&partition) != Some(&2) {
        assert!(Instant::now() < deadline, "the group's offset was never committed");
        reading.next(Duration::from_millis(50)).unwrap();
    }
}

#[test]
fn an_absent_topic_and_an_absent_broker_have_names() {
    let cluster = Cluster::mock();
    let missing = with_options(&cluster.table("x", &[]), &[("properties.bootstrap.servers", "127.0.0.1:1")]);
    let failed = source(&missing, &cluster.context("j7")).splits().unwrap_err();
    assert_eq!((failed.code, failed.retry), ("broker_unreachable", true));
    let Some(real) = Cluster::real("absent topic") else { return };
    let failed = source(&real.table("no-such-topic", &[]), &real.context("j7")).splits().unwrap_err();
    assert_eq!((failed.code, failed.retry), ("topic_not_found", false));
}

#[test]
fn columns_are_inferred_and_a_table_is_tested() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("infer", 2);
    cluster.put(&topic, 0, &[r#"{"id":1,"at":"2020-01-02 03:04:05"}"#]);
    cluster.put(&topic, 1, &[r#"{"id":1.5,"name":"x"}"#, "no json"]);
    let table = cluster.table(&topic, &[]);
    let context = cluster.context("j8");
    let schema = cluster.runtime.block_on(Kafka.fetch(&table.options, &context)).unwrap();
    let mut columns: Vec<String> =
        schema.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
    columns.sort();
    assert_eq!(columns, ["at TIMESTAMP(3)", "id DOUBLE", "name STRING"]);
    let test = cluster.runtime.block_on(Kafka.test(&table, &context));
    let names: Vec<&str> = test.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["Connect", "Topic", "Decode"]);
    assert_eq!(test.steps[1].detail, format!("{topic}: 2 partitions, 3 records."));
}

#[test]
fn a_transaction_has_to_outlive_the_time_between_two_checkpoints() {
    let cluster = Cluster::mock();
    let sink = |options: &[(&str, &str)]| {
        let table = cluster.table("t", options);
        Kafka.sink(&table, &context(&cluster.runtime, "job-1")).unwrap()
    };
    let exactly_once = ("sink.delivery-guarantee", "exactly-once");
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
    let standard = sink(&[exactly_once]);
    assert!(standard.check(Some(minute)).is_ok() && standard.check(None).is_ok());
    let error = standard.check(Some(hour)).unwrap_err();
    assert!(error.message.contains("at least 4320000, not 900000"), "{}", error.message);
    let longer = sink(&[exactly_once, ("properties.transaction.timeout.ms", "4320000")]);
    assert!(longer.check(Some(hour)).is_ok());
    let plain = sink(&[]);
    assert!(plain.check(Some(hour)).is_ok() && plain.transaction().is_none());
    assert_eq!(
        standard.transaction(),
        Some(format!("kafka:{}", client::cluster_key(&cluster.table("t", &[]).options)))
    );
}

#[test]
fn settings_that_lose_data_or_are_unknown_are_refused() {
    let cluster = Cluster::mock();
    let problems = |options: &[(&str, &str)], use_| {
        let found = crate::connector::registry::problems(&cluster.table("t", options), use_);
        found.into_iter().map(|found| (found.option, found.problem.code)).collect::<Vec<_>>()
    };
    assert_eq!(problems(&[], TableUse::Read), []);
    let short = [("sink.delivery-guarantee", "exactly-once"), ("properties.transaction.timeout.ms", "60000")];
    assert_eq!(
        problems(&short, TableUse::Write),
        [("properties.transaction.timeout.ms".to_owned(), "wrong-arguments")]
    );
    assert_eq!(problems(&[("properties.nonsense", "1")], TableUse::Read)[0].0, "properties.nonsense");
    assert_eq!(problems(&[("scan.startup.mod", "x")], TableUse::Read)[0].1, "unknown-option");
    assert_eq!(problems(&[("format", "parquet")], TableUse::Read)[0].0, "format");
    assert_eq!(
        problems(&[("properties.enable.auto.commit", "true")], TableUse::Read)[0].0,
        "properties.enable.auto.commit"
    );
}

#[test]
fn aborted_records_are_not_read() {
    let Some(cluster) = Cluster::real("aborted records") else { return };
    let topic = cluster.topic("abort", 1);
    let id = format!("abort-{topic}");
    let producer: BaseProducer = cluster.config().set("transactional.id", &id).create().unwrap();
    producer.init_transactions(Duration::from_secs(30)).unwrap();
    for commits in [false, true] {
        producer.begin_transaction().unwrap();
        for number in 0..10 {
            let value = format!(r#"{{"id":{number},"name":"{commits}"}}"#);
            producer.send(BaseRecord::<(), str>::to(&topic).payload(&value)).unwrap();
        }
        producer.flush(Duration::from_secs(30)).unwrap();
        if commits {
            producer.commit_transaction(Duration::from_secs(30)).unwrap();
        } else {
            producer.abort_transaction(Duration::from_secs(30)).unwrap();
        }
    }
    let rows = cluster.both(&cluster.bounded(&topic));
    assert_eq!(rows.len(), 10);
    assert!(rows.iter().all(|row| row.contains("true")), "{rows:?}");
    let dirty = with_options(&cluster.bounded(&topic), &[("properties.isolation.level", "read_uncommitted")]);
    assert_eq!(cluster.both(&dirty).len(), 20, "the test sees aborted records when it looks");
}

#[test]
fn rows_become_visible_with_the_commit_that_names_their_checkpoint() {
    let Some(cluster) = Cluster::real("exactly once") else { return };
    let (topic, from) = (cluster.topic("eos", 2), cluster.topic("eos-from", 1));
    let table = cluster.table(&topic, &[("sink.delivery-guarantee", "exactly-once")]);
    let context = cluster.context(&topic);
    let mut writing = writer(&table, &context);
    let committer = context.committers.all().pop().unwrap();
    assert_eq!(committer.last_committed().unwrap(), None);
    let rows = |expected: usize| {
        assert_eq!(read_all(&cluster.bounded(&topic), &cluster.context(&topic)).unwrap().len(), expected)
    };

    writing.write(&batch(&table, &[r#"{"id":1}"#, r#"{"id":2}"#])).unwrap();
    writing.prepare(1).unwrap();
    // Of the next checkpoint: must wait for the commit of this one.
    writing.write(&batch(&table, &[r#"{"id":3}"#])).unwrap();
    rows(0);
    let cluster_key = client::cluster_key(&table.options);
    let position = [(format!("{from}/0").into(), offset::position(7, &cluster_key))];
    committer.commit(1, "plan", &position).unwrap();
    writing.commit(1).unwrap();
    rows(2);

    // A new attempt takes over: what was not committed is gone, and the old one is fenced.
    let next = cluster.context(&topic);
    let mut writing_again = writer(&table, &next);
    let successor = next.committers.all().pop().unwrap();
    let last = successor.last_committed().unwrap().unwrap();
    assert_eq!((last.checkpoint, last.plan_hash.as_str()), (1, "plan"));
    let fenced = writing.prepare(2).and_then(|_| committer.commit(2, "plan", &[])).unwrap_err();
    assert_eq!((fenced.code, fenced.retry), ("fenced", false), "{fenced:?}");
    rows(2);

    // A checkpoint without records is committed as well.
    writing_again.prepare(2).unwrap();
    successor.commit(2, "plan", &[]).unwrap();
    writing_again.commit(2).unwrap();
    writing_again.write(&batch(&table, &[r#"{"id":4}"#])).unwrap();
    writing_again.prepare(3).unwrap();
    successor.commit(3, "plan", &[]).unwrap();
    rows(3);
    assert_eq!(successor.last_committed().unwrap().unwrap().checkpoint, 3);
    let source_group = client::consumer(&cluster.config(), &format!("{topic}-commits")).unwrap();
    let read_from = offset::Partition { topic: from, number: 0 };
    assert_eq!(offset::committed(&source_group, std::slice::from_ref(&read_from)).unwrap().get(&read_from), Some(&7));
}

#[test]
fn brokers_that_are_announced_at_local_addresses_are_refused_where_users_name_them() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("announced", 1);
    cluster.put(&topic, 0, &[r#"{"id":1}"#]);
    let context = cluster.context("j-announced");
    let named = cluster.table(&topic, &[(crate::connector::NO_LOCAL, "true")]);
    let refused = |error: crate::error::EngineError| {
        assert_eq!((error.code, error.retry), ("broker_refused", false), "{error:?}");
        assert!(error.message.contains("announces a broker at 127.0.0.1:"), "{}", error.message);
    };
    refused(Kafka.source(&named, &[0, 1], &context).unwrap().splits().unwrap_err());
    refused(Kafka.sink(&named, &context).unwrap().writer(0, 1, Vec::new()).err().unwrap());
    refused(cluster.runtime.block_on(Kafka.fetch(&named.options, &context)).unwrap_err());
    assert!(!cluster.runtime.block_on(Kafka.test(&named, &context)).ok);
    let own = cluster.table(&topic, &[]);
    assert_eq!(Kafka.source(&own, &[0, 1], &context).unwrap().splits().unwrap().len(), 1);
}

#[test]
fn sinks_with_other_credentials_do_not_write_by_one_producer() {
    let cluster = Cluster::mock();
    let (first, second) = (cluster.topic("mine", 1), cluster.topic("theirs", 1));
    let context = cluster.context("j-credentials");
    let exactly_once = ("sink.delivery-guarantee", "exactly-once");
    let _mine = writer(&cluster.table(&first, &[exactly_once]), &context);
    let theirs = cluster.table(&second, &[exactly_once, ("properties.security.protocol", "SSL")]);
    let error = Kafka.sink(&theirs, &context).unwrap().writer(0, 1, Vec::new()).err().unwrap();
    assert!(error.message.contains("have to use the same connection"), "{error:?}");
}

#[test]
fn two_sinks_share_a_transaction_and_a_changed_job_finds_its_last_commit() {
    let Some(cluster) = Cluster::real("two sinks") else { return };
    let (first, second, third) = (cluster.topic("two-a", 1), cluster.topic("two-b", 1), cluster.topic("two-c", 1));
    let exactly_once = |topic: &str| cluster.table(topic, &[("sink.delivery-guarantee", "exactly-once")]);
    let context = cluster.context(&first);
    let tables = [exactly_once(&first), exactly_once(&second)];
    let mut writers = tables.each_ref().map(|table| writer(table, &context));
    let committers = context.committers.all();
    assert_eq!(committers.len(), 1);
    for (writing, table) in writers.iter_mut().zip(&tables) {
        writing.write(&batch(table, &[r#"{"id":1}"#])).unwrap();
        writing.prepare(5).unwrap();
    }
    committers[0].commit(5, "plan", &[]).unwrap();
    for topic in [&first, &second] {
        assert_eq!(read_all(&cluster.bounded(topic), &context).unwrap().len(), 1);
    }
    // The next version of the job has another first sink.
    let changed = cluster.context(&first);
    let _writers = [writer(&exactly_once(&third), &changed), writer(&exactly_once(&second), &changed)];
    let last = changed.committers.all()[0].last_committed().unwrap();
    assert_eq!(last.map(|last| last.checkpoint), Some(5));
}

#[test]
fn a_cancelled_run_leaves_nothing_visible() {
    let Some(cluster) = Cluster::real("cancel") else { return };
    let topic = cluster.topic("cancel", 1);
    let table = cluster.table(&topic, &[("sink.delivery-guarantee", "exactly-once")]);
    let context = cluster.context(&topic);
    let mut writing = writer(&table, &context);
    writing.write(&batch(&table, &[r#"{"id":1}"#])).unwrap();
    writing.prepare(1).unwrap();
    context.committers.all()[0].abort();
    assert_eq!(read_all(&cluster.bounded(&topic), &cluster.context(&topic)).unwrap(), Vec::<String>::new());
}
