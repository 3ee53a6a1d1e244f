//! The indexing thread: follows the journal, puts lines into their days, commits, and lets the journal go.
//!
//! Whatever fails here, a full disk or a bug, costs nothing: the writers are thrown away, which takes back what was not committed,
//! and the thread begins again where the journal begins. Lines that are in the index already are passed over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::day::DayWriter;
use crate::days::Days;
use crate::error::{Error, Notice, Result};
use crate::event::{Assembler, Placed};
use crate::index::Options;
use crate::journal::{Cursor, Journal};
use crate::line::{Day, Line};
use crate::mend::Alarm;
use crate::schema::Entry;
use crate::tail::Tails;

/// Days that are written at once: today, and the one that late lines belong to. The memory is shared between them.
const WRITERS: usize = 2;
/// Bytes of the journal that are not read yet, from which on commits are made less often, and how much less.
const FAR_BEHIND: u64 = 16 << 20;
const BEHIND_FACTOR: u32 = 4;
/// Before the next try after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// Failures in a row after which the days being written are looked at byte by byte.
const FAILURES_UNTIL_CHECK: u32 = 3;

/// How far the index is, for those who wait.
#[derive(Default)]
pub(crate) struct Progress {
    state: Mutex<ProgressState>,
    changed: Condvar,
}

#[derive(Default)]
struct ProgressState {
    committed: u64,
    failures: u64,
    failure: String,
    refused: u64,
    ended: bool,
}

impl Progress {
    /// Waits until everything before `position` can be found.
    pub(crate) fn wait(&self, position: u64) -> Result<()> {
        let mut state = self.state.lock();
        let failures = state.failures;
        while state.committed < position {
            if state.ended {
                return Err(Error::Closed);
            }
            if state.failures > failures {
                return Err(Error::Failed(state.failure.clone()));
            }
            self.changed.wait(&mut state);
        }
        Ok(())
    }

    /// Lines that were not taken because their time lies outside of what is kept.
    pub(crate) fn refused(&self) -> u64 {
        self.state.lock().refused
    }

    fn commit(&self, position: u64) {
        self.state.lock().committed = position;
        self.changed.notify_all();
    }

    fn fail(&self, reason: &str) {
        let mut state = self.state.lock();
        state.failures += 1;
        reason.clone_into(&mut state.failure);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }
}

/// What the thread shares with the others.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) days: Days,
    pub(crate) journal: Journal,
    pub(crate) tails: Arc<Tails>,
    pub(crate) progress: Progress,
    /// Held while a day is committed or dropped, so that retention never takes a day under the writer.
    pub(crate) turn: Mutex<Vec<Day>>,
    pub(crate) alarm: Alarm,
}

impl Shared {
    /// Of each day that is written.
    pub(crate) const fn day_memory(&self) -> usize {
        self.options.writer_memory / WRITERS
    }
}

pub(crate) fn run(shared: &Shared) {
    // Nobody waits for a thread that is gone, however it went.
    let _ended = Ended(&shared.progress);
    let mut failures = 0;
    while !shared.journal.is_closed() {
        let outcome = catch_unwind(AssertUnwindSafe(|| Session::new(shared).follow(&mut failures)));
        let reason = match outcome {
            Ok(Ok(())) => break,
            // In the next session nothing of the day is open, so that it can be built again.
            Ok(Err(Error::Damaged(_))) => continue,
            Ok(Err(Error::Closed)) => break,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the indexing thread panicked".to_owned(),
        };
        failures += 1;
        shared.progress.fail(&reason);
        shared.days.tell(Notice::WriterFailed { reason });
        if failures == FAILURES_UNTIL_CHECK {
            check_newest(&shared.days);
            shared.alarm.raise();
        }
        shared.journal.pause(PAUSE);
    }
}

struct Ended<'a>(&'a Progress);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A day whose index is damaged fails again and again; it is built again from its lines.
fn check_newest(days: &Days) {
    for (day, _) in days.all().into_iter().rev().take(WRITERS) {
        let damaged = days.ready(day).and_then(|index| index.damaged_files());
        match damaged {
            Ok(files) if files.is_empty() => {}
            Ok(files) => days.mark_damaged(day, format!("{} files are not as they were written", files.len())),
            Err(Error::Damaged(_)) => {}
            Err(error) => days.mark_damaged(day, error.to_string()),
        }
    }
}

struct Session<'a> {
    shared: &'a Shared,
    cursor: Cursor,
    /// Everything before this position was given to the writers.
    taken: u64,
    committed: u64,
    writers: Vec<DayWriter>,
    assembler: Assembler,
    placed: Vec<Placed>,
    uses: u64,
}

impl<'a> Session<'a> {
    fn new(shared: &'a Shared) -> Self {
        let cursor = shared.journal.cursor();
        let committed = cursor.position;
        shared.turn.lock().clear();
        shared.progress.commit(committed);
        Session {
            shared,
            cursor,
            taken: committed,
            committed,
            writers: Vec::new(),
            assembler: Assembler::default(),
            placed: Vec::new(),
            uses: 0,
        }
    }

