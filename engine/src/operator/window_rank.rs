//! The first rows of each partition of a window, given once, when the watermark passes the window. State may be larger than memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec, SortCodec};
use super::window_aggregate::event_times;
use super::{CHUNK_ROWS, NumberColumn, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::SortKey;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, Reader, SlotColumn, SlotLists, SlotValues, StatePlace, StateSize,
    write_bytes, write_i64, write_u64,
};
use crate::time::NO_WATERMARK;
use crate::time::window::last_instant;

const PER_ROW: usize = 64;

pub struct WindowRankSpec {
    /// Without the bounds of the window.
    pub partition: Vec<usize>,
    /// The column with the window's end; rows of one end are of one window.
    pub end: usize,
    /// The zone whose local times the bounds are.
    pub zone: Option<chrono_tz::Tz>,
    pub sort: Vec<SortKey>,
    pub from: u64,
    pub to: u64,
    pub number: NumberColumn,
    /// Among equal sort keys the row that came last goes first.
    pub latest_first: bool,
    pub input: SchemaRef,
    pub output: SchemaRef,
}

type Rows = BTreeMap<(Box<[u8]>, u64), Arc<[u8]>>;

/// By slot, and by the end of the window.
#[derive(Default)]
struct Partitions {
    partitions: SlotColumn<Rows>,
    slots: SlotLists,
    /// Ends of windows, with the last instant of each.
    ends: BTreeMap<i64, i64>,
    zone: Option<chrono_tz::Tz>,
    latest_first: bool,
    most: usize,
    arrivals: u64,
    held: u64,
    bytes: u64,
}

impl Partitions {
    fn add(&mut self, slot: u32, key: &[u8], arrival: u64, row: &[u8]) {
        let rows = &mut self.partitions[slot as usize];
        if rows.len() >= self.most {
            let last = rows.last_key_value().map(|((last, at), _)| (&**last, *at));
            if last.is_none_or(|last| (key, arrival) >= last) {
                return;
            }
            if let Some((place, gone)) = rows.pop_last() {
                self.held -= 1;
                self.bytes -= (place.0.len() + gone.len()) as u64;
            }
        }
        self.held += 1;
        self.bytes += (key.len() + row.len()) as u64;
        rows.insert((key.into(), arrival), row.into());
    }

    /// Rows that come from now on come later.
    fn came(&mut self, arrival: u64) {
        let came = if self.latest_first { u64::MAX - arrival } else { arrival };
        self.arrivals = self.arrivals.max(came.saturating_add(1));
    }

    fn next_arrival(&mut self) -> u64 {
        let number = self.arrivals;
        self.arrivals += 1;
        if self.latest_first { u64::MAX - number } else { number }
    }
}

impl SlotValues for Partitions {
    const TAGGED: bool = true;

    fn grow(&mut self, capacity: usize) {
        self.partitions.grow(capacity);
        self.slots.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.partitions[slot as usize]);
        self.held -= gone.len() as u64;
        self.bytes -= gone.iter().map(|((key, _), row)| (key.len() + row.len()) as u64).sum::<u64>();
        self.slots.remove(slot);
    }

    fn placed(&mut self, slot: u32, end: i64) {
        let zone = self.zone;
        self.ends.entry(end).or_insert_with(|| last_instant(end, zone));
        self.slots.add(end, slot);
    }

    /// Number of rows; per row: arrival, sort key, row bytes.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let rows = &self.partitions[slot as usize];
        write_u64(out, rows.len() as u64);
        for ((key, arrival), row) in rows {
            write_u64(out, *arrival);
            write_bytes(out, key);
            write_bytes(out, row);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        for _ in 0..from.u64()? {
            let arrival = from.u64()?;
            self.came(arrival);
            let (key, row) = (from.bytes()?, from.bytes()?);
            self.add(slot, key, arrival, row);
        }
        Ok(())
    }

    /// On disk a key is gone when its window is over.
    fn used_ms(&self, slot: u32) -> i64 {
        let last = self.slots.tag_of(slot).and_then(|end| self.ends.get(&end));
        last.copied().unwrap_or(NO_WATERMARK)
    }

    fn passed_by(&mut self, end: i64, _stored: &[u8]) -> Result<()> {
        let zone = self.zone;
        self.ends.entry(end).or_insert_with(|| last_instant(end, zone));
        Ok(())
    }

    fn bytes(&self) -> u64 {
        let partitions = (self.partitions.len() * size_of::<Rows>()) as u64;
        self.bytes + self.held * PER_ROW as u64 + partitions + self.slots.bytes()
    }
}

