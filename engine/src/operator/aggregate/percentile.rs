//! PERCENTILE: every number with how often it counts, in order. Between two numbers it is interpolated.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion_common::ScalarValue;

use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::expr::Value;
use crate::state::{Reader, SlotColumn, write_i64, write_u32, write_u64};

/// A number of the tree, with its count and bookkeeping.
const PER_NUMBER: usize = 24;

pub(super) struct Percentile {
    percentages: Vec<f64>,
    /// An array is wanted, one number for each percentage.
    many: bool,
    /// By slot. The keys order as the numbers do.
    numbers: SlotColumn<BTreeMap<u64, i64>>,
    held: usize,
}

impl Percentile {
    /// `percentages` is one DOUBLE, or an array of them; each from 0 to 1.
    pub(super) fn new(percentages: &Value) -> Result<Self> {
        let (percentages, many) = match &percentages.0 {
            ScalarValue::Float64(Some(percentage)) => (vec![*percentage], false),
            ScalarValue::List(list) => (list.values().as_primitive::<Float64Type>().values().to_vec(), true),
            _ => return Err(EngineError::internal("PERCENTILE has no percentage")),
        };
        Ok(Percentile { percentages, many, numbers: SlotColumn::default(), held: 0 })
    }

    fn add(&mut self, slot: usize, number: u64, count: i64) {
        let numbers = &mut self.numbers[slot];
        self.held -= numbers.len();
        let held = numbers.entry(number).or_default();
        *held += count;
        if *held == 0 {
            numbers.remove(&number);
        }
        self.held += numbers.len();
    }

    /// The number at each percentage; none over no numbers.
    fn at_percentages(&self, slot: u32) -> Option<Vec<f64>> {
        let numbers = &self.numbers[slot as usize];
        let total: i64 = numbers.values().sum();
        if total <= 0 {
            return None;
        }
        // By position, so that one walk over the numbers is enough.
        let position = |percentage: f64| percentage * (total - 1) as f64;
        let mut order: Vec<usize> = (0..self.percentages.len()).collect();
        order.sort_by(|a, b| self.percentages[*a].total_cmp(&self.percentages[*b]));
        let mut found = vec![0.0; order.len()];
        let mut walk = Walk { rest: numbers.iter(), passed: 0, own: (0, 0) };
        for place in order {
            let position = position(self.percentages[place]);
            let (below, above) = (position.floor(), position.ceil());
            let low = walk.number_at(below as i64);
            let high = walk.peek(above as i64);
            found[place] = if low == high { low } else { (above - position) * low + (position - below) * high };
        }
        Some(found)
    }
}

/// Goes up the numbers of a key.
struct Walk<'a> {
    rest: std::collections::btree_map::Iter<'a, u64, i64>,
    /// How many come before `own`.
    passed: i64,
    own: (u64, i64),
}

impl Walk<'_> {
    /// The number at a position counted from 0, not before the last one that was asked for.
    fn number_at(&mut self, position: i64) -> f64 {
        while self.passed + self.own.1 <= position {
            let Some((number, count)) = self.rest.next() else { break };
            self.passed += self.own.1;
            self.own = (*number, *count);
        }
        number(self.own.0)
    }

    /// The number at the same position or the next one.
    fn peek(&self, position: i64) -> f64 {
        if position < self.passed + self.own.1 {
            return number(self.own.0);
        }
        self.rest.clone().find(|(_, count)| **count > 0).map_or_else(|| number(self.own.0), |(next, _)| number(*next))
    }
}

/// The bits of a number, so that they compare as it does: NaN last, -0.0 before 0.0.
const fn ordered(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

const fn number(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered })
}

impl Accumulator for Percentile {
    fn grow(&mut self, capacity: usize) {
        self.numbers.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.held -= std::mem::take(&mut self.numbers[slot as usize]).len();
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let numbers = cast(arg, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let times = args.get(1).map(|times| cast(times, &DataType::Int64)).transpose()?;
        let times: Option<&Int64Array> = times.as_ref().map(|times| times.as_primitive::<Int64Type>());
        update.each(numbers.nulls(), |row, slot, retract| {
            let times = match times {
                Some(times) if times.is_null(row) => 0,
                Some(times) => times.value(row),
                None => 1,
            };
            if times > 0 {
                self.add(slot, ordered(numbers.value(row)), if retract { -times } else { times });
            }
        });
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            for (number, count) in self.numbers[*from as usize].clone() {
                self.add(*into as usize, number, count);
            }
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        let found: Vec<Option<Vec<f64>>> = slots.iter().map(|slot| self.at_percentages(*slot)).collect();
        if !self.many {
            let first = |found: Option<Vec<f64>>| found.and_then(|found| found.first().copied());
            return Ok(Arc::new(found.into_iter().map(first).collect::<Float64Array>()));
        }
        let there: NullBuffer = found.iter().map(Option::is_some).collect::<Vec<bool>>().into();
        let lengths = found.iter().map(|found| found.as_ref().map_or(0, Vec::len));
        let offsets = OffsetBuffer::from_lengths(lengths);
        let values = Arc::new(Float64Array::from_iter_values(found.into_iter().flatten().flatten()));
        let item = Arc::new(Field::new("item", DataType::Float64, true));
        Ok(Arc::new(ListArray::try_new(item, offsets, values, Some(there))?))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let numbers = &self.numbers[slot as usize];
        write_u32(out, numbers.len() as u32);
        for (number, count) in numbers {
            write_u64(out, *number);
            write_i64(out, *count);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.clear(slot);
        for _ in 0..from.u32()? {
            let (number, count) = (from.u64()?, from.i64()?);
            self.add(slot as usize, number, count);
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.numbers.len() * size_of::<BTreeMap<u64, i64>>() + self.held * PER_NUMBER) as u64
    }
}
