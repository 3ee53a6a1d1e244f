//! Aggregation per window: each window gives its result once, when the watermark passes its last instant.
//!
//! Rows are added to panes (see [`crate::time::window`]); a window that fires merges its panes. A row is late, and
//! dropped, only when every window that holds it has fired. Windows given as columns are panes of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, TimestampMillisecondArray};
use arrow::datatypes::{SchemaRef, TimestampMillisecondType};

use super::aggregate::{AccumulatorSet, Update};
use super::window_assign::timestamps;
use super::{CHUNK_ROWS, Operator, Output};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::plan::logical::AggregateCall;
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64};
use crate::time::NO_WATERMARK;
use crate::time::window::{Window, Windows};

pub struct WindowAggregateSpec {
    pub windows: Windows,
    pub input_columns: WindowColumns,
    /// Output columns that stand before the results.
    pub group: Vec<GroupColumn>,
    /// Input columns of the keys, as `GroupColumn::Key` numbers them.
    pub keys: Vec<usize>,
    pub calls: Vec<AggregateCall>,
    pub input: SchemaRef,
    pub output: SchemaRef,
    pub retracts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowColumns {
    /// Windows follow from this event time.
    Time(usize),
    /// Windows are these two columns.
    Bounds { start: usize, end: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupColumn {
    Key(usize),
    Start,
    End,
    /// The last instant of the window.
    Time,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PaneState {
    Open,
    /// Every window that holds it has fired.
    Late,
    /// Between the windows of a hop that is wider than its size.
    InNoWindow,
}

/// Marks merged results while a window fires; no pane starts there.
const MERGED: i64 = i64::MIN;

pub struct WindowAggregate {
    spec: WindowAggregateSpec,
    keys: KeyEncoder,
    table: KeyTable,
    values: AccumulatorSet,
    /// Rows per slot.
    rows: Vec<i64>,
    panes: BTreeMap<i64, Vec<u32>>,
    /// Windows that hold a pane and have not fired, by when they do.
    pending: BTreeSet<(i64, Window)>,
    watermark: i64,
    late: u64,
}

impl WindowAggregate {
    pub fn new(spec: WindowAggregateSpec) -> Result<Self> {
        Ok(WindowAggregate {
            keys: KeyEncoder::new(&spec.input, &spec.keys)?,
            values: AccumulatorSet::new(&spec.calls, &spec.input, spec.retracts)?,
            spec,
            table: KeyTable::default(),
            rows: Vec::new(),
            panes: BTreeMap::new(),
            pending: BTreeSet::new(),
            watermark: NO_WATERMARK,
            late: 0,
        })
    }

    /// Whether rows of this pane still count. A new pane announces its windows.
    fn open(&mut self, pane: i64, windows: &[Window]) -> PaneState {
        if self.panes.contains_key(&pane) {
            return PaneState::Open;
        }
        if windows.is_empty() {
            return PaneState::InNoWindow;
        }
        let open: Vec<_> = windows
            .iter()
            .map(|window| (self.spec.windows.last_instant(window.end), *window))
            .filter(|(last, _)| *last > self.watermark)
            .collect();
        if open.is_empty() {
            return PaneState::Late;
        }
        self.pending.extend(open);
        self.panes.insert(pane, Vec::new());
        PaneState::Open
    }

    fn windows_of(&self, pane: i64) -> Vec<Window> {
        let mut windows = Vec::new();
        self.spec.windows.windows_at(pane, |window| windows.push(window));
        windows
    }

    /// Finds the slot of (pane, key) and counts the row there.
    fn slot(&mut self, pane: i64, key: &[u8], change: i64) -> u32 {
        let (slot, new) = self.table.find_or_insert(pane, hash_key(key), key);
        let at = slot as usize;
        if new {
            self.rows.resize(self.rows.len().max(at + 1), 0);
            self.rows[at] = 0;
            self.values.grow(at + 1);
            self.values.clear(slot);
            if pane != MERGED
                && let Some(slots) = self.panes.get_mut(&pane)
            {
                slots.push(slot);
            }
        }
        self.rows[at] += change;
        slot
    }

    fn fire(&mut self, window: Window, out: &mut dyn Output) -> Result<()> {
        let panes: Vec<i64> = match self.spec.input_columns {
            WindowColumns::Time(_) => self.panes.range(window.start..window.end).map(|(pane, _)| *pane).collect(),
            WindowColumns::Bounds { .. } => vec![window.end],
        };
        let slots = match panes.as_slice() {
            [] => return Ok(()),
            [pane] => self.panes.get(pane).cloned().unwrap_or_default(),
            panes => self.merge(panes)?,
        };
        let given: Vec<u32> = slots.iter().copied().filter(|slot| self.rows[*slot as usize] > 0).collect();
        for slots in given.chunks(CHUNK_ROWS) {
            self.emit(window, slots, out)?;
        }
        if panes.len() > 1 {
            slots.into_iter().for_each(|slot| self.free(slot));
        }
        Ok(())
    }

    fn merge(&mut self, panes: &[i64]) -> Result<Vec<u32>> {
        let (mut into, mut from, mut merged) = (Vec::new(), Vec::new(), Vec::new());
        for pane in panes {
            for slot in self.panes.get(pane).cloned().unwrap_or_default() {
                let key: Box<[u8]> = self.table.key(slot).into();
                let known = self.table.len();
                let target = self.slot(MERGED, &key, self.rows[slot as usize]);
                if self.table.len() > known {
                    merged.push(target);
                }
                into.push(target);
                from.push(slot);
            }
        }
        self.values.merge(&into, &from)?;
        Ok(merged)
    }

    fn emit(&self, window: Window, slots: &[u32], out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.decode(slots.iter().map(|slot| self.table.key(*slot)))?;
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (position, column) in self.spec.group.iter().enumerate() {
            let ty = self.spec.output.field(position).data_type();
            let same = |value: i64| timestamps(vec![value; slots.len()], ty);
            columns.push(match column {
                GroupColumn::Key(key) => Arc::clone(&keys[*key]),
                GroupColumn::Start => same(window.start),
                GroupColumn::End => same(window.end),
                GroupColumn::Time => same(self.spec.windows.last_instant(window.end)),
            });
        }
        columns.extend(self.values.evaluate(slots)?);
        let options = RecordBatchOptions::new().with_row_count(Some(slots.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?;
        out.emit(ChangeBatch::inserts(rows))
    }

    fn free(&mut self, slot: u32) {
        self.values.clear(slot);
        self.rows[slot as usize] = 0;
        self.table.remove(slot);
    }

    /// Forgets panes whose every window has fired.
    fn drop_panes(&mut self) {
        while let Some((&pane, _)) = self.panes.first_key_value() {
            let last = match self.spec.input_columns {
                WindowColumns::Time(_) => self.windows_of(pane).iter().map(|window| window.end).max().unwrap_or(pane),
                WindowColumns::Bounds { .. } => pane,
            };
            if self.spec.windows.last_instant(last) > self.watermark {
                break;
            }
            let slots = self.panes.remove(&pane).unwrap_or_default();
            slots.into_iter().for_each(|slot| self.free(slot));
        }
    }
}

impl Operator for WindowAggregate {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let encoded = self.keys.encode(&batch.rows)?;
        let mut slots = Vec::with_capacity(batch.len());
        let mut keep: Option<Vec<bool>> = None;
        let bounds = BoundsOf::new(&batch.rows, self.spec.input_columns)?;
        // Neighbouring rows mostly share their pane.
        let mut last: Option<(i64, PaneState)> = None;
        for row in 0..batch.len() {
            let pane = bounds.pane(row, &self.spec.windows);
            let state = match (pane, last) {
                (None, _) => PaneState::InNoWindow,
                (Some(pane), Some((known, state))) if known == pane => state,
                (Some(pane), _) => {
                    let windows = bounds.window(row).map_or_else(|| self.windows_of(pane), |window| vec![window]);
                    let state = self.open(pane, &windows);
                    last = Some((pane, state));
                    state
                }
            };
            match pane.filter(|_| state == PaneState::Open) {
                Some(pane) => {
                    let change = if batch.kind(row).is_accumulate() { 1 } else { -1 };
                    slots.push(self.slot(pane, encoded.key(row), change));
                }
                None => {
                    self.late += u64::from(state == PaneState::Late);
                    slots.push(0);
                    keep.get_or_insert_with(|| vec![true; batch.len()])[row] = false;
                }
            }
        }
        let retract: Option<Vec<bool>> =
            batch.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| !kind.is_accumulate()).collect());
        self.values.update(Update { slots: &slots, retract: retract.as_deref(), keep: keep.as_deref() }, &batch.rows)
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        if watermark <= self.watermark {
            return Ok(());
        }
        self.watermark = watermark;
        while let Some(&(last, window)) = self.pending.first() {
            if last > watermark {
                break;
            }
            self.pending.pop_first();
            self.fire(window, out)?;
        }
        self.drop_panes();
        Ok(())
    }

    /// Per key group the watermark; per entry: pane, start of the window (for windows given as columns), key bytes,
    /// rows, then the values of the calls in order.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let starts: BTreeMap<i64, i64> = self.pending.iter().map(|(_, window)| (window.end, window.start)).collect();
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let out = state.group(self.table.hash(slot));
            if out.is_empty() {
                write_i64(out, self.watermark);
            }
            let pane = self.table.tag(slot);
            write_i64(out, pane);
            write_i64(out, starts.get(&pane).copied().unwrap_or(pane));
            write_bytes(out, self.table.key(slot));
            write_i64(out, self.rows[slot as usize]);
            self.values.write(slot, out);
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                let (pane, start) = (reader.i64()?, reader.i64()?);
                let windows = match self.spec.input_columns {
                    WindowColumns::Time(_) => self.windows_of(pane),
                    WindowColumns::Bounds { .. } => vec![Window { start, end: pane }],
                };
                self.open(pane, &windows);
                let key = reader.bytes()?;
                let rows = reader.i64()?;
                let slot = self.slot(pane, key, rows);
                self.values.read(slot, &mut reader)?;
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let slots = (self.table.capacity() * 12) as u64;
        StateSize { rows: self.table.len() as u64, bytes: self.table.bytes() + self.values.bytes() + slots }
    }

    fn late(&self) -> u64 {
        self.late
    }
}

/// The window columns of one batch.
enum BoundsOf<'a> {
    Time(&'a TimestampMillisecondArray),
    Given { start: &'a TimestampMillisecondArray, end: &'a TimestampMillisecondArray },
}

impl<'a> BoundsOf<'a> {
    fn new(rows: &'a RecordBatch, columns: WindowColumns) -> Result<Self> {
        Ok(match columns {
            WindowColumns::Time(column) => BoundsOf::Time(event_times(rows, column)?),
            WindowColumns::Bounds { start, end } => {
                BoundsOf::Given { start: event_times(rows, start)?, end: event_times(rows, end)? }
            }
        })
    }

    fn pane(&self, row: usize, windows: &Windows) -> Option<i64> {
        match self {
            BoundsOf::Time(times) => times.is_valid(row).then(|| windows.pane(windows.clock(times.value(row)))),
            BoundsOf::Given { end, .. } => end.is_valid(row).then(|| end.value(row)),
        }
    }

    /// The window itself, where rows carry it.
    fn window(&self, row: usize) -> Option<Window> {
        match self {
            BoundsOf::Time(_) => None,
            BoundsOf::Given { start, end } => Some(Window { start: start.value(row), end: end.value(row) }),
        }
    }
}

/// A column of event times, in milliseconds.
pub(super) fn event_times(rows: &RecordBatch, column: usize) -> Result<&TimestampMillisecondArray> {
    rows.columns()
        .get(column)
        .and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>())
        .ok_or_else(|| EngineError::internal("an event-time column is no TIMESTAMP(3)"))
}
