//! Previews: a child process reads real input for a while and its rows go to the browser.
//!
//! ```text
//! POST ──▶ start ──▶ millrace-worker preview ──JSON lines──▶ buffer (bounded) ──▶ any number of readers, each from
//!                         ▲ killed on cancel, limits, or 10 s without a reader                the start
//! ```
//! Promises: sinks are never written (the worker replaces them, and is told of no other); a user has at most
//! `MOST_PER_USER` previews at a time; whatever happens the process ends, and its buffer is forgotten after
//! `KEPT_AFTER_END`; only members of the team can read or cancel it.

mod buffer;
mod child;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::ids::{PreviewId, TeamId, UserId};
use millrace_wire::link::PreviewAssignment;
use millrace_wire::preview::{PreviewEvent, ResultColumn};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::clock::new_id;
use crate::error::{Error, Result};
use crate::job::beside_this_one;
use crate::parameter::Filled;
use buffer::Buffer;
pub use buffer::Reader;

const MOST_PER_USER: usize = 3;
/// Of all users together: each one is a process.
const MOST: usize = 24;
const KEPT_AFTER_END: Duration = Duration::from_secs(60);
const PLANNED_WITHIN: Duration = Duration::from_secs(30);
pub const MOST_ROWS: u32 = 10_000;
pub const MOST_SECONDS: u32 = 600;
pub const MEMORY_MB: u64 = 512;

/// Cheap to clone.
#[derive(Clone)]
pub struct Previews {
    inner: Arc<Inner>,
}

struct Inner {
    worker_binary: Option<PathBuf>,
    folder: PathBuf,
    shutdown: CancellationToken,
    running: Mutex<HashMap<PreviewId, Running>>,
}

struct Running {
    team: TeamId,
    user: UserId,
    buffer: Arc<Buffer>,
    cancel: CancellationToken,
}

/// A preview whose statement is planned.
pub struct Started {
    pub id: PreviewId,
    pub columns: Vec<ResultColumn>,
    pub note: String,
    /// Comes when it is over: all its events as JSON.
    pub ended: oneshot::Receiver<Vec<Arc<str>>>,
}

impl Previews {
    pub fn new(worker_binary: Option<PathBuf>, folder: PathBuf, shutdown: CancellationToken) -> Previews {
        Previews { inner: Arc::new(Inner { worker_binary, folder, shutdown, running: Mutex::default() }) }
    }

    /// Starts the process and waits until it has planned the statement, or has said why it cannot.
    /// `script`: what the assignment's text came from.
    pub async fn start(
        &self,
        team: TeamId,
        user: UserId,
        script: Filled,
        assignment: PreviewAssignment,
    ) -> Result<Started> {
        let program = beside_this_one(self.inner.worker_binary.as_deref(), "millrace-worker", "MILLRACE_WORKER_BINARY")
            .map_err(|why| Error::unavailable(format!("A preview cannot be started: {why}.")))?;
        let id = PreviewId(new_id());
        let buffer = Arc::new(Buffer::default());
        let cancel = self.inner.shutdown.child_token();
        self.reserve(id, Running { team, user, buffer: buffer.clone(), cancel: cancel.clone() })?;
        let folder = self.inner.folder.clone();
        let job = child::Job { program, folder, script, assignment, buffer: buffer.clone(), cancel };
        let previews = self.clone();
        let (end, ended) = oneshot::channel();
        let whole = buffer.clone();
        tokio::spawn(async move {
            child::run(job).await;
            // Nobody may wait for it, which is fine.
            let _ = end.send(whole.events());
            tokio::time::sleep(KEPT_AFTER_END).await;
            previews.inner.running.lock().remove(&id);
        });
        match tokio::time::timeout(PLANNED_WITHIN, buffer.planned()).await {
            Ok((columns, note)) => Ok(Started { id, columns, note, ended }),
            Err(_) => {
                if let Some(preview) = self.inner.running.lock().get(&id) {
                    preview.cancel.cancel();
                }
                Err(Error::unavailable("The preview did not start in time. Try again in a minute."))
            }
        }
    }

    fn reserve(&self, id: PreviewId, new: Running) -> Result<()> {
        let mut running = self.inner.running.lock();
        let live = running.values().filter(|preview| !preview.buffer.is_over());
        let (mut all, mut of_user) = (0, 0);
        for preview in live {
            all += 1;
            of_user += usize::from(preview.user == new.user);
        }
        if of_user >= MOST_PER_USER {
            return Err(Error::too_many_requests(format!(
                "You have {MOST_PER_USER} previews running. Cancel one first."
            )));
        }
        if all >= MOST {
            return Err(Error::too_many_requests(
                "Too many previews are running on this server. Try again in a minute.",
            ));
        }
        running.insert(id, new);
        Ok(())
    }

    /// All events from the start on. Somebody else's preview does not exist: it may show what the caller may not see.
    pub fn read(&self, team: TeamId, user: UserId, id: PreviewId) -> Result<Reader> {
        let running = self.inner.running.lock();
        let preview = running.get(&id).filter(|preview| preview.team == team && preview.user == user);
        Ok(preview.ok_or_else(|| Error::not_found("preview"))?.buffer.read())
    }

    pub fn cancel(&self, team: TeamId, user: UserId, id: PreviewId) -> Result<()> {
        let running = self.inner.running.lock();
        let preview = running.get(&id).filter(|preview| preview.team == team && preview.user == user);
        preview.ok_or_else(|| Error::not_found("preview"))?.cancel.cancel();
        Ok(())
    }
}

/// The last event of every preview is one of these.
fn is_last(event: &PreviewEvent) -> bool {
    matches!(event, PreviewEvent::End { .. } | PreviewEvent::Failed { .. })
}
