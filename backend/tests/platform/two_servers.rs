//! Two servers on one PostgreSQL, one of them killed or held up at random instants while jobs start, stop and are due:
//! no run has two workers, every start and stop that was accepted is done, every time of a schedule is noted once.
//!
//! Short in every test run; `cargo xtask servers` makes as many rounds as it is told.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};

use crate::process;
use crate::server::{NO_KAFKA, Server};

const ROUNDS: usize = 4;
const JOBS: usize = 3;
/// What was accepted is done by then.
const DONE_WITHIN: Duration = Duration::from_secs(80);
/// A fire comes every so many seconds.
const EVERY_S: i64 = 2;

/// A database of its own on the PostgreSQL that the tests were given, and a folder that both servers see.
struct Shared {
    server: String,
    database: String,
    folder: tempfile::TempDir,
}

impl Shared {
    async fn new() -> Option<Shared> {
        let Some(server) = std::env::var("MILLRACE_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
            println!("skipped: no PostgreSQL (MILLRACE_TEST_POSTGRES_URL is not set)");
            return None;
        };
        let database = format!("millrace_pair_{}", uuid::Uuid::now_v7().simple());
        execute(&server, format!("CREATE DATABASE {database}")).await;
        Some(Shared { server, database, folder: tempfile::tempdir().unwrap() })
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let (base, _) = self.server.rsplit_once('/').unwrap();
        vec![
            ("MILLRACE_KAFKA", NO_KAFKA.to_owned()),
            ("MILLRACE_DATABASE_URL", format!("{base}/{}", self.database)),
            ("MILLRACE_SHARED_DIR", self.folder.path().display().to_string()),
            ("MILLRACE_SECRET_KEY_FILE", self.folder.path().join("secret.key").display().to_string()),
        ]
    }

    /// Of a job's newest run, what the servers tell each other by.
    async fn run_of(&self, job: &str) -> String {
        sqlx::any::install_default_drivers();
        let pool = sqlx::AnyPool::connect(&self.settings()[1].1).await.unwrap();
        let row = sqlx::query(
            "SELECT CONCAT_WS(' ', number, state, phase, 'stop:', stop_mode, 'asked:', asked, 'keeper:', keeper) \
             FROM job_runs WHERE job_id = $1 ORDER BY number DESC LIMIT 1",
        );
        let row = row.bind(job.to_owned()).fetch_one(&pool).await.unwrap();
        pool.close().await;
        sqlx::Row::get(&row, 0)
    }

    async fn drop(self) {
        process::workers_below(self.folder.path()).into_iter().for_each(process::kill);
        execute(&self.server, format!("DROP DATABASE {} WITH (FORCE)", self.database)).await;
    }
}

async fn execute(server: &str, sql: String) {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    pool.close().await;
}

