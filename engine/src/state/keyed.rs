//! State by key that may be larger than memory, and of which a checkpoint holds only what changed.
//!
//! Values are columns of the operator, addressed by slots ([`SlotValues`]). While the state is small nothing else
//! happens, and a checkpoint holds it whole. When it has grown, every change is written to a [`SegmentLog`]: changed keys
//! are collected, and come to disk when they are many, and at each barrier; a checkpoint then names the segments. When
//! memory runs out, keys that were not used lately and whose value is on disk leave it; they come back when they are
//! asked for. What is in memory is always newer than what is on disk.

use std::sync::Arc;

use super::home::StateHome;
use super::log::{Expiry, Hashes, LogPart, SegmentLog};
use super::segment::Unsorted;
use super::{KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes};
use crate::error::Result;

/// What an operator keeps at each slot.
pub trait SlotValues: Send {
    /// Makes room for slots below `capacity`; called for each new slot.
    fn grow(&mut self, capacity: usize);

    /// Back to what a new key has, freeing what the slot held.
    fn clear(&mut self, slot: u32);

    fn write(&self, slot: u32, out: &mut Vec<u8>);

    /// Into a slot that is clear.
    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()>;

    /// When the slot was used last, for its time to live.
    fn used_ms(&self, slot: u32) -> i64;

    /// Must stay in memory.
    fn is_pinned(&self, _slot: u32) -> bool {
        false
    }

    /// Memory for all slots.
    fn bytes(&self) -> u64;
}

/// Changed since it was written.
const DIRTY: u8 = 1;
/// Some segment has the key.
const STORED: u8 = 2;
/// The key is gone; the segments do not know it yet.
const GONE: u8 = 4;
/// Used since keys were last looked through for some to leave memory.
const RECENT: u8 = 8;

pub struct Keyed<V> {
    table: KeyTable,
    pub values: V,
    marks: Vec<u8>,
    dirty: Vec<u32>,
    /// Keys that are gone, of which the news are on their way to disk.
    leaving: Vec<u32>,
    log: Option<SegmentLog>,
    place: Option<StatePlace>,
    expiry: Expiry,
    /// Keys that are on disk only.
    away: u64,
    gone: u64,
    /// Bytes that a value had when it was written, on the average.
    value_bytes: u64,
    /// Where looking for keys to leave memory goes on.
    hand: usize,
    reported: u64,
}

/// Where the state of one operator in one task belongs.
#[derive(Clone)]
pub struct StatePlace {
    pub home: Arc<StateHome>,
    pub hashes: Hashes,
}

impl<V: SlotValues> Keyed<V> {
    pub fn new(values: V) -> Self {
        Keyed {
            table: KeyTable::default(),
            values,
            marks: Vec::new(),
            dirty: Vec::new(),
            leaving: Vec::new(),
            log: None,
            place: None,
            expiry: Expiry::default(),
            away: 0,
            gone: 0,
            value_bytes: 32,
            hand: 0,
            reported: 0,
        }
    }

    /// From here on state may go to disk.
    pub fn attach(&mut self, place: StatePlace) {
        self.place = Some(place);
    }

    pub fn key(&self, slot: u32) -> &[u8] {
        self.table.key(slot)
    }

    /// The slot of a key, and whether the key is new: its value is clear then.
    pub fn slot(&mut self, key: &[u8]) -> Result<(u32, bool)> {
        let hash = hash_key(key);
        if let Some(slot) = self.known(hash, key)? {
            let mark = &mut self.marks[slot as usize];
            let new = *mark & GONE != 0;
            if new {
                *mark &= !GONE;
                self.gone -= 1;
            }
            return Ok((slot, new));
        }
        Ok((self.insert(hash, key), true))
    }

    /// The slot of a key that is there.
    pub fn find(&mut self, key: &[u8]) -> Result<Option<u32>> {
        let known = self.known(hash_key(key), key)?;
        Ok(known.filter(|slot| self.marks[*slot as usize] & GONE == 0))
    }

    /// In memory, or brought there.
    fn known(&mut self, hash: u64, key: &[u8]) -> Result<Option<u32>> {
        if let Some(slot) = self.table.find(0, hash, key) {
            self.marks[slot as usize] |= RECENT;
            return Ok(Some(slot));
        }
        let Some(log) = self.log.as_ref().filter(|_| self.away > 0) else { return Ok(None) };
        let Some(value) = log.get(hash, key, |value| Ok(value.to_vec()))? else { return Ok(None) };
        let slot = self.load(hash, key, &value)?;
        self.away = self.away.saturating_sub(1);
        Ok(Some(slot))
    }

    fn insert(&mut self, hash: u64, key: &[u8]) -> u32 {
        let (slot, _) = self.table.find_or_insert(0, hash, key);
        let at = slot as usize;
        if self.marks.len() <= at {
            self.marks.resize(at + 1, 0);
        }
        self.marks[at] = RECENT;
        self.values.grow(at + 1);
        self.values.clear(slot);
        slot
    }

