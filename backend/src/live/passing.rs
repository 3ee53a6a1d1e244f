//! Figures that the next ones replace: how often those of each job are told, where a team runs so many jobs that a browser
//! could not follow.

use std::collections::HashMap;
use std::mem::discriminant;
use std::time::{Duration, Instant};

use millrace_wire::live::LiveEvent;
use uuid::Uuid;

/// What a browser follows with ease, of each kind.
const EVENTS_PER_S: u32 = 100;
/// Somebody who opened a job looks at it for so long; a page that stays open asks again within this time.
const LOOKED_AT: Duration = Duration::from_secs(15 * 60);
/// A job that says nothing for so long is not counted any more.
const SILENT: Duration = Duration::from_secs(60);

type Kind = std::mem::Discriminant<LiveEvent>;

#[derive(Default)]
pub(super) struct Passing {
    told: HashMap<(Uuid, Kind), Told>,
    looked_at: HashMap<Uuid, Instant>,
    cleared: Option<Instant>,
}

struct Told {
    offered: Instant,
    told: Instant,
}

impl Passing {
    /// Whether this one is told: all of a few jobs, of many each in its turn, and all of those that somebody looks at.
    pub(super) fn admits(&mut self, object: Uuid, event: &LiveEvent, now: Instant) -> bool {
        if self.cleared.is_none_or(|cleared| now.duration_since(cleared) > SILENT) {
            self.cleared = Some(now);
            self.told.retain(|_, told| now.duration_since(told.offered) < SILENT);
            self.looked_at.retain(|_, since| now.duration_since(*since) < LOOKED_AT);
        }
        let jobs = u32::try_from(self.told.len() / 2).unwrap_or(u32::MAX);
        let turn = if jobs <= EVENTS_PER_S { Duration::ZERO } else { Duration::from_secs(1) * jobs / EVENTS_PER_S };
        let looked_at = self.looked_at.contains_key(&object);
        let mut first = false;
        let told = self.told.entry((object, discriminant(event))).or_insert_with(|| {
            first = true;
            Told { offered: now, told: now }
        });
        told.offered = now;
        let admitted = first || looked_at || now.duration_since(told.told) >= turn;
        if admitted {
            told.told = now;
        }
        admitted
    }

    pub(super) fn look_at(&mut self, object: Uuid, now: Instant) {
        self.looked_at.insert(object, now);
    }
}

#[cfg(test)]
mod tests {
    use millrace_wire::ids::JobId;

    use super::*;

    fn figures(number: u128) -> (Uuid, LiveEvent) {
        let job = Uuid::from_u128(number);
        // Any event of a job does.
        (job, LiveEvent::JobsChanged { job: JobId(job) })
    }

    fn admitted(passing: &mut Passing, jobs: u128, now: Instant) -> usize {
        (0..jobs).map(figures).filter(|(job, event)| passing.admits(*job, event, now)).count()
    }

    #[test]
    fn all_of_a_few_jobs_are_told() {
        let (mut passing, start) = (Passing::default(), Instant::now());
        for second in 0..5 {
            assert_eq!(admitted(&mut passing, 50, start + Duration::from_secs(second)), 50);
        }
    }

    #[test]
    fn many_jobs_take_turns() {
        let (mut passing, start) = (Passing::default(), Instant::now());
        assert_eq!(admitted(&mut passing, 2_000, start), 2_000, "nobody knows anything of them yet");
        let told: usize =
            (1..=40).map(|second| admitted(&mut passing, 2_000, start + Duration::from_secs(second))).sum();
        assert_eq!(told, 2_000 * 40 / 10, "a thousand pairs of events: each in its tenth second");
    }

    #[test]
    fn what_somebody_looks_at_is_told_at_once() {
        let (mut passing, start) = (Passing::default(), Instant::now());
        admitted(&mut passing, 2_000, start);
        let (job, event) = figures(7);
        assert!(!passing.admits(job, &event, start + Duration::from_secs(1)));
        passing.look_at(job, start + Duration::from_secs(1));
        assert!(passing.admits(job, &event, start + Duration::from_secs(1)));
        let (other, event) = figures(8);
        assert!(!passing.admits(other, &event, start + Duration::from_secs(2)));
    }

    #[test]
    fn jobs_that_fell_silent_leave_their_turn_to_others() {
        let (mut passing, start) = (Passing::default(), Instant::now());
        admitted(&mut passing, 2_000, start);
        let later = start + Duration::from_secs(70);
        admitted(&mut passing, 50, later);
        let again = later + Duration::from_secs(70);
        admitted(&mut passing, 50, again);
        assert_eq!(admitted(&mut passing, 50, again + Duration::from_secs(1)), 50);
    }
}
