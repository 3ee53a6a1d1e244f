//! All calls of one aggregation.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

use super::shared::Shared;
use super::{Accumulator, Rows, Step, Update, Walk, accumulator, kept_nulls};
use crate::error::{EngineError, Result};
use crate::plan::logical::AggregateCall;
use crate::state::{Reader, room_for};

/// The accumulators of the calls, in order.
pub struct AccumulatorSet {
    calls: Vec<Call>,
    /// Sets of distinct values that several calls look into.
    shared: Vec<Shared>,
    capacity: usize,
}

enum Call {
    Own {
        args: Vec<usize>,
        filter: Option<usize>,
        accumulator: Box<dyn Accumulator>,
        result: DataType,
    },
    /// A member of a shared set.
    Shared {
        set: usize,
        member: usize,
    },
}

impl AccumulatorSet {
    pub fn new(calls: &[AggregateCall], input: &SchemaRef, retracts: bool) -> Result<Self> {
        Self::made(calls, input, retracts, true)
    }

    /// Each call has values of its own, as going step by step needs it.
    pub fn apart(calls: &[AggregateCall], input: &SchemaRef, retracts: bool) -> Result<Self> {
        Self::made(calls, input, retracts, false)
    }

    fn made(calls: &[AggregateCall], input: &SchemaRef, retracts: bool, shares: bool) -> Result<Self> {
        let mut set = AccumulatorSet { calls: Vec::new(), shared: Vec::new(), capacity: 0 };
        for call in calls {
            let types: Vec<DataType> = call.args.iter().map(|arg| input.field(*arg).data_type().clone()).collect();
            let alike = |other: &AggregateCall| {
                let nulls = kept_nulls(call.function) == kept_nulls(other.function);
                other.distinct && other.args == call.args && nulls
            };
            let made = if shares && call.distinct && calls.iter().filter(|other| alike(other)).count() > 1 {
                set.member(call, &types, retracts)?
            } else {
                let (args, filter) = (call.args.clone(), call.filter);
                let result = call.return_type.logical.to_arrow();
                Call::Own { args, filter, accumulator: accumulator(call, &types, retracts)?, result }
            };
            set.calls.push(made);
        }
        Ok(set)
    }

    fn member(&mut self, call: &AggregateCall, types: &[DataType], retracts: bool) -> Result<Call> {
        let nulls = kept_nulls(call.function);
        let known = self.shared.iter().position(|shared| shared.takes(&call.args, nulls, call.filter));
        let set = match known {
            Some(set) => set,
            None => {
                self.shared.push(Shared::new(call.args.clone(), types, nulls)?);
                self.shared.len() - 1
            }
        };
        let plain = AggregateCall { distinct: false, ..call.clone() };
        let member = self.shared[set].add(call.filter, accumulator(&plain, types, retracts)?);
        Ok(Call::Shared { set, member })
    }

    pub fn grow(&mut self, capacity: usize) {
        if capacity > self.capacity {
            self.capacity = room_for(capacity);
            for call in &mut self.calls {
                if let Call::Own { accumulator, .. } = call {
                    accumulator.grow(self.capacity);
                }
            }
            self.shared.iter_mut().for_each(|shared| shared.grow(self.capacity));
        }
    }

    pub fn clear(&mut self, slot: u32) {
        for call in &mut self.calls {
            if let Call::Own { accumulator, .. } = call {
                accumulator.clear(slot);
            }
        }
        self.shared.iter_mut().for_each(|shared| shared.clear(slot));
    }

    pub fn update(&mut self, update: Update<'_>, batch: &RecordBatch) -> Result<()> {
        for call in &mut self.calls {
            let Call::Own { args, filter, accumulator, .. } = call else { continue };
            let args: Vec<ArrayRef> = args.iter().map(|arg| batch.column(*arg).clone()).collect();
            let Some(filter) = filter else {
                accumulator.update(update, &args)?;
                continue;
            };
            let mut keep = passes(batch, *filter)?;
            if let Some(kept) = update.keep {
                keep.iter_mut().zip(kept).for_each(|(keep, kept)| *keep &= *kept);
            }
            accumulator.update(Update { keep: Some(&keep), ..update }, &args)?;
        }
        self.shared.iter_mut().try_for_each(|shared| shared.update(update, batch))
    }

