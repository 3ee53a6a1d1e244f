//! Checkpoints, stopping, and the end of a run.
//!
//! Order of a checkpoint N: barrier → every sink's `prepare` → snapshot N durable → committers commit N → sinks commit N
//! and sources hear of it → older snapshots go. Only one checkpoint is under way at a time. When all tasks have ended,
//! one more checkpoint commits what the last one did not cover; then everything is closed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use millrace_wire::job::StopMode;
use millrace_wire::link::CheckpointDone;
use millrace_wire::run::RestoreKind;

use super::event::{Barrier, Control, Request, RunEvent, TaskEvent};
use super::inbox::Inbox;
use crate::checkpoint::{CheckpointStore, NodeEntry, Part, Written};
use crate::connector::{Committers, SplitId, SplitPosition};
use crate::error::{EngineError, Result};

/// A checkpoint that takes longer fails the run.
const CHECKPOINT_DEADLINE: Duration = Duration::from_secs(600);
/// A stop that takes longer ends as a cancel.
const STOP_DEADLINE: Duration = Duration::from_secs(300);

pub use millrace_wire::job::StopMode as StopRequest;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All sources ended (or were drained) and everything is committed.
    Finished,
    Stopped {
        savepoint: Option<CheckpointDone>,
    },
}

pub(super) struct Coordinator {
    parts: CoordinatorParts,
    state: State,
}

pub(super) struct TaskHandle {
    pub(super) inbox: Arc<Inbox>,
    pub(super) source: bool,
}

/// Where snapshots are encoded and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persist {
    OnThread,
    Here,
}

struct State {
    pending: Option<Pending>,
    last_started: Instant,
    wanted: Option<Wanted>,
    ended: BTreeSet<usize>,
    closed: BTreeSet<usize>,
    closing: bool,
    stop: Option<(StopMode, Instant)>,
    savepoint: Option<CheckpointDone>,
    outcome: Option<Outcome>,
}

struct Pending {
    number: u64,
    wanted: Wanted,
    since: Instant,
    waiting: BTreeSet<usize>,
    parts: Vec<Part>,
    positions: Vec<(SplitId, SplitPosition)>,
    persisting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    savepoint: bool,
    /// Sources stop at the barrier, or have ended: close when it is committed.
    last: bool,
}

impl State {
    fn new() -> Self {
        State {
            pending: None,
            last_started: Instant::now(),
            wanted: None,
            ended: BTreeSet::new(),
            closed: BTreeSet::new(),
            closing: false,
            stop: None,
            savepoint: None,
            outcome: None,
        }
    }
}

/// What a coordinator works with.
pub(super) struct CoordinatorParts {
    pub(super) tasks: Vec<TaskHandle>,
    pub(super) store: Option<CheckpointStore>,
    pub(super) run: String,
    pub(super) kept: usize,
    pub(super) committers: Arc<dyn Committers>,
    pub(super) plan_hash: String,
    pub(super) nodes: Vec<NodeEntry>,
    pub(super) interval: Option<Duration>,
    pub(super) next_number: u64,
    pub(super) persist: Persist,
    pub(super) events: Sender<TaskEvent>,
    pub(super) owner: Sender<RunEvent>,
}

impl Coordinator {
    pub(super) fn new(mut parts: CoordinatorParts) -> Self {
        parts.interval = parts.interval.filter(|interval| !interval.is_zero());
        Coordinator { parts, state: State::new() }
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.state.outcome.as_ref()
    }

    /// A checkpoint has begun and is not finished.
    pub(super) fn checkpoint_under_way(&self) -> bool {
        self.state.pending.is_some()
    }

