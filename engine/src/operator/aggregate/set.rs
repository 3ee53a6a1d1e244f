//! All calls of one aggregation.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

use super::{Accumulator, Update, accumulator};
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
}

impl AccumulatorSet {
    pub fn new(calls: &[AggregateCall], input: &SchemaRef, retracts: bool) -> Result<Self> {
        let make = |call: &AggregateCall| {
            let types: Vec<DataType> = call.args.iter().map(|arg| input.field(*arg).data_type().clone()).collect();
            let accumulator = accumulator(call, &types, retracts)?;
            Ok(Call { args: call.args.clone(), filter: call.filter, accumulator })
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
