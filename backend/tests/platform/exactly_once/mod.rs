//! Exactly-once, seen from outside: a job from Kafka to Kafka whose worker is killed at random instants.
//!
//! A real server supervises a real worker on a real Apache Kafka. Numbers are produced while the worker is killed by
//! `kill -9` again and again; in the end a read-committed reader has to find every number exactly once. Stand-in brokers
//! prove nothing about aborts, so without `MILLRACE_TEST_KAFKA` the tests say that they were skipped. A control breaks the
//! copy on purpose and has to be caught.
//!
//! `MILLRACE_CRASH_ROUNDS` sets how often the worker is killed (3 in the tests, 100 by `cargo xtask crash`),
//! `MILLRACE_CRASH_SEED` repeats a run.

mod load;
mod oracle;

use std::time::{Duration, Instant};

use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use load::{Log, Producer};
use oracle::Verdict;

use crate::process;
use crate::server::Server;

const PARTITIONS: i32 = 4;
const INTERVAL_MS: u64 = 500;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Kills that do not wait for the new attempt to run: it is hit while it starts, plans and restores.
const EARLY: f64 = 0.2;

#[tokio::test(flavor = "multi_thread")]
async fn on_kafka_nothing_is_lost_or_doubled_when_the_worker_is_killed() {
    let Some((kafka, server)) = surroundings().await else { return };
    let rounds = number("MILLRACE_CRASH_ROUNDS", 3);
    let seed = number("MILLRACE_CRASH_SEED", rand::rng().random());
    println!("seed {seed}, {rounds} rounds");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);

    let log = Log::create(&kafka, PARTITIONS).await;
    tables(&server, &log).await;
    let sql = "INSERT INTO numbers_out SELECT n, p FROM numbers_in";
    let job = server.start_job("copy", sql, SETTINGS).await;
    server.until_state(&job, "running").await;
    let producer = Producer::start(&log);

    let mut slowest = Duration::ZERO;
    for round in 1..=rounds {
        // A random instant: before a barrier, in a snapshot, between snapshot and commit.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..3 * INTERVAL_MS))).await;
        let mut pid = kill_worker(&server, &job, None).await;
        let since = Instant::now();
        if random.random_bool(EARLY) {
            until_launched(&server, &job, Some(pid)).await;
            tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
            pid = kill_worker(&server, &job, Some(pid)).await;
        }
        let attempt = until_running_without(&server, &job, pid).await;
        slowest = slowest.max(since.elapsed());
        println!("round {round}: attempt {attempt} runs, {} numbers produced", producer.produced());
    }
    let produced = producer.stop();
    let killed = server.get(&format!("/jobs/{job}")).await["current"]["attempt"].as_u64().unwrap() - 1;
    let seen = log.read_committed(produced, Duration::from_secs(120)).await;
    let verdict = oracle::check(produced, &seen);
    println!(
        "campaign platform, seed {seed}: {killed} kills, {produced} records, {}, at most {} ms from a kill to running again",
        verdict.counts(),
        slowest.as_millis()
    );
    assert_eq!(verdict, Verdict::default(), "seed {seed}: {verdict}");
    assert!(killed >= rounds, "{killed} attempts were lost");
}

/// The control, over the same way: a copy that loses one number and writes another one twice.
#[tokio::test(flavor = "multi_thread")]
async fn on_kafka_a_copy_that_is_broken_on_purpose_is_caught() {
    let Some((kafka, server)) = surroundings().await else { return };
    let log = Log::create(&kafka, PARTITIONS).await;
    tables(&server, &log).await;
    let sql = "INSERT INTO numbers_out SELECT n, p FROM numbers_in WHERE n <> 1234 \
               UNION ALL SELECT n, p FROM numbers_in WHERE n = 777";
    let job = server.start_job("broken copy", sql, SETTINGS).await;
    server.until_state(&job, "running").await;
    let producer = Producer::start(&log);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let produced = producer.stop();
    let verdict = oracle::check(produced, &log.read_committed(produced, Duration::from_secs(60)).await);
    println!("control: {verdict}");
    assert_eq!((verdict.lost.as_slice(), verdict.doubled.as_slice()), ([1234].as_slice(), [(777, 2)].as_slice()));
}

const SETTINGS: &[(&str, u64)] = &[
    ("parallelism", 2),
    ("checkpoint_interval_ms", INTERVAL_MS),
    ("checkpoints_kept", 3),
    ("restart_attempts", 100_000),
    ("memory_limit_mb", 512),
];

/// A server beside a real Apache Kafka; `None`, with a printed reason, where something is missing.
async fn surroundings() -> Option<(String, Server)> {
    let Some(kafka) = std::env::var("MILLRACE_TEST_KAFKA").ok().filter(|address| !address.is_empty()) else {
        println!("skipped: no Apache Kafka (MILLRACE_TEST_KAFKA is not set)");
        return None;
    };
    let server = Server::start(&kafka).await?;
    Some((kafka, server))
}

/// The input from its beginning, and the output, exactly once.
async fn tables(server: &Server, log: &Log) {
    let connections = server.get("/connections").await;
    let mut connections = connections["items"].as_array().unwrap().iter();
    let connection = connections.find(|item| item["built_in"] == true).unwrap()["id"].clone();
    let source = json!({ "topic": log.input, "scan.startup.mode": "earliest-offset" });
    let sink = json!({
        "topic": log.output, "sink.delivery-guarantee": "exactly-once", "key.format": "raw", "key.fields": "p",
    });
    for (name, options) in [("numbers_in", source), ("numbers_out", sink)] {
        let table = json!({
            "database": "main", "name": name, "connector": "kafka", "connection": connection, "format": "json",
            "options": options,
            "columns": [
                { "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true },
                { "name": "p", "data_type": "INT", "kind": "physical", "nullable": true },
            ],
        });
        server.post("/tables", table).await;
    }
}

/// Kills the job's worker as the kernel would when memory is out. Answers its process id.
async fn kill_worker(server: &Server, job: &str, killed: Option<u32>) -> u32 {
    let pid = until_launched(server, job, killed).await;
    process::kill(pid);
    pid
}

/// The worker that is not the one just killed, which may be seen for a moment yet.
async fn until_launched(server: &Server, job: &str, killed: Option<u32>) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        if let Some(pid) = server.workers_of(job).into_iter().find(|pid| Some(*pid) != killed) {
            return pid;
        }
        assert!(Instant::now() < deadline, "the job has no worker\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The attempt that runs in another process than the one that was killed.
async fn until_running_without(server: &Server, job: &str, killed: u32) -> Value {
    let another = |run: &Value| {
        let workers = server.workers_of(job);
        run["state"] == "running" && run["stale"] == false && !workers.is_empty() && !workers.contains(&killed)
    };
    server.until(job, "running again", another).await["attempt"].clone()
}
