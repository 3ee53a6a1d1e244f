//! `kafka`: topics as tables, read and written.
//!
//! Source: partitions are assigned by the engine, never by a consumer group, and positions come from checkpoints. Offsets
//! are also committed to the group (`properties.group.id`, else the job's identity) when a checkpoint is durable, only so
//! that others can see how far the job is. Only committed records of transactions are read.
//!
//! Sink: `sink.delivery-guarantee` is `at-least-once` as in Flink, or `exactly-once` where the broker has transactions;
//! then all sinks of a run and cluster share one transactional producer, see [`committer`]. Readers of an exactly-once
//! topic need `isolation.level=read_committed`.
//!
//! Options are Flink's; `properties.*` goes to librdkafka, whose names are the ones to use.

mod apart;
mod buffer;
mod check;
mod client;
mod committer;
mod direct;
mod feed;
mod fetch;
mod library;
mod message;
mod native;
mod offset;
mod produce;
mod reader;
mod record;
mod sink;
mod source;
mod startup;
#[cfg(test)]
mod tests;
mod tombstone;
mod upsert;
mod writer;

use std::collections::BTreeMap;

use async_trait::async_trait;
use millrace_wire::connection::{ConnectionKind, ConnectionTest};
use millrace_wire::connector::{ConnectorSchema, OptionClass, OptionKind, OptionSchema, OptionSide};
use millrace_wire::table::FetchedSchema;

use super::option::{on_side, one_of, required};
use super::{Accepts, Apart, Connector, ConnectorContext, Records, Sink, Source, TableUse};
use crate::catalog::TableRef;
use crate::error::Result;
use crate::format::{self, defaulted};
use crate::sql::Problem;

pub use upsert::UpsertKafka;

pub struct Kafka;

#[async_trait]
impl Connector for Kafka {
    fn schema(&self) -> ConnectorSchema {
        ConnectorSchema {
            name: "kafka".to_owned(),
            title: "Kafka".to_owned(),
            summary: "A topic of an Apache Kafka cluster.".to_owned(),
            connection: Some(ConnectionKind::Kafka),
            takes: Vec::new(),
            source: true,
            sink: true,
            lookup: false,
            bounded: true,
            formats: by_record_formats(),
            options: options(),
            fixed_columns: Vec::new(),
            fetches_schema: true,
        }
    }

    fn validate(&self, table: &TableRef, use_: TableUse) -> Vec<Problem> {
        check::problems(table, use_)
    }

    fn source(&self, table: &TableRef, columns: &[usize], context: &ConnectorContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(source::KafkaSource::new(table, columns, context)?))
    }

    fn sink(&self, table: &TableRef, context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(sink::KafkaSink::new(table, context)?))
    }

    fn takes(&self, table: &TableRef) -> Accepts {
        let format = table.option("format").or_else(|| table.option("value.format")).and_then(format::find);
        if format.is_some_and(|format| format.changelog()) { Accepts::Retract } else { Accepts::Append }
    }

    fn records(&self, table: &TableRef, context: &ConnectorContext) -> Result<Option<Box<dyn Records>>> {
        Ok(Some(Box::new(record::SingleRecords::new(table, context)?)))
    }

    async fn fetch(&self, options: &BTreeMap<String, String>, context: &ConnectorContext) -> Result<FetchedSchema> {
        fetch::fetch(options.clone(), context).await
    }

    async fn make(&self, apart: &Apart, context: &ConnectorContext) -> Result<()> {
        apart::make(apart, context).await
    }

    async fn remove(&self, apart: &Apart, context: &ConnectorContext) -> Result<()> {
        apart::remove(apart, context).await
    }

    async fn test(&self, table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
        fetch::test(table, context).await
    }
}

fn by_record_formats() -> Vec<String> {
    crate::format::all().iter().filter(|format| format.by_record()).map(|format| format.schema().name).collect()
}

