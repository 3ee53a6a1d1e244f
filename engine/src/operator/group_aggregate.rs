//! GROUP BY without window: every key's result is kept up to date by a changelog.
//!
//! Per batch, each touched key is evaluated once before and once after; what is emitted is the net change. With batches
//! of one row that is exactly the row-by-row changelog. A key whose last row is taken back is deleted and its state
//! freed; a row taken back from a key that is not there is left out. State may be larger than memory ([`Keyed`]).

mod clean;

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, SchemaRef};

use super::aggregate::{AccumulatorSet, Update};
use super::{CHUNK_ROWS, Chunks, GroupCleaner, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::AggregateCall;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_i64,
};

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
    state: Keyed<Groups>,
    now_ms: i64,
    batch: u64,
    touched: Touched,
    clean: Option<GroupCleaner>,
}

#[derive(Clone, Copy, Default)]
struct Group {
    /// Rows in the group.
    rows: i64,
    used_ms: i64,
    /// The batch that touched it last.
    batch: u64,
}

/// By slot.
struct Groups {
    groups: SlotColumn<Group>,
    values: AccumulatorSet,
}

impl Groups {
    fn exists(&self, slot: u32) -> bool {
        self.groups[slot as usize].rows > 0
    }
}

impl SlotValues for Groups {
    fn grow(&mut self, capacity: usize) {
        self.groups.grow(capacity);
        self.values.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.groups[slot as usize] = Group::default();
        self.values.clear(slot);
    }

