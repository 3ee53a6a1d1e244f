//! `scan.partition.*`: the ranges of a column that are read side by side, cut as Flink cuts them.

use super::super::SplitId;
use super::super::option::Options;
use crate::catalog::TableDef;
use crate::error::{EngineError, Result};
use crate::format::temporal::{TimestampStandard, parse_date, parse_timestamp, write_date, write_timestamp};
use crate::types::LogicalType;

const OPTIONS: [&str; 4] =
    ["scan.partition.column", "scan.partition.num", "scan.partition.lower-bound", "scan.partition.upper-bound"];
const MOST: u64 = 10_000;

/// Nothing else is read than what lies in the ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partitions {
    pub(super) column: String,
    kind: Kind,
    /// First and last value of each, both in it.
    ranges: Vec<(i128, i128)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    /// In days.
    Date,
    /// In microseconds.
    Timestamp,
}

impl Partitions {
    pub(super) fn of_table(table: &TableDef) -> Result<Option<Self>> {
        let options = Options(&table.options);
        let given = OPTIONS.map(|name| options.text(name));
        if given.iter().all(Option::is_none) {
            return Ok(None);
        }
        let [Some(column), Some(_), Some(lower), Some(upper)] = given else {
            let message = format!("'{}' and the others have to be given together: {}.", OPTIONS[0], OPTIONS.join(", "));
            return Err(EngineError::user("missing_option", message));
        };
        let number = options.count(OPTIONS[1])?.filter(|number| (1..=MOST).contains(number));
        let number = number.ok_or_else(|| wrong(OPTIONS[1], &format!("a number from 1 to {MOST}")))?;
        let Some(found) = table.columns.iter().find(|known| known.name == column) else {
            return Err(wrong(OPTIONS[0], "a column of the table"));
        };
        let kind = match &found.ty.logical {
            ty if ty.is_numeric() => Kind::Number,
            LogicalType::Date => Kind::Date,
            LogicalType::Timestamp(_) => Kind::Timestamp,
            _ => return Err(wrong(OPTIONS[0], "a column of numbers, dates or timestamps")),
        };
        let lower = kind.read(lower).ok_or_else(|| wrong(OPTIONS[2], kind.words()))?;
        let upper = kind.read(upper).ok_or_else(|| wrong(OPTIONS[3], kind.words()))?;
        if lower > upper {
            return Err(wrong(OPTIONS[2], "at most the upper bound"));
        }
        Ok(Some(Partitions { column: column.to_owned(), kind, ranges: cut(lower, upper, i128::from(number)) }))
    }

    pub(super) fn splits(&self) -> Vec<SplitId> {
        self.ranges.iter().map(|range| self.name(range)).collect()
    }

    /// The condition on the quoted column for the rows of a split.
    pub(super) fn condition(&self, split: &str, column: &str) -> Result<String> {
        let position = self.ranges.iter().position(|range| *self.name(range) == *split);
        let range = position.and_then(|position| self.ranges.get(position)).ok_or_else(|| {
            let message =
                "The options 'scan.partition.*' were changed since the checkpoint. Put them back, or start fresh.";
            EngineError::user("bad_option", message)
        })?;
        let quote = if self.kind == Kind::Number { "" } else { "'" };
        let bound = |value: i128| format!("{quote}{}{quote}", self.kind.write(value));
        // Up to where the next one begins: a fraction lies between two of the whole numbers.
        let end = match position.and_then(|position| self.ranges.get(position + 1)) {
            Some(next) => format!("< {}", bound(next.0)),
            None => format!("<= {}", bound(range.1)),
        };
        Ok(format!("{column} >= {} AND {column} {end}", bound(range.0)))
    }

    fn name(&self, (first, last): &(i128, i128)) -> SplitId {
        format!("{} to {}", self.kind.write(*first), self.kind.write(*last)).into()
    }
}

