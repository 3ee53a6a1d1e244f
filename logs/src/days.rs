//! All days that are there: opened at the start, repaired, made as lines come, dropped by age and size.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tantivy::Executor;

use crate::day::{self, DayIndex};
use crate::error::{Error, Notice, Result};
use crate::line::Day;

pub(crate) struct Days {
    root: PathBuf,
    executor: Executor,
    known: RwLock<BTreeMap<Day, Known>>,
    /// Held while a day is built again or taken away.
    mending: Mutex<()>,
    notice: Arc<dyn Fn(Notice) + Send + Sync>,
}

#[derive(Clone)]
pub(crate) enum Known {
    Ready(Arc<DayIndex>),
    /// Waits to be built again.
    Damaged,
}

impl Days {
    pub(crate) fn open(root: PathBuf, notice: Arc<dyn Fn(Notice) + Send + Sync>, searchers: usize) -> Result<Days> {
        let executor = match searchers {
            0 | 1 => Executor::single_thread(),
            more => Executor::multi_thread(more, "log-search-")?,
        };
        let days = Days { root, executor, known: RwLock::default(), mending: Mutex::default(), notice };
        for entry in std::fs::read_dir(&days.root)? {
            let entry = entry?;
            let name = entry.file_name();
            if let Some(day) = name.to_str().and_then(|name| name.parse::<Day>().ok()) {
                days.open_day(day)?;
            } else if name.to_str().is_some_and(|name| name.starts_with(".gone-")) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(days)
    }

    pub(crate) fn tell(&self, notice: Notice) {
        (self.notice)(notice);
    }

    fn open_day(&self, day: Day) -> Result<()> {
        let known = match DayIndex::open(&self.root, day, &self.executor) {
            Ok(index) => Known::Ready(Arc::new(index)),
            Err(_) if self.is_unfinished(day) => {
                DayIndex::create(&self.root, day)?;
                return self.reopen(day);
            }
            Err(damage) => {
                self.tell(Notice::Damaged { day, reason: damage.0 });
                Known::Damaged
            }
        };
        self.known.write().insert(day, known);
        Ok(())
    }

    /// A crash came while the day was made: it has no line yet.
    fn is_unfinished(&self, day: Day) -> bool {
        let folder = self.root.join(day.to_string());
        let lines = std::fs::metadata(folder.join("lines")).map_or(0, |lines| lines.len());
        lines <= 8 && !folder.join("format").exists()
    }

    fn reopen(&self, day: Day) -> Result<()> {
        let index = DayIndex::open(&self.root, day, &self.executor).map_err(|damage| Error::Failed(damage.0))?;
        self.known.write().insert(day, Known::Ready(Arc::new(index)));
        Ok(())
    }

    /// For writing; made when it is not there, built again when it is damaged.
    pub(crate) fn writable(&self, day: Day, memory: usize, stop: &dyn Fn() -> bool) -> Result<Arc<DayIndex>> {
        let known = self.known.read().get(&day).cloned();
        match known {
            Some(Known::Ready(index)) => return Ok(index),
            Some(Known::Damaged) => self.rebuild(day, memory, stop)?,
            None => {
                DayIndex::create(&self.root, day)?;
                self.reopen(day)?;
            }
        }
        self.ready(day)
    }

    pub(crate) fn ready(&self, day: Day) -> Result<Arc<DayIndex>> {
        match self.known.read().get(&day) {
            Some(Known::Ready(index)) => Ok(index.clone()),
            _ => Err(Error::Damaged(day)),
        }
    }

    /// Builds a day again if nobody else has done so meanwhile.
    pub(crate) fn rebuild(&self, day: Day, memory: usize, stop: &dyn Fn() -> bool) -> Result<()> {
        let _mending = self.mending.lock();
        if !matches!(self.known.read().get(&day), Some(Known::Damaged)) {
            return Ok(());
        }
        let rebuilt = day::rebuild(&self.root, day, memory, stop)?;
        self.reopen(day)?;
        self.tell(Notice::Rebuilt { day, lines: rebuilt.lines, blocks_lost: rebuilt.blocks_lost });
        Ok(())
    }

    pub(crate) fn damaged(&self) -> Vec<Day> {
        let known = self.known.read();
        known.iter().filter(|(_, known)| matches!(known, Known::Damaged)).map(|(day, _)| *day).collect()
    }

    /// The day is not searched any more until it is built again.
    pub(crate) fn mark_damaged(&self, day: Day, reason: String) {
        let before = self.known.write().insert(day, Known::Damaged);
        if !matches!(before, Some(Known::Damaged)) {
            self.tell(Notice::Damaged { day, reason });
        }
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> Vec<(Day, Known)> {
        self.known.read().iter().map(|(day, known)| (*day, known.clone())).collect()
    }

    /// Takes a day away, unless one is being built again just now. Searches that are under way keep what they have open.
    pub(crate) fn remove(&self, day: Day) -> Result<bool> {
        let Some(_mending) = self.mending.try_lock() else { return Ok(false) };
        self.known.write().remove(&day);
        let folder = self.root.join(day.to_string());
        let gone = self.root.join(format!(".gone-{day}"));
        // Renamed first: a crash in between leaves a whole day or none.
        std::fs::rename(&folder, &gone)?;
        std::fs::remove_dir_all(&gone)?;
        Ok(true)
    }

    pub(crate) fn bytes(&self, day: Day) -> Result<u64> {
        Ok(size(&self.root.join(day.to_string()))?)
    }
}

/// Bytes of a folder; files that vanish meanwhile count nothing.
pub(crate) fn size(path: &Path) -> std::io::Result<u64> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(cause) => return Err(cause),
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        match entry.metadata() {
            Ok(what) if what.is_dir() => bytes += size(&entry.path())?,
            Ok(what) => bytes += what.len(),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(bytes)
}
