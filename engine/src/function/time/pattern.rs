//! Java's date patterns (`yyyy-MM-dd HH:mm:ss.SSS`), compiled once per batch to a list of parts.

use std::fmt::Write;

use super::calendar::{Date, days_in_month, iso_weekday};
use super::value::Local;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// Letter and how often it is repeated.
    Field(char, usize),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Vec<Part>);

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Pattern {
    /// `None` for a letter that is not known, or an open quote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts: Vec<Part> = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(next) = chars.next() {
            if next == '\'' {
                let mut literal = String::new();
                loop {
                    match chars.next()? {
                        '\'' if chars.peek() == Some(&'\'') => literal.extend(chars.next()),
                        '\'' => break,
                        other => literal.push(other),
                    }
                }
                parts.push(Part::Literal(if literal.is_empty() { "'".to_owned() } else { literal }));
            } else if next.is_ascii_alphabetic() {
                if !"yuMdHhkKmsSaEDn".contains(next) {
                    return None;
                }
                let mut count = 1;
                while chars.next_if_eq(&next).is_some() {
                    count += 1;
                }
                parts.push(Part::Field(next, count));
            } else {
                parts.push(Part::Literal(next.to_string()));
            }
        }
        Some(Pattern(parts))
    }

    pub(crate) fn write(&self, local: Local, out: &mut String) {
        let date = Date::from_days(local.days);
        for part in &self.0 {
            match part {
                Part::Literal(literal) => out.push_str(literal),
                Part::Field(letter, count) => write_field(out, *letter, *count, date, local),
            }
        }
    }

    /// `None` when the text does not match. Missing fields are those of 1970-01-01 00:00:00.
    pub(crate) fn read(&self, text: &str) -> Option<Local> {
        let mut rest = text;
        let mut date = Date { year: 1970, month: 1, day: 1 };
        let (mut hour, mut minute, mut second, mut nanos, mut afternoon) = (0, 0, 0, 0, None);
        for (position, part) in self.0.iter().enumerate() {
            match part {
                Part::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Part::Field('M', 3..) => {
                    let found = MONTHS
                        .iter()
                        .position(|name| starts_with(rest, name) || starts_with(rest, name.get(..3).unwrap_or(name)))?;
                    let name = MONTHS.get(found)?;
                    rest = rest.get(if starts_with(rest, name) { name.len() } else { 3 }..)?;
                    date.month = i64::try_from(found).ok()? + 1;
                }
                Part::Field('a', _) => {
                    afternoon = Some(starts_with(rest, "PM"));
                    if !starts_with(rest, "AM") && !starts_with(rest, "PM") {
                        return None;
                    }
                    rest = rest.get(2..)?;
                }
                Part::Field('E', _) => {
                    let name = DAYS.iter().find(|name| starts_with(rest, name.get(..3).unwrap_or(name)))?;
                    rest = rest.get(if starts_with(rest, name) { name.len() } else { 3 }..)?;
                }
                Part::Field(letter, count) => {
                    // A field directly before another one takes exactly its width.
                    let tight = matches!(self.0.get(position + 1), Some(Part::Field(..)));
                    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                    let width = if tight || *letter == 'S' { *count } else { digits.min((*count).max(4)) };
                    let number = rest
                        .get(..width)
                        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
                    rest = rest.get(width..)?;
                    let value: i64 = number.parse().ok()?;
                    match letter {
                        'y' | 'u' => date.year = if *count == 2 && width == 2 { 2000 + value } else { value },
                        'M' => date.month = value,
                        'd' => date.day = value,
                        'H' | 'h' | 'K' => hour = value,
                        'k' => hour = value % 24,
                        'm' => minute = value,
                        's' => second = value,
                        'S' => nanos = value * 10_i64.checked_pow(9_u32.checked_sub(u32::try_from(width).ok()?)?)?,
                        _ => return None,
                    }
                }
            }
        }
        if let Some(afternoon) = afternoon {
            hour = hour % 12 + if afternoon { 12 } else { 0 };
        }
        // As Java reads by default: 30 February is the last of February, 32 March is nothing.
        if (1..=12).contains(&date.month) && (29..=31).contains(&date.day) {
            date.day = date.day.min(days_in_month(date.year, date.month));
        }
        let valid = rest.is_empty() && date.is_valid() && hour < 24 && minute < 60 && second < 60;
        valid.then(|| Local {
            days: date.to_days(),
            nanos: ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + nanos,
        })
    }
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn write_field(text: &mut String, letter: char, count: usize, date: Date, local: Local) {
    let seconds = local.nanos / 1_000_000_000;
    let hour = seconds / 3600;
    let number = match letter {
        'y' | 'u' if count == 2 => date.year.rem_euclid(100),
        'y' | 'u' => date.year,
        'M' if count >= 3 => {
            let name =
                usize::try_from(date.month - 1).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default();
            text.push_str(if count == 3 { name.get(..3).unwrap_or(name) } else { name });
            return;
        }
        'E' => {
            let name = usize::try_from(iso_weekday(local.days) - 1)
                .ok()
                .and_then(|day| DAYS.get(day))
                .copied()
                .unwrap_or_default();
            text.push_str(if count <= 3 { name.get(..3).unwrap_or(name) } else { name });
            return;
        }
        'a' => {
            text.push_str(if hour < 12 { "AM" } else { "PM" });
            return;
        }
        'S' => {
            let start = text.len();
            write_padded(text, local.nanos % 1_000_000_000, 9);
            text.truncate(start + count.min(9));
            return;
        }
        'M' => date.month,
        'd' => date.day,
        'D' => date.day_of_year(),
        'H' => hour,
        'k' => {
            if hour == 0 {
                24
            } else {
                hour
            }
        }
        'K' => hour % 12,
        'h' => {
            if hour % 12 == 0 {
                12
            } else {
                hour % 12
            }
        }
        'm' => seconds / 60 % 60,
        'n' => local.nanos % 1_000_000_000,
        _ => seconds % 60,
    };
    write_padded(text, number, count);
}

/// With zeros before it, at least as wide as `width`.
fn write_padded(text: &mut String, number: i64, width: usize) {
    const MOST: usize = 20;
    if number < 0 || width > MOST {
        // Writing to a text does not fail.
        let _ = write!(text, "{number:0width$}");
        return;
    }
    let (mut digits, mut first, mut rest) = ([b'0'; MOST], MOST, number);
    while rest > 0 {
        first -= 1;
        digits[first] += (rest % 10) as u8;
        rest /= 10;
    }
    let first = first.min(MOST - width);
    text.extend(digits[first..].iter().map(|digit| char::from(*digit)));
}
