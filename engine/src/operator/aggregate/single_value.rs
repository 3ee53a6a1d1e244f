//! SINGLE_VALUE: what a query as a value gives. Rows with NULL count as well; a second row fails the job.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::encoded::Encoded;
use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::state::{Reader, SlotColumn, write_bytes, write_u32};

/// Bookkeeping per value beside its bytes.
const PER_VALUE: usize = 16;

pub(super) struct SingleValue {
    encoded: Encoded,
    /// More than one only within a batch, where the rows that are taken back may follow.
    values: SlotColumn<Vec<Box<[u8]>>>,
    heap: usize,
    retracts: bool,
}

impl SingleValue {
    pub(super) fn new(ty: &DataType, retracts: bool) -> Result<Self> {
        Ok(SingleValue { encoded: Encoded::new(ty)?, values: SlotColumn::default(), heap: 0, retracts })
    }

    fn add(&mut self, slot: usize, value: &[u8]) {
        self.values[slot].push(value.into());
        self.heap += value.len() + PER_VALUE;
    }

    fn remove(&mut self, slot: usize, value: &[u8]) {
        if let Some(place) = self.values[slot].iter().position(|held| **held == *value) {
            self.values[slot].swap_remove(place);
            self.heap -= value.len() + PER_VALUE;
        }
    }

    fn check(&self, slots: &[u32]) -> Result<()> {
        if slots.iter().any(|slot| self.values[*slot as usize].len() > 1) {
            return Err(EngineError::user(
                "more_than_one_row",
                "A query that stands for one value gave more than one row.",
            ));
        }
        Ok(())
    }
}

impl Accumulator for SingleValue {
    fn grow(&mut self, capacity: usize) {
        self.values.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.values[slot as usize]);
        self.heap -= gone.iter().map(|value| value.len() + PER_VALUE).sum::<usize>();
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let rows = self.encoded.encode(arg)?;
        update.each(None, |row, slot, retract| {
            let value = rows.row(row);
            if retract { self.remove(slot, value.data()) } else { self.add(slot, value.data()) }
        });
        // What never goes away need not be kept until somebody asks.
        if self.retracts { Ok(()) } else { self.check(update.slots) }
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            for value in self.values[*from as usize].clone() {
                self.add(*into as usize, &value);
            }
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.check(slots)?;
        let value = |slot: &u32| self.values[*slot as usize].first().map_or(self.encoded.null(), |value| &**value);
        self.encoded.decode(slots.iter().map(value))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let values = &self.values[slot as usize];
        write_u32(out, values.len() as u32);
        values.iter().for_each(|value| write_bytes(out, value));
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.clear(slot);
        for _ in 0..from.u32()? {
            let value = from.bytes()?;
            self.add(slot as usize, value);
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.values.len() * size_of::<Vec<Box<[u8]>>>() + self.heap) as u64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn update(values: &mut SingleValue, changes: &[(bool, Option<i64>)]) -> Result<()> {
        let retract: Vec<bool> = changes.iter().map(|(retract, _)| *retract).collect();
        let arg: ArrayRef = Arc::new(changes.iter().map(|(_, value)| *value).collect::<Int64Array>());
        let slots = vec![0; changes.len()];
        values.update(Update { slots: &slots, retract: Some(&retract), keep: None }, &[arg])
    }

    fn single(retracts: bool) -> SingleValue {
        let mut values = SingleValue::new(&DataType::Int64, retracts).unwrap();
        values.grow(1);
        values
    }

    #[test]
    fn the_only_row_is_the_value_also_after_it_was_replaced_within_a_batch() {
        let mut values = single(true);
        assert!(values.evaluate(&[0]).unwrap().is_null(0));
        update(&mut values, &[(false, Some(7))]).unwrap();
        update(&mut values, &[(false, Some(8)), (true, Some(7))]).unwrap();
        let mut bytes = Vec::new();
        values.write(0, &mut bytes);
        let mut values = single(true);
        values.read(0, &mut Reader::new(&bytes)).unwrap();
        assert_eq!(values.evaluate(&[0]).unwrap().as_primitive::<Int64Type>().value(0), 8);
        update(&mut values, &[(true, Some(8))]).unwrap();
        assert!(values.evaluate(&[0]).unwrap().is_null(0));
        assert_eq!(values.heap, 0);
    }

    #[test]
    fn a_second_row_fails_even_when_it_is_null() {
        let mut values = single(true);
        update(&mut values, &[(false, Some(7)), (false, None)]).unwrap();
        assert_eq!(values.evaluate(&[0]).unwrap_err().code, "more_than_one_row");
        assert_eq!(update(&mut single(false), &[(false, None), (false, None)]).unwrap_err().code, "more_than_one_row");
    }
}
