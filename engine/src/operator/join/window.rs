//! Joins of rows of the same window, given once, when the watermark passes it.
//!
//! Until then the rows of each window are only kept. Then they are joined as bounded input is.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};

use super::{Join, JoinSpec, LEFT, RIGHT};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::operator::stored_rows::RowCodec;
use crate::operator::window_aggregate::event_times;
use crate::operator::{Operator, Output};
use crate::plan::logical::JoinKind;
use crate::state::{KeyEncoder, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64, write_u64};
use crate::time::NO_WATERMARK;
use crate::time::window::last_instant;

const PER_ROW: usize = 48;

pub struct WindowJoinSpec {
    pub join: JoinSpec,
    /// Columns with the window's end, left and right.
    pub ends: [usize; 2],
    /// The zone whose local times the bounds are.
    pub zone: Option<chrono_tz::Tz>,
}

/// Rows of both sides, each with the hash of its key, which decides its key group.
type Rows = [Vec<(u64, Arc<[u8]>)>; 2];

pub struct WindowJoin {
    spec: WindowJoinSpec,
    keys: [KeyEncoder; 2],
    codecs: [RowCodec; 2],
    /// By the window's end.
    windows: BTreeMap<i64, Rows>,
    rows: u64,
    bytes: u64,
    watermark: i64,
    late: u64,
}

impl WindowJoin {
    pub fn new(mut spec: WindowJoinSpec) -> Result<Self> {
        spec.join.at_end = spec.join.kind != JoinKind::Inner;
        let left: Vec<usize> = spec.join.keys.iter().map(|key| key.left).collect();
        let right: Vec<usize> = spec.join.keys.iter().map(|key| key.right).collect();
        Ok(WindowJoin {
            keys: [KeyEncoder::new(&spec.join.left, &left)?, KeyEncoder::new(&spec.join.right, &right)?],
            codecs: [RowCodec::new(&spec.join.left)?, RowCodec::new(&spec.join.right)?],
            spec,
            windows: BTreeMap::new(),
            rows: 0,
            bytes: 0,
            watermark: NO_WATERMARK,
            late: 0,
        })
    }

    fn add(&mut self, end: i64, side: usize, hash: u64, row: &[u8]) {
        self.rows += 1;
        self.bytes += row.len() as u64;
        self.windows.entry(end).or_default()[side].push((hash, row.into()));
    }

    fn fire(&self, rows: &Rows, out: &mut dyn Output) -> Result<()> {
        let mut join = Join::new(self.spec.join.clone())?;
        for side in [LEFT, RIGHT] {
            let schema = if side == LEFT { &self.spec.join.left } else { &self.spec.join.right };
            for rows in rows[side].chunks(crate::operator::CHUNK_ROWS) {
                let columns = self.codecs[side].decode(rows.iter().map(|(_, row)| &**row))?;
                let batch = ChangeBatch::inserts(RecordBatch::try_new(Arc::clone(schema), columns)?);
                join.process(side, batch, out)?;
            }
        }
        join.end(out)
    }
}

impl Operator for WindowJoin {
    fn process(&mut self, input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let side = input.min(RIGHT);
        let keys = self.keys[side].encode(&batch.rows)?;
        let rows = self.codecs[side].encode(&batch.rows)?;
        let ends = event_times(&batch.rows, self.spec.ends[side])?;
        for row in 0..batch.len() {
            if !ends.is_valid(row) {
                continue;
            }
            let end = ends.value(row);
            if last_instant(end, self.spec.zone) <= self.watermark {
                self.late += 1;
                continue;
            }
            self.add(end, side, hash_key(keys.key(row)), rows.row(row).data());
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        while let Some(first) = self.windows.first_entry() {
            if last_instant(*first.key(), self.spec.zone) > watermark {
                break;
            }
            let rows = first.remove();
            self.rows -= rows.iter().map(|side| side.len() as u64).sum::<u64>();
            self.bytes -= rows.iter().flatten().map(|(_, row)| row.len() as u64).sum::<u64>();
            self.fire(&rows, out)?;
        }
        Ok(())
    }

    /// Per key group the watermark; per row: the window's end, side, hash of the key, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for (end, sides) in &self.windows {
            for (side, rows) in sides.iter().enumerate() {
                for (hash, row) in rows {
                    let out = state.group(*hash);
                    if out.is_empty() {
                        write_i64(out, self.watermark);
                    }
                    write_i64(out, *end);
                    write_u64(out, side as u64);
                    write_u64(out, *hash);
                    write_bytes(out, row);
                }
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
                let side = usize::from(reader.u64()? != 0);
                let hash = reader.u64()?;
                self.add(end, side, hash, reader.bytes()?);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize { rows: self.rows, bytes: self.bytes + self.rows * PER_ROW as u64 }
    }

    fn late(&self) -> u64 {
        self.late
    }
}
