//! Times of a cron expression in a time zone, and which of them are to be made up for. Pure: the clock is an argument.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use millrace_wire::schedule::{CatchUp, Schedule};

/// A time counts as met when a server looks so soon after it.
const ON_TIME_MS: i64 = 60_000;
/// Times looked at after a long absence; older ones are not even noted.
const MOST_PASSED: usize = 1_000;

/// Times of an expression.
pub struct Times {
    cron: Cron,
    zone: Tz,
}

/// What is wrong, and with which field.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub message: String,
}

impl Times {
    pub fn parse(cron: &str, zone: &str) -> Result<Times, Wrong> {
        let zone = Tz::from_str(zone).map_err(|_| Wrong {
            field: "zone",
            message: format!("'{zone}' is not a time zone. Use a name such as Europe/Berlin, Asia/Shanghai or UTC."),
        })?;
        let wrong = |why: String| Wrong {
            field: "cron",
            message: format!("This is not a cron expression: {}.", why.trim_end_matches('.')),
        };
        let cron = Cron::from_str(cron.trim()).map_err(|why| wrong(why.to_string()))?;
        Ok(Times { cron, zone })
    }

    /// The first time after `after`; none when there is none any more.
    ///
    /// A time of day that the clock skips in spring comes right after the gap, one that it repeats in autumn comes once;
    /// expressions with steps and wildcards follow the clock through both.
    pub fn next(&self, after: i64) -> Option<i64> {
        let after = DateTime::<Utc>::from_timestamp_millis(after)?.with_timezone(&self.zone);
        self.cron.find_next_occurrence(&after, false).ok().map(|time| time.timestamp_millis())
    }

    pub fn some_after(&self, after: i64, count: usize) -> Vec<i64> {
        std::iter::successors(self.next(after), |time| self.next(*time)).take(count).collect()
    }

    pub fn words(&self) -> String {
        self.cron.describe()
    }
}

/// What follows from times that have come.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// To be started, oldest first.
    pub fires: Vec<i64>,
    /// Passed and not made up for.
    pub missed: Vec<i64>,
    /// When to look again; none when no time comes any more.
    pub next: Option<i64>,
}

