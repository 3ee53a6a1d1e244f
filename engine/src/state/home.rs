//! What the state of a run shares: the memory it may take, and where it goes on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded, unbounded};

use super::budget::Budget;
use super::log::LogPart;
use super::segment::SegmentFile;
use crate::error::{EngineError, Result};

/// Writes that may wait before whoever asks for another has to.
const QUEUE: usize = 4;

/// How the state of a run is kept.
#[derive(Clone, Debug)]
pub struct StateOptions {
    /// Where segments are written; on the file system of the checkpoints, so that these can link to them. `None`: among
    /// the temporary files of the system, when memory does not suffice.
    pub directory: Option<PathBuf>,
    /// Bytes of memory. `None`: as much as there is.
    pub memory: Option<u64>,
    /// State of an operator below this is written whole into each checkpoint; above, only what changed.
    pub whole_below: u64,
    /// Changes come to disk when they are so many bytes.
    pub flush_bytes: u64,
    /// So many changed keys are made ready for disk behind one batch at most: the rows wait. At barriers all are.
    pub keys_at_once: usize,
    /// A restore brings keys into memory for so long; the job waits. Others come when they are asked for. Where all keys
    /// have to be looked at anyway, as for windows, only memory sets the limit.
    pub load_for: Duration,
    /// Writes happen at once, on the thread that asks for them.
    pub inline: bool,
}

impl Default for StateOptions {
    fn default() -> Self {
        StateOptions {
            directory: None,
            memory: None,
            whole_below: 4 << 20,
            flush_bytes: 8 << 20,
            keys_at_once: 32_768,
            load_for: Duration::from_secs(3),
            inline: false,
        }
    }
}

impl StateOptions {
    /// For a process that may take so many bytes in all; 0: half of what the machine has.
    pub fn within(process: u64) -> Self {
        /// What code, batches and buffers take.
        const BESIDE: u64 = 192 << 20;
        const LEAST: u64 = 16 << 20;
        let process = if process == 0 { machine_memory() / 2 } else { process };
        // The rest is for what the allocator rounds up and holds back, and what is on its way to disk.
        let memory = process.saturating_sub(BESIDE) / 20 * 11;
        StateOptions { memory: Some(memory.max(LEAST)), ..StateOptions::default() }
    }
}

fn machine_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    // As good as without a limit where it cannot be known.
    kilobytes.map_or(u64::MAX, |kilobytes| kilobytes << 10)
}

pub struct StateHome {
    pub options: StateOptions,
    pub budget: Budget,
    directory: OnceLock<Result<Arc<Directory>>>,
    next: AtomicU64,
    loading_since: OnceLock<Instant>,
    /// Writes what operators hand over.
    writer: Hand,
    /// Merges; a merge must not keep a write waiting.
    merger: Hand,
    /// Removes files: the file system may take its time, while others are written.
    cleaner: Hand,
}

type Job = Box<dyn FnOnce() + Send>;

/// A thread that works off jobs, begun with the first of them. It ends with its home.
struct Hand {
    name: &'static str,
    /// `None`: whoever asks never waits.
    queue: Option<usize>,
    jobs: OnceLock<Result<Sender<Job>>>,
}

/// Removed with everything in it when nobody needs it any more.
#[derive(Debug)]
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::debug!(reason = %error, "a folder of state could not be removed");
        }
    }
}

impl StateHome {
    pub fn new(options: StateOptions) -> Arc<Self> {
        Arc::new(StateHome {
            budget: Budget::new(options.memory),
            options,
            directory: OnceLock::new(),
            next: AtomicU64::new(1),
            loading_since: OnceLock::new(),
            writer: Hand { name: "state-writer", queue: Some(QUEUE), jobs: OnceLock::new() },
            merger: Hand { name: "state-merger", queue: Some(QUEUE), jobs: OnceLock::new() },
            cleaner: Hand { name: "state-cleaner", queue: None, jobs: OnceLock::new() },
        })
    }

    /// Checkpoints link to what is written here.
    pub const fn is_durable(&self) -> bool {
        self.options.directory.is_some()
    }

    /// Whether operators that are restored may go on to bring keys into memory.
    pub fn has_time_to_load(&self) -> bool {
        self.loading_since.get_or_init(Instant::now).elapsed() < self.options.load_for
    }

    /// A segment that `write` will make.
    pub fn write(&self, write: impl FnOnce(&Path) -> Result<()> + Send + 'static) -> Result<Arc<Segment>> {
        self.make(&self.writer, write)
    }

