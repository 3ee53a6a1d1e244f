//! Takes care of one live run: hears what happens, asks `lifecycle` what follows, and does it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_wire::ids::WorkerId;
use millrace_wire::job::Version;
use millrace_wire::link::{Hello, ToWorker, WorkerState};
use millrace_wire::log::LogLevel;
use millrace_wire::run::{RunEventKind, RunState};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::asked::{Asked, SavepointBy};
use super::launch::last_words;
use super::lifecycle::{Decision, Phase, Process, Report, decide};
use super::observed::{LinkNumber, Observed, Stored};
use super::steps::Step;
use super::supervisor::Shared;
use super::view::View;
use crate::clock::{new_id, now_ms};
use crate::error::{Code, Error, Result};
use crate::store::job::{self, JobRow};
use crate::store::run::{self, ProcessRow, RunRow};
use crate::store::version;

pub(crate) enum Message {
    /// The stored row changed.
    Look {
        by: String,
    },
    Savepoint {
        by: SavepointBy,
        asked: oneshot::Sender<bool>,
    },
    /// One beside those that come by themselves; answered whether it was asked for.
    Checkpoint {
        asked: oneshot::Sender<bool>,
    },
    Linked {
        hello: Box<Hello>,
        link: LinkNumber,
        commands: mpsc::Sender<ToWorker>,
        accepted: oneshot::Sender<bool>,
    },
    Unlinked {
        link: LinkNumber,
    },
    /// Answered when what has to be stored is stored.
    Reported {
        attempt: u32,
        report: Box<millrace_wire::link::Report>,
        stored: oneshot::Sender<bool>,
    },
    Exited {
        attempt: u32,
        how: String,
    },
}

/// Enough for every chain of decisions; more means that two of them undo each other.
const MOST_DECISIONS: usize = 20;
const LOOK_WHILE_CHANGING: Duration = Duration::from_millis(200);
const LOOK_WHILE_RUNNING: Duration = Duration::from_secs(1);
const RETRY_STORE: Duration = Duration::from_secs(1);
const LOOK_FOR_LEASE: Duration = Duration::from_millis(100);
/// How long an ended run's process is waited for.
const LAST_LOOK: Duration = Duration::from_secs(20);

pub(crate) struct Actor {
    pub(super) shared: Arc<Shared>,
    pub(super) run: RunRow,
    /// Loaded with the first step; absent while the store does not answer.
    pub(super) work: Option<Work>,
    pub(super) observed: Observed,
    pub(super) commands: Option<mpsc::Sender<ToWorker>>,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) own_inbox: mpsc::Sender<Message>,
    pub(super) view: Arc<Mutex<View>>,
    pub(super) worker: WorkerId,
    pub(super) back_off: Duration,
    pub(super) restarts: u32,
    pub(super) asked: Asked,
    /// The current attempt's process is a child of this server: its end is told with the reason.
    pub(super) own_child: bool,
    pub(super) seen_written: Instant,
    /// Of the current attempt: a sign that it got on.
    pub(super) checkpoints_stored: u64,
    /// Attempts lost one after the other without getting on.
    pub(super) lost_in_a_row: u32,
    shown_stale: bool,
    ended_at: Option<Instant>,
    /// The lease did not hold for a time: another server may have the run.
    was_held_up: bool,
}

/// What is run.
pub(super) struct Work {
    pub(super) job: JobRow,
    pub(super) version: Version,
    pub(super) team_slug: String,
}

impl Actor {
    pub(crate) fn new(
        shared: Arc<Shared>,
        run: RunRow,
        inbox: mpsc::Receiver<Message>,
        own_inbox: mpsc::Sender<Message>,
    ) -> (Actor, Arc<Mutex<View>>) {
        let now = Instant::now();
        let view = Arc::new(Mutex::new(View {
            heard: now,
            heard_at: run.last_seen_at,
            restarts: 0,
            job_name: String::new(),
            team_slug: String::new(),
        }));
        let mut observed = Observed::new(run.attempt, now);
        if let Some(process) = run.process {
            observed.process_is(run.attempt, shared.look_at_process(&run.host, process));
        }
        let actor = Actor {
            shared,
            run,
            work: None,
            observed,
            commands: None,
            inbox,
            own_inbox,
            view: view.clone(),
            worker: WorkerId(new_id()),
            back_off: Duration::ZERO,
            restarts: 0,
            asked: Asked::default(),
            own_child: false,
            seen_written: now,
            checkpoints_stored: 0,
            lost_in_a_row: 0,
            shown_stale: false,
            ended_at: None,
            was_held_up: false,
        };
        (actor, view)
    }