    pub(super) fn event(&mut self, event: TaskEvent) -> Result<()> {
        match event {
            TaskEvent::Snapshot { task, checkpoint, parts, positions } => {
                self.snapshot(task, checkpoint, parts, positions)
            }
            TaskEvent::Ended { task } => {
                self.state.ended.insert(task);
                Ok(())
            }
            TaskEvent::Closed { task } => {
                self.state.closed.insert(task);
                if self.state.closed.len() == self.parts.tasks.len() {
                    self.state.outcome = Some(match self.state.stop {
                        Some((StopMode::Savepoint, _)) => Outcome::Stopped { savepoint: self.state.savepoint.take() },
                        _ => Outcome::Finished,
                    });
                }
                Ok(())
            }
            TaskEvent::Failed { error } => Err(error),
            TaskEvent::Persisted { checkpoint, result } => self.persisted(checkpoint, result),
        }
    }

    pub(super) fn request(&mut self, request: Request) -> Result<()> {
        let now = Instant::now();
        match request {
            Request::Checkpoint => self.want(Wanted { savepoint: false, last: false }),
            Request::Savepoint => self.want(Wanted { savepoint: true, last: false }),
            Request::Stop(StopMode::Savepoint) => {
                self.state.stop = Some((StopMode::Savepoint, now));
                self.want(Wanted { savepoint: true, last: true });
            }
            Request::Stop(StopMode::Drain) => {
                self.state.stop = Some((StopMode::Drain, now));
                self.tell_all(&Control::Drain);
            }
            Request::Stop(StopMode::Cancel) => {
                self.cancel_tasks();
                self.state.outcome = Some(Outcome::Stopped { savepoint: None });
            }
            Request::Fail(error) => return Err(error),
        }
        Ok(())
    }

    /// Starts what is due. Called often.
    pub(super) fn tick(&mut self) -> Result<()> {
        let now = Instant::now();
        if let Some(pending) = &self.state.pending {
            if now.duration_since(pending.since) > CHECKPOINT_DEADLINE {
                let message = format!(
                    "Checkpoint {} was not finished within {} minutes.",
                    pending.number,
                    CHECKPOINT_DEADLINE.as_secs() / 60
                );
                return Err(EngineError::external("checkpoint_timeout", message));
            }
        } else if !self.state.closing {
            self.start_what_is_due(now);
        }
        match self.state.stop {
            Some((mode, since)) if self.state.outcome.is_none() && now.duration_since(since) > STOP_DEADLINE => {
                let message = format!("Stopping ({mode}) took longer than {} minutes.", STOP_DEADLINE.as_secs() / 60);
                Err(EngineError::external("stop_timeout", message))
            }
            _ => Ok(()),
        }
    }

    /// Everything stops at once.
    pub(super) fn cancel_tasks(&self) {
        self.parts.tasks.iter().for_each(|task| task.inbox.cancel());
    }

