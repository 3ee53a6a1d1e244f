//! What two runs would have written, sink by sink: current state against current state.

use std::collections::BTreeMap;

use millrace_wire::preview::{PreviewRow, ResultColumn, RowKind};
use millrace_wire::test_run::{ChangedRow, ColumnChange, SinkComparison, TestRunSink, WrittenBy};
use serde_json::Value;

use crate::engine::{self, Rules};

/// Rows of each kind that are kept; all are counted.
const SHOWN: usize = 500;

/// One of the two.
pub struct Side {
    pub sinks: Vec<TestRunSink>,
    /// By sink, in order.
    pub rows: Vec<Vec<PreviewRow>>,
    /// It read all that it was to read.
    pub to_its_end: bool,
}

impl Side {
    fn find(&self, table: &str) -> Option<(&TestRunSink, &[PreviewRow])> {
        let at = self.sinks.iter().position(|sink| sink.table == table)?;
        Some((self.sinks.get(at)?, self.rows.get(at).map(Vec::as_slice).unwrap_or_default()))
    }
}

/// `keys`: columns by table that rows are matched by instead of the primary key.
pub fn sinks(a: &Side, b: &Side, keys: &BTreeMap<String, Vec<String>>) -> Vec<SinkComparison> {
    let to_their_end = a.to_its_end && b.to_its_end;
    let mut found = Vec::new();
    for (table, left) in tables(a) {
        found.push(match b.find(table) {
            Some(right) => both(left, right, keys.get(table), to_their_end),
            None => alone(left, WrittenBy::OnlyA, to_their_end),
        });
    }
    let others = tables(b).filter(|(table, _)| a.find(table).is_none());
    found.extend(others.map(|(_, right)| alone(right, WrittenBy::OnlyB, to_their_end)));
    found
}

type SinkOf<'a> = (&'a TestRunSink, &'a [PreviewRow]);

fn tables(side: &Side) -> impl Iterator<Item = (&str, SinkOf<'_>)> {
    side.sinks.iter().filter_map(|sink| Some((sink.table.as_str(), side.find(&sink.table)?)))
}

/// What changes leave, as insertions: by primary key where there is one.
pub fn state(changes: &[PreviewRow], columns: &[ResultColumn]) -> Vec<PreviewRow> {
    let key: Vec<usize> = columns.iter().enumerate().filter(|(_, column)| column.key).map(|(at, _)| at).collect();
    let rows = engine::current_state(changes, &key);
    rows.into_iter().map(|values| PreviewRow { kind: RowKind::Insert, values }).collect()
}

fn both(a: SinkOf<'_>, b: SinkOf<'_>, key: Option<&Vec<String>>, to_their_end: bool) -> SinkComparison {
    let (left, right) = (a.0, b.0);
    let column_changes = column_changes(&left.columns, &right.columns);
    let mut columns: Vec<ResultColumn> = left.columns.clone();
    columns.retain(|column| !column_changes.iter().any(|change| change.name == column.name));
    mark_key(&mut columns, left, right, key);
    let complete = to_their_end && is_whole(a) && is_whole(b);
    let mut notes = Vec::new();
    if !complete {
        notes.push("Not all changes are known: the states are those after the first ones.");
    }
    if !column_changes.is_empty() {
        notes.push("Rows are compared in the columns that both have.");
    }
    let rows = |(sink, changes): SinkOf<'_>| projected(state(changes, &sink.columns), &sink.columns, &columns);
    let found = engine::compare(&rows(a), &rows(b), &columns, &Rules::strict());
    SinkComparison {
        table: left.table.clone(),
        written_by: WrittenBy::Both,
        by_key: columns.iter().any(|column| column.key),
        columns,
        column_changes,
        complete,
        same: found.matched,
        only_a_count: found.missing.len() as u64,
        only_b_count: found.unexpected.len() as u64,
        changed_count: found.different.len() as u64,
        only_a: first_values(found.missing),
        only_b: first_values(found.unexpected),
        changed: found
            .different
            .into_iter()
            .take(SHOWN)
            .map(|(a, b, columns)| ChangedRow { a: a.values, b: b.values, columns })
            .collect(),
        note: notes.join(" "),
    }
}

/// The chosen columns; else the primary key, where both have the same one.
fn mark_key(columns: &mut [ResultColumn], left: &TestRunSink, right: &TestRunSink, chosen: Option<&Vec<String>>) {
    let primary = |sink: &TestRunSink| -> Vec<String> {
        let mut names: Vec<String> =
            sink.columns.iter().filter(|column| column.key).map(|key| key.name.clone()).collect();
        names.sort_unstable();
        names
    };
    let key = match chosen {
        Some(chosen) => chosen.clone(),
        None if primary(left) == primary(right) => primary(left),
        None => Vec::new(),
    };
    let all_there = key.iter().all(|name| columns.iter().any(|column| column.name == *name));
    for column in columns {
        column.key = all_there && key.contains(&column.name);
    }
}

fn column_changes(left: &[ResultColumn], right: &[ResultColumn]) -> Vec<ColumnChange> {
    let type_in = |columns: &[ResultColumn], name: &str| {
        columns.iter().find(|column| column.name == name).map(|column| column.data_type.clone())
    };
    let new = right.iter().filter(|column| type_in(left, &column.name).is_none());
    let changes = left.iter().chain(new).map(|column| ColumnChange {
        name: column.name.clone(),
        a: type_in(left, &column.name),
        b: type_in(right, &column.name),
    });
    changes.filter(|change| change.a != change.b).collect()
}

