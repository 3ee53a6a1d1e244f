//! A row meets the version that its key had at the row's event time.
//!
//! Rows wait for the watermark and leave in the order of their arrival with the kind they came with. Of the versions that
//! the watermark has passed only the last is kept, so that a row that comes late finds no older one: it leaves padded, or
//! not at all. As in Flink a key is looked at when the watermark passes the earliest time that it waits for. State
//! may be larger than memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::pairs::{Beside, Joined, Others};
use super::{JoinSpec, LEFT, RIGHT, both_sides, is_outer, may_match};
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::operator::stored_rows::RowCodec;
use crate::operator::window_aggregate::event_times;
use crate::operator::{CHUNK_ROWS, Operator, Output};
use crate::plan::logical::VersionTimes;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, NEVER, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_bytes,
    write_i64, write_u64,
};

/// Bookkeeping per row beside its bytes.
const PER_ROW: usize = 64;

pub struct TemporalJoinSpec {
    pub join: JoinSpec,
    pub times: VersionTimes,
    /// Updates name the row that is there now; the row before it is not looked at.
    pub only_newest: bool,
}

struct Waiting {
    time: i64,
    kind: RowKind,
    row: Arc<[u8]>,
}

/// What one key has.
#[derive(Default)]
struct Versions {
    /// In the order of arrival.
    waiting: Vec<Waiting>,
    /// From when on each holds; `None`: from then on there is no row.
    versions: BTreeMap<i64, Option<Arc<[u8]>>>,
    timer: Option<i64>,
    used_ms: i64,
}

impl Versions {
    fn at(&self, time: i64) -> Option<&Arc<[u8]>> {
        self.versions.range(..=time).next_back().and_then(|(_, row)| row.as_ref())
    }

    /// Forgets what no row can meet that comes in time. Gives the rows and bytes freed.
    fn clean(&mut self, watermark: i64) -> (u64, u64) {
        let Some((&last, newest)) = self.versions.range(..=watermark).next_back() else { return (0, 0) };
        let ended = newest.is_none();
        let mut kept = self.versions.split_off(&last);
        if ended {
            kept.remove(&last);
        }
        let gone = std::mem::replace(&mut self.versions, kept);
        let bytes = gone.values().flatten().map(|row| row.len() as u64).sum();
        (gone.len() as u64 + u64::from(ended), bytes)
    }

    /// The end of a key that is still to come has nothing else that would free it.
    fn end_to_come(&self, watermark: i64) -> Option<i64> {
        let (time, newest) = self.versions.last_key_value()?;
        (newest.is_none() && *time > watermark).then_some(*time)
    }
}

/// By slot.
#[derive(Default)]
struct Keys {
    held: SlotColumn<Versions>,
    timers: BTreeSet<(i64, u32)>,
    rows: u64,
    bytes: u64,
}

impl Keys {
    /// A key has one timer: the earliest it was asked for since it was looked at last.
    fn wake(&mut self, slot: u32, time: i64) {
        let held = &mut self.held[slot as usize];
        if held.timer.is_some_and(|timer| timer <= time) {
            return;
        }
        if let Some(timer) = held.timer.replace(time) {
            self.timers.remove(&(timer, slot));
        }
        self.timers.insert((time, slot));
    }

    fn wait(&mut self, slot: u32, row: Waiting) {
        self.rows += 1;
        self.bytes += row.row.len() as u64;
        self.held[slot as usize].waiting.push(row);
    }

    fn version(&mut self, slot: u32, time: i64, row: Option<&[u8]>) {
        self.bytes += row.map_or(0, <[u8]>::len) as u64;
        match self.held[slot as usize].versions.insert(time, row.map(Arc::from)) {
            Some(before) => self.bytes -= before.map_or(0, |row| row.len()) as u64,
            None => self.rows += 1,
        }
    }

    /// Takes the rows of a key that the watermark has passed, and what they made superfluous. Tells whether the key has
    /// nothing any more.
    fn look_at(&mut self, slot: u32, watermark: i64, due: &mut Due) -> bool {
        let held = &mut self.held[slot as usize];
        let waiting = std::mem::take(&mut held.waiting);
        let mut next = None;
        for row in waiting {
            if row.time > watermark {
                next = Some(next.map_or(row.time, |next: i64| next.min(row.time)));
                held.waiting.push(row);
                continue;
            }
            self.rows -= 1;
            self.bytes -= row.row.len() as u64;
            due.versions.push(held.at(row.time).cloned());
            due.rows.push((row.kind, row.row));
        }
        let (rows, bytes) = held.clean(watermark);
        self.rows -= rows;
        self.bytes -= bytes;
        let next = next.into_iter().chain(held.end_to_come(watermark)).min();
        if held.waiting.is_empty() && held.versions.is_empty() {
            return true;
        }
        if let Some(next) = next {
            self.wake(slot, next);
        }
        false
    }
}

