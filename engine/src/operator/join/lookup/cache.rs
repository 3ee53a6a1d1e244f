//! Answers that were found, by key: the ones used the longest ago go first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::{Answer, PartialCache};
use crate::state::{KeyTable, hash_key};

/// Bookkeeping per key beside its bytes.
const PER_KEY: u64 = 128;
const PER_ROW: u64 = 32;

struct Cached {
    answer: Answer,
    written: Instant,
    used: Instant,
    /// Its place in the order of use.
    turn: u64,
}

pub(super) struct Cache {
    limits: PartialCache,
    table: KeyTable,
    /// By slot.
    held: Vec<Option<Cached>>,
    by_use: BTreeMap<u64, u32>,
    turns: u64,
    rows: u64,
    bytes: u64,
}

/// A key without rows takes the place of one row.
fn weight(answer: &Answer) -> u64 {
    answer.len().max(1) as u64
}

fn bytes(answer: &Answer) -> u64 {
    answer.iter().map(|row| row.len() as u64 + PER_ROW).sum()
}

impl Cache {
    pub(super) fn new(limits: PartialCache) -> Self {
        Cache {
            limits,
            table: KeyTable::default(),
            held: Vec::new(),
            by_use: BTreeMap::new(),
            turns: 0,
            rows: 0,
            bytes: 0,
        }
    }

    pub(super) fn get(&mut self, key: &[u8], now: Instant) -> Option<Answer> {
        let slot = self.table.find(0, hash_key(key), key)?;
        let cached = self.held.get_mut(slot as usize)?.as_mut()?;
        let older = |since: Instant, limit: Option<std::time::Duration>| {
            limit.is_some_and(|limit| now.saturating_duration_since(since) >= limit)
        };
        if older(cached.written, self.limits.after_write) || older(cached.used, self.limits.after_access) {
            self.remove(slot);
            return None;
        }
        self.turns += 1;
        self.by_use.remove(&std::mem::replace(&mut cached.turn, self.turns));
        self.by_use.insert(self.turns, slot);
        cached.used = now;
        Some(Arc::clone(&cached.answer))
    }

    pub(super) fn put(&mut self, key: &[u8], answer: &Answer, now: Instant) {
        if answer.is_empty() && !self.limits.missing {
            return;
        }
        if let Some(before) = self.table.find(0, hash_key(key), key) {
            self.remove(before);
        }
        let (slot, _) = self.table.find_or_insert(0, hash_key(key), key);
        let at = slot as usize;
        self.held.resize_with(self.held.len().max(at + 1), || None);
        self.turns += 1;
        self.rows += weight(answer);
        self.bytes += bytes(answer);
        self.held[at] = Some(Cached { answer: Arc::clone(answer), written: now, used: now, turn: self.turns });
        self.by_use.insert(self.turns, slot);
        while self.limits.max_rows.is_some_and(|most| self.rows > most)
            && let Some((_, oldest)) = self.by_use.first_key_value()
        {
            self.remove(*oldest);
        }
    }

    /// Keys and bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        let keys = self.by_use.len() as u64;
        (keys, self.bytes + keys * PER_KEY + self.table.bytes())
    }

    fn remove(&mut self, slot: u32) {
        if let Some(gone) = self.held.get_mut(slot as usize).and_then(Option::take) {
            self.by_use.remove(&gone.turn);
            self.rows -= weight(&gone.answer);
            self.bytes -= bytes(&gone.answer);
            self.table.remove(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(rows: usize) -> Answer {
        (0..rows).map(|row| Arc::from(vec![row as u8])).collect()
    }

    #[test]
    fn the_answer_used_the_longest_ago_goes_when_there_are_too_many_rows() {
        let now = Instant::now();
        let mut cache = Cache::new(PartialCache { max_rows: Some(4), missing: true, ..PartialCache::default() });
        cache.put(b"a", &answer(2), now);
        cache.put(b"b", &answer(1), now);
        assert!(cache.get(b"a", now).is_some());
        cache.put(b"c", &answer(2), now);
        assert!(cache.get(b"b", now).is_none(), "a was used since");
        assert_eq!(cache.get(b"a", now).map(|rows| rows.len()), Some(2));
        cache.put(b"d", &answer(9), now);
        assert_eq!(cache.size(), Cache::new(PartialCache::default()).size(), "more than all that may be kept");
    }

    #[test]
    fn answers_are_asked_for_again_after_their_time() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let limits =
            PartialCache { after_write: Some(5 * second), after_access: Some(2 * second), ..Default::default() };
        let mut cache = Cache::new(limits);
        cache.put(b"a", &answer(1), start);
        cache.put(b"b", &answer(1), start);
        assert!(cache.get(b"a", start + second).is_some());
        assert!(cache.get(b"a", start + 2 * second).is_some(), "used a second ago");
        assert!(cache.get(b"b", start + 2 * second).is_none(), "used two seconds ago");
        assert!(cache.get(b"a", start + 3 * second).is_some());
        assert!(cache.get(b"a", start + 4 * second).is_some());
        assert!(cache.get(b"a", start + 5 * second).is_none(), "written five seconds ago");
    }

    #[test]
    fn keys_without_rows_are_kept_where_that_is_wanted() {
        let now = Instant::now();
        for missing in [true, false] {
            let mut cache = Cache::new(PartialCache { missing, ..PartialCache::default() });
            cache.put(b"a", &answer(0), now);
            assert_eq!(cache.get(b"a", now).is_some(), missing);
        }
    }
}
