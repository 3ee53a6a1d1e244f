//! Changelogs as multisets, in order per key, or only by what is left.

use std::collections::BTreeMap;

use serde_json::Value;

use super::case::{Case, Compare};

pub(crate) fn compare(case: &Case, changes: &[String]) -> Result<(), String> {
    let got: Vec<Change> = changes.iter().map(|line| Change::parse(line, case)).collect();
    let expected: Option<Vec<Change>> =
        case.expected.as_ref().map(|lines| lines.iter().map(|line| Change::parse(line, case)).collect());
    let last: Vec<String> = case.last.iter().map(|line| canonical(&parse(line), case)).collect();
    if let Some(expected) = expected.filter(|_| case.compare != Compare::Final) {
        let (got_lines, expected_lines) = (lines(&got), lines(&expected));
        match case.compare {
            Compare::Ordered if got_lines != expected_lines => {
                return differs("the changelog", &got_lines, &expected_lines);
            }
            Compare::Changelog => {
                if sorted(&got_lines) != sorted(&expected_lines) {
                    return differs("the changelog", &got_lines, &expected_lines);
                }
                if by_key(&got, case) != by_key(&expected, case) {
                    return differs("the order within a key", &got_lines, &expected_lines);
                }
            }
            _ => {}
        }
    }
    let left = left(&got);
    let wanted = sorted(&last);
    if left != wanted { differs("the final rows", &left, &wanted) } else { Ok(()) }
}

struct Change {
    adds: bool,
    line: String,
    row: String,
    values: Vec<Value>,
}

impl Change {
    fn parse(line: &str, case: &Case) -> Self {
        let (kind, row) = line.split_at(2);
        let values = parse(row);
        let row = canonical(&values, case);
        Change { adds: kind.starts_with('+'), line: format!("{kind}{row}"), row, values }
    }
}

fn parse(row: &str) -> Vec<Value> {
    serde_json::from_str(row).unwrap_or_else(|error| panic!("{row}: {error}"))
}

/// Floating-point numbers to the digits that are compared.
fn canonical(values: &[Value], case: &Case) -> String {
    let one = |(index, value): (usize, &Value)| {
        let ty = case.columns.get(index).map_or("", |(_, ty)| ty.as_str());
        match (ty, value.as_f64()) {
            ("DOUBLE", Some(number)) => format!("{:.10e}", number + 0.0),
            ("FLOAT", Some(number)) => format!("{:.5e}", number + 0.0),
            _ => value.to_string(),
        }
    };
    values.iter().enumerate().map(one).collect::<Vec<_>>().join(",")
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| change.line.clone()).collect()
}

fn sorted(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    lines.sort();
    lines
}

fn by_key(changes: &[Change], case: &Case) -> BTreeMap<String, Vec<String>> {
    let places: Vec<usize> =
        case.key.iter().filter_map(|name| case.columns.iter().position(|(column, _)| column == name)).collect();
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if !case.key.is_empty() {
        for change in changes {
            let key: Vec<String> =
                places.iter().filter_map(|place| change.values.get(*place)).map(ToString::to_string).collect();
            by_key.entry(key.join(",")).or_default().push(change.line.clone());
        }
    }
    by_key
}

/// The rows that are left, sorted.
fn left(changes: &[Change]) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for change in changes {
        if change.adds {
            rows.push(change.row.clone());
        } else if let Some(at) = rows.iter().position(|row| *row == change.row) {
            rows.remove(at);
        }
    }
    sorted(&rows)
}

fn differs(what: &str, got: &[String], wanted: &[String]) -> Result<(), String> {
    let show = |lines: &[String]| lines.iter().map(|line| format!("    {line}\n")).collect::<String>();
    Err(format!("{what} differs\n  got\n{}  want\n{}", show(got), show(wanted)))
}
