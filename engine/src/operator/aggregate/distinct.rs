//! DISTINCT: lets the first of equal rows through, and takes it back with the last.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::seen::{Seen, Turn};
use super::{Accumulator, Update, any_null};
use crate::error::Result;
use crate::plan::logical::Nulls;
use crate::state::Reader;

pub(super) struct Distinct {
    seen: Seen<1>,
    nulls: Nulls,
    inner: Box<dyn Accumulator>,
}

impl Distinct {
    pub(super) fn new(args: &[DataType], nulls: Nulls, inner: Box<dyn Accumulator>) -> Result<Self> {
        Ok(Distinct { seen: Seen::new(args, nulls)?, nulls, inner })
    }
}

impl Accumulator for Distinct {
    fn grow(&mut self, capacity: usize) {
        self.seen.grow(capacity);
        self.inner.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.seen.clear(slot);
        self.inner.clear(slot);
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let coming = self.seen.coming(args)?;
        let mut keep = vec![false; update.slots.len()];
        let mut retract = vec![false; update.slots.len()];
        let nulls = if self.nulls == Nulls::LeftOut { any_null(args) } else { None };
        update.each(nulls.as_ref(), |row, slot, taken_back| {
            let [turn] = self.seen.change(slot, &coming, row, [if taken_back { -1 } else { 1 }]);
            keep[row] = turn != Turn::Stays;
            retract[row] = turn == Turn::Goes;
        });
        self.inner.update(Update { slots: update.slots, retract: Some(&retract), keep: Some(&keep) }, args)
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            let (args, counts) = self.seen.held(*from, 0)?;
            let coming = self.seen.coming(&args)?;
            let turns: Vec<Turn> = counts
                .into_iter()
                .enumerate()
                .map(|(row, count)| self.seen.change(*into as usize, &coming, row, [count])[0])
                .collect();
            let keep: Vec<bool> = turns.iter().map(|turn| *turn != Turn::Stays).collect();
            let retract: Vec<bool> = turns.iter().map(|turn| *turn == Turn::Goes).collect();
            let slots = vec![*into; turns.len()];
            self.inner.update(Update { slots: &slots, retract: Some(&retract), keep: Some(&keep) }, &args)?;
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.inner.evaluate(slots)
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        self.seen.write(slot, 0, out);
        self.inner.write(slot, out);
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.seen.read(slot, 0, from)?;
        self.inner.read(slot, from)
    }

    fn bytes(&self) -> u64 {
        self.seen.bytes() + self.inner.bytes()
    }
}
