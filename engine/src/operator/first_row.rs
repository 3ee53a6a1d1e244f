//! Keeps the first row of each key by event time, and gives it once, when the watermark has passed it.
//!
//! Until then an earlier row takes its place; among equal times the one that came first stays. Rows behind the watermark
//! are late.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec};
use super::window_aggregate::event_times;
use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64};
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
    row: Option<std::sync::Arc<[u8]>>,
    used_ms: i64,
}

pub struct FirstRow {
    spec: FirstRowSpec,
    keys: KeyEncoder,
    rows: RowCodec,
    table: KeyTable,
    /// By slot.
    firsts: Vec<First>,
    /// Rows that wait for the watermark, by time.
    waiting: BTreeSet<(i64, u32)>,
    bytes: u64,
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
            table: KeyTable::default(),
            firsts: Vec::new(),
            waiting: BTreeSet::new(),
            bytes: 0,
            watermark: NO_WATERMARK,
            now_ms: 0,
            late: 0,
        })
    }

    fn slot(&mut self, key: &[u8]) -> (u32, bool) {
        let (slot, new) = self.table.find_or_insert(0, hash_key(key), key);
        if new {
            let at = slot as usize;
            self.firsts.resize_with(self.firsts.len().max(at + 1), First::default);
            self.firsts[at] = First::default();
        }
        (slot, new)
    }

    fn keep(&mut self, slot: u32, time: i64, row: &[u8]) {
        let first = &mut self.firsts[slot as usize];
        if let Some(old) = first.row.replace(row.into()) {
            self.bytes -= old.len() as u64;
            self.waiting.remove(&(first.time, slot));
        }
        first.time = time;
        self.bytes += row.len() as u64;
        self.waiting.insert((time, slot));
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
            let (slot, new) = self.slot(keys.key(index));
            let first = &mut self.firsts[slot as usize];
            first.used_ms = self.now_ms;
            if new || (first.row.is_some() && time < first.time) {
                self.keep(slot, time, rows.row(index).data());
            }
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        let mut changes: Vec<Change> = Vec::new();
        while let Some(&(time, slot)) = self.waiting.first() {
            if time > watermark {
                break;
            }
            self.waiting.pop_first();
            if let Some(row) = self.firsts[slot as usize].row.take() {
                self.bytes -= row.len() as u64;
                changes.push((RowKind::Insert, row));
            }
        }
        let complete = |range: std::ops::Range<usize>, columns: &mut Vec<arrow::array::ArrayRef>| {
            columns.extend(self.spec.number.array(&vec![1; range.len()]));
        };
        self.rows.give(&changes, &self.spec.output, complete, out)
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        if self.spec.ttl_ms <= 0 {
            return;
        }
        let old = |slot: &u32| {
            let first = &self.firsts[*slot as usize];
            first.row.is_none() && now_ms.saturating_sub(first.used_ms) >= self.spec.ttl_ms
        };
        let gone: Vec<u32> = self.table.used().filter(old).collect();
        gone.into_iter().for_each(|slot| self.table.remove(slot));
    }

    /// Per key group the watermark; per key: key bytes, time, last use, the row if it was not given yet (else nothing).
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let first = &self.firsts[slot as usize];
            let out = state.group(self.table.hash(slot));
            if out.is_empty() {
                write_i64(out, self.watermark);
            }
            write_bytes(out, self.table.key(slot));
            write_i64(out, first.time);
            write_i64(out, first.used_ms);
            write_i64(out, i64::from(first.row.is_some()));
            write_bytes(out, first.row.as_deref().unwrap_or_default());
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                let (slot, _) = self.slot(reader.bytes()?);
                let (time, used_ms, waits) = (reader.i64()?, reader.i64()?, reader.i64()? != 0);
                let row = reader.bytes()?;
                if waits {
                    self.keep(slot, time, row);
                }
                let first = &mut self.firsts[slot as usize];
                (first.time, first.used_ms) = (time, used_ms);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let firsts = (self.firsts.len() * size_of::<First>() + self.waiting.len() * 32) as u64;
        StateSize { rows: self.table.len() as u64, bytes: self.table.bytes() + self.bytes + firsts }
    }

    fn late(&self) -> u64 {
        self.late
    }
}
