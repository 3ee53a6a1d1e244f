//! Means over buckets of equal width. A bucket without a value stays a gap.

use std::collections::BTreeMap;

use super::series::SeriesKey;

/// Bucket `n` holds the times from `start + n * step` on; `start` is a multiple of `step`, so that buckets of two
/// requests fall together and charts do not flicker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buckets {
    start: i64,
    step: i64,
    count: usize,
}

/// Whatever is asked for, one answer does not get larger than this.
const MOST_BUCKETS: i64 = 20_000;

impl Buckets {
    pub(super) fn of(from: i64, to: i64, step: i64) -> Buckets {
        let step = step.max(1);
        let start = from - from.rem_euclid(step);
        let count = if to < from { 0 } else { (to - start) / step + 1 };
        Buckets { start, step, count: usize::try_from(count.min(MOST_BUCKETS)).unwrap_or(0) }
    }

    fn index(&self, at: i64) -> Option<usize> {
        let index = usize::try_from((at - self.start).div_euclid(self.step)).ok()?;
        (index < self.count).then_some(index)
    }
}

pub(super) struct Bucketed {
    buckets: Buckets,
    sums: BTreeMap<SeriesKey, Vec<(f64, u32)>>,
}

impl Bucketed {
    pub(super) fn new(buckets: Buckets) -> Bucketed {
        Bucketed { buckets, sums: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, key: &SeriesKey, at: i64, value: f64) {
        let Some(index) = self.buckets.index(at) else { return };
        if !self.sums.contains_key(key) {
            self.sums.insert(key.clone(), vec![(0.0, 0); self.buckets.count]);
        }
        if let Some((sum, count)) = self.sums.get_mut(key).and_then(|sums| sums.get_mut(index)) {
            *sum += value;
            *count += 1;
        }
    }

    pub(super) fn times(&self) -> Vec<i64> {
        (0..self.buckets.count as i64).map(|index| self.buckets.start + index * self.buckets.step).collect()
    }

    /// By name and labels; one value per bucket.
    pub(super) fn finish(self) -> Vec<(SeriesKey, Vec<Option<f64>>)> {
        let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
        self.sums.into_iter().map(|(key, sums)| (key, sums.into_iter().map(mean).collect())).collect()
    }
}
