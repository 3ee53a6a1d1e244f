//! The journal: lines lie here from the moment they are taken until the index of their day has them.
//!
//! ```text
//! <root>/journal/<position>.journal     "MLJRNL01", then records
//! record = length u32 · crc32 of the payload u32 · payload        payload = number of lines · lines
//! ```
//! A position counts the bytes of all records ever written; a file is named by the position of its first record. Files are
//! append-only. `sync` puts what was appended on the disk. The indexing thread reads the journal like a tail, and the same
//! reading replays it after a crash. A file goes when everything in it is covered by commits of the index.
//!
//! ```text
//! append ──▶ journal ──cursor──▶ indexing thread ──commit──▶ release
//!    ▲ waits while more than `limit` bytes are not released      │
//!    └────────────────────────────────────────────────────────────┘
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::codec;
use crate::error::{Error, Notice, Result};
use crate::line::Line;

const MAGIC: &[u8; 8] = b"MLJRNL01";
const HEAD: u64 = MAGIC.len() as u64;
const RECORD_HEAD: usize = 8;
/// Bytes after which a new file begins.
const FILE_BYTES: u64 = 16 << 20;
/// A record is never longer; a length above it is damage.
const MAX_RECORD: usize = 64 << 20;
/// Lines are split into records of about this size.
const RECORD_BYTES: usize = 1 << 20;

pub(crate) struct Journal {
    folder: PathBuf,
    limit: u64,
    state: Mutex<State>,
    /// Something was appended, released or the journal was closed.
    changed: Condvar,
}

struct State {
    file: Arc<File>,
    /// Of the first record in `file`.
    start: u64,
    /// Of the next record.
    end: u64,
    synced: u64,
    released: u64,
    /// Older files, oldest first, by the position they begin at.
    older: Vec<u64>,
    failed: Option<String>,
    closed: bool,
    /// Somebody waits for a commit; the indexing thread does not let it wait for its turn.
    flush_to: u64,
    woken: bool,
}

