//! What is kept: whole days, by age and by size. The oldest go first; today and yesterday never go.

use crate::error::{Notice, Result};
use crate::index::LogIndex;
use crate::line::Day;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days before today that are kept. At least one: lines of yesterday still come after midnight.
    pub days: u32,
    /// Bytes of all days together; the journal is not counted.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { days: 30, bytes: 50 << 30 }
    }
}

impl Retention {
    /// Lines of earlier days are not taken any more.
    pub fn oldest_day(self, today: Day) -> Day {
        today.plus(-i32::try_from(self.days.max(1)).unwrap_or(i32::MAX))
    }
}

impl LogIndex {
    /// Drops days that are too old or too many, to be called every now and then. The groups of errors in them are remembered.
    pub fn retain(&self) -> Result<Vec<Day>> {
        let now = (self.shared.options.clock)();
        let today = Day::of(now);
        let retention = self.shared.options.retention;
        let oldest = retention.oldest_day(today);
        let sizes = self.days()?;
        let mut total: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
        let mut dropped = Vec::new();
        for (day, bytes) in sizes {
            let too_old = day < oldest;
            let too_much = total > retention.bytes && day < today.plus(-1);
            if !too_old && !too_much {
                continue;
            }
            let open = self.shared.turn.lock();
            if open.contains(&day) {
                continue;
            }
            self.remember_groups(day)?;
            let gone = self.shared.days.remove(day)?;
            drop(open);
            if !gone {
                continue;
            }
            total = total.saturating_sub(bytes);
            self.shared.days.tell(Notice::Dropped { day, bytes });
            dropped.push(day);
        }
        if !dropped.is_empty() {
            // Lines of these days must not come back from the journal.
            self.shared.journal.begin_file()?;
        }
        self.groups.forget_before(now)?;
        Ok(dropped)
    }
}
