//! What OVER in the order of event time keeps of each key.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::running::Running;
use crate::error::Result;
use crate::operator::aggregate::AccumulatorSet;
use crate::state::{NEVER, Reader, SlotColumn, SlotValues, write_bytes, write_i64, write_u64};

const PER_ROW: usize = 96;

/// Event time, arrival.
type Place = (i64, u64);

#[derive(Default)]
pub(super) struct Key {
    /// Rows that a bounded frame still holds, with their times.
    pub(super) held: VecDeque<(i64, Arc<[u8]>)>,
    /// In the order in which they ripen.
    waiting: VecDeque<(Place, Arc<[u8]>)>,
    pub(super) used_ms: i64,
}

/// By slot.
pub(super) struct Frames {
    pub(super) values: AccumulatorSet,
    pub(super) running: Vec<Running>,
    pub(super) by_key: SlotColumn<Key>,
    /// The slots of all rows that wait.
    waiting: BTreeMap<Place, u32>,
    arrivals: u64,
    pub(super) rows: u64,
    bytes: u64,
}

impl Frames {
    pub(super) fn new(values: AccumulatorSet, running: Vec<Running>) -> Self {
        Frames {
            values,
            running,
            by_key: SlotColumn::default(),
            waiting: BTreeMap::new(),
            arrivals: 0,
            rows: 0,
            bytes: 0,
        }
    }

    pub(super) fn wait(&mut self, slot: u32, time: i64, row: Arc<[u8]>) {
        self.wait_at(slot, (time, self.arrivals), row);
    }

    fn wait_at(&mut self, slot: u32, place: Place, row: Arc<[u8]>) {
        self.came(&row);
        self.arrivals = self.arrivals.max(place.1 + 1);
        let waiting = &mut self.by_key[slot as usize].waiting;
        // Mostly at the end.
        let behind = waiting.iter().rev().take_while(|(other, _)| *other > place).count();
        waiting.insert(waiting.len() - behind, (place, row));
        self.waiting.insert(place, slot);
    }

    /// The next row up to a time: its time, slot, and the row.
    pub(super) fn next_ripe(&mut self, up_to: i64) -> Option<(i64, u32, Arc<[u8]>)> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= up_to)?;
        let ((time, _), slot) = first.remove_entry();
        let (_, row) = self.by_key[slot as usize].waiting.pop_front()?;
        self.went(&row);
        Some((time, slot, row))
    }

    pub(super) fn hold(&mut self, slot: u32, time: i64, row: Arc<[u8]>) {
        self.came(&row);
        self.by_key[slot as usize].held.push_back((time, row));
    }

    /// The row that came first leaves the frame.
    pub(super) fn let_go(&mut self, slot: u32) -> Option<Arc<[u8]>> {
        let (_, row) = self.by_key[slot as usize].held.pop_front()?;
        self.went(&row);
        Some(row)
    }

    const fn came(&mut self, row: &[u8]) {
        (self.rows, self.bytes) = (self.rows + 1, self.bytes + row.len() as u64);
    }

    const fn went(&mut self, row: &[u8]) {
        (self.rows, self.bytes) = (self.rows - 1, self.bytes - row.len() as u64);
    }

    pub(super) fn is_over(&self, slot: u32, now_ms: i64, ttl_ms: i64) -> bool {
        let key = &self.by_key[slot as usize];
        key.waiting.is_empty() && now_ms.saturating_sub(key.used_ms) >= ttl_ms
    }
}

impl SlotValues for Frames {
    const LISTED: bool = true;

    fn grow(&mut self, capacity: usize) {
        self.by_key.grow(capacity);
        self.values.grow(capacity);
        self.running.iter_mut().for_each(|running| running.grow(capacity));
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.by_key[slot as usize]);
        gone.held.iter().for_each(|(_, row)| self.went(row));
        for (place, row) in &gone.waiting {
            self.went(row);
            self.waiting.remove(place);
        }
        self.values.clear(slot);
        self.running.iter_mut().for_each(|running| running.clear(slot));
    }

    /// Last use, the values of the accumulators and of the other calls, the rows the frame holds (number; time and bytes
    /// of each), and those that wait (number; time, nothing, arrival and bytes of each).
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let key = &self.by_key[slot as usize];
        write_i64(out, key.used_ms);
        self.values.write(slot, out);
        self.running.iter().for_each(|running| running.write(slot, out));
        write_u64(out, key.held.len() as u64);
        for (time, row) in &key.held {
            write_i64(out, *time);
            write_bytes(out, row);
        }
        write_u64(out, key.waiting.len() as u64);
        for ((time, arrival), row) in &key.waiting {
            write_i64(out, *time);
            write_bytes(out, &[]);
            write_u64(out, *arrival);
            write_bytes(out, row);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.by_key[slot as usize].used_ms = from.i64()?;
        self.values.read(slot, from)?;
        self.running.iter_mut().try_for_each(|running| running.read(slot, from))?;
        for _ in 0..from.u64()? {
            let time = from.i64()?;
            self.hold(slot, time, from.bytes()?.into());
        }
        let mut least = 0;
        for _ in 0..from.u64()? {
            let (time, _, mut arrival) = (from.i64()?, from.bytes()?, from.u64()?);
            // Tasks count for themselves: another key may have this number.
            if arrival < least || self.waiting.contains_key(&(time, arrival)) {
                arrival = self.arrivals;
                least = arrival + 1;
            }
            self.wait_at(slot, (time, arrival), from.bytes()?.into());
        }
        Ok(())
    }

    /// When the first row waits until, then as in a checkpoint.
    fn write_stored(&self, slot: u32, out: &mut Vec<u8>) {
        write_i64(out, self.due(slot));
        self.write(slot, out);
    }

    fn read_stored(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        from.i64()?;
        self.read(slot, from)
    }

    /// A key with rows that wait outlives its time.
    fn used_ms(&self, slot: u32) -> i64 {
        let key = &self.by_key[slot as usize];
        if key.waiting.is_empty() { key.used_ms } else { NEVER }
    }

    fn due(&self, slot: u32) -> i64 {
        self.by_key[slot as usize].waiting.front().map_or(NEVER, |((time, _), _)| *time)
    }

    fn due_stored(&self, stored: &[u8]) -> Result<i64> {
        Reader::new(stored).i64()
    }

    fn bytes(&self) -> u64 {
        let keys = (self.by_key.len() * size_of::<Key>()) as u64;
        let calls = self.values.bytes() + self.running.iter().map(Running::bytes).sum::<u64>();
        calls + self.bytes + self.rows * PER_ROW as u64 + keys
    }
}
