//! Sessions against a model that keeps all rows and merges windows one row after the other, as Flink does.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{SessionAggregate, SessionAggregateSpec, SessionAssign, SessionAssignSpec};
use crate::change::{ChangeBatch, RowKind};
use crate::collect::RowWriter;
use crate::operator::tests::{Row, apply, batch, calls, input, model, rescale, results, row};
use crate::operator::{GroupColumn, Operator};
use crate::types::{Field, LogicalType, Schema, Type};

const GAP: i64 = 5;

fn time(name: &str) -> Field {
    Field::new(name, Type::not_null(LogicalType::Timestamp(3)))
}

fn aggregate() -> (Box<dyn Operator>, Schema) {
    let mut fields = vec![time("s"), time("e"), time("t"), input().fields[0].clone()];
    fields.extend(results());
    let output = Schema::new(fields);
    let spec = SessionAggregateSpec {
        gap: GAP,
        zone: None,
        time_column: 2,
        group: vec![GroupColumn::Start, GroupColumn::End, GroupColumn::Time, GroupColumn::Key(0)],
        keys: vec![0],
        calls: calls(),
        input: input().to_arrow(),
        output: output.to_arrow(),
        retracts: true,
    };
    (Box::new(SessionAggregate::new(spec).unwrap()), output)
}

fn assign() -> (Box<dyn Operator>, Schema) {
    let mut fields = input().fields;
    fields.extend([time("s"), time("e"), time("t")]);
    let output = Schema::new(fields);
    let spec = SessionAssignSpec {
        gap: GAP,
        zone: None,
        time_column: 2,
        partition: vec![0],
        input: input().to_arrow(),
        output: output.to_arrow(),
    };
    (Box::new(SessionAssign::new(spec).unwrap()), output)
}

/// Start, end and rows of a session, and whether it was given.
type Session = (i64, i64, Vec<(RowKind, Row)>);

#[derive(Default)]
struct Model {
    open: BTreeMap<String, Vec<Session>>,
    over: Vec<(String, Session)>,
    watermark: Option<i64>,
    late: u64,
}

impl Model {
    fn add(&mut self, kind: RowKind, row: &Row) {
        let sessions = self.open.entry(row.key.clone()).or_default();
        let meets = |session: &Session| session.0 <= row.time + GAP && row.time <= session.1;
        let (met, mut rest): (Vec<Session>, Vec<Session>) = sessions.drain(..).partition(meets);
        let mut one: Session = (row.time, row.time + GAP, Vec::new());
        for (start, end, rows) in met {
            one = (one.0.min(start), one.1.max(end), [one.2, rows].concat());
        }
        if self.watermark.is_some_and(|watermark| one.1 - 1 <= watermark) {
            self.late += 1;
        } else {
            one.2.push((kind, row.clone()));
            rest.push(one);
        }
        *sessions = rest;
    }

    fn advance(&mut self, watermark: i64) {
        self.watermark = self.watermark.max(Some(watermark));
        for (key, sessions) in &mut self.open {
            let (over, open): (Vec<Session>, Vec<Session>) =
                sessions.drain(..).partition(|session| session.1 - 1 <= watermark);
            *sessions = open;
            self.over.extend(over.into_iter().map(|session| (key.clone(), session)));
        }
    }
}

fn at(ms: i64) -> serde_json::Value {
    serde_json::json!(chrono::DateTime::from_timestamp_millis(ms).unwrap().format("%Y-%m-%dT%H:%M:%S%.3f").to_string())
}

fn line(start: &[serde_json::Value], numbers: Vec<Option<i64>>) -> String {
    let mut row = start.to_vec();
    row.extend(numbers.into_iter().map(|number| serde_json::json!(number)));
    serde_json::Value::Array(row).to_string()
}

/// Batches of rows with the watermark behind each.
fn batches() -> impl Strategy<Value = Vec<(Vec<Row>, i64)>> {
    let rows = proptest::collection::vec(row(), 1..6);
    proptest::collection::vec((rows, 0_i64..12), 1..25).prop_map(|batches| {
        let mut base = 0;
        let later = batches.into_iter().map(|(mut rows, delay)| {
            base += 7;
            rows.iter_mut().for_each(|row| row.time = base + row.time % 25);
            (rows, base + 12 - delay)
        });
        later.collect()
    })
}

