//! Stopping all workers together with the server, so that the next server goes on where they were.
//!
//! Unlike a stop of a job this changes no wish: what should run, should run again when there is a server. Each worker takes
//! a checkpoint first, so that little is read again; then the actors leave, and the processes are killed. The runs are left
//! `recovering`: the next server launches them at once, and the end of the attempt does not count as a failure.

use std::time::{Duration, Instant};

use futures::future::join_all;
use millrace_wire::ids::RunId;
use millrace_wire::run::{RunEvent, RunEventKind, RunState};
use tokio::sync::oneshot;

use super::actor::Message;
use super::lifecycle::Process;
use super::process;
use super::supervisor::Supervisor;
use crate::clock::now_ms;
use crate::error::Result;
use crate::store::job_event;
use crate::store::run::{self, Change, ProcessRow, RunRow, Seen};
use crate::store::server;
use crate::transact;

const LOOK: Duration = Duration::from_millis(50);
const LEAVE_WITHIN: Duration = Duration::from_secs(10);
const DIE_WITHIN: Duration = Duration::from_secs(10);
const REASON: &str =
    "All workers were stopped together with the server; the job goes on when the server is started again.";

/// What became of the workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rested {
    pub workers: usize,
    /// Of these, how many had taken a checkpoint just before.
    pub with_checkpoint: usize,
}

impl Supervisor {
    /// Cancels the server's shutdown token on the way: nothing is launched from then on.
    pub async fn put_to_rest(&self, checkpoint_within: Duration) -> Result<Rested> {
        let shared = &self.shared;
        // What a server that was killed left behind is nobody else's.
        shared.membership.renew(&shared.store).await?;
        server::claim(&shared.store, shared.membership.id(), usize::MAX).await?;
        let live = run::kept_by(&shared.store, shared.membership.id()).await?;
        let checkpoints = join_all(live.iter().map(|row| self.checkpoint_before_rest(row, checkpoint_within))).await;
        shared.shutdown.cancel();
        let deadline = Instant::now() + LEAVE_WITHIN;
        while shared.cares() && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
        let mut rested = Rested::default();
        for row in run::kept_by(&shared.store, shared.membership.id()).await? {
            let here = row.process.filter(|process| shared.look_at_process(&row.host, *process) == Process::Alive);
            let Some(process) = here else { continue };
            if !end(process).await {
                continue;
            }
            rested.workers += 1;
            let index = live.iter().position(|before| before.id == row.id);
            rested.with_checkpoint += usize::from(index.and_then(|at| checkpoints.get(at)).is_some_and(|done| *done));
            self.leave_recovering(&row).await?;
        }
        Ok(rested)
    }

    /// Whether one was taken in time.
    async fn checkpoint_before_rest(&self, row: &RunRow, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let (asked, answer) = oneshot::channel();
        let Some(handle) = self.shared.handle(row.id) else { return false };
        if handle.inbox.send(Message::Checkpoint { asked }).await.is_err() || !answer.await.unwrap_or(false) {
            return false;
        }
        let before = self.newest_checkpoint(row.id).await;
        while Instant::now() < deadline {
            if self.newest_checkpoint(row.id).await > before {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        false
    }

    async fn newest_checkpoint(&self, run: RunId) -> Option<u64> {
        let row = run::get(&self.shared.store, run).await.ok().flatten();
        row.and_then(|row| row.restore).map(|restore| restore.number)
    }

    /// A stop that somebody asked for is left to the next server, which finds the worker gone.
    async fn leave_recovering(&self, row: &RunRow) -> Result<()> {
        if !matches!(row.state, RunState::Starting | RunState::Running) {
            return Ok(());
        }
        let at = now_ms();
        let change = Change { to: RunState::Recovering, reason: REASON, attempt_is_over: true, at };
        let seen = Seen { attempt: row.attempt, state: row.state };
        let (kind, message) = (RunEventKind::State, REASON.to_owned());
        let event = RunEvent { at, run: row.id, attempt: row.attempt, kind, message };
        transact!(self.shared.store, tx => {
            if run::change_state(tx, row.id, seen, &change).await? {
                job_event::insert(tx, row.team, row.job, &event).await?;
            }
            Ok(())
        })
    }
}

/// Whether the process is gone now.
async fn end(process: ProcessRow) -> bool {
    process::kill(process);
    let deadline = Instant::now() + DIE_WITHIN;
    while process::is_alive(process) && Instant::now() < deadline {
        tokio::time::sleep(LOOK).await;
    }
    !process::is_alive(process)
}
