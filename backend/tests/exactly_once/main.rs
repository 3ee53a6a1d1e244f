//! Exactly-once, seen from outside: a job from Kafka to Kafka whose worker is killed at random instants.
//!
//! A real server supervises a real worker on a real Apache Kafka. Numbers are produced while the worker is killed by
//! `kill -9` again and again; in the end a read-committed reader has to find every number exactly once. Stand-in brokers
//! prove nothing about aborts, so without `MILLRACE_TEST_KAFKA` the test says that it was skipped.
//!
//! `MILLRACE_CRASH_ROUNDS` sets how often the worker is killed (3 in the tests, 100 by `cargo xtask crash`),
//! `MILLRACE_CRASH_SEED` repeats a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod load;
mod oracle;
mod platform;

use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};

use load::{Log, Producer};
use oracle::Verdict;
use platform::Platform;

const PARTITIONS: i32 = 4;
const INTERVAL_MS: u64 = 500;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_the_worker_is_killed() {
    let Ok(kafka) = std::env::var("MILLRACE_TEST_KAFKA") else {
        println!("skipped: no Apache Kafka (MILLRACE_TEST_KAFKA is not set)");
        return;
    };
    let rounds = number("MILLRACE_CRASH_ROUNDS", 3);
    let seed = number("MILLRACE_CRASH_SEED", rand::rng().random());
    println!("seed {seed}, {rounds} rounds");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);

    let log = Log::create(&kafka, PARTITIONS).await;
    let platform = Platform::start(&kafka).await;
    let job = platform.copy_job(&log, INTERVAL_MS).await;
    let producer = Producer::start(&log);

    for round in 1..=rounds {
        platform.wait_until_running(&job).await;
        // A random instant: before a barrier, in a snapshot, between snapshot and commit, while restoring.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..3 * INTERVAL_MS))).await;
        let pid = platform.kill_worker(&job).await;
        println!("round {round}: killed {pid}, {} numbers produced", producer.produced());
    }
    let produced = producer.stop();
    platform.wait_until_running(&job).await;
    let seen = log.read_committed(produced, Duration::from_secs(120)).await;
    let verdict = oracle::check(produced, &seen);
    println!("produced {produced}, read {}: {verdict:?}", seen.len());
    assert_eq!(verdict, Verdict::Exact, "seed {seed}");
}