/// Runs with a restore before the batch `cut`, at another parallelism and back.
fn run(
    make: &dyn Fn() -> (Box<dyn Operator>, Schema),
    batches: &[(Vec<Row>, i64)],
    cut: usize,
    whole: bool,
) -> (Vec<ChangeBatch>, Model, Box<dyn Operator>, u64) {
    let (mut operator, mut out, mut model, mut late) = (make().0, Vec::new(), Model::default(), 0);
    for (index, (rows, watermark)) in batches.iter().enumerate() {
        if index == cut {
            late += operator.late();
            let mut several: Vec<Box<dyn Operator>> = (0..3).map(|_| make().0).collect();
            rescale(std::slice::from_mut(&mut operator), &mut several);
            let mut fresh = vec![make().0];
            rescale(&mut several, &mut fresh);
            operator = fresh.pop().unwrap();
            if let Some(watermark) = model.watermark {
                operator.watermark(watermark, &mut out).unwrap();
            }
        }
        let rows: Vec<(RowKind, Row)> = rows.iter().map(|row| (RowKind::Insert, row.clone())).collect();
        rows.iter().for_each(|(kind, row)| model.add(*kind, row));
        for piece in rows.chunks(if whole { rows.len() } else { 1 }) {
            operator.process(0, batch(piece), &mut out).unwrap();
        }
        model.advance(*watermark);
        operator.watermark(*watermark, &mut out).unwrap();
    }
    model.advance(i64::MAX);
    operator.watermark(i64::MAX, &mut out).unwrap();
    let late = late + operator.late();
    (out, model, operator, late)
}

proptest! {
    #[test]
    fn every_session_is_aggregated_once(batches in batches(), cut in 0_usize..25, whole in any::<bool>()) {
        let (out, sessions, operator, late) = run(&aggregate, &batches, cut, whole);
        let mut given = Vec::new();
        apply(&mut given, &out, &RowWriter::new(&aggregate().1));
        let mut wanted: Vec<String> = sessions.over.iter().map(|(key, (start, end, rows))| {
            let values: Vec<Option<i64>> = rows.iter().map(|(_, row)| row.value).collect();
            line(&[at(*start), at(*end), at(*end - 1), serde_json::json!(key)], model(&values))
        }).collect();
        wanted.sort();
        prop_assert_eq!(given, wanted);
        prop_assert_eq!((operator.size().rows, late), (0, sessions.late));
    }

    #[test]
    fn every_row_is_given_once_with_its_session(batches in batches(), cut in 0_usize..25, whole in any::<bool>()) {
        let (out, sessions, operator, late) = run(&assign, &batches, cut, whole);
        let mut given = Vec::new();
        apply(&mut given, &out, &RowWriter::new(&assign().1));
        let mut wanted: Vec<String> = sessions.over.iter().flat_map(|(key, (start, end, rows))| {
            rows.iter().map(move |(_, row)| {
                let row = [serde_json::json!(key), serde_json::json!(row.value), at(row.time), at(*start), at(*end), at(*end - 1)];
                line(&row, Vec::new())
            })
        }).collect();
        wanted.sort();
        prop_assert_eq!(given, wanted);
        prop_assert_eq!((operator.size().rows, late), (0, sessions.late));
    }
}

fn insert(key: &str, value: i64, time: i64) -> (RowKind, Row) {
    (RowKind::Insert, Row { key: key.to_owned(), value: Some(value), time })
}

#[test]
fn a_row_that_is_taken_back_does_not_count_and_an_empty_session_gives_nothing() {
    let (mut operator, schema) = aggregate();
    let mut out = Vec::new();
    let gone = |change: (RowKind, Row)| (RowKind::Delete, change.1);
    operator.process(0, batch(&[insert("a", 1, 0), insert("a", 2, 3), insert("b", 1, 0)]), &mut out).unwrap();
    operator.process(0, batch(&[gone(insert("a", 1, 0)), gone(insert("b", 1, 0))]), &mut out).unwrap();
    operator.watermark(100, &mut out).unwrap();
    let mut given = Vec::new();
    apply(&mut given, &out, &RowWriter::new(&schema));
    assert_eq!(given, [line(&[at(0), at(8), at(7), serde_json::json!("a")], model(&[Some(2)]))]);
    assert_eq!(operator.size().rows, 0);
}

#[test]
fn one_row_makes_one_of_three_sessions_of_the_same_batch() {
    let (mut operator, schema) = aggregate();
    let mut out = Vec::new();
    let rows = [insert("a", 1, 0), insert("a", 2, 20), insert("a", 3, 10), insert("a", 4, 5), insert("a", 5, 15)];
    operator.process(0, batch(&rows), &mut out).unwrap();
    assert_eq!(operator.size().rows, 1);
    operator.watermark(100, &mut out).unwrap();
    let mut given = Vec::new();
    apply(&mut given, &out, &RowWriter::new(&schema));
    let all: Vec<Option<i64>> = (1..=5).map(Some).collect();
    assert_eq!(given, [line(&[at(0), at(25), at(24), serde_json::json!("a")], model(&all))]);
}
