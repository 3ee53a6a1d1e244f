//! What a join keeps of one of its inputs: rows by key, each with how often it is there and how many rows of the other
//! side it matches.

use std::sync::Arc;

use crate::error::Result;
use crate::operator::CHUNK_ROWS;
use crate::operator::state_clean::CleanTest;
use crate::operator::stored_rows::RowCodec;
use crate::state::{
    Keyed, KeyedState, LogPart, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_bytes, write_i64,
    write_u64,
};

/// Bookkeeping per row beside its bytes.
const PER_ROW: usize = 48;

pub(super) struct Entry {
    pub(super) row: Arc<[u8]>,
    /// Equal rows.
    pub(super) count: u64,
    /// Rows of the other side that match, each as often as it is there.
    pub(super) matches: u64,
    used_ms: i64,
}

pub(super) struct Side {
    state: Keyed<Buckets>,
}

/// By slot; rows in the order of their bytes.
#[derive(Default)]
struct Buckets {
    buckets: SlotColumn<Vec<Entry>>,
    rows: u64,
    bytes: u64,
}

impl Buckets {
    fn insert(&mut self, slot: u32, place: usize, entry: Entry) {
        self.rows += 1;
        self.bytes += entry.row.len() as u64;
        self.buckets[slot as usize].insert(place, entry);
    }

    fn remove(&mut self, slot: u32, place: usize) {
        let gone = self.buckets[slot as usize].remove(place);
        self.rows -= 1;
        self.bytes -= gone.row.len() as u64;
    }
}

impl SlotValues for Buckets {
    fn grow(&mut self, capacity: usize) {
        self.buckets.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.buckets[slot as usize]);
        self.rows -= gone.len() as u64;
        self.bytes -= gone.iter().map(|entry| entry.row.len() as u64).sum::<u64>();
    }

    /// The number of rows; per row: count, matches, last use and row bytes.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let bucket = &self.buckets[slot as usize];
        write_u64(out, bucket.len() as u64);
        for entry in bucket {
            write_u64(out, entry.count);
            write_u64(out, entry.matches);
            write_i64(out, entry.used_ms);
            write_bytes(out, &entry.row);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        for place in 0..from.u64()? {
            let (count, matches, used_ms) = (from.u64()?, from.u64()?, from.i64()?);
            let row = from.bytes()?.into();
            self.insert(slot, place as usize, Entry { row, count, matches, used_ms });
        }
        Ok(())
    }

    fn used_ms(&self, slot: u32) -> i64 {
        self.buckets[slot as usize].iter().map(|entry| entry.used_ms).max().unwrap_or(0)
    }

    fn bytes(&self) -> u64 {
        let buckets = (self.buckets.len() * size_of::<Vec<Entry>>()) as u64;
        self.bytes + self.rows * PER_ROW as u64 + buckets
    }
}

impl Side {
    pub(super) fn new() -> Self {
        Side { state: Keyed::new(Buckets::default()) }
    }

    pub(super) fn find(&mut self, key: &[u8]) -> Result<Option<u32>> {
        self.state.find(key)
    }

    pub(super) fn bucket(&self, slot: u32) -> &[Entry] {
        self.state.values.buckets.get(slot as usize).map_or(&[], Vec::as_slice)
    }

    /// To be changed.
    pub(super) fn entry_mut(&mut self, slot: u32, place: usize) -> Option<&mut Entry> {
        self.state.touch(slot);
        self.state.values.buckets.get_mut(slot as usize)?.get_mut(place)
    }

    pub(super) fn add(&mut self, key: &[u8], row: &[u8], matches: u64, now_ms: i64) -> Result<()> {
        let (slot, _) = self.state.slot(key)?;
        self.state.touch(slot);
        let bucket = &mut self.state.values.buckets[slot as usize];
        match bucket.binary_search_by(|entry| (*entry.row).cmp(row)) {
            Ok(found) => {
                let entry = &mut bucket[found];
                (entry.count, entry.matches, entry.used_ms) = (entry.count + 1, matches, now_ms);
            }
            Err(place) => {
                let entry = Entry { row: row.into(), count: 1, matches, used_ms: now_ms };
                self.state.values.insert(slot, place, entry);
            }
        }
        Ok(())
    }