    pub fn merge(&self, write: impl FnOnce(&Path) -> Result<()> + Send + 'static) -> Result<Arc<Segment>> {
        self.make(&self.merger, write)
    }

    /// A segment of a checkpoint, linked so that it stays when the checkpoint goes.
    pub fn adopt(&self, from: &Path) -> Result<Arc<Segment>> {
        let segment = self.segment()?;
        link_or_copy(from, &segment.path)?;
        let file = SegmentFile::open(&segment.path).map(Arc::new);
        segment.synced.store(true, Relaxed);
        let _ = segment.file.set(file);
        segment.wait()?;
        Ok(segment)
    }

    /// What a merge has made superfluous.
    pub fn discard(&self, parts: Vec<LogPart>) -> Result<()> {
        let job = move || drop(parts);
        if self.options.inline {
            job();
            return Ok(());
        }
        self.cleaner.give(Box::new(job))
    }

    fn make(&self, hand: &Hand, write: impl FnOnce(&Path) -> Result<()> + Send + 'static) -> Result<Arc<Segment>> {
        let segment = self.segment()?;
        let made = Arc::clone(&segment);
        let job = move || {
            let file = write(&made.path).and_then(|()| SegmentFile::open(&made.path).map(Arc::new));
            let _ = made.file.set(file);
        };
        if self.options.inline {
            job();
        } else {
            hand.give(Box::new(job))?;
        }
        Ok(segment)
    }

    fn segment(&self) -> Result<Arc<Segment>> {
        let directory = self.directory.get_or_init(|| self.create()).as_ref().map_err(Clone::clone)?;
        let number = self.next.fetch_add(1, Relaxed);
        Ok(Arc::new(Segment {
            path: directory.0.join(format!("{number}.segment")),
            file: OnceLock::new(),
            synced: AtomicBool::new(false),
            _directory: Arc::clone(directory),
        }))
    }

    fn create(&self) -> Result<Arc<Directory>> {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let own = || format!("millrace-state-{}-{}", std::process::id(), RUNS.fetch_add(1, Relaxed));
        let path = self.options.directory.clone().unwrap_or_else(|| std::env::temp_dir().join(own()));
        // Left by a process that was killed and had the same number.
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|error| failed(&path, &error))?;
        }
        fs::create_dir_all(&path).map_err(|error| failed(&path, &error))?;
        Ok(Arc::new(Directory(path)))
    }
}

impl Hand {
    fn give(&self, job: Job) -> Result<()> {
        let start = || {
            let (jobs, work) = self.queue.map_or_else(unbounded::<Job>, bounded::<Job>);
            let run = move || work.into_iter().for_each(|job| job());
            let started = std::thread::Builder::new().name(self.name.to_owned()).spawn(run);
            started
                .map(|_| jobs)
                .map_err(|error| EngineError::external("no_thread", "No thread could be started.").with_detail(error))
        };
        let jobs = self.jobs.get_or_init(start).as_ref().map_err(Clone::clone)?;
        jobs.send(job).map_err(|_| EngineError::internal("the thread that writes state has ended"))
    }
}

/// One file of state, there or on its way. The file goes with the last who holds it.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    file: OnceLock<Result<Arc<SegmentFile>>>,
    /// It survives a loss of power.
    synced: AtomicBool,
    _directory: Arc<Directory>,
}

impl Segment {
    /// `None` while it is being written.
    pub fn ready(&self) -> Option<Result<&Arc<SegmentFile>>> {
        self.file.get().map(|file| file.as_ref().map_err(Clone::clone))
    }

    pub fn wait(&self) -> Result<&Arc<SegmentFile>> {
        self.file.wait().as_ref().map_err(Clone::clone)
    }

    /// Makes it durable under a second name. Returns its size.
    pub fn link(&self, to: &Path) -> Result<u64> {
        let file = self.wait()?;
        if !self.synced.swap(true, Relaxed) {
            file.sync().map_err(|error| failed(&self.path, &error))?;
        }
        link_or_copy(&self.path, to)?;
        Ok(file.bytes())
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // Not there when its writing failed.
        let _ = fs::remove_file(&self.path);
    }
}

/// Not every file system has links.
fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let copy = || {
        fs::copy(from, to)?;
        fs::File::open(to)?.sync_all()
    };
    copy().map_err(|error| failed(from, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::external("state_unwritable", format!("State could not be written to disk: {error}."))
        .with_detail(format!("{}: {error}", path.display()))
}
