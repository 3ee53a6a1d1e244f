//! MIN and MAX over rows that may be taken back: every value with its count, in order.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::counted::Counted;
use super::extreme::Side;
use super::{Accumulator, Update};
use crate::error::Result;
use crate::state::Reader;

pub(super) struct ExtremeCounts {
    values: Counted,
    side: Side,
}

impl ExtremeCounts {
    pub(super) fn new(ty: &DataType, side: Side) -> Result<Self> {
        Ok(ExtremeCounts { values: Counted::new(ty)?, side })
    }

    fn best(&self, slot: u32) -> &[u8] {
        let mut there = self.values.there(slot);
        let best = match self.side {
            Side::Least => there.next(),
            Side::Greatest => there.next_back(),
        };
        best.map_or(self.values.encoded.null(), |(value, _)| value)
    }
}

impl Accumulator for ExtremeCounts {
    fn grow(&mut self, capacity: usize) {
        self.values.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.values.clear(slot);
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        self.values.update(update, args)
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        self.values.merge(into, from);
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.values.encoded.decode(slots.iter().map(|slot| self.best(*slot)))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        self.values.write(slot, out);
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.values.read(slot, from)
    }

    fn bytes(&self) -> u64 {
        self.values.bytes()
    }
}
