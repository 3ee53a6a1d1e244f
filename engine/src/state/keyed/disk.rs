//! What comes to disk, and when keys leave memory.

use std::sync::Arc;

use super::{DIRTY, GONE, Keyed, RECENT, STORED, SlotValues, tagged};
use crate::error::Result;
use crate::state::home::StateHome;
use crate::state::log::{LogPart, SegmentLog};
use crate::state::{KeyedState, key_group, write_bytes};

/// So many keys leave memory behind one batch at most: more than come with it.
const LEAVE_AT_ONCE: u64 = 32_768;

impl<V: SlotValues> Keyed<V> {
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
            self.draining = self.dirty.len();
        }
        self.drain(&home)?;
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

    /// When many keys have changed they come to disk, by and by.
    fn drain(&mut self, home: &StateHome) -> Result<()> {
        if self.draining == 0 && self.dirty.len() as u64 * self.value_bytes >= home.options.flush_bytes {
            self.draining = self.dirty.len();
        }
        if self.draining == 0 {
            return Ok(());
        }
        let now = self.draining.min(home.options.keys_at_once);
        self.draining -= now;
        let slots: Vec<u32> = self.dirty.drain(..now).collect();
        self.prepare(slots, home)?;
        if self.draining == 0 { self.append() } else { Ok(()) }
    }

    /// All that has changed comes to disk.
    pub(super) fn flush(&mut self, home: &StateHome) -> Result<()> {
        self.draining = 0;
        let slots = std::mem::take(&mut self.dirty);
        self.prepare(slots, home)?;
        self.append()
    }

    fn prepare(&mut self, slots: Vec<u32>, home: &StateHome) -> Result<()> {
        for slot in slots {
            let mark = &mut self.marks[slot as usize];
            // A slot may have been freed, and taken by another key, since.
            if *mark & DIRTY == 0 {
                continue;
            }
            *mark = (*mark & !DIRTY) | STORED;
            let gone = *mark & GONE != 0;
            if gone {
                self.leaving.push(slot);
            }
            self.written[slot as usize] = self.writes.last + 1;
            let (hash, key, values) = (self.table.hash(slot), self.table.key(slot), &self.values);
            let entries = &mut self.coming;
            let mut push = |key: &[u8]| match gone {
                true => entries.push_gone(hash, key),
                false => entries.push(hash, key, values.used_ms(slot), |out| values.write_stored(slot, out)),
            };
            match V::TAGGED {
                true => push(&tagged(self.table.tag(slot), key)),
                false => push(key),
            }
            if entries.bytes() as u64 >= home.options.flush_bytes.saturating_mul(2) {
                self.append()?;
            }
        }
        Ok(())
    }

    /// Gives what is ready away to be written.
    fn append(&mut self) -> Result<()> {
        let Some(log) = self.log.as_mut().filter(|_| !self.coming.is_empty()) else { return Ok(()) };
        let entries = std::mem::take(&mut self.coming);
        // The mean of what it was and what it is: a piece may consist of keys that are gone only.
        let now = (entries.bytes() / entries.len()) as u64;
        self.value_bytes = now.midpoint(self.value_bytes).max(1);
        self.writes.last += 1;
        self.writes.under_way.push_back((self.writes.last, log.append(entries)?));
        Ok(())
    }

    /// Looks after what runs in the background.
    fn tend(&mut self) -> Result<()> {
        let Some(log) = self.log.as_mut() else { return Ok(()) };
        log.tend()?;
        let before = self.writes.done;
        while let Some((number, segment)) = self.writes.under_way.front() {
            let Some(ready) = segment.ready() else { break };
            ready?;
            self.writes.done = *number;
            self.writes.under_way.pop_front();
        }
        if self.writes.done > before {
            for slot in std::mem::take(&mut self.leaving) {
                self.forget_gone(slot);
            }
        }
        Ok(())
    }

    /// A key that is gone, when the segments know it.
    fn forget_gone(&mut self, slot: u32) {
        let at = slot as usize;
        // It may have come back since.
        if self.marks[at] & (GONE | DIRTY) != GONE {
            return;
        }
        if self.written[at] > self.writes.done {
            self.leaving.push(slot);
            return;
        }
        self.gone -= 1;
        self.marks[at] = 0;
        self.table.remove(slot);
    }

    /// Lets some keys leave memory that were not used since the last time, then any. Few at a time: the rows wait.
    fn make_room(&mut self, home: &StateHome) -> Result<()> {
        let keys = self.table.len() as u64;
        let wanted = home.budget.to_free(self.reported);
        let leave = (u128::from(keys) * u128::from(wanted)).div_ceil(u128::from(self.reported.max(1))) as u64;
        let leave = leave.min(LEAVE_AT_ONCE);
        let mut left = 0;
        for _ in 0..self.marks.len().saturating_mul(2) {
            if left >= leave {
                return Ok(());
            }
            self.hand = if self.hand + 1 >= self.marks.len() { 0 } else { self.hand + 1 };
            let at = self.hand;
            if self.marks[at] & RECENT == 0 && self.leave_if_stored(at as u32) {
                left += 1;
            } else {
                self.marks[at] &= !RECENT;
            }
        }
        // Too many have changed, or are on their way to disk.
        self.flush(home)?;
        if let Some((_, segment)) = self.writes.under_way.front() {
            segment.wait()?;
        }
        Ok(())
    }

    /// A key whose value is on disk leaves memory. Tells whether it did.
    pub(super) fn leave_if_stored(&mut self, slot: u32) -> bool {
        let at = slot as usize;
        let stored = self.marks[at] & (STORED | GONE | DIRTY) == STORED;
        let leaves = stored && self.written[at] <= self.writes.done && self.table.is_used(slot);
        if leaves {
            self.away.add(V::TAGGED.then(|| self.table.tag(slot)), self.values.due(slot));
            self.leave(slot);
        }
        leaves
    }

    /// At a barrier. The whole state, behind `prefix` for each key, while it is small; nothing when segments have it.
    pub fn snapshot(&mut self, prefix: &[u8], state: &mut KeyedState) -> Result<()> {
        if self.is_whole()? {
            for slot in self.table.used() {
                let out = state.group(self.table.hash(slot));
                out.extend_from_slice(prefix);
                write_bytes(out, self.table.key(slot));
                self.values.write(slot, out);
            }
        }
        Ok(())
    }

    /// As [`Keyed::snapshot`], behind what stands once in each key group; there also when segments have the keys.
    pub fn snapshot_behind(&mut self, head: impl Fn(&mut Vec<u8>), state: &mut KeyedState) -> Result<()> {
        if !self.is_whole()? {
            self.in_each_group(state, head);
            return Ok(());
        }
        for slot in self.table.used() {
            let out = state.group(self.table.hash(slot));
            if out.is_empty() {
                head(out);
            }
            write_bytes(out, self.table.key(slot));
            self.values.write(slot, out);
        }
        Ok(())
    }

    /// At a barrier: whether the operator is to write what it has. Otherwise segments have it after this.
    pub fn is_whole(&mut self) -> Result<bool> {
        if let Some(place) = self.place.clone().filter(|_| self.log.is_some()) {
            self.flush(&place.home)?;
        }
        Ok(self.log.is_none())
    }

    /// What stands once in each key group, also in those of which the keys are in segments.
    pub fn in_each_group(&self, state: &mut KeyedState, head: impl Fn(&mut Vec<u8>)) {
        let Some(place) = &self.place else { return };
        for group in key_group(place.hashes.first)..=key_group(place.hashes.last) {
            head(state.groups.entry(group).or_default());
        }
    }

    /// What a checkpoint has to name, after [`Keyed::snapshot`].
    pub fn parts(&self) -> Vec<LogPart> {
        self.log.as_ref().map(SegmentLog::parts).unwrap_or_default()
    }
}