    /// Makes the steps one after the other: the results of each, per call. For sets made [`AccumulatorSet::apart`].
    pub fn walk(&mut self, steps: &[Step], come: &RecordBatch, gone: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let one = |call: &mut Call| {
            let Call::Own { args, filter, accumulator, result } = call else {
                return Err(EngineError::internal("calls of OVER share their values"));
            };
            let rows = |batch: &RecordBatch| -> Result<Rows> {
                let args = args.iter().map(|arg| batch.column(*arg).clone()).collect();
                Ok(Rows { args, keep: filter.map(|filter| passes(batch, filter)).transpose()? })
            };
            let walk = Walk { steps, come: rows(come)?, gone: rows(gone)? };
            match accumulator.walk(&walk)? {
                Some(results) => Ok(results),
                None => walk.by_rounds(accumulator.as_mut(), result),
            }
        };
        self.calls.iter_mut().map(one).collect()
    }

    pub fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for call in &mut self.calls {
            if let Call::Own { accumulator, .. } = call {
                accumulator.merge(into, from)?;
            }
        }
        self.shared.iter_mut().try_for_each(|shared| shared.merge(into, from))
    }

    pub fn evaluate(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let one = |call: &Call| match call {
            Call::Own { accumulator, .. } => accumulator.evaluate(slots),
            Call::Shared { set, member } => self.shared[*set].evaluate(*member, slots),
        };
        self.calls.iter().map(one).collect()
    }

    pub fn write(&self, slot: u32, out: &mut Vec<u8>) {
        for call in &self.calls {
            match call {
                Call::Own { accumulator, .. } => accumulator.write(slot, out),
                Call::Shared { set, member } => self.shared[*set].write(*member, slot, out),
            }
        }
    }

    pub fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        for call in &mut self.calls {
            match call {
                Call::Own { accumulator, .. } => accumulator.read(slot, from)?,
                Call::Shared { set, member } => self.shared[*set].read(*member, slot, from)?,
            }
        }
        Ok(())
    }

    pub fn bytes(&self) -> u64 {
        let own = self.calls.iter().map(|call| match call {
            Call::Own { accumulator, .. } => accumulator.bytes(),
            Call::Shared { .. } => 0,
        });
        own.sum::<u64>() + self.shared.iter().map(Shared::bytes).sum::<u64>()
    }
}

