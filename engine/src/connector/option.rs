//! Values of options: durations, sizes, numbers; and names that are nearly right.

use std::collections::BTreeMap;
use std::time::Duration;

use millrace_wire::connector::{OptionClass, OptionKind, OptionSchema, OptionSide};

use crate::error::{EngineError, Result};

/// `10 s`, `500ms`, `1 min`, `2h`, `1 d`; a bare number is milliseconds, as in Flink.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let nanos_per_unit: u64 = match unit {
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1,
        "us" | "µs" | "micro" | "micros" | "microsecond" | "microseconds" => 1_000,
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hour" | "hours" => 3_600_000_000_000,
        "d" | "day" | "days" => 86_400_000_000_000,
        _ => return None,
    };
    number.checked_mul(nanos_per_unit).map(Duration::from_nanos)
}

/// `128 mb`, `64kb`, `1g`; a bare number is bytes.
pub(super) fn parse_memory(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kibibytes" => 1 << 10,
        "m" | "mb" | "mebibytes" => 1 << 20,
        "g" | "gb" | "gibibytes" => 1 << 30,
        "t" | "tb" | "tebibytes" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim()))
}

/// What is wrong with an option's value, in a sentence.
pub(super) fn kind_problem(option: &OptionSchema, name: &str, value: &str) -> Option<String> {
    let (good, wanted) = match option.kind {
        OptionKind::Integer => (value.trim().parse::<i64>().is_ok(), "a whole number".to_owned()),
        OptionKind::Boolean => {
            (["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)), "true or false".to_owned())
        }
        OptionKind::Duration => (parse_duration(value).is_some(), "a duration such as '10 s'".to_owned()),
        OptionKind::MemorySize => (parse_memory(value).is_some(), "a size such as '128 mb'".to_owned()),
        OptionKind::Choice => {
            (option.choices.iter().any(|choice| choice == value), format!("one of {}", option.choices.join(", ")))
        }
        OptionKind::Text | OptionKind::Lines | OptionKind::Topic | OptionKind::Path | OptionKind::Secret => {
            (true, String::new())
        }
    };
    (!good).then(|| format!("'{name}' has to be {wanted}, not '{value}'."))
}

/// Whether a name fits an option's name, where `*` stands for anything.
pub(super) fn glob_matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((prefix, suffix)) => {
            name.len() > prefix.len() + suffix.len() && name.starts_with(prefix) && name.ends_with(suffix)
        }
    }
}

/// The known name that is nearest to a wrong one, when it is near at all.
pub(super) fn closest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (distance(wrong, name), name)).min()?;
    (near.0 <= 1 + wrong.chars().count() / 4).then_some(near.1)
}

fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut next = vec![line + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = row.get(column).copied().unwrap_or(0) + usize::from(letter != *other);
            let removed = row.get(column + 1).copied().unwrap_or(0) + 1;
            let added = next.last().copied().unwrap_or(0) + 1;
            next.push(replaced.min(removed).min(added));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// Typed reading of a table's options; kinds were checked before, so that a wrong value is refused once more at most.
pub(super) struct Options<'a>(pub(super) &'a BTreeMap<String, String>);

impl<'a> Options<'a> {
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a str> {
        self.text(name).ok_or_else(|| EngineError::user("missing_option", format!("The option '{name}' is missing.")))
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>> {
        self.parsed(name, |text| text.trim().parse().ok())
    }

    pub(super) fn count(&self, name: &str) -> Result<Option<u64>> {
        self.parsed(name, |text| text.trim().parse().ok())
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>> {
        self.parsed(name, |text| text.trim().parse().ok())
    }

    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>> {
        self.parsed(name, parse_duration)
    }

    pub(super) fn memory(&self, name: &str) -> Result<Option<u64>> {
        self.parsed(name, parse_memory)
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = || EngineError::user("bad_option", format!("'{name}' cannot be '{text}'."));
        parse(text).ok_or_else(wrong).map(Some)
    }
}

/// An option without a default that the user has to give.
pub(super) fn required(name: &str, title: &str, help: &str, kind: OptionKind) -> OptionSchema {
    OptionSchema {
        name: name.to_owned(),
        title: title.to_owned(),
        help: help.to_owned(),
        class: OptionClass::Required,
        kind,
        default: None,
        choices: Vec::new(),
        side: OptionSide::Both,
    }
}

pub(super) fn one_of(mut option: OptionSchema, choices: &[&str]) -> OptionSchema {
    option.kind = OptionKind::Choice;
    option.choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
    option
}

pub(super) fn on_side(option: OptionSchema, side: OptionSide) -> OptionSchema {
    OptionSchema { side, ..option }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        assert_eq!(parse_duration("10 s"), Some(Duration::from_secs(10)));
        assert_eq!(parse_duration("500"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("1min"), Some(Duration::from_secs(60)));
        assert_eq!(parse_duration("1 fortnight"), None);
        assert_eq!(parse_duration("99999999999 d"), None);
        assert_eq!(parse_memory("128 MB"), Some(128 << 20));
        assert_eq!(parse_memory("x"), None);
    }

    #[test]
    fn near_names_are_found() {
        let known = ["scan.startup.mode", "topic", "format"];
        assert_eq!(closest("scan.startup.mod", known.into_iter()), Some("scan.startup.mode"));
        assert_eq!(closest("topik", known.into_iter()), Some("topic"));
        assert_eq!(closest("nope", known.into_iter()), None);
    }

    #[test]
    fn patterns_need_something_for_the_star() {
        assert!(glob_matches("properties.*", "properties.acks"));
        assert!(!glob_matches("properties.*", "properties."));
        assert!(glob_matches("fields.*.kind", "fields.a.kind"));
        assert!(!glob_matches("fields.*.kind", "fields.a.min"));
    }
}
