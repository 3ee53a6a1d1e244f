//! The server is killed with `kill -9` while jobs run, and while they start. Workers go on, are adopted, nothing runs
//! twice, and no run is stuck. The real server and the real worker; sources and sinks need no broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod platform;

use std::time::Duration;

use platform::Platform;
use rand::{Rng as _, SeedableRng as _};

const JOBS: usize = 3;
const ROUNDS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_outlive_the_server_and_are_adopted() {
    let Some(mut platform) = Platform::start().await else { return };
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        jobs.push(platform.start_job(&format!("steady {number}")).await);
    }
    for job in &jobs {
        platform.until_state(job, "running").await;
    }
    let before: Vec<_> = jobs.iter().map(|job| platform.workers_of(job)).collect();
    assert!(before.iter().all(|workers| workers.len() == 1), "{before:?}");

    platform.kill();
    let meanwhile: Vec<_> = jobs.iter().map(|job| platform.workers_of(job)).collect();
    assert_eq!(meanwhile, before, "workers ended with the server");
    platform.start_again().await;
    for job in &jobs {
        let seen = platform.until(job, "adopted", |run| run["state"] == "running" && run["stale"] == false).await;
        assert_eq!(seen["attempt"], 1, "{seen}");
    }
    let after: Vec<_> = jobs.iter().map(|job| platform.workers_of(job)).collect();
    assert_eq!(after, before);
    for job in &jobs {
        platform.stop(job, "savepoint").await;
        platform.until_state(job, "stopped").await;
    }
    assert!(jobs.iter().all(|job| platform.workers_of(job).is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_instants_of_a_start_no_run_is_stuck() {
    let Some(mut platform) = Platform::start().await else { return };
    let seed: u64 =
        std::env::var("MILLRACE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed} (set MILLRACE_TEST_SEED to repeat)");
    let mut chance = rand::rngs::StdRng::seed_from_u64(seed);
    for round in 0..ROUNDS {
        let job = platform.start_job(&format!("round {round}")).await;
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..600))).await;
        platform.kill();
        platform.start_again().await;
        platform.until(&job, "running", |run| run["state"] == "running" && run["stale"] == false).await;
        let workers = platform.workers_of(&job);
        assert_eq!(workers.len(), 1, "round {round}: {workers:?}");
        platform.stop(&job, "cancel").await;
        platform.until_state(&job, "stopped").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_is_replaced_and_the_console_tells_so() {
    let Some(platform) = Platform::start().await else { return };
    let job = platform.start_job("fragile").await;
    platform
        .until(&job, "with a checkpoint", |run| run["state"] == "running" && run["figures"]["checkpoint_at"].is_i64())
        .await;
    let worker = platform.workers_of(&job)[0];
    platform::kill_process(worker);
    let again = platform.until(&job, "running again", |run| run["state"] == "running" && run["attempt"] == 2).await;
    assert_eq!(again["restarts"], 1);
    let events = platform.get(&format!("/jobs/{job}/events")).await;
    let texts: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("killed by signal 9")), "{texts:?}");
    let logs = platform.get(&format!("/jobs/{job}/logs?limit=500")).await;
    let lines = logs["lines"].as_array().unwrap();
    assert!(
        lines.iter().any(|line| line["attempt"] == 2 && line["worker"] != "server"),
        "no line of the second attempt"
    );
    assert!(lines.iter().all(|line| line["job_name"] == "fragile" && line["team"] == "demo"), "{logs}");
    platform.stop(&job, "cancel").await;
    platform.until_state(&job, "stopped").await;
}
