//! Slots by the hash of their keys.

use hashbrown::HashTable;

/// A table of so many slots is cut into parts.
const CUT_AT: usize = 1 << 16;
const PARTS: usize = 256;
/// The bits of a hash that choose the part: neither those of key groups, nor those by which a part finds its buckets.
const PART_SHIFT: u32 = 40;
/// Below so many buckets none are given back.
const SMALL: usize = 512;

/// A hash table of slots. A large one consists of parts, for whatever doubles moves all it holds in one go: with millions
/// of keys a pause that is noticed. Hashes being even, the parts double near the same time, but not in the same batch.
pub(super) struct Buckets {
    /// One, or [`PARTS`].
    parts: Vec<HashTable<u32>>,
    len: usize,
}

impl Default for Buckets {
    fn default() -> Self {
        Buckets { parts: vec![HashTable::new()], len: 0 }
    }
}

impl Buckets {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn find(&self, hash: u64, same: impl FnMut(&u32) -> bool) -> Option<u32> {
        self.parts[self.part(hash)].find(hash, same).copied()
    }

    /// Of a slot that is not there.
    pub(super) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(&u32) -> u64) {
        if self.len == CUT_AT && self.parts.len() == 1 {
            self.cut(&hash_of);
        }
        let part = self.part(hash);
        self.parts[part].insert_unique(hash, slot, hash_of);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, hash: u64, slot: u32, hash_of: impl Fn(&u32) -> u64) {
        let part = self.part(hash);
        let part = &mut self.parts[part];
        let Ok(found) = part.find_entry(hash, |other| *other == slot) else { return };
        found.remove();
        self.len -= 1;
        if part.capacity() > SMALL && part.len() * 8 < part.capacity() {
            part.shrink_to(part.len() * 2, hash_of);
        }
        if self.len == 0 {
            *self = Buckets::default();
        }
    }

    fn part(&self, hash: u64) -> usize {
        (hash >> PART_SHIFT) as usize & (self.parts.len() - 1)
    }

    fn cut(&mut self, hash_of: &impl Fn(&u32) -> u64) {
        let whole = std::mem::take(&mut self.parts);
        self.parts.resize_with(PARTS, || HashTable::with_capacity(2 * CUT_AT / PARTS));
        for slot in whole.into_iter().flatten() {
            let hash = hash_of(&slot);
            let part = self.part(hash);
            self.parts[part].insert_unique(hash, slot, hash_of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::hash_key;

    fn hash_of(slot: &u32) -> u64 {
        hash_key(&slot.to_le_bytes())
    }

    #[test]
    fn slots_are_found_before_and_after_the_cut_and_memory_is_given_back() {
        let mut buckets = Buckets::default();
        let all = CUT_AT as u32 * 3;
        for slot in 0..all {
            buckets.insert(hash_of(&slot), slot, hash_of);
        }
        assert_eq!((buckets.len(), buckets.parts.len()), (all as usize, PARTS));
        assert!(buckets.parts.iter().all(|part| !part.is_empty() && part.len() < 2 * all as usize / PARTS));
        let find = |buckets: &Buckets, slot: u32| buckets.find(hash_of(&slot), |other| *other == slot);
        assert!((0..all).all(|slot| find(&buckets, slot) == Some(slot)));
        assert_eq!(find(&buckets, all), None);
        for slot in 8..all {
            buckets.remove(hash_of(&slot), slot, hash_of);
        }
        buckets.remove(hash_of(&all), all, hash_of);
        assert_eq!(buckets.len(), 8);
        assert!((0..8).all(|slot| find(&buckets, slot) == Some(slot)) && find(&buckets, 8).is_none());
        assert!(buckets.parts.iter().all(|part| part.capacity() <= SMALL));
        (0..8).for_each(|slot| buckets.remove(hash_of(&slot), slot, hash_of));
        assert_eq!((buckets.len(), buckets.parts.len()), (0, 1));
    }
}
