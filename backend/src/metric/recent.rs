//! The last half hour of one job, in memory.

use std::collections::{HashMap, VecDeque};

use super::series::SeriesKey;

/// A job with more series than this loses the surplus ones; a topic with thousands of partitions is the usual cause.
const MOST_SERIES: usize = 2_000;

#[derive(Default)]
pub(super) struct Recent {
    names: HashMap<SeriesKey, u32>,
    keys: Vec<SeriesKey>,
    samples: VecDeque<Sample>,
}

struct Sample {
    at: i64,
    values: Vec<(u32, f64)>,
}

impl Recent {
    pub(super) fn push(&mut self, at: i64, values: Vec<(SeriesKey, f64)>) {
        let numbered = values.into_iter().filter_map(|(key, value)| Some((self.number(key)?, value))).collect();
        self.samples.push_back(Sample { at, values: numbered });
    }

    fn number(&mut self, key: SeriesKey) -> Option<u32> {
        if let Some(number) = self.names.get(&key) {
            return Some(*number);
        }
        if self.keys.len() >= MOST_SERIES {
            return None;
        }
        let number = u32::try_from(self.keys.len()).ok()?;
        self.keys.push(key.clone());
        self.names.insert(key, number);
        Some(number)
    }

    /// Time of the oldest sample.
    pub(super) fn begins(&self) -> Option<i64> {
        self.samples.front().map(|sample| sample.at)
    }

    pub(super) fn of<'a>(&'a self, key: &SeriesKey, from: i64) -> impl Iterator<Item = (i64, f64)> + 'a {
        let number = self.names.get(key).copied();
        let samples = self.samples.iter().filter(move |sample| sample.at >= from);
        samples.filter_map(move |sample| {
            let (_, value) = sample.values.iter().find(|(series, _)| Some(*series) == number)?;
            Some((sample.at, *value))
        })
    }

    /// Every value between two times, both included.
    pub(super) fn each(&self, from: i64, to: i64, mut take: impl FnMut(&SeriesKey, i64, f64)) {
        for sample in self.samples.iter().filter(|sample| sample.at >= from && sample.at <= to) {
            for (series, value) in &sample.values {
                if let Some(key) = self.keys.get(*series as usize) {
                    take(key, sample.at, *value);
                }
            }
        }
    }

    pub(super) fn forget_before(&mut self, time: i64) {
        while self.samples.front().is_some_and(|sample| sample.at < time) {
            self.samples.pop_front();
        }
    }
}
