//! COLLECT: a multiset. Every value with how often it is there, ordered by value, so that equal multisets are equal.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;

use super::encoded::Encoded;
use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::state::{Reader, write_bytes, write_i64, write_u32};

/// Bookkeeping per value beside its bytes.
const PER_VALUE: usize = 40;

pub(super) struct Collect {
    encoded: Encoded,
    result: DataType,
    /// A count is negative while a value was taken back that has not come yet.
    values: Vec<BTreeMap<Box<[u8]>, i64>>,
    heap: usize,
}

impl Collect {
    pub(super) fn new(ty: &DataType, result: &DataType) -> Result<Self> {
        Ok(Collect { encoded: Encoded::new(ty)?, result: result.clone(), values: Vec::new(), heap: 0 })
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
}

impl Accumulator for Collect {
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
        let DataType::Map(entries, _) = &self.result else {
            return Err(EngineError::internal("COLLECT gives another type"));
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(EngineError::internal("a multiset has no entries"));
        };
        let there = |slot: &u32| self.values[*slot as usize].iter().filter(|(_, count)| **count > 0);
        let values = self.encoded.decode(slots.iter().flat_map(there).map(|(value, _)| &**value))?;
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let counts: Int32Array = slots.iter().flat_map(there).map(|(_, held)| count(*held)).collect();
        let offsets = OffsetBuffer::from_lengths(slots.iter().map(|slot| there(slot).count()));
        let pairs = StructArray::try_new(fields.clone(), vec![values, Arc::new(counts)], None)?;
        Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, None, false)?))
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
        (self.values.len() * size_of::<BTreeMap<Box<[u8]>, i64>>() + self.heap) as u64
    }
}
