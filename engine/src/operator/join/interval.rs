//! Joins of rows whose event times are close: rows are only kept for as long as a match may come.
//!
//! A row of an outer side that found no match by then leaves padded. All output is insertions. Rows leave with event
//! times behind the watermark, which is held back accordingly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::pairs::{Beside, Joined, Others, give_padded};
use super::{JoinSpec, LEFT, RIGHT, both_sides, is_outer, may_match};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::operator::stored_rows::{Change, RowCodec};
use crate::operator::window_aggregate::event_times;
use crate::operator::{Operator, Output};
use crate::plan::logical::TimeBound;
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64, write_u64};
use crate::time::NO_WATERMARK;

const PER_ROW: usize = 96;

struct Stored {
    row: Arc<[u8]>,
    matched: bool,
}

/// Rows of one input by key and time.
#[derive(Default)]
struct Side {
    table: KeyTable,
    /// By slot.
    buckets: Vec<BTreeMap<(i64, u64), Stored>>,
    /// Time, arrival, slot of every row.
    by_time: BTreeSet<(i64, u64, u32)>,
    arrivals: u64,
    bytes: u64,
}

impl Side {
    fn add(&mut self, key: &[u8], time: i64, row: &[u8], matched: bool) {
        let (slot, new) = self.table.find_or_insert(0, hash_key(key), key);
        let at = slot as usize;
        if new {
            self.buckets.resize_with(self.buckets.len().max(at + 1), BTreeMap::new);
            self.buckets[at].clear();
        }
        self.bytes += row.len() as u64;
        self.buckets[at].insert((time, self.arrivals), Stored { row: row.into(), matched });
        self.by_time.insert((time, self.arrivals, slot));
        self.arrivals += 1;
    }

    /// Removes the rows up to a time; gives those that matched nothing.
    fn expire(&mut self, up_to: i64) -> Vec<Arc<[u8]>> {
        let mut unmatched = Vec::new();
        while let Some(&(time, arrival, slot)) = self.by_time.first() {
            if time > up_to {
                break;
            }
            self.by_time.pop_first();
            let bucket = &mut self.buckets[slot as usize];
            if let Some(gone) = bucket.remove(&(time, arrival)) {
                self.bytes -= gone.row.len() as u64;
                if !gone.matched {
                    unmatched.push(gone.row);
                }
            }
            if bucket.is_empty() {
                self.table.remove(slot);
            }
        }
        unmatched
    }
}

pub struct IntervalJoin {
    spec: JoinSpec,
    time: TimeBound,
    both: SchemaRef,
    keys: [KeyEncoder; 2],
    codecs: [RowCodec; 2],
    sides: [Side; 2],
    watermark: i64,
}

impl IntervalJoin {
    pub fn new(spec: JoinSpec, time: TimeBound) -> Result<Self> {
        let left: Vec<usize> = spec.keys.iter().map(|key| key.left).collect();
        let right: Vec<usize> = spec.keys.iter().map(|key| key.right).collect();
        Ok(IntervalJoin {
            both: both_sides(&spec),
            keys: [KeyEncoder::new(&spec.left, &left)?, KeyEncoder::new(&spec.right, &right)?],
            codecs: [RowCodec::new(&spec.left)?, RowCodec::new(&spec.right)?],
            sides: [Side::default(), Side::default()],
            spec,
            time,
            watermark: NO_WATERMARK,
        })
    }

    /// Times of the other side that a row may match: first and last.
    const fn range(&self, side: usize, time: i64) -> (i64, i64) {
        if side == LEFT {
            (time.saturating_sub(self.time.high), time.saturating_sub(self.time.low))
        } else {
            (time.saturating_add(self.time.low), time.saturating_add(self.time.high))
        }
    }

    /// Rows of this side up to this time have no match to come.
    const fn over(&self, side: usize, watermark: i64) -> i64 {
        if side == LEFT { watermark.saturating_add(self.time.low) } else { watermark.saturating_sub(self.time.high) }
    }
}

