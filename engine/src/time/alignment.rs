//! Sources of one group wait for each other: none reads far ahead of the slowest.
//!
//! Every source task tells the group its watermark and looks now and then at the least of all; one that is further ahead
//! than the drift allows stands still until the others have come closer. Tasks that are idle or have ended count no
//! longer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{END_OF_TIME, NO_WATERMARK};

/// What the options of a table say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignmentSpec {
    pub group: String,
    pub max_drift: Duration,
    pub update_interval: Duration,
}

/// Watermarks of all tasks of a group.
#[derive(Debug, Default)]
pub struct AlignmentGroup {
    members: Mutex<Vec<i64>>,
}

impl AlignmentGroup {
    fn least(&self) -> i64 {
        self.members.lock().iter().copied().min().unwrap_or(END_OF_TIME)
    }
}

/// One task of a group.
#[derive(Debug)]
pub struct Aligned {
    group: Arc<AlignmentGroup>,
    member: usize,
    max_drift: i64,
    update_interval: Duration,
    looked: Option<Instant>,
    watermark: i64,
    ahead: bool,
}

impl Aligned {
    /// Joins before any task reads, so that nobody runs ahead of one that has not begun.
    pub fn join(group: &Arc<AlignmentGroup>, spec: &AlignmentSpec) -> Self {
        let mut members = group.members.lock();
        members.push(NO_WATERMARK);
        Aligned {
            group: Arc::clone(group),
            member: members.len() - 1,
            max_drift: i64::try_from(spec.max_drift.as_millis()).unwrap_or(i64::MAX),
            update_interval: spec.update_interval,
            looked: None,
            watermark: NO_WATERMARK,
            ahead: false,
        }
    }

    pub fn watermark(&mut self, watermark: i64) {
        self.watermark = watermark;
        self.tell(watermark);
    }

    /// It holds back nobody, until it has a watermark again.
    pub fn idle(&self) {
        self.tell(END_OF_TIME);
    }

    /// Whether to stand still. Looked up once per interval.
    pub fn is_ahead(&mut self, now: Instant) -> bool {
        let due = self.looked.is_none_or(|looked| now.saturating_duration_since(looked) >= self.update_interval);
        if due {
            self.looked = Some(now);
            self.ahead = self.watermark > self.group.least().saturating_add(self.max_drift);
        }
        self.ahead
    }

    fn tell(&self, watermark: i64) {
        if let Some(own) = self.group.members.lock().get_mut(self.member) {
            *own = watermark;
        }
    }
}

impl Drop for Aligned {
    fn drop(&mut self) {
        self.idle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_too_far_ahead_waits_until_the_others_come_closer_or_fall_silent() {
        let spec = AlignmentSpec {
            group: "g".to_owned(),
            max_drift: Duration::from_millis(10),
            update_interval: Duration::from_secs(1),
        };
        let group = Arc::new(AlignmentGroup::default());
        let (mut fast, mut slow) = (Aligned::join(&group, &spec), Aligned::join(&group, &spec));
        let mut now = Instant::now();
        assert!(!fast.is_ahead(now), "it has read nothing");
        fast.watermark(100);
        assert!(!fast.is_ahead(now), "looked up a moment ago");
        now += Duration::from_secs(1);
        assert!(fast.is_ahead(now), "the other has not begun");
        slow.watermark(89);
        now += Duration::from_secs(1);
        assert!(fast.is_ahead(now));
        assert!(!slow.is_ahead(now));
        slow.watermark(90);
        now += Duration::from_secs(1);
        assert!(!fast.is_ahead(now));
        fast.watermark(200);
        now += Duration::from_secs(1);
        assert!(fast.is_ahead(now));
        slow.idle();
        now += Duration::from_secs(1);
        assert!(!fast.is_ahead(now));
    }
}
