//! Aggregate functions over many keys at once.
//!
//! One [`Accumulator`] holds the values of one call for all keys, as columns indexed by slot. Semantics are Flink's:
//! integers wrap in their own type, `AVG` of integers truncates, `DECIMAL` overflow gives NULL, NULLs do not count.

mod approximate;
mod avg;
mod collect;
mod count;
mod counted;
mod distinct;
mod encoded;
mod extreme;
mod extreme_counts;
mod gathered;
mod joined;
mod json_object;
mod percentile;
mod seen;
mod sequence;
mod set;
mod shared;
mod single_value;
mod sum;
#[cfg(test)]
mod tests;
mod user;
mod variance;
mod walk;

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

use crate::error::{EngineError, Result};
use crate::expr::Value;
use crate::plan::logical::{AggregateCall, AggregateFunction, Nulls};
use crate::state::Reader;
use extreme::{Side, Stays};
use extreme_counts::ExtremeCounts;
use gathered::{Gathered, Give};
use variance::{Over, Power, Variance};

pub use set::AccumulatorSet;
pub use walk::{Event, Rows, Step, Walk};

/// Rows of one batch, as an accumulator sees them.
#[derive(Clone, Copy)]
pub struct Update<'a> {
    /// The slot of each row.
    pub slots: &'a [u32],
    /// Rows that are taken back; absent when none is.
    pub retract: Option<&'a [bool]>,
    /// Rows that count; absent when all do.
    pub keep: Option<&'a [bool]>,
}

pub trait Accumulator: Send {
    /// Makes room for slots below `capacity`.
    fn grow(&mut self, capacity: usize);

    /// Back to "no rows", freeing what the slot held.
    fn clear(&mut self, slot: u32);

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()>;

    /// Adds what `from[i]` holds to `into[i]`.
    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()>;

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef>;

    /// Goes from step to step; the result of each. `None`, and nothing done, where it cannot.
    fn walk(&mut self, _walk: &Walk<'_>) -> Result<Option<ArrayRef>> {
        Ok(None)
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>);

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()>;

    /// Memory beyond what a slot always takes.
    fn bytes(&self) -> u64;
}

impl Update<'_> {
    /// Every row that counts and is not NULL: its number, slot, and whether it is taken back.
    pub fn each(&self, nulls: Option<&NullBuffer>, mut each: impl FnMut(usize, usize, bool)) {
        match (self.retract, self.keep, nulls) {
            (None, None, None) => {
                for (row, slot) in self.slots.iter().enumerate() {
                    each(row, *slot as usize, false);
                }
            }
            (retract, keep, nulls) => {
                for (row, slot) in self.slots.iter().enumerate() {
                    if keep.is_none_or(|keep| keep[row]) && nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                        each(row, *slot as usize, retract.is_some_and(|retract| retract[row]));
                    }
                }
            }
        }
    }
}

/// `args` are the types of the call's arguments; `retracts` whether rows may be taken back.
pub fn accumulator(call: &AggregateCall, args: &[DataType], retracts: bool) -> Result<Box<dyn Accumulator>> {
    let result = call.return_type.logical.to_arrow();
    let inner: Box<dyn Accumulator> = match call.function {
        AggregateFunction::Count => Box::new(count::Count::default()),
        AggregateFunction::Sum => sum::sum(&result, sum::WhenEmpty::Null)?,
        AggregateFunction::Sum0 => sum::sum(&result, sum::WhenEmpty::Zero)?,
        AggregateFunction::Avg => avg::avg(first(args)?, &result)?,
        AggregateFunction::Min => extreme(first(args)?, Side::Least, retracts)?,
        AggregateFunction::Max => extreme(first(args)?, Side::Greatest, retracts)?,
        AggregateFunction::StddevPop => Box::new(Variance::new(Over::Population, Power::Deviation, call)),
        AggregateFunction::StddevSamp => Box::new(Variance::new(Over::Sample, Power::Deviation, call)),
        AggregateFunction::VarPop => Box::new(Variance::new(Over::Population, Power::Variance, call)),
        AggregateFunction::VarSamp => Box::new(Variance::new(Over::Sample, Power::Variance, call)),
        AggregateFunction::Percentile => Box::new(percentile::Percentile::new(constant(call)?)?),
        AggregateFunction::ApproxCountDistinct => Box::new(approximate::ApproximateCount::new(first(args)?)?),
        AggregateFunction::SingleValue => Box::new(single_value::SingleValue::new(first(args)?, retracts)?),
        AggregateFunction::User => Box::new(user::User::new(user_of(call)?, retracts)?),
        AggregateFunction::JsonObjectAgg(nulls) => Box::new(json_object::JsonObject::new(nulls)),
        _ => gathering(call, first(args)?, result, retracts)?,
    };
    if !call.distinct {
        return Ok(inner);
    }
    Ok(Box::new(distinct::Distinct::new(args, kept_nulls(call.function), inner)?))
}

fn extreme(ty: &DataType, side: Side, retracts: bool) -> Result<Box<dyn Accumulator>> {
    if retracts { Ok(Box::new(ExtremeCounts::new(ty, side)?)) } else { extreme::extreme(ty, Stays::Extreme(side)) }
}

/// Those that look at the order in which values come.
fn gathering(call: &AggregateCall, ty: &DataType, result: DataType, retracts: bool) -> Result<Box<dyn Accumulator>> {
    let (give, nulls) = match call.function {
        AggregateFunction::FirstValue if !retracts => return extreme::extreme(ty, Stays::First),
        AggregateFunction::LastValue if !retracts => return extreme::extreme(ty, Stays::Last),
        AggregateFunction::FirstValue => (Give::First, Nulls::LeftOut),
        AggregateFunction::LastValue => (Give::Last, Nulls::LeftOut),
        AggregateFunction::ListAgg => {
            let separator = constant(call)?.as_str().unwrap_or_default().to_owned();
            if !retracts {
                return Ok(Box::new(joined::Joined::new(separator)));
            }
            (Give::Joined(separator), Nulls::LeftOut)
        }
        AggregateFunction::ArrayAgg(nulls) => (Give::Array(result), nulls),
        AggregateFunction::JsonArrayAgg(nulls) => (Give::JsonArray, nulls),
        AggregateFunction::Collect => return Ok(Box::new(collect::Collect::new(ty, &result)?)),
        other => return Err(EngineError::internal(format!("{other:?} gathers nothing"))),
    };
    Ok(Box::new(Gathered::new(give, ty, nulls)?))
}

/// Whether DISTINCT lets NULL through, as a value of its own.
const fn kept_nulls(function: AggregateFunction) -> Nulls {
    match function {
        AggregateFunction::ArrayAgg(nulls) => nulls,
        _ => Nulls::LeftOut,
    }
}

fn constant(call: &AggregateCall) -> Result<&Value> {
    call.constants.first().ok_or_else(|| EngineError::internal("an aggregate function has no constant argument"))
}

fn user_of(call: &AggregateCall) -> Result<&Arc<crate::udf::AggregateFunction>> {
    call.user.as_ref().ok_or_else(|| EngineError::internal("a user's aggregate function is not there"))
}

fn first(args: &[DataType]) -> Result<&DataType> {
    args.first().ok_or_else(|| EngineError::internal("an aggregate function has no argument"))
}

/// NULLs of all arguments together: a row counts when none is NULL.
fn any_null(args: &[ArrayRef]) -> Option<NullBuffer> {
    args.iter().fold(None, |nulls, arg| NullBuffer::union(nulls.as_ref(), arg.logical_nulls().as_ref()))
}
