//! Writing a single record where a person asked for it.

use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::util::Timeout;

use super::cluster::{Cluster, settings_problem, unreachable_broker};
use super::topics;
use crate::error::{Error, Result};

/// How long a broker may take to acknowledge it.
const DELIVERED_WITHIN: Duration = Duration::from_secs(15);

#[derive(Clone, Debug)]
pub struct NewRecord {
    pub topic: String,
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(&'static str, String)>,
}

/// Quiet: what goes wrong is told to whoever asked.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "writing a record");
    }
}

/// Returns its offset when the broker has it on all replicas in sync.
pub async fn write(cluster: &Cluster, record: NewRecord) -> Result<i64> {
    // Also checks what the brokers announce, before the producer connects to them; and no topic is made by writing.
    let partitions = topics::partitions(cluster, &record.topic).await?;
    if !partitions.iter().any(|known| known.partition == record.partition) {
        return Err(Error::not_found("partition"));
    }
    let mut config = cluster.config();
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("allow.auto.create.topics", "false")
        .set("message.max.bytes", "20971520")
        .set("message.timeout.ms", DELIVERED_WITHIN.as_millis().to_string());
    let producer: FutureProducer<Quiet> =
        FutureProducer::from_config_and_context(&config, Quiet).map_err(|cause| settings_problem(&cause))?;
    let mut headers = OwnedHeaders::new();
    for (key, value) in &record.headers {
        headers = headers.insert(Header { key, value: Some(value.as_str()) });
    }
    let mut message = FutureRecord::<[u8], [u8]>::to(&record.topic).partition(record.partition).headers(headers);
    if let Some(key) = &record.key {
        message = message.key(key);
    }
    if let Some(value) = &record.value {
        message = message.payload(value);
    }
    let sent = producer.send(message, Timeout::After(DELIVERED_WITHIN)).await;
    let offset = sent.map(|delivery| delivery.offset).map_err(|(cause, _)| not_written(&producer, &cause))?;
    Ok(offset)
}

fn not_written(producer: &FutureProducer<Quiet>, cause: &KafkaError) -> Error {
    match cause.rdkafka_error_code() {
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
            Error::external("The broker does not permit writing to this topic.")
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
            Error::bad_request("The record is larger than the topic allows.")
        }
        _ => match producer.client().fatal_error() {
            Some((code, _)) => Error::external(format!("The broker did not take the record: {code}.")),
            None => unreachable_broker(cause),
        },
    }
}
