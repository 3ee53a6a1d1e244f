//! The first rows of each partition by some order: Top-N, LIMIT, and keeping the last row of a key.
//!
//! Over bounded input the rows come once, at the end, in order. Otherwise the rows within the range of numbers are kept
//! up to date. Where the number of a row is part of the result, or the range does not begin at 1, every place whose row
//! changed gives `-U` and `+U`; else rows that leave give `-D` and rows that come in `+I`. Per batch and partition only
//! the net change is given.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, new_null_array};
use arrow::datatypes::{DataType, SchemaRef};
use foldhash::fast::FixedState;

use super::stored_rows::{Change, RowCodec, SortCodec};
use super::{CHUNK_ROWS, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::SortKey;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, Reader, SlotValues, StatePlace, StateSize, write_bytes, write_i64,
    write_u64,
};

/// Bookkeeping per row beside its bytes.
const PER_ROW: usize = 64;

/// What stands behind the columns of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberColumn {
    /// Nothing.
    Absent,
    /// A column that nobody reads.
    Unread,
    Given,
}

impl NumberColumn {
    /// The column for rows with these numbers.
    pub(super) fn array(self, numbers: &[i64]) -> Option<ArrayRef> {
        match self {
            NumberColumn::Absent => None,
            NumberColumn::Unread => Some(new_null_array(&DataType::Int64, numbers.len())),
            NumberColumn::Given => Some(Arc::new(Int64Array::from(numbers.to_vec()))),
        }
    }
}

pub struct RankSpec {
    pub partition: Vec<usize>,
    pub sort: Vec<SortKey>,
    /// First and last number that is given, counted from 1.
    pub from: u64,
    pub to: u64,
    pub number: NumberColumn,
    /// Among equal sort keys the row that came last goes first.
    pub latest_first: bool,
    /// Rows change places instead of coming and going.
    pub by_place: bool,
    pub input: SchemaRef,
    pub output: SchemaRef,
    /// Rows may be taken back.
    pub retracts: bool,
    /// Milliseconds of not being touched after which a partition is forgotten; 0 keeps it.
    pub ttl_ms: i64,
    pub at_end: bool,
}

/// Sort key, then arrival, which counts within the partition.
type Place = (Box<[u8]>, u64);

#[derive(Default)]
struct Partition {
    rows: BTreeMap<Place, Arc<[u8]>>,
    arrivals: u64,
    used_ms: i64,
    /// The batch that touched it last.
    batch: u64,
}

/// By slot.
#[derive(Default)]
struct Partitions {
    partitions: Vec<Partition>,
    latest_first: bool,
    held: u64,
    bytes: u64,
}

impl Partitions {
    fn insert(&mut self, slot: u32, place: Place, row: Arc<[u8]>) {
        self.held += 1;
        self.bytes += (place.0.len() + row.len()) as u64;
        self.partitions[slot as usize].rows.insert(place, row);
    }

    fn removed(&mut self, place: &Place, row: &[u8]) {
        self.held -= 1;
        self.bytes -= (place.0.len() + row.len()) as u64;
    }

    const fn arrival(&self, number: u64) -> u64 {
        if self.latest_first { u64::MAX - number } else { number }
    }
}

impl SlotValues for Partitions {
    fn grow(&mut self, capacity: usize) {
        if self.partitions.len() < capacity {
            self.partitions.resize_with(capacity, Partition::default);
        }
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.partitions[slot as usize]);
        gone.rows.iter().for_each(|(place, row)| self.removed(place, row));
    }

    /// Last use, number of rows; per row: arrival, sort key, row bytes.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let partition = &self.partitions[slot as usize];
        write_i64(out, partition.used_ms);
        write_u64(out, partition.rows.len() as u64);
        for ((key, arrival), row) in &partition.rows {
            write_u64(out, *arrival);
            write_bytes(out, key);
            write_bytes(out, row);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.partitions[slot as usize].used_ms = from.i64()?;
        for _ in 0..from.u64()? {
            let arrival = from.u64()?;
            let (key, row) = (from.bytes()?, from.bytes()?);
            // Its own inverse.
            let came = self.arrival(arrival);
            let partition = &mut self.partitions[slot as usize];
            partition.arrivals = partition.arrivals.max(came + 1);
            self.insert(slot, (key.into(), arrival), row.into());
        }
        Ok(())
    }

    fn used_ms(&self, slot: u32) -> i64 {
        self.partitions[slot as usize].used_ms
    }

    fn bytes(&self) -> u64 {
        self.bytes + self.held * PER_ROW as u64 + (self.partitions.len() * size_of::<Partition>()) as u64
    }
}

