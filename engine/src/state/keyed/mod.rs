//! State by key that may be larger than memory, and of which a checkpoint holds only what changed.
//!
//! Values are columns of the operator, addressed by slots ([`SlotValues`]). While the state is small nothing else
//! happens, and a checkpoint holds it whole. When it has grown, every change is written to a [`SegmentLog`]: changed keys
//! are collected, and come to disk when they are many, and at each barrier; a checkpoint then names the segments. When
//! memory runs out, keys that were not used lately and whose value is on disk leave it; they come back when they are
//! asked for, or when their time has come. What is in memory is always newer than what is on disk.

mod disk;
mod restore;
#[cfg(test)]
mod tests;
mod values;
mod visit;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::home::{Segment, StateHome};
use super::log::{Expiry, Hashes, Live, SegmentLog};
use super::segment::Unsorted;
use super::{KeyTable, Reader, SlotColumn, StateSize, hash_key};
use crate::error::Result;

pub use values::{NEVER, SlotValues};
pub use visit::Waking;

/// Changed since it was written.
const DIRTY: u8 = 1;
/// Some segment has the key.
const STORED: u8 = 2;
/// The key is gone; the segments do not know it yet.
const GONE: u8 = 4;
/// Used since keys were last looked through for some to leave memory.
const RECENT: u8 = 8;

/// Marks, and the number of a write.
const PER_SLOT: u128 = 5;

/// Bytes of a tag before the key, in segments.
const TAG: usize = 8;

pub struct Keyed<V> {
    table: KeyTable,
    pub values: V,
    marks: SlotColumn<u8>,
    /// By slot: the number of the write that took its value to disk last.
    written: SlotColumn<u32>,
    dirty: Vec<u32>,
    /// What the next write takes to disk.
    coming: Unsorted,
    /// So many of those that have changed are to come along, a few behind each batch.
    draining: usize,
    /// Keys that are gone, of which the news are on their way to disk.
    leaving: Vec<u32>,
    log: Option<SegmentLog>,
    writes: Writes,
    place: Option<StatePlace>,
    expiry: Expiry,
    away: Away,
    gone: u64,
    /// Bytes that a value had when it was written, on the average.
    value_bytes: u64,
    /// Where looking for keys to leave memory goes on.
    hand: usize,
    /// Where looking at keys on disk goes on.
    round: Option<Live>,
    reported: u64,
}

/// Numbered from 1; 0 is what was on disk before.
#[derive(Default)]
struct Writes {
    last: u32,
    under_way: VecDeque<(u32, Arc<Segment>)>,
    /// This one has come to disk, and all before it.
    done: u32,
}

/// Keys that are on disk only.
struct Away {
    keys: u64,
    /// How many there are with each tag, for tables with tags.
    tags: BTreeMap<i64, u64>,
    /// When the first of them is due, or earlier.
    due: i64,
    /// Those that are due by then come back together, so that segments are not read for each of them.
    together: i64,
}

/// Where the state of one operator in one task belongs.
#[derive(Clone)]
pub struct StatePlace {
    pub home: Arc<StateHome>,
    pub hashes: Hashes,
}

impl Away {
    const fn new() -> Self {
        Away { keys: 0, tags: BTreeMap::new(), due: NEVER, together: i64::MIN }
    }

    fn add(&mut self, tag: Option<i64>, due: i64) {
        self.keys += 1;
        self.due = self.due.min(due);
        if let Some(tag) = tag {
            *self.tags.entry(tag).or_default() += 1;
        }
    }

    fn remove(&mut self, tag: Option<i64>) {
        self.keys = self.keys.saturating_sub(1);
        if let Some(count) = tag.and_then(|tag| self.tags.get_mut(&tag)) {
            *count = count.saturating_sub(1);
        }
    }
}

