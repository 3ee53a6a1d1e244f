//! A server of our own for one test, used as a browser would use it, and the workers that it starts.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::load::Log;

/// Long enough for a loaded machine, short enough to notice a job that is stuck.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Platform {
    server: Child,
    address: String,
    cookie: String,
    client: reqwest::Client,
    data: tempfile::TempDir,
}

impl Platform {
    pub(crate) async fn start(kafka: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let log = std::fs::File::create(data.path().join("server.log")).unwrap();
        let server = Command::new(env!("CARGO_BIN_EXE_millrace"))
            .arg("serve")
            .env("MILLRACE_DATA_DIR", data.path().join("data"))
            .env("MILLRACE_LISTEN", &address)
            .env("MILLRACE_KAFKA", kafka)
            .env("MILLRACE_ALLOW_PRIVATE_ADDRESSES", "true")
            .env("MILLRACE_WORKER_BINARY", worker_binary())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut platform = Platform { server, address, cookie: String::new(), client: reqwest::Client::new(), data };
        platform.sign_in().await;
        platform
    }

    /// As the first administrator, with the one-time token from the server's log; then makes a team.
    async fn sign_in(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let token = loop {
            let log = self.log();
            let rest = log.split_once("one-time token ").map(|(_, rest)| rest.to_owned());
            if let Some(token) = rest.and_then(|rest| rest.split_whitespace().next().map(str::to_owned)) {
                break token;
            }
            assert!(Instant::now() < deadline, "the server does not come up:\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let first =
            json!({ "token": token, "name": "Test", "email": "test@example.org", "password": "a long enough secret" });
        let response = self.request(reqwest::Method::POST, "/setup").json(&first).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        let cookie = response.headers().get("set-cookie").unwrap().to_str().unwrap();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
        self.post("/teams", json!({ "slug": "crash", "name": "Crash" })).await;
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}/api/v1{path}", self.address);
        let origin = format!("http://{}", self.address);
        self.client
            .request(method, url)
            .header("X-Millrace", "1")
            .header("Origin", origin)
            .header("Cookie", &self.cookie)
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let request = self.request(method.clone(), path);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn get(&self, path: &str) -> Value {
        self.call(reqwest::Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(reqwest::Method::POST, path, Some(body)).await
    }

    /// Creates and starts a job that copies the input to the output, exactly once. Answers its id.
    pub(crate) async fn copy_job(&self, log: &Log, interval_ms: u64) -> String {
        let connections = self.get("/teams/crash/connections").await;
        let connection =
            connections["items"].as_array().unwrap().iter().find(|item| item["built_in"] == json!(true)).unwrap()["id"]
                .clone();
        self.post("/teams/crash/databases", json!({ "name": "crash" })).await;
        let table = |name: &str, options: Value| {
            json!({
                "database": "crash", "name": name, "connector": "kafka", "connection": connection, "format": "json",
                "options": options,
                "columns": [
                    { "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true },
                    { "name": "p", "data_type": "INT", "kind": "physical", "nullable": true },
                ],
            })
        };
        let source = json!({ "topic": log.input, "scan.startup.mode": "earliest-offset" });
        let sink = json!({
            "topic": log.output, "sink.delivery-guarantee": "exactly-once",
            "key.format": "raw", "key.fields": "p",
        });
        self.post("/teams/crash/tables", table("numbers_in", source)).await;
        self.post("/teams/crash/tables", table("numbers_out", sink)).await;
        let sql = "INSERT INTO crash.numbers_out SELECT n, p FROM crash.numbers_in";
        let settings = json!({
            "parallelism": 2, "checkpoint_interval_ms": interval_ms, "checkpoints_kept": 3, "restart_attempts": 100_000,
            "restart_window_ms": 600_000, "state_ttl_ms": 0, "memory_limit_mb": 512,
        });
        let job = self.post("/teams/crash/jobs", json!({ "name": "copy", "sql": sql, "settings": settings })).await;
        let id = job["id"].as_str().unwrap().to_owned();
        self.post(&format!("/teams/crash/jobs/{id}/start"), json!({ "from": "fresh" })).await;
        id
    }

    pub(crate) async fn wait_until_running(&self, job: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut last = Value::Null;
        while Instant::now() < deadline {
            last = self.get(&format!("/teams/crash/jobs/{job}")).await["current"].clone();
            match last["state"].as_str() {
                Some("running") => return,
                Some("failed" | "stopped" | "finished") => break,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        panic!("the job does not run: {last}\n{}", self.log());
    }

    /// Kills the job's worker as the kernel would when memory is out. Answers its pid.
    pub(crate) async fn kill_worker(&self, job: &str) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(pid) = worker_of(job) {
                let killed = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
                assert!(killed.success());
                return pid;
            }
            assert!(Instant::now() < deadline, "the job has no worker\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.data.path().join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

impl Drop for Platform {
    /// Ends the server and the workers that it left behind, which live on by design.
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let ours = self.data.path().to_string_lossy().into_owned();
        for pid in workers() {
            if environment(pid).is_some_and(|text| text.contains(&ours)) {
                let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
            }
        }
    }
}

/// Beside the server's binary, unless it is said where.
fn worker_binary() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_millrace")).with_file_name("millrace-worker");
    std::env::var("MILLRACE_WORKER_BIN").map_or(beside, PathBuf::from)
}

fn workers() -> Vec<i32> {
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    processes.filter(|pid| command_line(*pid).is_some_and(|line| line.contains("millrace-worker"))).collect()
}

fn worker_of(job: &str) -> Option<i32> {
    let variable = format!("MILLRACE_JOB_ID={job}");
    workers()
        .into_iter()
        .find(|pid| environment(*pid).is_some_and(|text| text.split('\0').any(|entry| entry == variable)))
}

fn command_line(pid: i32) -> Option<String> {
    std::fs::read(format!("/proc/{pid}/cmdline")).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn environment(pid: i32) -> Option<String> {
    std::fs::read(format!("/proc/{pid}/environ")).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