/// The rows with these columns only.
fn projected(rows: Vec<PreviewRow>, from: &[ResultColumn], to: &[ResultColumn]) -> Vec<PreviewRow> {
    let place = |wanted: &ResultColumn| from.iter().position(|column| column.name == wanted.name);
    let places: Vec<usize> = to.iter().filter_map(place).collect();
    let of_row = |row: PreviewRow| {
        let values = places.iter().map(|at| row.values.get(*at).cloned().unwrap_or(Value::Null));
        PreviewRow { kind: row.kind, values: values.collect() }
    };
    rows.into_iter().map(of_row).collect()
}

fn is_whole((sink, changes): SinkOf<'_>) -> bool {
    changes.len() as u64 == sink.changes
}

fn alone(sink: SinkOf<'_>, written_by: WrittenBy, to_their_end: bool) -> SinkComparison {
    let (facts, changes) = sink;
    let rows = state(changes, &facts.columns);
    let count = rows.len() as u64;
    let (a, b) = match written_by {
        WrittenBy::OnlyB => (Vec::new(), rows),
        WrittenBy::Both | WrittenBy::OnlyA => (rows, Vec::new()),
    };
    let of_a = written_by != WrittenBy::OnlyB;
    SinkComparison {
        table: facts.table.clone(),
        written_by,
        columns: facts.columns.clone(),
        column_changes: Vec::new(),
        by_key: facts.columns.iter().any(|column| column.key),
        complete: to_their_end && is_whole(sink),
        same: 0,
        only_a_count: if of_a { count } else { 0 },
        only_b_count: if of_a { 0 } else { count },
        only_a: first_values(a),
        only_b: first_values(b),
        changed: Vec::new(),
        changed_count: 0,
        note: String::new(),
    }
}

fn first_values(rows: Vec<PreviewRow>) -> Vec<Vec<Value>> {
    rows.into_iter().take(SHOWN).map(|row| row.values).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn side(columns: &[(&str, &str, bool)], rows: &Value) -> Side {
        let column = |(name, data_type, key): &(&str, &str, bool)| ResultColumn {
            name: (*name).to_owned(),
            data_type: (*data_type).to_owned(),
            key: *key,
        };
        let row = |values: &Value| PreviewRow { kind: RowKind::Insert, values: values.as_array().unwrap().clone() };
        let rows: Vec<PreviewRow> = rows.as_array().unwrap().iter().map(row).collect();
        let sink = TestRunSink {
            table: "main.out".to_owned(),
            connector: "kafka".to_owned(),
            columns: columns.iter().map(column).collect(),
            words: String::new(),
            changes: rows.len() as u64,
            kept: rows.len() as u64,
            target: None,
        };
        Side { sinks: vec![sink], rows: vec![rows], to_its_end: true }
    }

    #[test]
    fn rows_are_matched_by_chosen_columns_where_there_is_no_key() {
        let columns = [("id", "INT", false), ("n", "INT", false)];
        let (a, b) = (side(&columns, &json!([[1, 1], [2, 2]])), side(&columns, &json!([[2, 3], [1, 1]])));
        let plain = &sinks(&a, &b, &BTreeMap::new())[0];
        assert_eq!((plain.by_key, plain.same, plain.only_a_count, plain.only_b_count), (false, 1, 1, 1));
        let keys = BTreeMap::from([("main.out".to_owned(), vec!["id".to_owned()])]);
        let keyed = &sinks(&a, &b, &keys)[0];
        assert_eq!((keyed.by_key, keyed.same, keyed.only_a_count, keyed.changed_count), (true, 1, 0, 1));
        assert_eq!(json!(keyed.changed), json!([{ "a": [2, 2], "b": [2, 3], "columns": [1] }]));
    }

    #[test]
    fn columns_that_only_one_has_are_named_and_the_others_compared() {
        let a = side(&[("id", "INT", true), ("n", "INT", false), ("gone", "STRING", false)], &json!([[1, 5, "x"]]));
        let b = side(&[("new", "INT", false), ("id", "INT", true), ("n", "INT", false)], &json!([[0, 1, 5]]));
        let found = &sinks(&a, &b, &BTreeMap::new())[0];
        assert_eq!((found.same, found.by_key, found.columns.len()), (1, true, 2));
        assert_eq!(
            json!(found.column_changes),
            json!([{ "name": "gone", "a": "STRING" }, { "name": "new", "b": "INT" }])
        );
    }

    #[test]
    fn what_was_cut_is_not_complete_and_a_sink_of_one_side_is_named() {
        let columns = [("id", "INT", true)];
        let whole = side(&columns, &json!([[1]]));
        let mut cut = side(&columns, &json!([[1]]));
        cut.sinks[0].changes = 9;
        let found = &sinks(&whole, &cut, &BTreeMap::new())[0];
        assert!(!found.complete && found.note.starts_with("Not all changes"), "{found:?}");
        let ended = Side { to_its_end: false, ..side(&columns, &json!([[1]])) };
        assert!(!sinks(&whole, &ended, &BTreeMap::new())[0].complete);

        let mut other = side(&columns, &json!([[7]]));
        other.sinks[0].table = "main.other".to_owned();
        let found = sinks(&whole, &other, &BTreeMap::new());
        assert_eq!((found[0].written_by, found[0].only_a_count), (WrittenBy::OnlyA, 1));
        assert_eq!(
            (found[1].written_by, found[1].only_b_count, &found[1].only_b),
            (WrittenBy::OnlyB, 1, &vec![vec![json!(7)]])
        );
    }
}
