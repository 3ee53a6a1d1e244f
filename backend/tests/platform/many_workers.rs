//! Jobs that are started one after another, each with a worker process of its own: none is stuck, all go on together, and
//! all are gone when they are stopped.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process;
use crate::server::{NO_KAFKA, Server};

/// `cargo xtask workers` asks for more.
const WORKERS: usize = 6;
/// All together, beside everything that the machine has to do for them.
const ALL_FRESH_WITHIN: Duration = Duration::from_secs(60);
const ALL_STOPPED_WITHIN: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn started_one_after_another_all_of_them_run() {
    let count = std::env::var("MILLRACE_WORKERS").map_or(WORKERS, |count| count.parse().unwrap());
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    for (name, connector, options) in
        [("numbers", "datagen", json!({ "rows-per-second": "5" })), ("nowhere", "blackhole", json!({}))]
    {
        let columns = json!([{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }]);
        let table = json!({
            "database": "main", "name": name, "connector": connector, "options": options, "columns": columns,
        });
        server.post("/tables", table).await;
    }

    let (mut jobs, mut took) = (Vec::new(), Vec::new());
    // Checkpoints as people have them: many jobs share the disk.
    let settings = [("checkpoint_interval_ms", 10_000)];
    for number in 0..count {
        let begun = Instant::now();
        let name = format!("one of many {number}");
        let job = server.start_job(&name, "INSERT INTO nowhere SELECT n FROM numbers", &settings).await;
        server.until(&job, "running", is_fresh).await;
        took.push(begun.elapsed());
        jobs.push(job);
    }

    // Those that were started first are still heard of, at the first attempt.
    let deadline = Instant::now() + ALL_FRESH_WITHIN;
    for job in &jobs {
        let run = server.until(job, "reading", |run| is_fresh(run) && reads(run)).await;
        assert_eq!(run["attempt"], 1, "it was restarted: {run}");
        assert!(Instant::now() < deadline, "not all of them go on:\n{}", server.log());
        assert_eq!(server.workers_of(job).len(), 1);
    }
    let workers: Vec<u32> = jobs.iter().flat_map(|job| server.workers_of(job)).collect();
    let of_workers: u64 = workers.iter().map(|pid| process::memory_mb(*pid)).sum();
    took.sort_unstable();
    let at = |part: usize| took[(took.len() - 1) * part / 100].as_millis();
    println!(
        "campaign {count} workers one after another: start to running p50 {} ms, p99 {} ms, last {} ms; \
         workers {} MB each, server {} MB",
        at(50),
        at(99),
        at(100),
        of_workers / workers.len() as u64,
        process::memory_mb(server.pid()),
    );

    let report = server.post("/jobs/bulk", json!({ "action": "stop", "jobs": jobs, "mode": "cancel" })).await;
    assert_eq!(report["done"], json!(count), "{report}");
    let deadline = Instant::now() + ALL_STOPPED_WITHIN;
    for job in &jobs {
        server.until_state(job, "stopped").await;
        // Its process ends when it has been told that its report was taken.
        while !server.workers_of(job).is_empty() {
            assert!(Instant::now() < deadline, "not all of them stop:\n{}", server.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn is_fresh(run: &Value) -> bool {
    run["state"] == "running" && run["stale"] == false
}

fn reads(run: &Value) -> bool {
    run["figures"]["records_in_per_s"].as_f64() > Some(0.0)
}
