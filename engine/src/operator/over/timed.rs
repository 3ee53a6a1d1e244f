//! Over a stream, in the order of event time: `SUM(v) OVER (PARTITION BY k ORDER BY ts)`.
//!
//! Rows wait for the watermark. Those that are ripe make steps, rows of a key that get the same result; accumulators and
//! functions of their own go from step to step.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use foldhash::fast::FixedState;

use super::running::Running;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::operator::aggregate::{AccumulatorSet, Step};
use crate::operator::stored_rows::RowCodec;
use crate::operator::window_aggregate::event_times;
use crate::operator::{Chunks, Operator, Output};
use crate::plan::logical::{AggregateCall, Frame, OverCall};
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64, write_u64};
use crate::time::NO_WATERMARK;

const PER_ROW: usize = 96;

pub struct OverAggregateSpec {
    pub partition: Vec<usize>,
    pub time_column: usize,
    pub frame: Frame,
    pub calls: Vec<OverCall>,
    pub input: SchemaRef,
    pub output: SchemaRef,
    /// Milliseconds of not being touched after which a key is forgotten; 0 keeps it.
    pub ttl_ms: i64,
}

/// Event time, arrival.
type Place = (i64, u64);

/// Who computes a call, and its number there.
#[derive(Clone, Copy)]
enum By {
    Accumulator(usize),
    Running(usize),
}

#[derive(Default)]
struct Key {
    /// Rows that a bounded frame still holds, with their times.
    held: VecDeque<(i64, Arc<[u8]>)>,
    waiting: u64,
    used_ms: i64,
}

pub struct OverAggregate {
    spec: OverAggregateSpec,
    keys: KeyEncoder,
    codec: RowCodec,
    table: KeyTable,
    /// In the order of the calls.
    by: Vec<By>,
    values: AccumulatorSet,
    running: Vec<Running>,
    /// By slot.
    by_key: Vec<Key>,
    waiting: BTreeMap<Place, (u32, Arc<[u8]>)>,
    arrivals: u64,
    rows: u64,
    bytes: u64,
    watermark: i64,
    now_ms: i64,
    late: u64,
}

impl OverAggregate {
    pub fn new(spec: OverAggregateSpec) -> Result<Self> {
        let retracts = matches!(spec.frame, Frame::Rows(_) | Frame::Range(_));
        let (mut by, mut calls, mut running): (Vec<By>, Vec<AggregateCall>, Vec<Running>) = Default::default();
        for call in &spec.calls {
            match (Running::new(call, &spec.input, retracts)?, call) {
                (Some(one), _) => {
                    by.push(By::Running(running.len()));
                    running.push(one);
                }
                (None, OverCall::Aggregate(call)) => {
                    by.push(By::Accumulator(calls.len()));
                    calls.push(call.clone());
                }
                (None, other) => {
                    return Err(EngineError::internal(format!("{other:?} over a stream")));
                }
            }
        }
        Ok(OverAggregate {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            codec: RowCodec::new(&spec.input)?,
            by,
            values: AccumulatorSet::apart(&calls, &spec.input, retracts)?,
            running,
            spec,
            table: KeyTable::default(),
            by_key: Vec::new(),
            waiting: BTreeMap::new(),
            arrivals: 0,
            rows: 0,
            bytes: 0,
            watermark: NO_WATERMARK,
            now_ms: 0,
            late: 0,
        })
    }

    fn slot(&mut self, key: &[u8]) -> u32 {
        let (slot, new) = self.table.find_or_insert(0, hash_key(key), key);
        if new {
            let at = slot as usize;
            self.by_key.resize_with(self.by_key.len().max(at + 1), Key::default);
            self.by_key[at] = Key::default();
            self.values.grow(at + 1);
            self.values.clear(slot);
            for running in &mut self.running {
                running.grow(at + 1);
                running.clear(slot);
            }
        }
        slot
    }

    fn wait(&mut self, slot: u32, place: Place, row: Arc<[u8]>) {
        self.rows += 1;
        self.bytes += row.len() as u64;
        self.by_key[slot as usize].waiting += 1;
        self.waiting.insert(place, (slot, row));
    }

