//! Functions that go on from row to row of a key and are no accumulators: their values for all keys, by slot.
//!
//! Rows leave a frame in the order in which they came, so that a queue of values is all that FIRST_VALUE needs.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, SortField};

use crate::error::{EngineError, Result};
use crate::operator::aggregate::Step;
use crate::plan::logical::{AggregateFunction, OverCall};
use crate::state::{Reader, SlotColumn, write_bytes, write_i64, write_u32};

/// Bookkeeping per value beside its bytes.
const PER_VALUE: usize = 32;

pub(super) struct Running {
    kind: Kind,
    /// By slot.
    states: SlotColumn<State>,
    heap: usize,
}

enum Kind {
    Rank { dense: bool },
    Value(Value),
}

/// One of the values of the rows before.
struct Value {
    arg: usize,
    filter: Option<usize>,
    converter: RowConverter,
    null: Box<[u8]>,
    pick: Pick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pick {
    /// The value so many rows before the last one, NULLs included; else what the row itself says.
    Lag {
        back: usize,
        default: Option<usize>,
    },
    /// The first that is not NULL. Only that is kept, where rows never leave the frame.
    First {
        leave: bool,
    },
    Last {
        leave: bool,
    },
}

#[derive(Default)]
struct State {
    /// Rows so far, rank of the last one, ranks so far, and its time.
    rows: i64,
    rank: i64,
    dense: i64,
    time: i64,
    values: VecDeque<Box<[u8]>>,
}

impl Running {
    /// `None` for a call that an accumulator computes. `leave`: rows leave the frame.
    pub(super) fn new(call: &OverCall, input: &SchemaRef, leave: bool) -> Result<Option<Self>> {
        let (arg, filter, pick) = match call {
            OverCall::Rank | OverCall::DenseRank => {
                let kind = Kind::Rank { dense: *call == OverCall::DenseRank };
                return Ok(Some(Running { kind, states: SlotColumn::default(), heap: 0 }));
            }
            OverCall::Shift { value, default, back, .. } => {
                let back = usize::try_from(*back).map_err(|_| EngineError::internal("LEAD over a stream"))?;
                (*value, None, Pick::Lag { back, default: *default })
            }
            OverCall::Aggregate(call) if !call.distinct => match (call.function, call.args.as_slice()) {
                (AggregateFunction::FirstValue, [arg]) => (*arg, call.filter, Pick::First { leave }),
                (AggregateFunction::LastValue, [arg]) => (*arg, call.filter, Pick::Last { leave }),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let ty: DataType = input.field(arg).data_type().clone();
        let converter = RowConverter::new(vec![SortField::new(ty.clone())])?;
        let null = converter.convert_columns(&[new_null_array(&ty, 1)])?.row(0).data().into();
        let kind = Kind::Value(Value { arg, filter, converter, null, pick });
        Ok(Some(Running { kind, states: SlotColumn::default(), heap: 0 }))
    }

    pub(super) fn grow(&mut self, capacity: usize) {
        self.states.grow(capacity);
    }

    pub(super) fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.states[slot as usize]);
        self.heap -= gone.values.iter().map(|value| value.len() + PER_VALUE).sum::<usize>();
    }

    /// Takes the steps in; the result of every row of `ripe`. Rows of `gone` leave with the step that names them.
    pub(super) fn run(&mut self, steps: &[Step], ripe: &RecordBatch, gone: &RecordBatch) -> Result<ArrayRef> {
        match &self.kind {
            Kind::Rank { dense } => Ok(ranks(&mut self.states, *dense, steps, ripe.num_rows())),
            Kind::Value(value) => value.run(&mut self.states, &mut self.heap, steps, ripe, gone),
        }
    }

    pub(super) fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let state = &self.states[slot as usize];
        for number in [state.rows, state.rank, state.dense, state.time] {
            write_i64(out, number);
        }
        write_u32(out, state.values.len() as u32);
        state.values.iter().for_each(|value| write_bytes(out, value));
    }

    pub(super) fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let mut state =
            State { rows: from.i64()?, rank: from.i64()?, dense: from.i64()?, time: from.i64()?, ..State::default() };
        for _ in 0..from.u32()? {
            let value: Box<[u8]> = from.bytes()?.into();
            self.heap += value.len() + PER_VALUE;
            state.values.push_back(value);
        }
        self.states[slot as usize] = state;
        Ok(())
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.states.len() * size_of::<State>() + self.heap) as u64
    }
}

