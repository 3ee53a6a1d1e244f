//! Kinds of values, and how what somebody types becomes a literal.

/// What the form tells types apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    Date,
    Time,
    Timestamp,
    /// A point in time, shown in a time zone.
    TimestampLtz,
    /// Binary and nested values: present or not is all that can be asked of them.
    Other,
}

/// The type without `NOT NULL`.
pub(super) fn bare(data_type: &str) -> &str {
    data_type.trim().trim_end_matches(" NOT NULL")
}

pub(super) fn is_not_null(data_type: &str) -> bool {
    data_type.trim().ends_with(" NOT NULL")
}

/// The word of a type: `DECIMAL` of `DECIMAL(10, 2)`.
pub(super) fn word(data_type: &str) -> &str {
    bare(data_type).split(['(', '<', ' ']).next().unwrap_or_default()
}

impl Kind {
    pub(super) fn of(data_type: &str) -> Kind {
        match word(data_type) {
            "STRING" | "VARCHAR" | "CHAR" => Kind::Text,
            "TINYINT" | "SMALLINT" | "INT" | "BIGINT" | "FLOAT" | "DOUBLE" | "DECIMAL" => Kind::Number,
            "BOOLEAN" => Kind::Boolean,
            "DATE" => Kind::Date,
            "TIME" => Kind::Time,
            "TIMESTAMP" => Kind::Timestamp,
            "TIMESTAMP_LTZ" => Kind::TimestampLtz,
            _ => Kind::Other,
        }
    }

    /// Values have an order: there is a smallest and a largest one.
    pub(super) fn is_ordered(self) -> bool {
        !matches!(self, Kind::Boolean | Kind::Other)
    }
}

/// What was typed as a literal; `None` when it is no value of the kind.
pub(super) fn literal(kind: Kind, typed: &str) -> Option<String> {
    let trimmed = typed.trim();
    match kind {
        Kind::Text => Some(format!("'{}'", typed.replace('\'', "''"))),
        Kind::Number => is_number(trimmed).then(|| trimmed.to_owned()),
        Kind::Boolean => {
            ["TRUE", "FALSE"].into_iter().find(|word| word.eq_ignore_ascii_case(trimmed)).map(str::to_owned)
        }
        Kind::Date => date(trimmed).map(|date| format!("DATE '{date}'")),
        Kind::Time => time(trimmed).map(|time| format!("TIME '{time}'")),
        Kind::Timestamp => timestamp(trimmed).map(|at| format!("TIMESTAMP '{at}'")),
        Kind::TimestampLtz => timestamp(trimmed).map(|at| format!("CAST(TIMESTAMP '{at}' AS TIMESTAMP_LTZ(3))")),
        Kind::Other => None,
    }
}

/// The literals of a list with commas between; `None` when one is no value of the kind, or there is none.
pub(super) fn literals(kind: Kind, typed: &str) -> Option<Vec<String>> {
    let parts = parts(typed);
    if parts.is_empty() {
        return None;
    }
    parts.iter().map(|part| literal(kind, part)).collect()
}

/// Parts between commas, without the blanks around them. A part in single quotes may hold commas and blanks.
fn parts(typed: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = typed.trim();
    while !rest.is_empty() {
        let (part, after) = match quoted(rest) {
            Some(found) => found,
            None => {
                let (part, after) = rest.split_once(',').unwrap_or((rest, ""));
                (part.trim().to_owned(), after)
            }
        };
        parts.push(part);
        rest = after.trim();
    }
    parts
}

/// A part in quotes, which are doubled inside, and what comes behind its comma.
fn quoted(rest: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut inside = rest.strip_prefix('\'')?;
    loop {
        let (text, after) = inside.split_once('\'')?;
        part.push_str(text);
        match after.strip_prefix('\'') {
            Some(more) => {
                part.push('\'');
                inside = more;
            }
            None => {
                let after = after.trim_start();
                let after = if after.is_empty() { after } else { after.strip_prefix(',')? };
                return Some((part, after));
            }
        }
    }
}

/// `-12`, `0.5`, `1.5e-3`
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    is_digits(whole) && is_digits(fraction) && exponent.is_none_or(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number of exactly so many digits, when it is at most that.
fn digits(text: &str, count: usize, most: u32) -> Option<u32> {
    (text.len() == count && is_digits(text)).then(|| text.parse().ok()).flatten().filter(|number| *number <= most)
}

fn date(text: &str) -> Option<&str> {
    let mut parts = text.splitn(3, '-');
    digits(parts.next()?, 4, 9999)?;
    let month = digits(parts.next()?, 2, 12)?;
    let day = digits(parts.next()?, 2, 31)?;
    (month > 0 && day > 0).then_some(text)
}

/// Seconds may be left out.
fn time(text: &str) -> Option<String> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.splitn(3, ':');
    digits(parts.next()?, 2, 23)?;
    digits(parts.next()?, 2, 59)?;
    match (parts.next(), fraction) {
        (Some(seconds), fraction) => {
            digits(seconds, 2, 59)?;
            fraction.is_none_or(|fraction| is_digits(fraction) && fraction.len() <= 9).then(|| text.to_owned())
        }
        (None, None) => Some(format!("{clock}:00")),
        (None, Some(_)) => None,
    }
}

