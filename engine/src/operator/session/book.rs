//! Which sessions are open, by key.
//!
//! A session has a slot, under which an operator keeps what is in it. Most rows come in order: they touch the last
//! session of their key and move its end, nothing else. Timers are lazy for that reason: one per key, set to the end of
//! its first session when it began, and set anew when it rings too early.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use crate::state::{KeyTable, hash_key};
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

pub(super) struct SessionBook {
    gap: i64,
    /// Set for `TIMESTAMP_LTZ`: bounds are local times of this zone.
    zone: Option<Tz>,
    table: KeyTable,
    /// By slot of the table.
    keys: Vec<Key>,
    /// When, and slot of the key.
    timers: BTreeSet<(i64, u32)>,
    free: Vec<u32>,
    slots: u32,
    open: u64,
    watermark: i64,
    late: u64,
}

impl SessionBook {
    pub(super) fn new(gap: i64, zone: Option<Tz>) -> Self {
        SessionBook {
            gap,
            zone,
            table: KeyTable::default(),
            keys: Vec::new(),
            timers: BTreeSet::new(),
            free: Vec::new(),
            slots: 0,
            open: 0,
            watermark: NO_WATERMARK,
            late: 0,
        }
    }

    /// The slot of the session that a row belongs to; `None` for a late one. Sessions that become one by it are told in
    /// `merges`; the slot that they leave stays taken until it is given to [`Self::release`].
    pub(super) fn place(&mut self, key: &[u8], time: i64, merges: &mut Vec<Merge>) -> Option<u32> {
        let start = self.zone.map_or(time, |zone| to_local(time, zone));
        let end = start.saturating_add(self.gap);
        let at = self.key(key);
        let sessions = &mut self.keys[at as usize].sessions;
        if let Some(last) = sessions.last_mut().filter(|last| last.start <= start && start <= last.end) {
            last.end = last.end.max(end);
            return Some(last.slot);
        }
        let from = sessions.partition_point(|session| session.end < start);
        let to = sessions.partition_point(|session| session.start <= end);
        if from >= to {
            if last_instant(end, self.zone) <= self.watermark {
                self.late += 1;
                if sessions.is_empty() {
                    self.table.remove(at);
                }
                return None;
            }
            let slot = self.take();
            self.keys[at as usize].sessions.insert(from, Session { start, end, slot });
            self.wake(at);
            return Some(slot);
        }
        let met: Vec<Session> = sessions.drain(from + 1..to).collect();
        let one = &mut sessions[from];
        one.start = one.start.min(start);
        one.end = met.last().map_or(one.end, |last| last.end).max(end);
        let slot = one.slot;
        self.open -= met.len() as u64;
        merges.extend(met.iter().map(|other| Merge { into: slot, from: other.slot }));
        Some(slot)
    }

    fn key(&mut self, key: &[u8]) -> u32 {
        let (at, new) = self.table.find_or_insert(0, hash_key(key), key);
        if new {
            self.keys.resize_with(self.keys.len().max(at as usize + 1), Key::default);
            self.keys[at as usize] = Key::default();
        }
        at
    }

    fn take(&mut self) -> u32 {
        self.open += 1;
        self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        })
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

    /// Takes the sessions that the watermark has passed, by their end. Their slots and keys are kept until
    /// [`Self::release`] and [`Self::forget`].
    pub(super) fn advance(&mut self, watermark: i64) -> Vec<Over> {
        self.watermark = self.watermark.max(watermark);
        let mut over = Vec::new();
        while let Some(&(time, at)) = self.timers.first().filter(|(time, _)| *time <= self.watermark) {
            self.timers.remove(&(time, at));
            let key = &mut self.keys[at as usize];
            key.timer = None;
            let ended =
                key.sessions.iter().take_while(|session| last_instant(session.end, self.zone) <= self.watermark);
            let ended = ended.count();
            over.extend(key.sessions.drain(..ended).map(|session| Over { key: at, session }));
            self.wake(at);
        }
        self.open -= over.len() as u64;
        over.sort_by_key(|over| (over.session.end, over.session.start));
        over
    }

    /// The slot is free for another session.
    pub(super) fn release(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// Forgets a key that has no sessions.
    pub(super) fn forget(&mut self, key: u32) {
        if self.keys[key as usize].sessions.is_empty() {
            self.table.remove(key);
        }
    }

    /// Puts a session back, from a checkpoint: its slot.
    pub(super) fn restore(&mut self, key: &[u8], start: i64, end: i64) -> u32 {
        let at = self.key(key);
        let slot = self.take();
        let sessions = &mut self.keys[at as usize].sessions;
        let place = sessions.partition_point(|session| session.start < start);
        sessions.insert(place, Session { start, end, slot });
        self.wake(at);
        slot
    }

    /// The watermark of before, from a checkpoint.
    pub(super) fn restore_watermark(&mut self, watermark: i64) {
        self.watermark = self.watermark.max(watermark);
    }

    /// Every key with its hash and its sessions.
    pub(super) fn keys(&self) -> impl Iterator<Item = (u64, &[u8], &[Session])> {
        let sessions = |at: u32| self.keys.get(at as usize).map_or(&[][..], |key| key.sessions.as_slice());
        self.table.used().map(move |at| (self.table.hash(at), self.table.key(at), sessions(at)))
    }

    pub(super) fn key_bytes(&self, key: u32) -> &[u8] {
        self.table.key(key)
    }

    pub(super) fn last_instant(&self, end: i64) -> i64 {
        last_instant(end, self.zone)
    }

    pub(super) const fn watermark(&self) -> i64 {
        self.watermark
    }

    pub(super) const fn late(&self) -> u64 {
        self.late
    }

    pub(super) const fn open(&self) -> u64 {
        self.open
    }

    pub(super) fn bytes(&self) -> u64 {
        let sessions = self.open as usize * size_of::<Session>();
        let keys = self.keys.len() * size_of::<Key>() + self.timers.len() * 32;
        self.table.bytes() + (sessions + keys) as u64
    }
}
