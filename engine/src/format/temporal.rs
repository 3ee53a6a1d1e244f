//! Dates and times from and to text, in the two standards of Flink's formats.
//!
//! `SQL`: `2020-01-02 03:04:05.123`, with `Z` at the end for `TIMESTAMP_LTZ`. `ISO-8601`: the same with `T`; seconds may be
//! missing. Up to nine fraction digits, kept as far as the column's precision goes.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampStandard {
    Sql,
    Iso8601,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `2020-01-02` to days since 1970-01-01.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let (days, rest) = read_date(text.trim_ascii())?;
    if rest.is_empty() { i32::try_from(days).ok() } else { None }
}

/// `03:04:05.123` to milliseconds of the day. A precision of 0 drops the fraction.
pub fn parse_time(text: &[u8], precision: u8, standard: TimestampStandard) -> Option<i32> {
    let (nanos, rest) = read_time(text.trim_ascii(), standard)?;
    let rest = if rest == b"Z" { &[] } else { rest };
    let millis = if precision == 0 { nanos / NANOS_PER_SECOND * 1000 } else { nanos / 1_000_000 };
    if rest.is_empty() { i32::try_from(millis).ok() } else { None }
}

/// A timestamp in the unit of `precision` (milli, micro or nanoseconds). `zoned` is `TIMESTAMP_LTZ`.
pub fn parse_timestamp(text: &[u8], precision: u8, standard: TimestampStandard, zoned: bool) -> Option<i64> {
    let (days, rest) = read_date(text.trim_ascii())?;
    let separator = match standard {
        TimestampStandard::Sql => b' ',
        TimestampStandard::Iso8601 => b'T',
    };
    let rest = rest.strip_prefix(&[separator])?;
    let (nanos, rest) = read_time(rest, standard)?;
    let offset_seconds = match (zoned, rest) {
        (true, b"Z") | (false, b"") => 0,
        (true, offset) => read_offset(offset)?,
        (false, _) => return None,
    };
    let seconds = days * SECONDS_PER_DAY + nanos / NANOS_PER_SECOND - offset_seconds;
    to_unit(seconds, nanos % NANOS_PER_SECOND, precision)
}

/// How many of the unit that a precision is kept in make a second.
pub const fn units_per_second(precision: u8) -> i64 {
    match precision {
        0..=3 => 1_000,
        4..=6 => 1_000_000,
        _ => NANOS_PER_SECOND,
    }
}

fn to_unit(seconds: i64, nanos: i64, precision: u8) -> Option<i64> {
    // 2020-01-01 00:00:00.123 in a TIMESTAMP(0) is kept as …00: the fraction beyond the precision is dropped.
    let kept = match precision {
        0..=8 => nanos - nanos % 10_i64.pow(9 - u32::from(precision)),
        _ => nanos,
    };
    let units = units_per_second(precision);
    seconds.checked_mul(units)?.checked_add(kept / (NANOS_PER_SECOND / units))
}

fn read_date(text: &[u8]) -> Option<(i64, &[u8])> {
    let (year, rest) = digits::<4>(text)?;
    let (month, rest) = digits::<2>(rest.strip_prefix(b"-")?)?;
    let (day, rest) = digits::<2>(rest.strip_prefix(b"-")?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if day < 1 || day > last {
        return None;
    }
    Some((days_from_civil(year, month, day), rest))
}

/// Nanoseconds of the day.
fn read_time(text: &[u8], standard: TimestampStandard) -> Option<(i64, &[u8])> {
    let (hour, rest) = digits::<2>(text)?;
    let (minute, rest) = digits::<2>(rest.strip_prefix(b":")?)?;
    let (second, rest) = match rest.strip_prefix(b":") {
        Some(rest) => digits::<2>(rest)?,
        None if standard == TimestampStandard::Iso8601 => (0, rest),
        None => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, rest) = match rest.strip_prefix(b".") {
        Some(rest) => read_fraction(rest)?,
        None => (0, rest),
    };
    Some((((hour * 60 + minute) * 60 + second) * NANOS_PER_SECOND + nanos, rest))
}

fn read_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > 9 {
        return None;
    }
    let (fraction, rest) = text.split_at(length);
    let value = fraction.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some((value * 10_i64.pow(9 - u32::try_from(length).ok()?), rest))
}

