//! All calls of one aggregation.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

use super::{Accumulator, Rows, Step, Update, Walk, accumulator};
use crate::error::{EngineError, Result};
use crate::plan::logical::AggregateCall;
use crate::state::Reader;

/// The accumulators of the calls, in order.
pub struct AccumulatorSet {
    calls: Vec<Call>,
    capacity: usize,
}

struct Call {
    args: Vec<usize>,
    filter: Option<usize>,
    accumulator: Box<dyn Accumulator>,
    result: DataType,
}

impl AccumulatorSet {
    pub fn new(calls: &[AggregateCall], input: &SchemaRef, retracts: bool) -> Result<Self> {
        let make = |call: &AggregateCall| {
            let types: Vec<DataType> = call.args.iter().map(|arg| input.field(*arg).data_type().clone()).collect();
            let accumulator = accumulator(call, &types, retracts)?;
            let result = call.return_type.logical.to_arrow();
            Ok(Call { args: call.args.clone(), filter: call.filter, accumulator, result })
        };
        Ok(AccumulatorSet { calls: calls.iter().map(make).collect::<Result<_>>()?, capacity: 0 })
    }

    /// Doubles, so that growing one slot at a time stays cheap.
    pub fn grow(&mut self, capacity: usize) {
        if capacity > self.capacity {
            self.capacity = capacity.max(self.capacity * 2).max(16);
            for call in &mut self.calls {
                call.accumulator.grow(self.capacity);
            }
        }
    }

    pub fn clear(&mut self, slot: u32) {
        for call in &mut self.calls {
            call.accumulator.clear(slot);
        }
    }

    pub fn update(&mut self, update: Update<'_>, batch: &RecordBatch) -> Result<()> {
        for call in &mut self.calls {
            let args: Vec<ArrayRef> = call.args.iter().map(|arg| batch.column(*arg).clone()).collect();
            let Some(filter) = call.filter else {
                call.accumulator.update(update, &args)?;
                continue;
            };
            let filter = batch.column(filter).as_boolean_opt();
            let filter = filter.ok_or_else(|| EngineError::internal("an aggregate filter is no BOOLEAN"))?;
            let passes =
                |row: usize| filter.is_valid(row) && filter.value(row) && update.keep.is_none_or(|keep| keep[row]);
            let keep: Vec<bool> = (0..filter.len()).map(passes).collect();
            call.accumulator.update(Update { keep: Some(&keep), ..update }, &args)?;
        }
        Ok(())
    }

    /// Makes the steps one after the other: the results of each, per call.
    pub fn walk(&mut self, steps: &[Step], come: &RecordBatch, gone: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let one = |call: &mut Call| {
            let walk = Walk { steps, come: call.rows(come)?, gone: call.rows(gone)? };
            match call.accumulator.walk(&walk)? {
                Some(results) => Ok(results),
                None => walk.by_rounds(call.accumulator.as_mut(), &call.result),
            }
        };
        self.calls.iter_mut().map(one).collect()
    }

    pub fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        self.calls.iter_mut().try_for_each(|call| call.accumulator.merge(into, from))
    }

    pub fn evaluate(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.calls.iter().map(|call| call.accumulator.evaluate(slots)).collect()
    }

    pub fn write(&self, slot: u32, out: &mut Vec<u8>) {
        for call in &self.calls {
            call.accumulator.write(slot, out);
        }
    }

    pub fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.calls.iter_mut().try_for_each(|call| call.accumulator.read(slot, from))
    }

    pub fn bytes(&self) -> u64 {
        self.calls.iter().map(|call| call.accumulator.bytes()).sum()
    }
}

impl Call {
    fn rows(&self, batch: &RecordBatch) -> Result<Rows> {
        let args = self.args.iter().map(|arg| batch.column(*arg).clone()).collect();
        let Some(filter) = self.filter else { return Ok(Rows { args, keep: None }) };
        let filter = batch.column(filter).as_boolean_opt();
        let filter = filter.ok_or_else(|| EngineError::internal("an aggregate filter is no BOOLEAN"))?;
        let keep = (0..filter.len()).map(|row| filter.is_valid(row) && filter.value(row)).collect();
        Ok(Rows { args, keep: Some(keep) })
    }
}
