//! The server is killed with `kill -9` while jobs run, and while they start. Workers go on, are adopted, nothing runs
//! twice, and no run is stuck. Sources and sinks need no broker.

use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use crate::process;
use crate::server::{NO_KAFKA, Server};

const JOBS: usize = 3;
const ROUNDS: usize = 12;

/// With two tables: one that makes numbers, one that takes them.
async fn start() -> Option<Server> {
    let server = Server::start(NO_KAFKA).await?;
    for (name, connector, options) in
        [("numbers", "datagen", json!({ "rows-per-second": "50" })), ("nowhere", "blackhole", json!({}))]
    {
        let columns = json!([{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }]);
        let table = json!({
            "database": "main", "name": name, "connector": connector, "options": options, "columns": columns,
        });
        server.post("/tables", table).await;
    }
    Some(server)
}

async fn start_job(server: &Server, name: &str) -> String {
    server.start_job(name, "INSERT INTO nowhere SELECT n FROM numbers", &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_outlive_the_server_and_are_adopted() {
    let Some(mut platform) = start().await else { return };
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        jobs.push(start_job(&platform, &format!("steady {number}")).await);
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
    // A worker says that it has stopped before its process ends.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while jobs.iter().any(|job| !platform.workers_of(job).is_empty()) {
        assert!(std::time::Instant::now() < deadline, "workers stay although their runs are over");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_instants_of_a_start_no_run_is_stuck() {
    let Some(mut platform) = start().await else { return };
    let seed: u64 =
        std::env::var("MILLRACE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed} (set MILLRACE_TEST_SEED to repeat)");
    let mut chance = rand::rngs::StdRng::seed_from_u64(seed);
    for round in 0..ROUNDS {
        let job = start_job(&platform, &format!("round {round}")).await;
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
    let Some(platform) = start().await else { return };
    let job = start_job(&platform, "fragile").await;
    platform
        .until(&job, "with a checkpoint", |run| run["state"] == "running" && run["figures"]["checkpoint_at"].is_i64())
        .await;
    let worker = platform.workers_of(&job)[0];
    process::kill(worker);
    let again = platform.until(&job, "running again", |run| run["state"] == "running" && run["attempt"] == 2).await;
    assert_eq!(again["restarts"], 1);
    let events = platform.get(&format!("/jobs/{job}/events")).await;
    let texts: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("killed by signal 9")), "{texts:?}");
    let of_the_second = |line: &serde_json::Value| line["attempt"] == 2 && line["worker"] != "server";
    let lines = platform.until_logged(&job, "a line of the second attempt", of_the_second).await;
    assert!(lines.iter().all(|line| line["job_name"] == "fragile" && line["team"] == "tests"), "{lines:?}");
    platform.stop(&job, "cancel").await;
    platform.until_state(&job, "stopped").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_stopped_by_one_command_and_goes_on_with_the_next_server() {
    let Some(mut platform) = start().await else { return };
    // So long between checkpoints that there is none but the one of the stop.
    let sql = "INSERT INTO nowhere SELECT n FROM numbers";
    let job = platform.start_job("rests", sql, &[("checkpoint_interval_ms", 60_000)]).await;
    platform.until_state(&job, "running").await;
    platform.stop_everything().await;
    platform.start_again().await;
    let run = platform.until(&job, "running again", |run| run["state"] == "running" && run["attempt"] == 2).await;
    assert_eq!(run["stale"], false, "{run}");
    let events = platform.get(&format!("/jobs/{job}/events")).await.to_string();
    assert!(events.contains("stopped together with the server"), "{events}");
    let restored = |line: &serde_json::Value| {
        line["attempt"] == 2
            && line["message"].as_str().is_some_and(|said| said.starts_with("the job runs checkpoint=1"))
    };
    platform.until_logged(&job, "restored from the checkpoint of the stop", restored).await;

    // What a server that was killed leaves behind is stopped as well.
    platform.kill();
    assert_eq!(platform.workers_of(&job).len(), 1);
    platform.stop_everything().await;
    platform.start_again().await;
    platform.until(&job, "running again", |run| run["state"] == "running" && run["attempt"] == 3).await;
    platform.stop(&job, "cancel").await;
    platform.until_state(&job, "stopped").await;
}
