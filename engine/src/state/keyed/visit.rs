//! Going over keys, also those that are on disk only.

use std::collections::BinaryHeap;

use super::{Keyed, NEVER, SlotValues, untagged};
use crate::error::Result;
use crate::state::log::Live;

/// So many keys come back together at least, when the first of them is due.
const TOGETHER: usize = 1024;

/// Keys of one step over segments: all slots, and those that were on disk only.
#[derive(Default)]
pub struct Chunk {
    pub slots: Vec<u32>,
    loaded: Vec<u32>,
}

/// A walk over the keys with some tags, in memory and on disk.
pub struct Gathering {
    live: Live,
    done: bool,
}

/// Keys that are due and come back from disk.
pub struct Waking {
    /// `None` when there are none, or no more.
    live: Option<Live>,
    /// Those that are due by then come.
    up_to: i64,
    later: Soonest,
}

/// The earliest of many times.
struct Soonest {
    most: usize,
    times: BinaryHeap<i64>,
}

impl Soonest {
    fn add(&mut self, time: i64) {
        if self.times.len() < self.most {
            self.times.push(time);
        } else if let Some(mut last) = self.times.peek_mut().filter(|last| time < **last) {
            *last = time;
        }
    }
}

impl<V: SlotValues> Keyed<V> {
    /// Calls `each` with all keys, so many at a time; those that were on disk only leave again. For the end of the input.
    pub fn each_chunk(&mut self, rows: usize, mut each: impl FnMut(&Self, &[u32]) -> Result<()>) -> Result<()> {
        let here: Vec<u32> = self.slots().collect();
        here.chunks(rows).try_for_each(|slots| each(self, slots))?;
        let Some(log) = self.log.as_ref().filter(|_| self.away.keys > 0) else { return Ok(()) };
        let mut live = log.scan()?;
        loop {
            let mut loaded = Vec::with_capacity(rows);
            let done = live.each(|hash, stored, value| {
                let (tag, key) = untagged::<V>(stored);
                if self.table.find(tag, hash, key).is_some() {
                    return Ok(true);
                }
                if loaded.len() == rows {
                    return Ok(false);
                }
                loaded.push(self.load(tag, hash, key, value)?);
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

    /// Brings the next keys back that are on disk only, from one call to the next through all of them and around again.
    pub fn next_away(&mut self, rows: usize) -> Result<Vec<u32>> {
        let Some(log) = self.log.as_ref().filter(|_| self.away.keys > 0) else { return Ok(Vec::new()) };
        let mut live = match self.round.take() {
            Some(live) => live,
            None => log.scan_written()?,
        };
        let mut keys: Vec<(i64, u64, Vec<u8>)> = Vec::new();
        let done = live.each(|hash, stored, _| {
            let (tag, key) = untagged::<V>(stored);
            if self.table.find(tag, hash, key).is_none() {
                keys.push((tag, hash, key.to_vec()));
            }
            Ok(keys.len() < rows)
        })?;
        // What was read may have changed since the round began, and left memory again: it is looked up.
        let found = keys.iter().map(|(tag, hash, key)| self.known(*tag, *hash, key));
        let found = found.collect::<Result<Vec<Option<u32>>>>()?;
        self.round = (!done).then_some(live);
        Ok(found.into_iter().flatten().collect())
    }

    /// Keys leave memory again, but for those that changed.
    pub fn let_go(&mut self, slots: &[u32]) {
        for slot in slots {
            self.leave_if_stored(*slot);
        }
    }

    /// Begins a walk with [`Keyed::gather`]. Nothing may be written until it ends.
    pub fn gathering(&mut self) -> Result<Option<Gathering>> {
        if let Some(place) = self.place.clone() {
            self.flush(&place.home)?;
        }
        let live = self.log.as_ref().map(super::SegmentLog::scan).transpose()?;
        Ok(live.map(|live| Gathering { live, done: false }))
    }

    /// The next keys of which `wanted` says so of the tag; those of one hash come together. `None` at the end.
    pub fn gather(
        &mut self,
        gathering: &mut Gathering,
        rows: usize,
        wanted: impl Fn(i64) -> bool,
    ) -> Result<Option<Chunk>> {
        if gathering.done {
            return Ok(None);
        }
        let (mut chunk, mut last) = (Chunk::default(), None);
        gathering.done = gathering.live.each(|hash, stored, value| {
            let (tag, key) = untagged::<V>(stored);
            if !wanted(tag) {
                return Ok(true);
            }
            if chunk.slots.len() >= rows && last != Some(hash) {
                return Ok(false);
            }
            last = Some(hash);
            match self.table.find(tag, hash, key) {
                Some(slot) if self.marks[slot as usize] & super::GONE == 0 => chunk.slots.push(slot),
                Some(_) => {}
                None => {
                    let slot = self.load(tag, hash, key, value)?;
                    chunk.slots.push(slot);
                    chunk.loaded.push(slot);
                }
            }
            Ok(true)
        })?;
        Ok(Some(chunk))
    }

    /// What was on disk only is there only again.
    pub fn release(&mut self, chunk: Chunk) {
        chunk.loaded.into_iter().for_each(|slot| self.leave(slot));
    }

    /// Begins to bring keys back that are due; to be called when those in memory are done.
    pub fn waking(&mut self, up_to: i64) -> Result<Waking> {
        let most = TOGETHER.max(self.table.len() / 4);
        let mut waking = Waking { live: None, up_to, later: Soonest { most, times: BinaryHeap::new() } };
        if self.away.keys == 0 || up_to < self.away.due {
            return Ok(waking);
        }
        let Some(place) = self.place.clone() else { return Ok(waking) };
        self.flush(&place.home)?;
        waking.live = self.log.as_ref().map(super::SegmentLog::scan).transpose()?;
        waking.up_to = up_to.max(self.away.together);
        self.away.due = NEVER;
        Ok(waking)
    }

    /// Brings some more of them; false when there are no more. What was brought before may leave memory again.
    pub fn wake(&mut self, waking: &mut Waking, rows: usize) -> Result<bool> {
        let Some(live) = &mut waking.live else { return Ok(false) };
        self.settle()?;
        let mut loaded = 0;
        let done = live.each(|hash, stored, value| {
            let (tag, key) = untagged::<V>(stored);
            if self.table.find(tag, hash, key).is_some() {
                return Ok(true);
            }
            let due = self.values.due_stored(value)?;
            if due > waking.up_to {
                waking.later.add(due);
                return Ok(true);
            }
            if loaded == rows {
                return Ok(false);
            }
            self.load(tag, hash, key, value)?;
            self.away.remove(V::TAGGED.then_some(tag));
            loaded += 1;
            Ok(true)
        })?;
        if done {
            waking.live = None;
            let later = &waking.later.times;
            self.away.due = self.away.due.min(later.iter().min().copied().unwrap_or(NEVER));
            self.away.together = later.peek().copied().unwrap_or(i64::MIN);
        }
        Ok(loaded > 0)
    }
}
