//! GROUP BY without window: every key's result is kept up to date by a changelog.
//!
//! Per batch, each touched key is evaluated once before and once after; what is emitted is the net change. With batches
//! of one row that is exactly the row-by-row changelog. A key whose last row is taken back is deleted and its state
//! freed; a row taken back from a key that is not there is left out.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{interleave, take};
use arrow::datatypes::SchemaRef;

use super::aggregate::{AccumulatorSet, Update};
use super::{CHUNK_ROWS, Chunks, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::AggregateCall;
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64};

pub struct GroupAggregateSpec {
    pub group: Vec<usize>,
    pub calls: Vec<AggregateCall>,
    pub input: SchemaRef,
    pub output: SchemaRef,
    /// Rows may be taken back.
    pub retracts: bool,
    /// Milliseconds of not being touched after which a key is forgotten; 0 keeps it.
    pub ttl_ms: i64,
    /// Gives every key once, at the end.
    pub at_end: bool,
}

pub struct GroupAggregate {
    spec: GroupAggregateSpec,
    keys: KeyEncoder,
    table: KeyTable,
    values: AccumulatorSet,
    /// By slot.
    groups: Vec<Group>,
    now_ms: i64,
    batch: u64,
    touched: Touched,
}

#[derive(Clone, Copy, Default)]
struct Group {
    /// Rows in the group.
    rows: i64,
    used_ms: i64,
    /// The batch that touched it last.
    batch: u64,
}

/// Keys of the batch in the order of their first row. Kept between batches for its memory.
#[derive(Default)]
struct Touched {
    slots: Vec<u32>,
    /// The key had rows before the batch.
    existed: Vec<bool>,
}

impl GroupAggregate {
    pub fn new(spec: GroupAggregateSpec) -> Result<Self> {
        Ok(GroupAggregate {
            keys: KeyEncoder::new(&spec.input, &spec.group)?,
            values: AccumulatorSet::new(&spec.calls, &spec.input, spec.retracts)?,
            spec,
            table: KeyTable::default(),
            groups: Vec::new(),
            now_ms: 0,
            batch: 0,
            touched: Touched::default(),
        })
    }

    /// The slot of every row, and which rows count. Row counts of the groups are up to date afterwards.
    fn resolve(&mut self, batch: &ChangeBatch, slots: &mut Vec<u32>, keep: &mut Option<Vec<bool>>) -> Result<()> {
        let encoded = self.keys.encode(&batch.rows)?;
        self.batch += 1;
        self.touched.slots.clear();
        self.touched.existed.clear();
        for row in 0..batch.len() {
            let key = encoded.key(row);
            let (slot, new) = self.table.find_or_insert(0, hash_key(key), key);
            let at = slot as usize;
            if new {
                if self.groups.len() <= at {
                    self.groups.resize(at + 1, Group::default());
                }
                self.groups[at] = Group::default();
                self.values.grow(at + 1);
                self.values.clear(slot);
            }
            slots.push(slot);
            let adds = batch.kind(row).is_accumulate();
            if !adds && self.groups[at].rows == 0 {
                if new {
                    self.table.remove(slot);
                }
                keep.get_or_insert_with(|| vec![true; batch.len()])[row] = false;
                continue;
            }
            let group = &mut self.groups[at];
            if group.batch != self.batch {
                group.batch = self.batch;
                self.touched.slots.push(slot);
                self.touched.existed.push(group.rows > 0);
            }
            group.used_ms = self.now_ms;
            group.rows += if adds { 1 } else { -1 };
        }
        Ok(())
    }

