//! Aggregation per window: each window gives its result once, when the watermark passes its last instant.
//!
//! Rows are added to panes (see [`crate::time::window`]); a window that fires merges its panes. A row is late, and
//! dropped, only when every window that holds it has fired. Windows given as columns are panes of their own. State may be
//! larger than memory: a window of which keys are on disk only is fired from there.

mod panes;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, TimestampMillisecondArray};
use arrow::datatypes::{SchemaRef, TimestampMillisecondType};

use super::aggregate::{AccumulatorSet, Update};
use super::window_assign::timestamps;
use super::{CHUNK_ROWS, Operator, Output};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::plan::logical::AggregateCall;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, Reader, SlotValues, StatePlace, StateSize, write_bytes, write_i64,
};
use crate::time::NO_WATERMARK;
use crate::time::window::{Window, Windows};
use panes::{MERGED, Pane, Panes};

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

pub struct WindowAggregate {
    spec: WindowAggregateSpec,
    keys: KeyEncoder,
    state: Keyed<Panes>,
    /// Windows that hold a pane and have not fired, by when they do.
    pending: BTreeSet<(i64, Window)>,
    watermark: i64,
    late: u64,
}

impl WindowAggregate {
    pub fn new(spec: WindowAggregateSpec) -> Result<Self> {
        Ok(WindowAggregate {
            keys: KeyEncoder::new(&spec.input, &spec.keys)?,
            state: Keyed::new(Panes::new(AccumulatorSet::new(&spec.calls, &spec.input, spec.retracts)?)),
            spec,
            pending: BTreeSet::new(),
            watermark: NO_WATERMARK,
            late: 0,
        })
    }

    /// Whether rows of this pane still count. A new pane announces its windows.
    fn open(&mut self, pane: i64, windows: &[Window]) -> PaneState {
        if self.state.values.panes.contains_key(&pane) {
            return PaneState::Open;
        }
        if windows.is_empty() {
            return PaneState::InNoWindow;
        }
        let last = |window: &Window| self.spec.windows.last_instant(window.end);
        if windows.iter().all(|window| last(window) <= self.watermark) {
            return PaneState::Late;
        }
        self.state.values.panes.insert(pane, Pane::default());
        self.announce(pane, windows);
        PaneState::Open
    }

    /// Windows that hold a pane fire when their time comes.
    fn announce(&mut self, pane: i64, windows: &[Window]) {
        let last = |window: &Window| (self.spec.windows.last_instant(window.end), *window);
        self.pending.extend(windows.iter().map(last).filter(|(last, _)| *last > self.watermark));
        let end = windows.iter().map(|window| window.end).max().unwrap_or(pane);
        if let Some(known) = self.state.values.panes.get_mut(&pane) {
            known.start = windows.first().map_or(pane, |window| window.start);
            known.over_at = self.spec.windows.last_instant(end);
        }
    }

    fn windows_at(&self, pane: i64, start: i64) -> Vec<Window> {
        match self.spec.input_columns {
            WindowColumns::Time(_) => self.windows_of(pane),
            WindowColumns::Bounds { .. } => vec![Window { start, end: pane }],
        }
    }

    fn windows_of(&self, pane: i64) -> Vec<Window> {
        let mut windows = Vec::new();
        self.spec.windows.windows_at(pane, |window| windows.push(window));
        windows
    }

    /// Finds the slot of (pane, key) and counts the row there.
    fn slot(&mut self, pane: i64, key: &[u8], change: i64) -> Result<(u32, bool)> {
        let (slot, new) = self.state.slot_at(pane, key)?;
        self.state.values.rows[slot as usize] += change;
        Ok((slot, new))
    }

    fn fire(&mut self, window: Window, out: &mut dyn Output) -> Result<()> {
        let panes: Vec<i64> = match self.spec.input_columns {
            WindowColumns::Time(_) => {
                self.state.values.panes.range(window.start..window.end).map(|(pane, _)| *pane).collect()
            }
            WindowColumns::Bounds { .. } => vec![window.end],
        };
        if self.state.is_away(&panes) {
            return self.fire_from_disk(window, &panes, out);
        }
        let slots: Vec<u32> = panes.iter().flat_map(|pane| self.state.values.slots.get(*pane)).copied().collect();
        self.give(window, slots, panes.len() > 1, out)
    }

