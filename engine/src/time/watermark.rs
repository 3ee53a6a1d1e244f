//! Watermarks: made per split of a source, merged as the least over inputs.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{END_OF_TIME, NO_WATERMARK};
use crate::connector::SplitId;

/// The watermark of one source task: the least over its splits that are neither ended nor idle.
#[derive(Debug)]
pub struct SplitWatermarks {
    splits: HashMap<SplitId, SplitMark>,
    idle_timeout: Duration,
    /// Splits that have given nothing yet hold the watermark back. Not so for bounded sources, which read one after
    /// the other.
    wait_for_all: bool,
    emitted: i64,
    idle: bool,
}

#[derive(Debug)]
struct SplitMark {
    watermark: i64,
    last_row: Instant,
    started: bool,
    ended: bool,
}

/// What the source task has to tell downstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    Nothing,
    To(i64),
    /// Everything is silent: do not wait for this task. Said once, and taken back by the next watermark.
    Idle,
}

/// What to say now that the least watermark of all that is not silent is `least`.
fn step(least: Option<i64>, emitted: &mut i64, idle: &mut bool) -> Advance {
    let was_idle = std::mem::replace(idle, least.is_none());
    match least {
        None if was_idle => Advance::Nothing,
        None => Advance::Idle,
        Some(least) if least > *emitted => {
            *emitted = least;
            Advance::To(least)
        }
        Some(_) if was_idle && *emitted != NO_WATERMARK => Advance::To(*emitted),
        Some(_) => Advance::Nothing,
    }
}

impl SplitWatermarks {
    pub fn new(idle_timeout: Duration, bounded: bool) -> Self {
        SplitWatermarks {
            splits: HashMap::new(),
            idle_timeout,
            wait_for_all: !bounded,
            emitted: NO_WATERMARK,
            idle: false,
        }
    }

    pub fn add(&mut self, split: SplitId, now: Instant) {
        let mark = SplitMark { watermark: NO_WATERMARK, last_row: now, started: false, ended: false };
        self.splits.entry(split).or_insert(mark);
    }

    /// A split gave rows, and their highest watermark is `watermark`. Never goes back.
    pub fn rows(&mut self, split: &SplitId, watermark: i64, now: Instant) {
        self.add(split.clone(), now);
        if let Some(mark) = self.splits.get_mut(split) {
            mark.watermark = mark.watermark.max(watermark);
            mark.last_row = now;
            mark.started = true;
        }
    }

    /// Nothing is read on purpose: that is no silence.
    pub fn stands_still(&mut self, now: Instant) {
        self.splits.values_mut().for_each(|mark| mark.last_row = now);
    }

    pub fn end(&mut self, split: &SplitId) {
        if let Some(mark) = self.splits.get_mut(split) {
            mark.ended = true;
        }
    }

    pub fn is_idle(&self, split: &SplitId, now: Instant) -> bool {
        self.splits.get(split).is_some_and(|mark| self.silent(mark, now))
    }

    pub fn current(&self) -> i64 {
        self.emitted
    }

    pub fn advance(&mut self, now: Instant) -> Advance {
        let counted = |mark: &&SplitMark| !mark.ended && (mark.started || self.wait_for_all);
        // A task without splits, because there are fewer of them than tasks, holds nothing back either.
        let open = || self.splits.values().filter(counted);
        // A bounded source is between two of its splits, or at its end, which it will say. Were it idle, the other inputs
        // of a join could move past rows that are on their way.
        if !self.wait_for_all && open().next().is_none() {
            return Advance::Nothing;
        }
        let least = open().filter(|mark| !self.silent(mark, now)).map(|mark| mark.watermark).min();
        // All have fallen silent at once: nobody is waited for any longer. That it is idle is said the next time.
        let least = least.or_else(|| open().map(|mark| mark.watermark).max().filter(|highest| *highest > self.emitted));
        step(least, &mut self.emitted, &mut self.idle)
    }

    /// The watermark of one split, for checkpoints.
    pub fn of(&self, split: &SplitId) -> i64 {
        self.splits.get(split).map_or(NO_WATERMARK, |mark| mark.watermark)
    }

    fn silent(&self, mark: &SplitMark, now: Instant) -> bool {
        !self.idle_timeout.is_zero() && now.saturating_duration_since(mark.last_row) >= self.idle_timeout
    }
}

/// The watermark of a task with several inputs.
#[derive(Debug)]
pub struct InputWatermarks {
    inputs: Vec<InputMark>,
    emitted: i64,
    idle: bool,
}