    fn load(&mut self, hash: u64, key: &[u8], value: &[u8]) -> Result<u32> {
        let slot = self.insert(hash, key);
        self.values.read(slot, &mut Reader::new(value))?;
        self.marks[slot as usize] |= STORED;
        Ok(slot)
    }

    /// The value of this slot changes.
    pub fn touch(&mut self, slot: u32) {
        if self.log.is_some() {
            let mark = &mut self.marks[slot as usize];
            if *mark & DIRTY == 0 {
                *mark |= DIRTY;
                self.dirty.push(slot);
            }
        }
    }

    pub fn remove(&mut self, slot: u32) {
        self.values.clear(slot);
        if self.marks[slot as usize] & STORED == 0 {
            self.marks[slot as usize] &= !(DIRTY | GONE);
            self.table.remove(slot);
            return;
        }
        if self.marks[slot as usize] & GONE == 0 {
            self.gone += 1;
            self.marks[slot as usize] |= GONE;
        }
        self.touch(slot);
    }

    /// Slots of the keys that are in memory, ascending.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.table.used().filter(|slot| self.marks[*slot as usize] & GONE == 0)
    }

    /// Calls `each` with all keys, so many at a time; those that were on disk only leave again. For the end of the input.
    pub fn each_chunk(&mut self, rows: usize, mut each: impl FnMut(&Self, &[u32]) -> Result<()>) -> Result<()> {
        let here: Vec<u32> = self.slots().collect();
        here.chunks(rows).try_for_each(|slots| each(self, slots))?;
        let Some(log) = self.log.as_ref().filter(|_| self.away > 0) else { return Ok(()) };
        let mut live = log.scan()?;
        loop {
            let mut loaded = Vec::with_capacity(rows);
            let done = live.each(|hash, key, value| {
                if self.table.find(0, hash, key).is_some() {
                    return Ok(true);
                }
                if loaded.len() == rows {
                    return Ok(false);
                }
                loaded.push(self.load(hash, key, value)?);
                Ok(true)
            })?;
            if !loaded.is_empty() {
                each(self, &loaded)?;
            }
            loaded.into_iter().for_each(|slot| self.leave(slot));
            if done {
                return Ok(());
            }
        }
    }

    /// Forgets keys that `is_over` says are; those on disk by when they were used.
    pub fn expire(&mut self, now_ms: i64, ttl_ms: i64, is_over: impl Fn(&V, u32) -> bool) {
        self.set_expiry(Expiry { ttl_ms, now_ms });
        if ttl_ms > 0 {
            let over: Vec<u32> = self.slots().filter(|slot| is_over(&self.values, *slot)).collect();
            over.into_iter().for_each(|slot| self.remove(slot));
        }
    }

    fn set_expiry(&mut self, expiry: Expiry) {
        self.expiry = expiry;
        if let Some(log) = &mut self.log {
            log.set_expiry(expiry);
        }
    }

    /// After each batch: writes what has piled up, and lets keys leave memory when it is short.
    pub fn settle(&mut self) -> Result<()> {
        let Some(place) = self.place.clone() else { return Ok(()) };
        let home = place.home;
        self.report(&home);
        let exceeded = home.budget.is_exceeded();
        if self.log.is_none() {
            let large = home.is_durable() && self.reported >= home.options.whole_below;
            if !large && !exceeded {
                return Ok(());
            }
            self.begin_log(SegmentLog::new(Arc::clone(&home), place.hashes, Vec::new()));
            self.flush(&home)?;
        }
        if self.dirty.len() as u64 * self.value_bytes >= home.options.flush_bytes {
            self.flush(&home)?;
        }
        if exceeded {
            self.make_room(&home)?;
            self.report(&home);
        }
        self.tend()
    }

    /// From now on changes are noted; all that is there is one.
    fn begin_log(&mut self, mut log: SegmentLog) {
        log.set_expiry(self.expiry);
        self.log = Some(log);
        let all: Vec<u32> = self.table.used().collect();
        all.into_iter().for_each(|slot| self.touch(slot));
    }

    fn flush(&mut self, home: &StateHome) -> Result<()> {
        let Some(log) = self.log.as_mut() else { return Ok(()) };
        let mut entries = Unsorted::default();
        let (mut written, mut bytes) = (0, 0);
        for slot in self.dirty.drain(..) {
            let mark = &mut self.marks[slot as usize];
            // A slot may have been freed, and taken by another key, since.
            if *mark & DIRTY == 0 {
                continue;
            }
            *mark = (*mark & !DIRTY) | STORED;
            let (hash, key) = (self.table.hash(slot), self.table.key(slot));
            if *mark & GONE != 0 {
                entries.push_gone(hash, key);
                self.leaving.push(slot);
            } else {
                let values = &self.values;
                entries.push(hash, key, values.used_ms(slot), |out| values.write(slot, out));
            }
            if entries.bytes() as u64 >= home.options.flush_bytes.saturating_mul(2) {
                (written, bytes) = (written + entries.len(), bytes + entries.bytes());
                log.append(std::mem::take(&mut entries))?;
            }
        }
        (written, bytes) = (written + entries.len(), bytes + entries.bytes());
        if !entries.is_empty() {
            log.append(entries)?;
        }
        if let Some(average) = bytes.checked_div(written) {
            self.value_bytes = average.max(1) as u64;
        }
        Ok(())
    }

    /// Looks after what runs in the background.
    fn tend(&mut self) -> Result<()> {
        let Some(log) = self.log.as_mut() else { return Ok(()) };
        log.tend()?;
        if !self.leaving.is_empty() && log.is_settled()? {
            for slot in std::mem::take(&mut self.leaving) {
                // It may have come back since.
                if self.marks[slot as usize] & (GONE | DIRTY) == GONE {
                    self.gone -= 1;
                    self.marks[slot as usize] = 0;
                    self.table.remove(slot);
                }
            }
        }
        Ok(())
    }

    /// Lets keys leave memory that were not used since the last time, then any.
    fn make_room(&mut self, home: &StateHome) -> Result<()> {
        let keys = self.table.len() as u64;
        let wanted = home.budget.to_free(self.reported);
        let leave = (u128::from(keys) * u128::from(wanted)).div_ceil(u128::from(self.reported.max(1))) as u64;
        if leave == 0 {
            return Ok(());
        }
        self.flush(home)?;
        if let Some(log) = &self.log {
            log.settle()?;
        }
        let mut left = 0;
        for _ in 0..self.marks.len() * 2 {
            if left >= leave {
                break;
            }
            self.hand = if self.hand + 1 >= self.marks.len() { 0 } else { self.hand + 1 };
            let (mark, slot) = (self.marks[self.hand], self.hand as u32);
            let used = self.table.is_used(slot);
            if used && mark & (STORED | RECENT | GONE) == STORED && !self.values.is_pinned(slot) {
                self.leave(slot);
                self.away += 1;
                left += 1;
            }
            self.marks[self.hand] &= !RECENT;
        }
        Ok(())
    }

    fn leave(&mut self, slot: u32) {
        self.values.clear(slot);
        self.marks[slot as usize] = 0;
        self.table.remove(slot);
    }

    fn report(&mut self, home: &StateHome) {
        let now = self.bytes();
        home.budget.report(self.reported, now);
        self.reported = now;
    }

    /// Memory that is in use: what was freed is taken again before there is more.
    fn bytes(&self) -> u64 {
        let (keys, slots) = (self.table.len() as u128, self.table.capacity().max(1) as u128);
        let columns = u128::from(self.values.bytes()) + self.marks.len() as u128;
        self.table.live_bytes() + (columns * keys / slots) as u64 + self.log.as_ref().map_or(0, SegmentLog::held)
    }

    pub fn size(&self) -> StateSize {
        StateSize { rows: self.table.len() as u64 - self.gone + self.away, bytes: self.bytes() }
    }

    /// At a barrier. The whole state, behind `prefix` for each key, while it is small; nothing when segments have it.
    pub fn snapshot(&mut self, prefix: &[u8], state: &mut KeyedState) -> Result<()> {
        if self.log.is_some() {
            if let Some(place) = self.place.clone() {
                self.flush(&place.home)?;
            }
            return Ok(());
        }
        for slot in self.table.used() {
            let out = state.group(self.table.hash(slot));
            out.extend_from_slice(prefix);
            write_bytes(out, self.table.key(slot));
            self.values.write(slot, out);
        }
        Ok(())
    }

    /// What a checkpoint has to name, after [`Keyed::snapshot`].
    pub fn parts(&self) -> Vec<LogPart> {
        self.log.as_ref().map(SegmentLog::parts).unwrap_or_default()
    }

    /// One key as `snapshot` wrote it, behind its prefix.
    pub fn restore(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let key = reader.bytes()?;
        let slot = self.insert(hash_key(key), key);
        self.values.read(slot, reader)
    }

    /// The segments of a checkpoint, oldest first. As much as memory takes of it is loaded.
    pub fn adopt(&mut self, parts: Vec<LogPart>) -> Result<()> {
        let Some(place) = self.place.clone().filter(|_| !parts.is_empty()) else { return Ok(()) };
        let log = SegmentLog::new(Arc::clone(&place.home), place.hashes, parts);
        let mut live = log.scan()?;
        // Others are restored after this one.
        let room = place.home.budget.left() / 2;
        let mut loaded = 0_u64;
        let complete = live.each(|hash, key, value| {
            if loaded.is_multiple_of(1024) && self.bytes() > room {
                return Ok(false);
            }
            loaded += 1;
            self.load(hash, key, value).map(|_| true)
        })?;
        if !complete {
            self.away = log.entries().saturating_sub(loaded).max(1);
        }
        self.log = Some(log);
        self.set_expiry(self.expiry);
        // What another task had kept whole.
        let unknown: Vec<u32> = self.table.used().filter(|slot| self.marks[*slot as usize] & STORED == 0).collect();
        unknown.into_iter().for_each(|slot| self.touch(slot));
        self.report(&place.home);
        Ok(())
    }
}

impl<V> Drop for Keyed<V> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            place.home.budget.report(self.reported, 0);
        }
    }
}
