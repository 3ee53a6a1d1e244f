//! The segments of one operator in one task, from the oldest to the newest.
//!
//! What was written last about a key counts. Segments are merged in the background, neighbours of about one size at a
//! time, so that their number grows with the logarithm of what was written.
//!
//! A segment of an earlier run may hold keys that belonged to another task then, with values that are older than what
//! that task wrote. Each segment therefore stands with the hashes for which it counts.

use std::sync::Arc;

use super::home::{Segment, StateHome};
use super::segment::{Merge, Scan, SegmentFile, SegmentWriter, Unsorted};
use crate::error::Result;

/// So many neighbours of about one size are merged.
const MERGED: usize = 6;

pub(super) struct SegmentLog {
    home: Arc<StateHome>,
    parts: Vec<LogPart>,
    hashes: Hashes,
    merging: Option<Merging>,
    expiry: Expiry,
}

/// The hashes of the keys that belong here, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    pub first: u64,
    pub last: u64,
}

/// A segment, and the hashes for which it counts.
#[derive(Clone, Debug)]
pub struct LogPart {
    pub segment: Arc<Segment>,
    pub hashes: Hashes,
}

impl Hashes {
    const fn hold(self, hash: u64) -> bool {
        self.first <= hash && hash <= self.last
    }

    /// The hashes that are also among the others.
    fn among(self, other: Hashes) -> Hashes {
        Hashes { first: self.first.max(other.first), last: self.last.min(other.last) }
    }
}

/// Entries that were used last at this time, or before, are as good as gone. `None` keeps everything.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expiry(pub(super) Option<i64>);

struct Merging {
    /// Segments from this place on, so many, become one.
    from: usize,
    count: usize,
    into: Arc<Segment>,
}

impl Expiry {
    const fn is_over(self, used_ms: i64) -> bool {
        matches!(self.0, Some(last) if used_ms <= last)
    }
}

impl SegmentLog {
    pub(super) fn new(home: Arc<StateHome>, hashes: Hashes, mut parts: Vec<LogPart>) -> Self {
        parts.iter_mut().for_each(|part| part.hashes = part.hashes.among(hashes));
        parts.retain(|part| part.hashes.first <= part.hashes.last);
        SegmentLog { home, parts, hashes, merging: None, expiry: Expiry::default() }
    }

    pub(super) const fn set_expiry(&mut self, expiry: Expiry) {
        self.expiry = expiry;
    }

    /// The newest entries. The segment is on its way to disk after this.
    pub(super) fn append(&mut self, entries: Unsorted) -> Result<Arc<Segment>> {
        let segment = self.home.write(move |path| entries.write(path))?;
        self.parts.push(LogPart { segment: Arc::clone(&segment), hashes: self.hashes });
        Ok(segment)
    }

    /// For a checkpoint.
    pub(super) fn parts(&self) -> Vec<LogPart> {
        self.parts.clone()
    }

    /// What stays in memory.
    pub(super) fn held(&self) -> u64 {
        self.files().map(|(file, _)| file.held()).sum()
    }

    pub(super) fn settle(&self) -> Result<()> {
        self.parts.iter().try_for_each(|part| part.segment.wait().map(|_| ()))
    }

