//! Aggregates over the rows before each row: `SUM(v) OVER (PARTITION BY k ORDER BY ts)`.
//!
//! Over a stream rows wait for the watermark and are worked through in the order of event time; over bounded input all
//! of them wait for the end, in any order that is asked for. Rows of one round, at most one step of each key, are added
//! at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{interleave, take_record_batch};
use arrow::datatypes::SchemaRef;

use super::aggregate::{AccumulatorSet, Update};
use super::stored_rows::{RowCodec, SortCodec};
use super::window_aggregate::event_times;
use super::{Chunks, Operator, Output};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::plan::logical::{AggregateCall, Frame, SortKey};
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64, write_u64};
use crate::time::{END_OF_TIME, NO_WATERMARK};

const PER_ROW: usize = 96;

pub struct OverAggregateSpec {
    pub partition: Vec<usize>,
    pub sort: Vec<SortKey>,
    /// The event time, where rows wait for the watermark.
    pub time_column: Option<usize>,
    pub frame: Frame,
    pub calls: Vec<AggregateCall>,
    pub input: SchemaRef,
    pub output: SchemaRef,
    /// Milliseconds of not being touched after which a key is forgotten; 0 keeps it.
    pub ttl_ms: i64,
}

/// Event time, sort key, arrival.
type Place = (i64, Box<[u8]>, u64);

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
    sort: SortCodec,
    codec: RowCodec,
    table: KeyTable,
    values: AccumulatorSet,
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

/// Rows of one key that get the same result.
struct Step {
    slot: u32,
    time: i64,
    /// Numbers of the rows among those that are ripe.
    rows: Vec<u32>,
}

