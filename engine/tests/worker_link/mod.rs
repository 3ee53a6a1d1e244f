//! The server's side of a worker link, as a test plays it.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::job::JobSettings;
use millrace_wire::link::{Assignment, Command, FromWorker, Hello, LINK_VERSION, Report, ToWorker};
use millrace_wire::log::LogLine;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

pub(crate) const TOKEN: &str = "a-secret-token-of-this-attempt";
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    listener: TcpListener,
    job: JobId,
    run: RunId,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Server { listener, job: JobId(uuid::Uuid::now_v7()), run: RunId(uuid::Uuid::now_v7()) }
    }

    pub(crate) fn run(&self) -> RunId {
        self.run
    }

    pub(crate) fn launch(&self, attempt: u32) -> Worker {
        let url = format!("ws://{}/link", self.listener.local_addr().unwrap());
        let mut child = Process::new(env!("CARGO_BIN_EXE_millrace-worker"))
            .args(["run", "--link", &url])
            .env("MILLRACE_JOB_NAME", "job")
            .env("MILLRACE_JOB_ID", self.job.to_string())
            .env("MILLRACE_RUN_ID", self.run.to_string())
            .env("MILLRACE_ATTEMPT", attempt.to_string())
            .env("MILLRACE_WORKER_ID", uuid::Uuid::now_v7().to_string())
            .env("MILLRACE_TEAM", "team")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, format!("{TOKEN}\n").as_bytes()).unwrap();
        Worker(child)
    }

    pub(crate) async fn accept(&self) -> Link {
        let (stream, _) =
            tokio::time::timeout(DEADLINE, self.listener.accept()).await.expect("the worker connects").unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        let first = read(&mut socket).await;
        assert_eq!((first.v, first.seq), (LINK_VERSION, 0));
        let Report::Hello(hello) = first.report else { panic!("{:?}", first.report) };
        Link { socket, hello, acknowledge: true, last_seq: 0, lines: Vec::new() }
    }
}

/// A worker process that does not outlive its test.
pub(crate) struct Worker(Child);

impl std::ops::Deref for Worker {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl std::ops::DerefMut for Worker {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Mostly it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Link {
    socket: WebSocketStream<TcpStream>,
    pub(crate) hello: Hello,
    pub(crate) acknowledge: bool,
    pub(crate) last_seq: u64,
    lines: Vec<LogLine>,
}

impl Link {
    pub(crate) async fn send(&mut self, command: Command) {
        let frame = ToWorker { v: LINK_VERSION, attempt: self.hello.attempt, command };
        self.socket.send(Message::text(serde_json::to_string(&frame).unwrap())).await.unwrap();
    }

    /// The next report that is no heartbeat.
    pub(crate) async fn next(&mut self) -> FromWorker {
        loop {
            let frame = read(&mut self.socket).await;
            assert!(frame.seq > self.last_seq, "{} after {}", frame.seq, self.last_seq);
            if self.acknowledge {
                self.last_seq = frame.seq;
                self.send(Command::Ack { seq: frame.seq, lease_ms: 600_000 }).await;
            }
            if let Report::Logs { lines } = &frame.report {
                self.lines.extend(lines.clone());
            }
            if !matches!(frame.report, Report::Heartbeat { .. }) {
                return frame;
            }
        }
    }

    pub(crate) async fn until(&mut self, wanted: impl Fn(&Report) -> bool) -> Report {
        let search = async {
            loop {
                let frame = self.next().await;
                if wanted(&frame.report) {
                    return frame.report;
                }
                if let Report::State(millrace_wire::link::WorkerState::Failed { failure }) = &frame.report {
                    panic!("the worker failed: {failure:?}");
                }
            }
        };
        tokio::time::timeout(DEADLINE, search).await.expect("the report comes in time")
    }

    pub(crate) fn lines(&self) -> &[LogLine] {
        &self.lines
    }
}

async fn read(socket: &mut WebSocketStream<TcpStream>) -> FromWorker {
    loop {
        let message = tokio::time::timeout(DEADLINE, socket.next()).await.expect("the worker says something");
        if let Message::Text(text) = message.expect("the link is open").unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

pub(crate) fn assignment(sql: &str, folder: &Path) -> Assignment {
    Assignment {
        job: JobId(uuid::Uuid::now_v7()),
        job_name: "job".to_owned(),
        run: RunId(uuid::Uuid::now_v7()),
        attempt: 1,
        team: "team".to_owned(),
        sql: sql.to_owned(),
        tables: Default::default(),
        functions: Default::default(),
        secrets: Default::default(),
        default_database: "default".to_owned(),
        settings: JobSettings { checkpoint_interval_ms: 200, ..JobSettings::default() },
        checkpoint_root: folder.join("checkpoints").display().to_string(),
        restore: None,
        start_at_ms: None,
        file_roots: Vec::new(),
        identity: "job-identity".to_owned(),
    }
}

pub(crate) fn of_attempt(assignment: Assignment, attempt: u32) -> Assignment {
    Assignment { attempt, ..assignment }
}
