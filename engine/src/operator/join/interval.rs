//! Joins of rows whose event times are close: rows are only kept for as long as a match may come.
//!
//! A row of an outer side that found no match by then leaves padded. All output is insertions. Rows leave with event
//! times behind the watermark, which is held back accordingly. State may be larger than memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::pairs::{Beside, Joined, Others, give_padded};
use super::{JoinSpec, LEFT, RIGHT, both_sides, is_outer, may_match};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::operator::stored_rows::{Change, RowCodec};
use crate::operator::window_aggregate::event_times;
use crate::operator::{CHUNK_ROWS, Operator, Output};
use crate::plan::logical::TimeBound;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, NEVER, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_bytes,
    write_i64, write_u64,
};
use crate::time::NO_WATERMARK;

const PER_ROW: usize = 96;

struct Stored {
    row: Arc<[u8]>,
    matched: bool,
}

/// Rows of one input by time, and those of one time as they came.
type Bucket = BTreeMap<(i64, u64), Stored>;

/// A row that no match can come for any more, with its place.
type Over = ((i64, u64), Arc<[u8]>);

/// By slot.
#[derive(Default)]
struct Buckets {
    buckets: SlotColumn<Bucket>,
    /// The time of the first row of each key.
    firsts: BTreeSet<(i64, u32)>,
    arrivals: u64,
    rows: u64,
    bytes: u64,
}

impl Buckets {
    fn add(&mut self, slot: u32, time: i64, row: &[u8], matched: bool) {
        let bucket = &mut self.buckets[slot as usize];
        let before = first_of(bucket);
        bucket.insert((time, self.arrivals), Stored { row: row.into(), matched });
        self.arrivals += 1;
        self.rows += 1;
        self.bytes += row.len() as u64;
        self.moved(slot, before);
    }

    /// Removes the rows of a key up to a time; gives those that matched nothing.
    fn expire(&mut self, slot: u32, up_to: i64, unmatched: &mut Vec<Over>) {
        let bucket = &mut self.buckets[slot as usize];
        let before = first_of(bucket);
        while let Some(first) = bucket.first_entry().filter(|first| first.key().0 <= up_to) {
            let (place, gone) = first.remove_entry();
            self.rows -= 1;
            self.bytes -= gone.row.len() as u64;
            if !gone.matched {
                unmatched.push((place, gone.row));
            }
        }
        self.moved(slot, before);
    }

    /// The first row of a key may be another one than before.
    fn moved(&mut self, slot: u32, before: Option<i64>) {
        let now = first_of(&self.buckets[slot as usize]);
        if before != now {
            before.map(|time| self.firsts.remove(&(time, slot)));
            now.map(|time| self.firsts.insert((time, slot)));
        }
    }
}

fn first_of(bucket: &Bucket) -> Option<i64> {
    bucket.first_key_value().map(|((time, _), _)| *time)
}

impl SlotValues for Buckets {
    const LISTED: bool = true;

    fn grow(&mut self, capacity: usize) {
        self.buckets.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.buckets[slot as usize]);
        self.rows -= gone.len() as u64;
        self.bytes -= gone.values().map(|stored| stored.row.len() as u64).sum::<u64>();
        first_of(&gone).map(|time| self.firsts.remove(&(time, slot)));
    }

    /// Number of rows; per row, by time: time, whether it matched, row bytes.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let bucket = &self.buckets[slot as usize];
        write_u64(out, bucket.len() as u64);
        for ((time, _), stored) in bucket {
            write_i64(out, *time);
            write_u64(out, u64::from(stored.matched));
            write_bytes(out, &stored.row);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        for _ in 0..from.u64()? {
            let (time, matched) = (from.i64()?, from.u64()? != 0);
            self.add(slot, time, from.bytes()?, matched);
        }
        Ok(())
    }

    /// Rows go by event time only.
    fn used_ms(&self, _slot: u32) -> i64 {
        0
    }

    fn due(&self, slot: u32) -> i64 {
        first_of(&self.buckets[slot as usize]).unwrap_or(NEVER)
    }

    fn due_stored(&self, stored: &[u8]) -> Result<i64> {
        let mut reader = Reader::new(stored);
        if reader.u64()? == 0 { Ok(NEVER) } else { reader.i64() }
    }

    fn bytes(&self) -> u64 {
        let buckets = (self.buckets.len() * size_of::<Bucket>() + self.firsts.len() * 32) as u64;
        self.bytes + self.rows * PER_ROW as u64 + buckets
    }
}

