//! Log lines of runs: append-only segments of JSON lines below the data directory, one folder per run.
//!
//! ```text
//! <data>/logs/<run>/00000000000000000000.jsonl     first line has sequence 0
//!                   00000000000000004821.jsonl     first line has sequence 4821, and so on
//! ```
//! Each line is a wire `LogLine` with one more field, `frame`: the number of the link's report that carried it. A report
//! that comes again after a lost link is recognised by it, so that no line is stored twice.
//!
//! Promises: sequences go up by one per run without a gap at the end; a line is on the disk before its report is
//! acknowledged ([`LogStore::sync`]); a torn last line (power loss) is cut off when the log is opened again; a run keeps at most
//! `MAX_SEGMENTS` segments, the oldest go first; readers never wait for writers.
//!
//! `feed` brings the lines of all runs into the index that `search` asks.

pub mod feed;
mod follow;
mod read;
pub mod search;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use millrace_wire::ids::RunId;
use millrace_wire::log::{LogLevel, LogLine, LogPage};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::error::{Error, Result};
use segment::OpenLog;

/// Bytes after which a new segment begins.
const SEGMENT_BYTES: u64 = 1 << 20;
const MAX_SEGMENTS: usize = 64;
/// Longer messages are cut; the end says so.
const MAX_MESSAGE: usize = 16 * 1024;

/// What a reader asks for. Without `from` and `before`: the newest lines.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Lines with this sequence and higher, oldest first.
    pub from: Option<u64>,
    /// Lines with a lower sequence, the newest of them.
    pub before: Option<u64>,
    /// This severe or more.
    pub level: Option<LogLevel>,
    /// In message or target, whatever the case.
    pub contains: Option<String>,
    pub limit: usize,
}

/// Where a batch of lines came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    pub attempt: u32,
    /// Number of the link's report; 0 for lines that the server itself wrote, which are never taken for doubles.
    pub frame: u64,
}

pub struct LogStore {
    root: PathBuf,
    segment_bytes: u64,
    max_segments: usize,
    open: Mutex<HashMap<RunId, Arc<Mutex<OpenLog>>>>,
    fresh: Fresh,
}

/// Runs with lines that the index has not seen.
#[derive(Default)]
struct Fresh(Mutex<HashSet<RunId>>);

impl Fresh {
    fn mark(&self, run: RunId) {
        self.0.lock().insert(run);
    }

    fn take(&self) -> HashSet<RunId> {
        std::mem::take(&mut self.0.lock())
    }
}

impl LogStore {
    pub fn new(root: PathBuf) -> LogStore {
        LogStore::with_limits(root, SEGMENT_BYTES, MAX_SEGMENTS)
    }

    fn with_limits(root: PathBuf, segment_bytes: u64, max_segments: usize) -> LogStore {
        LogStore { root, segment_bytes, max_segments, open: Mutex::default(), fresh: Fresh::default() }
    }

    /// Numbers the lines and appends them, unless this report was stored before.
    pub async fn append(&self, run: RunId, origin: Origin, lines: Vec<LogLine>) -> Result<Vec<LogLine>> {
        let log = self.open(run);
        let stored = blocking(move || log.lock().append(origin, lines)).await?;
        self.fresh.mark(run);
        Ok(stored)
    }

    /// Puts on the disk what was appended.
    pub async fn sync(&self, run: RunId) -> Result<()> {
        let log = self.open(run);
        blocking(move || log.lock().sync()).await
    }

    #[cfg(test)]
    pub(crate) fn is_synced(&self, run: RunId) -> bool {
        self.open(run).lock().is_synced()
    }

    pub async fn page(&self, run: RunId, query: LogQuery) -> Result<LogPage> {
        let folder = self.folder(run);
        blocking(move || read::page(&folder, &query)).await
    }

    /// Changes when lines were appended; for tails.
    pub fn watch(&self, run: RunId) -> watch::Receiver<u64> {
        self.open(run).lock().watch()
    }

    /// Closes the files of a run that is over. It can still be read.
    pub fn close(&self, run: RunId) {
        self.open.lock().remove(&run);
    }

    pub async fn delete(&self, run: RunId) -> Result<()> {
        self.close(run);
        let folder = self.folder(run);
        blocking(move || match std::fs::remove_dir_all(&folder) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(cause),
            _ => Ok(()),
        })
        .await
    }

    fn folder(&self, run: RunId) -> PathBuf {
        self.root.join(run.to_string())
    }

    fn open(&self, run: RunId) -> Arc<Mutex<OpenLog>> {
        let mut open = self.open.lock();
        let log = open.entry(run).or_insert_with(|| {
            Arc::new(Mutex::new(OpenLog::new(self.folder(run), self.segment_bytes, self.max_segments)))
        });
        log.clone()
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(Error::internal)
}
