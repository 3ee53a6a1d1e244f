//! The log index behind this server: what is asked of it runs apart from the requests that wait for it.
//!
//! Lines reach it by [`super::feed`]. It is a copy: runs have their own files, and what the index misses, it reads there.

use std::path::Path;
use std::sync::Arc;

use millrace_logs::{LogIndex, Notice, Options, Retention};
use millrace_wire::log::LogLine;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::clock::now_ms;
use crate::error::{Error, Result};

/// The name under which the server's own lines stand, in place of a team's id.
pub const OF_THE_SERVER: &str = "(server)";

/// Lines of the server that wait to be indexed; more are lost here, not held up.
const OWN_WAITING: usize = 10_000;

#[derive(Clone)]
pub struct LogSearch {
    index: std::result::Result<Arc<LogIndex>, Arc<str>>,
    own: mpsc::Sender<LogLine>,
    /// Until the feed takes it.
    own_lines: Arc<Mutex<Option<mpsc::Receiver<LogLine>>>>,
}

/// How long lines stay, and how many bytes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub days: u32,
    pub bytes: u64,
}

impl LogSearch {
    /// The server goes on without it, where it cannot be opened: jobs matter more.
    pub fn open(folder: &Path, kept: Kept) -> LogSearch {
        let mut options = Options::new(folder.to_owned(), Arc::new(now_ms));
        options.retention = Retention { days: kept.days, bytes: kept.bytes };
        options.notice = Arc::new(tell);
        let index = LogIndex::open(options).map(Arc::new).map_err(|error| {
            tracing::error!(folder = %folder.display(), %error, "logs cannot be searched");
            Arc::from(error.to_string())
        });
        let (own, own_lines) = mpsc::channel(OWN_WAITING);
        LogSearch { index, own, own_lines: Arc::new(Mutex::new(Some(own_lines))) }
    }

    /// A line of the server itself. Never waits.
    pub fn own_line(&self, line: LogLine) {
        // Full or closed: the line went to standard error as well.
        let _ = self.own.try_send(line);
    }

    /// Once; `None` after that.
    pub fn take_own_lines(&self) -> Option<mpsc::Receiver<LogLine>> {
        self.own_lines.lock().take()
    }

    pub fn index(&self) -> Result<&Arc<LogIndex>> {
        self.index
            .as_ref()
            .map_err(|cause| Error::unavailable("Logs cannot be searched now.").because(anyhow::anyhow!("{cause}")))
    }

    /// Off the threads that serve requests.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Arc<LogIndex>) -> millrace_logs::Result<T> + Send + 'static,
    ) -> Result<T> {
        let index = self.index()?.clone();
        let answer = tokio::task::spawn_blocking(move || question(&index)).await.map_err(Error::internal)?;
        answer.map_err(shown)
    }

    /// Commits what came last.
    pub async fn close(&self) {
        if let Ok(index) = self.index.clone() {
            let closed = tokio::task::spawn_blocking(move || index.close()).await;
            if let Err(cause) = closed {
                tracing::warn!(%cause, "the log index was not closed in order");
            }
        }
    }
}

/// What a person may do about it.
pub fn shown(error: millrace_logs::Error) -> Error {
    use millrace_logs::Error as Cause;
    match error {
        Cause::Query(wrong) => {
            let place = format!("{}–{}", wrong.span.start, wrong.span.end);
            Error::field("q", wrong.message).hint(format!("It stands at the characters {place} of the query."))
        }
        Cause::Cursor => Error::bad_request("The cursor is not valid."),
        Cause::Damaged(day) => Error::unavailable(format!("The logs of {day} are being restored.")),
        Cause::Closed => Error::unavailable("The server is stopping."),
        other => Error::internal(other),
    }
}

fn tell(notice: Notice) {
    match notice {
        Notice::JournalCut { file, bytes } => {
            tracing::info!(file = %file.display(), bytes, "the end of the logs' journal was not whole and was cut off");
        }
        Notice::JournalDamaged { file, bytes } => {
            tracing::error!(file = %file.display(), bytes, "a part of the logs' journal cannot be read");
        }
        Notice::Damaged { day, reason } => {
            tracing::error!(%day, reason, "the log index of a day is damaged and is built again");
        }
        Notice::Rebuilt { day, lines, blocks_lost } => {
            tracing::warn!(%day, lines, blocks_lost, "the log index of a day was built again");
        }
        Notice::Dropped { day, bytes } => tracing::info!(%day, bytes, "logs of a day are old enough and were dropped"),
        Notice::WriterFailed { reason } => tracing::error!(reason, "log lines cannot be indexed; it is tried again"),
    }
}
