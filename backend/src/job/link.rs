//! The server's end of the worker link, apart from the WebSocket itself: frames of text come in and go out.
//!
//! The first frame must be `Hello` with the token of the run's current attempt; anything else is fenced. After that
//! each report is stored, or handed to the run's actor, before it is acknowledged. When that fails the link is closed
//! without an acknowledgement, and the worker sends the report again over its next link. Log lines are stored when the
//! disk has them: one call for all that come within a moment, and acknowledgements wait for it.

use std::time::Duration;

use millrace_wire::ids::RunId;
use millrace_wire::link::{Command, FromWorker, Hello, LINK_VERSION, Report, ToWorker};
use millrace_wire::log::LogLine;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::actor::Message;
use super::bad_record::{self, MetBy};
use super::lifecycle::LEASE;
use super::supervisor::{Handle, Supervisor};
use super::token;
use crate::error::Result;
use crate::log::Origin;
use crate::store::run::{self, RunRow};

const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Workers send something every few seconds; a link without it is a dead one.
const SILENT_LINK: Duration = Duration::from_secs(60);
/// Commands that wait for the socket.
const COMMANDS: usize = 16;
/// While this server starts, a worker may come before its run's actor is there.
const ACTOR_WITHIN: Duration = Duration::from_secs(5);
/// Log lines are put on the disk at most so long after they came.
const SYNC_WITHIN: Duration = Duration::from_millis(200);

/// Frames of text in both directions; dropping the sender closes the socket.
pub struct Frames {
    pub incoming: mpsc::Receiver<String>,
    pub outgoing: mpsc::Sender<String>,
}

struct Taken {
    seq: u64,
    /// It brought log lines.
    lines: bool,
}

struct Waiting {
    /// Of the last frame that was taken.
    seq: u64,
    sync_at: Instant,
}

enum Greeting {
    Welcome(Box<(Hello, RunRow)>),
    Refused {
        attempt: u32,
        reason: String,
    },
    /// Another server takes care of the run.
    GoTo {
        attempt: u32,
        link: String,
    },
    /// The store does not answer, or nobody takes care of the run yet: the worker tries again.
    Later,
}

impl Supervisor {
    /// Serves one link until it closes.
    pub async fn serve_link(&self, mut frames: Frames) {
        let Ok(Some(first)) = tokio::time::timeout(HELLO_WITHIN, frames.incoming.recv()).await else { return };
        match self.greet(&first).await {
            Greeting::Welcome(welcome) => {
                let (hello, row) = *welcome;
                self.serve_worker(hello, &row, frames).await;
            }
            Greeting::Refused { attempt, reason } => {
                tracing::warn!(%reason, "a worker's link was refused");
                send(&frames.outgoing, attempt, Command::Fence { reason }).await;
            }
            Greeting::GoTo { attempt, link } => {
                send(&frames.outgoing, attempt, Command::GoTo { link }).await;
            }
            Greeting::Later => {}
        }
    }

    async fn greet(&self, first: &str) -> Greeting {
        let refused = |attempt, reason: &str| Greeting::Refused { attempt, reason: reason.to_owned() };
        let Ok(frame) = serde_json::from_str::<FromWorker>(first) else {
            return refused(0, "The first frame cannot be read.");
        };
        if frame.v != LINK_VERSION {
            return refused(0, &format!("This server speaks version {LINK_VERSION} of the link, not {}.", frame.v));
        }
        let Report::Hello(hello) = frame.report else { return refused(0, "The first frame must be a hello.") };
        let row = match run::get(&self.shared.store, hello.run).await {
            Ok(row) => row,
            Err(error) => {
                tracing::error!(%error, "a worker cannot be checked; it comes again");
                return Greeting::Later;
            }
        };
        // One answer for all that is wrong with who it says it is.
        let Some(row) = row.filter(|row| row.job == hello.job) else {
            return refused(hello.attempt, "The token is not valid.");
        };
        if row.attempt != hello.attempt {
            return refused(hello.attempt, "Another attempt took over.");
        }
        if !token::fits(&hello.token, &row.token_hash) {
            return refused(hello.attempt, "The token is not valid.");
        }
        if row.keeper == self.shared.membership.id() {
            return Greeting::Welcome(Box::new((hello, row)));
        }
        match self.shared.membership.other(&row.keeper) {
            Some(keeper) => Greeting::GoTo { attempt: hello.attempt, link: link_at(&keeper.address) },
            // Its keeper is gone: one of the others claims it within a second or two.
            None => Greeting::Later,
        }
    }

