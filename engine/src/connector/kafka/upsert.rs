//! `upsert-kafka`: topics that hold the newest row of each key.
//!
//! The key of a record is the table's primary key. Read, a record is the row of its key from now on, and one without a
//! value deletes it; reading begins at the beginning, since an old record may be the newest of its key. Written, a row
//! that is taken away is a record without a value, so that a compacted topic forgets the key.

use std::collections::BTreeMap;

use async_trait::async_trait;
use millrace_wire::connection::ConnectionTest;
use millrace_wire::connector::{ConnectorSchema, OptionClass, OptionKind, OptionSchema, OptionSide};
use millrace_wire::table::FetchedSchema;

use super::super::layout::UPSERT_KAFKA;
use super::super::option::{on_side, required};
use super::super::{Accepts, Apart, Connector, ConnectorContext, Records, Sink, Source, TableUse};
use super::Kafka;
use crate::catalog::TableRef;
use crate::error::Result;
use crate::format::defaulted;
use crate::sql::Problem;

pub struct UpsertKafka;

/// Options of `kafka` that have no meaning here.
const NOT_HERE: [&str; 5] =
    ["format", "key.fields", "scan.startup.mode", "scan.startup.timestamp-millis", "scan.startup.specific-offsets"];

#[async_trait]
impl Connector for UpsertKafka {
    fn schema(&self) -> ConnectorSchema {
        ConnectorSchema {
            name: UPSERT_KAFKA.to_owned(),
            title: "Kafka, by key".to_owned(),
            summary: "A topic of an Apache Kafka cluster that holds the newest row of each key.".to_owned(),
            formats: plain_formats(),
            options: options(),
            ..Kafka.schema()
        }
    }

    fn validate(&self, table: &TableRef, use_: TableUse) -> Vec<Problem> {
        super::check::problems(table, use_)
    }

    fn source(&self, table: &TableRef, columns: &[usize], context: &ConnectorContext) -> Result<Box<dyn Source>> {
        Kafka.source(table, columns, context)
    }

    fn sink(&self, table: &TableRef, context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        Kafka.sink(table, context)
    }

    fn takes(&self, _table: &TableRef) -> Accepts {
        Accepts::Upsert
    }

    fn records(&self, table: &TableRef, context: &ConnectorContext) -> Result<Option<Box<dyn Records>>> {
        Kafka.records(table, context)
    }

    async fn fetch(&self, options: &BTreeMap<String, String>, context: &ConnectorContext) -> Result<FetchedSchema> {
        Kafka.fetch(options, context).await
    }

    async fn make(&self, apart: &Apart, context: &ConnectorContext) -> Result<()> {
        Kafka.make(apart, context).await
    }

    async fn remove(&self, apart: &Apart, context: &ConnectorContext) -> Result<()> {
        Kafka.remove(apart, context).await
    }

    async fn test(&self, table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
        Kafka.test(table, context).await
    }
}

/// Those that know of no changes: what happens to a row is said by the record.
fn plain_formats() -> Vec<String> {
    let plain = crate::format::all().iter().filter(|format| format.by_record() && !format.changelog());
    plain.map(|format| format.schema().name).collect()
}

fn options() -> Vec<OptionSchema> {
    let mut options: Vec<OptionSchema> =
        super::options().into_iter().filter(|option| !NOT_HERE.contains(&option.name.as_str())).collect();
    for option in &mut options {
        match option.name.as_str() {
            "key.format" => {
                *option = required("key.format", "Format of keys", "How the primary key is written.", OptionKind::Text);
            }
            "value.format" => {
                *option = required("value.format", "Format of values", "How rows are written.", OptionKind::Text);
            }
            _ => {}
        }
    }
    let sink = |option| on_side(OptionSchema { class: OptionClass::Defaulted, ..option }, OptionSide::Sink);
    options.extend([
        sink(defaulted(
            "sink.buffer-flush.max-rows",
            "Rows that wait",
            "Of each key only the last waiting row is written; 0 means none wait.",
            OptionKind::Integer,
            "0",
        )),
        sink(defaulted(
            "sink.buffer-flush.interval",
            "Longest wait",
            "Together with the number of rows; 0 means none wait.",
            OptionKind::Duration,
            "0",
        )),
    ]);
    options
}
