//! DISTINCT: lets the first of equal rows through, and takes it back with the last.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{Accumulator, Update, any_null};
use crate::error::Result;
use crate::state::{Reader, write_bytes, write_i64, write_u32};

/// Bookkeeping per value beside its bytes.
const PER_VALUE: usize = 32;

pub(super) struct Distinct {
    converter: RowConverter,
    seen: Vec<HashMap<Box<[u8]>, i64, FixedState>>,
    heap: usize,
    inner: Box<dyn Accumulator>,
}

impl Distinct {
    pub(super) fn new(args: &[DataType], inner: Box<dyn Accumulator>) -> Result<Self> {
        let converter = RowConverter::new(args.iter().cloned().map(SortField::new).collect())?;
        Ok(Distinct { converter, seen: Vec::new(), heap: 0, inner })
    }

    /// Whether the value appears with this (`Some(false)`) or goes away (`Some(true)`).
    fn count(&mut self, slot: usize, value: &[u8], change: i64) -> Option<bool> {
        let seen = &mut self.seen[slot];
        let Some(held) = seen.get_mut(value) else {
            seen.insert(value.into(), change);
            self.heap += value.len() + PER_VALUE;
            return (change > 0).then_some(false);
        };
        let before = *held;
        *held += change;
        let after = *held;
        if after == 0 {
            seen.remove(value);
            self.heap -= value.len() + PER_VALUE;
        }
        match (before > 0, after > 0) {
            (false, true) => Some(false),
            (true, false) => Some(true),
            _ => None,
        }
    }
}

impl Accumulator for Distinct {
    fn grow(&mut self, capacity: usize) {
        self.seen.resize_with(capacity.max(self.seen.len()), HashMap::default);
        self.inner.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.seen[slot as usize]);
        self.heap -= gone.keys().map(|value| value.len() + PER_VALUE).sum::<usize>();
        self.inner.clear(slot);
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let rows = self.converter.convert_columns(args)?;
        let mut keep = vec![false; update.slots.len()];
        let mut retract = vec![false; update.slots.len()];
        update.each(any_null(args).as_ref(), |row, slot, taken_back| {
            if let Some(gone) = self.count(slot, rows.row(row).data(), if taken_back { -1 } else { 1 }) {
                keep[row] = true;
                retract[row] = gone;
            }
        });
        self.inner.update(Update { slots: update.slots, retract: Some(&retract), keep: Some(&keep) }, args)
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        let (mut slots, mut fresh, mut gone): (Vec<u32>, Vec<Box<[u8]>>, Vec<bool>) = Default::default();
        for (into, from) in into.iter().zip(from) {
            for (value, count) in self.seen[*from as usize].clone() {
                if let Some(leaves) = self.count(*into as usize, &value, count) {
                    slots.push(*into);
                    fresh.push(value);
                    gone.push(leaves);
                }
            }
        }
        if slots.is_empty() {
            return Ok(());
        }
        let parser = self.converter.parser();
        let args = self.converter.convert_rows(fresh.iter().map(|value| parser.parse(value)))?;
        self.inner.update(Update { slots: &slots, retract: Some(&gone), keep: None }, &args)
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.inner.evaluate(slots)
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let seen = &self.seen[slot as usize];
        write_u32(out, seen.len() as u32);
        for (value, count) in seen {
            write_bytes(out, value);
            write_i64(out, *count);
        }
        self.inner.write(slot, out);
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.clear(slot);
        for _ in 0..from.u32()? {
            let value = from.bytes()?;
            let count = from.i64()?;
            self.count(slot as usize, value, count);
        }
        self.inner.read(slot, from)
    }

    fn bytes(&self) -> u64 {
        (self.seen.len() * 32 + self.heap) as u64 + self.inner.bytes()
    }
}