/// By event time, where rows of one time are equal.
fn ranks(states: &mut SlotColumn<State>, dense: bool, steps: &[Step], rows: usize) -> ArrayRef {
    let mut given = vec![0; rows];
    for step in steps {
        let state = &mut states[step.slot as usize];
        for row in &step.rows {
            state.rows += 1;
            if state.rows == 1 || state.time != step.time {
                (state.rank, state.dense, state.time) = (state.rows, state.dense + 1, step.time);
            }
            given[*row as usize] = if dense { state.dense } else { state.rank };
        }
    }
    Arc::new(Int64Array::from(given))
}

impl Value {
    fn run(
        &self,
        states: &mut SlotColumn<State>,
        heap: &mut usize,
        steps: &[Step],
        ripe: &RecordBatch,
        gone: &RecordBatch,
    ) -> Result<ArrayRef> {
        let values = self.converter.convert_columns(std::slice::from_ref(ripe.column(self.arg)))?;
        let default = match self.pick {
            Pick::Lag { default: Some(default), .. } => {
                Some(self.converter.convert_columns(std::slice::from_ref(ripe.column(default)))?)
            }
            _ => None,
        };
        let counts = self.counts(ripe)?;
        // LAG has no frame: nothing leaves it.
        let left = if matches!(self.pick, Pick::Lag { .. }) { Vec::new() } else { self.counts(gone)? };
        let mut given: Vec<Box<[u8]>> = vec![Box::default(); ripe.num_rows()];
        for step in steps {
            let state = &mut states[step.slot as usize];
            for row in step.rows.iter().filter(|row| counts[**row as usize]) {
                self.add(&mut state.values, heap, values.row(*row as usize).data());
            }
            let leaving = step.gone.clone().filter(|row| left.get(*row).copied().unwrap_or(false)).count();
            for value in state.values.drain(..leaving.min(state.values.len())) {
                *heap -= value.len() + PER_VALUE;
            }
            let found = self.found(&state.values);
            for row in &step.rows {
                let value = match (found, &default) {
                    (Some(found), _) => found,
                    (None, Some(default)) => default.row(*row as usize).data(),
                    (None, None) => &self.null,
                };
                given[*row as usize] = value.into();
            }
        }
        let parser = self.converter.parser();
        let mut columns = self.converter.convert_rows(given.iter().map(|value| parser.parse(value)))?;
        columns.pop().ok_or_else(|| EngineError::internal("no column was decoded"))
    }

    /// Which rows are looked at.
    fn counts(&self, rows: &RecordBatch) -> Result<Vec<bool>> {
        if matches!(self.pick, Pick::Lag { .. }) {
            return Ok(vec![true; rows.num_rows()]);
        }
        let filter = self.filter.map(|column| rows.column(column).as_boolean_opt());
        if matches!(filter, Some(None)) {
            return Err(EngineError::internal("an aggregate filter is no BOOLEAN"));
        }
        let (filter, nulls) = (filter.flatten(), rows.column(self.arg).logical_nulls());
        let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let there = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        Ok((0..rows.num_rows()).map(|row| passes(row) && there(row)).collect())
    }

    fn add(&self, values: &mut VecDeque<Box<[u8]>>, heap: &mut usize, value: &[u8]) {
        if matches!(self.pick, Pick::First { leave: false }) && !values.is_empty() {
            return;
        }
        *heap += value.len() + PER_VALUE;
        values.push_back(value.into());
        let most = match self.pick {
            Pick::Lag { back, .. } => back.saturating_add(1),
            Pick::Last { leave: false } => 1,
            _ => usize::MAX,
        };
        if values.len() > most
            && let Some(gone) = values.pop_front()
        {
            *heap -= gone.len() + PER_VALUE;
        }
    }

    fn found<'v>(&self, values: &'v VecDeque<Box<[u8]>>) -> Option<&'v [u8]> {
        let found = match self.pick {
            Pick::Lag { back, .. } => values.len().checked_sub(back + 1).and_then(|at| values.get(at)),
            Pick::First { .. } => values.front(),
            Pick::Last { .. } => values.back(),
        };
        found.map(|value| &**value)
    }
}
