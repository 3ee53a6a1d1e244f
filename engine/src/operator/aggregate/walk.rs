//! Rows that come and leave step by step, with a result behind each step: OVER.
//!
//! An accumulator that knows how goes through the steps by itself, one row after the other. For the others, the first
//! steps of all keys are made at once, then the second ones, and so on.

use std::collections::HashMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, UInt32Array, new_empty_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::DataType;
use foldhash::fast::FixedState;

use super::{Accumulator, Update};
use crate::error::Result;

/// Rows of one key that get the same result, and those that leave with them.
pub struct Step {
    pub slot: u32,
    /// Their event time.
    pub time: i64,
    /// Numbers of the rows, among all that come.
    pub rows: Vec<u32>,
    /// Numbers of those that leave, among all that do.
    pub gone: Range<usize>,
}

pub enum Event {
    Comes {
        slot: usize,
        row: usize,
    },
    Leaves {
        slot: usize,
        row: usize,
    },
    /// The step is made: its result.
    Result {
        slot: usize,
    },
}

/// The arguments of one call in all rows that come, and in all that leave.
pub struct Walk<'a> {
    pub steps: &'a [Step],
    pub come: Rows,
    pub gone: Rows,
}

pub struct Rows {
    pub args: Vec<ArrayRef>,
    /// Rows that count; absent when all do.
    pub keep: Option<Vec<bool>>,
}

impl Rows {
    fn counts(&self, nulls: Option<&NullBuffer>, row: usize) -> bool {
        self.keep.as_ref().is_none_or(|keep| keep[row]) && nulls.is_none_or(|nulls| nulls.is_valid(row))
    }

    fn pick(&self, rows: &[u32]) -> Result<Rows> {
        let numbers = UInt32Array::from(rows.to_vec());
        let args = self.args.iter().map(|arg| Ok(take(arg, &numbers, None)?)).collect::<Result<_>>()?;
        let keep = self.keep.as_ref().map(|keep| rows.iter().map(|row| keep[*row as usize]).collect());
        Ok(Rows { args, keep })
    }
}

impl Walk<'_> {
    /// Everything that happens, in order. Rows that do not count, or are NULL, are left out.
    pub fn each(&self, come: Option<&NullBuffer>, gone: Option<&NullBuffer>, mut each: impl FnMut(Event)) {
        for step in self.steps {
            let slot = step.slot as usize;
            for row in step.rows.iter().map(|row| *row as usize).filter(|row| self.come.counts(come, *row)) {
                each(Event::Comes { slot, row });
            }
            for row in step.gone.clone().filter(|row| self.gone.counts(gone, *row)) {
                each(Event::Leaves { slot, row });
            }
            each(Event::Result { slot });
        }
    }

    /// The result of every step, where the accumulator does not go by itself.
    pub(super) fn by_rounds(&self, accumulator: &mut dyn Accumulator, result: &DataType) -> Result<ArrayRef> {
        // Where the result of each step is: round, and place in it.
        let mut found = vec![(0_usize, 0_usize); self.steps.len()];
        let mut results: Vec<ArrayRef> = Vec::new();
        for round in rounds(self.steps) {
            let steps = || round.iter().map(|step| &self.steps[*step]);
            let rows: Vec<u32> = steps().flat_map(|step| step.rows.iter().copied()).collect();
            let slots: Vec<u32> = steps().flat_map(|step| step.rows.iter().map(|_| step.slot)).collect();
            let picked = self.come.pick(&rows)?;
            let update = Update { slots: &slots, retract: None, keep: picked.keep.as_deref() };
            accumulator.update(update, &picked.args)?;
            let rows: Vec<u32> = steps().flat_map(|step| step.gone.clone().map(|row| row as u32)).collect();
            if !rows.is_empty() {
                let slots: Vec<u32> = steps().flat_map(|step| step.gone.clone().map(|_| step.slot)).collect();
                let (picked, retract) = (self.gone.pick(&rows)?, vec![true; rows.len()]);
                let update = Update { slots: &slots, retract: Some(&retract), keep: picked.keep.as_deref() };
                accumulator.update(update, &picked.args)?;
            }
            for (place, step) in round.iter().enumerate() {
                found[*step] = (results.len(), place);
            }
            let slots: Vec<u32> = steps().map(|step| step.slot).collect();
            results.push(accumulator.evaluate(&slots)?);
        }
        if results.is_empty() {
            return Ok(new_empty_array(result));
        }
        let results: Vec<&dyn Array> = results.iter().map(AsRef::as_ref).collect();
        Ok(interleave(&results, &found)?)
    }
}

/// The first step of each key, then the second, and so on.
fn rounds(steps: &[Step]) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut taken: HashMap<u32, usize, FixedState> = HashMap::default();
    for (index, step) in steps.iter().enumerate() {
        let round = taken.entry(step.slot).or_default();
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(index);
        *round += 1;
    }
    rounds
}