async fn pair() -> Option<(Shared, Server, Server)> {
    let shared = Shared::new().await?;
    let Some(one) = Server::start_with(shared.settings()).await else {
        shared.drop().await;
        return None;
    };
    for (name, connector, options) in [
        ("numbers", "datagen", json!({ "rows-per-second": "50" })),
        ("few", "datagen", json!({ "rows-per-second": "50", "number-of-rows": "5" })),
        ("nowhere", "blackhole", json!({})),
    ] {
        let columns = json!([{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }]);
        let table = json!({
            "database": "main", "name": name, "connector": connector, "options": options, "columns": columns,
        });
        one.post("/tables", table).await;
    }
    let two = one.another().await;
    // From then on workers are told of both.
    for server in [&one, &two] {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !server.log().contains("another server is there") {
            assert!(std::time::Instant::now() < deadline, "the other server is not seen:\n{}", server.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Some((shared, one, two))
}

fn is_fresh(run: &Value) -> bool {
    run["state"] == "running" && run["stale"] == false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_server_shows_and_steers_the_jobs_of_the_other() {
    let Some((shared, one, two)) = pair().await else { return };
    let job = one.start_job("seen by both", "INSERT INTO nowhere SELECT n FROM numbers", &[]).await;
    one.until(&job, "running", is_fresh).await;
    let has_figures = |run: &Value| is_fresh(run) && run["figures"]["records_in_per_s"].as_f64() > Some(0.0);
    let seen = two.until(&job, "with the figures of the other server", has_figures).await;
    assert_eq!(seen["attempt"], 1);
    two.until_logged(&job, "the worker's words", |line| line["worker"] != "server").await;
    // Which operator does how much: for the graph.
    two.get(&format!("/jobs/{job}/figures")).await;

    two.post(&format!("/jobs/{job}/savepoints"), json!({})).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !two.get(&format!("/jobs/{job}/savepoints")).await.to_string().contains("savepoint") {
        assert!(std::time::Instant::now() < deadline, "no savepoint came\n{}\n{}", one.log(), two.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    two.stop(&job, "savepoint").await;
    two.until_state(&job, "stopped").await;
    one.until_state(&job, "stopped").await;
    assert!(one.workers_of(&job).is_empty());

    let refused = one.call(Method::GET, "/../../peer/events", None).await;
    assert_eq!(refused.status, 404, "{}", refused.body);
    drop((one, two));
    shared.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_in_order_hands_its_jobs_over() {
    let Some((shared, mut one, two)) = pair().await else { return };
    let job = one.start_job("handed over", "INSERT INTO nowhere SELECT n FROM numbers", &[]).await;
    one.until(&job, "running", is_fresh).await;
    let worker = one.workers_of(&job);
    signal(&one, "-TERM");
    one.wait();
    two.until(&job, "adopted", |run| is_fresh(run) && run["last_seen_at"].is_i64()).await;
    assert_eq!((two.workers_of(&job), worker.len()), (worker, 1), "the worker is another one");
    two.stop(&job, "cancel").await;
    two.until_state(&job, "stopped").await;
    drop((one, two));
    shared.drop().await;
}

fn signal(server: &Server, how: &str) {
    let done = Command::new("kill").args([how, &server.pid().to_string()]).status().unwrap();
    assert!(done.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_nothing_runs_twice_and_nothing_is_lost() {
    let Some((shared, one, two)) = pair().await else { return };
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let rounds = number("MILLRACE_SERVER_KILLS").map_or(ROUNDS, |kills| usize::try_from(kills).unwrap());
    let seed = number("MILLRACE_TEST_SEED").unwrap_or_else(rand::random);
    println!("{rounds} rounds, seed {seed} (set MILLRACE_TEST_SEED to repeat)");
    let mut chance = rand::rngs::StdRng::seed_from_u64(seed);

    let mut jobs = Vec::new();
    for number in 0..JOBS {
        let name = format!("steady {number}");
        jobs.push(
            one.start_job(&name, "INSERT INTO nowhere SELECT n FROM numbers", &[("restart_attempts", 100)]).await,
        );
    }
    let due = scheduled(&one).await;
    let watch = Watch::over(jobs.clone(), due.clone());

    let (mut kills, mut held_ups, mut wishes) = (0, 0, 0);
    let mut servers = [one, two];
    for round in 0..rounds {
        let victim = chance.random_range(0..2);
        let witness = 1 - victim;
        let job = &jobs[chance.random_range(0..JOBS)];
        // A wish that the victim takes just before it dies, or the other one just then.
        let asked = &servers[chance.random_range(0..2)];
        let stops = asked.get(&format!("/jobs/{job}")).await["current"]["state"] == "running";
        let mode = if chance.random_bool(0.5) { "savepoint" } else { "cancel" };
        let accepted = match stops {
            true => asked.try_post(&format!("/jobs/{job}/stop"), json!({ "mode": mode })).await,
            false => asked.try_post(&format!("/jobs/{job}/start"), json!({ "from": "latest" })).await,
        };
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..400))).await;
        // Held up for longer than its lease, it wakes and finds its runs gone.
        let held_up = round % 4 == 3;
        if held_up {
            signal(&servers[victim], "-STOP");
            held_ups += 1;
        } else {
            servers[victim].kill();
            kills += 1;
        }
        if accepted.status < 300 {
            wishes += 1;
            let wanted = if stops { "stopped" } else { "running" };
            let done = servers[witness].until(job, wanted, |run| run["state"] == wanted && run["stale"] == false);
            if tokio::time::timeout(DONE_WITHIN, done).await.is_err() {
                let row = shared.run_of(job).await;
                let (this, other) = (servers[witness].log(), servers[victim].log());
                panic!("round {round}: never {wanted}: {row}\n{this}\n--- the victim:\n{other}");
            }
        }
        for job in &jobs {
            let settled = |run: &Value| is_fresh(run) || run["state"] == "stopped";
            servers[witness].until(job, "settled", settled).await;
        }
        if held_up {
            signal(&servers[victim], "-CONT");
        } else {
            servers[victim].start_again().await;
        }
    }
    for job in &jobs {
        let run = servers[0].until(job, "settled", |run| is_fresh(run) || run["state"] == "stopped").await;
        let workers = servers[0].workers_of(job);
        let described: Vec<String> = workers.iter().map(|pid| process::describe(*pid)).collect();
        assert_eq!(workers.len(), usize::from(run["state"] == "running"), "{described:?} {run}");
        if run["state"] == "running" {
            servers[1].stop(job, "cancel").await;
        }
        servers[0].until_state(job, "stopped").await;
    }
    assert_eq!(watch.end(), Vec::<String>::new());
    let fires = every_time_was_noted_once(&servers[0], &due).await;
    println!(
        "campaign servers: {kills} kills, {held_ups} times held up, {wishes} starts and stops under way, all done; \
         {fires} times of a schedule, each noted once; never two workers of a job"
    );
    drop(servers);
    shared.drop().await;
}

/// A batch job that is due all the time.
async fn scheduled(server: &Server) -> String {
    let sql = "INSERT INTO nowhere SELECT n FROM few";
    let job = server.post("/jobs", json!({ "name": "due", "sql": sql, "kind": "batch" })).await;
    let id = job["id"].as_str().unwrap().to_owned();
    server.post(&format!("/jobs/{id}/versions"), json!({ "comment": "" })).await;
    let schedule = json!({
        "cron": format!("*/{EVERY_S} * * * * *"), "zone": "UTC", "enabled": true, "catch_up": "all",
        "catch_up_most": 1000, "retry_attempts": 0, "retry_delay_ms": 0,
    });
    server.call(Method::PUT, &format!("/teams/tests/jobs/{id}/schedule"), Some(schedule)).await.good();
    id
}

async fn every_time_was_noted_once(server: &Server, job: &str) -> usize {
    server.call(Method::DELETE, &format!("/teams/tests/jobs/{job}/schedule"), None).await.good();
    let fires = server.get(&format!("/jobs/{job}/fires?limit=200")).await;
    let fires = fires["items"].as_array().unwrap_or_else(|| fires.as_array().unwrap()).clone();
    let times: Vec<i64> = fires.iter().map(|fire| fire["due_at"].as_i64().unwrap()).collect();
    let different: BTreeSet<i64> = times.iter().copied().collect();
    assert_eq!(times.len(), different.len(), "a time fired twice: {times:?}");
    let (first, last) = (different.first().unwrap(), different.last().unwrap());
    let expected = (last - first) / (EVERY_S * 1000) + 1;
    assert_eq!(i64::try_from(times.len()).unwrap(), expected, "a time was lost: {times:?}");
    let runs: Vec<i64> = fires.iter().filter_map(|fire| fire["run"].as_i64()).collect();
    assert_eq!(runs.len(), runs.iter().collect::<BTreeSet<_>>().len(), "two times share a run: {fires:?}");
    let started = fires.iter().filter(|fire| fire["outcome"] == "started").count();
    assert!(started > 0, "nothing was started: {fires:?}");
    fires.len()
}

/// Looks all the time how many workers each job has.
struct Watch {
    over: Sender<()>,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Watch {
    fn over(mut jobs: Vec<String>, due: String) -> Watch {
        jobs.push(due);
        let (over, ended) = channel();
        let thread = std::thread::spawn(move || {
            let mut wrong = Vec::new();
            while ended.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout) {
                for job in &jobs {
                    let workers = process::workers_with("MILLRACE_JOB_ID", job);
                    if workers.len() > 1 {
                        let workers: Vec<String> = workers.iter().map(|pid| process::describe(*pid)).collect();
                        wrong.push(format!("job {job} has workers {workers:?}"));
                    }
                }
            }
            wrong
        });
        Watch { over, thread }
    }

    fn end(self) -> Vec<String> {
        drop(self.over);
        self.thread.join().unwrap()
    }
}
