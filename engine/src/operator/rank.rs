//! The first rows of each partition by some order: Top-N, LIMIT, and keeping the last row of a key.
//!
//! Over bounded input the rows come once, at the end, in order. Otherwise the rows within the range of numbers are kept
//! up to date. Where the number of a row is part of the result, or the range does not begin at 1, every place whose row
//! changed gives `-U` and `+U`; else rows that leave give `-D` and rows that come in `+I`. Per batch and partition only
//! the net change is given.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{interleave, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use foldhash::fast::FixedState;

use super::ranked::{Held, NOT_COMING, Place, Ranked};
use super::stored_rows::{Change, RowCodec, SortCodec};
use super::{CHUNK_ROWS, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::SortKey;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_bytes,
    write_i64, write_u64,
};

/// Bookkeeping per row beside its bytes.
const PER_ROW: usize = 72;

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

#[derive(Default)]
struct Partition {
    rows: Ranked,
    arrivals: u64,
    used_ms: i64,
    /// The batch that touched it last.
    batch: u64,
}

/// By slot.
#[derive(Default)]
struct Partitions {
    partitions: SlotColumn<Partition>,
    latest_first: bool,
    held: u64,
    bytes: u64,
}

impl Partitions {
    fn insert(&mut self, slot: u32, place: Place, held: Held) {
        self.held += 1;
        self.bytes += (place.0.len() + held.bytes().len()) as u64;
        self.partitions[slot as usize].rows.insert(place, held);
    }

    fn removed(&mut self, place: &Place, held: &Held) {
        self.held -= 1;
        self.bytes -= (place.0.len() + held.bytes().len()) as u64;
    }

    /// What a batch brought has its bytes now, unless it is gone again.
    fn settle(&mut self, slot: u32, place: &Place, row: &[u8]) {
        let Some(held) = self.partitions[slot as usize].rows.get_mut(place) else { return };
        self.bytes += row.len() as u64;
        held.row = Some(row.into());
    }

    const fn arrival(&self, number: u64) -> u64 {
        if self.latest_first { u64::MAX - number } else { number }
    }
}

