//! A server process that is killed and started again over the same data.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Platform {
    server: Child,
    address: String,
    cookie: String,
    client: reqwest::Client,
    data: tempfile::TempDir,
}

impl Platform {
    /// In demo mode with a broker that is nowhere, so that nothing but the test's own jobs runs. `None`, with a printed
    /// reason, where there is no worker.
    pub(crate) async fn start() -> Option<Platform> {
        if !worker_binary().is_file() {
            println!("skipped: {} is not built", worker_binary().display());
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let server = spawn(&address, data.path());
        let mut platform = Platform { server, address, cookie: String::new(), client: reqwest::Client::new(), data };
        platform.sign_in().await;
        for (name, connector) in [("numbers", "datagen"), ("nowhere", "blackhole")] {
            let options = if connector == "datagen" { json!({ "rows-per-second": "50" }) } else { json!({}) };
            let table = json!({
                "database": "main", "name": name, "connector": connector, "options": options,
                "columns": [{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }],
            });
            platform.post("/tables", table).await;
        }
        Some(platform)
    }

    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.server = spawn(&self.address, self.data.path());
        self.sign_in().await;
    }

    async fn sign_in(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.request(reqwest::Method::POST, "/session/demo").send().await;
            if let Ok(answer) = answer
                && answer.status().is_success()
            {
                let cookie = answer.headers().get("set-cookie").unwrap().to_str().unwrap();
                self.cookie = cookie.split(';').next().unwrap().to_owned();
                return;
            }
            assert!(Instant::now() < deadline, "the server does not come up:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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

    async fn call(&self, request: reqwest::RequestBuilder, what: &str) -> Value {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{what}: {status} {text}\n{}", self.log());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Below the demo team.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(self.request(reqwest::Method::GET, &format!("/teams/demo{path}")), path).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(self.request(reqwest::Method::POST, &format!("/teams/demo{path}")).json(&body), path).await
    }

    /// Answers the job's id.
    pub(crate) async fn start_job(&self, name: &str) -> String {
        let settings = json!({
            "parallelism": 1, "checkpoint_interval_ms": 500, "checkpoints_kept": 2, "restart_attempts": 10,
            "restart_window_ms": 600_000, "state_ttl_ms": 0, "memory_limit_mb": 256,
        });
        let sql = "INSERT INTO nowhere SELECT n FROM numbers";
        let job = self.post("/jobs", json!({ "name": name, "sql": sql, "settings": settings })).await;
        let id = job["id"].as_str().unwrap().to_owned();
        self.post(&format!("/jobs/{id}/start"), json!({ "from": "latest" })).await;
        id
    }

    pub(crate) async fn stop(&self, job: &str, mode: &str) {
        self.post(&format!("/jobs/{job}/stop"), json!({ "mode": mode })).await;
    }

    pub(crate) async fn until_state(&self, job: &str, state: &str) -> Value {
        self.until(job, state, |run| run["state"] == state).await
    }

    /// The current run, once it fits.
    pub(crate) async fn until(&self, job: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let run = self.get(&format!("/jobs/{job}")).await["current"].clone();
            if fits(&run) {
                return run;
            }
            assert!(Instant::now() < deadline, "never {what}: {run}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Process ids of the job's workers.
    pub(crate) fn workers_of(&self, job: &str) -> Vec<u32> {
        let variable = format!("MILLRACE_JOB_ID={job}");
        processes().into_iter().filter(|pid| environment(*pid).split('\0').any(|entry| entry == variable)).collect()
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.data.path().join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Platform {
    /// Ends the server and the workers, which would live on by design.
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let ours = self.data.path().to_string_lossy().into_owned();
        let left = processes().into_iter().filter(|pid| *pid != std::process::id());
        for pid in left.filter(|pid| environment(*pid).contains(&format!("PWD={ours}"))) {
            kill_process(pid);
        }
    }
}

fn spawn(address: &str, data: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(data.join("server.log")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_millrace"))
        .arg("serve")
        .env("MILLRACE_DATA_DIR", data.join("data"))
        .env("MILLRACE_LISTEN", address)
        .env("MILLRACE_DEMO", "true")
        .env("MILLRACE_KAFKA", "127.0.0.1:1")
        .env("MILLRACE_WORKER_BINARY", worker_binary())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Beside the server's binary, unless it is said where.
fn worker_binary() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_millrace")).with_file_name("millrace-worker");
    std::env::var("MILLRACE_WORKER_BIN").map_or(beside, PathBuf::from)
}

pub(crate) fn kill_process(pid: u32) {
    let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
}

/// All that live; what is only a remainder has no environment.
fn processes() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn environment(pid: u32) -> String {
    std::fs::read(format!("/proc/{pid}/environ"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
