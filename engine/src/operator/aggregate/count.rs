//! COUNT(*) and COUNT(a, …).

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use super::{Accumulator, Event, Update, Walk, any_null};
use crate::error::Result;
use crate::state::{Reader, SlotColumn, write_i64};

#[derive(Default)]
pub(super) struct Count {
    counts: SlotColumn<i64>,
}

impl Accumulator for Count {
    fn grow(&mut self, capacity: usize) {
        self.counts.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.counts[slot as usize] = 0;
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let nulls = any_null(args);
        update.each(nulls.as_ref(), |_, slot, retract| self.counts[slot] += if retract { -1 } else { 1 });
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            self.counts[*into as usize] += self.counts[*from as usize];
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        Ok(Arc::new(slots.iter().map(|slot| self.counts[*slot as usize]).collect::<Int64Array>()))
    }

    fn walk(&mut self, walk: &Walk<'_>) -> Result<Option<ArrayRef>> {
        let (come, gone) = (any_null(&walk.come.args), any_null(&walk.gone.args));
        let mut given = Vec::with_capacity(walk.steps.len());
        walk.each(come.as_ref(), gone.as_ref(), |event| match event {
            Event::Comes { slot, .. } => self.counts[slot] += 1,
            Event::Leaves { slot, .. } => self.counts[slot] -= 1,
            Event::Result { slot } => given.push(self.counts[slot]),
        });
        Ok(Some(Arc::new(Int64Array::from(given))))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        write_i64(out, self.counts[slot as usize]);
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.counts[slot as usize] = from.i64()?;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.counts.len() * 8) as u64
    }
}