impl<V: SlotValues> Keyed<V> {
    pub fn new(values: V) -> Self {
        Keyed {
            table: KeyTable::default(),
            values,
            marks: SlotColumn::default(),
            written: SlotColumn::default(),
            dirty: Vec::new(),
            coming: Unsorted::default(),
            draining: 0,
            leaving: Vec::new(),
            log: None,
            writes: Writes::default(),
            place: None,
            expiry: Expiry::default(),
            away: Away::new(),
            gone: 0,
            value_bytes: 32,
            hand: 0,
            round: None,
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

    pub fn tag(&self, slot: u32) -> i64 {
        self.table.tag(slot)
    }

    pub fn hash(&self, slot: u32) -> u64 {
        self.table.hash(slot)
    }

    /// The slot of a key, and whether the key is new: its value is clear then.
    pub fn slot(&mut self, key: &[u8]) -> Result<(u32, bool)> {
        self.slot_at(0, key)
    }

    /// The slot of a key with a tag.
    pub fn slot_at(&mut self, tag: i64, key: &[u8]) -> Result<(u32, bool)> {
        let hash = hash_key(key);
        if let Some(slot) = self.known(tag, hash, key)? {
            let mark = &mut self.marks[slot as usize];
            let new = *mark & GONE != 0;
            if new {
                *mark &= !GONE;
                self.gone -= 1;
                self.values.placed(slot, tag);
            }
            return Ok((slot, new));
        }
        Ok((self.insert(tag, hash, key), true))
    }

    /// The slot of a key that is there.
    pub fn find(&mut self, key: &[u8]) -> Result<Option<u32>> {
        let known = self.known(0, hash_key(key), key)?;
        Ok(known.filter(|slot| self.marks[*slot as usize] & GONE == 0))
    }

    /// In memory, or brought there.
    fn known(&mut self, tag: i64, hash: u64, key: &[u8]) -> Result<Option<u32>> {
        if let Some(slot) = self.table.find(tag, hash, key) {
            self.marks[slot as usize] |= RECENT;
            return Ok(Some(slot));
        }
        if self.away.keys == 0 { Ok(None) } else { self.fetch(tag, hash, key) }
    }

    /// Brings a key back that is on disk only.
    #[cold]
    fn fetch(&mut self, tag: i64, hash: u64, key: &[u8]) -> Result<Option<u32>> {
        let Some(log) = &self.log else { return Ok(None) };
        if V::TAGGED && self.away.tags.get(&tag).is_none_or(|count| *count == 0) {
            return Ok(None);
        }
        let value = match V::TAGGED {
            true => log.get(hash, &tagged(tag, key), |value| Ok(value.to_vec()))?,
            false => log.get(hash, key, |value| Ok(value.to_vec()))?,
        };
        let Some(value) = value else { return Ok(None) };
        let slot = self.load(tag, hash, key, &value)?;
        self.away.remove(V::TAGGED.then_some(tag));
        Ok(Some(slot))
    }

    fn insert(&mut self, tag: i64, hash: u64, key: &[u8]) -> u32 {
        let (slot, _) = self.table.find_or_insert(tag, hash, key);
        let at = slot as usize;
        self.marks.grow(at + 1);
        self.written.grow(at + 1);
        self.marks[at] = RECENT;
        self.written[at] = 0;
        self.values.grow(at + 1);
        self.values.clear(slot);
        self.values.placed(slot, tag);
        slot
    }

    fn load(&mut self, tag: i64, hash: u64, key: &[u8], stored: &[u8]) -> Result<u32> {
        let slot = self.insert(tag, hash, key);
        self.values.read_stored(slot, &mut Reader::new(stored))?;
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

    /// A key whose entries on disk have expired, or that has none.
    pub fn drop_slot(&mut self, slot: u32) {
        if self.marks[slot as usize] & GONE != 0 {
            self.gone -= 1;
        }
        self.leave(slot);
    }

    /// Slots of the keys that are in memory, ascending.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.table.used().filter(|slot| self.marks[*slot as usize] & GONE == 0)
    }

    /// Forgets keys that `is_over` says are; those on disk by when they were used.
    pub fn expire(&mut self, now_ms: i64, ttl_ms: i64, is_over: impl Fn(&V, u32) -> bool) {
        if ttl_ms > 0 {
            self.expire_up_to(now_ms.saturating_sub(ttl_ms));
            let over: Vec<u32> = self.slots().filter(|slot| is_over(&self.values, *slot)).collect();
            over.into_iter().for_each(|slot| self.remove(slot));
        }
    }

    /// What was used at this time, or before, is gone from disk. In memory the operator sees to it.
    pub fn expire_up_to(&mut self, used_ms: i64) {
        self.expiry = Expiry(Some(used_ms));
        if let Some(log) = &mut self.log {
            log.set_expiry(self.expiry);
        }
    }

    /// No key with this tag is on disk any more: it has expired there.
    pub fn forget_tag(&mut self, tag: i64) {
        let count = self.away.tags.remove(&tag).unwrap_or(0);
        self.away.keys = self.away.keys.saturating_sub(count);
    }

    /// Whether a key with one of these tags is on disk only.
    pub fn is_away(&self, tags: &[i64]) -> bool {
        self.away.keys > 0 && tags.iter().any(|tag| self.away.tags.get(tag).is_some_and(|count| *count > 0))
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
        let columns = u128::from(self.values.bytes()) + self.marks.len() as u128 * PER_SLOT;
        self.table.live_bytes() + (columns * keys / slots) as u64 + self.log.as_ref().map_or(0, SegmentLog::held)
    }

    pub fn size(&self) -> StateSize {
        StateSize { rows: self.table.len() as u64 - self.gone + self.away.keys, bytes: self.bytes() }
    }
}

/// A key as segments have it.
fn tagged(tag: i64, key: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(TAG + key.len());
    // Negative ones before the others.
    stored.extend_from_slice(&(tag ^ i64::MIN).to_be_bytes());
    stored.extend_from_slice(key);
    stored
}

/// Tag and key of what segments have.
fn untagged<V: SlotValues>(stored: &[u8]) -> (i64, &[u8]) {
    match stored.split_first_chunk::<TAG>().filter(|_| V::TAGGED) {
        Some((tag, key)) => (i64::from_be_bytes(*tag) ^ i64::MIN, key),
        None => (0, stored),
    }
}

impl<V> Drop for Keyed<V> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            place.home.budget.report(self.reported, 0);
        }
    }
}
