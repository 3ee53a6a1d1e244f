//! What a join keeps of one of its inputs: rows by key, each with how often it is there and how many rows of the other
//! side it matches.

use std::sync::Arc;

use crate::error::Result;
use crate::operator::CHUNK_ROWS;
use crate::operator::state_clean::CleanTest;
use crate::operator::stored_rows::RowCodec;
use crate::state::{KeyTable, Reader, hash_key, write_bytes, write_i64, write_u64};

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

#[derive(Default)]
pub(super) struct Side {
    table: KeyTable,
    /// By slot; rows in the order of their bytes.
    buckets: Vec<Vec<Entry>>,
    rows: u64,
    bytes: u64,
}

impl Side {
    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        self.table.find(0, hash_key(key), key)
    }

    pub(super) fn bucket(&self, slot: u32) -> &[Entry] {
        self.buckets.get(slot as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn entry_mut(&mut self, slot: u32, index: usize) -> Option<&mut Entry> {
        self.buckets.get_mut(slot as usize)?.get_mut(index)
    }

    pub(super) fn add(&mut self, key: &[u8], row: &[u8], matches: u64, now_ms: i64) {
        let (slot, new) = self.table.find_or_insert(0, hash_key(key), key);
        let at = slot as usize;
        if new {
            self.buckets.resize_with(self.buckets.len().max(at + 1), Vec::new);
            self.buckets[at].clear();
        }
        let bucket = &mut self.buckets[at];
        match bucket.binary_search_by(|entry| (*entry.row).cmp(row)) {
            Ok(found) => {
                let entry = &mut bucket[found];
                (entry.count, entry.matches, entry.used_ms) = (entry.count + 1, matches, now_ms);
            }
            Err(place) => {
                bucket.insert(place, Entry { row: row.into(), count: 1, matches, used_ms: now_ms });
                self.rows += 1;
                self.bytes += row.len() as u64;
            }
        }
    }

    /// Takes one row away. Tells whether it was there.
    pub(super) fn remove(&mut self, key: &[u8], row: &[u8]) -> bool {
        let Some(slot) = self.find(key) else { return false };
        let bucket = &mut self.buckets[slot as usize];
        let Ok(found) = bucket.binary_search_by(|entry| (*entry.row).cmp(row)) else { return false };
        bucket[found].count -= 1;
        if bucket[found].count == 0 {
            bucket.remove(found);
            self.rows -= 1;
            self.bytes -= row.len() as u64;
        }
        if bucket.is_empty() {
            self.free(slot);
        }
        true
    }

    /// Every row, in a fixed order of slots.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.table.used().flat_map(|slot| self.bucket(slot))
    }

    /// Forgets rows that were not written since `now_ms - ttl_ms`.
    pub(super) fn expire(&mut self, now_ms: i64, ttl_ms: i64) {
        self.retain(|entry| now_ms.saturating_sub(entry.used_ms) < ttl_ms);
    }

    /// Forgets rows of which the condition is TRUE by now.
    pub(super) fn clean(&mut self, test: &CleanTest, codec: &RowCodec) -> Result<()> {
        let mut gone: Vec<bool> = Vec::new();
        let rows: Vec<&[u8]> = self.entries().map(|entry| &*entry.row).collect();
        for rows in rows.chunks(CHUNK_ROWS) {
            gone.extend(test.holds(&codec.batch(rows.iter().copied())?)?.iter().map(|gone| gone == Some(true)));
        }
        let mut gone = gone.into_iter();
        self.retain(|_| !gone.next().unwrap_or(false));
        Ok(())
    }

    /// Looks at every row, in the order of [`Side::entries`].
    fn retain(&mut self, mut stays: impl FnMut(&Entry) -> bool) {
        let used: Vec<u32> = self.table.used().collect();
        for slot in used {
            let bucket = &mut self.buckets[slot as usize];
            let (rows, bytes) = (&mut self.rows, &mut self.bytes);
            bucket.retain(|entry| {
                let stays = stays(entry);
                if !stays {
                    *rows -= 1;
                    *bytes -= entry.row.len() as u64;
                }
                stays
            });
            if bucket.is_empty() {
                self.free(slot);
            }
        }
    }

    /// Per key: hash for the key group, then `side`, key bytes and the number of rows; per row: count, matches, last
    /// use and row bytes.
    pub(super) fn write(&self, side: u64, state: &mut crate::state::KeyedState) {
        for slot in self.table.used() {
            let out = state.group(self.table.hash(slot));
            write_u64(out, side);
            write_bytes(out, self.table.key(slot));
            write_u64(out, self.bucket(slot).len() as u64);
            for entry in self.bucket(slot) {
                write_u64(out, entry.count);
                write_u64(out, entry.matches);
                write_i64(out, entry.used_ms);
                write_bytes(out, &entry.row);
            }
        }
    }

    /// One key, behind the number of its side.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let key = reader.bytes()?;
        for _ in 0..reader.u64()? {
            let (count, matches, used_ms) = (reader.u64()?, reader.u64()?, reader.i64()?);
            let row = reader.bytes()?;
            self.add(key, row, matches, used_ms);
            if let Some(slot) = self.find(key)
                && let Some(entry) = self.buckets[slot as usize].iter_mut().find(|entry| *entry.row == *row)
            {
                entry.count = count;
            }
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn bytes(&self) -> u64 {
        let buckets = (self.buckets.len() * size_of::<Vec<Entry>>()) as u64;
        self.bytes + self.rows * PER_ROW as u64 + self.table.bytes() + buckets
    }

    fn free(&mut self, slot: u32) {
        self.buckets[slot as usize] = Vec::new();
        self.table.remove(slot);
    }
}