fn options() -> Vec<OptionSchema> {
    let source = |option| on_side(option, OptionSide::Source);
    let sink = |option| on_side(option, OptionSide::Sink);
    let platform = |option| OptionSchema { class: OptionClass::Platform, ..option };
    vec![
        required("topic", "Topic", "To read several, separate them with semicolons.", OptionKind::Topic),
        platform(required(
            "properties.bootstrap.servers",
            "Servers",
            "Host and port of some brokers.",
            OptionKind::Text,
        )),
        defaulted("format", "Format", "How values are written.", OptionKind::Text, ""),
        defaulted("value.format", "Format of values", "Instead of format, beside a key format.", OptionKind::Text, ""),
        defaulted("key.format", "Format of keys", "Together with key.fields.", OptionKind::Text, ""),
        defaulted("key.fields", "Columns of the key", "Names separated by semicolons.", OptionKind::Text, ""),
        defaulted(
            "key.fields-prefix",
            "Prefix of key columns",
            "Begins the names of the key's columns in the table; the key's format goes without it.",
            OptionKind::Text,
            "",
        ),
        one_of(
            defaulted(
                "value.fields-include",
                "Columns of the value",
                "EXCEPT_KEY leaves the key's columns out.",
                OptionKind::Choice,
                "ALL",
            ),
            &["ALL", "EXCEPT_KEY"],
        ),
        source(one_of(
            defaulted("scan.startup.mode", "Start at", "Without a checkpoint.", OptionKind::Choice, "group-offsets"),
            &["earliest-offset", "latest-offset", "group-offsets", "timestamp", "specific-offsets"],
        )),
        source(defaulted(
            "scan.startup.timestamp-millis",
            "Start time",
            "Milliseconds since 1970, with timestamp.",
            OptionKind::Integer,
            "",
        )),
        source(defaulted(
            "scan.startup.specific-offsets",
            "Start offsets",
            "partition:0,offset:42;partition:1,offset:300",
            OptionKind::Text,
            "",
        )),
        source(one_of(
            defaulted("scan.bounded.mode", "End at", "Where reading ends.", OptionKind::Choice, "unbounded"),
            &["unbounded", "latest-offset", "group-offsets", "timestamp", "specific-offsets"],
        )),
        source(defaulted(
            "scan.bounded.timestamp-millis",
            "End time",
            "Milliseconds since 1970, with timestamp.",
            OptionKind::Integer,
            "",
        )),
        source(defaulted(
            "scan.bounded.specific-offsets",
            "End offsets",
            "partition:0,offset:42;partition:1,offset:300",
            OptionKind::Text,
            "",
        )),
        source(defaulted(
            "scan.topic-partition-discovery.interval",
            "Look for new partitions",
            "How often; 0 means never.",
            OptionKind::Duration,
            "5 min",
        )),
        source(defaulted(
            "scan.parallelism",
            "Source tasks",
            "Accepted for scripts from Flink; partitions are spread over the job's tasks.",
            OptionKind::Integer,
            "",
        )),
        sink(one_of(
            defaulted(
                "sink.delivery-guarantee",
                "Guarantee",
                "exactly-once needs a broker with transactions.",
                OptionKind::Choice,
                "at-least-once",
            ),
            &["at-least-once", "exactly-once", "none"],
        )),
        sink(one_of(
            defaulted(
                "sink.partitioner",
                "Partitioner",
                "default: by key, else spread; fixed: one per task.",
                OptionKind::Choice,
                "default",
            ),
            &["default", "fixed", "round-robin"],
        )),
        sink(defaulted(
            "properties.linger.ms",
            "Send after",
            "Milliseconds that a record waits for others; longer makes fewer and larger requests.",
            OptionKind::Integer,
            "5",
        )),
        sink(defaulted(
            "sink.transactional-id-prefix",
            "Transactional id",
            "Accepted for scripts from Flink; the job's identity is used.",
            OptionKind::Text,
            "",
        )),
        sink(defaulted(
            "sink.parallelism",
            "Sink tasks",
            "Accepted for scripts from Flink; the job's parallelism is used.",
            OptionKind::Integer,
            "",
        )),
        defaulted("properties.*", "Client properties", "Names and values of librdkafka.", OptionKind::Text, ""),
    ]
}