/// `next_at`: the time that was to come next. None of them is after `now`.
pub fn due(schedule: &Schedule, times: &Times, next_at: i64, now: i64) -> Due {
    let mut passed = Vec::new();
    let mut next = Some(next_at);
    while let Some(time) = next.filter(|time| *time <= now) {
        passed.push(time);
        if passed.len() == MOST_PASSED {
            // Absent for very long: go on from the newest ones.
            next = times.next(now);
            break;
        }
        next = times.next(time);
    }
    let Some(newest) = passed.last().copied() else { return Due { next, ..Due::default() } };
    let on_time = now.saturating_sub(newest) <= ON_TIME_MS;
    let taken = match schedule.catch_up {
        CatchUp::Skip => usize::from(on_time),
        CatchUp::Once => 1,
        CatchUp::All => usize::try_from(schedule.catch_up_most).unwrap_or(usize::MAX).max(1),
    };
    let fires = passed.split_off(passed.len().saturating_sub(taken));
    Due { fires, missed: passed, next }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn times(cron: &str, zone: &str) -> Times {
        Times::parse(cron, zone).unwrap()
    }

    fn schedule(catch_up: CatchUp, catch_up_most: u32) -> Schedule {
        Schedule {
            cron: String::new(),
            zone: String::new(),
            enabled: true,
            catch_up,
            catch_up_most,
            retry_attempts: 0,
            retry_delay_ms: 0,
        }
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let daily = times("30 6 * * *", "Asia/Shanghai");
        assert_eq!(daily.next(at("2026-03-01T00:00:00Z")), Some(at("2026-03-01T22:30:00Z")));
        let next = times("0 9 * * 1-5", "UTC").some_after(at("2026-01-02T10:00:00Z"), 2);
        assert_eq!(next, [at("2026-01-05T09:00:00Z"), at("2026-01-06T09:00:00Z")], "not on a week-end");
    }

    #[test]
    fn a_time_that_the_clock_skips_comes_right_after_the_gap() {
        // On 29 March 2026 at 2:00 it is 3:00 in Berlin.
        let daily = times("30 2 * * *", "Europe/Berlin");
        let next = daily.some_after(at("2026-03-28T00:00:00Z"), 3);
        assert_eq!(next, [at("2026-03-28T01:30:00Z"), at("2026-03-29T01:00:00Z"), at("2026-03-30T00:30:00Z")]);
    }

    #[test]
    fn a_time_that_the_clock_repeats_comes_once_and_steps_follow_the_clock() {
        // On 25 October 2026 at 3:00 it is 2:00 again in Berlin.
        let daily = times("30 2 * * *", "Europe/Berlin");
        let next = daily.some_after(at("2026-10-24T12:00:00Z"), 2);
        assert_eq!(next, [at("2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z")]);
        let steps = times("*/30 * * * *", "Europe/Berlin").some_after(at("2026-10-24T23:45:00Z"), 5);
        let expected: Vec<i64> = (0..5).map(|n| at("2026-10-25T00:00:00Z") + n * 1_800_000).collect();
        assert_eq!(steps, expected, "no half hour is left out or comes twice");
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        assert_eq!(Times::parse("* * * *", "UTC").err().unwrap().field, "cron");
        assert_eq!(Times::parse("61 * * * *", "UTC").err().unwrap().field, "cron");
        assert_eq!(Times::parse("* * * * *", "Mars/Phobos").err().unwrap().field, "zone");
        assert_eq!(times("0 0 30 2 *", "UTC").next(0), None, "such a day never comes");
    }

    #[test]
    fn on_time_one_fires_whatever_the_policy() {
        let (hourly, now) = (times("0 * * * *", "UTC"), at("2026-01-01T05:00:01Z"));
        for catch_up in [CatchUp::Skip, CatchUp::Once, CatchUp::All] {
            let due = due(&schedule(catch_up, 3), &hourly, at("2026-01-01T05:00:00Z"), now);
            let next = Some(at("2026-01-01T06:00:00Z"));
            assert_eq!(due, Due { fires: vec![at("2026-01-01T05:00:00Z")], missed: vec![], next }, "{catch_up}");
        }
    }

    #[test]
    fn after_downtime_the_policy_decides() {
        let hourly = times("0 * * * *", "UTC");
        let hour = |n: u32| at(&format!("2026-01-01T{n:02}:00:00Z"));
        let (from, now) = (hour(1), at("2026-01-01T05:30:00Z"));
        let skip = due(&schedule(CatchUp::Skip, 0), &hourly, from, now);
        assert_eq!((skip.fires, skip.missed.len(), skip.next), (vec![], 5, Some(hour(6))));
        let once = due(&schedule(CatchUp::Once, 0), &hourly, from, now);
        assert_eq!((once.fires, once.missed.len()), (vec![hour(5)], 4));
        let some = due(&schedule(CatchUp::All, 2), &hourly, from, now);
        assert_eq!((some.fires, some.missed), (vec![hour(4), hour(5)], vec![hour(1), hour(2), hour(3)]));
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let hourly = times("0 * * * *", "UTC");
        let (next_at, now) = (at("2026-01-01T05:00:00Z"), at("2026-01-01T04:59:59Z"));
        assert_eq!(
            due(&schedule(CatchUp::All, 9), &hourly, next_at, now),
            Due { next: Some(next_at), ..Due::default() }
        );
    }

    #[test]
    fn a_very_long_absence_does_not_take_for_ever() {
        let every_second = times("* * * * * *", "UTC");
        let now = at("2026-06-01T00:00:00Z");
        let due = due(&schedule(CatchUp::Skip, 0), &every_second, at("2026-01-01T00:00:00Z"), now);
        assert_eq!((due.fires.len() + due.missed.len(), due.next), (MOST_PASSED, Some(now + 1_000)));
    }
}
