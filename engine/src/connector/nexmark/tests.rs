//! Nexmark events.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::connector::testing::{context, read, read_all, reader, source, table, with_options};
use crate::types::{Field, LogicalType as L, Type};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn events(number: &str) -> TableRef {
    let text = |name: &str| Field::new(name, Type::nullable(L::String));
    let number_field = |name: &str| Field::new(name, Type::nullable(L::BigInt));
    let time = |name: &str| Field::new(name, Type::nullable(L::Timestamp(3)));
    let person = vec![
        number_field("id"),
        text("name"),
        text("emailAddress"),
        text("creditCard"),
        text("city"),
        text("state"),
        time("dateTime"),
        text("extra"),
    ];
    let auction = vec![
        number_field("id"),
        text("itemName"),
        text("description"),
        number_field("initialBid"),
        number_field("reserve"),
        time("dateTime"),
        time("expires"),
        number_field("seller"),
        number_field("category"),
        text("extra"),
    ];
    let bid = vec![
        number_field("auction"),
        number_field("bidder"),
        number_field("price"),
        text("channel"),
        text("url"),
        time("dateTime"),
        text("extra"),
    ];
    let columns =
        [("event_type", L::Int), ("person", L::Row(person)), ("auction", L::Row(auction)), ("bid", L::Row(bid))];
    let options = [("connector", "nexmark"), ("events.num", number), ("rate.unlimited", "true"), ("base-time", "0")];
    table(&columns, &options)
}

#[test]
fn proportions_and_columns_are_those_of_the_benchmark() {
    let runtime = runtime();
    assert_eq!(registry_problems(&events("10")), 0);
    let rows = read_all(&events("1000"), &context(&runtime, "n")).unwrap();
    let count = |kind: &str| rows.iter().filter(|row| row.starts_with(&format!("+I{{\"event_type\":{kind},"))).count();
    assert_eq!((count("0"), count("1"), count("2")), (20, 60, 920));
    assert!(
        rows[0].contains(r#""person":{"id":1000,"#) && rows[0].ends_with(r#""auction":null,"bid":null}"#),
        "{}",
        rows[0]
    );
    assert!(rows[1].contains(r#""auction":{"id":1000,"#), "{}", rows[1]);
    assert!(rows[53].contains(r#""auction":{"id":1005,"#), "{}", rows[53]);
}

#[test]
fn rows_depend_on_the_seed_only() {
    let runtime = runtime();
    let context = context(&runtime, "n");
    let whole = read_all(&events("200"), &context).unwrap();
    assert_eq!(read_all(&events("200"), &context).unwrap(), whole);
    assert_ne!(read_all(&with_options(&events("200"), &[("seed", "7")]), &context).unwrap(), whole);
    let mut split = read_all(&with_options(&events("200"), &[("scan.parallelism", "3")]), &context).unwrap();
    let mut sorted = whole.clone();
    split.sort();
    sorted.sort();
    assert_eq!(split, sorted);
    let source = source(&events("200"), &context);
    let mut first = reader(&*source, &[]);
    let mut rows = read(&mut *first, 100).unwrap();
    rows.extend(read(&mut *reader(&*source, &first.positions()), usize::MAX).unwrap());
    assert_eq!(rows, whole);
}

fn registry_problems(table: &TableRef) -> usize {
    crate::connector::registry::problems(table, TableUse::Read).len()
}