    fn emit_changes(&self, before: &[ArrayRef], out: &mut dyn Output) -> Result<()> {
        let after = self.values.evaluate(&self.touched.slots)?;
        let same = unchanged(before, &after)?;
        // (which of before and after, key) of each row that is given.
        let mut picks: Vec<(usize, usize)> = Vec::new();
        let mut kinds: Vec<RowKind> = Vec::new();
        for (index, slot) in self.touched.slots.iter().enumerate() {
            let exists = self.groups[*slot as usize].rows > 0;
            match (self.touched.existed[index], exists) {
                (true, true) if same.as_ref().is_none_or(|same| same.value(index)) => {}
                (true, true) => {
                    picks.extend([(0, index), (1, index)]);
                    kinds.extend([RowKind::UpdateBefore, RowKind::UpdateAfter]);
                }
                (true, false) => {
                    picks.push((0, index));
                    kinds.push(RowKind::Delete);
                }
                (false, true) => {
                    picks.push((1, index));
                    kinds.push(RowKind::Insert);
                }
                (false, false) => {}
            }
        }
        if picks.is_empty() {
            return Ok(());
        }
        let rows = UInt32Array::from_iter_values(picks.iter().map(|(_, index)| *index as u32));
        let mut columns = Vec::new();
        for key in self.keys.decode(self.touched.slots.iter().map(|slot| self.table.key(*slot)))? {
            columns.push(take(&key, &rows, None)?);
        }
        for (before, after) in before.iter().zip(&after) {
            columns.push(interleave(&[before.as_ref(), after.as_ref()], &picks)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(picks.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?;
        out.emit(ChangeBatch::with_kinds(rows, kinds))
    }

    fn forget(&mut self, slot: u32) {
        self.values.clear(slot);
        self.groups[slot as usize] = Group::default();
        self.table.remove(slot);
    }
}

impl Operator for GroupAggregate {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let (mut slots, mut keep) = (Vec::with_capacity(batch.len()), None);
        self.resolve(&batch, &mut slots, &mut keep)?;
        let retract: Option<Vec<bool>> =
            batch.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| !kind.is_accumulate()).collect());
        let update = Update { slots: &slots, retract: retract.as_deref(), keep: keep.as_deref() };
        if self.spec.at_end {
            return self.values.update(update, &batch.rows);
        }
        // Accumulators of new keys are empty, so evaluating them is harmless.
        let before = self.values.evaluate(&self.touched.slots)?;
        self.values.update(update, &batch.rows)?;
        self.emit_changes(&before, out)?;
        let gone: Vec<u32> =
            self.touched.slots.iter().copied().filter(|slot| self.groups[*slot as usize].rows == 0).collect();
        gone.into_iter().for_each(|slot| self.forget(slot));
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        if self.spec.group.is_empty() && self.table.is_empty() {
            let (slot, _) = self.table.find_or_insert(0, hash_key(&[]), &[]);
            self.values.grow(slot as usize + 1);
            self.values.clear(slot);
            self.groups.resize(slot as usize + 1, Group::default());
            self.groups[slot as usize].rows = 1;
        }
        let slots: Vec<u32> = self.table.used().filter(|slot| self.groups[*slot as usize].rows > 0).collect();
        for slots in slots.chunks(CHUNK_ROWS) {
            let mut columns = self.keys.decode(slots.iter().map(|slot| self.table.key(*slot)))?;
            columns.extend(self.values.evaluate(slots)?);
            let options = RecordBatchOptions::new().with_row_count(Some(slots.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?;
            Chunks::emit(&rows, out)?;
        }
        Ok(())
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        if self.spec.ttl_ms <= 0 {
            return;
        }
        let old = |slot: &u32| now_ms.saturating_sub(self.groups[*slot as usize].used_ms) >= self.spec.ttl_ms;
        let gone: Vec<u32> = self.table.used().filter(old).collect();
        gone.into_iter().for_each(|slot| self.forget(slot));
    }

    /// Per key: key bytes, rows, last use, then the values of the calls in order.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let out = state.group(self.table.hash(slot));
            write_bytes(out, self.table.key(slot));
            write_i64(out, self.groups[slot as usize].rows);
            write_i64(out, self.groups[slot as usize].used_ms);
            self.values.write(slot, out);
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let key = reader.bytes()?;
                let (slot, _) = self.table.find_or_insert(0, hash_key(key), key);
                let at = slot as usize;
                if self.groups.len() <= at {
                    self.groups.resize(at + 1, Group::default());
                }
                self.groups[at] = Group { rows: reader.i64()?, used_ms: reader.i64()?, batch: 0 };
                self.values.grow(at + 1);
                self.values.read(slot, &mut reader)?;
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let bytes = self.table.bytes() + self.values.bytes() + (self.groups.len() * size_of::<Group>()) as u64;
        StateSize { rows: self.table.len() as u64, bytes }
    }
}

/// For each key, whether all results are as before; `None` when there are no results to compare.
fn unchanged(before: &[ArrayRef], after: &[ArrayRef]) -> Result<Option<BooleanArray>> {
    let mut same: Option<BooleanArray> = None;
    for (before, after) in before.iter().zip(after) {
        let column = not_distinct(before, after)?;
        same = Some(match same {
            Some(same) => arrow::compute::and(&same, &column)?,
            None => column,
        });
    }
    Ok(same)
}