impl SlotValues for Partitions {
    fn grow(&mut self, capacity: usize) {
        self.partitions.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.partitions[slot as usize]);
        gone.rows.iter().for_each(|(place, held)| self.removed(place, held));
    }

    /// Last use, number of rows; per row: arrival, sort key, row bytes.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let partition = &self.partitions[slot as usize];
        write_i64(out, partition.used_ms);
        write_u64(out, partition.rows.len() as u64);
        for ((key, arrival), held) in partition.rows.iter() {
            write_u64(out, *arrival);
            write_bytes(out, key);
            write_bytes(out, held.bytes());
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
            let held = Held { row: Some(row.into()), coming: NOT_COMING };
            self.insert(slot, (key.into(), arrival), held);
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

/// A row within the range: its arrival, which no other row has, and what it is.
type Visible = (u64, Held);

pub struct Rank {
    spec: RankSpec,
    keys: KeyEncoder,
    sort: SortCodec,
    rows: RowCodec,
    state: Keyed<Partitions>,
    now_ms: i64,
    batch: u64,
}

/// What one batch does to the partitions.
#[derive(Default)]
struct Work {
    /// Partitions that changed, in the order of their first change, and what was within the range before.
    touched: Vec<(u32, std::ops::Range<usize>)>,
    before: Vec<Visible>,
    /// Rows that were taken in, some of which are gone again.
    taken: Vec<(u32, Place, u32)>,
}

/// Changes with the number of each.
#[derive(Default)]
struct Changes {
    changes: Vec<(RowKind, Held)>,
    numbers: Vec<i64>,
}

impl Changes {
    fn push(&mut self, kind: RowKind, row: &Held, number: u64) {
        self.changes.push((kind, row.clone()));
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
        visible(&self.spec, &self.state.values.partitions[slot as usize]).collect()
    }

    /// Before the first change of a partition in this batch.
    fn change(&mut self, slot: u32, work: &mut Work) {
        let partition = &mut self.state.values.partitions[slot as usize];
        if partition.batch == self.batch {
            return;
        }
        partition.batch = self.batch;
        let first = work.before.len();
        if !self.spec.at_end {
            work.before.extend(visible(&self.spec, partition));
        }
        work.touched.push((slot, first..work.before.len()));
    }

    /// Rows beyond the range can never come in when nothing is taken back.
    fn is_beyond(&self, slot: u32, key: &[u8]) -> bool {
        let (values, most) = (&self.state.values, usize::try_from(self.spec.to).unwrap_or(usize::MAX));
        let partition = &values.partitions[slot as usize];
        if self.spec.retracts || partition.rows.len() < most {
            return false;
        }
        let arrival = values.arrival(partition.arrivals);
        partition.rows.last().is_none_or(|(last, at)| (key, arrival) >= (&**last, *at))
    }

    fn add(&mut self, slot: u32, key: &[u8], held: Held, work: &mut Work) {
        let most = usize::try_from(self.spec.to).unwrap_or(usize::MAX);
        let values = &mut self.state.values;
        let partition = &mut values.partitions[slot as usize];
        let arrival = partition.arrivals;
        partition.arrivals += 1;
        if !self.spec.retracts
            && partition.rows.len() >= most
            && let Some((place, gone)) = partition.rows.pop_last()
        {
            values.removed(&place, &gone);
        }
        let place: Place = (key.into(), values.arrival(arrival));
        work.taken.push((slot, place.clone(), held.coming));
        values.insert(slot, place, held);
    }

    /// One equal row goes. What is not there cannot be taken back.
    fn take_back(&mut self, slot: u32, key: &[u8], row: &[u8]) {
        if let Some((place, gone)) = self.state.values.partitions[slot as usize].rows.take_equal(key, row) {
            self.state.values.removed(&place, &gone);
        }
    }

    /// Only rows that stayed are turned into bytes, unless all had to be.
    fn settle(&mut self, rows: &RecordBatch, encoded: bool, work: &mut Work) -> Result<()> {
        let partitions = &mut self.state.values.partitions;
        work.taken.retain(|(slot, place, _)| partitions[*slot as usize].rows.get_mut(place).is_some());
        if encoded || work.taken.is_empty() {
            return Ok(());
        }
        let stayed = UInt32Array::from_iter_values(work.taken.iter().map(|(_, _, row)| *row));
        let bytes = self.rows.encode(&take_record_batch(rows, &stayed)?)?;
        for (index, (slot, place, _)) in work.taken.iter().enumerate() {
            self.state.values.settle(*slot, place, bytes.row(index).data());
        }
        Ok(())
    }

    /// The batch is over: its rows are rows like all others.
    fn forget_batch(&mut self, work: &Work) {
        for (slot, place, _) in &work.taken {
            if let Some(held) = self.state.values.partitions[*slot as usize].rows.get_mut(place) {
                held.coming = NOT_COMING;
            }
        }
    }

    fn changes(&self, before: &[Visible], after: &[Visible], changes: &mut Changes) {
        let from = self.spec.from;
        if self.spec.by_place {
            for place in 0..before.len().max(after.len()) {
                let number = from + place as u64;
                match (before.get(place), after.get(place)) {
                    (Some((_, old)), Some((_, new))) if old.bytes() == new.bytes() => {}
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

    /// Rows of the batch are taken from its columns, others are made of their bytes.
    fn give(&self, changes: &Changes, batch: &RecordBatch, out: &mut dyn Output) -> Result<()> {
        for (index, piece) in changes.changes.chunks(CHUNK_ROWS).enumerate() {
            let mut kept: Vec<&[u8]> = Vec::new();
            let picks: Vec<(usize, usize)> = piece
                .iter()
                .map(|(_, held)| {
                    if held.coming != NOT_COMING {
                        return (0, held.coming as usize);
                    }
                    kept.push(held.bytes());
                    (1, kept.len() - 1)
                })
                .collect();
            let kept = self.rows.decode(kept.into_iter())?;
            let mut columns = Vec::with_capacity(self.spec.output.fields().len());
            for (coming, kept) in batch.columns().iter().zip(&kept) {
                columns.push(interleave(&[coming.as_ref(), kept.as_ref()], &picks)?);
            }
            let first = index * CHUNK_ROWS;
            columns.extend(self.spec.number.array(&changes.numbers[first..first + piece.len()]));
            let options = RecordBatchOptions::new().with_row_count(Some(piece.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?;
            out.emit(ChangeBatch::with_kinds(rows, piece.iter().map(|(kind, _)| *kind).collect()))?;
        }
        Ok(())
    }
}

fn visible<'a>(spec: &RankSpec, partition: &'a Partition) -> impl Iterator<Item = Visible> + 'a {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let take = number(spec.to.saturating_add(1).saturating_sub(spec.from));
    let rows = partition.rows.iter().skip(number(spec.from - 1)).take(take);
    rows.map(|((_, at), held)| (*at, held.clone()))
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
        let (keys, sort) = (self.keys.encode(&batch.rows)?, self.sort.encode(&batch.rows)?);
        // What may be taken back is found by its bytes.
        let rows = if self.spec.retracts { Some(self.rows.encode(&batch.rows)?) } else { None };
        let mut work = Work::default();
        self.batch += 1;
        for index in 0..batch.len() {
            let (slot, _) = self.state.slot(keys.key(index))?;
            self.state.touch(slot);
            self.state.values.partitions[slot as usize].used_ms = self.now_ms;
            let (adds, key) = (batch.kind(index).is_accumulate(), sort.key(index));
            if adds && self.is_beyond(slot, key) {
                continue;
            }
            self.change(slot, &mut work);
            let row = rows.as_ref().map(|rows| rows.row(index));
            if adds {
                let held = Held { row: row.map(|row| row.data().into()), coming: index as u32 };
                self.add(slot, key, held, &mut work);
            } else if let Some(row) = row {
                self.take_back(slot, key, row.data());
            }
        }
        self.settle(&batch.rows, rows.is_some(), &mut work)?;
        let mut changes = Changes::default();
        for (slot, before) in &work.touched {
            if !self.spec.at_end {
                self.changes(&work.before[before.clone()], &self.visible(*slot), &mut changes);
            }
            if self.state.values.partitions[*slot as usize].rows.is_empty() {
                self.state.remove(*slot);
            }
        }
        self.give(&changes, &batch.rows, out)?;
        self.forget_batch(&work);
        self.state.settle()
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        let (spec, rows) = (&self.spec, &self.rows);
        self.state.each_chunk(CHUNK_ROWS, |state, slots| {
            let (mut changes, mut numbers): (Vec<Change>, Vec<i64>) = Default::default();
            for slot in slots {
                let first = visible(spec, &state.values.partitions[*slot as usize]);
                for (number, (_, held)) in (spec.from..).zip(first) {
                    changes.extend(held.row.map(|row| (RowKind::Insert, row)));
                    numbers.push(i64::try_from(number).unwrap_or(i64::MAX));
                }
            }
            let complete = |range: std::ops::Range<usize>, columns: &mut Vec<ArrayRef>| {
                columns.extend(spec.number.array(&numbers[range]));
            };
            rows.give(&changes, &spec.output, complete, out)
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