impl Journal {
    pub(crate) fn open(folder: PathBuf, limit: u64, tell: &dyn Fn(Notice)) -> Result<Journal> {
        std::fs::create_dir_all(&folder)?;
        let mut starts = starts(&folder)?;
        let (file, start, end) = match starts.pop() {
            Some(start) => {
                let path = path(&folder, start);
                let file = OpenOptions::new().read(true).append(true).open(&path)?;
                let whole = whole_length(&file)?;
                let length = file.metadata()?.len();
                if whole < length {
                    file.set_len(whole)?;
                    tell(Notice::JournalCut { file: path, bytes: length - whole });
                }
                if whole < HEAD {
                    file.set_len(0)?;
                    (&file).write_all(MAGIC)?;
                }
                file.sync_all()?;
                (file, start, start + whole.saturating_sub(HEAD))
            }
            None => (create(&folder, 0)?, 0, 0),
        };
        let released = starts.first().copied().unwrap_or(start);
        let state = State {
            file: Arc::new(file),
            start,
            end,
            synced: end,
            released,
            older: starts,
            failed: None,
            closed: false,
            flush_to: released,
            woken: false,
        };
        Ok(Journal { folder, limit, state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Writes lines behind all others and gives the position after them. They survive a crash of this process from now on, and
    /// one of the machine after [`Journal::sync`]. Waits while too much is not indexed yet.
    pub(crate) fn append(&self, lines: &[Line]) -> Result<u64> {
        let mut rest = lines;
        let mut end = self.state.lock().end;
        while !rest.is_empty() {
            let (record, taken) = record(rest)?;
            end = self.append_record(&record)?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(end)
    }

    fn append_record(&self, record: &[u8]) -> Result<u64> {
        let mut state = self.state.lock();
        while !state.closed && state.failed.is_none() && state.end.saturating_sub(state.released) > self.limit {
            self.changed.wait(&mut state);
        }
        state.usable()?;
        if state.end - state.start >= FILE_BYTES {
            self.rotate(&mut state)?;
        }
        if let Err(cause) = state.file.as_ref().write_all(record) {
            // Half a record must not stand between whole ones.
            let whole = HEAD + (state.end - state.start);
            if let Err(worse) = state.file.set_len(whole) {
                return Err(state.fail(&worse));
            }
            return Err(cause.into());
        }
        state.end += record.len() as u64;
        self.changed.notify_all();
        Ok(state.end)
    }

    fn rotate(&self, state: &mut State) -> Result<()> {
        state.file.sync_data().map_err(|cause| state.fail(&cause))?;
        let next = create(&self.folder, state.end)?;
        let before = state.start;
        state.older.push(before);
        state.file = Arc::new(next);
        state.start = state.end;
        state.synced = state.end;
        Ok(())
    }

    /// Begins a new file, so that what is covered can go at once: nothing of it is read again after the next start.
    pub(crate) fn begin_file(&self) -> Result<()> {
        let released = {
            let mut state = self.state.lock();
            if state.end > state.start {
                self.rotate(&mut state)?;
            }
            state.released
        };
        Ok(self.release(released)?)
    }

    /// Everything appended before this call outlives a crash of the machine once it returns.
    pub(crate) fn sync(&self) -> Result<()> {
        let (file, end) = {
            let state = self.state.lock();
            state.usable()?;
            if state.synced >= state.end {
                return Ok(());
            }
            (state.file.clone(), state.end)
        };
        let outcome = file.sync_data();
        let mut state = self.state.lock();
        match outcome {
            Ok(()) => state.synced = state.synced.max(end),
            // The kernel may have dropped what it could not write: a second try would succeed without the data.
            Err(cause) => return Err(state.fail(&cause)),
        }
        Ok(())
    }

    pub(crate) fn end(&self) -> u64 {
        self.state.lock().end
    }

    /// Where reading has to begin after a start.
    pub(crate) fn released(&self) -> u64 {
        self.state.lock().released
    }

    /// Commits cover everything before `position`.
    pub(crate) fn release(&self, position: u64) -> io::Result<()> {
        let gone = {
            let mut state = self.state.lock();
            state.released = state.released.max(position);
            let current = state.start;
            let ends = state.older.iter().skip(1).copied().chain([current]);
            let covered = ends.take_while(|end| *end <= position).count().min(state.older.len());
            let gone: Vec<u64> = state.older.drain(..covered).collect();
            self.changed.notify_all();
            gone
        };
        for start in gone {
            match std::fs::remove_file(path(&self.folder, start)) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
        }
        Ok(())
    }

    /// The indexing thread is asked to commit up to here at once.
    pub(crate) fn ask_for_commit(&self, position: u64) {
        let mut state = self.state.lock();
        state.flush_to = state.flush_to.max(position);
        self.changed.notify_all();
    }

    pub(crate) fn commit_wanted(&self) -> u64 {
        self.state.lock().flush_to
    }

    /// Waits until there is something after `position`, a commit is wanted, or the time is over.
    pub(crate) fn wait(&self, position: u64, committed: u64, patience: Duration) {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        while !state.closed && !state.woken && state.end <= position && state.flush_to <= committed {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.woken = false;
    }

    /// Waits, unless the journal is closed.
    pub(crate) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.state.lock();
        while !state.closed && !self.changed.wait_until(&mut state, until).timed_out() {}
    }

    /// The indexing thread has something else to do than to read.
    pub(crate) fn wake(&self) {
        let mut state = self.state.lock();
        state.woken = true;
        self.changed.notify_all();
    }

    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { position: self.released(), open: None }
    }

    /// The file that holds `position`, where it begins, and where it ends.
    fn file_at(&self, position: u64) -> (u64, u64, Option<Arc<File>>) {
        let state = self.state.lock();
        if position >= state.start {
            return (state.start, state.end, Some(state.file.clone()));
        }
        let at = state.older.partition_point(|start| *start <= position).saturating_sub(1);
        let start = state.older.get(at).copied().unwrap_or(state.start);
        let end = state.older.get(at + 1).copied().unwrap_or(state.start);
        (start, end, None)
    }
}

impl State {
    fn usable(&self) -> Result<()> {
        match &self.failed {
            Some(reason) => Err(Error::Journal(reason.clone())),
            None if self.closed => Err(Error::Closed),
            None => Ok(()),
        }
    }

    fn fail(&mut self, cause: &io::Error) -> Error {
        let reason = cause.to_string();
        self.failed = Some(reason.clone());
        Error::Journal(reason)
    }
}

/// Reads the journal record by record; stays where it is at the end.
pub(crate) struct Cursor {
    pub(crate) position: u64,
    open: Option<(u64, Arc<File>)>,
}

impl Cursor {
    /// The lines of the next record, or `None` at the end. A record that cannot be read costs the rest of its file.
    pub(crate) fn next(&mut self, journal: &Journal, tell: &dyn Fn(Notice)) -> Result<Option<Vec<Line>>> {
        loop {
            let (start, end, current) = journal.file_at(self.position);
            if self.position >= end && current.is_some() {
                return Ok(None);
            }
            let file = match (&self.open, current) {
                (Some((open, file)), _) if *open == start => file.clone(),
                (_, Some(file)) => file,
                (_, None) => Arc::new(File::open(path(&journal.folder, start))?),
            };
            self.open = Some((start, file.clone()));
            self.position = self.position.max(start);
            if let Some((lines, length)) = read_record(&file, HEAD + (self.position - start))? {
                self.position += length;
                return Ok(Some(lines));
            }
            tell(Notice::JournalDamaged {
                file: path(&journal.folder, start),
                bytes: end.saturating_sub(self.position),
            });
            self.position = end;
        }
    }
}

fn record(lines: &[Line]) -> Result<(Vec<u8>, usize)> {
    let mut body = Vec::with_capacity(lines.len().min(4096) * 256);
    let mut taken = 0;
    for line in lines {
        codec::put(line, &mut body);
        taken += 1;
        if body.len() >= RECORD_BYTES {
            break;
        }
    }
    let mut record = vec![0; RECORD_HEAD];
    codec::put_number(taken as u64, &mut record);
    record.append(&mut body);
    let payload = record.get(RECORD_HEAD..).unwrap_or_default();
    if payload.len() > MAX_RECORD {
        return Err(Error::Failed("a log line is longer than the journal takes".to_owned()));
    }
    let head = [(payload.len() as u32).to_le_bytes(), crc32fast::hash(payload).to_le_bytes()].concat();
    record.splice(..RECORD_HEAD, head);
    Ok((record, taken))
}

/// The lines of the record at `offset` and its length; `None` when no whole record stands there.
fn read_record(file: &File, offset: u64) -> io::Result<Option<(Vec<Line>, u64)>> {
    let Some(payload) = read_payload(file, offset)? else { return Ok(None) };
    let mut bytes = payload.as_slice();
    let Some(count) = codec::take_number(&mut bytes) else { return Ok(None) };
    let mut lines = Vec::new();
    for _ in 0..count {
        match codec::take(&mut bytes) {
            Some(line) => lines.push(line),
            None => return Ok(None),
        }
    }
    Ok(Some((lines, (RECORD_HEAD + payload.len()) as u64)))
}

fn read_payload(file: &File, offset: u64) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; RECORD_HEAD];
    if !read_whole(file, &mut head, offset)? {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h] = head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length == 0 || length > MAX_RECORD {
        return Ok(None);
    }
    let mut payload = vec![0; length];
    let whole = read_whole(file, &mut payload, offset + RECORD_HEAD as u64)?;
    let intact = whole && crc32fast::hash(&payload) == u32::from_le_bytes([e, f, g, h]);
    Ok(intact.then_some(payload))
}

fn read_whole(file: &File, into: &mut [u8], offset: u64) -> io::Result<bool> {
    match file.read_exact_at(into, offset) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// Bytes up to the end of the last whole record; 0 when not even the head is there.
fn whole_length(file: &File) -> io::Result<u64> {
    let mut head = [0; MAGIC.len()];
    if !read_whole(file, &mut head, 0)? || &head != MAGIC {
        return Ok(0);
    }
    let mut offset = HEAD;
    while let Some(payload) = read_payload(file, offset)? {
        offset += (RECORD_HEAD + payload.len()) as u64;
    }
    Ok(offset)
}

fn create(folder: &Path, start: u64) -> io::Result<File> {
    let file = OpenOptions::new().read(true).append(true).create(true).open(path(folder, start))?;
    file.set_len(0)?;
    (&file).write_all(MAGIC)?;
    file.sync_all()?;
    // The new name has to outlive a power loss as well.
    File::open(folder)?.sync_all()?;
    Ok(file)
}

fn path(folder: &Path, start: u64) -> PathBuf {
    folder.join(format!("{start:020}.journal"))
}

fn starts(folder: &Path) -> io::Result<Vec<u64>> {
    let mut starts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_journal = path.extension().is_some_and(|extension| extension == "journal");
        let start = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        if let (true, Some(start)) = (is_journal, start) {
            starts.push(start);
        }
    }
    starts.sort_unstable();
    Ok(starts)
}
