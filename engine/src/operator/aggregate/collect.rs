//! COLLECT: a multiset. Every value with how often it is there, ordered by value, so that equal multisets are equal.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;

use super::counted::Counted;
use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::state::Reader;

pub(super) struct Collect {
    values: Counted,
    result: DataType,
}

impl Collect {
    pub(super) fn new(ty: &DataType, result: &DataType) -> Result<Self> {
        Ok(Collect { values: Counted::new(ty)?, result: result.clone() })
    }
}

impl Accumulator for Collect {
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
        let DataType::Map(entries, _) = &self.result else {
            return Err(EngineError::internal("COLLECT gives another type"));
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(EngineError::internal("a multiset has no entries"));
        };
        let there = |slot: &u32| self.values.there(*slot);
        let values = self.values.encoded.decode(slots.iter().flat_map(there).map(|(value, _)| value))?;
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let counts: Int32Array = slots.iter().flat_map(there).map(|(_, held)| count(held)).collect();
        let offsets = OffsetBuffer::from_lengths(slots.iter().map(|slot| there(slot).count()));
        let pairs = StructArray::try_new(fields.clone(), vec![values, Arc::new(counts)], None)?;
        Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, None, false)?))
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
