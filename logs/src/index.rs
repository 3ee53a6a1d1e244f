//! The log index as its caller sees it: lines go in, questions are answered (see `search`), old days go.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use crate::days::Days;
use crate::error::{Error, Notice, Result};
use crate::group_book::GroupBook;
use crate::journal::Journal;
use crate::line::{Day, Line};
use crate::mend::{self, Alarm};
use crate::query::Query;
use crate::retention::Retention;
use crate::scope::Allowed;
use crate::tail::{Subscription, Tailed};
use crate::writer::{self, Progress, Shared};

/// Tantivy takes no less per writer.
const LEAST_WRITER_MEMORY: usize = 32 << 20;

#[derive(Clone)]
pub struct Options {
    pub root: PathBuf,
    /// UTC milliseconds; decides what "today" is.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// What is worth a line in the caller's own log. It is called from several threads and must not append to this index and wait.
    pub notice: Arc<dyn Fn(Notice) + Send + Sync>,
    pub retention: Retention,
    /// A line can be found at most so long after it was appended, as long as indexing keeps up.
    pub commit_every: Duration,
    /// Bytes of memory for what is being indexed, over all days that are written.
    pub writer_memory: usize,
    /// Bytes in the journal that are not indexed; above, appending waits.
    pub journal_limit: u64,
    /// Threads that answer one search together.
    pub searchers: usize,
}

impl Options {
    pub fn new(root: PathBuf, clock: Arc<dyn Fn() -> i64 + Send + Sync>) -> Options {
        Options {
            root,
            clock,
            notice: Arc::new(|_| {}),
            retention: Retention::default(),
            commit_every: Duration::from_secs(2),
            writer_memory: 64 << 20,
            journal_limit: 256 << 20,
            searchers: 2,
        }
    }
}

/// See the page on logs for what it promises.
pub struct LogIndex {
    pub(crate) shared: Arc<Shared>,
    pub(crate) groups: Arc<GroupBook>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// One process at a time: the lock goes with the file.
    _lock: File,
}

impl LogIndex {
    /// Opens or makes it. Lines that were acknowledged and are not indexed yet are indexed in the background.
    pub fn open(mut options: Options) -> Result<LogIndex> {
        std::fs::create_dir_all(&options.root)?;
        let lock = File::create(options.root.join(".lock"))?;
        lock.try_lock().map_err(|_| Error::Failed("another process has the log index open".to_owned()))?;
        options.writer_memory = options.writer_memory.max(LEAST_WRITER_MEMORY);
        let notice = options.notice.clone();
        let days = Days::open(options.root.clone(), notice.clone(), options.searchers)?;
        let journal = Journal::open(options.root.join("journal"), options.journal_limit, &|event| notice(event))?;
        let groups = Arc::new(GroupBook::open(options.root.join("groups.json"))?);
        let shared = Arc::new(Shared {
            options,
            days,
            journal,
            tails: Arc::default(),
            progress: Progress::default(),
            turn: Mutex::default(),
            alarm: Alarm::default(),
        });
        let index = LogIndex { shared, groups, threads: Mutex::default(), _lock: lock };
        index.start("log-index", writer::run)?;
        index.start("log-mend", mend::run)?;
        Ok(index)
    }

    fn start(&self, name: &str, run: fn(&Shared)) -> Result<()> {
        let shared = self.shared.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared))?;
        self.threads.lock().push(thread);
        Ok(())
    }

    /// Takes lines. They outlive a kill of this process from now on, and everything else after [`LogIndex::sync`]. Waits while
    /// indexing is far behind. A line whose stream and number are known is passed over.
    pub fn append(&self, lines: &[Line]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.shared.journal.append(lines)?;
        Ok(())
    }

    /// Lines appended before this call are on the disk when it returns: they may be acknowledged.
    pub fn sync(&self) -> Result<()> {
        self.shared.journal.sync()
    }

    /// Waits until everything appended before this call can be found.
    pub fn flush(&self) -> Result<()> {
        let end = self.shared.journal.end();
        self.shared.journal.ask_for_commit(end);
        self.shared.progress.wait(end)
    }

    /// Lines as they come from now on. `deliver` runs in the indexing thread: it must not wait, and ends the watching with false,
    /// not by dropping the subscription.
    pub fn watch(
        &self,
        allowed: Allowed,
        query: Query,
        deliver: impl FnMut(&Tailed) -> bool + Send + 'static,
    ) -> Subscription {
        self.shared.tails.add(allowed, query, Box::new(deliver))
    }

    /// Lines that were not taken because their time lies outside of what is kept.
    pub fn refused(&self) -> u64 {
        self.shared.progress.refused()
    }

    /// Days that are there, oldest first, with their bytes on disk.
    pub fn days(&self) -> Result<Vec<(Day, u64)>> {
        self.shared.days.all().into_iter().map(|(day, _)| Ok((day, self.shared.days.bytes(day)?))).collect()
    }

    /// Reads every byte of the index of a day; when it is damaged, it is built again in the background.
    pub fn verify(&self, day: Day) -> Result<bool> {
        let index = self.shared.days.ready(day)?;
        let reason = match index.damaged_files() {
            Ok(files) if files.is_empty() => return Ok(true),
            Ok(files) => format!("{} files are not as they were written", files.len()),
            Err(error) => error.to_string(),
        };
        self.report_damage(day, reason);
        Ok(false)
    }

    pub(crate) fn report_damage(&self, day: Day, reason: String) {
        self.shared.days.mark_damaged(day, reason);
        self.shared.journal.wake();
        self.shared.alarm.raise();
    }

    /// Takes no more lines, commits what was indexed, and ends its threads.
    pub fn close(&self) {
        self.shared.journal.close();
        self.shared.alarm.close();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            // A panic of the thread was told by a notice.
            let _ = thread.join();
        }
    }
}

impl Drop for LogIndex {
    fn drop(&mut self) {
        self.close();
    }
}
