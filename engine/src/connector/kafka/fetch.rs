//! Columns of a topic from its newest records, and the test of a table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_wire::connection::ConnectionTest;
use millrace_wire::table::FetchedSchema;
use rdkafka::consumer::Consumer as _;

use super::super::ConnectorContext;
use super::super::infer::{Inference, column};
use super::super::option::Options;
use super::super::steps::{Steps, decode_some};
use super::Kafka;
use super::client::{self, ASK, Consumer, Reach, failed};
use super::native::MessageQueue;
use super::offset::{self, Partition};
use super::source::partitions;
use crate::catalog::{TableDef, TableRef};
use crate::error::{EngineError, Result};

/// Records to look at, over all partitions.
const SAMPLES: i64 = 200;
const PATIENCE: Duration = Duration::from_secs(8);

pub(super) async fn fetch(options: BTreeMap<String, String>, context: &ConnectorContext) -> Result<FetchedSchema> {
    let group = context.identity.clone();
    let asked = context.runtime.spawn_blocking(move || look(&options, &group)).await;
    asked.map_err(|error| EngineError::internal("the look into the topic ended early").with_detail(error))?
}

fn look(options: &BTreeMap<String, String>, group: &str) -> Result<FetchedSchema> {
    let read = Options(options);
    let format = read.text("format").or(read.text("value.format")).unwrap_or("json");
    if format == "raw" {
        return Ok(FetchedSchema {
            primary_key: Vec::new(),
            comment: String::new(),
            format: "raw".to_owned(),
            columns: vec![column("value", "STRING")],
            event_time: None,
            options: BTreeMap::new(),
            origin: "The raw format has one column.".to_owned(),
            sampled: 0,
        });
    }
    if format != "json" {
        let message = format!("Columns cannot be found for the format '{format}'; they have to be typed in.");
        return Err(EngineError::user("unsupported", message));
    }
    let topic = read.required("topic")?;
    let consumer = client::consumer(&client::properties(options)?, group)?;
    Reach::of(options).check(&consumer)?;
    let mut inference = Inference::default();
    for topic in topic.split(';').map(str::trim).filter(|topic| !topic.is_empty()) {
        newest(&consumer, topic, &mut |value| inference.add(value))?;
    }
    if inference.records() == 0 {
        let message = format!("The topic '{topic}' has no JSON object to learn from.");
        return Err(EngineError::user("nothing_to_sample", message));
    }
    Ok(inference.into_schema("JSON records"))
}

/// Visits the newest records of each partition.
fn newest(consumer: &Arc<Consumer>, topic: &str, visit: &mut dyn FnMut(&[u8])) -> Result<()> {
    let partitions = partitions(consumer, topic)?;
    let share = (SAMPLES / i64::try_from(partitions.len()).unwrap_or(1)).max(1);
    let mut queue = MessageQueue::new(Arc::clone(consumer))?;
    let mut left = BTreeMap::new();
    let mut starts = Vec::new();
    for partition in partitions {
        let (low, high) = offset::bounds(consumer, &partition)?;
        let start = (high - share).max(low);
        if start < high {
            queue.forward(&partition.topic, partition.number)?;
            left.insert(partition.number, high);
            starts.push((partition, start));
        }
    }
    let list = offset::offset_list(starts.iter().map(|(partition, start)| (partition, *start)))?;
    consumer.assign(&list).map_err(|error| failed("The topic cannot be read.", &error))?;
    let deadline = Instant::now() + PATIENCE;
    let mut messages = Vec::new();
    while !left.is_empty() && Instant::now() < deadline {
        drop(consumer.poll(Duration::ZERO));
        queue.drain(Duration::from_millis(100), 1000, &mut messages);
        for message in messages.drain(..) {
            let end = left.get(&message.partition()).copied();
            if message.error().is_some() || end.is_some_and(|end| message.offset() + 1 >= end) {
                left.remove(&message.partition());
            }
            if message.error().is_none()
                && let Some(value) = message.value()
            {
                visit(value);
            }
        }
    }
    consumer.unassign().map_err(|error| failed("The topic cannot be read.", &error))
}

pub(super) async fn test(table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
    let (table, context) = (Arc::clone(table), context.clone());
    let runtime = context.runtime.clone();
    let run = runtime.spawn_blocking(move || test_now(&table, &context)).await;
    run.unwrap_or_else(|error| {
        tracing::error!(%error, "the test of a table ended early");
        ConnectionTest { ok: false, steps: Vec::new() }
    })
}

fn test_now(table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
    let mut steps = Steps::new();
    let consumer = steps.run("Connect", || {
        let consumer = client::consumer(&client::properties(&table.options)?, &context.identity)?;
        Reach::of(&table.options).check(&consumer)?;
        let metadata = consumer.fetch_metadata(None, ASK);
        let metadata = metadata.map_err(|error| failed("The cluster cannot be asked.", &error))?;
        let detail = format!("{} brokers, {} topics.", metadata.brokers().len(), metadata.topics().len());
        Ok((consumer, detail))
    });
    let topics = table.option("topic").unwrap_or_default().to_owned();
    if let Some(consumer) = consumer {
        for topic in topics.split(';').map(str::trim).filter(|topic| !topic.is_empty()) {
            steps.run("Topic", || {
                let found: Vec<Partition> = partitions(&consumer, topic)?;
                let mut messages = 0;
                for partition in &found {
                    let (low, high) = offset::bounds(&consumer, partition)?;
                    messages += high - low;
                }
                Ok(((), format!("{topic}: {} partitions, {messages} records.", found.len())))
            });
        }
    }
    steps.run("Decode", || {
        // From the beginning, whatever the options say: any record will do.
        let mut from_start: TableDef = (**table).clone();
        from_start.options.insert("scan.startup.mode".to_owned(), "earliest-offset".to_owned());
        decode_some(&Kafka, &Arc::new(from_start), context)
    });
    steps.finish()
}
