//! From checkpoints.

use std::sync::Arc;

use super::{Keyed, STORED, SlotValues, untagged};
use crate::error::Result;
use crate::state::log::{LogPart, SegmentLog};
use crate::state::{Reader, hash_key};

impl<V: SlotValues> Keyed<V> {
    /// One key as `snapshot` wrote it, behind its prefix.
    pub fn restore(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let slot = self.restore_slot(0, reader.bytes()?);
        self.values.read(slot, reader)
    }

    /// The slot of a key that was not there; the operator reads its value.
    pub fn restore_slot(&mut self, tag: i64, key: &[u8]) -> u32 {
        self.insert(tag, hash_key(key), key)
    }

    /// The segments of a checkpoint, oldest first. As much of it is loaded as memory and time allow.
    pub fn adopt(&mut self, parts: Vec<LogPart>) -> Result<()> {
        let Some(place) = self.place.clone().filter(|_| !parts.is_empty()) else { return Ok(()) };
        let mut log = SegmentLog::new(Arc::clone(&place.home), place.hashes, parts);
        log.set_expiry(self.expiry);
        let mut live = log.scan()?;
        // Others are restored after this one.
        let room = place.home.budget.left() / 2;
        let (mut loaded, mut full) = (0_u64, false);
        live.each(|hash, stored, value| {
            // Keys of a list are gone through to the end, which takes the time anyway.
            let late = || !V::LISTED && !place.home.has_time_to_load();
            full = full || loaded.is_multiple_of(1024) && (self.bytes() > room || late());
            let (tag, key) = untagged::<V>(stored);
            if !full {
                loaded += 1;
                self.load(tag, hash, key, value)?;
            } else if V::LISTED {
                self.values.passed_by(tag, value)?;
                self.away.add(V::TAGGED.then_some(tag), self.values.due_stored(value)?);
            }
            Ok(!full || V::LISTED)
        })?;
        if full && !V::LISTED {
            self.away.keys = log.entries().saturating_sub(loaded).max(1);
        }
        self.log = Some(log);
        // What another task had kept whole.
        let unknown: Vec<u32> = self.table.used().filter(|slot| self.marks[*slot as usize] & STORED == 0).collect();
        unknown.into_iter().for_each(|slot| self.touch(slot));
        self.report(&place.home);
        Ok(())
    }
}
