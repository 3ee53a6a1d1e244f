//! Generated rows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::connector::SourceEvent;
use crate::connector::testing::{context, read, read_all, reader, source, table, with_options};
use crate::types::LogicalType as L;

fn rows(options: &[(&str, &str)]) -> TableRef {
    let base = table(&[("id", L::Int), ("name", L::String), ("price", L::Double)], &[("connector", "datagen")]);
    let sequence = [("fields.id.kind", "sequence"), ("fields.id.start", "5"), ("fields.id.end", "204")];
    with_options(&with_options(&base, &sequence), options)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[test]
fn a_sequence_ends_and_values_keep_their_bounds() {
    let runtime = runtime();
    let fast = rows(&[
        ("rows-per-second", "0"),
        ("fields.name.length", "8"),
        ("fields.price.min", "1"),
        ("fields.price.max", "2"),
    ]);
    let found = read_all(&fast, &context(&runtime, "d")).unwrap();
    assert_eq!(found.len(), 200);
    for (index, row) in found.iter().enumerate() {
        let value: serde_json::Value = serde_json::from_str(&row[2..]).unwrap();
        assert_eq!(value["id"].as_u64(), Some(index as u64 + 5));
        assert_eq!(value["name"].as_str().unwrap().len(), 8);
        assert!((1.0..2.0).contains(&value["price"].as_f64().unwrap()), "{row}");
    }
    assert_eq!(read_all(&fast, &context(&runtime, "d")).unwrap(), found, "the same seed gives the same rows");
}

#[test]
fn restored_positions_give_the_rest() {
    let runtime = runtime();
    let table = rows(&[("rows-per-second", "0"), ("number-of-rows", "150"), ("scan.parallelism", "2")]);
    let source = source(&table, &context(&runtime, "d"));
    let mut first = reader(&*source, &[]);
    let mut found = read(&mut *first, 100).unwrap();
    found.extend(read(&mut *reader(&*source, &first.positions()), usize::MAX).unwrap());
    let mut whole = read_all(&table, &context(&runtime, "d")).unwrap();
    found.sort();
    whole.sort();
    assert_eq!((found.len(), &found), (150, &whole));
}

#[test]
fn the_rate_is_kept() {
    let runtime = runtime();
    let source = source(&rows(&[("rows-per-second", "20")]), &context(&runtime, "d"));
    let mut reading = reader(&*source, &[]);
    let started = std::time::Instant::now();
    let mut count = 0;
    while count < 10 {
        if let SourceEvent::Batch { batch, .. } = reading.next(std::time::Duration::from_millis(100)).unwrap() {
            count += batch.len();
        }
    }
    assert!(
        started.elapsed() >= std::time::Duration::from_millis(400),
        "10 rows of 20 a second came in {:?}",
        started.elapsed()
    );
}

#[test]
fn a_fast_rate_comes_in_batches_not_row_by_row() {
    let runtime = runtime();
    let source = source(&rows(&[("rows-per-second", "2000")]), &context(&runtime, "d"));
    let mut reading = reader(&*source, &[]);
    let (mut count, mut batches) = (0, 0);
    while count < 200 {
        if let SourceEvent::Batch { batch, .. } = reading.next(std::time::Duration::from_millis(100)).unwrap() {
            count += batch.len();
            batches += 1;
        }
    }
    assert!(batches <= 20, "{count} rows in {batches} batches");
}

#[test]
fn options_of_unknown_columns_and_wrong_bounds_are_refused() {
    let problems = |options: &[(&str, &str)]| crate::connector::registry::problems(&rows(options), TableUse::Read);
    assert_eq!(problems(&[]), []);
    assert_eq!(problems(&[("fields.nope.min", "1")])[0].option, "fields.nope.min");
    assert_eq!(problems(&[("fields.name.kind", "secuence")])[0].option, "fields.name.kind");
    assert_eq!(problems(&[("fields.id.kind", "random"), ("fields.id.min", "9"), ("fields.id.max", "1")]).len(), 1);
}
