//! What comes out of the query: expressions with their names and types.

use super::super::names::identifier;
use super::model::{Aggregate, Function, Picked, Query, Shape, Source};
use super::value::{bare, word};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Output {
    /// Stays when the name changes.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) expression: String,
    /// As the planner will name it; empty where the column is not there.
    pub(super) data_type: String,
}

pub(super) fn outputs(query: &Query) -> Vec<Output> {
    let Some(source) = &query.source else { return Vec::new() };
    let mut outputs = Vec::new();
    if query.shape == Shape::Windowed {
        let ends = [("window_start", query.window.shows_start), ("window_end", query.window.shows_end)];
        outputs.extend(ends.into_iter().filter(|(_, shown)| *shown).map(|(name, _)| Output {
            key: name.to_owned(),
            name: name.to_owned(),
            expression: name.to_owned(),
            data_type: "TIMESTAMP(3) NOT NULL".to_owned(),
        }));
    }
    outputs.extend(query.ticked().iter().map(|picked| of_column(picked, source)));
    if query.shape != Shape::Plain {
        for aggregate in &query.aggregates {
            let name = named(aggregate, &outputs);
            outputs.push(of_aggregate(aggregate, name, source));
        }
    }
    outputs
}

fn of_column(picked: &Picked, source: &Source) -> Output {
    let alias = picked.alias.trim();
    Output {
        key: format!("column {}", picked.column),
        name: if alias.is_empty() { picked.column.clone() } else { alias.to_owned() },
        expression: identifier(&picked.column),
        data_type: source.column(&picked.column).map(|column| column.data_type.clone()).unwrap_or_default(),
    }
}

fn of_aggregate(aggregate: &Aggregate, name: String, source: &Source) -> Output {
    let of = source.column(&aggregate.column).map(|column| column.data_type.as_str()).unwrap_or_default();
    Output {
        key: format!("aggregate {}", aggregate.id),
        name,
        expression: expression(aggregate),
        data_type: result_type(aggregate.function, of),
    }
}

pub(super) fn expression(aggregate: &Aggregate) -> String {
    let column = identifier(&aggregate.column);
    match aggregate.function {
        Function::CountAll => "COUNT(*)".to_owned(),
        Function::CountDistinct => format!("COUNT(DISTINCT {column})"),
        function => format!("{}({column})", function.word()),
    }
}

/// The type that the planner gives an aggregate of a column of this type.
pub(super) fn result_type(function: Function, of: &str) -> String {
    let scale = || {
        of.split_once(',')
            .and_then(|(_, rest)| rest.trim_end_matches(" NOT NULL").trim_end_matches(')').trim().parse().ok())
    };
    let is_decimal = word(of) == "DECIMAL";
    match function {
        Function::CountAll | Function::Count | Function::CountDistinct => "BIGINT NOT NULL".to_owned(),
        Function::Sum if is_decimal => format!("DECIMAL(38, {})", scale().unwrap_or(0_u8)),
        Function::Avg if is_decimal => format!("DECIMAL(38, {})", scale().unwrap_or(0_u8).max(6)),
        Function::Min | Function::Max if word(of) == "CHAR" => bare(of).replacen("CHAR", "VARCHAR", 1),
        _ => bare(of).to_owned(),
    }
}

/// The name that was given; else one that says what it is and that no other output has.
fn named(aggregate: &Aggregate, taken: &[Output]) -> String {
    let given = aggregate.alias.trim();
    if !given.is_empty() {
        return given.to_owned();
    }
    let usual = usual_name(aggregate);
    let is_free = |name: &str| taken.iter().all(|output| output.name != name);
    let numbered = (2_u32..).map(|number| format!("{usual}_{number}"));
    std::iter::once(usual.clone()).chain(numbered).find(|name| is_free(name)).unwrap_or(usual)
}

pub(super) fn usual_name(aggregate: &Aggregate) -> String {
    let prefix = match aggregate.function {
        Function::CountAll => return "row_count".to_owned(),
        Function::Count => "count",
        Function::CountDistinct => "distinct",
        Function::Sum => "sum",
        Function::Avg => "avg",
        Function::Min => "min",
        Function::Max => "max",
    };
    format!("{prefix}_{}", aggregate.column)
}
