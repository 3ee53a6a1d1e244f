//! Which sessions are open, by key.
//!
//! A session has a slot, under which an operator keeps what is in it. Most rows come in order: they touch the last
//! session of their key and move its end, nothing else. Timers are lazy for that reason: one per key, set to the end of
//! its first session when it began, and set anew when it rings too early. Sessions, with what is in them, may be larger
//! than memory: a key comes back from disk when its first session is over.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use crate::error::Result;
use crate::state::{
    Keyed, KeyedState, LogPart, NEVER, Reader, SlotColumn, SlotValues, StatePlace, StateSize, Waking, write_i64,
    write_u32,
};
use crate::time::NO_WATERMARK;
use crate::time::window::last_instant;
use crate::time::zone::to_local;

/// Bounds in the clock by which windows are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) slot: u32,
}

/// Sessions of a key by start; they never meet.
#[derive(Default)]
struct Key {
    sessions: Vec<Session>,
    /// When it is looked at, at the latest at the end of its first session.
    timer: Option<i64>,
}

/// A session that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over {
    pub(super) key: u32,
    pub(super) session: Session,
}

/// What `from` holds goes to `into`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Merge {
    pub(super) into: u32,
    pub(super) from: u32,
}

/// What an operator keeps in each session, by its slot.
pub(super) trait Contents: Send {
    /// Makes room for slots below `capacity`.
    fn grow(&mut self, capacity: usize);

    /// Back to nothing, freeing what the slot held.
    fn clear(&mut self, slot: u32);

    fn write(&self, slot: u32, out: &mut Vec<u8>);

    /// Into a slot that is clear.
    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()>;

    /// Memory for all slots.
    fn bytes(&self) -> u64;
}

pub(super) struct SessionBook<C> {
    gap: i64,
    /// Set for `TIMESTAMP_LTZ`: bounds are local times of this zone.
    zone: Option<Tz>,
    state: Keyed<Keys<C>>,
    watermark: i64,
    late: u64,
}

/// By slot of the key.
struct Keys<C> {
    contents: C,
    keys: SlotColumn<Key>,
    /// When, and slot of the key.
    timers: BTreeSet<(i64, u32)>,
    /// Slots of sessions.
    free: Vec<u32>,
    slots: u32,
    open: u64,
    zone: Option<Tz>,
}

impl<C: Contents> Keys<C> {
    fn take(&mut self) -> u32 {
        self.open += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        self.contents.grow(slot as usize + 1);
        slot
    }

    fn release(&mut self, slot: u32) {
        self.contents.clear(slot);
        self.free.push(slot);
    }

    /// Sets the timer of a key, unless it rings early enough.
    fn wake(&mut self, at: u32) {
        let key = &mut self.keys[at as usize];
        let Some(first) = key.sessions.first() else { return };
        let last = last_instant(first.end, self.zone);
        if key.timer.is_some_and(|timer| timer <= last) {
            return;
        }
        if let Some(timer) = key.timer.replace(last) {
            self.timers.remove(&(timer, at));
        }
        self.timers.insert((last, at));
    }
}

impl<C: Contents> SlotValues for Keys<C> {
    const LISTED: bool = true;

    fn grow(&mut self, capacity: usize) {
        self.keys.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.keys[slot as usize]);
        gone.timer.map(|timer| self.timers.remove(&(timer, slot)));
        self.open -= gone.sessions.len() as u64;
        gone.sessions.into_iter().for_each(|session| self.release(session.slot));
    }

    /// Number of sessions; of each: start, end, what is in it.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let sessions = &self.keys[slot as usize].sessions;
        write_u32(out, sessions.len() as u32);
        for session in sessions {
            write_i64(out, session.start);
            write_i64(out, session.end);
            self.contents.write(session.slot, out);
        }
    }

    fn read(&mut self, at: u32, from: &mut Reader<'_>) -> Result<()> {
        for _ in 0..from.u32()? {
            let (start, end, slot) = (from.i64()?, from.i64()?, self.take());
            self.contents.read(slot, from)?;
            let sessions = &mut self.keys[at as usize].sessions;
            let place = sessions.partition_point(|session| session.start < start);
            sessions.insert(place, Session { start, end, slot });
        }
        self.wake(at);
        Ok(())
    }

    /// Sessions go by event time only.
    fn used_ms(&self, _slot: u32) -> i64 {
        0
    }

    fn due(&self, slot: u32) -> i64 {
        self.keys[slot as usize].timer.unwrap_or(NEVER)
    }

    fn due_stored(&self, stored: &[u8]) -> Result<i64> {
        let mut reader = Reader::new(stored);
        if reader.u32()? == 0 {
            return Ok(NEVER);
        }
        let (_, end) = (reader.i64()?, reader.i64()?);
        Ok(last_instant(end, self.zone))
    }

    fn bytes(&self) -> u64 {
        let sessions = self.open as usize * size_of::<Session>() + self.free.len() * size_of::<u32>();
        let keys = self.keys.len() * size_of::<Key>() + self.timers.len() * 32;
        self.contents.bytes() + (sessions + keys) as u64
    }
}

