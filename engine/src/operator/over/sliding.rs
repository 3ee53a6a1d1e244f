//! Aggregates over frames whose edges never go back: each row is looked at a fixed number of times.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Int64Array,
    PrimitiveArray, UInt32Array, make_comparator,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{
    ArrowNativeType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};

use crate::error::Result;

/// 10^38: the first number that DECIMAL(38, s) cannot hold.
const DECIMAL_LIMIT: u128 = 10_u128.pow(38);

/// Which rows count: no argument is NULL, and the filter is TRUE.
pub(super) struct Counted {
    counts: Vec<bool>,
    /// Of the rows before each, how many count; one more than rows.
    before: Vec<i64>,
}

impl Counted {
    pub(super) fn new(args: &[&ArrayRef], filter: Option<&BooleanArray>, rows: usize) -> Self {
        let nulls = args.iter().fold(None, |nulls: Option<NullBuffer>, arg| {
            NullBuffer::union(nulls.as_ref(), arg.logical_nulls().as_ref())
        });
        let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let counts: Vec<bool> =
            (0..rows).map(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) && passes(row)).collect();
        let mut before = Vec::with_capacity(rows + 1);
        let mut total = 0;
        before.push(total);
        for counts in &counts {
            total += i64::from(*counts);
            before.push(total);
        }
        Counted { counts, before }
    }

    fn count(&self, frame: &Range<usize>) -> i64 {
        self.before[frame.end] - self.before[frame.start]
    }

    pub(super) fn counts(&self, frames: &[Range<usize>]) -> ArrayRef {
        Arc::new(frames.iter().map(|frame| self.count(frame)).collect::<Int64Array>())
    }

    /// The first row of each frame that counts.
    pub(super) fn first_of(&self, frames: &[Range<usize>]) -> UInt32Array {
        let mut next = vec![self.counts.len(); self.counts.len() + 1];
        for (row, counts) in self.counts.iter().enumerate().rev() {
            next[row] = if *counts { row } else { next[row + 1] };
        }
        frames
            .iter()
            .map(|frame| Some(next[frame.start]).filter(|row| *row < frame.end).map(|row| row as u32))
            .collect()
    }

    /// The last row of each frame that counts.
    pub(super) fn last_of(&self, frames: &[Range<usize>]) -> UInt32Array {
        // One more than the last row that counts, up to each.
        let mut last = Vec::with_capacity(self.counts.len() + 1);
        last.push(0);
        for (row, counts) in self.counts.iter().enumerate() {
            let known = last[row];
            last.push(if *counts { row + 1 } else { known });
        }
        let found = |frame: &Range<usize>| Some(last[frame.end]).filter(|row| *row > frame.start);
        frames.iter().map(|frame| found(frame).map(|row| row as u32 - 1)).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Least,
    Greatest,
}

/// The row of each frame with the least or greatest value.
pub(super) fn least(arg: &ArrayRef, counted: &Counted, frames: &[Range<usize>], side: Side) -> Result<UInt32Array> {
    let descending = side == Side::Greatest;
    let compare = make_comparator(arg, arg, SortOptions { descending, nulls_first: false })?;
    // Rows of the frame, each better than all behind it.
    let mut best: VecDeque<usize> = VecDeque::new();
    let (mut seen, mut given) = (0..0, Vec::with_capacity(frames.len()));
    for frame in frames {
        if frame.start < seen.start || frame.end < seen.end || frame.start >= seen.end {
            best.clear();
            seen = frame.start..frame.start;
        }
        for row in seen.end..frame.end {
            if counted.counts[row] {
                while best.back().is_some_and(|worse| compare(row, *worse) == Ordering::Less) {
                    best.pop_back();
                }
                best.push_back(row);
            }
        }
        while best.front().is_some_and(|row| *row < frame.start) {
            best.pop_front();
        }
        seen = frame.clone();
        given.push(best.front().map(|row| *row as u32));
    }
    Ok(UInt32Array::from(given))
}

