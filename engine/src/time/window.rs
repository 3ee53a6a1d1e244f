//! Which windows a time lies in.
//!
//! Aggregation keeps state per *pane*, the largest stretch of time that no window bound cuts; a window is a run of
//! panes. A tumbling window is one pane.

use chrono_tz::Tz;

use super::zone::{to_local, to_utc};

/// Milliseconds throughout; sizes are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Tumble { size: i64 },
    Hop { slide: i64, size: i64 },
    Cumulate { step: i64, size: i64 },
}

/// Aligned windows, by local time where the event time is `TIMESTAMP_LTZ`.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    pub shape: Shape,
    pub offset: i64,
    /// Set for `TIMESTAMP_LTZ`: bounds are local times of this zone.
    pub zone: Option<Tz>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// First, so that windows sort by when they fire.
    pub end: i64,
    pub start: i64,
}

impl Windows {
    /// Event time in the clock by which windows are cut.
    pub fn clock(&self, time: i64) -> i64 {
        self.zone.map_or(time, |zone| to_local(time, zone))
    }

    /// The last instant of a window: it fires when the watermark reaches it.
    pub fn last_instant(&self, end: i64) -> i64 {
        last_instant(end, self.zone)
    }

    /// Start of the pane that holds `clock`.
    pub fn pane(&self, clock: i64) -> i64 {
        self.align(clock, self.pane_size())
    }

    pub fn pane_size(&self) -> i64 {
        match self.shape {
            Shape::Tumble { size } => size,
            Shape::Hop { slide, size } => gcd(slide, size),
            Shape::Cumulate { step, .. } => step,
        }
    }

    /// Every window that holds `clock`, the latest start first; cumulating ones by ascending end.
    pub fn windows_at(&self, clock: i64, mut each: impl FnMut(Window)) {
        match self.shape {
            Shape::Tumble { size } => {
                let start = self.align(clock, size);
                each(Window { start, end: start.saturating_add(size) });
            }
            Shape::Hop { slide, size } => {
                let mut start = self.align(clock, slide);
                while start > clock.saturating_sub(size) {
                    each(Window { start, end: start.saturating_add(size) });
                    start = start.saturating_sub(slide);
                }
            }
            Shape::Cumulate { step, size } => {
                let start = self.align(clock, size);
                let mut end = self.align(clock, step).saturating_add(step);
                while end <= start.saturating_add(size) {
                    each(Window { start, end });
                    end = end.saturating_add(step);
                }
            }
        }
    }

    fn align(&self, clock: i64, size: i64) -> i64 {
        clock.saturating_sub(clock.saturating_sub(self.offset).rem_euclid(size.max(1)))
    }
}

/// The last instant before an end that is a local time of `zone`.
pub fn last_instant(end: i64, zone: Option<Tz>) -> i64 {
    zone.map_or(end, |zone| to_utc(end, zone)).saturating_sub(1)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(shape: Shape, offset: i64, time: i64) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        Windows { shape, offset, zone: None }.windows_at(time, |window| found.push((window.start, window.end)));
        found
    }

    #[test]
    fn tumbling_windows_align_at_the_offset_before_and_after_1970() {
        assert_eq!(at(Shape::Tumble { size: 10 }, 0, 19), [(10, 20)]);
        assert_eq!(at(Shape::Tumble { size: 10 }, 0, -1), [(-10, 0)]);
        assert_eq!(at(Shape::Tumble { size: 10 }, -3, 6), [(-3, 7)]);
        assert_eq!(at(Shape::Tumble { size: 10 }, -3, 7), [(7, 17)]);
    }

    #[test]
    fn hopping_windows_overlap_or_leave_gaps() {
        assert_eq!(at(Shape::Hop { slide: 5, size: 10 }, 0, 7), [(5, 15), (0, 10)]);
        assert_eq!(at(Shape::Hop { slide: 10, size: 5 }, 0, 7), []);
    }

    #[test]
    fn cumulating_windows_grow_to_their_size() {
        assert_eq!(at(Shape::Cumulate { step: 5, size: 15 }, 0, 21), [(15, 25), (15, 30)]);
    }
}