impl Operator for IntervalJoin {
    fn process(&mut self, input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let side = input.min(RIGHT);
        let keys = self.keys[side].encode(&batch.rows)?;
        let rows = self.codecs[side].encode(&batch.rows)?;
        let times = event_times(&batch.rows, if side == LEFT { self.time.left } else { self.time.right })?;
        let may = may_match(&self.spec.keys, side, &batch.rows);
        let mut others = Others::default();
        // Where each of them is stored: slot, time and arrival.
        let mut places: Vec<(u32, (i64, u64))> = Vec::new();
        for (row, may) in may.iter().enumerate() {
            let other = &self.sides[1 - side];
            let slot = if *may { other.table.find(0, hash_key(keys.key(row)), keys.key(row)) } else { None };
            let Some(slot) = slot else {
                others.none();
                continue;
            };
            let (first, last) = self.range(side, times.value(row));
            let found = if first <= last {
                other.buckets[slot as usize].range((first, 0)..=(last, u64::MAX)).collect::<Vec<_>>()
            } else {
                Vec::new()
            };
            places.extend(found.iter().map(|(place, _)| (slot, **place)));
            others.these(found.into_iter().map(|(_, stored)| Arc::clone(&stored.row)));
        }
        let beside = Beside::new(&batch.rows, &others, &self.codecs[1 - side], side == LEFT)?;
        let matching = beside.matching(&others, self.spec.condition.as_ref(), &self.both)?;
        let mut joined = Joined::default();
        let mut pair = 0;
        for (row, may) in may.iter().enumerate() {
            let mut matched = false;
            for other in others.of_row[row].clone() {
                if matching.as_ref().is_none_or(|matching| matching[pair]) {
                    matched = true;
                    joined.push(RowKind::Insert, Some(row as u32), Some(other as u32), 1);
                    let (slot, place) = places[other];
                    if let Some(stored) = self.sides[1 - side].buckets[slot as usize].get_mut(&place) {
                        stored.matched = true;
                    }
                }
                pair += 1;
            }
            let time = times.value(row);
            if *may && time > self.over(side, self.watermark) {
                self.sides[side].add(keys.key(row), time, rows.row(row).data(), matched);
            } else if !matched && is_outer(self.spec.kind, side) {
                joined.push(RowKind::Insert, Some(row as u32), None, 1);
            }
        }
        joined.give(&beside, &self.spec.output, out)
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        for side in [LEFT, RIGHT] {
            let unmatched = self.sides[side].expire(self.over(side, watermark));
            if is_outer(self.spec.kind, side) {
                let rows: Vec<Change> = unmatched.into_iter().map(|row| (RowKind::Insert, row)).collect();
                let width = self.spec.left.fields().len();
                give_padded(&self.codecs[side], &rows, &self.spec.output, width, side, out)?;
            }
        }
        Ok(())
    }

    fn delay(&self) -> i64 {
        self.time.high.max(self.time.low.saturating_neg()).max(0)
    }

    /// Per key group the watermark; per row: side, key bytes, time, whether it matched, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for (number, side) in self.sides.iter().enumerate() {
            for (time, arrival, slot) in &side.by_time {
                let Some(stored) = side.buckets[*slot as usize].get(&(*time, *arrival)) else { continue };
                let out = state.group(side.table.hash(*slot));
                if out.is_empty() {
                    write_i64(out, self.watermark);
                }
                write_u64(out, number as u64);
                write_bytes(out, side.table.key(*slot));
                write_i64(out, *time);
                write_u64(out, u64::from(stored.matched));
                write_bytes(out, &stored.row);
            }
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                let side = usize::from(reader.u64()? != 0);
                let (key, time) = (reader.bytes()?, reader.i64()?);
                let matched = reader.u64()? != 0;
                self.sides[side].add(key, time, reader.bytes()?, matched);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let rows: u64 = self.sides.iter().map(|side| side.by_time.len() as u64).sum();
        let bytes: u64 = self.sides.iter().map(|side| side.bytes + side.table.bytes()).sum();
        StateSize { rows, bytes: bytes + rows * PER_ROW as u64 }
    }
}