    /// Works through the rows up to a time.
    fn ripen(&mut self, up_to: i64, out: &mut dyn Output) -> Result<()> {
        let mut rows: Vec<Arc<[u8]>> = Vec::new();
        let mut steps = self.steps(up_to, &mut rows);
        if rows.is_empty() {
            return Ok(());
        }
        let gone = self.leave(&mut steps, &rows);
        let (ripe, gone) = (self.batch(&rows)?, self.batch(&gone)?);
        let accumulated = self.accumulate(&steps, &ripe, &gone)?;
        let running = self.running.iter_mut().map(|running| running.run(&steps, &ripe, &gone));
        let running: Vec<ArrayRef> = running.collect::<Result<_>>()?;
        let mut columns = ripe.columns().to_vec();
        for by in &self.by {
            let column = match by {
                By::Accumulator(call) => accumulated.get(*call),
                By::Running(call) => running.get(*call),
            };
            columns.push(Arc::clone(column.ok_or_else(|| EngineError::internal("a call gave no result"))?));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Chunks::emit(&RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?, out)
    }

    fn batch(&self, rows: &[Arc<[u8]>]) -> Result<RecordBatch> {
        let columns = self.codec.decode(rows.iter().map(|row| &**row))?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.spec.input), columns, &options)?)
    }

    /// The rows up to a time, and their steps.
    fn steps(&mut self, up_to: i64, rows: &mut Vec<Arc<[u8]>>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        // The last step of each key: in a range, rows of one time share it.
        let mut last: HashMap<u32, usize, FixedState> = HashMap::default();
        let by_range = matches!(self.spec.frame, Frame::Range(_) | Frame::RangeUnbounded);
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= up_to) {
            let ((time, _), (slot, row)) = first.remove_entry();
            self.rows -= 1;
            self.bytes -= row.len() as u64;
            let key = &mut self.by_key[slot as usize];
            (key.waiting, key.used_ms) = (key.waiting - 1, self.now_ms);
            let number = rows.len() as u32;
            rows.push(row);
            match last.get(&slot).and_then(|step| steps.get_mut(*step)) {
                Some(step) if by_range && step.time == time => step.rows.push(number),
                _ => {
                    last.insert(slot, steps.len());
                    steps.push(Step { slot, time, rows: vec![number], gone: 0..0 });
                }
            }
        }
        steps
    }

    /// Holds the rows that come, where they leave the frame again, and gives those that do.
    fn leave(&mut self, steps: &mut [Step], rows: &[Arc<[u8]>]) -> Vec<Arc<[u8]>> {
        let mut gone: Vec<Arc<[u8]>> = Vec::new();
        if !matches!(self.spec.frame, Frame::Rows(_) | Frame::Range(_)) {
            return gone;
        }
        for step in steps {
            let held = &mut self.by_key[step.slot as usize].held;
            let first = gone.len();
            for row in &step.rows {
                let row = Arc::clone(&rows[*row as usize]);
                (self.rows, self.bytes) = (self.rows + 1, self.bytes + row.len() as u64);
                held.push_back((step.time, row));
            }
            let leaves = |held: &VecDeque<(i64, Arc<[u8]>)>| match self.spec.frame {
                Frame::Rows(before) => held.len() as u64 > before.saturating_add(1),
                Frame::Range(span) => held.front().is_some_and(|(time, _)| *time < step.time.saturating_sub(span)),
                _ => false,
            };
            while leaves(held) {
                let Some((_, row)) = held.pop_front() else { break };
                (self.rows, self.bytes) = (self.rows - 1, self.bytes - row.len() as u64);
                gone.push(row);
            }
            step.gone = first..gone.len();
        }
        gone
    }

    /// The results of the accumulators for every row.
    fn accumulate(&mut self, steps: &[Step], ripe: &RecordBatch, gone: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let mut step_of = vec![0_u32; ripe.num_rows()];
        for (index, step) in steps.iter().enumerate() {
            step.rows.iter().for_each(|row| step_of[*row as usize] = index as u32);
        }
        let step_of = UInt32Array::from(step_of);
        let results = self.values.walk(steps, ripe, gone)?;
        results.iter().map(|result| Ok(take(result, &step_of, None)?)).collect()
    }
}