impl SlotValues for Keys {
    const LISTED: bool = true;

    fn grow(&mut self, capacity: usize) {
        self.held.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.held[slot as usize]);
        if let Some(timer) = gone.timer {
            self.timers.remove(&(timer, slot));
        }
        self.rows -= (gone.waiting.len() + gone.versions.len()) as u64;
        self.bytes -= gone.waiting.iter().map(|row| row.row.len() as u64).sum::<u64>();
        self.bytes -= gone.versions.values().flatten().map(|row| row.len() as u64).sum::<u64>();
    }

    /// Timer, last use; number of waiting rows, each time, kind and row; number of versions, each time, whether there is
    /// a row, and the row.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let held = &self.held[slot as usize];
        write_i64(out, held.timer.unwrap_or(NEVER));
        write_i64(out, held.used_ms);
        write_u64(out, held.waiting.len() as u64);
        for row in &held.waiting {
            write_i64(out, row.time);
            out.push(row.kind as u8);
            write_bytes(out, &row.row);
        }
        write_u64(out, held.versions.len() as u64);
        for (time, row) in &held.versions {
            write_i64(out, *time);
            out.push(u8::from(row.is_some()));
            write_bytes(out, row.as_deref().unwrap_or_default());
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let timer = from.i64()?;
        self.held[slot as usize].used_ms = from.i64()?;
        for _ in 0..from.u64()? {
            let (time, kind) = (from.i64()?, RowKind::from_byte(from.u8()?));
            let kind = kind.ok_or_else(|| {
                EngineError::external("checkpoint_corrupt", "The state of a temporal join is damaged.").without_retry()
            })?;
            self.wait(slot, Waiting { time, kind, row: from.bytes()?.into() });
        }
        for _ in 0..from.u64()? {
            let (time, there) = (from.i64()?, from.u8()? != 0);
            let row = from.bytes()?;
            self.version(slot, time, there.then_some(row));
        }
        if timer != NEVER {
            self.wake(slot, timer);
        }
        Ok(())
    }

    fn used_ms(&self, slot: u32) -> i64 {
        self.held[slot as usize].used_ms
    }

    fn due(&self, slot: u32) -> i64 {
        self.held[slot as usize].timer.unwrap_or(NEVER)
    }

    fn due_stored(&self, stored: &[u8]) -> Result<i64> {
        Reader::new(stored).i64()
    }

    fn bytes(&self) -> u64 {
        let held = (self.held.len() * size_of::<Versions>() + self.timers.len() * 32) as u64;
        self.bytes + self.rows * PER_ROW as u64 + held
    }
}

pub struct TemporalJoin {
    spec: TemporalJoinSpec,
    both: SchemaRef,
    keys: [KeyEncoder; 2],
    codecs: [RowCodec; 2],
    state: Keyed<Keys>,
    now_ms: i64,
}

/// Rows that are due, each with the version it meets.
#[derive(Default)]
struct Due {
    rows: Vec<(RowKind, Arc<[u8]>)>,
    versions: Vec<Option<Arc<[u8]>>>,
}

impl TemporalJoin {
    pub fn new(spec: TemporalJoinSpec) -> Result<Self> {
        let join = &spec.join;
        let left: Vec<usize> = join.keys.iter().map(|key| key.left).collect();
        let right: Vec<usize> = join.keys.iter().map(|key| key.right).collect();
        Ok(TemporalJoin {
            both: both_sides(join),
            keys: [KeyEncoder::new(&join.left, &left)?, KeyEncoder::new(&join.right, &right)?],
            codecs: [RowCodec::new(&join.left)?, RowCodec::new(&join.right)?],
            state: Keyed::new(Keys::default()),
            now_ms: 0,
            spec,
        })
    }

    #[cfg(test)]
    pub(super) const fn spec_for_tests(&mut self) -> &mut JoinSpec {
        &mut self.spec.join
    }

