//! Keeps the first row of each key by event time, and gives it once, when the watermark has passed it.
//!
//! Until then an earlier row takes its place; among equal times the one that came first stays. Rows behind the watermark
//! are late. State may be larger than memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec};
use super::window_aggregate::event_times;
use super::{CHUNK_ROWS, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, NEVER, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_bytes,
    write_i64,
};
use crate::time::NO_WATERMARK;

pub struct FirstRowSpec {
    pub keys: Vec<usize>,
    pub time_column: usize,
    pub input: SchemaRef,
    /// Whether a column that nobody reads, the row's number, stands behind those of the input, or is given as 1.
    pub number: super::NumberColumn,
    pub output: SchemaRef,
    /// Milliseconds of not being touched after which a key is forgotten; 0 keeps it.
    pub ttl_ms: i64,
}

#[derive(Default)]
struct First {
    time: i64,
    /// `None` once it was given.
    row: Option<Arc<[u8]>>,
    used_ms: i64,
}

/// By slot.
#[derive(Default)]
struct Firsts {
    firsts: SlotColumn<First>,
    /// Rows that wait for the watermark, by time.
    waiting: BTreeSet<(i64, u32)>,
    bytes: u64,
}

impl Firsts {
    fn keep(&mut self, slot: u32, time: i64, row: &[u8]) {
        self.take(slot);
        let first = &mut self.firsts[slot as usize];
        (first.time, first.row) = (time, Some(row.into()));
        self.bytes += row.len() as u64;
        self.waiting.insert((time, slot));
    }

    fn take(&mut self, slot: u32) -> Option<Arc<[u8]>> {
        let first = &mut self.firsts[slot as usize];
        let row = first.row.take()?;
        self.bytes -= row.len() as u64;
        self.waiting.remove(&(first.time, slot));
        Some(row)
    }

    fn is_over(&self, slot: u32, now_ms: i64, ttl_ms: i64) -> bool {
        let first = &self.firsts[slot as usize];
        first.row.is_none() && now_ms.saturating_sub(first.used_ms) >= ttl_ms
    }
}

impl SlotValues for Firsts {
    const LISTED: bool = true;

    fn grow(&mut self, capacity: usize) {
        self.firsts.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.take(slot);
        self.firsts[slot as usize] = First::default();
    }

    /// Time, last use, whether the row waits, the row if it does.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let first = &self.firsts[slot as usize];
        write_i64(out, first.time);
        write_i64(out, first.used_ms);
        write_i64(out, i64::from(first.row.is_some()));
        write_bytes(out, first.row.as_deref().unwrap_or_default());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let (time, used_ms, waits) = (from.i64()?, from.i64()?, from.i64()? != 0);
        let row = from.bytes()?;
        if waits {
            self.keep(slot, time, row);
        }
        let first = &mut self.firsts[slot as usize];
        (first.time, first.used_ms) = (time, used_ms);
        Ok(())
    }

    /// What waits outlives its time.
    fn used_ms(&self, slot: u32) -> i64 {
        let first = &self.firsts[slot as usize];
        if first.row.is_some() { NEVER } else { first.used_ms }
    }

    fn due(&self, slot: u32) -> i64 {
        let first = &self.firsts[slot as usize];
        if first.row.is_some() { first.time } else { NEVER }
    }

    fn due_stored(&self, stored: &[u8]) -> Result<i64> {
        let mut reader = Reader::new(stored);
        let (time, _, waits) = (reader.i64()?, reader.i64()?, reader.i64()? != 0);
        Ok(if waits { time } else { NEVER })
    }

    fn bytes(&self) -> u64 {
        self.bytes + (self.firsts.len() * size_of::<First>() + self.waiting.len() * 32) as u64
    }
}

pub struct FirstRow {
    spec: FirstRowSpec,
    keys: KeyEncoder,
    rows: RowCodec,
    state: Keyed<Firsts>,
    watermark: i64,
    now_ms: i64,
    late: u64,
}

impl FirstRow {
    pub fn new(spec: FirstRowSpec) -> Result<Self> {
        Ok(FirstRow {
            keys: KeyEncoder::new(&spec.input, &spec.keys)?,
            rows: RowCodec::new(&spec.input)?,
            spec,
            state: Keyed::new(Firsts::default()),
            watermark: NO_WATERMARK,
            now_ms: 0,
            late: 0,
        })
    }

    /// Gives what waits in memory up to the watermark.
    fn give(&mut self, out: &mut dyn Output) -> Result<()> {
        let mut changes: Vec<Change> = Vec::new();
        while let Some(&(_, slot)) = self.state.values.waiting.first().filter(|(time, _)| *time <= self.watermark) {
            self.state.touch(slot);
            changes.extend(self.state.values.take(slot).map(|row| (RowKind::Insert, row)));
        }
        let complete = |range: std::ops::Range<usize>, columns: &mut Vec<arrow::array::ArrayRef>| {
            columns.extend(self.spec.number.array(&vec![1; range.len()]));
        };
        self.rows.give(&changes, &self.spec.output, complete, out)
    }
}

impl Operator for FirstRow {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let rows = self.rows.encode(&batch.rows)?;
        let times = event_times(&batch.rows, self.spec.time_column)?;
        for index in 0..batch.len() {
            let time = times.value(index);
            if time <= self.watermark {
                self.late += 1;
                continue;
            }
            let (slot, new) = self.state.slot(keys.key(index))?;
            let first = &mut self.state.values.firsts[slot as usize];
            first.used_ms = self.now_ms;
            let takes = new || (first.row.is_some() && time < first.time);
            if takes {
                self.state.values.keep(slot, time, rows.row(index).data());
            }
            // Without a time to live nobody asks for the last use.
            if takes || self.spec.ttl_ms > 0 {
                self.state.touch(slot);
            }
        }
        self.state.settle()
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        self.give(out)?;
        let mut waking = self.state.waking(self.watermark)?;
        while self.state.wake(&mut waking, CHUNK_ROWS)? {
            self.give(out)?;
        }
        self.state.settle()
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        let ttl_ms = self.spec.ttl_ms;
        self.state.expire(now_ms, ttl_ms, |firsts, slot| firsts.is_over(slot, now_ms, ttl_ms));
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key group the watermark; per key: key bytes, time, last use, whether the row waits, the row if it does.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let (mut state, watermark) = (KeyedState::default(), self.watermark);
        self.state.snapshot_behind(|out| write_i64(out, watermark), &mut state)?;
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
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                self.state.restore(&mut reader)?;
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        self.state.size()
    }

    fn late(&self) -> u64 {
        self.late
    }
}
