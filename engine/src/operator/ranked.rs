//! The rows of one partition in their order: few in a sorted vector, many in a tree.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

/// Up to so many rows a vector is faster and smaller than a tree.
const FEW: usize = 64;
/// No row of the batch that is worked on.
pub(super) const NOT_COMING: u32 = u32::MAX;

/// Bytes of a sort key, without an allocation for those of one number or time.
#[derive(Clone)]
pub(super) enum Short {
    Inline(u8, [u8; INLINE]),
    Heap(Box<[u8]>),
}

const INLINE: usize = 22;

impl From<&[u8]> for Short {
    fn from(bytes: &[u8]) -> Self {
        let mut held = [0; INLINE];
        match held.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                Short::Inline(bytes.len() as u8, held)
            }
            None => Short::Heap(bytes.into()),
        }
    }
}

impl Deref for Short {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Short::Inline(length, held) => held.get(..usize::from(*length)).unwrap_or_default(),
            Short::Heap(bytes) => bytes,
        }
    }
}

impl PartialEq for Short {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Short {}

impl PartialOrd for Short {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Short {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

/// Sort key, then arrival, which counts within the partition.
pub(super) type Place = (Short, u64);

#[derive(Clone)]
pub(super) struct Held {
    /// Bytes of the row; absent only while the batch is worked on that brought it.
    pub(super) row: Option<Arc<[u8]>>,
    /// Which row of that batch it is; [`NOT_COMING`] afterwards.
    pub(super) coming: u32,
}

impl Held {
    pub(super) fn bytes(&self) -> &[u8] {
        self.row.as_deref().unwrap_or_default()
    }
}

pub(super) enum Ranked {
    Few(Vec<(Place, Held)>),
    Many(BTreeMap<Place, Held>),
}

impl Default for Ranked {
    fn default() -> Self {
        Ranked::Few(Vec::new())
    }
}

impl Ranked {
    pub(super) fn len(&self) -> usize {
        match self {
            Ranked::Few(rows) => rows.len(),
            Ranked::Many(rows) => rows.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = (&Place, &Held)> + '_> {
        match self {
            Ranked::Few(rows) => Box::new(rows.iter().map(|(place, held)| (place, held))),
            Ranked::Many(rows) => Box::new(rows.iter()),
        }
    }

    pub(super) fn last(&self) -> Option<&Place> {
        match self {
            Ranked::Few(rows) => rows.last().map(|(place, _)| place),
            Ranked::Many(rows) => rows.last_key_value().map(|(place, _)| place),
        }
    }

    pub(super) fn pop_last(&mut self) -> Option<(Place, Held)> {
        match self {
            Ranked::Few(rows) => rows.pop(),
            Ranked::Many(rows) => rows.pop_last(),
        }
    }

    /// Places are different from each other by their arrival.
    pub(super) fn insert(&mut self, place: Place, held: Held) {
        match self {
            Ranked::Few(rows) if rows.len() < FEW => {
                let at = rows.partition_point(|(other, _)| *other < place);
                if rows.len() == rows.capacity() {
                    // Most partitions stay at one row, or at as many as are asked for.
                    rows.reserve_exact(rows.len().max(1));
                }
                rows.insert(at, (place, held));
            }
            Ranked::Few(rows) => {
                let mut tree: BTreeMap<Place, Held> = std::mem::take(rows).into_iter().collect();
                tree.insert(place, held);
                *self = Ranked::Many(tree);
            }
            Ranked::Many(rows) => {
                rows.insert(place, held);
            }
        }
    }

    pub(super) fn get_mut(&mut self, place: &Place) -> Option<&mut Held> {
        match self {
            Ranked::Few(rows) => {
                let at = rows.binary_search_by(|(other, _)| other.cmp(place)).ok()?;
                rows.get_mut(at).map(|(_, held)| held)
            }
            Ranked::Many(rows) => rows.get_mut(place),
        }
    }

    /// Takes the first row away that has this sort key and these bytes.
    pub(super) fn take_equal(&mut self, key: &[u8], row: &[u8]) -> Option<(Place, Held)> {
        match self {
            Ranked::Few(rows) => {
                let from = rows.partition_point(|((other, _), _)| **other < *key);
                let equal = rows.iter().enumerate().skip(from).take_while(|(_, ((other, _), _))| **other == *key);
                let at = equal.into_iter().find(|(_, (_, held))| held.bytes() == row).map(|(at, _)| at)?;
                Some(rows.remove(at))
            }
            Ranked::Many(rows) => {
                let (low, high): (Place, Place) = ((key.into(), 0), (key.into(), u64::MAX));
                let place =
                    rows.range(low..=high).find(|(_, held)| held.bytes() == row).map(|(place, _)| place.clone())?;
                rows.remove(&place).map(|held| (place, held))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn key(number: u8) -> Vec<u8> {
        // Some keys are too long to be held without an allocation.
        let mut key = vec![number; if number.is_multiple_of(2) { 3 } else { 40 }];
        key[0] = number;
        key
    }

    fn seen(rows: &Ranked) -> Vec<(Vec<u8>, u64, Vec<u8>)> {
        rows.iter().map(|((key, arrival), held)| (key.to_vec(), *arrival, held.bytes().to_vec())).collect()
    }

    proptest! {
        /// Against a list that is sorted anew; long enough for both forms.
        #[test]
        fn rows_stay_in_order(steps in proptest::collection::vec((0_u8..4, 0_u8..9, 0_u8..3), 1..200)) {
            let (mut rows, mut model) = (Ranked::default(), Vec::<(Vec<u8>, u64, Vec<u8>)>::new());
            for (arrival, (step, number, content)) in steps.into_iter().enumerate() {
                let (key, content, arrival) = (key(number), vec![content], arrival as u64);
                match step {
                    0 => {
                        let at = model.iter().position(|(other, _, row)| *other == key && *row == content);
                        let gone = rows.take_equal(&key, &content);
                        prop_assert_eq!(gone.map(|((_, arrival), _)| arrival), at.map(|at| model.remove(at).1));
                    }
                    1 if arrival.is_multiple_of(5) => {
                        prop_assert_eq!(rows.pop_last().map(|((_, arrival), _)| arrival), model.pop().map(|row| row.1));
                    }
                    _ => {
                        let held = Held { row: Some(content.as_slice().into()), coming: NOT_COMING };
                        rows.insert((key.as_slice().into(), arrival), held);
                        model.push((key.clone(), arrival, content));
                        model.sort();
                        let place = (Short::from(key.as_slice()), arrival);
                        prop_assert!(rows.get_mut(&place).is_some());
                    }
                }
                prop_assert_eq!(seen(&rows), model.clone());
                prop_assert_eq!(rows.last().map(|(_, arrival)| *arrival), model.last().map(|row| row.1));
                prop_assert_eq!((rows.len(), rows.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }
}