    #[cfg(test)]
    pub(super) fn waiting_for_tests(&self) -> usize {
        self.state.values.held.iter().map(|held| held.waiting.len()).sum()
    }

    /// The slot of a key that changes.
    fn slot(&mut self, key: &[u8]) -> Result<u32> {
        let (slot, _) = self.state.slot(key)?;
        self.state.touch(slot);
        self.state.values.held[slot as usize].used_ms = self.now_ms;
        Ok(slot)
    }

    /// Gives what is due of the keys in memory.
    fn pass(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        let mut due = Due::default();
        while let Some(&(time, slot)) = self.state.values.timers.first().filter(|(time, _)| *time <= watermark) {
            self.state.touch(slot);
            let keys = &mut self.state.values;
            keys.timers.remove(&(time, slot));
            keys.held[slot as usize].timer = None;
            if keys.look_at(slot, watermark, &mut due) {
                self.state.remove(slot);
            }
            if due.rows.len() >= CHUNK_ROWS {
                self.give(&std::mem::take(&mut due), out)?;
            }
        }
        self.give(&due, out)
    }

    fn give(&self, due: &Due, out: &mut dyn Output) -> Result<()> {
        for (rows, versions) in due.rows.chunks(CHUNK_ROWS).zip(due.versions.chunks(CHUNK_ROWS)) {
            let columns = self.codecs[LEFT].decode(rows.iter().map(|(_, row)| &**row))?;
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let input = RecordBatch::try_new_with_options(Arc::clone(&self.spec.join.left), columns, &options)?;
            let mut others = Others::default();
            versions.iter().for_each(|version| others.these(version.iter().cloned()));
            let beside = Beside::new(&input, &others, &self.codecs[RIGHT], true)?;
            let matching = beside.matching(&others, self.spec.join.condition.as_ref(), &self.both)?;
            let mut joined = Joined::default();
            let mut pair = 0;
            for (index, (kind, _)) in rows.iter().enumerate() {
                let mut met = None;
                for other in others.of_row[index].clone() {
                    if matching.as_ref().is_none_or(|matching| matching[pair]) {
                        met = Some(other as u32);
                    }
                    pair += 1;
                }
                if met.is_some() || is_outer(self.spec.join.kind, LEFT) {
                    joined.push(*kind, Some(index as u32), met, 1);
                }
            }
            joined.give(&beside, &self.spec.join.output, out)?;
        }
        Ok(())
    }
}

impl Operator for TemporalJoin {
    fn process(&mut self, input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let side = input.min(RIGHT);
        let keys = self.keys[side].encode(&batch.rows)?;
        let rows = self.codecs[side].encode(&batch.rows)?;
        let may = may_match(&self.spec.join.keys, side, &batch.rows);
        let column = if side == LEFT { self.spec.times.left } else { self.spec.times.right };
        let times = event_times(&batch.rows, column)?;
        for (index, may) in may.iter().enumerate() {
            let (key, time, kind) = (keys.key(index), times.value(index), batch.kind(index));
            let row = rows.row(index);
            if side == LEFT {
                // Without a key it meets nothing, and only leaves to be padded.
                if *may || is_outer(self.spec.join.kind, LEFT) {
                    let slot = self.slot(key)?;
                    self.state.values.wait(slot, Waiting { time, kind, row: row.data().into() });
                    self.state.values.wake(slot, time);
                }
            } else if *may && !(self.spec.only_newest && kind == RowKind::UpdateBefore) {
                let slot = self.slot(key)?;
                self.state.values.version(slot, time, kind.is_accumulate().then_some(row.data()));
                self.state.values.wake(slot, time);
            }
        }
        self.state.settle()
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.pass(watermark, out)?;
        let mut waking = self.state.waking(watermark)?;
        while self.state.wake(&mut waking, CHUNK_ROWS)? {
            self.pass(watermark, out)?;
        }
        self.state.settle()
    }

    /// A key that nobody wrote to for the time to live is forgotten, with the rows that wait.
    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        let [ttl_ms, _] = self.spec.join.ttl_ms;
        self.state.expire(now_ms, ttl_ms, |keys, slot| now_ms.saturating_sub(keys.used_ms(slot)) >= ttl_ms);
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key: key bytes, and what [`Keys`] writes.
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

    /// Rows in memory, and at least one for each key that is on disk only.
    fn size(&self) -> StateSize {
        let size = self.state.size();
        StateSize { rows: self.state.values.rows.max(size.rows), ..size }
    }
}
