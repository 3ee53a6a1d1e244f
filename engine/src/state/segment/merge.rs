//! Several files as one: for each key the newest entry.

use super::{Entry, Scan};
use crate::error::Result;

/// Walks over the newest entries of all keys, in order. Keys that are gone are among them.
pub(in crate::state) struct Merge {
    /// Newest first.
    scans: Vec<Scan>,
    /// Scans that are not at their end, as a binary heap: the first stands at the least key, and is the newest of those
    /// that do.
    heap: Vec<usize>,
    /// The key that is being passed.
    passed: (u64, Vec<u8>),
}

impl Merge {
    pub(in crate::state) fn new(newest_first: Vec<Scan>) -> Self {
        let there = |(index, scan): (usize, &Scan)| scan.entry().map(|_| index);
        let heap: Vec<usize> = newest_first.iter().enumerate().filter_map(there).collect();
        let mut merge = Merge { scans: newest_first, heap, passed: (0, Vec::new()) };
        (0..merge.heap.len() / 2).rev().for_each(|at| merge.sink(at));
        merge
    }

    pub(in crate::state) fn entry(&self) -> Option<Entry<'_>> {
        self.scans[*self.heap.first()?].entry()
    }

    /// Past this key in all files.
    pub(in crate::state) fn advance(&mut self) -> Result<()> {
        let Some(Entry { hash, key, .. }) = self.heap.first().and_then(|first| self.scans[*first].entry()) else {
            return Ok(());
        };
        self.passed.0 = hash;
        self.passed.1.clear();
        self.passed.1.extend_from_slice(key);
        while let Some(first) = self.heap.first().copied() {
            let scan = &mut self.scans[first];
            if scan.entry().is_none_or(|entry| entry.hash != self.passed.0 || entry.key != self.passed.1) {
                break;
            }
            scan.advance()?;
            if scan.entry().is_none() {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        Ok(())
    }

    /// Puts what stands at a place of the heap below those that come before it.
    fn sink(&mut self, mut at: usize) {
        loop {
            let children = (2 * at + 1..(2 * at + 3).min(self.heap.len())).map(|child| (self.place(child), child));
            let Some((place, child)) = children.min() else { return };
            if self.place(at) <= place {
                return;
            }
            self.heap.swap(at, child);
            at = child;
        }
    }

    fn place(&self, at: usize) -> Option<(u64, &[u8], usize)> {
        let index = self.heap[at];
        self.scans[index].entry().map(|entry| (entry.hash, entry.key, index))
    }
}