    /// Leaves behind uncommitted what is not committed. May take long when a cluster is away.
    pub(super) fn abort(&self) -> impl FnOnce() + Send + 'static {
        let committers = self.parts.committers.all();
        move || committers.iter().for_each(|committer| committer.abort())
    }

    fn want(&mut self, wanted: Wanted) {
        // A stop is never forgotten for a checkpoint asked for later.
        let stronger = self.state.wanted.is_none_or(|now| !now.last);
        if stronger {
            self.state.wanted = Some(wanted);
        }
    }

    fn start_what_is_due(&mut self, now: Instant) {
        let all_ended = self.state.ended.len() == self.parts.tasks.len();
        let due = self.parts.interval.is_some_and(|interval| now.duration_since(self.state.last_started) >= interval);
        let wanted = match self.state.wanted.take() {
            Some(wanted) => Some(Wanted { last: wanted.last || all_ended, ..wanted }),
            None if all_ended => Some(Wanted { savepoint: false, last: true }),
            None if due => Some(Wanted { savepoint: false, last: false }),
            None => None,
        };
        let Some(wanted) = wanted else { return };
        let number = self.parts.next_number;
        self.parts.next_number += 1;
        self.state.last_started = now;
        self.state.pending = Some(Pending {
            number,
            wanted,
            since: now,
            waiting: (0..self.parts.tasks.len()).collect(),
            parts: Vec::new(),
            positions: Vec::new(),
            persisting: false,
        });
        self.tell_all(&Control::Barrier(Barrier { checkpoint: number, last: wanted.last }));
    }

    fn snapshot(
        &mut self,
        task: usize,
        checkpoint: u64,
        parts: Vec<Part>,
        positions: Vec<(SplitId, SplitPosition)>,
    ) -> Result<()> {
        let Some(pending) = self.state.pending.as_mut().filter(|pending| pending.number == checkpoint) else {
            return Ok(());
        };
        pending.waiting.remove(&task);
        pending.parts.extend(parts);
        pending.positions.extend(positions);
        if !pending.waiting.is_empty() || pending.persisting {
            return Ok(());
        }
        pending.persisting = true;
        let work = PersistWork {
            store: self.parts.store.clone(),
            run: self.parts.run.clone(),
            committers: Arc::clone(&self.parts.committers),
            plan_hash: self.parts.plan_hash.clone(),
            nodes: self.parts.nodes.clone(),
            parts: std::mem::take(&mut pending.parts),
            positions: std::mem::take(&mut pending.positions),
            number: pending.number,
            savepoint: pending.wanted.savepoint,
            since: pending.since,
        };
        match self.parts.persist {
            Persist::Here => {
                let result = work.run();
                self.persisted(checkpoint, result)
            }
            Persist::OnThread => {
                let events = self.parts.events.clone();
                let run = move || {
                    let _ = events.send(TaskEvent::Persisted { checkpoint, result: work.run() });
                };
                let spawned = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(run);
                spawned.map(|_| ()).map_err(|error| {
                    EngineError::external("no_thread", "No thread could be started.").with_detail(error)
                })
            }
        }
    }

    fn persisted(&mut self, checkpoint: u64, result: Result<CheckpointDone>) -> Result<()> {
        let done = match result {
            Ok(done) => done,
            Err(error) => {
                let _ = self
                    .parts
                    .owner
                    .send(RunEvent::CheckpointFailed { number: checkpoint, reason: error.message.clone() });
                return Err(error);
            }
        };
        let Some(pending) = self.state.pending.take() else { return Ok(()) };
        self.tell_all(&Control::Complete(checkpoint));
        if let Some(store) = &self.parts.store {
            let _ = self.parts.owner.send(RunEvent::CheckpointDone(done.clone()));
            if let Err(error) = store.prune(checkpoint, self.parts.kept) {
                tracing::warn!(reason = %error, "an old checkpoint could not be removed");
            }
        }
        if pending.wanted.savepoint {
            self.state.savepoint = Some(done);
        }
        if pending.wanted.last {
            self.state.closing = true;
            self.tell_all(&Control::Close);
        }
        Ok(())
    }

    fn tell_all(&self, control: &Control) {
        let drain = matches!(control, Control::Drain);
        let told = self.parts.tasks.iter().filter(|task| task.source || !drain);
        told.for_each(|task| task.inbox.control(control.clone()));
    }
}

/// What makes one checkpoint durable and commits it.
struct PersistWork {
    store: Option<CheckpointStore>,
    run: String,
    committers: Arc<dyn Committers>,
    plan_hash: String,
    nodes: Vec<NodeEntry>,
    parts: Vec<Part>,
    positions: Vec<(SplitId, SplitPosition)>,
    number: u64,
    savepoint: bool,
    since: Instant,
}

impl PersistWork {
    fn run(self) -> Result<CheckpointDone> {
        let at = chrono::Utc::now().timestamp_millis();
        let (path, bytes) = match &self.store {
            Some(store) => {
                let about = Written {
                    number: self.number,
                    savepoint: self.savepoint,
                    run: self.run,
                    at,
                    plan_hash: self.plan_hash.clone(),
                    nodes: self.nodes,
                };
                store.write(about, &self.parts)?
            }
            None => (String::new(), 0),
        };
        for committer in self.committers.all() {
            committer.commit(self.number, &self.plan_hash, &self.positions)?;
        }
        let ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let kind = if self.savepoint { RestoreKind::Savepoint } else { RestoreKind::Checkpoint };
        Ok(CheckpointDone { number: self.number, kind, path, bytes, ms, at })
    }
}
