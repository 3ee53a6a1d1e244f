//! Several files as one: for each key the newest entry.

use super::{Entry, Scan};
use crate::error::Result;

/// Walks over the newest entries of all keys, in order. Keys that are gone are among them.
pub(in crate::state) struct Merge {
    /// Newest first.
    scans: Vec<Scan>,
    current: Option<usize>,
}

impl Merge {
    pub(in crate::state) fn new(newest_first: Vec<Scan>) -> Result<Self> {
        let mut merge = Merge { scans: newest_first, current: None };
        merge.find()?;
        Ok(merge)
    }

    pub(in crate::state) fn entry(&self) -> Result<Option<Entry<'_>>> {
        match self.current.and_then(|current| self.scans.get(current)) {
            Some(scan) => scan.entry(),
            None => Ok(None),
        }
    }

    /// Past this key in all files.
    pub(in crate::state) fn advance(&mut self) -> Result<()> {
        let Some(current) = self.current else { return Ok(()) };
        for other in current + 1..self.scans.len() {
            let same = {
                let (Some(here), Some(there)) = (self.scans[current].entry()?, self.scans[other].entry()?) else {
                    continue;
                };
                (here.hash, here.key) == (there.hash, there.key)
            };
            if same {
                self.scans[other].advance()?;
            }
        }
        self.scans[current].advance()?;
        self.find()
    }

    /// The first of the smallest keys is the newest.
    fn find(&mut self) -> Result<()> {
        let mut least: Option<(usize, Entry<'_>)> = None;
        for (index, scan) in self.scans.iter().enumerate() {
            if let Some(entry) = scan.entry()?
                && least.as_ref().is_none_or(|(_, least)| (entry.hash, entry.key) < (least.hash, least.key))
            {
                least = Some((index, entry));
            }
        }
        self.current = least.map(|(index, _)| index);
        Ok(())
    }
}
