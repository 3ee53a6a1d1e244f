//! SUM in the type of the result; integers wrap, DECIMAL overflow gives NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowNativeType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};

use super::{Accumulator, Event, Update, Walk};
use crate::error::{EngineError, Result};
use crate::state::{Reader, SlotColumn, write_i64};

/// 10^38: the first number that DECIMAL(38, s) cannot hold.
pub(super) const DECIMAL_LIMIT: i128 = 10_i128.pow(38);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WhenEmpty {
    Null,
    Zero,
}

struct Sum<T: ArrowPrimitiveType> {
    sums: SlotColumn<T::Native>,
    /// Values in the sum; NULL when there are none.
    counts: SlotColumn<i64>,
    result: DataType,
    empty: WhenEmpty,
}

pub(super) fn sum(result: &DataType, empty: WhenEmpty) -> Result<Box<dyn Accumulator>> {
    Ok(match result {
        DataType::Int8 => typed::<Int8Type>(result, empty),
        DataType::Int16 => typed::<Int16Type>(result, empty),
        DataType::Int32 => typed::<Int32Type>(result, empty),
        DataType::Int64 => typed::<Int64Type>(result, empty),
        DataType::Float32 => typed::<Float32Type>(result, empty),
        DataType::Float64 => typed::<Float64Type>(result, empty),
        DataType::Decimal128(..) => typed::<Decimal128Type>(result, empty),
        other => return Err(EngineError::internal(format!("SUM cannot give {other}"))),
    })
}

fn typed<T: ArrowPrimitiveType>(result: &DataType, empty: WhenEmpty) -> Box<dyn Accumulator>
where
    T::Native: Bits,
{
    Box::new(Sum::<T> { sums: SlotColumn::default(), counts: SlotColumn::default(), result: result.clone(), empty })
}

/// A number as 16 bytes, and whether it still fits its type.
pub(super) trait Bits: ArrowNativeTypeOp {
    fn to_bits16(self) -> i128;
    fn from_bits16(bits: i128) -> Self;
    fn fits(self) -> bool {
        true
    }
}

macro_rules! integer_bits {
    ($($native:ty),+) => {$(
        impl Bits for $native {
            fn to_bits16(self) -> i128 {
                i128::from(self)
            }
            fn from_bits16(bits: i128) -> Self {
                bits as $native
            }
        }
    )+};
}

integer_bits!(i8, i16, i32, i64);

impl Bits for i128 {
    fn to_bits16(self) -> i128 {
        self
    }
    fn from_bits16(bits: i128) -> Self {
        bits
    }
    fn fits(self) -> bool {
        self.unsigned_abs() < DECIMAL_LIMIT.unsigned_abs()
    }
}

impl Bits for f32 {
    fn to_bits16(self) -> i128 {
        i128::from(self.to_bits())
    }
    fn from_bits16(bits: i128) -> Self {
        f32::from_bits(bits as u32)
    }
}

impl Bits for f64 {
    fn to_bits16(self) -> i128 {
        i128::from(self.to_bits())
    }
    fn from_bits16(bits: i128) -> Self {
        f64::from_bits(bits as u64)
    }
}

impl<T: ArrowPrimitiveType> Sum<T>
where
    T::Native: Bits,
{
    /// The argument in the type of the result.
    fn values(&self, args: &[ArrayRef]) -> Result<Option<PrimitiveArray<T>>> {
        let Some(arg) = args.first() else { return Ok(None) };
        // DECIMALs of one scale share a representation; other types are widened to the result's.
        let same = arg.data_type() == &self.result || matches!(arg.data_type(), DataType::Decimal128(..));
        let arg = if same { Arc::clone(arg) } else { cast(arg, &self.result)? };
        let values = arg.as_primitive_opt::<T>().ok_or_else(|| EngineError::internal("SUM got another type"))?;
        Ok(Some(values.clone()))
    }

    fn result(&self, slot: usize) -> Option<T::Native> {
        match (self.counts[slot], self.empty) {
            (0, WhenEmpty::Null) => None,
            (0, WhenEmpty::Zero) => Some(T::Native::from_usize(0).unwrap_or_default()),
            _ => Some(self.sums[slot]).filter(|sum| sum.fits()),
        }
    }
}

impl<T: ArrowPrimitiveType> Accumulator for Sum<T>
where
    T::Native: Bits,
{
    fn grow(&mut self, capacity: usize) {
        self.sums.grow(capacity);
        self.counts.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.sums[slot as usize] = T::Native::default();
        self.counts[slot as usize] = 0;
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(values) = self.values(args)? else { return Ok(()) };
        let numbers = values.values();
        let (sums, counts) = (&mut self.sums, &mut self.counts);
        update.each(values.nulls(), |row, slot, retract| {
            if retract {
                sums[slot] = sums[slot].sub_wrapping(numbers[row]);
                counts[slot] -= 1;
            } else {
                sums[slot] = sums[slot].add_wrapping(numbers[row]);
                counts[slot] += 1;
            }
        });
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            let (into, from) = (*into as usize, *from as usize);
            self.sums[into] = self.sums[into].add_wrapping(self.sums[from]);
            self.counts[into] += self.counts[from];
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        let array: PrimitiveArray<T> = slots.iter().map(|slot| self.result(*slot as usize)).collect();
        Ok(Arc::new(array.with_data_type(self.result.clone())))
    }

    fn walk(&mut self, walk: &Walk<'_>) -> Result<Option<ArrayRef>> {
        let (come, gone) = (self.values(&walk.come.args)?, self.values(&walk.gone.args)?);
        let (Some(come), Some(gone)) = (come, gone) else { return Ok(None) };
        let mut given = Vec::with_capacity(walk.steps.len());
        walk.each(come.nulls(), gone.nulls(), |event| match event {
            Event::Comes { slot, row } => {
                self.sums[slot] = self.sums[slot].add_wrapping(come.value(row));
                self.counts[slot] += 1;
            }
            Event::Leaves { slot, row } => {
                self.sums[slot] = self.sums[slot].sub_wrapping(gone.value(row));
                self.counts[slot] -= 1;
            }
            Event::Result { slot } => given.push(self.result(slot)),
        });
        Ok(Some(Arc::new(given.into_iter().collect::<PrimitiveArray<T>>().with_data_type(self.result.clone()))))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        write_i64(out, self.counts[slot as usize]);
        out.extend_from_slice(&self.sums[slot as usize].to_bits16().to_le_bytes());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.counts[slot as usize] = from.i64()?;
        self.sums[slot as usize] = T::Native::from_bits16(read_i128(from)?);
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.sums.len() * (size_of::<T::Native>() + 8)) as u64
    }
}

pub(super) fn read_i128(from: &mut Reader<'_>) -> Result<i128> {
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(from.take(16)?);
    Ok(i128::from_le_bytes(bytes))
}