impl Operator for OverAggregate {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let rows = self.codec.encode(&batch.rows)?;
        let times = event_times(&batch.rows, self.spec.time_column)?;
        for index in 0..batch.len() {
            let time = times.value(index);
            if time <= self.watermark {
                self.late += 1;
                continue;
            }
            let slot = self.slot(keys.key(index));
            let place = (time, self.arrivals);
            self.arrivals += 1;
            self.wait(slot, place, rows.row(index).data().into());
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        self.ripen(watermark, out)
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        if self.spec.ttl_ms <= 0 {
            return;
        }
        let old = |slot: &u32| {
            let key = &self.by_key[*slot as usize];
            key.waiting == 0 && now_ms.saturating_sub(key.used_ms) >= self.spec.ttl_ms
        };
        let gone: Vec<u32> = self.table.used().filter(old).collect();
        for slot in gone {
            let key = std::mem::take(&mut self.by_key[slot as usize]);
            self.rows -= key.held.len() as u64;
            self.bytes -= key.held.iter().map(|(_, row)| row.len() as u64).sum::<u64>();
            self.values.clear(slot);
            self.running.iter_mut().for_each(|running| running.clear(slot));
            self.table.remove(slot);
        }
    }

    /// Per key group the watermark; per key: key bytes, last use, the values of the accumulators and of the other calls,
    /// the rows its frame holds (number; time and bytes of each), and those that wait (number; time, nothing, arrival and
    /// bytes of each).
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        type Waiting<'a> = Vec<(&'a Place, &'a Arc<[u8]>)>;
        let mut waiting: HashMap<u32, Waiting<'_>, FixedState> = HashMap::default();
        for (place, (slot, row)) in &self.waiting {
            waiting.entry(*slot).or_default().push((place, row));
        }
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let key = &self.by_key[slot as usize];
            let out = state.group(self.table.hash(slot));
            if out.is_empty() {
                write_i64(out, self.watermark);
            }
            write_bytes(out, self.table.key(slot));
            write_i64(out, key.used_ms);
            self.values.write(slot, out);
            self.running.iter().for_each(|running| running.write(slot, out));
            write_u64(out, key.held.len() as u64);
            for (time, row) in &key.held {
                write_i64(out, *time);
                write_bytes(out, row);
            }
            let waits = waiting.get(&slot).map_or(&[][..], Vec::as_slice);
            write_u64(out, waits.len() as u64);
            for ((time, arrival), row) in waits {
                write_i64(out, *time);
                write_bytes(out, &[]);
                write_u64(out, *arrival);
                write_bytes(out, row);
            }
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                let slot = self.slot(reader.bytes()?);
                self.by_key[slot as usize].used_ms = reader.i64()?;
                self.values.read(slot, &mut reader)?;
                self.running.iter_mut().try_for_each(|running| running.read(slot, &mut reader))?;
                for _ in 0..reader.u64()? {
                    let time = reader.i64()?;
                    let row: Arc<[u8]> = reader.bytes()?.into();
                    (self.rows, self.bytes) = (self.rows + 1, self.bytes + row.len() as u64);
                    self.by_key[slot as usize].held.push_back((time, row));
                }
                for _ in 0..reader.u64()? {
                    let (time, _, arrival) = (reader.i64()?, reader.bytes()?, reader.u64()?);
                    self.arrivals = self.arrivals.max(arrival + 1);
                    self.wait(slot, (time, arrival), reader.bytes()?.into());
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let keys = (self.by_key.len() * size_of::<Key>()) as u64;
        let calls = self.values.bytes() + self.running.iter().map(Running::bytes).sum::<u64>();
        let bytes = self.table.bytes() + calls + self.bytes + self.rows * PER_ROW as u64 + keys;
        StateSize { rows: self.rows + self.table.len() as u64, bytes }
    }

    fn late(&self) -> u64 {
        self.late
    }
}
