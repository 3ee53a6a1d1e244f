//! What is kept of each key in each pane, and which panes there are.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::operator::aggregate::AccumulatorSet;
use crate::state::{Reader, SlotColumn, SlotLists, SlotValues, write_i64};
use crate::time::NO_WATERMARK;

/// Marks merged results while a window fires; no pane starts there.
pub(super) const MERGED: i64 = i64::MIN;

/// By slot, and by pane.
pub(super) struct Panes {
    pub(super) values: AccumulatorSet,
    /// Rows that were added.
    pub(super) rows: SlotColumn<i64>,
    pub(super) slots: SlotLists,
    pub(super) panes: BTreeMap<i64, Pane>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Pane {
    /// Start of the window, where windows are given as columns.
    pub(super) start: i64,
    /// When every window that holds it has fired.
    pub(super) over_at: i64,
}

impl Panes {
    pub(super) fn new(values: AccumulatorSet) -> Self {
        Panes { values, rows: SlotColumn::default(), slots: SlotLists::default(), panes: BTreeMap::new() }
    }

    fn pane_of(&self, slot: u32) -> Option<&Pane> {
        self.panes.get(&self.slots.tag_of(slot)?)
    }
}

impl SlotValues for Panes {
    const TAGGED: bool = true;

    fn grow(&mut self, capacity: usize) {
        self.rows.grow(capacity);
        self.slots.grow(capacity);
        self.values.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.values.clear(slot);
        self.rows[slot as usize] = 0;
        self.slots.remove(slot);
    }

    fn placed(&mut self, slot: u32, pane: i64) {
        if pane != MERGED {
            self.panes.entry(pane).or_default();
            self.slots.add(pane, slot);
        }
    }

    /// Rows, then the values of the calls in order.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        write_i64(out, self.rows[slot as usize]);
        self.values.write(slot, out);
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.rows[slot as usize] = from.i64()?;
        self.values.read(slot, from)
    }

    /// Start of the window, then as in a checkpoint.
    fn write_stored(&self, slot: u32, out: &mut Vec<u8>) {
        write_i64(out, self.pane_of(slot).map_or(0, |pane| pane.start));
        self.write(slot, out);
    }

    fn read_stored(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let start = from.i64()?;
        if let Some(pane) = self.slots.tag_of(slot).and_then(|pane| self.panes.get_mut(&pane)) {
            pane.start = start;
        }
        self.read(slot, from)
    }

    /// On disk a key is gone when its pane is.
    fn used_ms(&self, slot: u32) -> i64 {
        self.pane_of(slot).map_or(NO_WATERMARK, |pane| pane.over_at)
    }

    fn passed_by(&mut self, pane: i64, stored: &[u8]) -> Result<()> {
        self.panes.entry(pane).or_default().start = Reader::new(stored).i64()?;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.values.bytes() + self.slots.bytes() + (self.rows.len() * size_of::<i64>()) as u64
    }
}
