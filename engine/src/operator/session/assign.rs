//! SESSION as a table: every row once, with the bounds of its session, when that is over.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::SchemaRef;

use super::book::{Merge, SessionBook};
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::operator::stored_rows::{Change, RowCodec};
use crate::operator::window_aggregate::event_times;
use crate::operator::window_assign::timestamps;
use crate::operator::{Operator, Output};
use crate::state::{KeyEncoder, KeyedState, Reader, StateSize, write_bytes, write_i64, write_u32, write_u64};

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

pub struct SessionAssign {
    spec: SessionAssignSpec,
    keys: KeyEncoder,
    codec: RowCodec,
    book: SessionBook,
    /// By slot.
    sessions: Vec<Vec<Held>>,
    arrivals: u64,
    rows: u64,
    bytes: u64,
}

impl SessionAssign {
    pub fn new(spec: SessionAssignSpec) -> Result<Self> {
        Ok(SessionAssign {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            codec: RowCodec::new(&spec.input)?,
            book: SessionBook::new(spec.gap, spec.zone),
            spec,
            sessions: Vec::new(),
            arrivals: 0,
            rows: 0,
            bytes: 0,
        })
    }

    fn hold(&mut self, slot: u32, arrival: u64, kind: RowKind, row: &[u8]) {
        let at = slot as usize;
        self.sessions.resize_with(self.sessions.len().max(at + 1), Vec::new);
        self.sessions[at].push((arrival, (kind, row.into())));
        self.arrivals = self.arrivals.max(arrival.saturating_add(1));
        self.rows += 1;
        self.bytes += row.len() as u64;
    }

    fn merge(&mut self, merges: &mut Vec<Merge>) {
        for merge in merges.drain(..) {
            let moved = std::mem::take(&mut self.sessions[merge.from as usize]);
            self.sessions[merge.into as usize].extend(moved);
            self.book.release(merge.from);
        }
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
            if let Some(slot) = self.book.place(keys.key(row), times.value(row), &mut merges) {
                self.hold(slot, self.arrivals, batch.kind(row), rows.row(row).data());
            }
            self.merge(&mut merges);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        let over = self.book.advance(watermark);
        let mut changes: Vec<Change> = Vec::new();
        let mut bounds: [Vec<i64>; 3] = Default::default();
        for over in over {
            let (session, last) = (over.session, self.book.last_instant(over.session.end));
            let mut held = std::mem::take(&mut self.sessions[session.slot as usize]);
            held.sort_by_key(|(arrival, _)| *arrival);
            self.rows -= held.len() as u64;
            for (_, change) in held {
                self.bytes -= change.1.len() as u64;
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

    /// Per key group the watermark; per key: key bytes, number of sessions; of each: start, end, number of rows; of each:
    /// arrival, kind, bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for (hash, key, sessions) in self.book.keys() {
            let out = state.group(hash);
            if out.is_empty() {
                write_i64(out, self.book.watermark());
            }
            write_bytes(out, key);
            write_u32(out, sessions.len() as u32);
            for session in sessions {
                let held = self.sessions.get(session.slot as usize).map_or(&[][..], Vec::as_slice);
                write_i64(out, session.start);
                write_i64(out, session.end);
                write_u64(out, held.len() as u64);
                for (arrival, (kind, row)) in held {
                    write_u64(out, *arrival);
                    out.push(*kind as u8);
                    write_bytes(out, row);
                }
            }
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.book.restore_watermark(reader.i64()?);
            while !reader.is_empty() {
                let key = reader.bytes()?;
                for _ in 0..reader.u32()? {
                    let (start, end) = (reader.i64()?, reader.i64()?);
                    let slot = self.book.restore(key, start, end);
                    for _ in 0..reader.u64()? {
                        let (arrival, kind) = (reader.u64()?, RowKind::from_byte(reader.u8()?));
                        let kind = kind.ok_or_else(|| EngineError::internal("a stored row has no kind"))?;
                        self.hold(slot, arrival, kind, reader.bytes()?);
                    }
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let sessions = (self.sessions.len() * size_of::<Vec<Held>>()) as u64;
        let rows = self.bytes + self.rows * PER_ROW as u64;
        StateSize { rows: self.rows, bytes: self.book.bytes() + rows + sessions }
    }

    fn late(&self) -> u64 {
        self.book.late()
    }
}
