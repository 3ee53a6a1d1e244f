//! Per group every value with how often it is there, in the order of the values.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::Update;
use super::encoded::Encoded;
use crate::error::Result;
use crate::state::{Reader, SlotColumn, write_bytes, write_i64, write_u32};

/// Bookkeeping per value beside its bytes.
const PER_VALUE: usize = 40;

pub(super) struct Counted {
    pub(super) encoded: Encoded,
    /// Row-encoded, hence ordered as the values are. A count may be negative for a while, when a row is taken back
    /// before it came.
    groups: SlotColumn<BTreeMap<Box<[u8]>, i64>>,
    heap: usize,
}

impl Counted {
    pub(super) fn new(ty: &DataType) -> Result<Self> {
        Ok(Counted { encoded: Encoded::new(ty)?, groups: SlotColumn::default(), heap: 0 })
    }

    /// The values of a group that are there, and how often.
    pub(super) fn there(&self, slot: u32) -> impl DoubleEndedIterator<Item = (&[u8], i64)> {
        let values = self.groups[slot as usize].iter().filter(|(_, count)| **count > 0);
        values.map(|(value, count)| (&**value, *count))
    }

    fn add(&mut self, slot: usize, value: &[u8], count: i64) {
        let values = &mut self.groups[slot];
        if let Some(held) = values.get_mut(value) {
            *held += count;
            if *held == 0 {
                values.remove(value);
                self.heap -= value.len() + PER_VALUE;
            }
        } else {
            values.insert(value.into(), count);
            self.heap += value.len() + PER_VALUE;
        }
    }

    pub(super) fn grow(&mut self, capacity: usize) {
        self.groups.grow(capacity);
    }

    pub(super) fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.groups[slot as usize]);
        self.heap -= gone.keys().map(|value| value.len() + PER_VALUE).sum::<usize>();
    }

    pub(super) fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let rows = self.encoded.encode(arg)?;
        let nulls = arg.logical_nulls();
        update.each(nulls.as_ref(), |row, slot, retract| {
            self.add(slot, rows.row(row).data(), if retract { -1 } else { 1 })
        });
        Ok(())
    }

    pub(super) fn merge(&mut self, into: &[u32], from: &[u32]) {
        for (into, from) in into.iter().zip(from) {
            for (value, count) in self.groups[*from as usize].clone() {
                self.add(*into as usize, &value, count);
            }
        }
    }

    pub(super) fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let values = &self.groups[slot as usize];
        write_u32(out, values.len() as u32);
        for (value, count) in values {
            write_bytes(out, value);
            write_i64(out, *count);
        }
    }

    pub(super) fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.clear(slot);
        for _ in 0..from.u32()? {
            let value = from.bytes()?;
            let count = from.i64()?;
            self.add(slot as usize, value, count);
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.groups.len() * size_of::<BTreeMap<Box<[u8]>, i64>>() + self.heap) as u64
    }
}