    /// Rows, last use, then the values of the calls in order.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        write_i64(out, self.groups[slot as usize].rows);
        write_i64(out, self.groups[slot as usize].used_ms);
        self.values.write(slot, out);
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.groups[slot as usize] = Group { rows: from.i64()?, used_ms: from.i64()?, batch: 0 };
        self.values.read(slot, from)
    }

    fn used_ms(&self, slot: u32) -> i64 {
        self.groups[slot as usize].used_ms
    }

    fn bytes(&self) -> u64 {
        self.values.bytes() + (self.groups.len() * size_of::<Group>()) as u64
    }
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
            state: Keyed::new(Groups {
                groups: SlotColumn::default(),
                values: AccumulatorSet::new(&spec.calls, &spec.input, spec.retracts)?,
            }),
            spec,
            now_ms: 0,
            batch: 0,
            touched: Touched::default(),
            clean: None,
        })
    }

    #[must_use]
    pub fn with_clean(self, clean: Option<GroupCleaner>) -> Self {
        GroupAggregate { clean, ..self }
    }

    /// The slot of every row, and which rows count. Row counts of the groups are up to date afterwards.
    fn resolve(&mut self, batch: &ChangeBatch, slots: &mut Vec<u32>, keep: &mut Option<Vec<bool>>) -> Result<()> {
        let encoded = self.keys.encode(&batch.rows)?;
        self.batch += 1;
        self.touched.slots.clear();
        self.touched.existed.clear();
        for row in 0..batch.len() {
            let key = encoded.key(row);
            let (slot, new) = self.state.slot(key)?;
            slots.push(slot);
            let adds = batch.kind(row).is_accumulate();
            if !adds && !self.state.values.exists(slot) {
                if new {
                    self.state.remove(slot);
                }
                keep.get_or_insert_with(|| vec![true; batch.len()])[row] = false;
                continue;
            }
            self.state.touch(slot);
            let group = &mut self.state.values.groups[slot as usize];
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
        let after = self.state.values.values.evaluate(&self.touched.slots)?;
        let same = unchanged(before, &after)?;
        // (which of before and after, key) of each row that is given.
        let mut picks: Vec<(usize, usize)> = Vec::new();
        let mut kinds: Vec<RowKind> = Vec::new();
        for (index, slot) in self.touched.slots.iter().enumerate() {
            let exists = self.state.values.exists(*slot);
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
        for key in self.keys.decode(self.touched.slots.iter().map(|slot| self.state.key(*slot)))? {
            columns.push(take(&key, &rows, None)?);
        }
        for (before, after) in before.iter().zip(&after) {
            columns.push(interleave(&[before.as_ref(), after.as_ref()], &picks)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(picks.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?;
        out.emit(ChangeBatch::with_kinds(rows, kinds))
    }

    /// Gives the slot of every row.
    fn apply(&mut self, batch: &ChangeBatch, out: &mut dyn Output) -> Result<Vec<u32>> {
        let (mut slots, mut keep) = (Vec::with_capacity(batch.len()), None);
        self.resolve(batch, &mut slots, &mut keep)?;
        let retract: Option<Vec<bool>> =
            batch.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| !kind.is_accumulate()).collect());
        let update = Update { slots: &slots, retract: retract.as_deref(), keep: keep.as_deref() };
        if self.spec.at_end {
            self.state.values.values.update(update, &batch.rows)?;
            return Ok(slots);
        }
        // Accumulators of new keys are empty, so evaluating them is harmless.
        let before = self.state.values.values.evaluate(&self.touched.slots)?;
        self.state.values.values.update(update, &batch.rows)?;
        self.emit_changes(&before, out)?;
        for slot in &self.touched.slots {
            if !self.state.values.exists(*slot) {
                self.state.remove(*slot);
            }
        }
        Ok(slots)
    }
}

impl Operator for GroupAggregate {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        match &self.clean {
            Some(_) => self.apply_and_clean(batch, out)?,
            None => self.apply(&batch, out).map(|_| ())?,
        }
        self.state.settle()
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        if self.spec.group.is_empty() && self.state.size().rows == 0 {
            let (slot, _) = self.state.slot(&[])?;
            self.state.values.groups[slot as usize].rows = 1;
        }
        let (keys, output) = (&self.keys, &self.spec.output);
        self.state.each_chunk(CHUNK_ROWS, |state, slots| {
            let mut columns = keys.decode(slots.iter().map(|slot| state.key(*slot)))?;
            columns.extend(state.values.values.evaluate(slots)?);
            let options = RecordBatchOptions::new().with_row_count(Some(slots.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(output), columns, &options)?;
            Chunks::emit(&rows, out)
        })
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        let ttl_ms = self.spec.ttl_ms;
        self.state.expire(now_ms, ttl_ms, |groups, slot| now_ms.saturating_sub(groups.used_ms(slot)) >= ttl_ms);
    }

    fn sweep(&mut self) -> Result<()> {
        self.forget_changed()
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key: key bytes, rows, last use, then the values of the calls in order.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        self.state.snapshot(&[], &mut state)?;
        Ok(Some(state))
    }

    fn segments(&self) -> Vec<Vec<LogPart>> {
        vec![self.state.parts()]
    }

    fn adopt(&mut self, tables: Vec<Vec<LogPart>>) -> Result<()> {
        tables.into_iter().next().map_or(Ok(()), |parts| self.state.adopt(parts))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                self.state.restore(&mut reader)?;
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        self.state.size()
    }
}

/// For each key, whether all results are as before; `None` when there are no results to compare.
fn unchanged(before: &[ArrayRef], after: &[ArrayRef]) -> Result<Option<BooleanArray>> {
    let mut same: Option<BooleanArray> = None;
    for (before, after) in before.iter().zip(after) {
        let column = match before.data_type() {
            DataType::List(_) | DataType::Map(..) | DataType::Struct(_) => same_nested(before, after),
            _ => not_distinct(before, after)?,
        };
        same = Some(match same {
            Some(same) => arrow::compute::and(&same, &column)?,
            None => column,
        });
    }
    Ok(same)
}

/// Kernels compare flat values only.
fn same_nested(before: &ArrayRef, after: &ArrayRef) -> BooleanArray {
    (0..before.len()).map(|row| Some(before.slice(row, 1).to_data() == after.slice(row, 1).to_data())).collect()
}
