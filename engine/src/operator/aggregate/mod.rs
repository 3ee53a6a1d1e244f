//! Aggregate functions over many keys at once.
//!
//! One [`Accumulator`] holds the values of one call for all keys, as columns indexed by slot. Semantics are Flink's:
//! integers wrap in their own type, `AVG` of integers truncates, `DECIMAL` overflow gives NULL, NULLs do not count.

mod avg;
mod count;
mod distinct;
mod encoded;
mod extreme;
mod extreme_counts;
mod set;
mod single_value;
mod sum;
mod walk;

use arrow::array::{Array as _, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

use crate::error::{EngineError, Result};
use crate::plan::logical::{AggregateCall, AggregateFunction};
use crate::state::Reader;

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
    let inner = match call.function {
        AggregateFunction::Count => Box::new(count::Count::default()),
        AggregateFunction::Sum => sum::sum(&result, sum::WhenEmpty::Null)?,
        AggregateFunction::Sum0 => sum::sum(&result, sum::WhenEmpty::Zero)?,
        AggregateFunction::Avg => avg::avg(first(args)?, &result)?,
        AggregateFunction::Min | AggregateFunction::Max => {
            let wanted =
                if call.function == AggregateFunction::Min { extreme::Side::Least } else { extreme::Side::Greatest };
            let ty = first(args)?;
            if retracts {
                Box::new(extreme_counts::ExtremeCounts::new(ty, wanted)?)
            } else {
                extreme::extreme(ty, wanted)?
            }
        }
        AggregateFunction::SingleValue => Box::new(single_value::SingleValue::new(first(args)?, retracts)?),
        other => {
            return Err(EngineError::user(
                "unsupported",
                format!("The aggregate function {other:?} is not supported yet."),
            ));
        }
    };
    if !call.distinct {
        return Ok(inner);
    }
    Ok(Box::new(distinct::Distinct::new(args, inner)?))
}

fn first(args: &[DataType]) -> Result<&DataType> {
    args.first().ok_or_else(|| EngineError::internal("an aggregate function has no argument"))
}

/// NULLs of all arguments together: a row counts when none is NULL.
fn any_null(args: &[ArrayRef]) -> Option<NullBuffer> {
    args.iter().fold(None, |nulls, arg| NullBuffer::union(nulls.as_ref(), arg.logical_nulls().as_ref()))
}