    pub(crate) async fn run(mut self) {
        let shutdown = self.shared.shutdown.clone();
        while !self.is_over() {
            match self.may_act().await {
                Some(true) => {}
                Some(false) if shutdown.is_cancelled() => return,
                Some(false) => continue,
                None => {
                    tracing::info!(run = %self.run.id, "another server takes care of a run now");
                    return;
                }
            }
            let mut pause = self.pause();
            if let Err(error) = self.settle().await {
                if error.code() == Code::NotFound {
                    tracing::info!(run = %self.run.id, "the job of a run was deleted");
                    self.kill().await;
                    return;
                }
                tracing::error!(run = %self.run.id, %error, "a run cannot be brought forward; it is tried again");
                pause = RETRY_STORE;
            }
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => self.take(message).await,
                    None => return,
                },
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return,
            }
            self.look_at_process();
            self.show_staleness();
        }
    }

    /// Whether this server's lease holds, after a pause where it does not; none when another server took the run over.
    /// What came meanwhile waits in the inbox.
    async fn may_act(&mut self) -> Option<bool> {
        if !self.shared.membership.holds() {
            self.was_held_up = true;
            tokio::time::sleep(LOOK_FOR_LEASE).await;
            return Some(false);
        }
        if self.was_held_up {
            if let Err(error) = self.reload().await {
                tracing::warn!(run = %self.run.id, %error, "a run's row cannot be read; it is tried again");
                tokio::time::sleep(LOOK_FOR_LEASE).await;
                return Some(false);
            }
            self.was_held_up = false;
        }
        (self.run.keeper == self.shared.membership.id()).then_some(true)
    }

    fn pause(&self) -> Duration {
        if self.run.state == RunState::Running { LOOK_WHILE_RUNNING } else { LOOK_WHILE_CHANGING }
    }

    fn is_over(&mut self) -> bool {
        if !self.run.state.is_terminal() {
            return false;
        }
        let ended = *self.ended_at.get_or_insert_with(Instant::now);
        let process_gone = !self.run.process.is_some_and(|row| self.look(row) == Process::Alive);
        (process_gone && !self.observed.is_linked()) || ended.elapsed() > LAST_LOOK
    }

    /// Decides and acts until nothing is left to do now.
    async fn settle(&mut self) -> Result<()> {
        self.load_work().await?;
        for _ in 0..MOST_DECISIONS {
            let facts = self.observed.facts(&self.stored(), Instant::now());
            match decide(&facts) {
                Decision::Stay => return Ok(()),
                Decision::Launch => self.launch().await?,
                Decision::Ask(mode) => self.ask(mode),
                Decision::Kill => {
                    if !self.kill().await {
                        return Ok(());
                    }
                }
                Decision::Move(to) => self.change(to).await?,
            }
        }
        Err(Error::internal(anyhow::anyhow!("decisions go in circles in {}", self.run.state)))
    }

    async fn load_work(&mut self) -> Result<()> {
        if self.work.is_some() {
            return Ok(());
        }
        let store = &self.shared.store;
        let job = job::of_any_team(store, self.run.job).await?.ok_or_else(|| Error::not_found("job"))?;
        let version = version::get(store, self.run.job, self.run.version_number).await?;
        let version = version.ok_or_else(|| Error::not_found("version"))?;
        let team_slug = self.shared.tables.team_slug(self.run.team).await?;
        {
            let mut view = self.view.lock();
            view.job_name.clone_from(&job.name);
            view.team_slug.clone_from(&team_slug);
        }
        self.work = Some(Work { job, version, team_slug });
        self.count_restarts().await
    }

    pub(super) async fn count_restarts(&mut self) -> Result<()> {
        let window = self.work.as_ref().map_or(0, |work| work.version.settings.restart_window_ms);
        let since = now_ms().saturating_sub(i64::try_from(window).unwrap_or(i64::MAX));
        self.restarts = run::attempts_since(&self.shared.store, self.run.id, since).await?;
        self.view.lock().restarts = self.run.attempt.saturating_sub(1);
        Ok(())
    }

    fn stored(&self) -> Stored {
        Stored {
            state: self.run.state,
            phase: Phase::parse(&self.run.phase).unwrap_or(Phase::Over),
            stop: self.run.stop_mode,
            restarts: self.restarts,
            restart_limit: self.work.as_ref().map_or(0, |work| work.version.settings.restart_attempts),
            back_off: self.back_off,
            limits: self.shared.limits,
        }
    }

    async fn take(&mut self, message: Message) {
        match message {
            Message::Look { by } => {
                self.asked.look(by);
                if let Err(error) = self.reload().await {
                    tracing::error!(run = %self.run.id, %error, "a run's row cannot be read");
                }
            }
            Message::Savepoint { by, asked } => {
                let may = self.run.state == RunState::Running && self.asked.savepoint(by, Instant::now());
                let _ = asked.send(may && self.send(millrace_wire::link::Command::Savepoint));
            }
            Message::Checkpoint { asked } => {
                let runs = self.run.state == RunState::Running;
                let _ = asked.send(runs && self.send(millrace_wire::link::Command::Checkpoint));
            }
            Message::Linked { hello, link, commands, accepted } => self.link(*hello, link, commands, accepted).await,
            Message::Unlinked { link } => {
                if self.observed.unlinked(link) {
                    self.commands = None;
                }
            }
            Message::Reported { attempt, report, stored } => {
                let kept = match self.report(attempt, *report).await {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::error!(run = %self.run.id, %error, "a worker's report cannot be stored; it comes again");
                        false
                    }
                };
                let _ = stored.send(kept);
            }
            Message::Exited { attempt, how } => self.exited(attempt, how).await,
        }
    }

    pub(super) async fn reload(&mut self) -> Result<()> {
        if let Some(row) = run::get(&self.shared.store, self.run.id).await? {
            let moved = row.state != self.run.state;
            if row.attempt != self.run.attempt {
                self.observed.new_attempt(row.attempt, Instant::now());
                self.commands = None;
            }
            // Totals in memory are ahead of those that are written every few seconds.
            let (records_in, records_out) =
                (self.run.records_in.max(row.records_in), self.run.records_out.max(row.records_out));
            self.run = RunRow { records_in, records_out, ..row };
            if moved {
                self.observed.new_state(Instant::now());
            }
        }
        Ok(())
    }

    async fn link(
        &mut self,
        hello: Hello,
        link: LinkNumber,
        commands: mpsc::Sender<ToWorker>,
        accepted: oneshot::Sender<bool>,
    ) {
        let current = hello.attempt == self.run.attempt
            && self.run.phase != Phase::Over.as_str()
            && !self.run.state.is_terminal();
        if !current {
            let _ = accepted.send(false);
            return;
        }
        self.shared.steps.reached(Step::Linked).await;
        let process = ProcessRow { pid: hello.pid, start: hello.process_start };
        let written =
            run::set_process(&self.shared.store, self.run.id, hello.attempt, Phase::Linked.as_str(), process).await;
        if !matches!(written, Ok(true)) {
            // Not written down: the worker tries again.
            let _ = accepted.send(false);
            return;
        }
        let adopted = self.run.phase == Phase::Linked.as_str();
        self.run.phase = Phase::Linked.as_str().to_owned();
        self.run.process = Some(process);
        self.worker = hello.worker;
        self.observed.linked(hello.attempt, link, Instant::now());
        self.heard();
        self.commands = Some(commands);
        let _ = accepted.send(true);
        if adopted {
            self.note(LogLevel::Info, "The worker's link is open again; it went on meanwhile.").await;
        }
        let waits = hello.state == WorkerState::Waiting;
        if let Err(error) = self.take_state(hello.attempt, hello.state).await {
            tracing::error!(run = %self.run.id, %error, "a worker's state cannot be stored");
        }
        if waits && self.run.stop_mode.is_none() {
            self.send_start().await;
        }
    }

    async fn send_start(&mut self) {
        match self.assignment().await {
            Ok(assignment) => {
                self.send(millrace_wire::link::Command::Start(Box::new(assignment)));
                self.shared.steps.reached(Step::StartSent).await;
            }
            Err(error) => {
                // Without its link the worker comes back, and is given its work then.
                self.note(LogLevel::Error, &format!("The work could not be handed over: {}", error.message())).await;
                self.commands = None;
            }
        }
    }

    /// A child's end comes as a message, with the reason. Of any other process the process table tells.
    fn look_at_process(&mut self) {
        let Some(row) = self.run.process else { return };
        let seen = self.look(row);
        if seen != Process::Gone {
            self.observed.process_is(self.run.attempt, seen);
        } else if !self.own_child {
            let said = self.shared.launcher.stderr_tail(self.run.id, self.run.attempt);
            let why = last_words(&said, self.was_linked()).pop().unwrap_or("it is not there any more");
            self.observed.process_ended(self.run.attempt, why.to_owned());
        }
    }

    fn look(&self, process: ProcessRow) -> Process {
        self.shared.look_at_process(&self.run.host, process)
    }

    fn was_linked(&self) -> bool {
        self.run.phase == Phase::Linked.as_str()
    }

    async fn exited(&mut self, attempt: u32, how: String) {
        let said = self.shared.launcher.stderr_tail(self.run.id, attempt);
        let ended_well =
            matches!(self.observed.report(), Report::Stopped { .. } | Report::Finished | Report::Failed(_));
        if ended_well || attempt != self.run.attempt {
            self.observed.process_ended(attempt, how);
            return;
        }
        let words = last_words(&said, self.was_linked());
        let why = words.last().map_or_else(|| how.clone(), |last| format!("{how}: {}", last.trim()));
        self.keep_stderr(attempt, &words).await;
        self.observed.process_ended(attempt, why);
    }

    pub(super) fn heard(&mut self) {
        let mut view = self.view.lock();
        view.heard = Instant::now();
        view.heard_at = Some(now_ms());
    }

    /// Tells browsers when silence begins and ends: nothing else happens then that would.
    fn show_staleness(&mut self) {
        let stale = self.view.lock().is_stale(self.run.state);
        if stale != self.shown_stale {
            self.shown_stale = stale;
            self.publish_job();
        }
    }

    pub(super) async fn warn(&mut self, message: String) {
        if let Err(error) = self.event(RunEventKind::Warning, message).await {
            tracing::error!(run = %self.run.id, %error, "an event cannot be stored");
        }
    }
}
