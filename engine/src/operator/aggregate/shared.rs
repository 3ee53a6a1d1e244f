//! Calls with DISTINCT over the same columns, as `COUNT(DISTINCT a)` and `COUNT(DISTINCT a) FILTER (WHERE b)`: one set of
//! values for all of them, looked into once per row.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;

use super::seen::{Seen, Turn};
use super::{Accumulator, Update, any_null};
use crate::error::Result;
use crate::plan::logical::Nulls;
use crate::state::Reader;

/// Different filters that one set counts for.
pub(super) const LANES: usize = 4;

pub(super) struct Shared {
    args: Vec<usize>,
    nulls: Nulls,
    seen: Seen<LANES>,
    /// The filter of each lane that is used.
    filters: Vec<Option<usize>>,
    members: Vec<Member>,
}

struct Member {
    lane: usize,
    inner: Box<dyn Accumulator>,
}

/// What the rows of a batch are in one lane.
struct Lane {
    passes: Option<Vec<bool>>,
    keep: Vec<bool>,
    retract: Vec<bool>,
}

impl Lane {
    fn new(rows: usize, passes: Option<Vec<bool>>) -> Self {
        Lane { passes, keep: vec![false; rows], retract: vec![false; rows] }
    }

    fn note(&mut self, row: usize, turn: Turn) {
        self.keep[row] = turn != Turn::Stays;
        self.retract[row] = turn == Turn::Goes;
    }
}

impl Shared {
    pub(super) fn new(args: Vec<usize>, types: &[DataType], nulls: Nulls) -> Result<Self> {
        Ok(Shared { args, nulls, seen: Seen::new(types, nulls)?, filters: Vec::new(), members: Vec::new() })
    }

    /// Whether a call over these columns, with this filter, can be one of the members.
    pub(super) fn takes(&self, args: &[usize], nulls: Nulls, filter: Option<usize>) -> bool {
        let room = self.filters.len() < LANES || self.filters.contains(&filter);
        self.args == args && self.nulls == nulls && room
    }

    /// The number of the new member.
    pub(super) fn add(&mut self, filter: Option<usize>, inner: Box<dyn Accumulator>) -> usize {
        let known = self.filters.iter().position(|known| *known == filter);
        let lane = known.unwrap_or_else(|| {
            self.filters.push(filter);
            self.filters.len() - 1
        });
        self.members.push(Member { lane, inner });
        self.members.len() - 1
    }

    pub(super) fn grow(&mut self, capacity: usize) {
        self.seen.grow(capacity);
        self.members.iter_mut().for_each(|member| member.inner.grow(capacity));
    }

    pub(super) fn clear(&mut self, slot: u32) {
        self.seen.clear(slot);
        self.members.iter_mut().for_each(|member| member.inner.clear(slot));
    }

    pub(super) fn update(&mut self, update: Update<'_>, batch: &RecordBatch) -> Result<()> {
        let args: Vec<ArrayRef> = self.args.iter().map(|arg| batch.column(*arg).clone()).collect();
        let coming = self.seen.coming(&args)?;
        let rows = update.slots.len();
        let passes = |filter: &Option<usize>| filter.map(|filter| super::set::passes(batch, filter)).transpose();
        let mut lanes =
            self.filters.iter().map(|filter| Ok(Lane::new(rows, passes(filter)?))).collect::<Result<Vec<_>>>()?;
        let nulls = if self.nulls == Nulls::LeftOut { any_null(&args) } else { None };
        update.each(nulls.as_ref(), |row, slot, taken_back| {
            let mut changes = [0; LANES];
            for (change, lane) in changes.iter_mut().zip(&lanes) {
                let passes = lane.passes.as_ref().is_none_or(|passes| passes[row]);
                *change = if !passes {
                    0
                } else if taken_back {
                    -1
                } else {
                    1
                };
            }
            let turns = self.seen.change(slot, &coming, row, changes);
            lanes.iter_mut().zip(turns).for_each(|(lane, turn)| lane.note(row, turn));
        });
        for member in &mut self.members {
            let lane = &lanes[member.lane];
            let of_lane = Update { slots: update.slots, retract: Some(&lane.retract), keep: Some(&lane.keep) };
            member.inner.update(of_lane, &args)?;
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            for lane in 0..self.filters.len() {
                let (args, counts) = self.seen.held(*from, lane)?;
                let coming = self.seen.coming(&args)?;
                let mut changed = Lane::new(counts.len(), None);
                for (row, count) in counts.into_iter().enumerate() {
                    let mut changes = [0; LANES];
                    changes[lane] = count;
                    changed.note(row, self.seen.change(*into as usize, &coming, row, changes)[lane]);
                }
                let slots = vec![*into; changed.keep.len()];
                for member in self.members.iter_mut().filter(|member| member.lane == lane) {
                    let update = Update { slots: &slots, retract: Some(&changed.retract), keep: Some(&changed.keep) };
                    member.inner.update(update, &args)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn evaluate(&self, member: usize, slots: &[u32]) -> Result<ArrayRef> {
        self.members[member].inner.evaluate(slots)
    }

    /// As if the call had a set of its own.
    pub(super) fn write(&self, member: usize, slot: u32, out: &mut Vec<u8>) {
        let member = &self.members[member];
        self.seen.write(slot, member.lane, out);
        member.inner.write(slot, out);
    }

    pub(super) fn read(&mut self, member: usize, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let member = &mut self.members[member];
        self.seen.read(slot, member.lane, from)?;
        member.inner.read(slot, from)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.seen.bytes() + self.members.iter().map(|member| member.inner.bytes()).sum::<u64>()
    }
}
