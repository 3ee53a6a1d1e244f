//! SESSION as a table: every row once, with the bounds of its session, when that is over.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::SchemaRef;

use super::book::{Contents, Merge, SessionBook};
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::operator::stored_rows::{Change, RowCodec};
use crate::operator::window_aggregate::event_times;
use crate::operator::window_assign::timestamps;
use crate::operator::{CHUNK_ROWS, Operator, Output};
use crate::state::{
    KeyEncoder, KeyedState, LogPart, Reader, SlotColumn, StatePlace, StateSize, write_bytes, write_u64,
};

const PER_ROW: usize = 48;

pub struct SessionAssignSpec {
    /// Milliseconds.
    pub gap: i64,
    /// Set for `TIMESTAMP_LTZ`: bounds are local times of this zone.
    pub zone: Option<chrono_tz::Tz>,
    pub time_column: usize,
    pub partition: Vec<usize>,
    pub input: SchemaRef,
    /// The input followed by start, end and last instant of the window.
    pub output: SchemaRef,
}

/// Arrival, and the row.
type Held = (u64, Change);

/// By slot of the session.
#[derive(Default)]
struct HeldRows {
    sessions: SlotColumn<Vec<Held>>,
    arrivals: u64,
    rows: u64,
    bytes: u64,
}

impl HeldRows {
    fn hold(&mut self, slot: u32, arrival: u64, kind: RowKind, row: &[u8]) {
        self.sessions[slot as usize].push((arrival, (kind, row.into())));
        self.arrivals = self.arrivals.max(arrival.saturating_add(1));
        self.rows += 1;
        self.bytes += row.len() as u64;
    }

    /// All rows of a session, as they came.
    fn take(&mut self, slot: u32) -> Vec<Held> {
        let mut held = std::mem::take(&mut self.sessions[slot as usize]);
        held.sort_by_key(|(arrival, _)| *arrival);
        self.rows -= held.len() as u64;
        self.bytes -= held.iter().map(|(_, (_, row))| row.len() as u64).sum::<u64>();
        held
    }
}

impl Contents for HeldRows {
    fn grow(&mut self, capacity: usize) {
        self.sessions.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.take(slot);
    }

    /// Number of rows; of each: arrival, kind, bytes.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let held = &self.sessions[slot as usize];
        write_u64(out, held.len() as u64);
        for (arrival, (kind, row)) in held {
            write_u64(out, *arrival);
            out.push(*kind as u8);
            write_bytes(out, row);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        for _ in 0..from.u64()? {
            let (arrival, kind) = (from.u64()?, RowKind::from_byte(from.u8()?));
            let kind = kind.ok_or_else(|| EngineError::internal("a stored row has no kind"))?;
            self.hold(slot, arrival, kind, from.bytes()?);
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.bytes + self.rows * PER_ROW as u64 + (self.sessions.len() * size_of::<Vec<Held>>()) as u64
    }
}

pub struct SessionAssign {
    spec: SessionAssignSpec,
    keys: KeyEncoder,
    codec: RowCodec,
    book: SessionBook<HeldRows>,
}

impl SessionAssign {
    pub fn new(spec: SessionAssignSpec) -> Result<Self> {
        Ok(SessionAssign {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            codec: RowCodec::new(&spec.input)?,
            book: SessionBook::new(spec.gap, spec.zone, HeldRows::default()),
            spec,
        })
    }

    fn merge(&mut self, merges: &mut Vec<Merge>) {
        for merge in merges.drain(..) {
            let sessions = &mut self.book.contents_mut().sessions;
            let moved = std::mem::take(&mut sessions[merge.from as usize]);
            sessions[merge.into as usize].extend(moved);
            self.book.release(merge.from);
        }
    }

    /// Gives the rows of the sessions in memory that are over.
    fn give(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        let over = self.book.advance(watermark);
        let mut changes: Vec<Change> = Vec::new();
        let mut bounds: [Vec<i64>; 3] = Default::default();
        for over in over {
            let (session, last) = (over.session, self.book.last_instant(over.session.end));
            for (_, change) in self.book.contents_mut().take(session.slot) {
                changes.push(change);
                for (column, value) in bounds.iter_mut().zip([session.start, session.end, last]) {
                    column.push(value);
                }
            }
            self.book.release(session.slot);
            self.book.forget(over.key);
        }
        let first = self.spec.input.fields().len();
        let complete = |range: std::ops::Range<usize>, columns: &mut Vec<ArrayRef>| {
            for (place, values) in bounds.iter().enumerate() {
                let ty = self.spec.output.field(first + place).data_type();
                columns.push(timestamps(values[range.clone()].to_vec(), ty));
            }
        };
        self.codec.give(&changes, &self.spec.output, complete, out)
    }
}

impl Operator for SessionAssign {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let (keys, rows) = (self.keys.encode(&batch.rows)?, self.codec.encode(&batch.rows)?);
        let times = event_times(&batch.rows, self.spec.time_column)?;
        let mut merges = Vec::new();
        for row in 0..batch.len() {
            if !times.is_valid(row) {
                continue;
            }
            if let Some(slot) = self.book.place(keys.key(row), times.value(row), &mut merges)? {
                let held = self.book.contents_mut();
                held.hold(slot, held.arrivals, batch.kind(row), rows.row(row).data());
            }
            self.merge(&mut merges);
        }
        self.book.settle()
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.give(watermark, out)?;
        let mut waking = self.book.waking()?;
        while self.book.wake(&mut waking, CHUNK_ROWS)? {
            self.give(watermark, out)?;
        }
        self.book.settle()
    }

    fn attach(&mut self, place: StatePlace) {
        self.book.attach(place);
    }

    /// Per key group the watermark; per key: key bytes, number of sessions; of each: start, end, number of rows; of each:
    /// arrival, kind, bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        self.book.snapshot().map(Some)
    }

    fn segments(&self) -> Vec<Vec<LogPart>> {
        vec![self.book.parts()]
    }

    fn adopt(&mut self, tables: Vec<Vec<LogPart>>) -> Result<()> {
        tables.into_iter().next().map_or(Ok(()), |parts| self.book.adopt(parts))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        self.book.restore(&state)
    }

    fn size(&self) -> StateSize {
        self.book.size()
    }

    fn late(&self) -> u64 {
        self.book.late()
    }
}