/// A day alone begins at midnight.
fn timestamp(text: &str) -> Option<String> {
    match text.split_once([' ', 'T']) {
        Some((day, clock)) => Some(format!("{} {}", date(day)?, time(clock.trim())?)),
        None => date(text).map(|day| format!("{day} 00:00:00")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_apart_by_their_word() {
        let of = |data_type| Kind::of(data_type);
        assert_eq!([of("STRING"), of("VARCHAR(20) NOT NULL"), of("CHAR(3)")], [Kind::Text; 3]);
        assert_eq!([of("BIGINT NOT NULL"), of("DECIMAL(10, 2)"), of("DOUBLE")], [Kind::Number; 3]);
        assert_eq!((of("BOOLEAN"), of("DATE"), of("TIME(0)")), (Kind::Boolean, Kind::Date, Kind::Time));
        assert_eq!((of("TIMESTAMP(3)"), of("TIMESTAMP_LTZ(3)")), (Kind::Timestamp, Kind::TimestampLtz));
        assert_eq!([of("ROW<`a` INT>"), of("ARRAY<STRING>"), of("BYTES"), of("MAP<STRING, INT>")], [Kind::Other; 4]);
    }

    #[test]
    fn each_kind_has_its_literal() {
        let cases = [
            (Kind::Text, "it's", "'it''s'"),
            (Kind::Text, "", "''"),
            (Kind::Text, " a ", "' a '"),
            (Kind::Text, "漢'; DROP", "'漢''; DROP'"),
            (Kind::Number, " -12.50 ", "-12.50"),
            (Kind::Number, "1.5e-3", "1.5e-3"),
            (Kind::Boolean, "true", "TRUE"),
            (Kind::Date, "2026-01-31", "DATE '2026-01-31'"),
            (Kind::Time, "09:30", "TIME '09:30:00'"),
            (Kind::Time, "09:30:15.250", "TIME '09:30:15.250'"),
            (Kind::Timestamp, "2026-01-31", "TIMESTAMP '2026-01-31 00:00:00'"),
            (Kind::Timestamp, "2026-01-31T09:30", "TIMESTAMP '2026-01-31 09:30:00'"),
            (Kind::Timestamp, "2026-01-31 09:30:15.123", "TIMESTAMP '2026-01-31 09:30:15.123'"),
            (Kind::TimestampLtz, "2026-01-31", "CAST(TIMESTAMP '2026-01-31 00:00:00' AS TIMESTAMP_LTZ(3))"),
        ];
        for (kind, typed, expected) in cases {
            assert_eq!(literal(kind, typed).as_deref(), Some(expected), "{kind:?} {typed}");
        }
    }

    #[test]
    fn what_is_no_value_of_the_kind_is_refused() {
        let cases = [
            (Kind::Number, "1 OR 1=1"),
            (Kind::Number, ""),
            (Kind::Number, "-"),
            (Kind::Number, "1e"),
            (Kind::Boolean, "yes"),
            (Kind::Date, "2026-13-01"),
            (Kind::Date, "2026-1-1"),
            (Kind::Date, "2026-01-01'"),
            (Kind::Time, "24:00"),
            (Kind::Time, "12:00.5"),
            (Kind::Timestamp, "2026-01-31 9:30"),
            (Kind::TimestampLtz, "now"),
            (Kind::Other, "x"),
        ];
        for (kind, typed) in cases {
            assert_eq!(literal(kind, typed), None, "{kind:?} {typed}");
        }
    }

    #[test]
    fn lists_are_cut_at_commas_outside_of_quotes() {
        let texts = literals(Kind::Text, "web, 'a, b' ,it's,'it''s'");
        assert_eq!(texts.unwrap_or_default(), ["'web'", "'a, b'", "'it''s'", "'it''s'"]);
        assert_eq!(literals(Kind::Number, "1, 2,3").unwrap_or_default(), ["1", "2", "3"]);
        assert_eq!(literals(Kind::Number, "1, two"), None);
        assert_eq!(literals(Kind::Text, " "), None);
    }
}
