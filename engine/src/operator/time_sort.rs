//! ORDER BY event time over a stream: rows wait for the watermark and leave in order. As in Flink, a row is late only when
//! one of its time or later has left already.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec, SortCodec};
use super::window_aggregate::event_times;
use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::SortKey;
use crate::state::{KeyedState, Reader, StateSize, write_bytes, write_i64, write_u64};
use crate::time::NO_WATERMARK;

const PER_ROW: usize = 64;

pub struct TimeSortSpec {
    /// The first is the event time, ascending.
    pub sort: Vec<SortKey>,
    pub time_column: usize,
    pub schema: SchemaRef,
}

/// Event time, the other sort keys, arrival.
type Place = (i64, Box<[u8]>, u64);

pub struct TimeSort {
    spec: TimeSortSpec,
    sort: SortCodec,
    codec: RowCodec,
    rows: BTreeMap<Place, Arc<[u8]>>,
    arrivals: u64,
    bytes: u64,
    /// The time of the last row that left.
    last: i64,
    late: u64,
}

impl TimeSort {
    pub fn new(spec: TimeSortSpec) -> Result<Self> {
        Ok(TimeSort {
            sort: SortCodec::new(spec.sort.get(1..).unwrap_or_default(), &spec.schema)?,
            codec: RowCodec::new(&spec.schema)?,
            spec,
            rows: BTreeMap::new(),
            arrivals: 0,
            bytes: 0,
            last: NO_WATERMARK,
            late: 0,
        })
    }
}

impl Operator for TimeSort {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let (sort, rows) = (self.sort.encode(&batch.rows)?, self.codec.encode(&batch.rows)?);
        let times = event_times(&batch.rows, self.spec.time_column)?;
        for index in 0..batch.len() {
            let time = times.value(index);
            if time <= self.last {
                self.late += 1;
                continue;
            }
            let (key, row) = (sort.key(index), rows.row(index).data());
            self.bytes += (key.len() + row.len()) as u64;
            self.rows.insert((time, key.into(), self.arrivals), row.into());
            self.arrivals += 1;
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        let mut changes: Vec<Change> = Vec::new();
        while let Some(first) = self.rows.first_entry().filter(|first| first.key().0 <= watermark) {
            let ((time, key, _), row) = first.remove_entry();
            self.last = time;
            self.bytes -= (key.len() + row.len()) as u64;
            changes.push((RowKind::Insert, row));
        }
        self.codec.give_plain(&changes, out)
    }

    /// One task holds all: everything is in the first key group. The time of the last row that left; per row:
    /// time, arrival, sort key, row.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        let out = state.group(0);
        write_i64(out, self.last);
        for ((time, key, arrival), row) in &self.rows {
            write_i64(out, *time);
            write_u64(out, *arrival);
            write_bytes(out, key);
            write_bytes(out, row);
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.last = self.last.max(reader.i64()?);
            while !reader.is_empty() {
                let (time, arrival) = (reader.i64()?, reader.u64()?);
                let (key, row) = (reader.bytes()?, reader.bytes()?);
                self.arrivals = self.arrivals.max(arrival + 1);
                self.bytes += (key.len() + row.len()) as u64;
                self.rows.insert((time, key.into(), arrival), row.into());
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let rows = self.rows.len() as u64;
        StateSize { rows, bytes: self.bytes + rows * PER_ROW as u64 }
    }

    fn late(&self) -> u64 {
        self.late
    }
}