pub struct IntervalJoin {
    spec: JoinSpec,
    time: TimeBound,
    both: SchemaRef,
    keys: [KeyEncoder; 2],
    codecs: [RowCodec; 2],
    sides: [Keyed<Buckets>; 2],
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
            sides: [Keyed::new(Buckets::default()), Keyed::new(Buckets::default())],
            spec,
            time,
            watermark: NO_WATERMARK,
        })
    }

    /// A stored row has found a match; of no interest where rows without one are not given.
    fn match_stored(&mut self, side: usize, slot: u32, place: &(i64, u64)) {
        let own = &mut self.sides[side];
        let stored = own.values.buckets.get_mut(slot as usize).and_then(|bucket| bucket.get_mut(place));
        if let Some(stored) = stored.filter(|stored| !stored.matched) {
            stored.matched = true;
            if is_outer(self.spec.kind, side) {
                own.touch(slot);
            }
        }
    }

    /// Removes the rows of a side up to a time, those in memory; gives those that matched nothing.
    fn expire(&mut self, side: usize, up_to: i64, out: &mut dyn Output) -> Result<()> {
        let (own, mut unmatched) = (&mut self.sides[side], Vec::new());
        while let Some(&(_, slot)) = own.values.firsts.first().filter(|(time, _)| *time <= up_to) {
            own.touch(slot);
            own.values.expire(slot, up_to, &mut unmatched);
            if own.values.buckets[slot as usize].is_empty() {
                own.remove(slot);
            }
        }
        if !is_outer(self.spec.kind, side) {
            return Ok(());
        }
        unmatched.sort_unstable_by_key(|(place, _)| *place);
        let rows: Vec<Change> = unmatched.into_iter().map(|(_, row)| (RowKind::Insert, row)).collect();
        let width = self.spec.left.fields().len();
        give_padded(&self.codecs[side], &rows, &self.spec.output, width, side, out)
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
            let other = &mut self.sides[1 - side];
            let (first, last) = range(&self.time, side, times.value(row));
            let slot = if *may { other.find(keys.key(row))? } else { None };
            let Some(slot) = slot else {
                others.none();
                continue;
            };
            let found = if first <= last {
                other.values.buckets[slot as usize].range((first, 0)..=(last, u64::MAX)).collect::<Vec<_>>()
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
                    self.match_stored(1 - side, slot, &place);
                }
                pair += 1;
            }
            let time = times.value(row);
            if *may && time > self.over(side, self.watermark) {
                let own = &mut self.sides[side];
                let (slot, _) = own.slot(keys.key(row))?;
                own.touch(slot);
                own.values.add(slot, time, rows.row(row).data(), matched);
            } else if !matched && is_outer(self.spec.kind, side) {
                joined.push(RowKind::Insert, Some(row as u32), None, 1);
            }
        }
        joined.give(&beside, &self.spec.output, out)?;
        self.sides.iter_mut().try_for_each(Keyed::settle)
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        for side in [LEFT, RIGHT] {
            let over = self.over(side, watermark);
            self.expire(side, over, out)?;
            let mut waking = self.sides[side].waking(over)?;
            while self.sides[side].wake(&mut waking, CHUNK_ROWS)? {
                self.expire(side, over, out)?;
            }
        }
        self.sides.iter_mut().try_for_each(Keyed::settle)
    }

    fn attach(&mut self, place: StatePlace) {
        self.sides.iter_mut().for_each(|side| side.attach(place.clone()));
    }

    fn delay(&self) -> i64 {
        self.time.high.max(self.time.low.saturating_neg()).max(0)
    }

    /// Per key group the watermark; per row: side, key bytes, time, whether it matched, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        let watermark = self.watermark;
        for (number, side) in self.sides.iter_mut().enumerate() {
            if !side.is_whole()? {
                side.in_each_group(&mut state, |out| {
                    if out.is_empty() {
                        write_i64(out, watermark);
                    }
                });
                continue;
            }
            for slot in side.slots() {
                let out = state.group(side.hash(slot));
                if out.is_empty() {
                    write_i64(out, watermark);
                }
                for ((time, _), stored) in &side.values.buckets[slot as usize] {
                    write_u64(out, number as u64);
                    write_bytes(out, side.key(slot));
                    write_i64(out, *time);
                    write_u64(out, u64::from(stored.matched));
                    write_bytes(out, &stored.row);
                }
            }
        }
        Ok(Some(state))
    }

    fn segments(&self) -> Vec<Vec<LogPart>> {
        self.sides.iter().map(Keyed::parts).collect()
    }

    fn adopt(&mut self, tables: Vec<Vec<LogPart>>) -> Result<()> {
        self.sides.iter_mut().zip(tables).try_for_each(|(side, parts)| side.adopt(parts))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                let side = usize::from(reader.u64()? != 0);
                let (key, time) = (reader.bytes()?, reader.i64()?);
                let matched = reader.u64()? != 0;
                let row = reader.bytes()?;
                let (slot, _) = self.sides[side].slot(key)?;
                self.sides[side].values.add(slot, time, row, matched);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let [left, right] = [LEFT, RIGHT].map(|side| {
            let size = self.sides[side].size();
            // Rows in memory, and at least one for each key that is on disk only.
            StateSize { rows: self.sides[side].values.rows.max(size.rows), ..size }
        });
        StateSize { rows: left.rows + right.rows, bytes: left.bytes + right.bytes }
    }
}

/// Times of the other side that a row may match: first and last.
const fn range(bound: &TimeBound, side: usize, time: i64) -> (i64, i64) {
    if side == LEFT {
        (time.saturating_sub(bound.high), time.saturating_sub(bound.low))
    } else {
        (time.saturating_add(bound.low), time.saturating_add(bound.high))
    }
}
