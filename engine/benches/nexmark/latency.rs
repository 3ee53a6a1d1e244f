//! How long a record takes from a topic of Kafka through a filter and a projection into another topic, at least once, at
//! 50,000 records a second.
//!
//! Each record carries the time at which it was given to the producer, the query passes it on, and a consumer compares it
//! with its clock: everything between the two counts, also the producer's and the consumer's own waits. The producer
//! gives what is due every millisecond. The first half minute does not count: the broker's Java compiles what it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use millrace_engine::catalog::CatalogText;
use millrace_engine::connector::ConnectorContext;
use millrace_engine::local::BATCH_ROWS;
use millrace_engine::plan::dataflow::plan;
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{ConnectorEndpoints, Run, RunCommitters, RunHandle, RunOptions};
use millrace_engine::sql::bind;
use millrace_engine::state::StateOptions;
use millrace_wire::job::StopMode;
use rdkafka::ClientConfig;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::topics;

const RATE: u64 = 50_000;
const WARM: Duration = Duration::from_secs(30);

pub(crate) fn measure(servers: &str, seconds: u64) {
    let (from, to) = (format!("latency-in-{}", std::process::id()), format!("latency-out-{}", std::process::id()));
    [&from, &to].iter().for_each(|topic| assert!(topics::create(servers, topic)));
    let (run, handle, runtime) = started(servers, &from, &to);
    let job = std::thread::spawn(move || run.run());
    let ended = Arc::new(AtomicBool::new(false));
    let taker = {
        let (servers, to, ended) = (servers.to_owned(), to.clone(), Arc::clone(&ended));
        std::thread::spawn(move || taken(&servers, &to, &ended))
    };
    let before = millrace_engine::runtime::process_figures().cpu_seconds;
    let given = give(servers, &from, Duration::from_secs(seconds) + WARM);
    let cpu = millrace_engine::runtime::process_figures().cpu_seconds - before;
    let last = Instant::now();
    while last.elapsed() < Duration::from_secs(1) {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    ended.store(true, Ordering::Relaxed);
    let mut latencies = taker.join().unwrap();
    handle.stop(StopMode::Drain);
    let _ = job.join();
    drop(runtime);
    latencies.sort_unstable();
    let at = |share: f64| {
        let place = (latencies.len() as f64 * share) as usize;
        latencies.get(place.min(latencies.len().saturating_sub(1))).map_or(0.0, |micros| *micros as f64 / 1000.0)
    };
    println!(
        "{given} records given in {} s, {} counted: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, longest {:.1} ms; CPU of the job, its producer and consumer {:.0} %",
        seconds + WARM.as_secs(),
        latencies.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0),
        100.0 * cpu / (seconds + WARM.as_secs()) as f64,
    );
}

fn started(servers: &str, from: &str, to: &str) -> (Run, RunHandle, tokio::runtime::Runtime) {
    let script = format!(
        "CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, sent BIGINT) WITH (
           'connector'='kafka','topic'='{from}','properties.bootstrap.servers'='{servers}',
           'scan.startup.mode'='earliest-offset','format'='json');
         CREATE TABLE results (auction BIGINT, euros DECIMAL(23, 3), sent BIGINT) WITH (
           'connector'='kafka','topic'='{to}','properties.bootstrap.servers'='{servers}',
           'sink.delivery-guarantee'='at-least-once','format'='json');
         INSERT INTO results SELECT auction, 0.908 * price, sent FROM bid WHERE MOD(auction, 10) <> 0;"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let committers = Arc::new(RunCommitters::default());
    let context = ConnectorContext {
        file_roots: Vec::new(),
        identity: "latency".to_owned(),
        start_at_ms: None,
        committers: Arc::clone(&committers) as Arc<_>,
        read_only: false,
        bad_records: None,
        batch_rows: BATCH_ROWS,
        runtime: runtime.handle().clone(),
    };
    let bound = bind(&script, &CatalogText::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let endpoints = ConnectorEndpoints { context, collect: None };
    let settings = Settings { checkpoint_interval: Some(Duration::from_secs(1)), ..Settings::default() };
    let dataflow = plan(&bound, &settings, &endpoints).unwrap_or_else(|problems| panic!("{problems:?}"));
    let options = RunOptions {
        store: None,
        run: "latency".to_owned(),
        kept: 1,
        committers,
        restored: None,
        next_checkpoint: 1,
        batch_rows: BATCH_ROWS,
        state: StateOptions::default(),
    };
    let run = Run::new(&dataflow, options).unwrap();
    let handle = run.handle();
    (run, handle, runtime)
}

fn now_micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64
}

/// Gives records for so long; how many it were.
fn give(servers: &str, topic: &str, time: Duration) -> u64 {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("linger.ms", "1").set("acks", "1");
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().unwrap();
    let (since, mut given) = (Instant::now(), 0);
    while since.elapsed() < time {
        let due = since.elapsed().as_micros() as u64 * RATE / 1_000_000;
        for number in given..due {
            let text = format!(
                r#"{{"auction":{},"price":{},"channel":"Google","sent":{}}}"#,
                1000 + number % 997,
                number % 100_000,
                now_micros()
            );
            let _ = producer.send(BaseRecord::<(), [u8]>::to(topic).payload(text.as_bytes()));
        }
        given = due;
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let _ = producer.flush(Duration::from_secs(5));
    given
}

/// Latencies in microseconds of what comes, without the first seconds.
fn taken(servers: &str, topic: &str, ended: &AtomicBool) -> Vec<u64> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("group.id", topic).set("enable.auto.commit", "false");
    config.set("fetch.wait.max.ms", "1").set("fetch.error.backoff.ms", "1");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&partitions).unwrap();
    let (mut latencies, mut first) = (Vec::new(), None);
    while !ended.load(Ordering::Relaxed) {
        let Some(message) = consumer.poll(Duration::from_millis(10)) else { continue };
        let message = message.unwrap();
        let now = now_micros();
        let first = *first.get_or_insert(now);
        let text = std::str::from_utf8(message.payload().unwrap_or_default()).unwrap_or_default();
        let sent = text.rsplit_once(r#""sent":"#).and_then(|(_, rest)| rest.trim_end_matches('}').parse::<u64>().ok());
        if now - first > WARM.as_micros() as u64 {
            latencies.push(now.saturating_sub(sent.unwrap()));
        }
    }
    latencies
}