#[derive(Clone, Debug)]
struct InputMark {
    watermark: i64,
    idle: bool,
}

impl InputWatermarks {
    pub fn new(inputs: usize) -> Self {
        InputWatermarks {
            inputs: vec![InputMark { watermark: NO_WATERMARK, idle: false }; inputs],
            emitted: NO_WATERMARK,
            idle: false,
        }
    }

    pub fn current(&self) -> i64 {
        self.emitted
    }

    pub fn watermark(&mut self, input: usize, watermark: i64) -> Advance {
        if let Some(mark) = self.inputs.get_mut(input) {
            mark.watermark = mark.watermark.max(watermark);
            mark.idle = false;
        }
        self.advance()
    }

    pub fn idle(&mut self, input: usize) -> Advance {
        if let Some(mark) = self.inputs.get_mut(input) {
            mark.idle = true;
        }
        self.advance()
    }

    /// An input that has ended holds nothing back.
    pub fn end(&mut self, input: usize) -> Advance {
        self.watermark(input, END_OF_TIME)
    }

    fn advance(&mut self) -> Advance {
        let least = self.inputs.iter().filter(|mark| !mark.idle).map(|mark| mark.watermark).min();
        step(least, &mut self.emitted, &mut self.idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_input_decides_and_idle_ones_do_not() {
        let mut inputs = InputWatermarks::new(2);
        assert_eq!(inputs.watermark(0, 10), Advance::Nothing);
        assert_eq!(inputs.watermark(1, 5), Advance::To(5));
        assert_eq!(inputs.idle(1), Advance::To(10));
        // It comes back behind: the watermark stays.
        assert_eq!(inputs.watermark(1, 7), Advance::Nothing);
        assert_eq!(inputs.watermark(1, 20), Advance::Nothing);
        assert_eq!(inputs.watermark(0, 30), Advance::To(20));
        assert_eq!(inputs.end(1), Advance::To(30));
    }

    #[test]
    fn a_silent_split_stops_holding_back_after_its_time() {
        let start = Instant::now();
        let mut marks = SplitWatermarks::new(Duration::from_secs(5), false);
        let (a, b): (SplitId, SplitId) = ("a".into(), "b".into());
        marks.add(a.clone(), start);
        marks.add(b.clone(), start);
        marks.rows(&a, 100, start);
        assert_eq!(marks.advance(start), Advance::Nothing);
        let later = start + Duration::from_secs(5);
        marks.rows(&a, 90, later);
        assert_eq!(marks.advance(later), Advance::To(100));
        assert!(marks.is_idle(&b, later));
        assert_eq!(marks.advance(later + Duration::from_secs(5)), Advance::Idle);
    }

    #[test]
    fn splits_that_fall_silent_together_do_not_hold_each_other_back() {
        let start = Instant::now();
        let mut marks = SplitWatermarks::new(Duration::from_secs(5), false);
        let (a, b): (SplitId, SplitId) = ("a".into(), "b".into());
        marks.add(b, start);
        marks.rows(&a, 100, start);
        let later = start + Duration::from_secs(6);
        assert_eq!(marks.advance(later), Advance::To(100));
        assert_eq!(marks.advance(later), Advance::Idle);
        assert_eq!(marks.advance(later), Advance::Nothing);
    }

    #[test]
    fn a_bounded_source_is_not_idle_between_its_files_nor_before_its_end() {
        let now = Instant::now();
        let mut marks = SplitWatermarks::new(Duration::ZERO, true);
        let (a, b): (SplitId, SplitId) = ("a".into(), "b".into());
        marks.add(a.clone(), now);
        marks.add(b.clone(), now);
        assert_eq!(marks.advance(now), Advance::Nothing);
        marks.rows(&a, 100, now);
        assert_eq!(marks.advance(now), Advance::To(100));
        marks.end(&a);
        assert_eq!(marks.advance(now), Advance::Nothing);
        marks.rows(&b, 90, now);
        assert_eq!(marks.advance(now), Advance::Nothing);
        marks.end(&b);
        assert_eq!(marks.advance(now), Advance::Nothing);
    }

    #[test]
    fn a_task_without_splits_says_once_that_it_is_idle() {
        let now = Instant::now();
        let mut marks = SplitWatermarks::new(Duration::ZERO, false);
        assert_eq!(marks.advance(now), Advance::Idle);
        assert_eq!(marks.advance(now), Advance::Nothing);
        marks.add("new".into(), now);
        marks.rows(&"new".into(), 5, now);
        assert_eq!(marks.advance(now), Advance::To(5));
    }
}
