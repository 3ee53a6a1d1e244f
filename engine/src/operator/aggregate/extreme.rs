//! MIN and MAX over rows that are never taken back: one value per key.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};

use super::encoded::Encoded;
use super::sum::{Bits, read_i128};
use super::{Accumulator, Event, Update, Walk};
use crate::error::{EngineError, Result};
use crate::state::{Reader, write_bytes};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Least,
    Greatest,
}

pub(super) fn extreme(ty: &DataType, side: Side) -> Result<Box<dyn Accumulator>> {
    Ok(match ty {
        DataType::Int8 => typed::<Int8Type>(ty, side),
        DataType::Int16 => typed::<Int16Type>(ty, side),
        DataType::Int32 => typed::<Int32Type>(ty, side),
        DataType::Int64 => typed::<Int64Type>(ty, side),
        DataType::Float32 => typed::<Float32Type>(ty, side),
        DataType::Float64 => typed::<Float64Type>(ty, side),
        DataType::Decimal128(..) => typed::<Decimal128Type>(ty, side),
        DataType::Date32 => typed::<Date32Type>(ty, side),
        DataType::Time32(TimeUnit::Millisecond) => typed::<Time32MillisecondType>(ty, side),
        DataType::Timestamp(TimeUnit::Millisecond, _) => typed::<TimestampMillisecondType>(ty, side),
        DataType::Timestamp(TimeUnit::Microsecond, _) => typed::<TimestampMicrosecondType>(ty, side),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => typed::<TimestampNanosecondType>(ty, side),
        _ => Box::new(ExtremeBytes::new(ty, side)?),
    })
}

fn typed<T: ArrowPrimitiveType>(ty: &DataType, side: Side) -> Box<dyn Accumulator>
where
    T::Native: Bits,
{
    Box::new(Extreme::<T> { values: Vec::new(), result: ty.clone(), side })
}

struct Extreme<T: ArrowPrimitiveType> {
    values: Vec<Option<T::Native>>,
    result: DataType,
    side: Side,
}

impl<T: ArrowPrimitiveType> Extreme<T> {
    fn offer(held: &mut Option<T::Native>, value: T::Native, side: Side) {
        let better = match (*held, side) {
            (None, _) => true,
            (Some(held), Side::Least) => value.is_lt(held),
            (Some(held), Side::Greatest) => value.is_gt(held),
        };
        if better {
            *held = Some(value);
        }
    }
}

impl<T: ArrowPrimitiveType> Accumulator for Extreme<T>
where
    T::Native: Bits,
{
    fn grow(&mut self, capacity: usize) {
        self.values.resize(capacity.max(self.values.len()), None);
    }

    fn clear(&mut self, slot: u32) {
        self.values[slot as usize] = None;
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let values = args.first().and_then(|arg| arg.as_primitive_opt::<T>());
        let values = values.ok_or_else(|| EngineError::internal("MIN or MAX got another type"))?;
        update.each(values.nulls(), |row, slot, _| Self::offer(&mut self.values[slot], values.value(row), self.side));
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            if let Some(value) = self.values[*from as usize] {
                Self::offer(&mut self.values[*into as usize], value, self.side);
            }
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        let array: PrimitiveArray<T> = slots.iter().map(|slot| self.values[*slot as usize]).collect();
        Ok(Arc::new(array.with_data_type(self.result.clone())))
    }

    fn walk(&mut self, walk: &Walk<'_>) -> Result<Option<ArrayRef>> {
        let values = walk.come.args.first().and_then(|arg| arg.as_primitive_opt::<T>());
        let values = values.ok_or_else(|| EngineError::internal("MIN or MAX got another type"))?;
        let mut given = Vec::with_capacity(walk.steps.len());
        walk.each(values.nulls(), None, |event| match event {
            Event::Comes { slot, row } => Self::offer(&mut self.values[slot], values.value(row), self.side),
            // Only where nothing is taken back are there no more values than one.
            Event::Leaves { .. } => {}
            Event::Result { slot } => given.push(self.values[slot]),
        });
        Ok(Some(Arc::new(given.into_iter().collect::<PrimitiveArray<T>>().with_data_type(self.result.clone()))))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let value = self.values[slot as usize];
        out.push(u8::from(value.is_some()));
        out.extend_from_slice(&value.map_or(0, Bits::to_bits16).to_le_bytes());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let there = from.u8()? == 1;
        let bits = read_i128(from)?;
        self.values[slot as usize] = there.then(|| T::Native::from_bits16(bits));
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.values.len() * size_of::<Option<T::Native>>()) as u64
    }
}

/// Any other type that has an order, by its row encoding.
struct ExtremeBytes {
    encoded: Encoded,
    values: Vec<Option<Box<[u8]>>>,
    heap: usize,
    side: Side,
}

impl ExtremeBytes {
    fn new(ty: &DataType, side: Side) -> Result<Self> {
        Ok(ExtremeBytes { encoded: Encoded::new(ty)?, values: Vec::new(), heap: 0, side })
    }

    fn offer(&mut self, slot: usize, value: &[u8]) {
        let held = &mut self.values[slot];
        let better = match (held.as_deref(), self.side) {
            (None, _) => true,
            (Some(held), Side::Least) => value < held,
            (Some(held), Side::Greatest) => value > held,
        };
        if better {
            self.heap += value.len();
            self.heap -= held.as_ref().map_or(0, |held| held.len());
            *held = Some(value.into());
        }
    }
}

impl Accumulator for ExtremeBytes {
    fn grow(&mut self, capacity: usize) {
        self.values.resize(capacity.max(self.values.len()), None);
    }

    fn clear(&mut self, slot: u32) {
        self.heap -= self.values[slot as usize].take().map_or(0, |held| held.len());
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let rows = self.encoded.encode(arg)?;
        let nulls = arg.logical_nulls();
        update.each(nulls.as_ref(), |row, slot, _| self.offer(slot, rows.row(row).data()));
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            if let Some(value) = self.values[*from as usize].clone() {
                self.offer(*into as usize, &value);
            }
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        let value = |slot: &u32| self.values[*slot as usize].as_deref().unwrap_or(self.encoded.null());
        self.encoded.decode(slots.iter().map(value))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let value = self.values[slot as usize].as_deref();
        out.push(u8::from(value.is_some()));
        write_bytes(out, value.unwrap_or_default());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let there = from.u8()? == 1;
        let bytes = from.bytes()?;
        self.clear(slot);
        if there {
            self.offer(slot as usize, bytes);
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.values.len() * 16 + self.heap) as u64
    }
}
