//! Text → date, time and timestamp, in the shapes that Flink accepts; and back.

use super::calendar::Date;

/// `2020-1-2`, also with a time behind it, which is cut. Days since 1970.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let text = text.trim();
    let date = text.split_once(' ').map_or(text, |(date, _)| date);
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() > 4 {
        return None;
    }
    let date = Date { year: digits(year)?, month: digits(month)?, day: digits(day)? };
    date.is_valid().then(|| date.to_days())
}

/// `3:4:5[.123456789]`: nanoseconds of the day.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.trim().split_once('.') {
        Some((clock, fraction)) => (clock, nanos(fraction)?),
        None => (text.trim(), 0),
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (digits(parts.next()?)?, digits(parts.next()?)?, digits(parts.next()?)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000_000 + fraction)
}

/// `2020-1-2`, `2020-01-02 03:04:05[.123456789]`: days and nanoseconds of the day. No `T`, no zone, no bare `HH:mm`.
pub(crate) fn parse_timestamp(text: &str) -> Option<(i64, i64)> {
    let text = text.trim();
    match text.split_once(' ') {
        Some((date, time)) => Some((parse_date(date)?, parse_time(time)?)),
        None => Some((parse_date(text)?, 0)),
    }
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn nanos(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

pub(crate) fn format_date(days: i64) -> String {
    let Date { year, month, day } = Date::from_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `HH:mm:ss` and so many digits of a fraction.
pub(crate) fn format_time(nanos_of_day: i64, precision: u8) -> String {
    let seconds = nanos_of_day / 1_000_000_000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if precision == 0 {
        return clock;
    }
    let fraction = format!("{:09}", nanos_of_day % 1_000_000_000);
    format!("{clock}.{}", fraction.get(..usize::from(precision.min(9))).unwrap_or_default())
}

/// `yyyy-MM-dd HH:mm:ss` and so many digits of a fraction.
pub(crate) fn format_timestamp(days: i64, nanos_of_day: i64, precision: u8) -> String {
    format!("{} {}", format_date(days), format_time(nanos_of_day, precision))
}