    /// Some keys at a time come from disk, each with all its panes.
    fn fire_from_disk(&mut self, window: Window, panes: &[i64], out: &mut dyn Output) -> Result<()> {
        let Some(mut gathering) = self.state.gathering()? else { return Ok(()) };
        while let Some(chunk) = self.state.gather(&mut gathering, CHUNK_ROWS, |pane| panes.contains(&pane))? {
            self.give(window, chunk.slots.clone(), panes.len() > 1, out)?;
            self.state.release(chunk);
        }
        Ok(())
    }

    /// Gives the results of a window from the slots of its panes.
    fn give(&mut self, window: Window, slots: Vec<u32>, merges: bool, out: &mut dyn Output) -> Result<()> {
        let slots = if merges { self.merge(&slots)? } else { slots };
        let rows = &self.state.values.rows;
        let given: Vec<u32> = slots.iter().copied().filter(|slot| rows[*slot as usize] > 0).collect();
        for slots in given.chunks(CHUNK_ROWS) {
            self.emit(window, slots, out)?;
        }
        if merges {
            slots.into_iter().for_each(|slot| self.state.drop_slot(slot));
        }
        Ok(())
    }

    fn merge(&mut self, slots: &[u32]) -> Result<Vec<u32>> {
        let (mut into, mut merged) = (Vec::with_capacity(slots.len()), Vec::new());
        for slot in slots {
            let key: Box<[u8]> = self.state.key(*slot).into();
            let (target, new) = self.slot(MERGED, &key, self.state.values.rows[*slot as usize])?;
            merged.extend(new.then_some(target));
            into.push(target);
        }
        self.state.values.values.merge(&into, slots)?;
        Ok(merged)
    }

    fn emit(&self, window: Window, slots: &[u32], out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.decode(slots.iter().map(|slot| self.state.key(*slot)))?;
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
        columns.extend(self.state.values.values.evaluate(slots)?);
        let options = RecordBatchOptions::new().with_row_count(Some(slots.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?;
        out.emit(ChangeBatch::inserts(rows))
    }

    /// Forgets panes whose every window has fired.
    fn drop_panes(&mut self) {
        // From disk they go by themselves.
        self.state.expire_up_to(self.watermark);
        while let Some(first) = self.state.values.panes.first_entry() {
            if first.get().over_at > self.watermark {
                break;
            }
            let (pane, _) = first.remove_entry();
            let gone = self.state.values.slots.take(pane);
            gone.into_iter().for_each(|slot| self.state.drop_slot(slot));
            self.state.forget_tag(pane);
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
                    let (slot, _) = self.slot(pane, encoded.key(row), change)?;
                    self.state.touch(slot);
                    slots.push(slot);
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
        let update = Update { slots: &slots, retract: retract.as_deref(), keep: keep.as_deref() };
        self.state.values.values.update(update, &batch.rows)?;
        self.state.settle()
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
        self.state.settle()
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key group the watermark; per entry: pane, start of the window (for windows given as columns), key bytes,
    /// rows, then the values of the calls in order.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        if !self.state.is_whole()? {
            self.state.in_each_group(&mut state, |out| write_i64(out, self.watermark));
            return Ok(Some(state));
        }
        let values = &self.state.values;
        for slot in self.state.slots() {
            let out = state.group(self.state.hash(slot));
            if out.is_empty() {
                write_i64(out, self.watermark);
            }
            let pane = self.state.tag(slot);
            write_i64(out, pane);
            write_i64(out, values.panes.get(&pane).map_or(pane, |pane| pane.start));
            write_bytes(out, self.state.key(slot));
            values.write(slot, out);
        }
        Ok(Some(state))
    }

    fn segments(&self) -> Vec<Vec<LogPart>> {
        vec![self.state.parts()]
    }

    fn adopt(&mut self, tables: Vec<Vec<LogPart>>) -> Result<()> {
        self.state.expire_up_to(self.watermark);
        tables.into_iter().next().map_or(Ok(()), |parts| self.state.adopt(parts))?;
        let panes: Vec<(i64, i64)> = self.state.values.panes.iter().map(|(pane, of)| (*pane, of.start)).collect();
        for (pane, start) in panes {
            self.announce(pane, &self.windows_at(pane, start));
        }
        Ok(())
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                let (pane, start) = (reader.i64()?, reader.i64()?);
                self.open(pane, &self.windows_at(pane, start));
                let slot = self.state.restore_slot(pane, reader.bytes()?);
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
