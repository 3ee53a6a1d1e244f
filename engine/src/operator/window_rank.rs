//! The first rows of each partition of a window, given once, when the watermark passes the window.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec, SortCodec};
use super::window_aggregate::event_times;
use super::{NumberColumn, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::SortKey;
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64, write_u64};
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

pub struct WindowRank {
    spec: WindowRankSpec,
    keys: KeyEncoder,
    sort: SortCodec,
    codec: RowCodec,
    /// By (end of the window, key).
    table: KeyTable,
    /// By slot.
    partitions: Vec<Rows>,
    /// Slots by the end of their window.
    windows: BTreeMap<i64, Vec<u32>>,
    arrivals: u64,
    held: u64,
    bytes: u64,
    watermark: i64,
    late: u64,
}

impl WindowRank {
    pub fn new(spec: WindowRankSpec) -> Result<Self> {
        Ok(WindowRank {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            sort: SortCodec::new(&spec.sort, &spec.input)?,
            codec: RowCodec::new(&spec.input)?,
            spec,
            table: KeyTable::default(),
            partitions: Vec::new(),
            windows: BTreeMap::new(),
            arrivals: 0,
            held: 0,
            bytes: 0,
            watermark: NO_WATERMARK,
            late: 0,
        })
    }

    fn slot(&mut self, end: i64, key: &[u8]) -> u32 {
        let (slot, new) = self.table.find_or_insert(end, hash_key(key), key);
        if new {
            let at = slot as usize;
            self.partitions.resize_with(self.partitions.len().max(at + 1), Rows::default);
            self.windows.entry(end).or_default().push(slot);
        }
        slot
    }

    fn add(&mut self, slot: u32, key: &[u8], arrival: u64, row: &[u8]) {
        let most = usize::try_from(self.spec.to).unwrap_or(usize::MAX);
        let rows = &mut self.partitions[slot as usize];
        if rows.len() >= most {
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
            let slot = self.slot(end, keys.key(index));
            let arrival = if self.spec.latest_first { u64::MAX - self.arrivals } else { self.arrivals };
            self.arrivals += 1;
            self.add(slot, sort.key(index), arrival, rows.row(index).data());
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        let (mut changes, mut numbers): (Vec<Change>, Vec<i64>) = Default::default();
        while let Some((&end, _)) = self.windows.first_key_value() {
            if last_instant(end, self.spec.zone) > watermark {
                break;
            }
            for slot in self.windows.remove(&end).unwrap_or_default() {
                let rows = std::mem::take(&mut self.partitions[slot as usize]);
                self.held -= rows.len() as u64;
                self.table.remove(slot);
                for (place, ((key, _), row)) in rows.into_iter().enumerate() {
                    self.bytes -= (key.len() + row.len()) as u64;
                    if place as u64 + 1 >= self.spec.from {
                        changes.push((RowKind::Insert, row));
                        numbers.push(place as i64 + 1);
                    }
                }
            }
        }
        let complete = |range: std::ops::Range<usize>, columns: &mut Vec<arrow::array::ArrayRef>| {
            columns.extend(self.spec.number.array(&numbers[range]));
        };
        self.codec.give(&changes, &self.spec.output, complete, out)
    }

    /// Per key group the watermark; per partition: end of the window, key bytes, number of rows; per row: arrival, sort
    /// key, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let out = state.group(self.table.hash(slot));
            if out.is_empty() {
                write_i64(out, self.watermark);
            }
            write_i64(out, self.table.tag(slot));
            write_bytes(out, self.table.key(slot));
            let rows = &self.partitions[slot as usize];
            write_u64(out, rows.len() as u64);
            for ((key, arrival), row) in rows {
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
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                let end = reader.i64()?;
                let slot = self.slot(end, reader.bytes()?);
                for _ in 0..reader.u64()? {
                    let arrival = reader.u64()?;
                    let came = if self.spec.latest_first { u64::MAX - arrival } else { arrival };
                    self.arrivals = self.arrivals.max(came + 1);
                    let (key, row) = (reader.bytes()?, reader.bytes()?);
                    self.add(slot, key, arrival, row);
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let partitions = (self.partitions.len() * size_of::<Rows>()) as u64;
        StateSize { rows: self.held, bytes: self.bytes + self.held * PER_ROW as u64 + self.table.bytes() + partitions }
    }

    fn late(&self) -> u64 {
        self.late
    }
}