impl OverAggregate {
    pub fn new(spec: OverAggregateSpec) -> Result<Self> {
        let retracts = matches!(spec.frame, Frame::Rows(_) | Frame::Range(_));
        Ok(OverAggregate {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            sort: SortCodec::new(&spec.sort, &spec.input)?,
            codec: RowCodec::new(&spec.input)?,
            values: AccumulatorSet::new(&spec.calls, &spec.input, retracts)?,
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
        }
        slot
    }

    fn wait(&mut self, slot: u32, place: Place, row: Arc<[u8]>) {
        self.rows += 1;
        self.bytes += (place.1.len() + row.len()) as u64;
        self.by_key[slot as usize].waiting += 1;
        self.waiting.insert(place, (slot, row));
    }

    /// Works through the rows up to a time.
    fn ripen(&mut self, up_to: i64, out: &mut dyn Output) -> Result<()> {
        let (mut rows, mut steps): (Vec<Arc<[u8]>>, Vec<Step>) = Default::default();
        // The last step of each key, with its sort key: rows of a range that are equal there share it.
        let mut last: HashMap<u32, (usize, i64, Box<[u8]>)> = HashMap::new();
        let by_range = matches!(self.spec.frame, Frame::Range(_) | Frame::RangeUnbounded);
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= up_to) {
            let ((time, sort, _), (slot, row)) = first.remove_entry();
            self.rows -= 1;
            self.bytes -= (sort.len() + row.len()) as u64;
            let key = &mut self.by_key[slot as usize];
            (key.waiting, key.used_ms) = (key.waiting - 1, self.now_ms);
            let number = rows.len() as u32;
            rows.push(row);
            match last.get(&slot) {
                Some((step, same_time, same)) if by_range && *same_time == time && *same == sort => {
                    steps[*step].rows.push(number);
                }
                _ => {
                    last.insert(slot, (steps.len(), time, sort));
                    steps.push(Step { slot, time, rows: vec![number] });
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let columns = self.codec.decode(rows.iter().map(|row| &**row))?;
        let ripe = RecordBatch::try_new(Arc::clone(&self.spec.input), columns)?;
        // Where the results of each row are: round, and place in it.
        let mut found = vec![(0_usize, 0_usize); rows.len()];
        let mut results: Vec<Vec<ArrayRef>> = Vec::new();
        for round in rounds(&steps) {
            self.add(&round, &rows, &ripe)?;
            let slots: Vec<u32> = round.iter().map(|step| step.slot).collect();
            for (place, step) in round.iter().enumerate() {
                step.rows.iter().for_each(|row| found[*row as usize] = (results.len(), place));
            }
            results.push(self.values.evaluate(&slots)?);
        }
        let mut columns = ripe.columns().to_vec();
        for call in 0..self.spec.calls.len() {
            let arrays: Vec<&dyn arrow::array::Array> = results.iter().map(|round| round[call].as_ref()).collect();
            columns.push(interleave(&arrays, &found)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Chunks::emit(&RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?, out)
    }

    /// One step of each of some keys: the rows of the step come in, those that leave the frame go.
    fn add(&mut self, round: &[&Step], rows: &[Arc<[u8]>], ripe: &RecordBatch) -> Result<()> {
        let (mut slots, mut numbers): (Vec<u32>, Vec<u32>) = Default::default();
        let (mut gone_slots, mut gone): (Vec<u32>, Vec<Arc<[u8]>>) = Default::default();
        for step in round {
            for row in &step.rows {
                slots.push(step.slot);
                numbers.push(*row);
            }
            let held = &mut self.by_key[step.slot as usize].held;
            let leaves = |held: &VecDeque<(i64, Arc<[u8]>)>| match self.spec.frame {
                Frame::Rows(before) => held.len() as u64 > before.saturating_add(1),
                Frame::Range(span) => held.front().is_some_and(|(time, _)| *time < step.time.saturating_sub(span)),
                Frame::RowsUnbounded | Frame::RangeUnbounded => false,
            };
            if matches!(self.spec.frame, Frame::Rows(_) | Frame::Range(_)) {
                for row in &step.rows {
                    let row = Arc::clone(&rows[*row as usize]);
                    (self.rows, self.bytes) = (self.rows + 1, self.bytes + row.len() as u64);
                    held.push_back((step.time, row));
                }
                while leaves(held) {
                    let Some((_, row)) = held.pop_front() else { break };
                    (self.rows, self.bytes) = (self.rows - 1, self.bytes - row.len() as u64);
                    gone_slots.push(step.slot);
                    gone.push(row);
                }
            }
        }
        let coming = take_record_batch(ripe, &UInt32Array::from(numbers))?;
        self.values.update(Update { slots: &slots, retract: None, keep: None }, &coming)?;
        if !gone.is_empty() {
            let columns = self.codec.decode(gone.iter().map(|row| &**row))?;
            let going = RecordBatch::try_new(Arc::clone(&self.spec.input), columns)?;
            let retract = vec![true; gone.len()];
            self.values.update(Update { slots: &gone_slots, retract: Some(&retract), keep: None }, &going)?;
        }
        Ok(())
    }
}

/// The first step of each key, then the second, and so on.
fn rounds(steps: &[Step]) -> Vec<Vec<&Step>> {
    let mut rounds: Vec<Vec<&Step>> = Vec::new();
    let mut taken: HashMap<u32, usize> = HashMap::new();
    for step in steps {
        let round = taken.entry(step.slot).or_default();
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(step);
        *round += 1;
    }
    rounds
}

impl Operator for OverAggregate {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let rows = self.codec.encode(&batch.rows)?;
        let sort = self.sort.encode(&batch.rows)?;
        let times = self.spec.time_column.map(|column| event_times(&batch.rows, column)).transpose()?;
        for index in 0..batch.len() {
            let (time, key): (i64, &[u8]) = match &times {
                Some(times) => (times.value(index), &[]),
                None => (0, sort.key(index)),
            };
            if times.is_some() && time <= self.watermark {
                self.late += 1;
                continue;
            }
            let slot = self.slot(keys.key(index));
            let place = (time, key.into(), self.arrivals);
            self.arrivals += 1;
            self.wait(slot, place, rows.row(index).data().into());
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        if self.spec.time_column.is_none() {
            return Ok(());
        }
        self.watermark = self.watermark.max(watermark);
        self.ripen(watermark, out)
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        self.ripen(END_OF_TIME, out)
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
            self.table.remove(slot);
        }
    }

    /// Per key group the watermark; per key: key bytes, last use, the values of the calls, the rows its frame holds
    /// (number; time and bytes of each), and those that wait (number; time, sort key, arrival and bytes of each).
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        type Waiting<'a> = Vec<(&'a Place, &'a Arc<[u8]>)>;
        let mut waiting: HashMap<u32, Waiting<'_>> = HashMap::new();
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
            write_u64(out, key.held.len() as u64);
            for (time, row) in &key.held {
                write_i64(out, *time);
                write_bytes(out, row);
            }
            let waits = waiting.get(&slot).map_or(&[][..], Vec::as_slice);
            write_u64(out, waits.len() as u64);
            for ((time, sort, arrival), row) in waits {
                write_i64(out, *time);
                write_bytes(out, sort);
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
                for _ in 0..reader.u64()? {
                    let time = reader.i64()?;
                    let row: Arc<[u8]> = reader.bytes()?.into();
                    (self.rows, self.bytes) = (self.rows + 1, self.bytes + row.len() as u64);
                    self.by_key[slot as usize].held.push_back((time, row));
                }
                for _ in 0..reader.u64()? {
                    let (time, sort, arrival) = (reader.i64()?, reader.bytes()?, reader.u64()?);
                    self.arrivals = self.arrivals.max(arrival + 1);
                    self.wait(slot, (time, sort.into(), arrival), reader.bytes()?.into());
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let keys = (self.by_key.len() * size_of::<Key>()) as u64;
        let bytes = self.table.bytes() + self.values.bytes() + self.bytes + self.rows * PER_ROW as u64 + keys;
        StateSize { rows: self.rows + self.table.len() as u64, bytes }
    }

    fn late(&self) -> u64 {
        self.late
    }
}
