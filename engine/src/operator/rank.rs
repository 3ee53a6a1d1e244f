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

use super::stored_rows::{Change, RowCodec, SortCodec};
use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::SortKey;
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64, write_u64};

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

/// Sort key, then arrival.
type Place = (Box<[u8]>, u64);

#[derive(Default)]
struct Partition {
    rows: BTreeMap<Place, Arc<[u8]>>,
    used_ms: i64,
}

/// A row within the range: its arrival, which no other row has, and its bytes.
type Visible = (u64, Arc<[u8]>);

pub struct Rank {
    spec: RankSpec,
    keys: KeyEncoder,
    sort: SortCodec,
    rows: RowCodec,
    table: KeyTable,
    /// By slot.
    partitions: Vec<Partition>,
    arrivals: u64,
    held: u64,
    bytes: u64,
    now_ms: i64,
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
            spec,
            table: KeyTable::default(),
            partitions: Vec::new(),
            arrivals: 0,
            held: 0,
            bytes: 0,
            now_ms: 0,
        })
    }

    fn slot(&mut self, key: &[u8]) -> u32 {
        let (slot, new) = self.table.find_or_insert(0, hash_key(key), key);
        if new {
            let at = slot as usize;
            self.partitions.resize_with(self.partitions.len().max(at + 1), Partition::default);
            self.partitions[at] = Partition::default();
        }
        slot
    }

    fn visible(&self, slot: u32) -> Vec<Visible> {
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let take = number(self.spec.to.saturating_add(1).saturating_sub(self.spec.from));
        let rows = self.partitions[slot as usize].rows.iter();
        rows.skip(number(self.spec.from - 1)).take(take).map(|((_, at), row)| (*at, Arc::clone(row))).collect()
    }

    fn add(&mut self, slot: u32, key: &[u8], row: &[u8]) {
        let most = usize::try_from(self.spec.to).unwrap_or(usize::MAX);
        let arrival = if self.spec.latest_first { u64::MAX - self.arrivals } else { self.arrivals };
        let partition = &mut self.partitions[slot as usize];
        // Rows beyond the range can never come in when nothing is taken back.
        if !self.spec.retracts && partition.rows.len() >= most {
            let last = partition.rows.last_key_value().map(|((last, at), _)| (&**last, *at));
            if last.is_none_or(|last| (key, arrival) >= last) {
                return;
            }
            if let Some((place, gone)) = partition.rows.pop_last() {
                self.held -= 1;
                self.bytes -= (place.0.len() + gone.len()) as u64;
            }
        }
        self.held += 1;
        self.bytes += (key.len() + row.len()) as u64;
        partition.rows.insert((key.into(), arrival), row.into());
        self.arrivals += 1;
    }

    /// One equal row goes. What is not there cannot be taken back.
    fn take_back(&mut self, slot: u32, key: &[u8], row: &[u8]) {
        let rows = &mut self.partitions[slot as usize].rows;
        let (low, high): (Place, Place) = ((key.into(), 0), (key.into(), u64::MAX));
        let equal = rows.range(low..=high).find(|(_, held)| ***held == *row);
        if let Some(place) = equal.map(|(place, _)| place.clone())
            && let Some(gone) = rows.remove(&place)
        {
            self.held -= 1;
            self.bytes -= (place.0.len() + gone.len()) as u64;
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
        let stays: HashSet<u64> = after.iter().map(|(arrival, _)| *arrival).collect();
        for (arrival, row) in before {
            if !stays.contains(arrival) {
                changes.push(RowKind::Delete, row, 0);
            }
        }
        let was: HashSet<u64> = before.iter().map(|(arrival, _)| *arrival).collect();
        for (arrival, row) in after {
            if !was.contains(arrival) {
                changes.push(RowKind::Insert, row, 0);
            }
        }
    }

    fn give(&self, changes: &Changes, out: &mut dyn Output) -> Result<()> {
        let complete = |range: std::ops::Range<usize>, columns: &mut Vec<ArrayRef>| {
            columns.extend(self.spec.number.array(&changes.numbers[range]));
        };
        self.rows.give(&changes.changes, &self.spec.output, complete, out)
    }

    fn forget(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.partitions[slot as usize]);
        self.held -= gone.rows.len() as u64;
        self.bytes -= gone.rows.iter().map(|((key, _), row)| (key.len() + row.len()) as u64).sum::<u64>();
        self.table.remove(slot);
    }
}

impl Operator for Rank {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let (sort, rows) = (self.sort.encode(&batch.rows)?, self.rows.encode(&batch.rows)?);
        // In the order of their first row.
        let mut touched: Vec<(u32, Vec<Visible>)> = Vec::new();
        let mut known: HashSet<u32> = HashSet::new();
        for index in 0..batch.len() {
            let slot = self.slot(keys.key(index));
            self.partitions[slot as usize].used_ms = self.now_ms;
            if !self.spec.at_end && known.insert(slot) {
                touched.push((slot, self.visible(slot)));
            }
            if batch.kind(index).is_accumulate() {
                self.add(slot, sort.key(index), rows.row(index).data());
            } else {
                self.take_back(slot, sort.key(index), rows.row(index).data());
            }
        }
        let mut changes = Changes::default();
        for (slot, before) in touched {
            self.changes(&before, &self.visible(slot), &mut changes);
            if self.partitions[slot as usize].rows.is_empty() {
                self.forget(slot);
            }
        }
        self.give(&changes, out)
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        let mut changes = Changes::default();
        for slot in self.table.used() {
            for (place, (_, row)) in self.visible(slot).iter().enumerate() {
                changes.push(RowKind::Insert, row, self.spec.from + place as u64);
            }
        }
        self.give(&changes, out)
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        if self.spec.ttl_ms <= 0 {
            return;
        }
        let old = |slot: &u32| now_ms.saturating_sub(self.partitions[*slot as usize].used_ms) >= self.spec.ttl_ms;
        let gone: Vec<u32> = self.table.used().filter(old).collect();
        gone.into_iter().for_each(|slot| self.forget(slot));
    }

    /// Per partition: key bytes, last use, number of rows; per row: arrival, sort key, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let partition = &self.partitions[slot as usize];
            let out = state.group(self.table.hash(slot));
            write_bytes(out, self.table.key(slot));
            write_i64(out, partition.used_ms);
            write_u64(out, partition.rows.len() as u64);
            for ((key, arrival), row) in &partition.rows {
                write_u64(out, *arrival);
                write_bytes(out, key);
                write_bytes(out, row);
            }
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let slot = self.slot(reader.bytes()?);
                self.partitions[slot as usize].used_ms = reader.i64()?;
                for _ in 0..reader.u64()? {
                    let arrival = reader.u64()?;
                    let (key, row) = (reader.bytes()?, reader.bytes()?);
                    let came = if self.spec.latest_first { u64::MAX - arrival } else { arrival };
                    self.arrivals = self.arrivals.max(came + 1);
                    self.held += 1;
                    self.bytes += (key.len() + row.len()) as u64;
                    self.partitions[slot as usize].rows.insert((key.into(), arrival), row.into());
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let partitions = (self.partitions.len() * size_of::<Partition>()) as u64;
        let bytes = self.bytes + self.held * PER_ROW as u64 + self.table.bytes() + partitions;
        StateSize { rows: self.held, bytes }
    }
}
