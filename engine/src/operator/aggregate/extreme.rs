//! MIN, MAX, FIRST_VALUE and LAST_VALUE over rows that are never taken back: one value per key.

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
use crate::state::{Reader, SlotColumn, write_bytes};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Least,
    Greatest,
}

/// Which of the values stays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    Extreme(Side),
    First,
    Last,
}

impl Stays {
    /// Whether a value that comes takes the place of the one that is held.
    const fn replaces(self, least: bool, greatest: bool) -> bool {
        match self {
            Stays::Extreme(Side::Least) => least,
            Stays::Extreme(Side::Greatest) => greatest,
            Stays::First => false,
            Stays::Last => true,
        }
    }
}

pub(super) fn extreme(ty: &DataType, stays: Stays) -> Result<Box<dyn Accumulator>> {
    Ok(match ty {
        DataType::Int8 => typed::<Int8Type>(ty, stays),
        DataType::Int16 => typed::<Int16Type>(ty, stays),
        DataType::Int32 => typed::<Int32Type>(ty, stays),
        DataType::Int64 => typed::<Int64Type>(ty, stays),
        DataType::Float32 => typed::<Float32Type>(ty, stays),
        DataType::Float64 => typed::<Float64Type>(ty, stays),
        DataType::Decimal128(..) => typed::<Decimal128Type>(ty, stays),
        DataType::Date32 => typed::<Date32Type>(ty, stays),
        DataType::Time32(TimeUnit::Millisecond) => typed::<Time32MillisecondType>(ty, stays),
        DataType::Timestamp(TimeUnit::Millisecond, _) => typed::<TimestampMillisecondType>(ty, stays),
        DataType::Timestamp(TimeUnit::Microsecond, _) => typed::<TimestampMicrosecondType>(ty, stays),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => typed::<TimestampNanosecondType>(ty, stays),
        _ => Box::new(ExtremeBytes::new(ty, stays)?),
    })
}

fn typed<T: ArrowPrimitiveType>(ty: &DataType, stays: Stays) -> Box<dyn Accumulator>
where
    T::Native: Bits,
{
    Box::new(Extreme::<T> { values: SlotColumn::default(), result: ty.clone(), stays })
}

struct Extreme<T: ArrowPrimitiveType> {
    values: SlotColumn<Option<T::Native>>,
    result: DataType,
    stays: Stays,
}

impl<T: ArrowPrimitiveType> Extreme<T> {
    fn offer(held: &mut Option<T::Native>, value: T::Native, stays: Stays) {
        if held.is_none_or(|held| stays.replaces(value.is_lt(held), value.is_gt(held))) {
            *held = Some(value);
        }
    }
}

impl<T: ArrowPrimitiveType> Accumulator for Extreme<T>
where
    T::Native: Bits,
{
    fn grow(&mut self, capacity: usize) {
        self.values.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.values[slot as usize] = None;
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let values = args.first().and_then(|arg| arg.as_primitive_opt::<T>());
        let values = values.ok_or_else(|| EngineError::internal("an aggregate got another type"))?;
        update.each(values.nulls(), |row, slot, _| Self::offer(&mut self.values[slot], values.value(row), self.stays));
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            if let Some(value) = self.values[*from as usize] {
                Self::offer(&mut self.values[*into as usize], value, self.stays);
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
            Event::Comes { slot, row } => Self::offer(&mut self.values[slot], values.value(row), self.stays),
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
    values: SlotColumn<Option<Box<[u8]>>>,
    heap: usize,
    stays: Stays,
}

impl ExtremeBytes {
    fn new(ty: &DataType, stays: Stays) -> Result<Self> {
        Ok(ExtremeBytes { encoded: Encoded::new(ty)?, values: SlotColumn::default(), heap: 0, stays })
    }

    fn offer(&mut self, slot: usize, value: &[u8]) {
        let held = &mut self.values[slot];
        if held.as_deref().is_none_or(|held| self.stays.replaces(value < held, value > held)) {
            self.heap += value.len();
            self.heap -= held.as_ref().map_or(0, |held| held.len());
            *held = Some(value.into());
        }
    }
}

impl Accumulator for ExtremeBytes {
    fn grow(&mut self, capacity: usize) {
        self.values.grow(capacity);
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