    async fn serve_worker(&self, hello: Hello, row: &RunRow, mut frames: Frames) {
        let (run, attempt) = (row.id, hello.attempt);
        let Some(actor) = self.actor_of(run).await else { return };
        let link = self.shared.next_link();
        let (commands, mut to_send) = mpsc::channel(COMMANDS);
        let (accepted, answer) = oneshot::channel();
        let linked = Message::Linked { hello: Box::new(hello), link, commands, accepted };
        if actor.inbox.send(linked).await.is_err() || !answer.await.unwrap_or(false) {
            return;
        }
        let mut servers = self.shared.membership.addresses();
        servers.mark_changed();
        let lease_ms = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
        // Frames that are taken and not acknowledged, since lines among them are not on the disk yet.
        let mut waiting: Option<Waiting> = None;
        loop {
            let sync_at = waiting.as_ref().map_or_else(Instant::now, |waiting| waiting.sync_at);
            tokio::select! {
                frame = tokio::time::timeout(SILENT_LINK, frames.incoming.recv()) => {
                    let Ok(Some(text)) = frame else { break };
                    let Some(taken) = self.take_frame(&actor, row, attempt, &text).await else { break };
                    let seq = taken.seq;
                    match &mut waiting {
                        Some(waiting) => waiting.seq = seq,
                        None if taken.lines => waiting = Some(Waiting { seq, sync_at: Instant::now() + SYNC_WITHIN }),
                        None if !send(&frames.outgoing, attempt, Command::Ack { seq, lease_ms }).await => break,
                        None => {}
                    }
                }
                () = tokio::time::sleep_until(sync_at), if waiting.is_some() => {
                    if let Err(error) = self.shared.logs.sync(run).await {
                        tracing::error!(%run, %error, "log lines cannot be put on the disk; they come again");
                        break;
                    }
                    let Some(Waiting { seq, .. }) = waiting.take() else { continue };
                    if !send(&frames.outgoing, attempt, Command::Ack { seq, lease_ms }).await {
                        break;
                    }
                }
                command = to_send.recv() => {
                    // None: the actor has let go of this link, because another one came or the attempt is over.
                    let Some(command) = command else { break };
                    if !send_frame(&frames.outgoing, &command).await {
                        break;
                    }
                }
                Ok(()) = servers.changed() => {
                    let links = servers.borrow_and_update().iter().map(|address| link_at(address)).collect();
                    if !send(&frames.outgoing, attempt, Command::Servers { links }).await {
                        break;
                    }
                }
                () = self.shared.shutdown.cancelled() => break,
            }
        }
        let _ = actor.inbox.send(Message::Unlinked { link }).await;
    }

    /// Stores what the frame reports.
    async fn take_frame(&self, actor: &Handle, row: &RunRow, attempt: u32, text: &str) -> Option<Taken> {
        let run = row.id;
        let frame: FromWorker = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(cause) => {
                tracing::warn!(%run, attempt, %cause, "a worker sent a frame that cannot be read");
                return None;
            }
        };
        let lines = matches!(frame.report, Report::Logs { .. });
        let report = match frame.report {
            Report::Logs { lines } => {
                if let Err(error) = self.keep_lines(actor, run, attempt, frame.seq, lines).await {
                    tracing::error!(%run, %error, "log lines cannot be stored; they come again");
                    return None;
                }
                Report::Heartbeat { at: 0 }
            }
            Report::BadRecords(report) => {
                let met = MetBy { team: row.team, job: row.job, run, attempt, version: row.version_number };
                if let Err(error) = bad_record::keep(&self.shared.store, met, report).await {
                    tracing::error!(%run, %error, "bad records cannot be stored; they come again");
                    return None;
                }
                Report::Heartbeat { at: 0 }
            }
            other => other,
        };
        let (stored, answer) = oneshot::channel();
        actor.inbox.send(Message::Reported { attempt, report: Box::new(report), stored }).await.ok()?;
        answer.await.unwrap_or(false).then_some(Taken { seq: frame.seq, lines })
    }

    async fn keep_lines(
        &self,
        actor: &Handle,
        run: RunId,
        attempt: u32,
        frame: u64,
        mut lines: Vec<LogLine>,
    ) -> Result<()> {
        let whose = actor.view.lock().clone();
        for line in &mut lines {
            // Whose lines they are is known from the token, whatever they say.
            line.run = Some(run);
            line.attempt = attempt;
            line.job_name.clone_from(&whose.job_name);
            line.team.clone_from(&whose.team_slug);
        }
        for line in self.shared.logs.append(run, Origin { attempt, frame }, lines).await? {
            self.shared.mirror.log(&line);
        }
        Ok(())
    }

    async fn actor_of(&self, run: RunId) -> Option<Handle> {
        let deadline = Instant::now() + ACTOR_WITHIN;
        loop {
            if let Some(handle) = self.shared.handle(run) {
                return Some(handle);
            }
            if Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Where workers open their link at a server.
pub fn link_at(address: &str) -> String {
    let (scheme, rest) = match address.strip_prefix("https://") {
        Some(rest) => ("wss", rest),
        None => ("ws", address.strip_prefix("http://").unwrap_or(address)),
    };
    format!("{scheme}://{}/api/v1/link", rest.trim_end_matches('/'))
}

async fn send(outgoing: &mpsc::Sender<String>, attempt: u32, command: Command) -> bool {
    send_frame(outgoing, &ToWorker { v: LINK_VERSION, attempt, command }).await
}

async fn send_frame(outgoing: &mpsc::Sender<String>, frame: &ToWorker) -> bool {
    match serde_json::to_string(frame) {
        Ok(text) => outgoing.send(text).await.is_ok(),
        Err(cause) => {
            tracing::error!(%cause, "a command cannot be written");
            false
        }
    }
}