    /// Takes one row away. Tells whether it was there.
    pub(super) fn remove(&mut self, key: &[u8], row: &[u8]) -> Result<bool> {
        let Some(slot) = self.state.find(key)? else { return Ok(false) };
        let bucket = &mut self.state.values.buckets[slot as usize];
        let Ok(found) = bucket.binary_search_by(|entry| (*entry.row).cmp(row)) else { return Ok(false) };
        bucket[found].count -= 1;
        if bucket[found].count == 0 {
            self.state.values.remove(slot, found);
        }
        self.state.touch(slot);
        if self.bucket(slot).is_empty() {
            self.state.remove(slot);
        }
        Ok(true)
    }

    /// Calls `each` with the rows of some keys at a time, until all were given.
    pub(super) fn each_chunk(
        &mut self,
        mut each: impl FnMut(&mut dyn Iterator<Item = &Entry>) -> Result<()>,
    ) -> Result<()> {
        self.state.each_chunk(CHUNK_ROWS, |state, slots| {
            each(&mut slots.iter().flat_map(|slot| &state.values.buckets[*slot as usize]))
        })
    }

    /// Forgets rows that were not written since `now_ms - ttl_ms`.
    pub(super) fn expire(&mut self, now_ms: i64, ttl_ms: i64) {
        self.state.expire(now_ms, ttl_ms, |buckets, slot| now_ms.saturating_sub(buckets.used_ms(slot)) >= ttl_ms);
        let slots: Vec<u32> = self.state.slots().collect();
        self.retain(&slots, |entry| now_ms.saturating_sub(entry.used_ms) < ttl_ms);
    }

    /// Forgets rows of which the condition is TRUE by now: of all keys in memory, and some of those on disk, which all
    /// have their turn.
    pub(super) fn clean(&mut self, test: &CleanTest, codec: &RowCodec) -> Result<()> {
        let here: Vec<u32> = self.state.slots().collect();
        self.clean_slots(&here, test, codec)?;
        let away = self.state.next_away(CHUNK_ROWS)?;
        self.clean_slots(&away, test, codec)?;
        self.state.let_go(&away);
        Ok(())
    }

    fn clean_slots(&mut self, slots: &[u32], test: &CleanTest, codec: &RowCodec) -> Result<()> {
        let mut gone: Vec<bool> = Vec::new();
        let rows: Vec<&[u8]> = slots.iter().flat_map(|slot| self.bucket(*slot)).map(|entry| &*entry.row).collect();
        for rows in rows.chunks(CHUNK_ROWS) {
            gone.extend(test.holds(&codec.batch(rows.iter().copied())?)?.iter().map(|gone| gone == Some(true)));
        }
        let mut gone = gone.into_iter();
        self.retain(slots, |_| !gone.next().unwrap_or(false));
        Ok(())
    }

    /// Looks at every row of some keys, in their order.
    fn retain(&mut self, slots: &[u32], mut stays: impl FnMut(&Entry) -> bool) {
        for slot in slots.iter().copied() {
            let values = &mut self.state.values;
            let bucket = &mut values.buckets[slot as usize];
            let (before, mut bytes) = (bucket.len(), 0);
            bucket.retain(|entry| {
                let stays = stays(entry);
                bytes += if stays { 0 } else { entry.row.len() as u64 };
                stays
            });
            let gone = before - bucket.len();
            values.rows -= gone as u64;
            values.bytes -= bytes;
            if gone > 0 {
                self.state.touch(slot);
            }
            if self.bucket(slot).is_empty() {
                self.state.remove(slot);
            }
        }
    }

    pub(super) fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    pub(super) fn settle(&mut self) -> Result<()> {
        self.state.settle()
    }

    /// Per key: `side`, key bytes, and what [`Buckets`] writes.
    pub(super) fn snapshot(&mut self, side: u64, state: &mut KeyedState) -> Result<()> {
        self.state.snapshot(&side.to_le_bytes(), state)
    }

    pub(super) fn parts(&self) -> Vec<LogPart> {
        self.state.parts()
    }

    pub(super) fn adopt(&mut self, parts: Vec<LogPart>) -> Result<()> {
        self.state.adopt(parts)
    }

    /// One key, behind the number of its side.
    pub(super) fn restore(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        self.state.restore(reader)
    }

    /// Rows in memory, and at least one for each key that is on disk only.
    pub(super) fn size(&self) -> StateSize {
        let size = self.state.size();
        StateSize { rows: self.state.values.rows.max(size.rows), ..size }
    }
}