/// A row within the range: its arrival, which no other row has, and its bytes.
type Visible = (u64, Arc<[u8]>);

pub struct Rank {
    spec: RankSpec,
    keys: KeyEncoder,
    sort: SortCodec,
    rows: RowCodec,
    state: Keyed<Partitions>,
    now_ms: i64,
    batch: u64,
}

/// Changes with the number of each.
#[derive(Default)]
struct Changes {
    changes: Vec<Change>,
    numbers: Vec<i64>,
}

impl Changes {
    fn push(&mut self, kind: RowKind, row: &Arc<[u8]>, number: u64) {
        self.changes.push((kind, Arc::clone(row)));
        self.numbers.push(i64::try_from(number).unwrap_or(i64::MAX));
    }
}

impl Rank {
    pub fn new(spec: RankSpec) -> Result<Self> {
        Ok(Rank {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            sort: SortCodec::new(&spec.sort, &spec.input)?,
            rows: RowCodec::new(&spec.input)?,
            state: Keyed::new(Partitions { latest_first: spec.latest_first, ..Partitions::default() }),
            spec,
            now_ms: 0,
            batch: 0,
        })
    }

    fn visible(&self, slot: u32) -> Vec<Visible> {
        visible(&self.spec, &self.state.values.partitions[slot as usize])
    }

    fn add(&mut self, slot: u32, key: &[u8], row: &[u8]) {
        let most = usize::try_from(self.spec.to).unwrap_or(usize::MAX);
        let arrival = self.state.values.arrival(self.state.values.partitions[slot as usize].arrivals);
        let partition = &mut self.state.values.partitions[slot as usize];
        // Rows beyond the range can never come in when nothing is taken back.
        if !self.spec.retracts && partition.rows.len() >= most {
            let last = partition.rows.last_key_value().map(|((last, at), _)| (&**last, *at));
            if last.is_none_or(|last| (key, arrival) >= last) {
                return;
            }
            if let Some((place, gone)) = partition.rows.pop_last() {
                self.state.values.removed(&place, &gone);
            }
        }
        self.state.values.partitions[slot as usize].arrivals += 1;
        self.state.values.insert(slot, (key.into(), arrival), row.into());
    }

    /// One equal row goes. What is not there cannot be taken back.
    fn take_back(&mut self, slot: u32, key: &[u8], row: &[u8]) {
        let rows = &mut self.state.values.partitions[slot as usize].rows;
        let (low, high): (Place, Place) = ((key.into(), 0), (key.into(), u64::MAX));
        let equal = rows.range(low..=high).find(|(_, held)| ***held == *row);
        if let Some(place) = equal.map(|(place, _)| place.clone())
            && let Some(gone) = rows.remove(&place)
        {
            self.state.values.removed(&place, &gone);
        }
    }

    fn changes(&self, before: &[Visible], after: &[Visible], changes: &mut Changes) {
        let from = self.spec.from;
        if self.spec.by_place {
            for place in 0..before.len().max(after.len()) {
                let number = from + place as u64;
                match (before.get(place), after.get(place)) {
                    (Some((_, old)), Some((_, new))) if old == new => {}
                    (Some((_, old)), Some((_, new))) => {
                        changes.push(RowKind::UpdateBefore, old, number);
                        changes.push(RowKind::UpdateAfter, new, number);
                    }
                    (Some((_, old)), None) => changes.push(RowKind::Delete, old, number),
                    (None, Some((_, new))) => changes.push(RowKind::Insert, new, number),
                    (None, None) => {}
                }
            }
            return;
        }
        let stays = Arrivals::of(after);
        for (arrival, row) in before {
            if !stays.has(*arrival) {
                changes.push(RowKind::Delete, row, 0);
            }
        }
        let was = Arrivals::of(before);
        for (arrival, row) in after {
            if !was.has(*arrival) {
                changes.push(RowKind::Insert, row, 0);
            }
        }
    }

