//! AVG: integers truncate to their own type, DECIMAL rounds half up to the scale of the result.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};

use super::sum::{DECIMAL_LIMIT, read_i128};
use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::state::{Reader, SlotColumn, write_i64};

struct Avg {
    sums: Sums,
    counts: SlotColumn<i64>,
    result: DataType,
}

enum Sums {
    Integer(SlotColumn<i64>),
    Double(SlotColumn<f64>),
    /// Digits by which the sum is scaled up before it is divided.
    Decimal {
        sums: SlotColumn<i128>,
        raise: u32,
    },
}

pub(super) fn avg(arg: &DataType, result: &DataType) -> Result<Box<dyn Accumulator>> {
    let sums = match (arg, result) {
        (DataType::Decimal128(_, from), DataType::Decimal128(_, to)) => {
            let raise = u32::try_from(i32::from(*to) - i32::from(*from)).unwrap_or(0);
            Sums::Decimal { sums: SlotColumn::default(), raise }
        }
        (DataType::Float32 | DataType::Float64, _) => Sums::Double(SlotColumn::default()),
        (DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64, _) => {
            Sums::Integer(SlotColumn::default())
        }
        (other, _) => return Err(EngineError::internal(format!("AVG cannot take {other}"))),
    };
    Ok(Box::new(Avg { sums, counts: SlotColumn::default(), result: result.clone() }))
}

impl Accumulator for Avg {
    fn grow(&mut self, capacity: usize) {
        self.counts.grow(capacity);
        match &mut self.sums {
            Sums::Integer(sums) => sums.grow(capacity),
            Sums::Double(sums) => sums.grow(capacity),
            Sums::Decimal { sums, .. } => sums.grow(capacity),
        }
    }

    fn clear(&mut self, slot: u32) {
        let slot = slot as usize;
        self.counts[slot] = 0;
        match &mut self.sums {
            Sums::Integer(sums) => sums[slot] = 0,
            Sums::Double(sums) => sums[slot] = 0.0,
            Sums::Decimal { sums, .. } => sums[slot] = 0,
        }
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let counts = &mut self.counts;
        let mut count = |slot: usize, retract: bool| counts[slot] += if retract { -1 } else { 1 };
        match &mut self.sums {
            Sums::Integer(sums) => {
                let arg = cast(arg, &DataType::Int64)?;
                let values = arg.as_primitive::<Int64Type>();
                update.each(values.nulls(), |row, slot, retract| {
                    let value = values.value(row);
                    sums[slot] = if retract { sums[slot].wrapping_sub(value) } else { sums[slot].wrapping_add(value) };
                    count(slot, retract);
                });
            }
            Sums::Double(sums) => {
                let arg = cast(arg, &DataType::Float64)?;
                let values = arg.as_primitive::<Float64Type>();
                update.each(values.nulls(), |row, slot, retract| {
                    let value = values.value(row);
                    sums[slot] = if retract { sums[slot] - value } else { sums[slot] + value };
                    count(slot, retract);
                });
            }
            Sums::Decimal { sums, .. } => {
                let values = arg
                    .as_primitive_opt::<Decimal128Type>()
                    .ok_or_else(|| EngineError::internal("AVG got another type"))?;
                update.each(values.nulls(), |row, slot, retract| {
                    let value = values.value(row);
                    sums[slot] = if retract { sums[slot].wrapping_sub(value) } else { sums[slot].wrapping_add(value) };
                    count(slot, retract);
                });
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            let (into, from) = (*into as usize, *from as usize);
            self.counts[into] += self.counts[from];
            match &mut self.sums {
                Sums::Integer(sums) => sums[into] = sums[into].wrapping_add(sums[from]),
                Sums::Double(sums) => sums[into] += sums[from],
                Sums::Decimal { sums, .. } => sums[into] = sums[into].wrapping_add(sums[from]),
            }
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        let count = |slot: &u32| Some(self.counts[*slot as usize]).filter(|count| *count != 0);
        let array: ArrayRef = match &self.sums {
            Sums::Integer(sums) => {
                let value = |slot: &u32| count(slot).map(|count| sums[*slot as usize].wrapping_div(count));
                Arc::new(slots.iter().map(value).collect::<Int64Array>())
            }
            Sums::Double(sums) => {
                let value = |slot: &u32| count(slot).map(|count| sums[*slot as usize] / count as f64);
                Arc::new(slots.iter().map(value).collect::<Float64Array>())
            }
            Sums::Decimal { sums, raise } => {
                let value = |slot: &u32| count(slot).and_then(|count| divide(sums[*slot as usize], count, *raise));
                let array: Decimal128Array = slots.iter().map(value).collect();
                return Ok(Arc::new(array.with_data_type(self.result.clone())));
            }
        };
        Ok(if array.data_type() == &self.result { array } else { cast(&array, &self.result)? })
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let slot = slot as usize;
        write_i64(out, self.counts[slot]);
        let bits = match &self.sums {
            Sums::Integer(sums) => i128::from(sums[slot]),
            Sums::Double(sums) => i128::from(sums[slot].to_bits()),
            Sums::Decimal { sums, .. } => sums[slot],
        };
        out.extend_from_slice(&bits.to_le_bytes());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let slot = slot as usize;
        self.counts[slot] = from.i64()?;
        let bits = read_i128(from)?;
        match &mut self.sums {
            Sums::Integer(sums) => sums[slot] = bits as i64,
            Sums::Double(sums) => sums[slot] = f64::from_bits(bits as u64),
            Sums::Decimal { sums, .. } => sums[slot] = bits,
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.counts.len() * 24) as u64
    }
}

/// `sum × 10^raise ÷ count`, rounded half away from zero; `None` when it does not fit.
fn divide(sum: i128, count: i64, raise: u32) -> Option<i128> {
    let raised = sum.checked_mul(10_i128.checked_pow(raise)?)?;
    let count = i128::from(count);
    let (quotient, rest) = (raised / count, raised % count);
    let up = rest.unsigned_abs() * 2 >= count.unsigned_abs();
    let step = if (raised < 0) == (count < 0) { 1 } else { -1 };
    let rounded = if up && rest != 0 { quotient + step } else { quotient };
    (rounded.unsigned_abs() < DECIMAL_LIMIT.unsigned_abs()).then_some(rounded)
}