fn cut(lower: i128, upper: i128, number: i128) -> Vec<(i128, i128)> {
    let values = upper - lower + 1;
    let number = number.min(values);
    let (size, larger) = (values / number, values % number);
    let mut first = lower;
    let mut ranges = Vec::new();
    for position in 0..number {
        let last = first + size - 1 + i128::from(position < larger);
        ranges.push((first, last));
        first = last + 1;
    }
    ranges
}

impl Kind {
    fn read(self, text: &str) -> Option<i128> {
        match self {
            Kind::Number => text.trim().parse::<i64>().ok().map(i128::from),
            Kind::Date => parse_date(text.as_bytes()).map(i128::from),
            Kind::Timestamp => parse_timestamp(text.as_bytes(), 6, TimestampStandard::Sql, false).map(i128::from),
        }
    }

    fn write(self, value: i128) -> String {
        let small = i64::try_from(value).unwrap_or(i64::MAX);
        let mut out = Vec::new();
        match self {
            Kind::Number => return value.to_string(),
            Kind::Date => write_date(&mut out, small),
            Kind::Timestamp => write_timestamp(&mut out, small, 1_000_000, TimestampStandard::Sql, false),
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    const fn words(self) -> &'static str {
        match self {
            Kind::Number => "a whole number",
            Kind::Date => "a date such as 2020-01-31",
            Kind::Timestamp => "a timestamp such as 2020-01-31 12:00:00",
        }
    }
}

fn wrong(option: &str, wanted: &str) -> EngineError {
    EngineError::user("bad_option", format!("'{option}' has to be {wanted}."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::table;
    use super::*;

    fn partitions(bounds: [&str; 3], column: &str) -> Result<Option<Partitions>> {
        let [number, lower, upper] = bounds;
        let options = [(OPTIONS[0], column), (OPTIONS[1], number), (OPTIONS[2], lower), (OPTIONS[3], upper)];
        let columns = [
            ("n", LogicalType::Int),
            ("d", LogicalType::Date),
            ("t", LogicalType::Timestamp(3)),
            ("s", LogicalType::String),
        ];
        Partitions::of_table(&table(&columns, &options))
    }

    #[test]
    fn ranges_cover_the_bounds_once() {
        let found = partitions(["3", "0", "9"], "n").unwrap().unwrap();
        assert_eq!(found.splits().iter().map(|split| &**split).collect::<Vec<_>>(), ["0 to 3", "4 to 6", "7 to 9"]);
        assert_eq!(found.condition("4 to 6", "`n`").unwrap(), "`n` >= 4 AND `n` < 7");
        assert_eq!(found.condition("7 to 9", "`n`").unwrap(), "`n` >= 7 AND `n` <= 9");
        assert!(found.condition("4 to 7", "`n`").is_err());
        assert_eq!(partitions(["5", "-1", "1"], "n").unwrap().unwrap().splits().len(), 3);
        let days = partitions(["2", "2020-02-28", "2020-03-02"], "d").unwrap().unwrap();
        assert_eq!(days.condition(&days.splits()[0], "d").unwrap(), "d >= '2020-02-28' AND d < '2020-03-01'");
        let times = partitions(["2", "2020-01-01 00:00:00", "2020-01-01 00:00:01"], "t").unwrap().unwrap();
        assert_eq!(&*times.splits()[1], "2020-01-01 00:00:00.500001 to 2020-01-01 00:00:01");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (bounds, column, word) in [
            (["0", "0", "1"], "n", "num"),
            (["2", "1", "0"], "n", "lower"),
            (["2", "a", "1"], "n", "whole"),
            (["2", "0", "1"], "s", "column"),
            (["2", "0", "1"], "x", "column"),
        ] {
            let message = partitions(bounds, column).unwrap_err().message;
            assert!(message.contains(word), "{message}");
        }
        assert!(Partitions::of_table(&table(&[("n", LogicalType::Int)], &[(OPTIONS[0], "n")])).is_err());
    }
}