    fn give(&self, changes: &Changes, out: &mut dyn Output) -> Result<()> {
        give(&self.spec, &self.rows, changes, out)
    }
}

fn give(spec: &RankSpec, rows: &RowCodec, changes: &Changes, out: &mut dyn Output) -> Result<()> {
    let complete = |range: std::ops::Range<usize>, columns: &mut Vec<ArrayRef>| {
        columns.extend(spec.number.array(&changes.numbers[range]));
    };
    rows.give(&changes.changes, &spec.output, complete, out)
}

fn visible(spec: &RankSpec, partition: &Partition) -> Vec<Visible> {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let take = number(spec.to.saturating_add(1).saturating_sub(spec.from));
    let rows = partition.rows.iter().skip(number(spec.from - 1)).take(take);
    rows.map(|((_, at), row)| (*at, Arc::clone(row))).collect()
}

/// Which rows are there. Mostly so few that looking through them is fastest.
enum Arrivals<'a> {
    Few(&'a [Visible]),
    Many(HashSet<u64, FixedState>),
}

impl<'a> Arrivals<'a> {
    fn of(rows: &'a [Visible]) -> Self {
        const FEW: usize = 16;
        if rows.len() <= FEW {
            return Arrivals::Few(rows);
        }
        Arrivals::Many(rows.iter().map(|(arrival, _)| *arrival).collect())
    }

    fn has(&self, wanted: u64) -> bool {
        match self {
            Arrivals::Few(rows) => rows.iter().any(|(arrival, _)| *arrival == wanted),
            Arrivals::Many(arrivals) => arrivals.contains(&wanted),
        }
    }
}

impl Operator for Rank {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let (sort, rows) = (self.sort.encode(&batch.rows)?, self.rows.encode(&batch.rows)?);
        // In the order of their first row.
        let mut touched: Vec<(u32, Vec<Visible>)> = Vec::new();
        self.batch += 1;
        for index in 0..batch.len() {
            let (slot, _) = self.state.slot(keys.key(index))?;
            self.state.touch(slot);
            let partition = &mut self.state.values.partitions[slot as usize];
            partition.used_ms = self.now_ms;
            if partition.batch != self.batch {
                partition.batch = self.batch;
                touched.push((slot, if self.spec.at_end { Vec::new() } else { self.visible(slot) }));
            }
            if batch.kind(index).is_accumulate() {
                self.add(slot, sort.key(index), rows.row(index).data());
            } else {
                self.take_back(slot, sort.key(index), rows.row(index).data());
            }
        }
        let mut changes = Changes::default();
        for (slot, before) in touched {
            if !self.spec.at_end {
                self.changes(&before, &self.visible(slot), &mut changes);
            }
            if self.state.values.partitions[slot as usize].rows.is_empty() {
                self.state.remove(slot);
            }
        }
        self.give(&changes, out)?;
        self.state.settle()
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        let (spec, rows) = (&self.spec, &self.rows);
        self.state.each_chunk(CHUNK_ROWS, |state, slots| {
            let mut changes = Changes::default();
            for slot in slots {
                let first = visible(spec, &state.values.partitions[*slot as usize]);
                for (place, (_, row)) in first.iter().enumerate() {
                    changes.push(RowKind::Insert, row, spec.from + place as u64);
                }
            }
            give(spec, rows, &changes, out)
        })
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        let ttl_ms = self.spec.ttl_ms;
        self.state.expire(now_ms, ttl_ms, |values, slot| now_ms.saturating_sub(values.used_ms(slot)) >= ttl_ms);
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per partition: key bytes and what [`Partitions`] writes.
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

    fn size(&self) -> StateSize {
        // Rows, of which those on disk are not known one by one.
        StateSize { rows: self.state.values.held.max(self.state.size().rows), ..self.state.size() }
    }
}
