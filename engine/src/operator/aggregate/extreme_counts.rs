//! MIN and MAX over rows that may be taken back: every value with its count, in order.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::encoded::Encoded;
use super::extreme::Side;
use super::{Accumulator, Update};
use crate::error::Result;
use crate::state::{Reader, write_bytes, write_i64, write_u32};

/// Bookkeeping per value beside its bytes.
const PER_VALUE: usize = 40;

pub(super) struct ExtremeCounts {
    encoded: Encoded,
    /// Row-encoded, hence ordered as the values are. A count may be negative for a while, when a row is taken back
    /// before it came.
    values: Vec<BTreeMap<Box<[u8]>, i64>>,
    heap: usize,
    side: Side,
}

impl ExtremeCounts {
    pub(super) fn new(ty: &DataType, side: Side) -> Result<Self> {
        Ok(ExtremeCounts { encoded: Encoded::new(ty)?, values: Vec::new(), heap: 0, side })
    }

    fn add(&mut self, slot: usize, value: &[u8], count: i64) {
        let values = &mut self.values[slot];
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

    fn best(&self, slot: u32) -> &[u8] {
        let mut there = self.values[slot as usize].iter().filter(|(_, count)| **count > 0);
        let best = match self.side {
            Side::Least => there.next(),
            Side::Greatest => there.next_back(),
        };
        best.map_or(self.encoded.null(), |(value, _)| value)
    }
}

impl Accumulator for ExtremeCounts {
    fn grow(&mut self, capacity: usize) {
        self.values.resize_with(capacity.max(self.values.len()), BTreeMap::new);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.values[slot as usize]);
        self.heap -= gone.keys().map(|value| value.len() + PER_VALUE).sum::<usize>();
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let rows = self.encoded.encode(arg)?;
        let nulls = arg.logical_nulls();
        update.each(nulls.as_ref(), |row, slot, retract| {
            self.add(slot, rows.row(row).data(), if retract { -1 } else { 1 })
        });
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            for (value, count) in self.values[*from as usize].clone() {
                self.add(*into as usize, &value, count);
            }
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.encoded.decode(slots.iter().map(|slot| self.best(*slot)))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let values = &self.values[slot as usize];
        write_u32(out, values.len() as u32);
        for (value, count) in values {
            write_bytes(out, value);
            write_i64(out, *count);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.clear(slot);
        for _ in 0..from.u32()? {
            let value = from.bytes()?;
            let count = from.i64()?;
            self.add(slot as usize, value, count);
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.values.len() * 24 + self.heap) as u64
    }
}