/// SUM in the type of the result; `None` for a type that is not summed here.
pub(super) fn sums(
    arg: &ArrayRef,
    counted: &Counted,
    frames: &[Range<usize>],
    result: &DataType,
) -> Result<Option<ArrayRef>> {
    let wide = |ty: &DataType| cast(arg, ty);
    Ok(Some(match result {
        DataType::Int8 => whole::<Int8Type>(&wide(&DataType::Int64)?, counted, frames),
        DataType::Int16 => whole::<Int16Type>(&wide(&DataType::Int64)?, counted, frames),
        DataType::Int32 => whole::<Int32Type>(&wide(&DataType::Int64)?, counted, frames),
        DataType::Int64 => whole::<Int64Type>(&wide(&DataType::Int64)?, counted, frames),
        DataType::Float32 => floats::<Float32Type>(&wide(result)?, counted, frames),
        DataType::Float64 => floats::<Float64Type>(&wide(result)?, counted, frames),
        DataType::Decimal128(..) if matches!(arg.data_type(), DataType::Decimal128(..)) => {
            let totals = totals(arg.as_primitive::<Decimal128Type>().values(), counted);
            let fits = |sum: &i128| sum.unsigned_abs() < DECIMAL_LIMIT;
            let sum = |frame: &Range<usize>| {
                let there = counted.count(frame) > 0;
                there.then(|| totals[frame.end].wrapping_sub(totals[frame.start])).filter(fits)
            };
            let sums: Decimal128Array = frames.iter().map(sum).collect();
            Arc::new(sums.with_data_type(result.clone()))
        }
        _ => return Ok(None),
    }))
}

/// Sums of the rows before each, wrapping: differences of them are exact.
fn totals<T: ArrowNativeTypeOp>(values: &[T], counted: &Counted) -> Vec<T> {
    let mut totals = Vec::with_capacity(values.len() + 1);
    let mut total = T::ZERO;
    totals.push(total);
    for (value, counts) in values.iter().zip(&counted.counts) {
        if *counts {
            total = total.add_wrapping(*value);
        }
        totals.push(total);
    }
    totals
}

fn whole<T: ArrowPrimitiveType>(arg: &ArrayRef, counted: &Counted, frames: &[Range<usize>]) -> ArrayRef
where
    T::Native: Truncated,
{
    let totals = totals(arg.as_primitive::<Int64Type>().values(), counted);
    let sum = |frame: &Range<usize>| {
        let sum = totals[frame.end].wrapping_sub(totals[frame.start]);
        (counted.count(frame) > 0).then(|| T::Native::truncated(sum))
    };
    Arc::new(frames.iter().map(sum).collect::<PrimitiveArray<T>>())
}

/// The low bits of a sum: integers wrap in their own type.
trait Truncated {
    fn truncated(sum: i64) -> Self;
}

macro_rules! truncated {
    ($($native:ty),+) => {$(
        impl Truncated for $native {
            fn truncated(sum: i64) -> Self {
                sum as $native
            }
        }
    )+};
}

truncated!(i8, i16, i32, i64);

/// Differences of floats are not exact: a frame that loses rows is summed anew.
fn floats<T: ArrowPrimitiveType>(arg: &ArrayRef, counted: &Counted, frames: &[Range<usize>]) -> ArrayRef {
    let values = arg.as_primitive::<T>().values();
    let (mut known, mut sum) = (0..0, T::Native::usize_as(0));
    let each = |frame: &Range<usize>| {
        if frame.start != known.start || frame.end < known.end {
            (known, sum) = (frame.start..frame.start, T::Native::usize_as(0));
        }
        for row in known.end..frame.end {
            if counted.counts[row] {
                sum = sum.add_wrapping(values[row]);
            }
        }
        known = frame.clone();
        (counted.count(frame) > 0).then_some(sum)
    };
    Arc::new(frames.iter().map(each).collect::<PrimitiveArray<T>>())
}
