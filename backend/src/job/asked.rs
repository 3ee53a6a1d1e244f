//! Who asked for the savepoint that a run takes next.
//!
//! The schedule may remove what it took, and nothing else. Where both asked, or it is not certain who did, the savepoint
//! counts as a person's.

use std::time::{Duration, Instant};

/// Who asks for a savepoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavepointBy {
    Person(String),
    Schedule,
}

/// As it stands on a savepoint.
const SCHEDULE: &str = "the schedule";
/// A savepoint that a person asked for comes within this time, or not at all.
const COMES_WITHIN: Duration = Duration::from_secs(15 * 60);

#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    by: String,
    scheduled: bool,
    /// Since when a person waits for one.
    by_hand: Option<Instant>,
}

impl Asked {
    /// Somebody stops the run, or has it looked at: a savepoint that follows is theirs.
    pub(super) fn look(&mut self, by: String) {
        (self.by, self.scheduled) = (by, false);
    }

    /// False where it would mix with one that a person waits for.
    pub(super) fn savepoint(&mut self, by: SavepointBy, now: Instant) -> bool {
        let waits = self.by_hand.is_some_and(|since| now.duration_since(since) < COMES_WITHIN);
        match by {
            SavepointBy::Person(name) => *self = Asked { by: name, scheduled: false, by_hand: Some(now) },
            SavepointBy::Schedule if waits => return false,
            SavepointBy::Schedule => *self = Asked { by: SCHEDULE.to_owned(), scheduled: true, by_hand: None },
        }
        true
    }

    /// Whose the savepoint is that has come, and whether the schedule's.
    pub(super) fn taken(&mut self) -> (String, bool) {
        let whose = (self.by.clone(), self.scheduled);
        (self.scheduled, self.by_hand) = (false, None);
        whose
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_waits_for_is_never_the_schedules() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        assert!(asked.savepoint(SavepointBy::Schedule, now));
        assert_eq!(asked.taken(), (SCHEDULE.to_owned(), true));
        assert!(!asked.taken().1, "the next one was asked for by nobody");
        // The schedule first, then a person: both are answered by one savepoint.
        assert!(asked.savepoint(SavepointBy::Schedule, now));
        assert!(asked.savepoint(SavepointBy::Person("ann".to_owned()), now));
        assert!(!asked.savepoint(SavepointBy::Schedule, now));
        assert_eq!(asked.taken(), ("ann".to_owned(), false));
        // A stop with a savepoint while the schedule's is on its way.
        assert!(asked.savepoint(SavepointBy::Schedule, now));
        asked.look("bob".to_owned());
        assert_eq!(asked.taken(), ("bob".to_owned(), false));
    }

    #[test]
    fn a_savepoint_that_never_came_does_not_block_the_schedule_for_ever() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        assert!(asked.savepoint(SavepointBy::Person("ann".to_owned()), now));
        assert!(!asked.savepoint(SavepointBy::Schedule, now));
        assert!(asked.savepoint(SavepointBy::Schedule, now + COMES_WITHIN));
    }
}
