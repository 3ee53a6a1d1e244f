//! Dates and times from milliseconds since 1970, without a date library.
//!
//! The caller adds the offset of the time zone first; here a day is a day.

/// A moment, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub milli: u32,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Moment {
    pub fn of(ms: i64) -> Moment {
        let day_ms = 86_400_000;
        let (days, rest) = (ms.div_euclid(day_ms), ms.rem_euclid(day_ms));
        let (year, month, day) = civil(days);
        let part = |size: i64, modulus: i64| u32::try_from(rest / size % modulus).unwrap_or(0);
        Moment {
            year,
            month,
            day,
            hour: part(3_600_000, 24),
            minute: part(60_000, 60),
            second: part(1_000, 60),
            milli: part(1, 1_000),
        }
    }

    /// `14:02`
    pub fn minutes(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    /// `14:02:31`
    pub fn seconds(&self) -> String {
        format!("{}:{:02}", self.minutes(), self.second)
    }

    /// `14:02:31.402`
    pub fn millis(&self) -> String {
        format!("{}.{:03}", self.seconds(), self.milli)
    }

    /// `12 Nov`
    pub fn day_month(&self) -> String {
        let month = usize::try_from(self.month.saturating_sub(1)).unwrap_or(0);
        format!("{} {}", self.day, MONTHS.get(month).copied().unwrap_or("?"))
    }

    /// `12 Nov 2026`
    pub fn date(&self) -> String {
        format!("{} {}", self.day_month(), self.year)
    }

    /// `12 Nov 2026 14:02:31`
    pub fn full(&self) -> String {
        format!("{} {}", self.date(), self.seconds())
    }

    /// `2026-11-12T14:02`, the notation of date and time fields.
    pub fn field(&self) -> String {
        format!("{:04}-{:02}-{:02}T{}", self.year, self.month, self.day, self.minutes())
    }
}

/// Reads the notation of date and time fields, with or without seconds.
pub fn parse_field(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut time = time.split(':');
    let hour: i64 = time.next()?.parse().ok()?;
    let minute: i64 = time.next()?.parse().ok()?;
    let second: f64 = time.next().map_or(Some(0.0), |text| text.parse().ok())?;
    let fits = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0.0..60.0).contains(&second);
    fits.then(|| days(year, month, day) * 86_400_000 + hour * 3_600_000 + minute * 60_000 + (second * 1_000.0) as i64)
}

/// Year, month and day of a count of days since 1970, in the proleptic Gregorian calendar.
/// Years are counted from March, so that the leap day is the last one.
fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn known_instants() {
        assert_eq!(Moment::of(0).full(), "1 Jan 1970 00:00:00");
        assert_eq!(Moment::of(951_782_400_000).full(), "29 Feb 2000 00:00:00");
        assert_eq!(Moment::of(1_795_240_951_402).full(), "21 Nov 2026 06:02:31");
        assert_eq!(Moment::of(1_795_240_951_402).millis(), "06:02:31.402");
        assert_eq!(Moment::of(-1).full(), "31 Dec 1969 23:59:59");
    }

    #[test]
    fn extremes_do_not_panic() {
        for ms in [i64::MIN, i64::MAX] {
            assert!(!Moment::of(ms).full().is_empty());
        }
    }

    #[test]
    fn fields_come_back() {
        for day in (-800_000..800_000).step_by(997) {
            let ms = day * 86_400_000 + 13 * 3_600_000 + 7 * 60_000;
            let moment = Moment::of(ms);
            if (1..=9999).contains(&moment.year) {
                assert_eq!(parse_field(&moment.field()).unwrap(), ms);
            }
        }
        assert_eq!(parse_field("1970-01-01 00:00:01.5"), Some(1_500));
        for wrong in ["", "2026-11-21", "2026-13-01T00:00", "x-y-zT1:2", "2026-11-21T25:00"] {
            assert_eq!(parse_field(wrong), None, "{wrong}");
        }
    }
}
