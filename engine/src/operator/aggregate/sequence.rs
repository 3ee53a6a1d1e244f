//! Values of one key in the order in which they came; the oldest of equal ones is taken back first.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::error::Result;
use crate::state::{Reader, write_bytes, write_u32};

/// Bookkeeping per value beside its bytes.
const PER_VALUE: usize = 40;

/// Up to so many values are looked through; beyond, a value that is taken back is looked up.
const SCANNED: usize = 32;

#[derive(Default)]
pub(super) struct Sequence {
    /// `None` where a value was taken back; never at either end.
    values: VecDeque<Option<Arc<[u8]>>>,
    /// The number of the first of them.
    first: u64,
    gone: usize,
    /// Numbers of equal values, ascending. Made when it is needed.
    places: Option<HashMap<Arc<[u8]>, VecDeque<u64>, FixedState>>,
    /// Taken back before they came.
    owed: Vec<Box<[u8]>>,
    bytes: usize,
}

impl Sequence {
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().flatten().map(|value| &**value)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() - self.gone
    }

    pub(super) fn first(&self) -> Option<&[u8]> {
        self.values.front().and_then(Option::as_deref)
    }

    pub(super) fn last(&self) -> Option<&[u8]> {
        self.values.back().and_then(Option::as_deref)
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, value: &[u8]) {
        if let Some(owed) = self.owed.iter().position(|owed| **owed == *value) {
            self.owed.swap_remove(owed);
            self.bytes -= value.len() + PER_VALUE;
            return;
        }
        let value: Arc<[u8]> = value.into();
        self.bytes += value.len() + PER_VALUE;
        if let Some(places) = &mut self.places {
            let number = self.first + self.values.len() as u64;
            places.entry(Arc::clone(&value)).or_default().push_back(number);
        }
        self.values.push_back(Some(value));
    }

    pub(super) fn remove(&mut self, value: &[u8]) {
        match self.find(value) {
            Some(number) => self.take_out(number),
            None => {
                self.bytes += value.len() + PER_VALUE;
                self.owed.push(value.into());
            }
        }
    }

    /// What `other` holds comes behind what is here.
    pub(super) fn append(&mut self, other: &Sequence) {
        other.iter().for_each(|value| self.add(value));
        other.owed.iter().for_each(|value| self.remove(value));
    }

    fn find(&mut self, value: &[u8]) -> Option<u64> {
        // What leaves a frame is the oldest.
        if self.first() == Some(value) {
            return Some(self.first);
        }
        if self.places.is_none() && self.values.len() <= SCANNED {
            let place = self.values.iter().position(|held| held.as_deref() == Some(value))?;
            return Some(self.first + place as u64);
        }
        let (first, values) = (self.first, &self.values);
        let places = self.places.get_or_insert_with(|| {
            let mut places: HashMap<Arc<[u8]>, VecDeque<u64>, FixedState> = HashMap::default();
            for (place, value) in values.iter().enumerate() {
                if let Some(value) = value {
                    places.entry(Arc::clone(value)).or_default().push_back(first + place as u64);
                }
            }
            places
        });
        places.get(value).and_then(|numbers| numbers.front().copied())
    }

    /// `number` is the first of the equal ones.
    fn take_out(&mut self, number: u64) {
        let taken = self.values.get_mut((number - self.first) as usize).and_then(Option::take);
        let Some(value) = taken else { return };
        self.gone += 1;
        self.bytes -= value.len() + PER_VALUE;
        if let Some(places) = &mut self.places
            && let Some(numbers) = places.get_mut(&value)
        {
            numbers.pop_front();
            if numbers.is_empty() {
                places.remove(&value);
            }
        }
        while let Some(None) = self.values.front() {
            self.values.pop_front();
            (self.first, self.gone) = (self.first + 1, self.gone - 1);
        }
        while let Some(None) = self.values.back() {
            self.values.pop_back();
            self.gone -= 1;
        }
        if self.gone > SCANNED && self.gone > self.values.len() / 2 {
            self.values.retain(Option::is_some);
            (self.gone, self.places) = (0, None);
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_u32(out, self.len() as u32);
        self.iter().for_each(|value| write_bytes(out, value));
        write_u32(out, self.owed.len() as u32);
        self.owed.iter().for_each(|value| write_bytes(out, value));
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self> {
        let mut sequence = Sequence::default();
        for _ in 0..from.u32()? {
            sequence.add(from.bytes()?);
        }
        for _ in 0..from.u32()? {
            sequence.remove(from.bytes()?);
        }
        Ok(sequence)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// A list, and what it owes.
    fn model(steps: &[(bool, u8)]) -> (Vec<Vec<u8>>, usize) {
        let (mut list, mut owed): (Vec<Vec<u8>>, Vec<Vec<u8>>) = Default::default();
        for (remove, value) in steps {
            let value = vec![*value; 1 + usize::from(*value % 3)];
            let from = if *remove { &mut list } else { &mut owed };
            let found = from.iter().position(|held| *held == value);
            match (found, remove) {
                (Some(found), _) => drop(from.remove(found)),
                (None, true) => owed.push(value),
                (None, false) => list.push(value),
            }
        }
        (list, owed.len())
    }

    proptest! {
        #[test]
        fn a_sequence_is_a_list_from_which_the_first_equal_value_goes(
            steps in proptest::collection::vec((prop::bool::weighted(0.45), 0_u8..40), 0..400),
            cut in 0_usize..400,
        ) {
            let mut sequence = Sequence::default();
            for (at, (remove, value)) in steps.iter().enumerate() {
                if at == cut {
                    let mut bytes = Vec::new();
                    sequence.write(&mut bytes);
                    sequence = Sequence::read(&mut Reader::new(&bytes)).unwrap();
                }
                let value = vec![*value; 1 + usize::from(*value % 3)];
                if *remove { sequence.remove(&value) } else { sequence.add(&value) }
            }
            let (list, owed) = model(&steps);
            prop_assert_eq!(sequence.iter().map(<[u8]>::to_vec).collect::<Vec<_>>(), list.clone());
            prop_assert_eq!(sequence.len(), list.len());
            prop_assert_eq!(sequence.first(), list.first().map(Vec::as_slice));
            prop_assert_eq!(sequence.last(), list.last().map(Vec::as_slice));
            prop_assert_eq!(sequence.owed.len(), owed);
            let held: usize = list.iter().map(|value| value.len() + PER_VALUE).sum();
            let owes: usize = sequence.owed.iter().map(|value| value.len() + PER_VALUE).sum();
            prop_assert_eq!(sequence.bytes(), held + owes);
        }
    }
}