    /// Until the journal is closed.
    fn follow(&mut self, failures: &mut u32) -> Result<()> {
        let shared = self.shared;
        let tell = |notice| shared.days.tell(notice);
        loop {
            if shared.journal.is_closed() {
                // What is left in the journal is taken after the next start.
                self.commit()?;
                return shared.journal.begin_file();
            }
            if let Some(day) = shared.days.damaged().into_iter().find(|day| self.is_open(*day)) {
                // Its lines since the last commit come again from the journal.
                return Err(Error::Damaged(day));
            }
            self.give_way()?;
            match self.cursor.next(&shared.journal, &tell)? {
                Some(lines) => self.take(lines)?,
                None => shared.journal.wait(self.cursor.position, self.committed, self.until_commit()),
            }
            self.taken = self.cursor.position;
            let wanted = shared.journal.commit_wanted();
            let asked = wanted > self.committed && self.taken >= wanted;
            let is_clean = self.writers.iter().all(|writer| writer.dirty.is_none());
            if asked || self.until_commit().is_zero() || (is_clean && self.taken > self.committed) {
                self.commit()?;
                *failures = 0;
            }
        }
    }

    fn is_open(&self, day: Day) -> bool {
        self.writers.iter().any(|writer| writer.index.day == day)
    }

    /// How long the oldest line that is not committed may still wait. Far behind, commits are made less often, since each has its
    /// price and what is written last is not found any sooner.
    fn until_commit(&self) -> Duration {
        let behind = self.shared.journal.end().saturating_sub(self.cursor.position);
        let rarer = if behind > FAR_BEHIND { BEHIND_FACTOR } else { 1 };
        let patience = self.shared.options.commit_every.saturating_mul(rarer);
        let oldest = self.writers.iter().filter_map(|writer| writer.dirty).min();
        oldest.map_or(patience, |since: Instant| patience.saturating_sub(since.elapsed()))
    }

    fn take(&mut self, lines: Vec<Line>) -> Result<()> {
        let today = Day::of((self.shared.options.clock)());
        let oldest = self.shared.options.retention.oldest_day(today);
        for line in lines {
            let day = Day::of(line.at);
            if !day.is_nameable() || day < oldest || day > today.plus(1) {
                self.shared.progress.state.lock().refused += 1;
                continue;
            }
            let address = self.writer(day)?.keep(&line)?;
            let line = Arc::new(line);
            let event = self.assembler.take(&line, address, &mut self.placed);
            if address.is_some() {
                self.shared.tails.told(&line, event);
            }
        }
        self.add_placed()
    }

    fn add_placed(&mut self) -> Result<()> {
        let mut placed = std::mem::take(&mut self.placed);
        for Placed { line, address, event, fingerprint } in placed.drain(..) {
            if let Some(address) = address {
                self.writer(Day::of(line.at))?.add(&Entry { line: &line, address, event, fingerprint })?;
            }
        }
        self.placed = placed;
        Ok(())
    }

    fn writer(&mut self, day: Day) -> Result<&mut DayWriter> {
        self.uses += 1;
        let at = match self.writers.iter().position(|writer| writer.index.day == day) {
            Some(at) => at,
            None => self.open_writer(day)?,
        };
        let uses = self.uses;
        let writer =
            self.writers.get_mut(at).ok_or_else(|| Error::Failed("a day was closed while it was written".into()))?;
        writer.used = uses;
        Ok(writer)
    }

    fn open_writer(&mut self, day: Day) -> Result<usize> {
        if self.writers.len() >= WRITERS {
            // Lines that are held go out first: the day they belong to may be the one that is closed.
            self.commit_writers()?;
            let oldest = self.writers.iter().min_by_key(|writer| writer.used).map(|writer| writer.index.day);
            if let Some(oldest) = oldest {
                self.close_writer(oldest)?;
            }
        }
        let memory = self.shared.day_memory();
        self.shared.turn.lock().push(day);
        let index = self.shared.days.writable(day, memory, &|| self.shared.journal.is_closed())?;
        self.writers.push(DayWriter::open(index, memory)?);
        Ok(self.writers.len() - 1)
    }

    fn close_writer(&mut self, day: Day) -> Result<()> {
        if let Some(at) = self.writers.iter().position(|writer| writer.index.day == day) {
            self.writers.remove(at).close()?;
        }
        self.shared.turn.lock().retain(|open| *open != day);
        Ok(())
    }

    /// Closes the writers of days that are too old to be kept, so that retention can take them.
    fn give_way(&mut self) -> Result<()> {
        let oldest = self.shared.options.retention.oldest_day(Day::of((self.shared.options.clock)()));
        let old: Vec<Day> = self.writers.iter().map(|writer| writer.index.day).filter(|day| *day < oldest).collect();
        for day in old {
            self.commit()?;
            self.close_writer(day)?;
        }
        Ok(())
    }

    fn commit_writers(&mut self) -> Result<()> {
        let mut placed = std::mem::take(&mut self.placed);
        self.assembler.release(&mut placed);
        // Held lines belong to writers that are open: a day is closed after a commit only.
        for Placed { line, address, event, fingerprint } in &placed {
            let day = Day::of(line.at);
            let writer = self.writers.iter().find(|writer| writer.index.day == day);
            match (address, writer) {
                (Some(address), Some(writer)) => {
                    writer.add(&Entry { line, address: *address, event: *event, fingerprint: *fingerprint })?;
                }
                (Some(_), None) => return Err(Error::Failed("a day was closed before its lines were added".into())),
                (None, _) => {}
            }
        }
        for writer in self.writers.iter_mut().filter(|writer| writer.dirty.is_some()) {
            writer.commit(self.taken)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.commit_writers()?;
        self.committed = self.taken;
        self.shared.journal.release(self.committed)?;
        self.shared.progress.commit(self.committed);
        Ok(())
    }
}
