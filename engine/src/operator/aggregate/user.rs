//! An aggregate function that a user brought: its states by slot, its calls in waves.
//!
//! A guest gets the states of many groups at once, each with one row. Rows of one group follow each other, so that a
//! batch takes as many calls as its largest group has rows; where states can be merged, such a group is halved until few
//! are left.

mod halves;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use parking_lot::Mutex;

use super::encoded::Encoded;
use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::state::{Reader, SlotColumn, write_bytes};
use crate::udf::{AggregateFunction, GuestAggregate};
use halves::Halves;

pub(super) struct User {
    guest: GuestAggregate,
    function: Arc<AggregateFunction>,
    states_are: Encoded,
    /// Encoded; absent for groups without rows.
    states: SlotColumn<Option<Box<[u8]>>>,
    /// What a group without rows has. Asked for at the first need.
    empty: Mutex<Option<ArrayRef>>,
    heap: usize,
}

impl User {
    pub(super) fn new(function: &Arc<AggregateFunction>, retracts: bool) -> Result<Self> {
        if retracts && !function.retracts() {
            let name = &function.module.name;
            let message = format!("{name} cannot take rows back: its module has no {name}_retract.");
            return Err(EngineError::user("unsupported", message));
        }
        let guest = function.open()?;
        Ok(User {
            states_are: Encoded::new(&guest.state())?,
            guest,
            function: Arc::clone(function),
            states: SlotColumn::default(),
            empty: Mutex::default(),
            heap: 0,
        })
    }

    fn set(&mut self, slot: usize, state: Option<Box<[u8]>>) {
        let held = &mut self.states[slot];
        self.heap -= held.as_ref().map_or(0, |state| state.len());
        self.heap += state.as_ref().map_or(0, |state| state.len());
        *held = state;
    }

    fn empty(&self) -> Result<ArrayRef> {
        let mut empty = self.empty.lock();
        if let Some(empty) = empty.as_ref() {
            return Ok(Arc::clone(empty));
        }
        let made = self.guest.create()?;
        *empty = Some(Arc::clone(&made));
        Ok(made)
    }

    /// The states of slots, in their order.
    fn states(&self, slots: &[u32]) -> Result<ArrayRef> {
        let held = |slot: &u32| self.states.get(*slot as usize).and_then(Option::as_deref);
        if slots.iter().all(|slot| held(slot).is_some()) {
            return self.states_are.decode(slots.iter().filter_map(held));
        }
        let empty = self.states_are.encode(&self.empty()?)?;
        let empty = empty.row(0);
        self.states_are.decode(slots.iter().map(|slot| held(slot).unwrap_or(empty.data())))
    }

    /// Keeps new states; one that is NULL leaves the old one as it was.
    fn keep(&mut self, slots: &[u32], states: &ArrayRef) -> Result<()> {
        let encoded = self.states_are.encode(states)?;
        for (row, slot) in slots.iter().enumerate() {
            if states.is_valid(row) {
                self.set(*slot as usize, Some(encoded.row(row).data().into()));
            }
        }
        Ok(())
    }

    /// One row each for different slots.
    fn wave(&mut self, wave: &[Row], args: &[ArrayRef]) -> Result<()> {
        for retract in [false, true] {
            let rows: Vec<&Row> = wave.iter().filter(|row| row.retract == retract).collect();
            if rows.is_empty() {
                continue;
            }
            let slots: Vec<u32> = rows.iter().map(|row| row.slot).collect();
            let numbers = UInt32Array::from_iter_values(rows.iter().map(|row| row.number));
            let mut columns = vec![self.states(&slots)?];
            for arg in args {
                columns.push(take(arg, &numbers, None)?);
            }
            let states = match retract {
                false => self.guest.accumulate(&columns, slots.len())?,
                true => self.guest.retract(&columns, slots.len())?,
            };
            self.keep(&slots, &states)?;
        }
        Ok(())
    }

