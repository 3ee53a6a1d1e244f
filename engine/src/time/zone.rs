//! UTC ⇄ local wall-clock time, for windows over `TIMESTAMP_LTZ`.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// The wall-clock time in `zone`, as if it were UTC.
pub fn to_local(utc: i64, zone: Tz) -> i64 {
    if zone == chrono_tz::UTC {
        return utc;
    }
    let Some(instant) = DateTime::from_timestamp_millis(utc) else { return utc };
    let offset = zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc();
    utc.saturating_add(i64::from(offset) * 1000)
}

/// The instant at which clocks in `zone` show `local`: the earlier one where they show it twice, the end of the gap
/// where they skip it.
pub fn to_utc(local: i64, zone: Tz) -> i64 {
    if zone == chrono_tz::UTC {
        return local;
    }
    let Some(clock) = DateTime::from_timestamp_millis(local).map(|instant| instant.naive_utc()) else { return local };
    match zone.from_local_datetime(&clock) {
        chrono::LocalResult::Single(instant) | chrono::LocalResult::Ambiguous(instant, _) => instant.timestamp_millis(),
        chrono::LocalResult::None => after_gap(clock, zone).unwrap_or(local),
    }
}

fn after_gap(clock: NaiveDateTime, zone: Tz) -> Option<i64> {
    let before = clock.checked_sub_signed(chrono::TimeDelta::hours(3))?;
    let offset = zone.from_local_datetime(&before).earliest()?.offset().fix().local_minus_utc();
    Some(clock.and_utc().timestamp_millis() - i64::from(offset) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn both_ways_across_a_change_of_clocks() {
        let zone = chrono_tz::America::New_York;
        // 2020-03-08T07:00:00Z is when clocks jump from 02:00 to 03:00 there.
        let jump = 1_583_650_800_000;
        assert_eq!(to_local(jump - 1, zone), jump - 1 - 5 * HOUR);
        assert_eq!(to_local(jump, zone), jump - 4 * HOUR);
        assert_eq!(to_utc(jump - 4 * HOUR, zone), jump);
        // Half past two does not exist that day.
        assert_eq!(to_utc(jump - 5 * HOUR + HOUR / 2, zone), jump + HOUR / 2);
    }
}
