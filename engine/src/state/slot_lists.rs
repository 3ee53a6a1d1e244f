//! Slots by tag.

use std::collections::BTreeMap;

use super::SlotColumn;

/// For each tag the slots of its keys in memory, also when keys come and go singly.
#[derive(Default)]
pub struct SlotLists {
    lists: BTreeMap<i64, Vec<u32>>,
    /// By slot.
    places: SlotColumn<Option<Place>>,
}

/// Where a slot stands.
#[derive(Clone, Copy)]
struct Place {
    tag: i64,
    index: u32,
}

impl SlotLists {
    pub fn grow(&mut self, capacity: usize) {
        self.places.grow(capacity);
    }

    /// A slot that stands nowhere gets a place.
    pub fn add(&mut self, tag: i64, slot: u32) {
        let list = self.lists.entry(tag).or_default();
        self.places[slot as usize] = Some(Place { tag, index: list.len() as u32 });
        list.push(slot);
    }

    pub fn remove(&mut self, slot: u32) {
        let Some(place) = self.places[slot as usize].take() else { return };
        let Some(list) = self.lists.get_mut(&place.tag) else { return };
        list.swap_remove(place.index as usize);
        if let Some(moved) = list.get(place.index as usize) {
            self.places[*moved as usize] = Some(place);
        }
    }

    pub fn get(&self, tag: i64) -> &[u32] {
        self.lists.get(&tag).map_or(&[], Vec::as_slice)
    }

    pub fn take(&mut self, tag: i64) -> Vec<u32> {
        let list = self.lists.remove(&tag).unwrap_or_default();
        list.iter().for_each(|slot| self.places[*slot as usize] = None);
        list
    }

    pub fn tag_of(&self, slot: u32) -> Option<i64> {
        self.places.get(slot as usize).copied().flatten().map(|place| place.tag)
    }

    pub const fn bytes(&self) -> u64 {
        (self.places.len() * (size_of::<Option<Place>>() + size_of::<u32>())) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_and_go() {
        let mut lists = SlotLists::default();
        lists.grow(4);
        [0, 1, 2].into_iter().for_each(|slot| lists.add(7, slot));
        lists.add(8, 3);
        lists.remove(0);
        lists.remove(0);
        assert_eq!((lists.get(7), lists.get(8), lists.get(9)), (&[2, 1][..], &[3][..], &[][..]));
        lists.remove(2);
        lists.add(8, 0);
        assert_eq!((lists.tag_of(0), lists.tag_of(2)), (Some(8), None));
        assert_eq!((lists.take(7), lists.take(8), lists.take(8)), (vec![1], vec![3, 0], vec![]));
        assert_eq!(lists.tag_of(3), None);
    }
}
