//! The proleptic Gregorian calendar in integers: days since 1970-01-01 ⇄ year, month, day.
//!
//! Algorithms after Howard Hinnant, "chrono-compatible low-level date algorithms".

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// 1 to 12
    pub(crate) month: i64,
    /// 1 to 31
    pub(crate) day: i64,
}

impl Date {
    pub(crate) const fn from_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        Date { year, month, day: day_of_year - (153 * shifted_month + 2) / 5 + 1 }
    }

    pub(crate) const fn to_days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = (self.month + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    pub(crate) const fn is_valid(self) -> bool {
        self.month >= 1 && self.month <= 12 && self.day >= 1 && self.day <= days_in_month(self.year, self.month)
    }

    /// The same day so many months later, or the last day of a shorter month.
    pub(crate) fn add_months(self, months: i64) -> Self {
        let total = self.year * 12 + self.month - 1 + months;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        Date { year, month, day: self.day.min(days_in_month(year, month)) }
    }

    pub(crate) const fn day_of_year(self) -> i64 {
        self.to_days() - Date { year: self.year, month: 1, day: 1 }.to_days() + 1
    }

    /// ISO 8601: week 1 holds the first Thursday.
    pub(crate) const fn iso_week(self) -> (i64, i64) {
        let days = self.to_days();
        let thursday = days - iso_weekday(days) + 4;
        let year = Date::from_days(thursday).year;
        let first = Date { year, month: 1, day: 1 }.to_days();
        (year, (thursday - first) / 7 + 1)
    }
}

/// Monday is 1, Sunday is 7.
pub(crate) const fn iso_weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

pub(crate) const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