/// Rows for which a BOOLEAN column is TRUE.
pub(super) fn passes(batch: &RecordBatch, filter: usize) -> Result<Vec<bool>> {
    let filter = batch.column(filter).as_boolean_opt();
    let filter = filter.ok_or_else(|| EngineError::internal("an aggregate filter is no BOOLEAN"))?;
    Ok((0..filter.len()).map(|row| filter.is_valid(row) && filter.value(row)).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{BooleanArray, Int64Array};
    use arrow::datatypes::{Field, Schema};
    use proptest::prelude::*;

    use super::*;
    use crate::plan::logical::AggregateFunction;
    use crate::types::{LogicalType, Type};

    fn call(function: AggregateFunction, filter: Option<usize>) -> AggregateCall {
        let return_type = Type::nullable(LogicalType::BigInt);
        AggregateCall {
            function,
            args: vec![0],
            distinct: true,
            filter,
            constants: Vec::new(),
            return_type,
            user: None,
        }
    }

    fn calls() -> Vec<AggregateCall> {
        use AggregateFunction::{Count, Sum};
        vec![call(Count, None), call(Count, Some(1)), call(Sum, Some(1)), call(Sum, None), call(Count, Some(2))]
    }

    type Row = (bool, Option<i64>, Option<bool>, bool);

    fn set(shared: bool) -> Vec<AccumulatorSet> {
        let field = |name: &str, ty: DataType| Field::new(name, ty, true);
        let schema = Arc::new(Schema::new(vec![
            field("v", DataType::Int64),
            field("a", DataType::Boolean),
            field("b", DataType::Boolean),
        ]));
        let groups = if shared { vec![calls()] } else { calls().into_iter().map(|call| vec![call]).collect() };
        let make = |calls: Vec<AggregateCall>| {
            let mut set = AccumulatorSet::new(&calls, &schema, true).unwrap();
            set.grow(4);
            set
        };
        groups.into_iter().map(make).collect()
    }

    fn feed(sets: &mut [AccumulatorSet], rows: &[Row], slot: u32) {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.2).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|row| Some(row.3)).collect::<BooleanArray>()),
        ];
        let schema =
            Schema::new(columns.iter().map(|c| Field::new("c", c.data_type().clone(), true)).collect::<Vec<_>>());
        let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
        let retract: Vec<bool> = rows.iter().map(|row| row.0).collect();
        for set in sets {
            set.update(Update { slots: &vec![slot; rows.len()], retract: Some(&retract), keep: None }, &batch).unwrap();
        }
    }

    fn written(sets: &[AccumulatorSet], slot: u32) -> Vec<u8> {
        let mut out = Vec::new();
        sets.iter().for_each(|set| set.write(slot, &mut out));
        out
    }

    fn values(sets: &[AccumulatorSet], slot: u32) -> Vec<Option<i64>> {
        let arrays = sets.iter().flat_map(|set| set.evaluate(&[slot]).unwrap());
        let value = |array: ArrayRef| {
            let array = array.as_primitive::<arrow::datatypes::Int64Type>().clone();
            array.is_valid(0).then(|| array.value(0))
        };
        arrays.map(value).collect()
    }

    proptest! {
        /// Values may be taken back that never came: what is said then is the same as well.
        #[test]
        fn a_shared_set_is_as_good_as_one_for_each_call(
            rows in proptest::collection::vec(
                (any::<bool>(), prop::option::of(0_i64..5), prop::option::of(any::<bool>()), any::<bool>()), 1..60),
            cut in 0_usize..60,
        ) {
            let (mut shared, mut own) = (set(true), set(false));
            prop_assert_eq!(shared[0].shared.len(), 1);
            let (first, second) = rows.split_at(cut.min(rows.len()));
            for (part, slot) in [(first, 0), (second, 1)] {
                feed(&mut shared, part, slot);
                feed(&mut own, part, slot);
                prop_assert_eq!(values(&shared, slot), values(&own, slot));
            }
            // The bytes of the one are read by the other.
            let (mut shared_again, mut own_again) = (set(true), set(false));
            for slot in [0, 1] {
                let (from_shared, from_own) = (written(&shared, slot), written(&own, slot));
                let mut reader = Reader::new(&from_own);
                shared_again[0].read(slot, &mut reader).unwrap();
                prop_assert!(reader.is_empty());
                let mut reader = Reader::new(&from_shared);
                own_again.iter_mut().for_each(|set| set.read(slot, &mut reader).unwrap());
                prop_assert!(reader.is_empty());
            }
            for sets in [&mut shared, &mut own, &mut shared_again, &mut own_again] {
                for set in sets.iter_mut() {
                    set.merge(&[2, 2], &[0, 1]).unwrap();
                }
            }
            prop_assert_eq!(values(&shared, 2), values(&own, 2));
            prop_assert_eq!(values(&shared_again, 2), values(&own, 2));
            prop_assert_eq!(values(&own_again, 2), values(&own, 2));
            (0..3).for_each(|slot| shared[0].clear(slot));
            prop_assert_eq!(shared[0].bytes(), set(true)[0].bytes());
        }
    }
}
