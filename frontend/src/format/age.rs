//! Durations and ages: `48 s`, `11 min`, `1 min 42 s`, `3 h`, `12 d`.

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// One unit, rounded down: what stands beside a state.
pub fn age(ms: u64) -> String {
    match ms {
        ..MINUTE => format!("{} s", ms / SECOND),
        MINUTE..HOUR => format!("{} min", ms / MINUTE),
        HOUR..DAY => format!("{} h", ms / HOUR),
        _ => format!("{} d", ms / DAY),
    }
}

/// A duration that grows while it is looked at: tenths of a second are enough.
pub fn roughly(ms: u64) -> String {
    duration(if ms < 100 { ms } else { ms / 100 * 100 })
}

/// Two units where the second one matters: for lags and durations.
pub fn duration(ms: u64) -> String {
    let two = |big: u64, big_name: &str, small: u64, small_name: &str| {
        let rest = ms % big / small;
        if rest == 0 {
            format!("{} {big_name}", ms / big)
        } else {
            format!("{} {big_name} {rest} {small_name}", ms / big)
        }
    };
    match ms {
        ..SECOND => format!("{ms} ms"),
        SECOND..10_000 if !ms.is_multiple_of(SECOND) => {
            format!("{}.{} s", ms / SECOND, ms % SECOND / 100)
        }
        SECOND..MINUTE => format!("{} s", ms / SECOND),
        MINUTE..HOUR => two(MINUTE, "min", SECOND, "s"),
        HOUR..DAY => two(HOUR, "h", MINUTE, "min"),
        _ => two(DAY, "d", HOUR, "h"),
    }
}

/// Milliseconds between two instants; 0 when the clocks disagree.
pub fn between(from: i64, to: i64) -> u64 {
    u64::try_from(to.saturating_sub(from)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit() {
        for (ms, text) in [
            (0, "0 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (11 * MINUTE, "11 min"),
            (HOUR, "1 h"),
            (50 * HOUR, "2 d"),
        ] {
            assert_eq!(age(ms), text);
        }
    }

    #[test]
    fn a_growing_duration_is_cut_to_tenths_but_never_to_nothing() {
        assert_eq!((roughly(41), roughly(187), roughly(1_930)), ("41 ms".into(), "100 ms".into(), "1.9 s".into()));
    }

    #[test]
    fn durations_have_two_units_where_it_matters() {
        for (ms, text) in [
            (0, "0 ms"),
            (320, "320 ms"),
            (1_000, "1 s"),
            (1_450, "1.4 s"),
            (48_700, "48 s"),
            (102_000, "1 min 42 s"),
            (120_000, "2 min"),
            (HOUR + 5 * MINUTE, "1 h 5 min"),
            (3 * DAY, "3 d"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn clocks_that_disagree_give_no_negative_age() {
        assert_eq!(between(2_000, 1_000), 0);
        assert_eq!(between(i64::MIN, i64::MAX), i64::MAX as u64);
    }
}
