//! A server process of our own with one team, and its calls.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::process;

/// Long enough for a loaded machine, short enough to notice a job that is stuck.
const PATIENCE: Duration = Duration::from_secs(90);
/// A broker that is nowhere: nothing but the test's own jobs runs then.
pub(crate) const NO_KAFKA: &str = "127.0.0.1:1";
pub(crate) const EMAIL: &str = "test@example.org";
pub(crate) const PASSWORD: &str = "a long enough secret";

/// A call below the team.
const TEAM: &str = "/teams/tests";

pub(crate) struct Server {
    process: Child,
    address: String,
    settings: Vec<(&'static str, String)>,
    cookie: String,
    client: reqwest::Client,
    data: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Server {
    /// `None`, with a printed reason, where there is no worker.
    pub(crate) async fn start(kafka: &str) -> Option<Server> {
        Server::start_with(vec![("MILLRACE_KAFKA", kafka.to_owned())]).await
    }

    /// With these variables in its environment.
    pub(crate) async fn start_with(settings: Vec<(&'static str, String)>) -> Option<Server> {
        if !worker_binary().is_file() {
            println!("skipped: {} is not built", worker_binary().display());
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let address = free_address();
        let process = spawn(&address, &settings, data.path());
        let client = reqwest::Client::new();
        let mut server = Server { process, address, settings, cookie: String::new(), client, data };
        server.become_administrator().await;
        server.call(Method::POST, "/teams", Some(json!({ "slug": "tests", "name": "Tests" }))).await.good();
        Some(server)
    }

    /// Another server with the same settings, at which the same person is signed in.
    pub(crate) async fn another(&self) -> Server {
        let (data, address) = (tempfile::tempdir().unwrap(), free_address());
        let process = spawn(&address, &self.settings, data.path());
        let (settings, cookie, client) = (self.settings.clone(), self.cookie.clone(), self.client.clone());
        let server = Server { process, address, settings, cookie, client, data };
        server.until_healthy().await;
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// For its end, which somebody else asked for.
    pub(crate) fn wait(&mut self) {
        self.process.wait().unwrap();
    }

    /// As an operator does: the server, its workers, its demo broker.
    pub(crate) async fn stop_everything(&mut self) {
        let mut command = tokio::process::Command::new(server_binary());
        command.arg("stop").arg("--data-dir").arg(self.data.path().join("data"));
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), self.log());
        assert!(self.process.try_wait().unwrap().is_some(), "the server lives");
        assert_eq!(process::workers_below(self.data.path()), Vec::<u32>::new());
    }

    /// Over the same data; whoever was signed in still is.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(&self.address, &self.settings, self.data.path());
        self.until_healthy().await;
    }

    async fn until_healthy(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.request(Method::GET, "/health").send().await.is_err() {
            assert!(Instant::now() < deadline, "the server does not come up:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// With the one-time token from the server's log.
    async fn become_administrator(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let token = loop {
            let log = self.log();
            let rest = log.split_once("one-time token ").map(|(_, rest)| rest.to_owned());
            if let Some(token) = rest.and_then(|rest| rest.split_whitespace().next().map(str::to_owned)) {
                break token;
            }
            assert!(Instant::now() < deadline, "the server does not come up:\n{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let first = json!({ "token": token, "name": "Test", "email": EMAIL, "password": PASSWORD });
        let answer = self.request(Method::POST, "/setup").json(&first).send().await.unwrap();
        let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
        let cookie = cookie.unwrap_or_else(|| panic!("no session:\n{}", self.log()));
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.origin()));
        self.headers().into_iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// By which a call is one of the browser that is signed in.
    pub(crate) fn headers(&self) -> [(&'static str, String); 3] {
        [("X-Millrace", "1".to_owned()), ("Origin", self.origin()), ("Cookie", self.cookie.clone())]
    }

    /// `path` below `/api/v1`.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.log()));
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// Below the team, and it has to be good.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, &format!("{TEAM}{path}"), None).await.good()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.try_post(path, body).await.good()
    }

    pub(crate) async fn try_post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, &format!("{TEAM}{path}"), Some(body)).await
    }

    /// A module, below the team.
    pub(crate) async fn upload(&self, path: &str, module: Vec<u8>) -> Answer {
        let request = self.request(Method::POST, &format!("{TEAM}{path}")).header("Content-Type", "application/wasm");
        let answer =
            request.body(module).send().await.unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.log()));
        let status = answer.status().as_u16();
        Answer { status, body: answer.json().await.unwrap_or_default() }
    }

    /// Makes a job and starts it. Answers its id.
    pub(crate) async fn start_job(&self, name: &str, sql: &str, settings: &[(&str, u64)]) -> String {
        let mut all = json!({
            "parallelism": 1, "checkpoint_interval_ms": 500, "checkpoints_kept": 2, "restart_attempts": 10,
            "restart_window_ms": 600_000, "state_ttl_ms": 0, "memory_limit_mb": 256,
        });
        for (setting, value) in settings {
            all[*setting] = json!(value);
        }
        let job = self.post("/jobs", json!({ "name": name, "sql": sql, "settings": all })).await;
        let id = job["id"].as_str().unwrap().to_owned();
        self.post(&format!("/jobs/{id}/start"), json!({ "from": "fresh" })).await;
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

    /// The job's log, once it holds a line that fits: lines come a moment after the state that they are about.
    pub(crate) async fn until_logged(&self, job: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.get(&format!("/jobs/{job}/logs?limit=500")).await;
            let lines = page["lines"].as_array().unwrap();
            if lines.iter().any(&fits) {
                return lines.clone();
            }
            assert!(Instant::now() < deadline, "never {what}: {page}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Process ids of the job's workers.
    pub(crate) fn workers_of(&self, job: &str) -> Vec<u32> {
        process::workers_with("MILLRACE_JOB_ID", job)
    }

    /// The team's folder for file tables.
    pub(crate) fn files(&self) -> PathBuf {
        self.data.path().join("data/files/tests")
    }

    /// The end of what the server wrote to standard error.
    pub(crate) fn log(&self) -> String {
        let text = std::fs::read_to_string(self.data.path().join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn good(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self.body
    }
}

impl Drop for Server {
    /// Ends the server and the workers that it leaves behind, which live on by design.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        process::workers_below(self.data.path()).into_iter().for_each(process::kill);
    }
}

fn free_address() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("127.0.0.1:{port}")
}

fn spawn(address: &str, settings: &[(&'static str, String)], data: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(data.join("server.log")).unwrap();
    Command::new(server_binary())
        .arg("serve")
        .env("MILLRACE_DATA_DIR", data.join("data"))
        .env("MILLRACE_LISTEN", address)
        .envs(settings.iter().map(|(name, value)| (*name, value)))
        .env("MILLRACE_ALLOW_PRIVATE_ADDRESSES", "true")
        .env("MILLRACE_WORKER_BINARY", worker_binary())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// The one just built, unless it is said where.
pub(crate) fn server_binary() -> PathBuf {
    std::env::var("MILLRACE_BIN").map_or_else(|_| PathBuf::from(env!("CARGO_BIN_EXE_millrace")), PathBuf::from)
}

/// Beside the server's binary, unless it is said where.
fn worker_binary() -> PathBuf {
    let beside = server_binary().with_file_name("millrace-worker");
    std::env::var("MILLRACE_WORKER_BINARY").map_or(beside, PathBuf::from)
}