/// `+02:00`, `-0330` or `+02` in seconds.
fn read_offset(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits::<2>(rest)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { digits::<2>(rest)? };
    (rest.is_empty() && hours <= 18 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn digits<const N: usize>(text: &[u8]) -> Option<(i64, &[u8])> {
    let (head, rest) = text.split_first_chunk::<N>()?;
    let mut value = 0;
    for byte in head {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some((value, rest))
}

pub fn write_date(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil_from_days(days);
    if (0..=9999).contains(&year) {
        write_digits(out, year, 4);
    } else {
        out.extend_from_slice(year.to_string().as_bytes());
    }
    out.push(b'-');
    write_digits(out, month, 2);
    out.push(b'-');
    write_digits(out, day, 2);
}

/// Without a fraction when it is zero; else as short as it can be (`SQL`) or in groups of three digits (`ISO-8601`).
pub fn write_timestamp(out: &mut Vec<u8>, value: i64, units: i64, standard: TimestampStandard, zoned: bool) {
    let (seconds, fraction) = (value.div_euclid(units), value.rem_euclid(units));
    write_date(out, seconds.div_euclid(SECONDS_PER_DAY));
    out.push(if standard == TimestampStandard::Sql { b' ' } else { b'T' });
    write_clock(out, seconds.rem_euclid(SECONDS_PER_DAY));
    write_fraction(out, fraction * (NANOS_PER_SECOND / units), standard);
    if zoned {
        out.push(b'Z');
    }
}

pub fn write_time(out: &mut Vec<u8>, millis: i64) {
    write_clock(out, millis.div_euclid(1000));
    write_fraction(out, millis.rem_euclid(1000) * 1_000_000, TimestampStandard::Sql);
}

fn write_clock(out: &mut Vec<u8>, second_of_day: i64) {
    write_digits(out, second_of_day / 3600, 2);
    out.push(b':');
    write_digits(out, second_of_day / 60 % 60, 2);
    out.push(b':');
    write_digits(out, second_of_day % 60, 2);
}

fn write_fraction(out: &mut Vec<u8>, nanos: i64, standard: TimestampStandard) {
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    let start = out.len();
    write_digits(out, nanos, 9);
    let group = if standard == TimestampStandard::Sql { 1 } else { 3 };
    while out.len() - start > group && out.iter().rev().take(group).all(|byte| *byte == b'0') {
        out.truncate(out.len() - group);
    }
}

fn write_digits(out: &mut Vec<u8>, mut value: i64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for slot in out.iter_mut().skip(start).rev() {
        *slot = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::TimestampStandard::{Iso8601, Sql};
    use super::*;

    #[test]
    fn calendar_goes_there_and_back() {
        for days in [-719_528, -1, 0, 59, 60, 11_016, 18_321, 2_932_896] {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(civil_from_days(18_321), (2020, 2, 29));
    }

    #[test]
    fn timestamps_of_both_standards() {
        let at = |text: &str, precision, standard, zoned| parse_timestamp(text.as_bytes(), precision, standard, zoned);
        assert_eq!(at("2020-01-02 03:04:05.678", 3, Sql, false), Some(1_577_934_245_678));
        assert_eq!(at("2020-01-02 03:04:05", 3, Sql, false), Some(1_577_934_245_000));
        assert_eq!(at("2020-01-02 03:04:05.678912", 6, Sql, false), Some(1_577_934_245_678_912));
        assert_eq!(at("2020-01-02 03:04:05.999", 0, Sql, false), Some(1_577_934_245_000));
        assert_eq!(at("1969-12-31 23:59:59.999", 3, Sql, false), Some(-1));
        assert_eq!(at("2020-01-02T03:04:05.678Z", 3, Iso8601, true), Some(1_577_934_245_678));
        assert_eq!(at("2020-01-02T05:04:05+02:00", 3, Iso8601, true), Some(1_577_934_245_000));
        assert_eq!(at("2020-01-02T03:04", 3, Iso8601, false), Some(1_577_934_240_000));
        for wrong in [
            "2020-01-02T03:04:05",
            "2020-13-02 03:04:05",
            "2021-02-29 00:00:00",
            "2020-01-02 24:00:00",
            "2020-01-02 03:04",
            "2020-01-02 03:04:05Z",
            "2020-01-02 03:04:05.",
            "1436918400000",
            "",
        ] {
            assert_eq!(at(wrong, 3, Sql, false), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = |value, units, standard, zoned| {
            let mut out = Vec::new();
            write_timestamp(&mut out, value, units, standard, zoned);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(1_577_934_245_600, 1000, Sql, false), "2020-01-02 03:04:05.6");
        assert_eq!(text(1_577_934_245_600, 1000, Iso8601, true), "2020-01-02T03:04:05.600Z");
        assert_eq!(text(-1, 1000, Sql, false), "1969-12-31 23:59:59.999");
        assert_eq!(text(0, 1000, Sql, true), "1970-01-01 00:00:00Z");
        let mut out = Vec::new();
        write_time(&mut out, 86_399_120);
        assert_eq!(out, b"23:59:59.12");
    }
}
