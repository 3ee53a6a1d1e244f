//! Times as people write them in a query: `2026-11-23`, `2026-11-23T10:15`, `now-15m`, milliseconds since 1970.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::QueryError;
use super::scan::error;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// The time that a text means: a date means its whole day, a minute all of it. The end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

pub(super) fn parse(text: &str, now: i64, place: &Range<usize>) -> Result<Span, QueryError> {
    understood(text.trim(), now).ok_or_else(|| {
        let message = format!(
            "{text} is not a time. Times (UTC) are written 2026-11-23, 2026-11-23T10:15, 2026-11-23T10:15:30.250 or now-15m."
        );
        error(place.clone(), message)
    })
}

fn understood(text: &str, now: i64) -> Option<Span> {
    let long = |start: i64, length: i64| Some(Span { start, end: start.checked_add(length)? });
    if let Some(shift) = text.strip_prefix("now") {
        return long(now.checked_add(shifted(shift)?)?, 1);
    }
    if text.len() >= 11 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return long(text.parse().ok()?, 1);
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return long(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis(), DAY);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        let length = if text.contains('.') { 1 } else { 1000 };
        return long(at.timestamp_millis(), length);
    }
    let text = text.trim_end_matches('Z').replace(' ', "T");
    for (format, length) in [("%Y-%m-%dT%H:%M", 60_000), ("%Y-%m-%dT%H:%M:%S", 1000), ("%Y-%m-%dT%H:%M:%S%.f", 1)] {
        if let Ok(at) = NaiveDateTime::parse_from_str(&text, format) {
            return long(at.and_utc().timestamp_millis(), length);
        }
    }
    None
}

/// `-15m`, `+2h`; nothing is no shift.
fn shifted(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "-" => -1,
        "+" => 1,
        _ => return None,
    };
    let digits = text.get(1..text.len() - text.chars().next_back()?.len_utf8())?;
    let unit = match text.chars().next_back()? {
        's' => 1000,
        'm' => 60_000,
        'h' => 60 * 60_000,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok()?.checked_mul(unit)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_time_means_as_much_as_it_says() {
        let at = |text| understood(text, 1_000_000);
        let midnight = 1_795_392_000_000;
        assert_eq!(at("2026-11-23"), Some(Span { start: midnight, end: midnight + DAY }));
        let ten = midnight + 10 * 3_600_000;
        assert_eq!(at("2026-11-23T10:00"), Some(Span { start: ten, end: ten + 60_000 }));
        assert_eq!(at("2026-11-23 10:00:00"), Some(Span { start: ten, end: ten + 1000 }));
        assert_eq!(at("2026-11-23T10:00:00.250Z"), Some(Span { start: ten + 250, end: ten + 251 }));
        assert_eq!(at("2026-11-23T12:00:00+02:00"), Some(Span { start: ten, end: ten + 1000 }));
        assert_eq!(at("now-2s").unwrap().start, 998_000);
        assert_eq!(at("now").unwrap().start, 1_000_000);
        for wrong in ["", "yesterday", "now-", "now-m", "now-é", "now-9999999999999999w", "2026-13-01", "12"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