    /// Looks a key up in what has come to disk. Keys that are gone or expired are not found.
    pub(super) fn get<T>(&self, hash: u64, key: &[u8], found: impl FnOnce(&[u8]) -> Result<T>) -> Result<Option<T>> {
        let mut found = Some(found);
        for part in self.parts.iter().rev() {
            let Some(file) = part.segment.ready() else { continue };
            let file = file?;
            if !part.hashes.hold(hash) || !file.may_hold(hash) {
                continue;
            }
            let answer = file.get(hash, key, |entry| match (entry.value, found.take()) {
                (Some(value), Some(found)) if !self.expiry.is_over(entry.used_ms) => found(value).map(Some),
                _ => Ok(None),
            })?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
        Ok(None)
    }

    /// All that is there, waiting for what is not on disk yet.
    pub(super) fn scan(&self) -> Result<Live> {
        self.settle()?;
        self.scan_written()
    }

    /// All that has come to disk.
    pub(super) fn scan_written(&self) -> Result<Live> {
        let files: Vec<_> = self.files().collect();
        Ok(Live { merge: merge_of(&files)?, expiry: self.expiry })
    }

    pub(super) fn entries(&self) -> u64 {
        self.files().map(|(file, _)| file.entries()).sum()
    }

    /// Takes over a merge that is finished, and begins one that is due.
    pub(super) fn tend(&mut self) -> Result<()> {
        if let Some(merging) = self.merging.take() {
            match merging.into.ready() {
                None => self.merging = Some(merging),
                Some(file) => {
                    file?;
                    let range = merging.from..merging.from + merging.count;
                    let merged = LogPart { segment: merging.into, hashes: self.hashes };
                    let superfluous = self.parts.splice(range, [merged]).collect();
                    self.home.discard(superfluous)?;
                }
            }
        }
        if self.merging.is_none()
            && let Some((from, count)) = due(&self.sizes())
        {
            let files: Vec<_> = self.files().skip(from).take(count).collect();
            let (expiry, oldest) = (self.expiry, from == 0);
            let into = self.home.merge(move |path| {
                let keys = files.iter().map(|(file, _)| file.entries()).sum::<u64>() as usize;
                let mut writer = SegmentWriter::create(path, keys)?;
                let mut merge = merge_of(&files)?;
                while let Some(entry) = merge.entry() {
                    let value = entry.value.filter(|_| !expiry.is_over(entry.used_ms));
                    // Nothing older is left that a mark of a key that is gone would have to hide.
                    if value.is_some() || !oldest {
                        writer.push(entry.hash, entry.key, entry.used_ms, value)?;
                    }
                    merge.advance()?;
                }
                writer.finish()
            })?;
            self.merging = Some(Merging { from, count, into });
        }
        Ok(())
    }

    /// Of the segments on disk, from the oldest on, up to one that is still being written.
    fn files(&self) -> impl Iterator<Item = (Arc<SegmentFile>, Hashes)> {
        let file = |part: &LogPart| Some((Arc::clone(part.segment.ready()?.ok()?), part.hashes));
        self.parts.iter().map_while(file)
    }

    fn sizes(&self) -> Vec<u64> {
        self.files().map(|(file, _)| file.bytes()).collect()
    }
}

/// Entries that count.
pub(super) struct Live {
    merge: Merge,
    expiry: Expiry,
}

impl Live {
    /// Calls `each` with hash, key and value until it says no more. Returns whether all were seen.
    pub(super) fn each(&mut self, mut each: impl FnMut(u64, &[u8], &[u8]) -> Result<bool>) -> Result<bool> {
        while let Some(entry) = self.merge.entry() {
            if let Some(value) = entry.value
                && !self.expiry.is_over(entry.used_ms)
                && !each(entry.hash, entry.key, value)?
            {
                return Ok(false);
            }
            self.merge.advance()?;
        }
        Ok(true)
    }
}

fn merge_of(oldest_first: &[(Arc<SegmentFile>, Hashes)]) -> Result<Merge> {
    let scan = |(file, hashes): &(Arc<SegmentFile>, Hashes)| Scan::new(Arc::clone(file), hashes.first, hashes.last);
    Ok(Merge::new(oldest_first.iter().rev().map(scan).collect::<Result<_>>()?))
}

/// The newest run of segments of which none is much larger than all that are newer.
fn due(sizes: &[u64]) -> Option<(usize, usize)> {
    let (mut from, mut newer) = (sizes.len(), 0_u64);
    while let Some(size) = from.checked_sub(1).and_then(|older| sizes.get(older)) {
        let apart = from < sizes.len() && *size > newer.saturating_mul(2);
        if apart {
            break;
        }
        newer = newer.saturating_add(*size);
        from -= 1;
    }
    let count = sizes.len() - from;
    (count >= MERGED).then_some((from, count))
}

#[cfg(test)]
mod tests {
    use super::due;

    #[test]
    fn neighbours_of_one_size_are_merged_and_large_ones_left_alone() {
        assert_eq!(due(&[]), None);
        assert_eq!(due(&[10; 5]), None);
        assert_eq!(due(&[10; 6]), Some((0, 6)));
        assert_eq!(due(&[1000, 10, 10, 10, 10, 10, 10]), Some((1, 6)));
        assert_eq!(due(&[100, 10, 10, 10, 10, 10, 10]), Some((0, 7)));
        assert_eq!(due(&[1000, 10, 10]), None);
    }

    /// However many are written, few are there.
    #[test]
    fn the_number_of_segments_stays_small() {
        let mut sizes: Vec<u64> = Vec::new();
        let (mut most, mut written) = (0, 0);
        for _ in 0..10_000 {
            sizes.push(16);
            while let Some((from, count)) = due(&sizes) {
                let merged: u64 = sizes[from..from + count].iter().sum();
                written += merged;
                sizes.splice(from..from + count, [merged]);
            }
            most = most.max(sizes.len());
        }
        assert!(most < 30, "{most} segments at once");
        assert!(written < 160_000 * 12, "each byte is written {} times", written / 160_000);
    }
}