impl<C: Contents> SessionBook<C> {
    pub(super) fn new(gap: i64, zone: Option<Tz>, contents: C) -> Self {
        let keys = Keys {
            contents,
            keys: SlotColumn::default(),
            timers: BTreeSet::new(),
            free: Vec::new(),
            slots: 0,
            open: 0,
            zone,
        };
        SessionBook { gap, zone, state: Keyed::new(keys), watermark: NO_WATERMARK, late: 0 }
    }

    pub(super) const fn contents(&self) -> &C {
        &self.state.values.contents
    }

    pub(super) const fn contents_mut(&mut self) -> &mut C {
        &mut self.state.values.contents
    }

    /// The slot of the session that a row belongs to; `None` for a late one. Sessions that become one by it are told in
    /// `merges`; the slot that they leave stays taken until it is given to [`Self::release`].
    pub(super) fn place(&mut self, key: &[u8], time: i64, merges: &mut Vec<Merge>) -> Result<Option<u32>> {
        let start = self.zone.map_or(time, |zone| to_local(time, zone));
        let end = start.saturating_add(self.gap);
        let (at, _) = self.state.slot(key)?;
        let sessions = &mut self.state.values.keys[at as usize].sessions;
        if let Some(last) = sessions.last_mut().filter(|last| last.start <= start && start <= last.end) {
            last.end = last.end.max(end);
            let slot = last.slot;
            self.state.touch(at);
            return Ok(Some(slot));
        }
        let from = sessions.partition_point(|session| session.end < start);
        let to = sessions.partition_point(|session| session.start <= end);
        if from >= to {
            if last_instant(end, self.zone) <= self.watermark {
                self.late += 1;
                if sessions.is_empty() {
                    self.state.remove(at);
                }
                return Ok(None);
            }
            self.state.touch(at);
            let keys = &mut self.state.values;
            let slot = keys.take();
            keys.keys[at as usize].sessions.insert(from, Session { start, end, slot });
            keys.wake(at);
            return Ok(Some(slot));
        }
        let met: Vec<Session> = sessions.drain(from + 1..to).collect();
        let one = &mut sessions[from];
        one.start = one.start.min(start);
        one.end = met.last().map_or(one.end, |last| last.end).max(end);
        let slot = one.slot;
        self.state.touch(at);
        self.state.values.open -= met.len() as u64;
        merges.extend(met.iter().map(|other| Merge { into: slot, from: other.slot }));
        Ok(Some(slot))
    }

    /// Takes the sessions in memory that the watermark has passed, by their end. Their slots and keys are kept until
    /// [`Self::release`] and [`Self::forget`].
    pub(super) fn advance(&mut self, watermark: i64) -> Vec<Over> {
        self.watermark = self.watermark.max(watermark);
        let mut over = Vec::new();
        while let Some(&(time, at)) = self.state.values.timers.first().filter(|(time, _)| *time <= self.watermark) {
            self.state.touch(at);
            let keys = &mut self.state.values;
            keys.timers.remove(&(time, at));
            let key = &mut keys.keys[at as usize];
            key.timer = None;
            let ended =
                key.sessions.iter().take_while(|session| last_instant(session.end, self.zone) <= self.watermark);
            let ended = ended.count();
            over.extend(key.sessions.drain(..ended).map(|session| Over { key: at, session }));
            keys.wake(at);
        }
        self.state.values.open -= over.len() as u64;
        over.sort_by_key(|over| (over.session.end, over.session.start));
        over
    }

    /// Begins to bring keys back from disk of which sessions are over; when those in memory are done.
    pub(super) fn waking(&mut self) -> Result<Waking> {
        self.state.waking(self.watermark)
    }

    /// Brings some; false when there are no more.
    pub(super) fn wake(&mut self, waking: &mut Waking, keys: usize) -> Result<bool> {
        self.state.wake(waking, keys)
    }

    /// The slot is empty, and free for another session.
    pub(super) fn release(&mut self, slot: u32) {
        self.state.values.release(slot);
    }

    /// Forgets a key that has no sessions.
    pub(super) fn forget(&mut self, key: u32) {
        if self.state.values.keys[key as usize].sessions.is_empty() {
            self.state.remove(key);
        }
    }

    pub(super) fn key_bytes(&self, key: u32) -> &[u8] {
        self.state.key(key)
    }

    pub(super) fn last_instant(&self, end: i64) -> i64 {
        last_instant(end, self.zone)
    }

    pub(super) const fn late(&self) -> u64 {
        self.late
    }

    pub(super) fn settle(&mut self) -> Result<()> {
        self.state.settle()
    }

    pub(super) fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key group the watermark; per key: key bytes, and what [`Keys`] writes.
    pub(super) fn snapshot(&mut self) -> Result<KeyedState> {
        let (mut state, watermark) = (KeyedState::default(), self.watermark);
        self.state.snapshot_behind(|out| write_i64(out, watermark), &mut state)?;
        Ok(state)
    }

    pub(super) fn parts(&self) -> Vec<LogPart> {
        self.state.parts()
    }

    pub(super) fn adopt(&mut self, parts: Vec<LogPart>) -> Result<()> {
        self.state.adopt(parts)
    }

    pub(super) fn restore(&mut self, state: &KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                self.state.restore(&mut reader)?;
            }
        }
        Ok(())
    }

    /// Sessions in memory, and at least one for each key that is on disk only.
    pub(super) fn size(&self) -> StateSize {
        let size = self.state.size();
        StateSize { rows: self.state.values.open.max(size.rows), ..size }
    }
}
