//! STDDEV_POP, STDDEV_SAMP, VAR_POP and VAR_SAMP: the sum of the squared distances from the mean, by Welford's method,
//! so that large means cost no digits (<https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance>). Computed in
//! DOUBLE whatever the argument, and given in the type of the result: of integers it is cut to an integer, as in Flink.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::{Accumulator, Update};
use crate::error::Result;
use crate::expr::CastMode;
use crate::expr::cast::Cast;
use crate::function::EvalContext;
use crate::plan::logical::AggregateCall;
use crate::state::{Reader, SlotColumn, write_i64, write_u64};
use crate::types::LogicalType;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Population,
    Sample,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    Variance,
    Deviation,
}

pub(super) struct Variance {
    over: Over,
    power: Power,
    moments: SlotColumn<Moments>,
    result: Cast,
}

#[derive(Clone, Copy, Default)]
struct Moments {
    count: i64,
    mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl Variance {
    pub(super) fn new(over: Over, power: Power, call: &AggregateCall) -> Self {
        let to = call.return_type.logical.clone();
        let context = EvalContext::default();
        let result = Cast { from: LogicalType::Double, to, mode: CastMode::Strict, context };
        Variance { over, power, moments: SlotColumn::default(), result }
    }

    fn value(&self, of: Moments) -> Option<f64> {
        if of.count <= 0 {
            return None;
        }
        let rows = match self.over {
            Over::Population => of.count,
            Over::Sample => Some(of.count - 1).filter(|rows| *rows > 0)?,
        };
        // Rounding while rows are taken back may leave a little less than nothing.
        let variance = if of.squares < 0.0 { 0.0 } else { of.squares / rows as f64 };
        Some(if self.power == Power::Deviation { variance.powf(0.5) } else { variance })
    }
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        if self.count > 0 {
            let distance = value - self.mean;
            self.mean += distance / self.count as f64;
            self.squares += distance * (value - self.mean);
        }
    }

    fn remove(&mut self, value: f64) {
        self.count -= 1;
        if self.count <= 0 {
            (self.mean, self.squares) = (0.0, 0.0);
        } else {
            let distance = value - self.mean;
            self.mean -= distance / self.count as f64;
            self.squares -= distance * (value - self.mean);
        }
        if self.count == 1 && !self.squares.is_nan() {
            self.squares = 0.0;
        }
    }

    fn merge(&mut self, other: Moments) {
        let count = self.count + other.count;
        if self.count <= 0 {
            (self.mean, self.squares) = (other.mean, other.squares);
        } else if other.count > 0 {
            let (own, others, distance) = (self.count as f64, other.count as f64, other.mean - self.mean);
            self.mean += others / count as f64 * distance;
            self.squares += other.squares + own * others / count as f64 * distance * distance;
        }
        self.count = count;
        if count <= 0 {
            (self.mean, self.squares) = (0.0, 0.0);
        }
    }
}

impl Accumulator for Variance {
    fn grow(&mut self, capacity: usize) {
        self.moments.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.moments[slot as usize] = Moments::default();
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let arg = cast(arg, &DataType::Float64)?;
        let values = arg.as_primitive::<Float64Type>();
        update.each(values.nulls(), |row, slot, retract| {
            let (moments, value) = (&mut self.moments[slot], values.value(row));
            if retract { moments.remove(value) } else { moments.add(value) }
        });
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            let other = self.moments[*from as usize];
            self.moments[*into as usize].merge(other);
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        let values: Float64Array = slots.iter().map(|slot| self.value(self.moments[*slot as usize])).collect();
        let values: ArrayRef = Arc::new(values);
        Ok(self.result.run(&values)?)
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let Moments { count, mean, squares } = self.moments[slot as usize];
        write_i64(out, count);
        write_u64(out, mean.to_bits());
        write_u64(out, squares.to_bits());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let (count, mean, squares) = (from.i64()?, f64::from_bits(from.u64()?), f64::from_bits(from.u64()?));
        self.moments[slot as usize] = Moments { count, mean, squares };
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.moments.len() * size_of::<Moments>()) as u64
    }
}
