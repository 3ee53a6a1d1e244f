//! Aggregation per session: each gives its result once, when the watermark passes its last instant.
//!
//! All rows of a batch are added by one call per aggregate, to the sessions they were in when they came; sessions that
//! met in the meantime are merged afterwards, in the order in which they met.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::book::{Contents, Merge, Over, SessionBook};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::operator::aggregate::{AccumulatorSet, Update};
use crate::operator::window_aggregate::event_times;
use crate::operator::window_assign::timestamps;
use crate::operator::{CHUNK_ROWS, GroupColumn, Operator, Output};
use crate::plan::logical::AggregateCall;
use crate::state::{KeyEncoder, KeyedState, LogPart, Reader, SlotColumn, StatePlace, StateSize, write_i64};

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

/// By slot of the session.
struct Totals {
    values: AccumulatorSet,
    /// Rows that were added.
    rows: SlotColumn<i64>,
}

impl Contents for Totals {
    fn grow(&mut self, capacity: usize) {
        self.rows.grow(capacity);
        self.values.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.values.clear(slot);
        self.rows[slot as usize] = 0;
    }

    /// Rows, then the values of the calls in order.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        write_i64(out, self.rows[slot as usize]);
        self.values.write(slot, out);
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.rows[slot as usize] = from.i64()?;
        self.values.read(slot, from)
    }

    fn bytes(&self) -> u64 {
        self.values.bytes() + (self.rows.len() * size_of::<i64>()) as u64
    }
}

pub struct SessionAggregate {
    spec: SessionAggregateSpec,
    keys: KeyEncoder,
    book: SessionBook<Totals>,
}

impl SessionAggregate {
    pub fn new(spec: SessionAggregateSpec) -> Result<Self> {
        Ok(SessionAggregate {
            keys: KeyEncoder::new(&spec.input, &spec.keys)?,
            book: SessionBook::new(
                spec.gap,
                spec.zone,
                Totals {
                    values: AccumulatorSet::new(&spec.calls, &spec.input, spec.retracts)?,
                    rows: SlotColumn::default(),
                },
            ),
            spec,
        })
    }

    fn merge(&mut self, merges: &[Merge]) -> Result<()> {
        for merge in merges {
            let totals = self.book.contents_mut();
            totals.values.merge(&[merge.into], &[merge.from])?;
            totals.rows[merge.into as usize] += totals.rows[merge.from as usize];
            self.book.release(merge.from);
        }
        Ok(())
    }

    /// Gives the sessions in memory that are over.
    fn give(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        let over = self.book.advance(watermark);
        let rows = &self.book.contents().rows;
        let given: Vec<Over> = over.iter().copied().filter(|over| rows[over.session.slot as usize] > 0).collect();
        for over in given.chunks(CHUNK_ROWS) {
            self.emit(over, out)?;
        }
        for over in over {
            self.book.release(over.session.slot);
            self.book.forget(over.key);
        }
        Ok(())
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
        columns.extend(self.book.contents().values.evaluate(&slots)?);
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
                self.book.place(encoded.key(row), times.value(row), &mut merges)?
            } else {
                None
            };
            match placed {
                Some(slot) => {
                    let change = if batch.kind(row).is_accumulate() { 1 } else { -1 };
                    self.book.contents_mut().rows[slot as usize] += change;
                }
                None => keep.get_or_insert_with(|| vec![true; batch.len()])[row] = false,
            }
            slots.push(placed.unwrap_or(0));
        }
        let retract: Option<Vec<bool>> =
            batch.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| !kind.is_accumulate()).collect());
        let update = Update { slots: &slots, retract: retract.as_deref(), keep: keep.as_deref() };
        self.book.contents_mut().values.update(update, &batch.rows)?;
        self.merge(&merges)?;
        self.book.settle()
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.give(watermark, out)?;
        let mut waking = self.book.waking()?;
        while self.book.wake(&mut waking, CHUNK_ROWS)? {
            self.give(watermark, out)?;
        }
        self.book.settle()
    }

    fn attach(&mut self, place: StatePlace) {
        self.book.attach(place);
    }

    /// Per key group the watermark; per key: key bytes, number of sessions; of each: start, end, rows, the values of the
    /// calls in order.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        self.book.snapshot().map(Some)
    }

    fn segments(&self) -> Vec<Vec<LogPart>> {
        vec![self.book.parts()]
    }

    fn adopt(&mut self, tables: Vec<Vec<LogPart>>) -> Result<()> {
        tables.into_iter().next().map_or(Ok(()), |parts| self.book.adopt(parts))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        self.book.restore(&state)
    }

    fn size(&self) -> StateSize {
        self.book.size()
    }

    fn late(&self) -> u64 {
        self.book.late()
    }
}