pub struct WindowRank {
    spec: WindowRankSpec,
    keys: KeyEncoder,
    sort: SortCodec,
    codec: RowCodec,
    /// By (end of the window, key).
    state: Keyed<Partitions>,
    watermark: i64,
    late: u64,
}

impl WindowRank {
    pub fn new(spec: WindowRankSpec) -> Result<Self> {
        let partitions = Partitions {
            zone: spec.zone,
            latest_first: spec.latest_first,
            most: usize::try_from(spec.to).unwrap_or(usize::MAX),
            ..Partitions::default()
        };
        Ok(WindowRank {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            sort: SortCodec::new(&spec.sort, &spec.input)?,
            codec: RowCodec::new(&spec.input)?,
            spec,
            state: Keyed::new(partitions),
            watermark: NO_WATERMARK,
            late: 0,
        })
    }

    /// Gives the rows of a window that is over.
    fn fire(&mut self, end: i64, out: &mut dyn Output) -> Result<()> {
        if !self.state.is_away(&[end]) {
            let slots = self.state.values.slots.get(end).to_vec();
            return self.give(&slots, out);
        }
        let Some(mut gathering) = self.state.gathering()? else { return Ok(()) };
        while let Some(chunk) = self.state.gather(&mut gathering, CHUNK_ROWS, |tag| tag == end)? {
            self.give(&chunk.slots, out)?;
            self.state.release(chunk);
        }
        Ok(())
    }

    fn give(&self, slots: &[u32], out: &mut dyn Output) -> Result<()> {
        let (mut changes, mut numbers): (Vec<Change>, Vec<i64>) = Default::default();
        for slot in slots {
            for (place, row) in self.state.values.partitions[*slot as usize].values().enumerate() {
                if place as u64 + 1 >= self.spec.from {
                    changes.push((RowKind::Insert, Arc::clone(row)));
                    numbers.push(place as i64 + 1);
                }
            }
        }
        let complete = |range: std::ops::Range<usize>, columns: &mut Vec<arrow::array::ArrayRef>| {
            columns.extend(self.spec.number.array(&numbers[range]));
        };
        self.codec.give(&changes, &self.spec.output, complete, out)
    }

    fn forget(&mut self, end: i64) {
        let gone = self.state.values.slots.take(end);
        gone.into_iter().for_each(|slot| self.state.drop_slot(slot));
        self.state.forget_tag(end);
        self.state.values.ends.remove(&end);
    }
}

impl Operator for WindowRank {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let (sort, rows) = (self.sort.encode(&batch.rows)?, self.codec.encode(&batch.rows)?);
        let ends = event_times(&batch.rows, self.spec.end)?;
        for index in 0..batch.len() {
            if !ends.is_valid(index) {
                continue;
            }
            let end = ends.value(index);
            if last_instant(end, self.spec.zone) <= self.watermark {
                self.late += 1;
                continue;
            }
            let (slot, _) = self.state.slot_at(end, keys.key(index))?;
            self.state.touch(slot);
            let arrival = self.state.values.next_arrival();
            self.state.values.add(slot, sort.key(index), arrival, rows.row(index).data());
        }
        self.state.settle()
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        while let Some((&end, _)) = self.state.values.ends.first_key_value().filter(|(_, last)| **last <= watermark) {
            self.fire(end, out)?;
            self.forget(end);
        }
        // From disk they go by themselves.
        self.state.expire_up_to(self.watermark);
        self.state.settle()
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key group the watermark; per partition: end of the window, key bytes, number of rows; per row: arrival, sort
    /// key, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        if !self.state.is_whole()? {
            self.state.in_each_group(&mut state, |out| write_i64(out, self.watermark));
            return Ok(Some(state));
        }
        for slot in self.state.slots() {
            let out = state.group(self.state.hash(slot));
            if out.is_empty() {
                write_i64(out, self.watermark);
            }
            write_i64(out, self.state.tag(slot));
            write_bytes(out, self.state.key(slot));
            self.state.values.write(slot, out);
        }
        Ok(Some(state))
    }

    fn segments(&self) -> Vec<Vec<LogPart>> {
        vec![self.state.parts()]
    }

    fn adopt(&mut self, tables: Vec<Vec<LogPart>>) -> Result<()> {
        self.state.expire_up_to(self.watermark);
        tables.into_iter().next().map_or(Ok(()), |parts| self.state.adopt(parts))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                let end = reader.i64()?;
                let slot = self.state.restore_slot(end, reader.bytes()?);
                self.state.values.read(slot, &mut reader)?;
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
