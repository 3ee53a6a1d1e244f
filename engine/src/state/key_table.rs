//! Key bytes → slot number, with slots used again.

use super::buckets::Buckets;
use super::slot_column::SlotColumn;

/// Bookkeeping per key beside its bytes: the slot, its place in the table, and what the allocator rounds up.
const PER_KEY: usize = 64;

/// A hash table from (tag, key) to a slot. The tag is a window pane, or 0. Values live in columns of the operator,
/// indexed by slot.
#[derive(Default)]
pub struct KeyTable {
    table: Buckets,
    slots: SlotColumn<Slot>,
    free: Vec<u32>,
    key_bytes: usize,
}

#[derive(Default)]
struct Slot {
    key: Box<[u8]>,
    /// Of the key alone: decides the key group.
    hash: u64,
    tag: i64,
    used: bool,
}

impl KeyTable {
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Slots ever given out; columns of values have at least this length.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub fn bytes(&self) -> u64 {
        (self.key_bytes + self.slots.len() * PER_KEY) as u64
    }

    /// Without what was freed and will be used again.
    pub fn live_bytes(&self) -> u64 {
        (self.key_bytes + self.table.len() * PER_KEY) as u64
    }

    pub fn is_used(&self, slot: u32) -> bool {
        self.slots.get(slot as usize).is_some_and(|slot| slot.used)
    }

    pub fn find(&self, tag: i64, hash: u64, key: &[u8]) -> Option<u32> {
        let same = |slot: &u32| self.slots.get(*slot as usize).is_some_and(|slot| slot.tag == tag && *slot.key == *key);
        self.table.find(mix(tag, hash), same)
    }

    /// The slot of a key and whether it is new. Bytes are copied only then.
    pub fn find_or_insert(&mut self, tag: i64, hash: u64, key: &[u8]) -> (u32, bool) {
        if let Some(slot) = self.find(tag, hash, key) {
            return (slot, false);
        }
        let entry = Slot { key: key.into(), hash, tag, used: true };
        self.key_bytes += key.len();
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                (self.slots.len() - 1) as u32
            }
        };
        let slots = &self.slots;
        self.table.insert(mix(tag, hash), slot, |slot| slots[*slot as usize].mixed());
        (slot, true)
    }

    pub fn remove(&mut self, slot: u32) {
        let Some(entry) = self.slots.get_mut(slot as usize).filter(|entry| entry.used) else { return };
        self.key_bytes -= entry.key.len();
        let hash = entry.mixed();
        *entry = Slot::default();
        let slots = &self.slots;
        self.table.remove(hash, slot, |slot| slots[*slot as usize].mixed());
        self.free.push(slot);
        if self.table.len() == 0 {
            self.slots.clear();
            self.free.clear();
        }
    }

    pub fn key(&self, slot: u32) -> &[u8] {
        self.slots.get(slot as usize).map_or(&[], |slot| &slot.key)
    }

    pub fn hash(&self, slot: u32) -> u64 {
        self.slots.get(slot as usize).map_or(0, |slot| slot.hash)
    }

    pub fn tag(&self, slot: u32) -> i64 {
        self.slots.get(slot as usize).map_or(0, |slot| slot.tag)
    }

    /// All used slots, ascending.
    pub fn used(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.iter().enumerate().filter(|(_, slot)| slot.used).map(|(number, _)| number as u32)
    }
}

impl Slot {
    fn mixed(&self) -> u64 {
        mix(self.tag, self.hash)
    }
}

fn mix(tag: i64, hash: u64) -> u64 {
    hash ^ (tag as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_removed_and_their_slots_used_again() {
        let mut table = KeyTable::default();
        assert_eq!(table.find_or_insert(0, 7, b"a"), (0, true));
        // Same hash, other key; same key, other tag.
        assert_eq!(table.find_or_insert(0, 7, b"b"), (1, true));
        assert_eq!(table.find_or_insert(5, 7, b"a"), (2, true));
        assert_eq!(table.find_or_insert(0, 7, b"a"), (0, false));
        table.remove(0);
        table.remove(0);
        assert_eq!(table.find(0, 7, b"a"), None);
        assert_eq!(table.find(5, 7, b"a"), Some(2));
        assert_eq!(table.find_or_insert(0, 9, b"c"), (0, true));
        assert_eq!(table.used().collect::<Vec<_>>(), [0, 1, 2]);
    }
}
