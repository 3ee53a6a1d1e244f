//! Speaks the link for every worker process of a run, and reconnects when its server goes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::ids::{JobId, RunId, WorkerId};
use millrace_wire::job::StopMode;
use millrace_wire::link::{
    Assignment, CheckpointDone, Command, FromWorker, Hello, LINK_VERSION, Report, ToWorker, WorkerState,
};
use millrace_wire::log::{LogLevel, LogLine};
use millrace_wire::run::RestoreKind;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::surroundings::plan;
use crate::clock::new_id;
use crate::job::link::Frames;
use crate::job::process;
use crate::job::supervisor::Supervisor;
use crate::store::run::ProcessRow;

/// What a worker has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) assignments: Vec<Assignment>,
    pub(super) fenced: bool,
    /// Number of the last report that was acknowledged, and of the one that brought log lines.
    pub(super) acknowledged: u64,
    pub(super) lines: u64,
    /// Runs its dataflow.
    pub(super) active: bool,
    pub(super) links: u32,
    pub(super) process: Option<ProcessRow>,
}

pub(super) struct Fleet {
    pub(super) workers: Arc<Mutex<BTreeMap<u32, Seen>>>,
    server: watch::Sender<Option<Supervisor>>,
    _tasks: JoinSet<()>,
}

impl Fleet {
    /// Watches the run's folder for workers that have got their token.
    pub(super) fn new(folder: PathBuf, job: JobId, run: RunId) -> Fleet {
        let workers = Arc::<Mutex<BTreeMap<u32, Seen>>>::default();
        let (server, current) = watch::channel(None);
        let mut tasks = JoinSet::new();
        let all = workers.clone();
        tasks.spawn(async move {
            let mut mine = JoinSet::new();
            let mut known = BTreeSet::new();
            loop {
                for (attempt, process, token) in workers_in(&folder) {
                    if !known.insert(attempt) {
                        continue;
                    }
                    all.lock().insert(attempt, Seen { process: Some(process), ..Seen::default() });
                    let hello = Hello {
                        worker: WorkerId(new_id()),
                        job,
                        run,
                        attempt,
                        token,
                        pid: process.pid,
                        process_start: process.start,
                        state: WorkerState::Waiting,
                    };
                    mine.spawn(
                        Worker { hello, process, seq: 0, savepoints: 0, server: current.clone(), all: all.clone() }
                            .live(),
                    );
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Fleet { workers, server, _tasks: tasks }
    }

    pub(super) fn talk_to(&self, server: &Supervisor) {
        self.server.send_replace(Some(server.clone()));
    }

    pub(super) fn server_is_gone(&self) {
        self.server.send_replace(None);
    }

    pub(super) fn seen(&self, attempt: u32) -> Seen {
        self.workers.lock().get(&attempt).cloned().unwrap_or_default()
    }

    /// Attempts whose process lives and runs its dataflow.
    pub(super) fn active(&self) -> Vec<u32> {
        let workers = self.workers.lock();
        let lives = |seen: &Seen| seen.active && seen.process.is_some_and(process::is_alive);
        workers.iter().filter(|(_, seen)| lives(seen)).map(|(attempt, _)| *attempt).collect()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for seen in self.workers.lock().values() {
            seen.process.map(process::kill);
        }
    }
}

/// Attempt, process and token of every worker that was started in this folder.
fn workers_in(folder: &Path) -> Vec<(u32, ProcessRow, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(attempt) = name.strip_prefix("worker-") else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        let (pid, token) = text.trim().split_once(' ').unwrap();
        let pid = pid.parse().unwrap();
        // Killed already: no start time, and no process has this one.
        let start = process::start_time(pid).unwrap_or(0);
        found.push((attempt.parse().unwrap(), ProcessRow { pid, start }, token.to_owned()));
    }
    found
}

struct Worker {
    hello: Hello,
    process: ProcessRow,
    seq: u64,
    /// Taken when asked for, beside the last one.
    savepoints: u64,
    server: watch::Receiver<Option<Supervisor>>,
    all: Arc<Mutex<BTreeMap<u32, Seen>>>,
}

impl Worker {
    async fn live(mut self) {
        while process::is_alive(self.process) {
            let server = self.server.borrow_and_update().clone();
            match server {
                Some(server) => self.talk(server).await,
                None => {
                    let _ = self.server.changed().await;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(self.all.lock().entry(self.hello.attempt).or_default());
    }

    /// One link. Ends when either side closes it, the server is replaced, or the process is gone.
    async fn talk(&mut self, server: Supervisor) {
        let (to_server, incoming) = mpsc::channel(8);
        let (outgoing, mut from_server) = mpsc::channel(8);
        tokio::spawn(async move { server.serve_link(Frames { incoming, outgoing }).await });
        self.note(|seen| seen.links += 1);
        let hello = FromWorker { v: LINK_VERSION, seq: 0, report: Report::Hello(self.hello.clone()) };
        if to_server.send(serde_json::to_string(&hello).unwrap()).await.is_err() {
            return;
        }
        let mut beat = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                text = from_server.recv() => {
                    let Some(text) = text else { return };
                    let frame: ToWorker = serde_json::from_str(&text).unwrap();
                    if !self.obey(frame, &to_server).await {
                        return;
                    }
                }
                _ = beat.tick() => {
                    if !process::is_alive(self.process) {
                        return;
                    }
                    self.report(&to_server, Report::Heartbeat { at: 0 }).await;
                }
                _ = self.server.changed() => return,
            }
        }
    }

    async fn report(&mut self, to_server: &mpsc::Sender<String>, report: Report) {
        self.seq += 1;
        let frame = FromWorker { v: LINK_VERSION, seq: self.seq, report };
        let _ = to_server.send(serde_json::to_string(&frame).unwrap()).await;
    }

    async fn obey(&mut self, frame: ToWorker, to_server: &mpsc::Sender<String>) -> bool {
        match frame.command {
            Command::Start(assignment) => {
                let (graph, guarantee) = plan();
                self.note(|seen| {
                    seen.active = true;
                    seen.assignments.push(*assignment);
                });
                self.hello.state = WorkerState::Running { graph, guarantee, restored_from: None };
                self.report(to_server, Report::Logs { lines: vec![line("worker runs")] }).await;
                let lines = self.seq;
                self.note(|seen| seen.lines = lines);
                self.report(to_server, Report::State(self.hello.state.clone())).await;
                self.report(to_server, Report::CheckpointDone(done(1, RestoreKind::Checkpoint))).await;
            }
            Command::Stop { mode } => {
                let savepoint = (mode == StopMode::Savepoint).then(|| done(9, RestoreKind::Savepoint));
                self.hello.state = WorkerState::Stopped { savepoint };
                self.report(to_server, Report::State(self.hello.state.clone())).await;
            }
            Command::Fence { .. } => {
                self.note(|seen| {
                    seen.fenced = true;
                    seen.active = false;
                });
                process::kill(self.process);
                return false;
            }
            Command::Ack { seq, .. } => {
                self.note(|seen| seen.acknowledged = seq);
                let ended = matches!(self.hello.state, WorkerState::Stopped { .. });
                if ended && seq == self.seq {
                    self.note(|seen| seen.active = false);
                    process::kill(self.process);
                    return false;
                }
            }
            Command::Savepoint => {
                self.savepoints += 1;
                let report = Report::CheckpointDone(done(20 + self.savepoints, RestoreKind::Savepoint));
                self.report(to_server, report).await;
            }
            Command::Servers { .. } | Command::GoTo { .. } | Command::Checkpoint => {}
        }
        true
    }
}

fn done(number: u64, kind: RestoreKind) -> CheckpointDone {
    CheckpointDone { number, kind, path: format!("{kind}-{number}"), bytes: 10, ms: 1, at: number as i64 }
}

fn line(message: &str) -> LogLine {
    LogLine {
        seq: 0,
        at: 1,
        level: LogLevel::Info,
        target: "engine".into(),
        message: message.into(),
        job: None,
        job_name: "another name".into(),
        run: None,
        attempt: 77,
        worker: "w".into(),
        team: "another team".into(),
    }
}
