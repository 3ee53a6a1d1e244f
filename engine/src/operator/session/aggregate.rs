//! Aggregation per session: each gives its result once, when the watermark passes its last instant.
//!
//! All rows of a batch are added by one call per aggregate, to the sessions they were in when they came; sessions that
//! met in the meantime are merged afterwards, in the order in which they met.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::book::{Merge, Over, SessionBook};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::operator::aggregate::{AccumulatorSet, Update};
use crate::operator::window_aggregate::event_times;
use crate::operator::window_assign::timestamps;
use crate::operator::{CHUNK_ROWS, GroupColumn, Operator, Output};
use crate::plan::logical::AggregateCall;
use crate::state::{KeyEncoder, KeyedState, Reader, StateSize, write_bytes, write_i64, write_u32};

pub struct SessionAggregateSpec {
    /// Milliseconds.
    pub gap: i64,
    /// Set for `TIMESTAMP_LTZ`: bounds are local times of this zone.
    pub zone: Option<chrono_tz::Tz>,
    pub time_column: usize,
    /// Output columns that stand before the results.
    pub group: Vec<GroupColumn>,
    /// Input columns of the keys, as `GroupColumn::Key` numbers them.
    pub keys: Vec<usize>,
    pub calls: Vec<AggregateCall>,
    pub input: SchemaRef,
    pub output: SchemaRef,
    pub retracts: bool,
}

pub struct SessionAggregate {
    spec: SessionAggregateSpec,
    keys: KeyEncoder,
    book: SessionBook,
    values: AccumulatorSet,
    /// Rows per slot.
    rows: Vec<i64>,
}

impl SessionAggregate {
    pub fn new(spec: SessionAggregateSpec) -> Result<Self> {
        Ok(SessionAggregate {
            keys: KeyEncoder::new(&spec.input, &spec.keys)?,
            book: SessionBook::new(spec.gap, spec.zone),
            values: AccumulatorSet::new(&spec.calls, &spec.input, spec.retracts)?,
            spec,
            rows: Vec::new(),
        })
    }

    fn grow(&mut self, slot: u32) {
        let at = slot as usize;
        if self.rows.len() <= at {
            self.rows.resize(at + 1, 0);
            self.values.grow(at + 1);
        }
    }

    fn merge(&mut self, merges: &[Merge]) -> Result<()> {
        for merge in merges {
            self.values.merge(&[merge.into], &[merge.from])?;
            self.rows[merge.into as usize] += self.rows[merge.from as usize];
            self.free(merge.from);
        }
        Ok(())
    }

    /// Slots that are not in use hold nothing.
    fn free(&mut self, slot: u32) {
        self.values.clear(slot);
        self.rows[slot as usize] = 0;
        self.book.release(slot);
    }

    fn emit(&self, over: &[Over], out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.decode(over.iter().map(|over| self.book.key_bytes(over.key)))?;
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (position, column) in self.spec.group.iter().enumerate() {
            let ty = self.spec.output.field(position).data_type();
            let times = |of: &dyn Fn(&Over) -> i64| timestamps(over.iter().map(of).collect(), ty);
            columns.push(match column {
                GroupColumn::Key(key) => Arc::clone(&keys[*key]),
                GroupColumn::Start => times(&|over| over.session.start),
                GroupColumn::End => times(&|over| over.session.end),
                GroupColumn::Time => times(&|over| self.book.last_instant(over.session.end)),
            });
        }
        let slots: Vec<u32> = over.iter().map(|over| over.session.slot).collect();
        columns.extend(self.values.evaluate(&slots)?);
        let options = RecordBatchOptions::new().with_row_count(Some(slots.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?;
        out.emit(ChangeBatch::inserts(rows))
    }
}

impl Operator for SessionAggregate {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let encoded = self.keys.encode(&batch.rows)?;
        let times = event_times(&batch.rows, self.spec.time_column)?;
        let mut slots = Vec::with_capacity(batch.len());
        let (mut keep, mut merges): (Option<Vec<bool>>, Vec<Merge>) = Default::default();
        for row in 0..batch.len() {
            let placed = if times.is_valid(row) {
                self.book.place(encoded.key(row), times.value(row), &mut merges)
            } else {
                None
            };
            match placed {
                Some(slot) => {
                    self.grow(slot);
                    self.rows[slot as usize] += if batch.kind(row).is_accumulate() { 1 } else { -1 };
                }
                None => keep.get_or_insert_with(|| vec![true; batch.len()])[row] = false,
            }
            slots.push(placed.unwrap_or(0));
        }
        let retract: Option<Vec<bool>> =
            batch.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| !kind.is_accumulate()).collect());
        let update = Update { slots: &slots, retract: retract.as_deref(), keep: keep.as_deref() };
        self.values.update(update, &batch.rows)?;
        self.merge(&merges)
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        let over = self.book.advance(watermark);
        let given: Vec<Over> = over.iter().copied().filter(|over| self.rows[over.session.slot as usize] > 0).collect();
        for over in given.chunks(CHUNK_ROWS) {
            self.emit(over, out)?;
        }
        for over in over {
            self.free(over.session.slot);
            self.book.forget(over.key);
        }
        Ok(())
    }

    /// Per key group the watermark; per key: key bytes, number of sessions; of each: start, end, rows, the values of the
    /// calls in order.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for (hash, key, sessions) in self.book.keys() {
            let out = state.group(hash);
            if out.is_empty() {
                write_i64(out, self.book.watermark());
            }
            write_bytes(out, key);
            write_u32(out, sessions.len() as u32);
            for session in sessions {
                write_i64(out, session.start);
                write_i64(out, session.end);
                write_i64(out, self.rows[session.slot as usize]);
                self.values.write(session.slot, out);
            }
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.book.restore_watermark(reader.i64()?);
            while !reader.is_empty() {
                let key = reader.bytes()?;
                for _ in 0..reader.u32()? {
                    let (start, end) = (reader.i64()?, reader.i64()?);
                    let slot = self.book.restore(key, start, end);
                    self.grow(slot);
                    self.rows[slot as usize] = reader.i64()?;
                    self.values.read(slot, &mut reader)?;
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let rows = (self.rows.len() * 8) as u64;
        StateSize { rows: self.book.open(), bytes: self.book.bytes() + self.values.bytes() + rows }
    }

    fn late(&self) -> u64 {
        self.book.late()
    }
}
