//! Which output goes into which column of the target, and whether it fits.

use super::model::{Choice, Column, Query};
use super::output::{Output, outputs};
use super::value::{Kind, bare, is_not_null, word};

/// What one column of the target gets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assigned {
    pub(super) column: Column,
    pub(super) given: Given,
    pub(super) fit: Fit,
    /// The value is converted.
    pub(super) casts: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Output(Output),
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    /// Only when it is converted.
    Convertible,
    /// Not even then.
    Never,
    /// The column takes no NULL.
    NeedsValue,
}

impl Assigned {
    /// Nothing is to be done about it.
    pub(super) fn is_settled(&self) -> bool {
        self.fit == Fit::Fits || self.fit == Fit::Convertible && self.casts
    }

    /// What stands in the list of the SELECT.
    pub(super) fn expression(&self) -> String {
        let target = bare(&self.column.data_type);
        match &self.given {
            Given::Null => format!("CAST(NULL AS {target})"),
            Given::Output(output) if self.casts => format!("CAST({} AS {target})", output.expression),
            Given::Output(output) => output.expression.clone(),
        }
    }
}

/// Every column of the target that can be written, in the target's order.
pub(super) fn assigned(query: &Query) -> Vec<Assigned> {
    let Some(table) = query.target.table.as_ref().filter(|_| query.inserts) else { return Vec::new() };
    let outputs = outputs(query);
    table.written().map(|column| assign(query, column, &outputs)).collect()
}

fn assign(query: &Query, column: &Column, outputs: &[Output]) -> Assigned {
    let chosen = query.target.choices.get(&column.name);
    let by_key = |key: &String| outputs.iter().find(|output| output.key == *key);
    let by_name = || {
        let same = outputs.iter().find(|output| output.name == column.name);
        same.or_else(|| outputs.iter().find(|output| output.name.eq_ignore_ascii_case(&column.name)))
    };
    let output = match chosen {
        Some(Choice::Null) => None,
        // What was chosen may not come out any more.
        Some(Choice::Output(key)) => by_key(key).or_else(by_name),
        None => by_name(),
    };
    let wants_cast = query.target.casts.contains(&column.name);
    match output {
        Some(output) => {
            let fit = fit(&output.data_type, &column.data_type);
            let casts = wants_cast && fit == Fit::Convertible;
            Assigned { column: column.clone(), given: Given::Output(output.clone()), fit, casts }
        }
        None => {
            let fit = if is_not_null(&column.data_type) { Fit::NeedsValue } else { Fit::Fits };
            Assigned { column: column.clone(), given: Given::Null, fit, casts: false }
        }
    }
}

/// Outputs that no column of the target takes.
pub(super) fn left_out(query: &Query) -> Vec<String> {
    let assigned = assigned(query);
    let is_taken = |output: &Output| {
        assigned.iter().any(|one| matches!(&one.given, Given::Output(given) if given.key == output.key))
    };
    outputs(query).into_iter().filter(|output| !is_taken(output)).map(|output| output.name).collect()
}

/// As the planner decides it for a column of a query and a column of a sink.
pub(super) fn fit(from: &str, to: &str) -> Fit {
    let (from, to) = (bare(from), bare(to));
    // A type that the form does not know is left to the planner.
    if from == to || from.is_empty() {
        return Fit::Fits;
    }
    let (a, b) = (Kind::of(from), Kind::of(to));
    let is_time = |kind| matches!(kind, Kind::Timestamp | Kind::TimestampLtz);
    let fits = match (a, b) {
        (Kind::Text, Kind::Text) => true,
        (Kind::Number, Kind::Number) => number_fits(word(from), word(to)),
        (a, Kind::Timestamp | Kind::TimestampLtz) if is_time(a) => true,
        (a, Kind::Date | Kind::Time) if is_time(a) => true,
        (Kind::Date, b) if is_time(b) => true,
        (Kind::Time, Kind::Time) => true,
        _ => is_binary(from) && is_binary(to),
    };
    if fits {
        return Fit::Fits;
    }
    let converts = match (a, b) {
        (_, Kind::Text) => true,
        (Kind::Text, Kind::Other) => is_binary(to),
        (Kind::Text, _) | (Kind::Number, Kind::Number | Kind::Boolean) | (Kind::Boolean, Kind::Number) => true,
        (Kind::Time, b) => is_time(b),
        _ => false,
    };
    if converts { Fit::Convertible } else { Fit::Never }
}

fn number_fits(from: &str, to: &str) -> bool {
    let rank = |word| ["TINYINT", "SMALLINT", "INT", "BIGINT"].iter().position(|known| *known == word);
    match (rank(from), rank(to), to) {
        (_, _, "DECIMAL" | "DOUBLE") => true,
        (from_rank, _, "FLOAT") => from_rank.is_some() || from == "DECIMAL",
        (Some(from), Some(to), _) => from <= to,
        _ => false,
    }
}

fn is_binary(data_type: &str) -> bool {
    matches!(word(data_type), "BYTES" | "BINARY" | "VARBINARY")
}