    /// Rows that only come, many of them of the same group: every row gets a state, then states are merged.
    fn by_halves(&mut self, rows: &[Row], args: &[ArrayRef]) -> Result<()> {
        let empty = self.empty()?;
        let numbers = UInt32Array::from_iter_values(rows.iter().map(|row| row.number));
        let mut columns = vec![take(&empty, &UInt32Array::from(vec![0; rows.len()]), None)?];
        for arg in args {
            columns.push(take(arg, &numbers, None)?);
        }
        let states = self.guest.accumulate(&columns, rows.len())?;
        let mut places: Vec<u32> = Vec::new();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        let mut known: hashbrown::HashMap<u32, usize, foldhash::fast::FixedState> = hashbrown::HashMap::default();
        for (index, row) in rows.iter().enumerate().filter(|(index, _)| states.is_valid(*index)) {
            let group = *known.entry(row.slot).or_insert_with(|| {
                places.push(row.slot);
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(group) {
                group.push(index as u32);
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        let reduced = Halves { states, groups }.reduce(&self.guest)?;
        let held = |slot: &u32| self.states.get(*slot as usize).is_some_and(Option::is_some);
        if !places.iter().any(held) {
            return self.keep(&places, &reduced);
        }
        let columns = [self.states(&places)?, reduced];
        let states = self.guest.merge(&columns, places.len())?;
        self.keep(&places, &states)
    }

    /// Merges pairs of slots with no target twice.
    fn merge_once(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        if into.is_empty() {
            return Ok(());
        }
        let columns = [self.states(into)?, self.states(from)?];
        let states = self.guest.merge(&columns, into.len())?;
        self.keep(into, &states)
    }
}

/// Rows of one group in one batch above which merging takes fewer calls.
const MANY: usize = 12;

/// Rows of the group that has most of them.
fn largest(rows: &[Row]) -> usize {
    let mut counts: hashbrown::HashMap<u32, usize, foldhash::fast::FixedState> = hashbrown::HashMap::default();
    rows.iter().for_each(|row| *counts.entry(row.slot).or_default() += 1);
    counts.into_values().max().unwrap_or(0)
}

struct Row {
    slot: u32,
    number: u32,
    retract: bool,
}

/// Cuts items into waves in which no slot is there twice, the items of one slot in their order.
fn waves<T>(items: impl Iterator<Item = T>, slot: impl Fn(&T) -> u32) -> Vec<Vec<T>> {
    let mut waves: Vec<Vec<T>> = Vec::new();
    let mut reached: hashbrown::HashMap<u32, usize, foldhash::fast::FixedState> = hashbrown::HashMap::default();
    for item in items {
        let wave = reached.entry(slot(&item)).or_insert(0);
        if *wave == waves.len() {
            waves.push(Vec::new());
        }
        if let Some(items) = waves.get_mut(*wave) {
            items.push(item);
        }
        *wave += 1;
    }
    waves
}

impl Accumulator for User {
    fn grow(&mut self, capacity: usize) {
        self.states.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.set(slot as usize, None);
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let mut rows = Vec::with_capacity(update.slots.len());
        update.each(None, |row, slot, retract| rows.push(Row { slot: slot as u32, number: row as u32, retract }));
        if self.function.merges() && rows.iter().all(|row| !row.retract) && largest(&rows) > MANY {
            return self.by_halves(&rows, args);
        }
        for wave in waves(rows.into_iter(), |row| row.slot) {
            self.wave(&wave, args)?;
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        // What has no rows adds nothing, and into what has none the other is put as it is.
        let pairs: Vec<(u32, u32)> = into.iter().copied().zip(from.iter().copied()).collect();
        for wave in waves(pairs.into_iter(), |pair| pair.0) {
            let (mut targets, mut sources) = (Vec::new(), Vec::new());
            for (into, from) in wave {
                let Some(state) = self.states.get(from as usize).cloned().flatten() else { continue };
                if self.states.get(into as usize).is_some_and(Option::is_none) {
                    self.set(into as usize, Some(state));
                } else {
                    targets.push(into);
                    sources.push(from);
                }
            }
            self.merge_once(&targets, &sources)?;
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.guest.finish(&[self.states(slots)?], slots.len(), &self.function.result().to_arrow())
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let state = self.states.get(slot as usize).and_then(Option::as_deref);
        out.push(u8::from(state.is_some()));
        write_bytes(out, state.unwrap_or_default());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let there = from.u8()? == 1;
        let state = from.bytes()?;
        self.set(slot as usize, there.then(|| state.into()));
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.states.len() * size_of::<Option<Box<[u8]>>>() + self.heap) as u64
    }
}
